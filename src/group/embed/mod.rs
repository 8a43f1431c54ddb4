//! Embeddings: texts as vectors by a sentence model, where one is chosen. Without one, `vectors` makes do with the
//! texts' own words.
//!
//! The one rule: a text is given to a model once. Its vector is kept in the store under the model and the text's hash, and
//! goes when the text does.

#[cfg(feature = "local-embeddings")]
mod local;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context as _, Result, bail};
use futures_util::StreamExt as _;
use half::f16;

use super::units::{Unit, head};
use crate::clock::Clock;
use crate::config::{EmbeddingSettings, ServedSettings};
use crate::llm::contacts::Contacts;
use crate::llm::{Bought, Embeddings, outgoing};
use crate::model::AccountId;
use crate::model::id::content_hash;
use crate::net::Timer;
use crate::progress::Progress;
use crate::store::{LlmCall, Side, Store};
use crate::text::redact::Names;

/// Most bytes of a text that a model sees. Sentence models are made for about 256 tokens and refuse more than 512.
const LONGEST: usize = 1_000;
/// Texts that a model in this process takes between two writes to the store.
#[cfg(feature = "local-embeddings")]
const CHUNK: usize = 256;

/// Who turns texts into vectors.
#[derive(Debug)]
pub enum Embedder {
    /// Nobody: texts are compared by their own words.
    Embedded,
    /// A sentence model in this process.
    #[cfg(feature = "local-embeddings")]
    Local(std::sync::Arc<local::Local>),
    /// A model behind a server.
    Served(Box<Served>),
}

/// A model behind a server, and what is masked before a text goes there.
pub struct Served {
    model: Embeddings,
    names: Names,
    texts_per_request: usize,
    concurrency: usize,
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Served").field("model", &self.model.name()).finish_non_exhaustive()
    }
}

impl Embedder {
    /// The one that `settings` choose. A model in a folder is read; to a server nothing is sent yet.
    ///
    /// # Errors
    /// When the folder holds no model that can be used, or the server's settings cannot be used.
    pub async fn new(settings: &EmbeddingSettings, store: Option<&Store>, clock: Clock) -> Result<Self> {
        match settings {
            EmbeddingSettings::Embedded => Ok(Self::Embedded),
            #[cfg(feature = "local-embeddings")]
            EmbeddingSettings::Local(path) => {
                let path = path.clone();
                let model = tokio::task::spawn_blocking(move || local::Local::load(&path)).await??;
                Ok(Self::Local(std::sync::Arc::new(model)))
            }
            #[cfg(not(feature = "local-embeddings"))]
            EmbeddingSettings::Local(_) => bail!(
                "this candor was built without sentence models; build it with `cargo install --path . --features \
                 local-embeddings`, or choose another kind in [embedding]"
            ),
            EmbeddingSettings::Served(served) => Self::served(served, store, clock, Timer::real()).await,
        }
    }

    async fn served(settings: &ServedSettings, store: Option<&Store>, clock: Clock, timer: Timer) -> Result<Self> {
        let server = &settings.server;
        Ok(Self::Served(Box::new(Served {
            model: Embeddings::new(settings, store, clock, timer).await?,
            names: Names::new(server.contact_names.iter().map(String::as_str)),
            texts_per_request: settings.texts_per_request,
            concurrency: server.concurrency,
        })))
    }

    /// Which model, exactly: part of what a grouping is made by.
    pub fn name(&self) -> String {
        match self {
            Self::Embedded => "embedded".to_owned(),
            #[cfg(feature = "local-embeddings")]
            Self::Local(local) => format!("local {}", local.name()),
            Self::Served(served) => format!("served {}", served.model.name()),
        }
    }

    /// Whether texts are sent to a server to be embedded.
    pub(super) fn is_served(&self) -> bool {
        matches!(self, Self::Served(_))
    }

    /// The vectors of all texts of `units` and of a codebook's `lines`: those the store has, and for the rest what the model
    /// says, which the store keeps. Vectors of other texts are dropped from the store. `None` when there is no model.
    ///
    /// # Errors
    /// When the model or the store cannot be used. What was embedded until then is kept.
    pub(super) async fn vectors(
        &self,
        store: Option<&Store>,
        units: &[Unit],
        lines: &[String],
        progress: Progress,
    ) -> Result<Option<Vectors>> {
        let embedded = matches!(self, Self::Embedded);
        let kept = match store {
            Some(store) => store.has_embeddings().await?,
            None => false,
        };
        if embedded && !kept {
            return Ok(None);
        }
        let texts = Texts::of(units, lines);
        if let Some(store) = store.filter(|_| kept) {
            store.drop_embeddings_but(&texts.0.keys().map(String::as_str).collect()).await?;
        }
        if embedded {
            return Ok(None);
        }
        let (name, mut vectors) = (self.name(), Vectors::default());
        if let Some(store) = store {
            let mut misfit = None;
            let take = |hash: String, bytes: &[u8]| {
                let vector = bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]])).collect::<Vec<_>>();
                if let Err(error) = vectors.put(hash, &vector) {
                    misfit = Some(error);
                }
            };
            store.embeddings(&name, take).await?;
            vectors.known = vectors.places.len() as u64;
            if let Some(error) = misfit {
                store.drop_embeddings_of(&name).await?;
                return Err(error.context("the kept vectors of texts cannot be used and were dropped; run again"));
            }
        }
        let missing = texts.0.iter().filter(|(hash, _)| !vectors.places.contains_key(*hash)).collect::<Vec<_>>();
        let bar = progress.bar("embedding", missing.len() as u64);
        match self {
            Self::Embedded => {}
            #[cfg(feature = "local-embeddings")]
            Self::Local(local) => {
                for chunk in missing.chunks(CHUNK) {
                    let asked = chunk.iter().map(|(_, t)| t.words.to_owned()).collect::<Vec<_>>();
                    let local = std::sync::Arc::clone(local);
                    let found = tokio::task::spawn_blocking(move || local.embed(&asked)).await??;
                    let hashes = chunk.iter().map(|(hash, _)| (*hash).clone()).collect();
                    vectors.keep(store, &name, hashes, found, None).await?;
                    bar.inc(chunk.len() as u64);
                }
            }
            Self::Served(served) => {
                let sent = served.masked(&missing, store).await?;
                let asked = sent.chunks(served.texts_per_request).map(|chunk| async move {
                    let words = chunk.iter().map(|(_, words)| words.clone()).collect::<Vec<_>>();
                    (chunk, served.model.embed(&words).await)
                });
                let mut answers = futures_util::stream::iter(asked).buffered(served.concurrency);
                while let Some((chunk, answer)) = answers.next().await {
                    let Bought { vectors: found, call } = answer.context(
                        "could not embed all texts; what was embedded is kept, and the next run goes on from there",
                    )?;
                    let hashes = chunk.iter().map(|(hash, _)| (*hash).to_owned()).collect();
                    vectors.keep(store, &name, hashes, found, Some(&call)).await?;
                    bar.inc(chunk.len() as u64);
                }
            }
        }
        bar.finish_and_clear();
        Ok(Some(vectors))
    }
}

impl Served {
    /// The texts as they go out, by hash; without those of which nothing is left.
    async fn masked<'a>(
        &self,
        texts: &[(&'a String, &Text<'_>)],
        store: Option<&Store>,
    ) -> Result<Vec<(&'a str, String)>> {
        let mut contacts = match store {
            Some(store) => Some(Contacts::new(store, &self.names).await?),
            None => None,
        };
        let mut sent = Vec::with_capacity(texts.len());
        for (hash, text) in texts {
            let accounts = text.accounts.iter().map(|&a| AccountId::new(a)).collect::<Vec<_>>();
            let words = match &mut contacts {
                Some(contacts) if !accounts.is_empty() => outgoing::masked(text.words, &contacts.of_each(&accounts)),
                _ => outgoing::masked(text.words, &[&self.names]),
            };
            if !words.is_empty() {
                sent.push((hash.as_str(), words));
            }
        }
        Ok(sent)
    }
}

/// Texts to be embedded, by hash.
struct Texts<'a>(BTreeMap<String, Text<'a>>);

struct Text<'a> {
    words: &'a str,
    /// The firms that it is about; their people's names are masked.
    accounts: BTreeSet<&'a str>,
}

impl<'a> Texts<'a> {
    /// All texts of `units`, and the `lines` of a codebook.
    fn of(units: &'a [Unit], lines: &'a [String]) -> Self {
        let mut texts = BTreeMap::<String, Text<'a>>::new();
        let mut add = |words: &'a str, account: Option<&'a str>| {
            let words = seen(words);
            if !words.trim().is_empty() {
                let text = Text { words, accounts: BTreeSet::new() };
                texts.entry(content_hash(&[words])).or_insert(text).accounts.extend(account);
            }
        };
        for unit in units {
            let account = (unit.side == Side::Crm).then_some(unit.who.as_str());
            // As they are compared, so that each is found again.
            unit.passage().parts().into_iter().for_each(|(words, _)| add(words, account));
        }
        lines.iter().for_each(|line| add(line, None));
        Self(texts)
    }
}

/// What a model sees of a text.
fn seen(words: &str) -> &str {
    head(words, LONGEST)
}

/// Vectors of length one, by their text.
///
/// In half precision, which changes a similarity by less than .001 and halves the memory of the largest table there is.
#[derive(Debug, Default)]
pub(super) struct Vectors {
    places: HashMap<String, u32>,
    numbers: Vec<f16>,
    width: usize,
    /// How many the store had.
    pub(super) known: u64,
    /// How many the model made.
    pub(super) made: u64,
}

impl Vectors {
    /// Those that `vector` makes of all texts of `units` and of a codebook's `lines`.
    ///
    /// # Errors
    /// When it makes vectors of several lengths.
    pub(super) fn by(vector: impl Fn(&str) -> Vec<f32>, units: &[Unit], lines: &[String]) -> Result<Self> {
        let mut made = Self::default();
        for (hash, text) in Texts::of(units, lines).0 {
            made.put(hash, &unit_length(&vector(text.words)))?;
        }
        Ok(made)
    }

    /// Numbers in a vector.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The vector of `text`; `None` where there was nothing to embed.
    pub(super) fn of(&self, text: &str) -> Option<impl Iterator<Item = f32>> {
        let place = *self.places.get(&content_hash(&[seen(text)]))? as usize * self.width;
        Some(self.numbers[place..place + self.width].iter().map(|x| x.to_f32()))
    }

    fn put(&mut self, hash: String, vector: &[f16]) -> Result<()> {
        if self.width == 0 {
            self.width = vector.len();
        }
        if vector.len() != self.width {
            bail!("vectors of {} numbers stand beside vectors of {}", self.width, vector.len());
        }
        let place = u32::try_from(self.places.len()).context("more texts than can be counted")?;
        self.numbers.extend_from_slice(vector);
        self.places.insert(hash, place);
        Ok(())
    }

    /// Takes new vectors in and writes them down.
    async fn keep(
        &mut self,
        store: Option<&Store>,
        model: &str,
        hashes: Vec<String>,
        found: Vec<Vec<f32>>,
        call: Option<&LlmCall>,
    ) -> Result<()> {
        let rows = hashes.into_iter().zip(found).map(|(hash, vector)| (hash, unit_length(&vector))).collect::<Vec<_>>();
        if let Some((_, other)) = rows.iter().find(|(_, v)| self.width > 0 && v.len() != self.width) {
            if let Some(store) = store {
                store.drop_embeddings_of(model).await?;
            }
            bail!(
                "{model} gave vectors of {} numbers and now of {}: another model stands behind the name. What it gave before \
                 was dropped; run again",
                self.width,
                other.len()
            );
        }
        if let Some(store) = store {
            let bytes = |vector: &[f16]| vector.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
            let rows = rows.iter().map(|(hash, vector)| (hash.clone(), bytes(vector))).collect::<Vec<_>>();
            store.keep_embeddings(model, &rows, call).await?;
        }
        for (hash, vector) in rows {
            self.put(hash, &vector)?;
            self.made += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
impl<'a> FromIterator<(&'a str, Vec<f32>)> for Vectors {
    fn from_iter<I: IntoIterator<Item = (&'a str, Vec<f32>)>>(vectors: I) -> Self {
        let mut made = Self::default();
        for (text, vector) in vectors {
            made.put(content_hash(&[seen(text)]), &unit_length(&vector)).unwrap();
        }
        made
    }
}

/// `vector` scaled to length one; one of length zero stays.
fn unit_length(vector: &[f32]) -> Vec<f16> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
    vector.iter().map(|x| f16::from_f32(x * scale)).collect()
}

#[cfg(test)]
mod tests;
