//! Stage 2: posts to something searchable.
//!
//! The index follows the store: it takes the changes after the revision it has reached, and publishes the words and the
//! new revision in one commit. The one rule: everything in it can be made again, so a run killed at any point goes on
//! from the last commit, and an index that cannot be trusted is made anew.

mod language;

mod render;

mod schema;

mod search;

mod shown;

mod statistics;

mod words;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::merge_policy::NoMergePolicy;
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, TantivyError, Term};

pub use language::QueryError;
pub use render::render;
pub use search::{FacetCount, Facets, Hit, Hits, Query};
pub use shown::Segment;

use crate::progress::Progress;
use crate::store::{IndexChange, Store};
use crate::summary::StageSummary;
use schema::Fields;

/// Memory of the writer, bytes. It has one thread, so that posts are numbered in the order of the store.
const WRITER_MEMORY: usize = 64 << 20;

/// Changes taken from the store at a time.
const PAGE: i64 = 1_000;

/// Changes after which the work so far is published.
const COMMIT_EVERY: usize = 25_000;

/// tantivy's own list of what the index holds.
const META: &str = "meta.json";

/// tantivy's own list of the files it may delete.
const MANAGED: &str = ".managed.json";

/// The full-text index of one workspace.
pub struct Index {
    index: tantivy::Index,
    reader: IndexReader,
    fields: Fields,
    /// Why the index that was there before is not this one.
    replaced: Option<String>,
}

/// What a commit says of itself.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    v: u8,
    /// Newest revision of the store that is in the index.
    revision: i64,
}

/// What following the store did.
#[derive(Debug, Default, PartialEq, Eq)]
struct Followed {
    put: u64,
    removed: u64,
}

/// Brings `index` up to date with `store`. Safe to repeat and to kill.
///
/// `done` counts posts put or taken out, `skipped` those that needed nothing. An index found damaged, or made from another
/// store, is made anew and the summary's `rebuilt` says why.
///
/// # Errors
/// When another process is writing the index, the disk is full, or the store cannot be read.
pub async fn run(store: &Store, index: &Index, progress: Progress) -> Result<StageSummary> {
    let began = Instant::now();
    let mut rebuilt = if index.position()? == 0 { index.replaced.clone() } else { None };
    if let Some(reason) = index.distrust(store).await? {
        index.empty()?;
        rebuilt = Some(reason);
    }
    let mut followed = index.follow(store, progress).await?;
    if !index.agrees(store).await? {
        // The store went back and forth, as when it was replaced by one with more revisions.
        index.empty()?;
        rebuilt = Some("it held other posts than the store".to_owned());
        followed = index.follow(store, progress).await?;
    }
    index.forget_deleted()?;
    let posts = index.posts();
    let mut summary =
        StageSummary::new("index", began, followed.put + followed.removed, posts.saturating_sub(followed.put), 0)
            .with("posts", posts)
            .with("put", followed.put)
            .with("removed", followed.removed);
    if let Some(reason) = rebuilt {
        tracing::warn!(reason, "the search index was made anew");
        summary = summary.with("rebuilt", reason);
    }
    Ok(summary)
}

impl Index {
    /// Opens the index in the folder `path`, creating it as needed. One that is damaged, or of an older shape, is replaced
    /// by an empty one that the next [`run`] fills.
    ///
    /// # Errors
    /// When the folder cannot be read or written, or holds something that is no search index.
    pub fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("could not create the folder {}", path.display()))?;
        let mut entries = fs::read_dir(path).with_context(|| format!("could not read {}", path.display()))?;
        if entries.next().is_none() {
            return Self::create(path);
        }
        match Self::open_existing(path) {
            Ok(index) => Ok(index),
            Err(error) => {
                let reason = format!("{error:#}");
                wipe(path)?;
                Ok(Self { replaced: Some(reason), ..Self::create(path)? })
            }
        }
    }

    fn create(path: &Path) -> Result<Self> {
        let directory = MmapDirectory::open(path)
            .with_context(|| format!("could not open the folder {} for the search index", path.display()))?;
        let (schema, fields) = schema::schema();
        let index = tantivy::Index::create(directory, schema, tantivy::IndexSettings::default())
            .with_context(|| format!("could not create the search index in {}", path.display()))?;
        Self::over(index, fields)
    }

    fn open_existing(path: &Path) -> Result<Self> {
        let index = tantivy::Index::open_in_dir(path).context("it could not be read")?;
        let (schema, fields) = schema::schema();
        if index.schema() != schema {
            bail!("it was made by another version of candor");
        }
        Self::over(index, fields)
    }

    fn over(index: tantivy::Index, fields: Fields) -> Result<Self> {
        words::register(index.tokenizers());
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .context("its segments could not be read")?;
        Ok(Self { index, reader, fields, replaced: None })
    }

    /// Whether [`run`] has something to do.
    ///
    /// # Errors
    /// When the store or the index cannot be read.
    pub async fn is_stale(&self, store: &Store) -> Result<bool> {
        Ok(self.position()? != store.revision().await? || !self.segments_with_deleted()?.is_empty())
    }

    /// Posts in the last published state.
    fn posts(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    fn position(&self) -> Result<i64> {
        let meta = self.index.load_metas().context("could not read the search index; `candor index` mends it")?;
        // A commit that does not say where it stands is followed from the start: putting a post again changes nothing.
        let position = meta.payload.and_then(|payload| serde_json::from_str::<Position>(&payload).ok());
        Ok(position.unwrap_or_default().revision)
    }

    /// Why the index must be made anew before it can follow the store.
    async fn distrust(&self, store: &Store) -> Result<Option<String>> {
        match self.index.validate_checksum() {
            Ok(damaged) => {
                if let Some(file) = damaged.iter().min() {
                    return Ok(Some(format!("its file {} was damaged", file.display())));
                }
            }
            Err(error) => return Ok(Some(format!("a file of it could not be read: {error}"))),
        }
        let ahead = self.position()? > store.revision().await?;
        Ok(ahead.then(|| "it was made from another store".to_owned()))
    }

    /// Whether the index holds as many posts as the store; true as well when the store has moved on meanwhile.
    async fn agrees(&self, store: &Store) -> Result<bool> {
        let [stored, ..] = store.post_totals().await?;
        let moved_on = store.revision().await? != self.position()?;
        Ok(moved_on || u64::try_from(stored)? == self.posts())
    }

    fn writer(&self) -> Result<IndexWriter> {
        self.index.writer_with_num_threads(1, WRITER_MEMORY).map_err(|error| match error {
            TantivyError::LockFailure(..) => {
                anyhow::anyhow!("another candor is writing the search index; run this again when it has ended")
            }
            other => anyhow::Error::new(other).context("could not open the search index for writing"),
        })
    }

    /// Takes every post out and starts from the beginning.
    fn empty(&self) -> Result<()> {
        let mut writer = self.writer()?;
        writer.delete_all_documents()?;
        commit(&mut writer, 0)?;
        writer.wait_merging_threads()?;
        self.reader.reload()?;
        Ok(())
    }

    async fn follow(&self, store: &Store, progress: Progress) -> Result<Followed> {
        let mut followed = Followed::default();
        let mut page = store.index_changes(self.position()?, PAGE).await?;
        if page.is_empty() {
            return Ok(followed);
        }
        let mut writer = self.writer()?;
        let bar = progress.counter("index");
        let mut uncommitted = 0;
        while let Some(revision) = page.last().map(|(revision, _)| *revision) {
            self.put(&writer, &page, &mut followed)?;
            bar.inc(page.len() as u64);
            uncommitted += page.len();
            page = store.index_changes(revision, PAGE).await?;
            if page.is_empty() || uncommitted >= COMMIT_EVERY {
                commit(&mut writer, revision)?;
                uncommitted = 0;
            }
        }
        writer.wait_merging_threads().context("could not finish writing the search index")?;
        self.reader.reload().context("could not read the search index that was just written")?;
        Ok(followed)
    }

    fn put(&self, writer: &IndexWriter, page: &[(i64, IndexChange)], followed: &mut Followed) -> Result<()> {
        for (_, change) in page {
            let id = match change {
                IndexChange::Put(post) => &post.id,
                IndexChange::Remove(id) => id,
            };
            writer.delete_term(Term::from_field_text(self.fields.id, id));
            match change {
                IndexChange::Put(post) => {
                    writer
                        .add_document(schema::document(&self.fields, post))
                        .with_context(|| format!("could not index the post {id}"))?;
                    followed.put += 1;
                }
                IndexChange::Remove(_) => followed.removed += 1,
            }
        }
        Ok(())
    }

    fn segments_with_deleted(&self) -> Result<Vec<tantivy::index::SegmentId>> {
        let segments = self.index.searchable_segment_metas().context("could not read the search index")?;
        Ok(segments.iter().filter(|segment| segment.has_deletes()).map(|segment| segment.id()).collect())
    }

    /// Rewrites the segments that hold deleted posts. tantivy only marks a post as deleted and keeps its words on disk;
    /// what is deleted at the source is to be gone.
    fn forget_deleted(&self) -> Result<()> {
        let segments = self.segments_with_deleted()?;
        if segments.is_empty() {
            return Ok(());
        }
        let mut writer = self.writer()?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        writer.merge(&segments).wait().context("could not rewrite the search index without its deleted posts")?;
        // Files stay as long as a reader has them open.
        self.reader.reload()?;
        writer.garbage_collect_files().wait().context("could not delete old files of the search index")?;
        writer.wait_merging_threads()?;
        Ok(())
    }
}

/// Publishes what was written together with the revision it reaches to.
fn commit(writer: &mut IndexWriter, revision: i64) -> Result<()> {
    let payload = serde_json::to_string(&Position { v: 1, revision })?;
    let mut prepared = writer.prepare_commit().context("could not write the search index; is the disk full?")?;
    prepared.set_payload(&payload);
    prepared.commit().context("could not publish the search index; is the disk full?")?;
    Ok(())
}

/// Whether a folder holds nothing but what tantivy puts down before its first list, when it was killed making an index.
fn is_unfinished(path: &Path) -> Result<bool> {
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(".tmp") && !name.starts_with(".tantivy") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Empties the folder of an index. tantivy's lists go last, so that a folder half emptied is still known for an index.
fn wipe(path: &Path) -> Result<()> {
    let lists = [MANAGED, META];
    if !lists.iter().any(|list| path.join(list).exists()) && !is_unfinished(path)? {
        bail!("{} is no search index; move it away, and candor makes one there", path.display());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && !lists.iter().any(|list| entry.file_name() == *list) {
            fs::remove_file(entry.path()).with_context(|| format!("could not delete {}", entry.path().display()))?;
        }
    }
    for list in lists {
        let file = path.join(list);
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("could not delete {}", file.display()))?;
        }
    }
    Ok(())
}
