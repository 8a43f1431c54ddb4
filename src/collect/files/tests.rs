use std::collections::BTreeMap;
use std::fs;
use std::io::Write;

use proptest::prelude::*;

use std::path::Path;

use super::*;
use crate::collect::Zone;
use crate::store::BatchCounts;

pub(super) fn context() -> Context {
    Context {
        author_key: [7; 32],
        now: "2026-08-01T00:00:00Z".parse().unwrap(),
        community: None,
        zone: Zone::default(),
    }
}

pub(super) fn read_text(format: &dyn Format, text: &str, path: &str) -> Vec<Result<Record, BadRecord>> {
    let (place, context) = (Place::on_disk(Path::new(path)), context());
    format.read(Box::new(text.as_bytes()), &place, &context).map(|record| record.map(Record::unnamed)).collect()
}

pub(super) fn reasons(found: &[Result<Record, BadRecord>]) -> Vec<&str> {
    let reason = |found| match found {
        &Ok(Record::Skipped { reason, .. } | Record::Absent { reason, .. }) => Some(reason),
        Err(BadRecord { reason, .. }) => Some(reason.as_str()),
        Ok(_) => None,
    };
    found.iter().filter_map(reason).collect()
}

/// A folder of files and a store beside it.
struct World {
    folder: tempfile::TempDir,
    store: Store,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
        Self { folder, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("in").join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    async fn collect(&self) -> Collected {
        let path = self.folder.path().join("in");
        let collected = collect_paths(&self.store, &context(), &[path], Progress::new(true)).await.unwrap();
        let BatchCounts { new, known, updated, .. } = collected.counts;
        let accounted = new + known + updated + collected.skipped.values().sum::<u64>() + collected.failed;
        assert_eq!(accounted, collected.seen, "{collected:?}");
        collected
    }

    /// Recorded failures as `unit: reason`.
    async fn failures(&self) -> Vec<String> {
        let failures = self.store.failures().await.unwrap();
        failures.into_iter().map(|f| format!("{}: {}", f.unit, f.reason)).collect()
    }

    async fn texts(&self) -> Vec<String> {
        self.store.export_posts("", 1000).await.unwrap().into_iter().map(|p| p.text).collect()
    }
}

fn line(id: &str, text: &str) -> String {
    format!("{{\"id\":\"{id}\",\"text\":\"{text}\"}}\n")
}

#[tokio::test]
async fn what_was_mended_in_a_file_is_no_failure_any_more() {
    let world = World::new().await;
    for (text, failures) in [(line("1", "a") + "no JSON", 1), ("\0".to_owned(), 1), (line("1", "a"), 0)] {
        world.write("a.jsonl", text);
        world.collect().await;
        assert_eq!(world.failures().await.len(), failures, "{:?}", world.failures().await);
    }
}

#[tokio::test]
async fn broken_bytes_in_a_table_are_told_once() {
    let world = World::new().await;
    let mut rows = b"id,author,date,text\n".to_vec();
    for n in 0..3000 {
        rows.extend(format!("{n},sam,2026-03-01,Größe läuft rückwärts\n").bytes());
    }
    let middle = rows.len() / 2;
    let cut = middle + rows[middle..].iter().position(|b| *b == b'k').unwrap();
    rows[cut] = 0xff;
    world.write("yard.csv", rows);
    let collected = world.collect().await;
    assert_eq!((collected.counts.new, collected.failed), (3000, 0), "{:?}", world.failures().await);
    assert_eq!(collected.notices.iter().filter(|n| n.contains('\u{fffd}')).count(), 1);
    assert!(world.texts().await.iter().filter(|t| *t == "Größe läuft rückwärts").count() >= 999);
}

/// Exported as a table under a name that does not tell the server, and as text that does.
#[tokio::test]
async fn a_file_that_does_not_name_its_server_moves_nothing() {
    let world = World::new().await;
    let rule = "=".repeat(62);
    let table = "AuthorID,Author,Date,Content,Attachments,Reactions\n7,sam,01/03/2026 10:00,it drips,,\n8,kim,01/03/2026 10:01,here too,,\n";
    let text = format!(
        "{rule}\nGuild: Yard\nChannel: Text / repair\n{rule}\n\n[01/03/2026 10:00] sam\nit drips\n\n[01/03/2026 10:01] kim\nhere too\n\n\n{rule}\nExported 2 message(s)\n{rule}\n"
    );
    world.write("repair.csv", table);
    assert_eq!(world.collect().await.counts.new, 2);
    world.write("repair.txt", text);
    let told = world.collect().await.counts;
    assert_eq!((told.new, told.updated), (0, 2), "now the server is known");
    crate::collect::conversations::cut_streams(&world.store, Progress::new(true)).await.unwrap();
    for _ in 0..2 {
        let again = world.collect().await.counts;
        assert_eq!((again.new, again.updated), (0, 0));
    }
    let posts = world.store.export_posts("", 10).await.unwrap();
    assert!(posts.iter().all(|p| p.community == "Yard"), "{posts:?}");
}

#[tokio::test]
async fn a_message_that_one_export_gives_an_id_and_another_does_not_stands_once() {
    let message = |id: &str, second: u8, text: &str| {
        format!(
            r#"{{"id":"14488986978772623{id}","type":"Default","timestamp":"2026-03-01T10:00:{second}+00:00","content":"{text}","author":{{"id":"7","name":"sam"}}}}"#
        )
    };
    let messages = [message("87", 10, "it drips"), message("88", 11, "lol"), message("89", 12, "lol")].join(",");
    let json = format!(
        r#"{{"guild":{{"id":"11","name":"Yard"}},"channel":{{"id":"123456789012345678","type":"GuildTextChat","name":"repair"}},"messages":[{messages}],"messageCount":3}}"#
    );
    let table = "AuthorID,Author,Date,Content,Attachments,Reactions\n7,sam,01/03/2026 10:00,it drips,,\n7,sam,01/03/2026 10:00,lol,,\n7,sam,01/03/2026 10:00,lol,,\n7,sam,01/03/2026 10:00,lol,,\n7,sam,01/03/2026 10:01,it drips,,\n";
    for (channel, posts) in [("123456789012345678", 5), ("223456789012345678", 8)] {
        let table = (format!("Yard - Text - repair [{channel}].csv"), table.to_owned());
        let json = ("repair.json".to_owned(), json.clone());
        for files in [[&json, &table], [&table, &json]] {
            let world = World::new().await;
            let mut dropped = 0;
            for (name, text) in files {
                world.write(name, text);
                world.collect().await;
                dropped += world.store.drop_twins().await.unwrap();
            }
            let again = world.collect().await.counts;
            assert_eq!((again.new, again.updated, world.store.drop_twins().await.unwrap()), (0, 0, 0));
            let texts = world.texts().await;
            assert_eq!((texts.len(), dropped), (posts, 8 - posts as u64), "{texts:?}");
        }
    }
}

#[tokio::test]
async fn a_folder_of_all_formats_is_read_once_however_often() {
    let world = World::new().await;
    world.write("a/vans.jsonl", line("1", "one") + &line("2", "two"));
    let reddit = "{\"id\":\"a\",\"subreddit\":\"x\",\"title\":\"T\",\"selftext\":\"body\"}\n{\"id\":\"b\",\"subreddit\":\"x\",\"link_id\":\"t3_a\",\"body\":\"reply\"}\n{\"id\":\"c\",\"subreddit\":\"x\",\"link_id\":\"t3_a\",\"body\":\"[deleted]\"}\n";
    world.write("dump.zst", zstd::encode_all(reddit.as_bytes(), 1).unwrap());
    world.write(
        "page.json",
        r#"{"kind":"Listing","data":{"children":[{"kind":"t3","data":{"id":"d","title":"D","subreddit":"x"}}]}}"#,
    );
    world.write("chat.json", r#"{"guild":{"name":"G","id":"1"},"channel":{"id":"2","name":"c"},"messages":[{"id":"3","content":"hi"}],"messageCount":1}"#);
    world.write(
        "forum/7.json",
        r#"{"post_stream":{"posts":[{"id":70,"topic_id":7,"cooked":"<p>hey</p>"}]},"id":7,"title":"Seven"}"#,
    );
    world.write(".hidden/x.jsonl", line("9", "never"));
    for name in ["candor.db", "author.key", "x.jsonl"] {
        world.write(&format!("workspace/{name}"), line("9", "never"));
    }
    let first = world.collect().await;
    assert_eq!((first.read, first.refused, first.seen, first.counts.new, first.failed), (5, 0, 8, 7, 0));
    assert_eq!(first.skipped, BTreeMap::from([("deleted at the source".to_owned(), 1)]));
    assert_eq!(first.threads, 5);
    assert_eq!(world.texts().await.len(), 7);
    let titles: Vec<_> = world.store.threads().await.unwrap().into_iter().map(|t| t.title).collect();
    assert_eq!(titles, ["c", "Seven", "", "T", "D"]);

    let again = world.collect().await;
    assert_eq!((again.seen, again.counts.new, again.counts.updated, again.counts.known), (8, 0, 0, 7));
    let json = serde_json::to_value(again.summary(std::time::Instant::now())).unwrap();
    assert_eq!(json["posts"]["known"], 7);
    assert_eq!((&json["done"], &json["skipped"], &json["failed"]), (&0.into(), &8.into(), &0.into()));
    assert_eq!(json["skipped_why"]["deleted at the source"], 1);
    assert_eq!(json["files"]["read"], 5);
}

#[tokio::test]
async fn overlapping_exports_merge() {
    let world = World::new().await;
    let export = |messages: &str| {
        format!(r#"{{"guild":{{"name":"G","id":"1"}},"channel":{{"id":"2","name":"c"}},"messages":[{messages}]}}"#)
    };
    let (a, b, c) = (r#"{"id":"1","content":"a"}"#, r#"{"id":"2","content":"b"}"#, r#"{"id":"3","content":"c"}"#);
    world.write("c [2].json", export(&format!("{a},{b}")));
    world.write("c [2] [part 2].json", export(&format!("{b},{c}")));
    let collected = world.collect().await;
    assert_eq!((collected.seen, collected.counts.new, collected.counts.known), (4, 3, 1));
    assert_eq!(collected.threads, 1);
}

#[tokio::test]
async fn broken_files_are_refused_by_name() {
    let world = World::new().await;
    world.write("empty.json", "");
    world.write("blank.jsonl", " \n\n");
    world.write("readme.md", "# Hello\n");
    world.write("page.html", "<!doctype html><p>x</p>");
    world.write("packed.zip", b"PK\x03\x04rest");
    world.write("bomb.zst", b"PK\x03\x04rest");
    world.write("packed.gz", b"\x1f\x8brest");
    world.write("zeros.jsonl", [0; 5000]);
    world.write("good.jsonl", line("1", "kept"));
    let collected = world.collect().await;
    assert_eq!((collected.read, collected.refused, collected.failed, collected.counts.new), (1, 8, 0, 1));
    let failures = world.failures().await.join("\n");
    for words in [
        "in/empty.json: empty file",
        "in/blank.jsonl: holds nothing but white space",
        "in/readme.md: none of the formats known; `candor formats` lists",
        "in/page.html: a page of HTML",
        "in/packed.zip: a zip archive that could not be read",
        "in/bomb.zst: a zip archive that could not be read",
        "in/packed.gz: could not be unpacked",
        "in/zeros.jsonl: binary",
    ] {
        assert!(failures.contains(words), "no {words:?} in\n{failures}");
    }
}

#[tokio::test]
async fn a_broken_line_costs_only_itself() {
    let world = World::new().await;
    let mut bytes = line("1", "kept").into_bytes();
    bytes.extend(b"{\"id\":\"2\",\"text\":\"caf\xe9\"}\n");
    bytes.extend(b"{\"id\":\"3\",\"text\":\"nul \0\"}\n");
    bytes.extend(b"{\"id\":\"4\",\"text\":\"cut\nnonsense\n");
    bytes.extend(line("5", &"x".repeat(50 << 20)).into_bytes());
    bytes.extend(line("6", "kept \\u0000too").into_bytes());
    bytes.extend(b"{\"id\":\"7\",\"te");
    world.write("x.jsonl", bytes);
    let collected = world.collect().await;
    assert_eq!((collected.seen, collected.counts.new, collected.failed), (8, 2, 6));
    assert_eq!(world.texts().await, ["kept", "kept too"]);
    let failures = world.failures().await;
    let says = |record: u64, words: &str| {
        let unit = format!("in/x.jsonl, record {record} (byte ");
        assert!(failures.iter().any(|f| f.starts_with(&unit) && f.contains(words)), "{words}: {failures:?}");
    };
    says(2, "not UTF-8");
    says(3, "NUL bytes");
    says(4, "ends in the middle of a JSON value");
    says(5, "not the expected JSON");
    says(6, "more than 16 MiB");
    says(8, "ends in the middle of a JSON value");
}

#[tokio::test]
async fn utf16_is_read_by_its_byte_order_mark() {
    let world = World::new().await;
    for (name, mark, to_bytes) in [
        ("le.jsonl", [0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]),
        ("be.jsonl", [0xfe, 0xff], u16::to_be_bytes),
    ] {
        let text = line("1", "naïve 🚐") + &line("2", "second");
        world.write(name, mark.into_iter().chain(text.encode_utf16().flat_map(to_bytes)).collect::<Vec<u8>>());
    }
    world.write("utf8.jsonl", format!("\u{feff}{}", line("1", "marked")));
    assert_eq!(world.collect().await.counts.new, 5);
    assert_eq!(world.texts().await, ["naïve 🚐", "second", "naïve 🚐", "second", "marked"]);
}

#[tokio::test]
async fn packed_dumps_that_swell_or_end_early_keep_what_is_whole() {
    let world = World::new().await;
    let mut bomb = zstd::Encoder::new(Vec::new(), 1).unwrap();
    bomb.write_all(line("1", "kept").as_bytes()).unwrap();
    bomb.write_all(&vec![b'0'; 40 << 20]).unwrap();
    bomb.write_all(format!("\n{}", line("2", "kept too")).as_bytes()).unwrap();
    world.write("bomb.zst", bomb.finish().unwrap());
    let lines: String = (0..20_000).map(|n| line(&n.to_string(), &format!("text {n}"))).collect();
    let packed = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    world.write("torn.zst", &packed[..packed.len() - 3]);
    let collected = world.collect().await;
    assert_eq!((collected.read, collected.failed), (2, 2));
    assert!(collected.counts.new > 10_000, "{collected:?}");
    let failures = world.failures().await.join("\n");
    assert!(failures.contains("in/bomb.zst, record 2 (byte 25): a line of more than 16 MiB"), "{failures}");
    assert!(failures.contains("in/torn.zst, record") && failures.contains("could not read on from here"), "{failures}");
}

#[cfg(unix)]
#[tokio::test]
async fn loops_and_files_that_vanish_are_recorded() {
    let world = World::new().await;
    world.write("a/x.jsonl", line("1", "kept"));
    std::os::unix::fs::symlink(world.path(""), world.path("a/back")).unwrap();
    std::os::unix::fs::symlink(world.path("gone"), world.path("b")).unwrap();
    let collected = world.collect().await;
    assert_eq!((collected.read, collected.refused, collected.counts.new), (1, 2, 1));
    let failures = world.failures().await.join("\n");
    assert!(failures.contains("in/a/back: a link that leads back"), "{failures}");
    assert!(failures.contains("in/b: a link to something that is not there"), "{failures}");

    let vanished = walk::File { path: world.path("gone"), name: "gone".to_owned(), bytes: 1 };
    let (sender, mut receiver) = mpsc::channel(1);
    let mut slicer = Slicer::new(sender);
    tokio::task::spawn_blocking(move || {
        let mut reading = Reading { ctx: &context(), slicer: &mut slicer };
        visit(&vanished, &indicatif::ProgressBar::hidden(), &mut reading).unwrap();
        slicer.send().unwrap();
    })
    .await
    .unwrap();
    let slice = receiver.recv().await.unwrap();
    assert_eq!(slice.collected.refused, 1);
    assert!(slice.batch.failures[0].reason.contains("could not be read"), "{:?}", slice.batch.failures);
}

#[tokio::test]
async fn a_path_that_is_not_there_is_an_error_that_names_it() {
    let world = World::new().await;
    let error =
        collect_paths(&world.store, &context(), &[world.path("nowhere")], Progress::new(true)).await.unwrap_err();
    assert!(format!("{error:#}").contains("nowhere"), "{error:#}");
}

#[tokio::test]
async fn many_equal_failures_are_counted_not_listed() {
    let world = World::new().await;
    world.write("x.jsonl", line("1", "kept") + &"{\"id\":1}\n".repeat(1234));
    let collected = world.collect().await;
    assert_eq!((collected.seen, collected.failed), (1235, 1234));
    let failures = world.failures().await;
    assert_eq!(failures.len(), 101);
    assert!(failures.contains(&"in/x.jsonl: no text: and 1134 more".to_owned()), "{failures:?}");
}

#[tokio::test]
async fn dates_to_come_are_kept_and_flagged() {
    let found = read_text(&jsonl::PlainLines, r#"{"id":1,"text":"a","written_at":"2031-01-01"}"#, "x.jsonl");
    assert!(matches!(&found[1], Ok(Record::Post(post)) if post.flags.future && post.written_at.is_some()));
}

#[tokio::test]
async fn the_demo_corpus_is_stored_as_its_truth_says() {
    let world = World::new().await;
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/demo");
    let collected =
        collect_paths(&world.store, &context(), &[demo.join("communities")], Progress::new(true)).await.unwrap();
    let posts = world.store.export_posts("", 10_000).await.unwrap();
    let texts: BTreeMap<_, _> = posts.into_iter().map(|p| (p.id, p.text)).collect();
    let truth = fs::read_to_string(demo.join("truth_posts.jsonl")).unwrap();
    assert_eq!((truth.lines().count(), collected.counts.new, collected.failed), (texts.len(), collected.seen, 0));
    for line in truth.lines() {
        let told: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = &texts[told["id"].as_str().unwrap()];
        assert_eq!(text, told["text"].as_str().unwrap());
        for span in told["acts"].as_array().unwrap().iter().flat_map(|a| a["spans"].as_array().unwrap()) {
            let at = |end: &str| usize::try_from(span[end].as_u64().unwrap()).unwrap();
            assert_eq!(text.get(at("start")..at("end")), span["quote"].as_str());
        }
    }
}

/// Every format reads a good file that is broken off and overwritten from some byte on: it ends, and gives no post before
/// its thread.
pub(super) fn survives_damage(seed: &[u8], bytes: &[u8], cut: usize, name: &str) -> Result<(), TestCaseError> {
    let damaged = [&seed[..cut.min(seed.len())], bytes, &seed[(cut + bytes.len()).min(seed.len())..]].concat();
    let (place, ctx) = (Place::on_disk(Path::new(name)), context());
    for format in FORMATS {
        format.sniff(&damaged, &place);
        let found: Vec<_> = format.read(Box::new(&damaged[..]), &place, &ctx).take(10_000).collect();
        prop_assert!(found.len() < 10_000);
        // The store refuses a post whose thread it has not seen.
        let mut told = HashSet::new();
        for record in found.into_iter().flatten() {
            match record {
                Record::Thread(thread) => drop(told.insert(thread.id)),
                Record::Post(post) => prop_assert!(told.contains(&post.thread)),
                _ => {}
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_a_format_panic_or_lose_a_thread(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0..300_usize) {
        let seeds: [&[u8]; 16] = [
            br#"{"post_stream":{"posts":[{"id":70,"topic_id":7,"cooked":"a"},{"id":71,"topic_id":8,"cooked":"b"}]},"id":9,"title":"Nine"}"#,
            br#"{"guild":{"id":"1"},"channel":{"id":"2"},"messages":[{"id":"3","content":"a"}],"channel":{"id":"5"},"messages":[{"id":"4","content":"b"}]}"#,
            br#"{"guild":{"name":"G","id":"1"},"channel":{"id":"2"},"messages":[{"id":"3","content":"hi > <@4>"}],"messageCount":1}"#,
            br#"{"post_stream":{"posts":[{"id":70,"topic_id":7,"cooked":"<p>hey</p>"}]},"id":7,"title":"Seven"}"#,
            b"{\"id\":\"b\",\"subreddit\":\"x\",\"link_id\":\"t3_a\",\"body\":\"reply\"}\n{\"id\":\"a\",\"title\":\"t\"}",
            br#"[{"kind":"Listing","data":{"children":[{"kind":"t1","data":{"id":"d","body":"D","link_id":"t3_x"}}]}}]"#,
            br#"{"id":1,"created_at_i":1,"type":"story","author":"a","title":"t","children":[{"id":2,"parent_id":1,"story_id":1,"text":"b","type":"comment"}]}"#,
            b"<posts>\n<row Id=\"1\" PostTypeId=\"1\" Body=\"&lt;p&gt;a\" Title=\"t\" />\n<row Id=\"2\" PostTypeId=\"2\" ParentId=\"1\" Body=\"b\" />\n</posts>",
            br#"{"items":[{"question_id":1,"body":"a","answers":[{"answer_id":2,"body":"b","creation_date":1,"owner":{}}],"creation_date":1,"owner":{}}],"has_more":false}"#,
            br#"{"comments":[{"comment":{"id":1,"ap_id":"https://a.b/comment/1","path":"0.1","content":"x"},"post":{"ap_id":"https://a.b/post/1","name":"n"},"creator":{},"community":{}}]}"#,
            br#"[{"number":1,"title":"t","body":"b","author":{"login":"a"},"createdAt":"2026-03-01","url":"https://github.com/a/b/issues/1","comments":[{"body":"c"}]}]"#,
            b"From a Mon Mar  2 10:00:00 2026\nFrom: a@b\nDate: Mon, 2 Mar 2026 10:00:00 +0000\nSubject: s\nMessage-ID: <1@b>\n\n> q\nwords\n\nFrom b Mon Mar  2 10:00:00 2026\nFrom: c@b\nSubject: Re: s\n\nmore\n",
            br#"{"about":"a","personal_information":{},"chats":{"list":[{"name":"n","type":"private_group","id":1,"messages":[{"id":1,"type":"message","text":["a",{"type":"bold","text":"b"}]}]}]}}"#,
            br#"{"type":"post","post":{"team":"t","channel":"c","user":"u","message":"m","create_at":1,"replies":[{"user":"v","message":"n","create_at":2}]}}"#,
            br#"{"order":["a"],"posts":{"a":{"id":"a","channel_id":"c","user_id":"u","message":"m","create_at":1}}}"#,
            b"id,text,author,date\n1,\"a\nb\",x,2026-03-01\n2,c,y,3/4/2026\n",
        ];
        for seed in seeds {
            survives_damage(seed, &bytes, cut, "x.json")?;
        }
    }
}

/// One message as eight places write it: nobody is named, and code is code.
#[tokio::test]
async fn handles_and_code_are_alike_wherever_they_come_from() {
    let world = World::new().await;
    let typed = r"Hi @sam_b and u/kim_lee, ask me@x.example: it drips.\n\n    @code fails\n\nRun `@x` now.";
    let marked = r#"<p>Hi <a class=\"mention\" href=\"/u/sam_b\">@sam_b</a> and u/kim_lee, ask me@x.example: it drips.</p><pre><code>@code fails\n</code></pre><p>Run <code>@x</code> now.</p>"#;
    let files = [
        (
            "reddit.json",
            r#"{"kind":"Listing","data":{"children":[{"kind":"t1","data":{"id":"c1","link_id":"t3_a","body":"TYPED","author":"q","subreddit":"x","created_utc":1772366400.0}}]}}"#,
        ),
        (
            "github.json",
            r#"[{"number":1,"title":"","html_url":"https://github.com/o/r/issues/1","user":{"login":"q"},"body":"TYPED","created_at":"2026-03-01T12:00:00Z"}]"#,
        ),
        (
            "gitlab.json",
            r#"[{"id":5,"individual_note":false,"notes":[{"id":5,"body":"TYPED","author":{"username":"q","web_url":"https://git.example/q"},"noteable_id":80,"noteable_type":"Issue","system":false}]}]"#,
        ),
        (
            "mattermost.json",
            r#"{"order":["p1"],"posts":{"p1":{"id":"p1","create_at":1772366400000,"user_id":"u","channel_id":"c","message":"TYPED","type":""}}}"#,
        ),
        (
            "discourse.json",
            r#"{"id":5,"title":"T","slug":"t","posts_count":1,"post_stream":{"posts":[{"id":50,"topic_id":5,"post_number":1,"username":"q","cooked":"MARKED","post_type":1}],"stream":[50]}}"#,
        ),
        (
            "stack.json",
            r#"{"items":[{"answer_id":4,"question_id":3,"body":"MARKED","creation_date":1772366400,"owner":{"user_id":2},"link":"https://stackoverflow.com/a/4"}],"has_more":false,"quota_max":300,"quota_remaining":299}"#,
        ),
        (
            "news.json",
            r#"{"id":7,"author":"q","text":"MARKED","children":[],"created_at_i":1772366400,"points":1,"type":"comment","parent_id":6,"story_id":6}"#,
        ),
    ];
    for (name, content) in files {
        world.write(name, content.replace("TYPED", typed).replace("MARKED", marked));
    }
    let page = marked.replace(r#"\""#, "\"").replace("\\n", "\n");
    world.write("mail.eml", format!("From: q <q@x.example>\nSubject: T\nDate: Sun, 01 Mar 2026 12:00:00 +0000\nMessage-ID: <1@x>\nContent-Type: text/html\n\n{page}"));
    world.collect().await;
    assert_eq!(world.failures().await, Vec::<String>::new());
    let texts = world.texts().await;
    assert_eq!(texts.len(), files.len() + 1);
    for text in texts {
        assert!(
            text.ends_with("Hi @user and @user, ask me@x.example: it drips.\n\n```\n@code fails\n```\n\nRun `@x` now."),
            "{text:?}"
        );
    }
}
