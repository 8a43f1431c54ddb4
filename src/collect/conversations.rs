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
use jiff::Timestamp;
use serde::Serialize;

use super::disentangle::{Message, Stream, WEIGHTS};
use crate::model::id::content_hash;
use crate::model::{Source, Thread, ThreadId};
use crate::progress::Progress;
use crate::store::{Move, Store, StreamPost};

/// Sources with channels.
const CHATS: [Source; 4] = [Source::Slack, Source::Discord, Source::Telegram, Source::Mattermost];

/// Messages that are held at once.
const BATCH: i64 = 1000;

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
    let mut walk = store.walk_stream(&stream.id).await?;
    cut.streams += 1;
    loop {
        let posts = walk.next(BATCH).await?;
        if posts.is_empty() {
            return walk.end().await;
        }
        let mut moves: Vec<Move> = Vec::new();
        // Where the messages of the batch go, which is not written yet.
        let mut placed: HashMap<String, String> = HashMap::new();
        for post in posts {
            let met = post.parent.as_ref().and_then(|parent| placed.get(parent));
            let replies_in = met.map(String::as_str).or_else(|| older_conversation(stream, &post));
            let id = conversation_id(stream, &post.id);
            let message = Message {
                id: &id,
                author: post.author.as_deref(),
                at: post.at as f64 / 1000.0,
                text: &post.text,
                mentions: &post.mentions,
            };
            let conversation = cutting.place(&message, replies_in).conversation;
            cut.conversations += u64::from(conversation == id);
            if conversation != post.thread {
                cut.moved += 1;
                moves.push(Move { post: post.id.clone(), to: thread_of(stream, &conversation, &post) });
            }
            placed.insert(post.id, conversation);
        }
        walk.move_posts(&moves).await?;
    }
}

/// The conversation that a post's parent stood in when the batch was read; `None` when that is not before the post in this stream.
fn older_conversation<'a>(stream: &Thread, post: &'a StreamPost) -> Option<&'a str> {
    let (parent, (thread, at)) = (post.parent.as_deref()?, post.parent_place.as_ref()?);
    let cut_here = thread.strip_prefix(stream.id.as_str()).is_some_and(|rest| rest.starts_with('~'));
    (cut_here && (*at, parent) < (post.at, post.id.as_str())).then_some(thread)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AuthorKey, Post, PostFlags, PostId};
    use crate::store::Batch;

    fn stream(id: &str, source: Source, title: &str) -> Thread {
        let community = "Pumps".to_owned();
        Thread { id: ThreadId::new(id), source, community, title: title.to_owned(), url: None, started_at: None }
    }

    fn post(n: i64, seconds: i64, author: &str, text: &str, parent: Option<i64>) -> Post {
        Post {
            id: PostId::new(format!("slack:C1:{n}")),
            thread: ThreadId::new("slack:C1"),
            parent: parent.map(|n| PostId::new(format!("slack:C1:{n}"))),
            source: Source::Slack,
            community: "Pumps".to_owned(),
            author: Some(AuthorKey::pseudonym(&[1; 32], "slack", author)),
            written_at: Some(Timestamp::from_second(seconds).unwrap()),
            edited_at: None,
            url: None,
            text: text.to_owned(),
            flags: PostFlags::default(),
        }
    }

    fn posts() -> Vec<Post> {
        vec![
            post(1, 0, "ann", "Hello, does anyone know why my pump leaks?", None),
            post(2, 30, "bob", "thanks all, back tomorrow", None),
            post(3, 90_000, "cid", "Hello, does anyone have the manual of the old boiler?", None),
            post(4, 90_060, "dot", "It was the seal", Some(1)),
            post(5, 90_070, "dot", "@user the boiler manual lies on the shelf", None),
        ]
    }

    async fn write(store: &Store, title: &str, posts: Vec<Post>) {
        let threads = vec![stream("slack:C1", Source::Slack, title)];
        store.write_batch(&Batch { threads, posts, ..Batch::default() }).await.unwrap();
    }

    async fn threads_of(store: &Store) -> Vec<String> {
        store.export_posts("", 100).await.unwrap().into_iter().map(|post| post.thread).collect()
    }

    async fn cut(store: &Store) -> Cut {
        cut_streams(store, Progress::new(true)).await.unwrap()
    }

    #[tokio::test]
    async fn a_stream_is_cut_once_and_the_same_whatever_the_order_of_arrival() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("whole.sqlite")).await.unwrap();
        write(&store, "help", posts()).await;
        assert_eq!(cut(&store).await.streams, 1);
        let whole = threads_of(&store).await;
        assert_eq!([&whole[0], &whole[2], &whole[3]], ["slack:C1~1", "slack:C1~3", "slack:C1~1"]);
        // Again: nothing to do, also after the same export is read once more.
        let revision = store.revision().await.unwrap();
        assert_eq!(cut(&store).await, Cut::default());
        write(&store, "help", posts()).await;
        assert_eq!((cut(&store).await, store.revision().await.unwrap()), (Cut::default(), revision));
        // The later half first.
        let other = Store::open(&folder.path().join("halves.sqlite")).await.unwrap();
        for half in [posts().split_off(2), posts()] {
            write(&other, "help", half).await;
            cut(&other).await;
        }
        assert_eq!(threads_of(&other).await, whole);
        let rows = |threads: Vec<crate::store::ThreadRow>| {
            threads.into_iter().map(|t| (t.id, t.title, t.posts)).collect::<Vec<_>>()
        };
        assert_eq!(rows(other.threads().await.unwrap()), rows(store.threads().await.unwrap()));
    }

    #[tokio::test]
    async fn who_is_spoken_to_decides_where_a_message_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
        let posts = vec![
            post(1, 0, "ann", "Hello, does anyone know why my pump leaks?", None),
            post(2, 90_000, "bob", "Hello, does anyone have the manual of the old boiler?", None),
            post(3, 90_030, "cid", "@user still there?", None),
        ];
        let people = vec![posts[0].author.clone().unwrap()];
        let mentions = vec![(posts[2].id.clone(), people.clone()), (PostId::new("slack:C1:9"), people)];
        let threads = vec![stream("slack:C1", Source::Slack, "help")];
        store.write_batch(&Batch { threads, posts, mentions, ..Batch::default() }).await.unwrap();
        cut(&store).await;
        assert_eq!(threads_of(&store).await, ["slack:C1~1", "slack:C1~2", "slack:C1~1"]);
    }

    #[tokio::test]
    async fn a_new_name_of_the_channel_is_its_conversations_too() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
        write(&store, "help", posts()).await;
        cut(&store).await;
        let (threads, revision) = (threads_of(&store).await, store.revision().await.unwrap());
        write(&store, "support", posts()).await;
        cut(&store).await;
        assert_eq!(threads_of(&store).await, threads);
        assert!(store.threads().await.unwrap().iter().all(|thread| thread.title == "support"));
        assert!(store.revision().await.unwrap() > revision, "the index learns the name");
    }

    #[test]
    fn threads_that_people_opened_are_no_streams() {
        for (id, source, title, want) in [
            ("slack:C1", Source::Slack, "help", true),
            ("slack:C1:1700000000.000100", Source::Slack, "help", false),
            ("discord:100000000000000001", Source::Discord, "help", true),
            ("discord:100000000000000002", Source::Discord, "help / a leak", false),
        ] {
            assert_eq!(is_stream(&stream(id, source, title)), want, "{id}");
        }
        let of = |id, source, post| conversation_id(&stream(id, source, ""), post);
        assert_eq!(of("slack:C1", Source::Slack, "slack:C1:17.1"), "slack:C1~17.1");
        assert_eq!(of("discord:7", Source::Discord, "discord:9"), "discord:7~9");
    }
}
