//! The `[embedding]` section: who says how near two texts are in meaning.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Deserialize;

use super::llm::{LlmSettings, Price, key};

/// Who turns texts into vectors, for grouping.
#[derive(Debug, Clone, Default)]
pub enum EmbeddingSettings {
    /// The words of the texts themselves: no model, no network.
    #[default]
    Embedded,
    /// A sentence model in this folder.
    Local(PathBuf),
    /// A model behind an OpenAI-compatible server.
    Served(Box<ServedSettings>),
}

/// A server's embedding model.
#[derive(Debug, Clone)]
pub struct ServedSettings {
    /// Where it is, how fast and for how much money it is asked, and which names are masked.
    pub server: LlmSettings,
    /// Most texts in one request.
    pub texts_per_request: usize,
}

/// `[embedding]`, as written.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum EmbeddingFile {
    Embedded {},
    Local { path: PathBuf },
    Served(Box<ServedFile>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServedFile {
    base_url: Option<String>,
    model: String,
    api_key_env: Option<String>,
    requests_per_minute: Option<u32>,
    tokens_per_minute: Option<u32>,
    concurrency: Option<usize>,
    texts_per_request: Option<usize>,
    timeout_secs: Option<u64>,
    outage_secs: Option<u64>,
    price: Option<f64>,
    budget: Option<f64>,
    budget_tokens: Option<u64>,
    #[serde(default)]
    contact_names: Vec<String>,
}

/// Where the key is looked for. Not the one of `[llm]`, which may be another server's.
const KEY_ENV: &str = "CANDOR_EMBEDDING_KEY";

impl EmbeddingSettings {
    /// `base` is the folder that paths are relative to.
    pub(super) fn merge(file: EmbeddingFile, base: &Path) -> Result<Self> {
        match file {
            EmbeddingFile::Embedded {} => Ok(Self::Embedded),
            EmbeddingFile::Local { path } => Ok(Self::Local(base.join(path))),
            EmbeddingFile::Served(file) => Ok(Self::Served(Box::new(ServedSettings::merge(*file)?))),
        }
    }
}

impl ServedSettings {
    /// `model` at `base_url` with everything else at its default, the key included.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        let server = LlmSettings {
            section: "embedding",
            api_key_env: KEY_ENV.to_owned(),
            api_key: key(KEY_ENV),
            ..LlmSettings::new(base_url, model)
        };
        Self { server, texts_per_request: 64 }
    }

    fn merge(file: ServedFile) -> Result<Self> {
        let Self { server: defaults, texts_per_request } =
            Self::new(file.base_url.as_deref().unwrap_or(LlmSettings::OPENAI), file.model);
        let api_key_env = file.api_key_env.unwrap_or_else(|| defaults.api_key_env.clone());
        let mut server = LlmSettings {
            api_key: key(&api_key_env),
            api_key_env,
            requests_per_minute: file.requests_per_minute,
            tokens_per_minute: file.tokens_per_minute,
            concurrency: file.concurrency.unwrap_or(defaults.concurrency),
            timeout_secs: file.timeout_secs.unwrap_or(defaults.timeout_secs).max(1),
            outage_secs: file.outage_secs.unwrap_or(defaults.outage_secs),
            budget_tokens: file.budget_tokens,
            contact_names: file.contact_names,
            ..defaults
        };
        if let Some(price) = file.price {
            if !(0.0..=1e9).contains(&price) {
                bail!("embedding.price must be a price per million tokens, not {price}");
            }
            server.prices.insert(server.model.clone(), Price { input: price, output: 0.0, batch: 1.0 });
        }
        if let Some(amount) = file.budget {
            server.set_budget(amount)?;
        }
        let texts_per_request = file.texts_per_request.unwrap_or(texts_per_request);
        server.check_pace(&[("texts_per_request", texts_per_request)])?;
        Ok(Self { server, texts_per_request })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<EmbeddingSettings> {
        EmbeddingSettings::merge(toml::from_str(text)?, Path::new("there"))
    }

    #[test]
    fn the_three_kinds_are_read() {
        assert!(matches!(read("kind = 'embedded'").unwrap(), EmbeddingSettings::Embedded));
        let EmbeddingSettings::Local(path) = read("kind = 'local'\npath = 'model'").unwrap() else { panic!() };
        assert_eq!(path, Path::new("there/model"));
        let text =
            "kind = 'served'\nbase_url = 'http://127.0.0.1:8095/v1'\nmodel = 'small'\nprice = 0.02\nbudget = 1.5";
        let EmbeddingSettings::Served(served) = read(text).unwrap() else { panic!() };
        assert_eq!(served.server.budget_micros, Some(1_500_000));
        assert_eq!(served.server.price(), Some(Price { input: 0.02, output: 0.0, batch: 1.0 }));
        assert_eq!(served.server.api_key_env, "CANDOR_EMBEDDING_KEY");
    }

    #[test]
    fn keys_of_another_kind_and_values_out_of_range_are_refused_by_name() {
        for (text, name) in [
            ("kind = 'guessed'", "guessed"),
            ("kind = 'local'", "path"),
            ("kind = 'embedded'\npath = 'x'", "path"),
            ("kind = 'local'\npath = 'x'\nmodel = 'm'", "model"),
            ("kind = 'served'", "model"),
            ("kind = 'served'\nmodel = 'm'\npath = 'x'", "path"),
            ("kind = 'served'\nmodel = 'm'\nprice = -1.0", "embedding.price"),
            ("kind = 'served'\nmodel = 'm'\nbudget = -1.0", "embedding.budget"),
            ("kind = 'served'\nmodel = 'm'\ntexts_per_request = 0", "embedding.texts_per_request"),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(name), "{text}: {error}");
        }
    }
}
