//! The end of a collection: channels' streams are cut into conversations.
//!
//! *What.* A thread of a chat that is a whole channel is its stream; the messages in it go to conversations called
//! `STREAM~FIRST`, by the id of the message that began them. Threads that people opened themselves stay as they are, and so do
//! messages without a date. [`crate::model::Post::parent`] is left alone: it holds what the source says, and a link that the
//! model guessed is only used to put messages together.
//!
//! *What it does to the counts.* Everything that counts threads (METHOD 3.9: ten threads for a share, no thread with more than
//! a fifth of the people; METHOD 3.3: threads as clusters of the interval) counts conversations of such a channel, not the
//! channel. Uncut, a channel of any size is one cluster, and nothing said in it can ever be a finding. Cut, clusters are as
//! good as the cut (`eval/README.md`): where it parts what belongs together, clusters look more independent than they are and
//! intervals come out somewhat too narrow.
//!
//! *Again.* The cut is a function of the stored messages of a stream alone. A message that arrives later than all others
//! changes no earlier one; one that arrives in between, or is deleted, may move those after it. A stream that did not change
//! is left alone, and a run that was killed half-way is repeated to the same end.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use serde::Serialize;

use super::disentangle::{Message, Stream, WEIGHTS};
use crate::model::id::content_hash;
use crate::model::{Source, Thread, ThreadId};
use crate::progress::Progress;
use crate::store::{Move, Store, StreamPost};

/// Sources with channels.
const CHATS: [Source; 4] = [Source::Slack, Source::Discord, Source::Telegram, Source::Mattermost];

/// Moves that are written at once.
const BATCH: usize = 1000;

/// What the cutting did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// Streams that had changed and were cut.
    pub streams: u64,
    /// Their conversations.
    pub conversations: u64,
    /// Messages that stand in another conversation than before.
    pub moved: u64,
}

/// Cuts every stream of the store that has changed since it was last cut, or was cut by other weights.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn cut_streams(store: &Store, progress: Progress) -> Result<Cut> {
    let streams: Vec<Thread> = store.uncut_threads(&CHATS).await?.into_iter().filter(is_stream).collect();
    let bar = progress.bar("conversations", streams.len() as u64);
    let model = content_hash(&[&format!("{WEIGHTS:?}")]);
    let mut cut = Cut::default();
    for stream in &streams {
        let note = |(posts, newest): (i64, i64)| format!("{model} {posts} {newest}");
        let state = store.stream_state(&stream.id).await?;
        let known = store.stream_note(&stream.id).await?.is_some_and(|known| known == note(state));
        let unchanged = (known || state.0 == 0) && !store.is_called_otherwise(stream).await?;
        if !unchanged {
            let told = || format!("could not cut the channel {} into conversations", stream.id);
            cut_stream(store, stream, &mut cut).await.with_context(told)?;
            store.settle_conversations(stream).await?;
            store.note_stream(&stream.id, &note(store.stream_state(&stream.id).await?)).await?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(cut)
}

/// Whether a thread of a chat is a whole channel. Threads in one are called by channel and opening message, `slack:C:TS`; on
/// Discord, where both are called by a number alone, by `channel / thread` in the title.
fn is_stream(thread: &Thread) -> bool {
    let whole = thread.id.as_str().split(':').count() == 2;
    whole && (thread.source != Source::Discord || !thread.title.contains(" / "))
}

async fn cut_stream(store: &Store, stream: &Thread, cut: &mut Cut) -> Result<()> {
    let mut cutting = Stream::default();
    let mut moves: Vec<Move> = Vec::new();
    // Where the messages of the batch stand; older ones are looked up, for what was moved has been written.
    let mut recent: HashMap<String, String> = HashMap::new();
    let mut posts = store.stream_posts(&stream.id);
    cut.streams += 1;
    while let Some(post) = posts.try_next().await? {
        let replies_in = match &post.parent {
            None => None,
            Some(parent) => match recent.get(parent) {
                Some(conversation) => Some(conversation.clone()),
                None => older_conversation(store, stream, parent, &post).await?,
            },
        };
        let id = conversation_id(stream, &post.id);
        let message = Message {
            id: &id,
            author: post.author.as_deref(),
            at: post.at as f64 / 1000.0,
            text: &post.text,
            mentions: &[],
        };
        let conversation = cutting.place(&message, replies_in.as_deref()).conversation;
        cut.conversations += u64::from(conversation == id);
        if conversation != post.thread {
            cut.moved += 1;
            moves.push(Move { post: post.id.clone(), to: thread_of(stream, &conversation, &post) });
        }
        recent.insert(post.id, conversation);
        if recent.len() >= BATCH {
            store.move_posts(&moves).await?;
            moves.clear();
            recent.clear();
        }
    }
    store.move_posts(&moves).await
}

/// The conversation of a message before the batch; `None` when it is not before `post` in this stream.
async fn older_conversation(
    store: &Store,
    stream: &Thread,
    parent: &str,
    post: &StreamPost,
) -> Result<Option<String>> {
    let Some((thread, at)) = store.post_place(parent).await? else { return Ok(None) };
    let cut_here = thread.strip_prefix(stream.id.as_str()).is_some_and(|rest| rest.starts_with('~'));
    Ok(Some(thread).filter(|_| cut_here && (at, parent) < (post.at, post.id.as_str())))
}

/// `STREAM~FIRST`, where `FIRST` is the message's id without what it shares with the stream's.
fn conversation_id(stream: &Thread, post: &str) -> String {
    let stream_id = stream.id.as_str();
    let own = post.strip_prefix(stream_id).and_then(|rest| rest.strip_prefix(':'));
    let own = own.or_else(|| post.strip_prefix(stream.source.as_str())?.strip_prefix(':')).unwrap_or(post);
    format!("{stream_id}~{own}")
}

/// The conversation as a thread. The first message of one is the first that is moved to it, for all before it stood
/// elsewhere; where it stands already, the row does too.
fn thread_of(stream: &Thread, conversation: &str, post: &StreamPost) -> Thread {
    Thread {
        id: ThreadId::new(conversation),
        url: post.url.clone().or_else(|| stream.url.clone()),
        started_at: Timestamp::from_millisecond(post.at).ok(),
        ..stream.clone()
    }
}
