//! Asking the index. The one rule: the same posts and the same query give the same answer, byte for byte, however the
//! index came to be: scores are measured against live posts only, and equal ones are ordered by post id.

use std::ops::Bound;

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::json;
use tantivy::aggregation::agg_req::Aggregations;
use tantivy::aggregation::agg_result::{AggregationResult, AggregationResults, BucketResult};
use tantivy::aggregation::{AggContextParams, AggregationCollector, Key};
use tantivy::collector::sort_key::{NaturalComparator, SortByString};
use tantivy::collector::{Count, SegmentSortKeyComputer, SortKeyComputer, TopDocs};
use tantivy::query::{
    Bm25StatisticsProvider, BooleanQuery, ConstScoreQuery, Occur, QueryParser, RangeQuery, TermSetQuery,
};
use tantivy::schema::{Field, Value};
use tantivy::{DocAddress, DocId, Order, Score, Searcher, SegmentReader, TantivyDocument, Term};

use super::Index;
use super::language::{Meaning, understand};
use super::shown::{Segment, Snippets};
use super::statistics::Live;
use crate::model::{ActKind, Source};

/// What the words of a title weigh against those of the text: every post of a thread shares its title.
const TITLE_WEIGHT: Score = 0.5;

/// What is asked for. Empty filters filter nothing; several values of one filter are alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// In the query language; `*` for every post.
    pub text: String,
    /// Communities, without regard to case.
    pub community: Vec<String>,
    /// Acts found in the post.
    pub act: Vec<ActKind>,
    /// Thread id.
    pub thread: Option<String>,
    /// Where it was read.
    pub source: Option<Source>,
    /// Written on this day (UTC) or later. Leaves out posts without a date, as `until` does.
    pub since: Option<Date>,
    /// Written on this day (UTC) or earlier.
    pub until: Option<Date>,
    /// Most hits to return. 0 only counts.
    pub limit: usize,
    /// Hits to pass over first.
    pub offset: usize,
    /// Whether to count by community, act and month as well.
    pub facets: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            text: String::new(),
            community: Vec::new(),
            act: Vec::new(),
            thread: None,
            source: None,
            since: None,
            until: None,
            limit: 20,
            offset: 0,
            facets: false,
        }
    }
}

/// The answer, as `search --json` publishes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hits {
    /// Version of this shape.
    pub v: u8,
    /// Posts that match, counted, not estimated.
    pub total: usize,
    /// Those asked for, best first.
    pub hits: Vec<Hit>,
    /// Counts over all that match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facets: Option<Facets>,
    /// Hits passed over before these.
    #[serde(skip)]
    pub offset: usize,
}

/// A post that matches. What is not published is there for showing it to a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// Post id.
    pub post: String,
    /// Thread id.
    pub thread: String,
    /// Community name.
    pub community: String,
    /// When written, RFC 3339.
    pub written_at: Option<Timestamp>,
    /// Link.
    pub url: Option<String>,
    /// BM25, rounded to thousandths. Comparable only within one answer.
    pub score: Score,
    /// A slice of the post's text, in pieces.
    pub snippet: Vec<Segment>,
    /// Pseudonym.
    #[serde(skip)]
    pub author: Option<String>,
    /// Title of the thread, maybe empty.
    #[serde(skip)]
    pub title: String,
    /// Whether the post goes on before and after the snippet.
    #[serde(skip)]
    pub cut: [bool; 2],
}

/// Counts of the posts that match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facets {
    /// By community, most first.
    pub community: Vec<FacetCount>,
    /// By act, most first; a post with several acts counts for each.
    pub act: Vec<FacetCount>,
    /// By month (`2026-03`, UTC), in order; posts without a date are in none.
    pub month: Vec<FacetCount>,
}

/// A value and its posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FacetCount {
    /// The value.
    pub value: String,
    /// Posts that match and have it.
    pub count: u64,
}

impl Index {
    /// Answers `query` from the last published state of the index.
    ///
    /// # Errors
    /// A [`super::QueryError`] when the query cannot be understood (its message is for the person who typed it);
    /// otherwise when the index cannot be read.
    pub fn search(&self, query: &Query) -> Result<Hits> {
        let Meaning { query: wanted, shown } = understand(&query.text, &self.parser())?;
        self.reader.reload().context("could not read the search index; `candor index` mends it")?;
        let searcher = self.reader.searcher();
        let live = Live(&searcher);
        let mut clauses = vec![(Occur::Must, wanted)];
        for filter in self.filters(query)? {
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(filter, 0.0))));
        }
        let wanted = BooleanQuery::new(clauses);

        // The collector makes room for as many as it is asked for, so it is not asked for more than there are.
        let posts = usize::try_from(searcher.num_docs())?;
        let limit = query.limit.min(posts.saturating_sub(query.offset));
        let (total, best) = if limit == 0 {
            (searcher.search(&wanted, &Count)?, Vec::new())
        } else {
            let by_score = TopDocs::with_limit(limit)
                .and_offset(query.offset)
                .order_by((RoundedScore, (SortByString::for_field("id"), Order::Asc)));
            searcher.search_with_statistics_provider(&wanted, &(Count, by_score), &live)?
        };

        let text = self.fields.text;
        let snippets = Snippets::new(shown, text, |word| {
            Ok(1.0 / (1.0 + live.doc_freq(&Term::from_field_text(text, word))? as Score))
        })?;
        let hits = best
            .into_iter()
            .map(|((score, _), address)| self.hit(&searcher, &snippets, score, address))
            .collect::<Result<Vec<_>>>()?;
        let facets = if query.facets { Some(self.facets(&searcher, &wanted)?) } else { None };
        Ok(Hits { v: 1, total, hits, facets, offset: query.offset })
    }

    fn parser(&self) -> QueryParser {
        let mut parser = QueryParser::for_index(&self.index, vec![self.fields.title, self.fields.text]);
        parser.set_conjunction_by_default();
        parser.set_field_boost(self.fields.title, TITLE_WEIGHT);
        parser
    }

    fn filters(&self, query: &Query) -> Result<Vec<Box<dyn tantivy::query::Query>>> {
        let fields = &self.fields;
        let mut filters: Vec<Box<dyn tantivy::query::Query>> = Vec::new();
        let mut any_of = |field: Field, values: Vec<String>| {
            if !values.is_empty() {
                let terms = values.iter().map(|value| Term::from_field_text(field, value));
                filters.push(Box::new(TermSetQuery::new(terms)));
            }
        };
        any_of(fields.community, query.community.iter().map(|c| c.to_lowercase()).collect());
        any_of(fields.act, query.act.iter().map(|act| act.as_str().to_owned()).collect());
        any_of(fields.thread, query.thread.iter().cloned().collect());
        any_of(fields.source, query.source.iter().map(|source| source.as_str().to_owned()).collect());
        if query.since.is_some() || query.until.is_some() {
            let start = |days: i64| Term::from_field_i64(fields.written_at, days * 86_400_000);
            let from = query.since.map_or(Ok(i64::from(i32::MIN)), days_since_1970)?;
            let to = query.until.map(days_since_1970).transpose()?;
            let to = to.map_or(Bound::Unbounded, |day| Bound::Excluded(start(day + 1)));
            filters.push(Box::new(RangeQuery::new(Bound::Included(start(from)), to)));
        }
        Ok(filters)
    }

    fn hit(&self, searcher: &Searcher, snippets: &Snippets, score: Score, address: DocAddress) -> Result<Hit> {
        let document: TantivyDocument = searcher.doc(address).context("could not read a post from the search index")?;
        let get = |field: Field| document.get_first(field).and_then(|value| value.as_str().map(str::to_owned));
        let written_at = document.get_first(self.fields.written_at).and_then(|value| value.as_i64());
        let snippet = snippets.of(&get(self.fields.text).unwrap_or_default());
        Ok(Hit {
            post: get(self.fields.id).unwrap_or_default(),
            thread: get(self.fields.thread).unwrap_or_default(),
            community: get(self.fields.community).unwrap_or_default(),
            written_at: written_at.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
            url: get(self.fields.url),
            score,
            snippet: snippet.segments,
            author: get(self.fields.author),
            title: get(self.fields.title).unwrap_or_default(),
            cut: snippet.cut,
        })
    }

    fn facets(&self, searcher: &Searcher, wanted: &BooleanQuery) -> Result<Facets> {
        // More values than any workspace has: the counts are to be exact.
        let by = |field: &str| json!({ "terms": { "field": field, "size": 50_000 } });
        let request: Aggregations =
            serde_json::from_value(json!({ "community": by("community"), "act": by("act"), "month": by("month") }))?;
        let context = AggContextParams::new(Default::default(), self.index.tokenizers().clone());
        let counted = searcher
            .search(wanted, &AggregationCollector::from_aggs(request, context))
            .context("could not count by community, act and month")?;
        let mut facets = Facets {
            community: counts(&counted, "community"),
            act: counts(&counted, "act"),
            month: counts(&counted, "month"),
        };
        facets.month.sort_by(|a, b| a.value.cmp(&b.value));
        Ok(facets)
    }
}

fn days_since_1970(day: Date) -> Result<i64> {
    Ok(i64::from(Date::constant(1970, 1, 1).until(day)?.get_days()))
}

fn counts(counted: &AggregationResults, name: &str) -> Vec<FacetCount> {
    let Some(AggregationResult::BucketResult(BucketResult::Terms { buckets, .. })) = counted.0.get(name) else {
        return Vec::new();
    };
    let mut counts: Vec<FacetCount> = buckets
        .iter()
        .map(|bucket| {
            let value = match &bucket.key {
                Key::Str(value) => value.clone(),
                other => other.to_string(),
            };
            FacetCount { value, count: bucket.doc_count }
        })
        .collect();
    counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    counts
}

/// The score in thousandths. Segments may add up a score in another order, which shows in the last bits of a float; what
/// is equal but for that is to be equal.
struct RoundedScore;

impl SortKeyComputer for RoundedScore {
    type SortKey = Score;
    type Child = Self;
    type Comparator = NaturalComparator;

    fn requires_scoring(&self) -> bool {
        true
    }

    fn segment_sort_key_computer(&self, _: &SegmentReader) -> tantivy::Result<Self> {
        Ok(Self)
    }
}

impl SegmentSortKeyComputer for RoundedScore {
    type SortKey = Score;
    type SegmentSortKey = Score;
    type SegmentComparator = NaturalComparator;

    fn segment_sort_key(&mut self, _: DocId, score: Score) -> Score {
        (score * 1000.0).round() / 1000.0
    }

    fn convert_segment_sort_key(&self, score: Score) -> Score {
        score
    }
}
