//! What a score is measured against. tantivy counts deleted posts until their segment is rewritten, so its scores depend
//! on how the index came to be; these count only what is there, so the same posts give the same scores.

use std::io;

use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, Searcher, Term};

/// Statistics over the live posts of a searcher.
pub(super) struct Live<'a>(pub(super) &'a Searcher);

impl Bm25StatisticsProvider for Live<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        let mut tokens = 0;
        for segment in self.0.segment_readers() {
            tokens += match segment.fieldnorms_readers().get_field(field)? {
                Some(lengths) => segment.doc_ids_alive().map(|doc| u64::from(lengths.fieldnorm(doc))).sum(),
                None => u64::from(segment.num_docs()),
            };
        }
        Ok(tokens)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.0.num_docs())
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let count = |segment: &tantivy::SegmentReader| -> io::Result<u32> {
            let inverted = segment.inverted_index(term.field()).map_err(io::Error::other)?;
            let Some(alive) = segment.alive_bitset() else { return inverted.doc_freq(term) };
            let postings = inverted.read_postings(term, IndexRecordOption::Basic)?;
            Ok(postings.map_or(0, |mut postings| postings.count(alive)))
        };
        let mut posts = 0;
        for segment in self.0.segment_readers() {
            posts += u64::from(count(segment)?);
        }
        Ok(posts)
    }
}
