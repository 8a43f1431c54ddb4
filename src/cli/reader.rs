//! Which reader: the same few flags for every verb that reads, over what `candor.toml` says.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::config::{LlmSettings, Protocol, ReaderKind, Settings};

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reader")]
pub(super) struct ReaderArgs {
    /// Who reads [default: as candor.toml says, else embedded].
    #[arg(long, value_enum, global = true, hide_short_help = true)]
    pub(super) reader: Option<ReaderKind>,
    /// The model, as its server calls it.
    #[arg(long, global = true, hide_short_help = true, env = "CANDOR_LLM_MODEL", value_name = "NAME")]
    model: Option<String>,
    /// Address of an OpenAI-compatible server, up to and including /v1.
    #[arg(long, global = true, hide_short_help = true, env = "CANDOR_LLM_URL", value_name = "URL")]
    base_url: Option<String>,
    /// How the model names words: by sentence number, or by quoting.
    #[arg(long, value_enum, global = true, hide_short_help = true)]
    protocol: Option<Protocol>,
    /// Most money that this workspace may ever spend on the model.
    #[arg(long, global = true, hide_short_help = true, value_name = "MONEY")]
    budget: Option<f64>,
    /// Most tokens that this workspace may ever use.
    #[arg(long, global = true, hide_short_help = true, value_name = "N")]
    budget_tokens: Option<u64>,
    /// Record the model's answers here, to be replayed later.
    #[arg(long, global = true, hide_short_help = true, value_name = "TAPE")]
    record: Option<PathBuf>,
    /// Answer from this tape instead of asking the model.
    #[arg(long, global = true, hide_short_help = true, value_name = "TAPE", conflicts_with = "record")]
    replay: Option<PathBuf>,
}

impl ReaderArgs {
    /// Lays the flags over `settings`.
    ///
    /// # Errors
    /// When a model is to read and none is named.
    pub(super) fn apply(&self, settings: &mut Settings) -> Result<()> {
        if let Some(reader) = self.reader {
            settings.reader = reader;
        }
        if settings.reader == ReaderKind::Embedded {
            return Ok(());
        }
        if settings.llm.is_none() {
            let Some(model) = &self.model else {
                bail!("name the model that is to read: --model, or a section [llm] in candor.toml");
            };
            settings.llm = Some(LlmSettings::new(self.base_url.as_deref().unwrap_or(LlmSettings::OPENAI), model));
        }
        let Some(llm) = &mut settings.llm else { return Ok(()) };
        if let Some(model) = &self.model {
            llm.model.clone_from(model);
        }
        if let Some(url) = &self.base_url {
            llm.base_url.clone_from(url);
        }
        if let Some(protocol) = self.protocol {
            llm.protocol = protocol;
        }
        if let Some(money) = self.budget {
            llm.set_budget(money)?;
        }
        if self.budget_tokens.is_some() {
            llm.budget_tokens = self.budget_tokens;
        }
        if self.record.is_some() {
            llm.record.clone_from(&self.record);
        }
        if self.replay.is_some() {
            llm.replay.clone_from(&self.replay);
        }
        Ok(())
    }
}
