//! What the index holds of a post. The one rule: everything here can be made again from the store, so an index of another
//! shape is thrown away, never converted.

use jiff::tz::TimeZone;
use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};

use super::words::{NAMES, WORDS};
use crate::store::IndexPost;

/// The fields. Names that the query language knows are the ones users write: `community:`, `act:`, …
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// Post id; deletes go by it, equal scores are ordered by it.
    pub(super) id: Field,
    /// Thread id.
    pub(super) thread: Field,
    /// Title of the thread, stemmed.
    pub(super) title: Field,
    /// The post's text, stemmed, with positions, and whole for snippets.
    pub(super) text: Field,
    /// Searched without regard to case, shown as people write it.
    pub(super) community: Field,
    /// Source name.
    pub(super) source: Field,
    /// Pseudonym.
    pub(super) author: Field,
    /// Names of acts, none or several.
    pub(super) act: Field,
    /// Milliseconds since 1970 UTC, as in the store: the index's own date type would wrap on dates that posts do claim.
    pub(super) written_at: Field,
    /// `2026-03`, UTC, to count by.
    pub(super) month: Field,
    /// Link.
    pub(super) url: Field,
}

/// The schema and its fields. It names the analyzers, so one that cuts words in another way is another schema.
pub(super) fn schema() -> (Schema, Fields) {
    let words = TextOptions::default().set_stored().set_indexing_options(
        TextFieldIndexing::default().set_tokenizer(WORDS).set_index_option(IndexRecordOption::WithFreqsAndPositions),
    );
    let names = TextOptions::default().set_stored().set_fast("raw").set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(NAMES)
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false),
    );
    let mut builder = Schema::builder();
    let fields = Fields {
        id: builder.add_text_field("id", STRING | STORED | FAST),
        thread: builder.add_text_field("thread", STRING | STORED),
        title: builder.add_text_field("title", words.clone()),
        text: builder.add_text_field("text", words),
        community: builder.add_text_field("community", names),
        source: builder.add_text_field("source", STRING),
        author: builder.add_text_field("author", STRING | STORED),
        act: builder.add_text_field("act", STRING | FAST),
        written_at: builder.add_i64_field("written_at", INDEXED | STORED | FAST),
        month: builder.add_text_field("month", TextOptions::default().set_fast("raw")),
        url: builder.add_text_field("url", STORED),
    };
    (builder.build(), fields)
}

/// A post as the index holds it.
pub(super) fn document(fields: &Fields, post: &IndexPost) -> TantivyDocument {
    let mut document = TantivyDocument::default();
    document.add_text(fields.id, &post.id);
    document.add_text(fields.thread, &post.thread);
    document.add_text(fields.title, &post.title);
    document.add_text(fields.text, &post.text);
    document.add_text(fields.community, &post.community);
    document.add_text(fields.source, &post.source);
    for act in &post.acts {
        document.add_text(fields.act, act);
    }
    if let Some(author) = &post.author {
        document.add_text(fields.author, author);
    }
    if let Some(url) = &post.url {
        document.add_text(fields.url, url);
    }
    if let Some(written_at) = post.written_at {
        document.add_i64(fields.written_at, written_at.as_millisecond());
        document.add_text(fields.month, written_at.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string());
    }
    document
}
