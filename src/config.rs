//! What was asked for. Flags, environment and `candor.toml` are merged into [`Settings`] once; nothing else reads them.

mod embedding;

mod llm;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde::Deserialize;

use crate::model::Scope;
use crate::model::id::content_hash;

use embedding::EmbeddingFile;
pub use embedding::{EmbeddingSettings, ServedSettings};
use llm::LlmFile;
pub use llm::{LlmSettings, Price, Protocol, ReaderKind};

/// Everything a run depends on, apart from its input.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folder that holds the store, the index, the author key and the reports.
    pub workspace: PathBuf,
    /// What `candor run` collects: paths and addresses.
    pub collect: Vec<String>,
    /// The zone of dates that name none, in posts and in CRM exports.
    pub tz: TimeZone,
    /// What `candor run` imports: CRM exports.
    pub crm: Vec<PathBuf>,
    /// Column map for CRM exports.
    pub crm_map: Option<PathBuf>,
    /// Column map for tables of posts.
    pub collect_map: Option<PathBuf>,
    /// A codebook frozen by hand; without one, problems are found by clustering.
    pub codebook: Option<PathBuf>,
    /// Hand labels.
    pub labels: Option<PathBuf>,
    /// Title of the report.
    pub title: Option<String>,
    /// The comparison's window and thresholds.
    pub compare: CompareSettings,
    /// The door to the web.
    pub net: NetSettings,
    /// Credentials for Reddit's API.
    pub reddit: Option<RedditCredentials>,
    /// Who reads posts and notes.
    pub reader: ReaderKind,
    /// The language model, when one is configured; always there when it is the reader.
    pub llm: Option<LlmSettings>,
    /// Who turns texts into vectors, for grouping.
    pub embedding: EmbeddingSettings,
}

/// Window, seed, grades, scope and size of the labelled sample.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareSettings {
    /// First day of the window; overrides `window_days`.
    pub since: Option<Date>,
    /// Last day of the window; default: the last day that both sides cover.
    pub until: Option<Date>,
    /// Length of the window in days (METHOD 3.11: 180).
    pub window_days: i64,
    /// Seed of everything random.
    pub seed: u64,
    /// People, and as many accounts, to draw for hand labels (METHOD 4.4: at least 60).
    pub sample_per_side: usize,
    /// Where a part of the gap is called moderate, and where large.
    pub grades: Grades,
    /// Which people could be buyers.
    pub scope: Scope,
}

/// From where on a part of the gap is called moderate and large (METHOD 3.8): two cut-offs in 0..=1, the smaller first.
///
/// Conventions, to be set before the data is seen. The defaults: two mixes that are alike but for a tenth of one of them, of
/// which the other never speaks, diverge by .05, with more than a quarter by .15; one in five accounts with nothing behind
/// the claim is where the rate may first be a finding, and at one in two the claim says no more than a coin; forecasts that
/// are 5 points off move no plan, and 15 points off are of no use for one.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grades {
    /// Of the Jensen-Shannon divergence.
    pub coverage: [f64; 2],
    /// Of the unbacked-optimism rate.
    pub commitment: [f64; 2],
    /// Of calibration-in-the-large, either way.
    pub calibration: [f64; 2],
}

/// How politely to read the web.
#[derive(Debug, Clone)]
pub struct NetSettings {
    /// Sent with every request; says who we are.
    pub user_agent: String,
    /// Requests a minute to a host that has no setting of its own.
    pub requests_per_minute: u32,
    /// Per-host settings, by host name (with port when not the default one).
    pub hosts: BTreeMap<String, HostSettings>,
    /// Largest body accepted, bytes after decompression.
    pub max_body_bytes: u64,
    /// All waiting for retries of one request together, seconds.
    pub retry_budget_secs: u64,
    /// One attempt's time limit, seconds.
    pub timeout_secs: u64,
}

/// Settings of one host.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSettings {
    /// Requests a minute.
    pub requests_per_minute: Option<u32>,
    /// Allow this host although its address is private or loopback.
    #[serde(default)]
    pub allow_private: bool,
}

/// App-only OAuth credentials.
#[derive(Debug, Clone)]
pub struct RedditCredentials {
    /// Client id.
    pub client_id: String,
    /// Client secret; empty for installed apps.
    pub client_secret: SecretString,
    /// Where tokens come from; another one only in tests.
    pub token_url: String,
    /// API base; another one only in tests.
    pub api_url: String,
}

impl Default for NetSettings {
    fn default() -> Self {
        Self {
            user_agent: concat!("candor/", env!("CARGO_PKG_VERSION"), " (community research; honours robots.txt)")
                .to_owned(),
            requests_per_minute: 60,
            hosts: BTreeMap::new(),
            max_body_bytes: 32 << 20,
            retry_budget_secs: 300,
            timeout_secs: 60,
        }
    }
}

impl Default for CompareSettings {
    fn default() -> Self {
        Self {
            since: None,
            until: None,
            window_days: 180,
            seed: 20_260_101,
            sample_per_side: 80,
            grades: Grades::default(),
            scope: Scope::default(),
        }
    }
}

impl Default for Grades {
    fn default() -> Self {
        Self { coverage: [0.05, 0.15], commitment: [0.20, 0.50], calibration: [0.05, 0.15] }
    }
}

impl Grades {
    /// The cut-offs by the name of what they are for, as in `candor.toml`.
    pub fn named(&self) -> [(&'static str, [f64; 2]); 3] {
        [("coverage", self.coverage), ("commitment", self.commitment), ("calibration", self.calibration)]
    }
}

impl CompareSettings {
    /// Hash of everything here that can change a number.
    pub fn hash(&self) -> String {
        let mut parts = vec![
            format!("{:?}", self.since),
            format!("{:?}", self.until),
            self.window_days.to_string(),
            self.seed.to_string(),
            format!("{:?}", self.grades.named()),
        ];
        // Where nobody said who could be a buyer, the hash is the one of versions that did not ask.
        parts.extend((!self.scope.is_empty()).then(|| format!("{:?}", self.scope)));
        content_hash(&parts.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// `candor.toml`, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    workspace: Option<PathBuf>,
    title: Option<String>,
    collect: Vec<String>,
    tz: Option<String>,
    crm: Vec<PathBuf>,
    crm_map: Option<PathBuf>,
    collect_map: Option<PathBuf>,
    codebook: Option<PathBuf>,
    labels: Option<PathBuf>,
    compare: CompareFile,
    net: NetFile,
    reddit: Option<RedditFile>,
    reader: ReaderKind,
    llm: Option<LlmFile>,
    embedding: Option<EmbeddingFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CompareFile {
    since: Option<String>,
    until: Option<String>,
    window_days: Option<i64>,
    seed: Option<u64>,
    sample_per_side: Option<usize>,
    grades: Grades,
    scope: Scope,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NetFile {
    user_agent: Option<String>,
    requests_per_minute: Option<u32>,
    max_body_mb: Option<u64>,
    retry_budget_secs: Option<u64>,
    timeout_secs: Option<u64>,
    hosts: BTreeMap<String, HostSettings>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RedditFile {
    client_id: String,
    /// Name of the environment variable that holds the secret; the secret itself never stands in the file.
    #[serde(default = "default_secret_env")]
    client_secret_env: String,
    token_url: Option<String>,
    api_url: Option<String>,
}

fn default_secret_env() -> String {
    "CANDOR_REDDIT_SECRET".to_owned()
}

/// A commented `candor.toml` with every option at its default; `candor init` writes it, and a test parses it.
pub const TEMPLATE: &str = include_str!("config/candor.toml");

impl Settings {
    /// Settings from `config` (or `candor.toml` in the current folder, when there is one), with `workspace` overriding.
    /// Paths in the file are relative to the file.
    ///
    /// # Errors
    /// When the file cannot be read or holds an unknown key or a value out of range.
    pub fn load(config: Option<&Path>, workspace: Option<PathBuf>) -> Result<Self> {
        let default = Path::new("candor.toml");
        let path = config.or_else(|| default.exists().then_some(default));
        let (file, base) = match path {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("could not read the configuration {}", path.display()))?;
                let file = toml::from_str::<File>(&text).with_context(|| format!("in {}", path.display()))?;
                (file, path.parent().unwrap_or(Path::new("")).to_owned())
            }
            None => (File::default(), PathBuf::new()),
        };
        Self::merge(file, &base, workspace)
    }

    fn merge(file: File, base: &Path, workspace: Option<PathBuf>) -> Result<Self> {
        let defaults = CompareSettings::default();
        let compare = CompareSettings {
            since: file.compare.since.as_deref().map(date).transpose()?,
            until: file.compare.until.as_deref().map(date).transpose()?,
            window_days: file.compare.window_days.unwrap_or(defaults.window_days),
            seed: file.compare.seed.unwrap_or(defaults.seed),
            sample_per_side: file.compare.sample_per_side.unwrap_or(defaults.sample_per_side),
            grades: file.compare.grades,
            scope: scope(file.compare.scope)?,
        };
        if compare.window_days < 1 {
            bail!("compare.window_days must be at least 1, not {}", compare.window_days);
        }
        for (name, [moderate, large]) in compare.grades.named() {
            if !(0.0 <= moderate && moderate < large && large <= 1.0) {
                bail!(
                    "compare.grades.{name} must be two numbers from 0 to 1, the smaller first, not [{moderate}, {large}]"
                );
            }
        }
        let net_defaults = NetSettings::default();
        let net = NetSettings {
            user_agent: file.net.user_agent.unwrap_or(net_defaults.user_agent),
            requests_per_minute: file.net.requests_per_minute.unwrap_or(net_defaults.requests_per_minute).max(1),
            hosts: file.net.hosts,
            max_body_bytes: file.net.max_body_mb.map_or(net_defaults.max_body_bytes, |mb| mb << 20),
            retry_budget_secs: file.net.retry_budget_secs.unwrap_or(net_defaults.retry_budget_secs),
            timeout_secs: file.net.timeout_secs.unwrap_or(net_defaults.timeout_secs).max(1),
        };
        let reddit = file.reddit.map(|r| RedditCredentials {
            client_id: r.client_id,
            client_secret: SecretString::from(std::env::var(&r.client_secret_env).unwrap_or_default()),
            token_url: r.token_url.unwrap_or_else(|| "https://www.reddit.com/api/v1/access_token".to_owned()),
            api_url: r.api_url.unwrap_or_else(|| "https://oauth.reddit.com".to_owned()),
        });
        let llm = file.llm.map(LlmSettings::merge).transpose()?;
        if file.reader == ReaderKind::Llm && llm.is_none() {
            bail!("reader = \"llm\" needs a section [llm] that names a model");
        }
        let embedding = file.embedding.map(|e| EmbeddingSettings::merge(e, base)).transpose()?.unwrap_or_default();
        let collect = file
            .collect
            .into_iter()
            .map(|item| {
                if item.contains("://") || item.starts_with("r/") {
                    item
                } else {
                    base.join(item).display().to_string()
                }
            })
            .collect();
        Ok(Self {
            workspace: workspace
                .or(file.workspace.map(|w| base.join(w)))
                .unwrap_or_else(|| PathBuf::from("candor-workspace")),
            collect,
            tz: file.tz.as_deref().map_or(Ok(TimeZone::UTC), zone)?,
            crm: file.crm.into_iter().map(|p| base.join(p)).collect(),
            crm_map: file.crm_map.map(|p| base.join(p)),
            collect_map: file.collect_map.map(|p| base.join(p)),
            codebook: file.codebook.map(|p| base.join(p)),
            labels: file.labels.map(|p| base.join(p)),
            title: file.title,
            compare,
            net,
            reddit,
            reader: file.reader,
            llm,
            embedding,
        })
    }
}

/// The scope without what is said twice, in order, so that the same scope has one hash.
fn scope(Scope { communities, roles }: Scope) -> Result<Scope> {
    let [communities, roles] = [("communities", communities), ("roles", roles)].map(|(list, names)| {
        let names = names.iter().map(|name| name.trim().to_owned()).collect::<BTreeSet<_>>();
        if names.iter().any(|name| !name.contains(char::is_alphanumeric)) {
            bail!("compare.scope.{list} holds a name without a letter; take it out");
        }
        Ok(names.into_iter().collect())
    });
    Ok(Scope { communities: communities?, roles: roles? })
}

fn zone(name: &str) -> Result<TimeZone> {
    TimeZone::get(name).with_context(|| format!("there is no time zone {name:?}; name one as in Europe/Berlin or UTC"))
}

fn date(text: &str) -> Result<Date> {
    text.parse::<Date>().with_context(|| format!("{text:?} is no date; write it as 2026-06-30"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_parses_and_states_the_defaults() {
        let file: File = toml::from_str(TEMPLATE).expect("the template is valid");
        let from_template = Settings::merge(file, Path::new(""), None).expect("the template is in range");
        let built_in = Settings::merge(File::default(), Path::new(""), None).expect("defaults are in range");
        assert_eq!(format!("{from_template:?}"), format!("{built_in:?}"));
    }

    #[test]
    fn grades_are_part_of_the_hash_and_in_order() {
        let settings = |toml: &str| Settings::merge(toml::from_str(toml).unwrap(), Path::new(""), None);
        let other = settings("[compare.grades]\ncoverage = [0.1, 0.2]").unwrap().compare;
        assert_eq!(other.grades, Grades { coverage: [0.1, 0.2], ..Grades::default() });
        assert_ne!(other.hash(), CompareSettings::default().hash());
        for wrong in ["[0.2, 0.1]", "[0.1, 0.1]", "[-0.1, 0.2]", "[0.1, 1.2]", "[nan, 0.5]"] {
            let error = settings(&format!("[compare.grades]\ncommitment = {wrong}")).unwrap_err();
            assert!(error.to_string().contains("compare.grades.commitment"), "{error}");
        }
    }

    #[test]
    fn a_scope_is_part_of_the_hash_and_its_order_is_not() {
        let settings = |toml: &str| Settings::merge(toml::from_str(toml).unwrap(), Path::new(""), None);
        let compare = |toml: &str| settings(toml).unwrap().compare;
        let one = compare("[compare.scope]\ncommunities = [\"r/b\", \"r/a\"]\nroles = [\"owner\"]");
        let other = compare("[compare.scope]\ncommunities = [\"r/a\", \" r/b\", \"r/b\"]\nroles = [\"owner\"]");
        assert_eq!((&one, one.hash()), (&other, other.hash()));
        assert_ne!(one.hash(), compare("[compare.scope]\ncommunities = [\"r/a\", \"r/b\"]").hash());
        assert_eq!(compare("[compare.scope]").hash(), CompareSettings::default().hash());
        let error = settings("[compare.scope]\nroles = [\" \"]").unwrap_err();
        assert!(error.to_string().contains("compare.scope.roles"), "{error}");
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(toml::from_str::<File>("colect = []").is_err());
        assert!(toml::from_str::<File>("[compare.scope]\ncommunity = []").is_err());
    }
}
