//! What a run works with, built once: settings, clock, store, key.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use rand::TryRng as _;
use rand::rngs::SysRng;

use crate::clock::Clock;
use crate::collect::{Context, Zone};
use crate::config::{LlmSettings, ReaderKind, Settings};
use crate::extract::cascade::Cascade;
use crate::index::Index;
use crate::llm::Model;
use crate::llm::contacts::Contacts;
use crate::model::Recipes;
use crate::net::Net;
use crate::progress::Progress;
use crate::store::Store;
use crate::text::redact::Names;
use crate::{crm, extract, group};

/// What an interrupted run says where answers outlive it.
const KEPT: &str = "interrupted; what was read and what was paid for is kept, and the next run goes on from here";

/// An open workspace with everything a stage may ask for.
#[derive(Debug)]
pub struct App {
    /// What was asked for.
    pub settings: Settings,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Bars or silence.
    pub progress: Progress,
    /// The workspace's store.
    pub store: Store,
    /// Who reads posts and notes.
    pub readers: Readers,
    author_key: [u8; 32],
}

impl App {
    /// Opens the workspace of `settings`, making it on first use.
    ///
    /// # Errors
    /// When the folder cannot be made or written, or holds a store this version cannot read.
    pub async fn open(settings: Settings, clock: Clock, progress: Progress) -> Result<Self> {
        let (store, author_key) = open_workspace(&settings.workspace).await?;
        let readers = Readers::new(&settings, Some(store.clone()), clock, author_key).await?;
        Ok(Self { settings, clock, progress, store, readers, author_key })
    }

    /// The index of the workspace.
    pub fn index(&self) -> Result<Index> {
        Index::open(&self.settings.workspace.join("index"))
    }

    /// The door to the web.
    pub fn net(&self) -> Result<Net> {
        Net::new(&self.settings.net, self.settings.reddit.as_ref())
    }

    /// What parsers need to know; `community` overrides what the input says.
    pub fn collect_context(&self, community: Option<String>, zone: Zone) -> Context {
        Context { author_key: self.author_key, now: self.clock.now(), community, zone }
    }

    /// What the readers' results are kept under.
    pub fn recipes(&self) -> Recipes {
        match &self.readers {
            Readers::Embedded => Recipes { post: extract::embedded::recipe(), note: crm::embedded::recipe() },
            Readers::Llm(llm) => Recipes { post: llm.post.recipe(), note: llm.note.recipe() },
        }
    }

    /// Where the report goes.
    pub fn report_dir(&self) -> PathBuf {
        self.settings.workspace.join("report")
    }
}

/// The store and the author key of `workspace`, made on first use.
async fn open_workspace(workspace: &Path) -> Result<(Store, [u8; 32])> {
    fs::create_dir_all(workspace).with_context(|| format!("could not make the workspace {}", workspace.display()))?;
    let author_key = author_key(&workspace.join("author.key"))?;
    Ok((Store::open(&workspace.join("candor.db")).await?, author_key))
}

/// Where a verb that needs no workspace keeps a model's answers.
#[derive(Debug)]
pub struct Keeping {
    /// The workspace's store.
    pub store: Store,
    /// Its author key.
    pub author_key: [u8; 32],
    _alone: Option<fs::File>,
}

impl Keeping {
    /// In the workspace that is there, or that was `named`. None is made that nobody named. What `asks` nobody, or a tape, keeps
    /// nothing there: it only finds out, where there is a workspace, what is masked and fenced in it.
    ///
    /// # Errors
    /// When the workspace cannot be opened, or as [`alone`].
    pub async fn open(settings: &Settings, named: bool, asks: bool) -> Result<Option<Self>> {
        let buys = asks && buys(settings);
        let exists = settings.workspace.join("candor.db").exists();
        if settings.reader != ReaderKind::Llm || !(exists || named && buys) {
            return Ok(None);
        }
        let alone = if buys { alone(settings)? } else { None };
        let (store, author_key) = open_workspace(&settings.workspace).await?;
        Ok(Some(Self { store, author_key, _alone: alone }))
    }
}

/// Whether a model's server may be asked.
fn buys(settings: &Settings) -> bool {
    settings.reader == ReaderKind::Llm && settings.llm.as_ref().is_some_and(|llm| llm.replay.is_none())
}

/// Keeps other runs of the workspace from reading with a model for as long as the file lives, or the process: two would buy the
/// same answers and know nothing of each other's spending. `None` where no server is asked.
///
/// # Errors
/// When another run is reading, or the workspace cannot be written.
pub fn alone(settings: &Settings) -> Result<Option<fs::File>> {
    if !buys(settings) {
        return Ok(None);
    }
    let workspace = &settings.workspace;
    let file = fs::create_dir_all(workspace).and_then(|()| fs::File::create(workspace.join("reading.lock")));
    let file = file.with_context(|| format!("could not write to the workspace {}", workspace.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            bail!("another run of the workspace {} is reading with a model; wait for it", workspace.display())
        }
        // There are file systems without locks.
        Err(fs::TryLockError::Error(error)) => {
            tracing::warn!(%error, "could not lock the workspace; see that no other run reads with a model");
        }
    }
    Ok(Some(file))
}

/// Who reads posts and notes, chosen once.
#[derive(Debug)]
pub enum Readers {
    /// The readers in this program.
    Embedded,
    /// A language model.
    Llm(Box<LlmReaders>),
}

/// A language model and what it reads with.
pub struct LlmReaders {
    /// The door to it.
    pub model: Arc<Model>,
    post: extract::llm::Reader,
    /// Reads notes; whom the CRM knows at a note's firm is masked by who asks.
    pub note: crm::llm::Reader,
    /// Names problems, and says what belongs to them.
    pub sorter: group::by_model::Sorter,
    /// Which posts are worth a call.
    pub cascade: Cascade,
    names: Names,
    store: Option<Store>,
    /// Whether answers outlive the run.
    keeps: bool,
}

impl Readers {
    /// The readers that `settings` ask for. With a store, answers are kept there. `secret` makes the fences around untrusted
    /// text unguessable. Nothing is sent yet.
    ///
    /// # Errors
    /// When the model's settings cannot be used, or a tape cannot be read.
    pub async fn new(settings: &Settings, store: Option<Store>, clock: Clock, secret: [u8; 32]) -> Result<Self> {
        match (settings.reader, &settings.llm) {
            (ReaderKind::Llm, Some(llm)) => Ok(Self::Llm(Box::new(LlmReaders::new(llm, store, clock, secret).await?))),
            _ => Ok(Self::Embedded),
        }
    }

    /// The model's readers, when a model reads.
    pub fn llm(&self) -> Option<&LlmReaders> {
        match self {
            Self::Embedded => None,
            Self::Llm(llm) => Some(llm),
        }
    }
}

impl LlmReaders {
    /// Reads posts. One may name whom the CRM knows: masked there too, and joined to nobody.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn post(&self) -> Result<extract::llm::Reader> {
        Ok(self.post.masking(self.everybody().await?))
    }

    /// Reads notes whose firms nobody tells, as [`Self::post`] reads posts.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn lone_note(&self) -> Result<crm::llm::Reader> {
        Ok(self.note.masking(self.everybody().await?))
    }

    /// Whom to mask in a text about no firm that is known.
    async fn everybody(&self) -> Result<Names> {
        Ok(match &self.store {
            Some(store) => Contacts::new(store, &self.names).await?.everybody(),
            None => self.names.clone(),
        })
    }

    /// Does `work`, then waits for what was asked and writes it down. After the first Ctrl-C nothing more is asked, what is
    /// under way is waited for, and the work may put away what it got; the second one ends the waiting.
    ///
    /// # Errors
    /// Those of `work`; when it was interrupted; when the tape cannot be written.
    pub async fn settled<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut work = std::pin::pin!(work);
        let ended = tokio::select! {
            ended = &mut work => ended,
            _ = tokio::signal::ctrl_c() => {
                self.model.stop("interrupted");
                let ended = tokio::select! {
                    biased;
                    ended = &mut work => ended.ok(),
                    () = self.last_answers() => None,
                    _ = tokio::signal::ctrl_c() => None,
                };
                ended.ok_or_else(|| anyhow!(if self.keeps { KEPT } else { "interrupted" }))
            }
        };
        let settled = tokio::select! {
            settled = self.model.settle() => settled,
            _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted while waiting for the last answers")),
        };
        ended.and_then(|value| settled.map(|()| value)).map_err(|error| self.or_not_kept(error))
    }

    /// Waits until what was asked is answered, and a little more for what the work makes of it.
    async fn last_answers(&self) {
        // Should it fail, it fails again when the run ends.
        let _ = self.model.settle().await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }

    /// `error`, and how to lose nothing another time where what was paid for is lost.
    fn or_not_kept(&self, error: anyhow::Error) -> anyhow::Error {
        if self.keeps || self.model.usage().calls == 0 {
            return error;
        }
        error.context(
            "what was paid for is not kept; with a workspace (--workspace DIR) or a tape (--record FILE) the next run goes on \
             from where one ended",
        )
    }

    async fn new(llm: &LlmSettings, store: Option<Store>, clock: Clock, secret: [u8; 32]) -> Result<Self> {
        let keeps = store.is_some() || llm.record.is_some();
        let mut model = match &llm.replay {
            Some(tape) => Model::replay(tape)?,
            None => Model::new(llm, store.clone(), clock).await?,
        };
        if let Some(tape) = &llm.record {
            model = model.recording(tape)?;
        }
        let model = Arc::new(model);
        let names = Names::new(llm.contact_names.iter().map(String::as_str));
        Ok(Self {
            post: extract::llm::Reader::new(Arc::clone(&model), llm.into(), names.clone(), secret),
            note: crm::llm::Reader::new(Arc::clone(&model), llm.into(), names.clone(), secret),
            sorter: group::by_model::Sorter::new(Arc::clone(&model), names.clone(), secret, llm.assign_problems),
            cascade: Cascade { pass_on: llm.pass_on, audit: llm.audit },
            names,
            store,
            keeps,
            model,
        })
    }
}

impl std::fmt::Debug for LlmReaders {
    /// Without the fences' secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LlmReaders").field("model", &self.model).field("cascade", &self.cascade).finish_non_exhaustive()
    }
}

/// The key of the workspace's pseudonyms, made on first use. Losing it means that the next collection gives every author a
/// new pseudonym, so it lies beside the store and is readable by its owner alone.
fn author_key(path: &Path) -> Result<[u8; 32]> {
    if let Ok(text) = fs::read_to_string(path) {
        let Some(key) = parse_key(text.trim()) else {
            bail!(
                "the author key {} is damaged; restore it from a backup, or delete the workspace and collect again",
                path.display()
            );
        };
        return Ok(key);
    }
    let mut key = [0; 32];
    SysRng.try_fill_bytes(&mut key).context("the system gave no random bytes for the author key")?;
    let hex = key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    // Written aside and renamed: a killed first run leaves a whole key or none.
    let draft = path.with_extension("key.new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| writeln!(file, "{hex}"));
    written
        .and_then(|()| fs::rename(&draft, path))
        .with_context(|| format!("could not write the author key {}", path.display()))?;
    Ok(key)
}

fn parse_key(hex: &str) -> Option<[u8; 32]> {
    let bytes = hex.as_bytes();
    if bytes.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(bytes.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("author.key");
        let first = author_key(&path).unwrap();
        assert_ne!(first, [0; 32]);
        assert_eq!(first, author_key(&path).unwrap());
    }

    #[tokio::test]
    async fn a_workspace_is_used_where_it_is_there_or_named_and_is_not_made_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::load(None, Some(dir.path().join("w"))).unwrap();
        let keeping = async |settings: &Settings, named| Keeping::open(settings, named, true).await.unwrap();
        assert!(keeping(&settings, true).await.is_none(), "the embedded reader buys nothing");
        settings.reader = ReaderKind::Llm;
        settings.llm = Some(LlmSettings::new("http://x/v1", "m"));
        assert!(keeping(&settings, false).await.is_none());
        let dry = async |settings: &Settings| Keeping::open(settings, true, false).await.unwrap();
        assert!(dry(&settings).await.is_none());
        assert!(!settings.workspace.exists());
        let named = keeping(&settings, true).await.unwrap();
        let second = format!("{:#}", Keeping::open(&settings, false, true).await.unwrap_err());
        assert!(second.contains("another run"), "{second}");
        let key = named.author_key;
        assert_eq!(dry(&settings).await.unwrap().author_key, key, "a dry run sees the fences, and disturbs nobody");
        let mut replayed = settings.clone();
        replayed.llm.as_mut().unwrap().replay = Some("tape".into());
        assert!(
            keeping(&replayed, false).await.is_some(),
            "a tape answers what was asked with the workspace's names masked"
        );
        drop(named);
        let there = keeping(&settings, false).await.unwrap();
        assert_eq!(key, there.author_key, "the same fences, so that the same questions are asked");
    }

    #[test]
    fn a_damaged_key_is_refused_rather_than_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("author.key");
        fs::write(&path, "12ab").unwrap();
        let error = author_key(&path).unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    }
}
