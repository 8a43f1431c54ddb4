//! What bad input gets: a clear message that says what, where and what to do next; nothing lost; no panic.

use std::fs;
use std::io::Write as _;

use crate::harness::{Place, Ran, lines};

const GOOD: &str = "{\"id\":\"1\",\"text\":\"The export times out every single night.\",\"author\":\"sam\"}\n";

fn told(ran: &Ran, words: &[&str]) {
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is not in: {}", ran.stderr);
    }
}

fn posts(place: &Place) -> usize {
    lines(&place.run(&["export", "posts"]).stdout).len()
}

/// Collects a folder that holds the broken thing beside a good file: the good post must arrive.
fn beside_a_good_file(name: &str, content: &[u8]) -> (Place, Ran) {
    let place = Place::new();
    place.file("in/good.jsonl", GOOD);
    place.file(&format!("in/{name}"), content);
    let ran = place.run(&["collect", "in"]);
    assert!(posts(&place) >= 1, "the good post was lost beside {name}: {}", ran.stderr);
    (place, ran)
}

#[test]
fn an_empty_file_is_refused_by_name() {
    let (_, ran) = beside_a_good_file("empty.json", b"");
    assert_eq!(ran.code, 3);
    told(&ran, &["empty.json", "empty"]);
}

#[test]
fn a_truncated_export_keeps_its_whole_messages() {
    let whole = r#"{"guild":{"id":"1","name":"G"},"channel":{"id":"2","type":"GuildTextChat","name":"c"},"messages":[
        {"id":"10","type":"Default","timestamp":"2026-01-01T00:00:00+00:00","content":"the board lost my jobs again","author":{"id":"5","name":"x","isBot":false}},
        {"id":"11","type":"Default","timestamp":"2026-01-01T00:01:00+00:00","content":"mine too, second time this week","author":{"id":"6","name":"y","isBot":false}},
        {"id":"12","type":"Default","timestamp":"2026-01-01T00:0"#;
    let (place, ran) = beside_a_good_file("cut.json", whole.as_bytes());
    assert_eq!(ran.code, 3);
    told(&ran, &["cut.json", "record 3"]);
    assert_eq!(posts(&place), 3);
}

#[test]
fn another_encoding_is_read_or_refused_record_by_record() {
    let utf16 = GOOD.replace("\"1\"", "\"16\"").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let (place, ran) = beside_a_good_file("utf16.jsonl", &[&[0xff, 0xfe], utf16.as_slice()].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(posts(&place), 2);
    let latin1 = [
        b"{\"id\":\"2\",\"text\":\"caf\xe9 printer jams again\"}\n".as_slice(),
        GOOD.replace("\"1\"", "\"3\"").as_bytes(),
    ]
    .concat();
    let (place, ran) = beside_a_good_file("latin1.jsonl", &latin1);
    assert_eq!(ran.code, 3);
    told(&ran, &["latin1.jsonl", "record 1", "UTF-8"]);
    assert_eq!(posts(&place), 2, "the record after the bad one arrives");
}

#[test]
fn nul_bytes_fail_their_record_alone() {
    let content = [b"\0\0\0{\"id\":\"2\"\n".as_slice(), GOOD.replace("\"1\"", "\"3\"").as_bytes()].concat();
    let (place, ran) = beside_a_good_file("nul.jsonl", &content);
    assert_eq!(ran.code, 3);
    told(&ran, &["nul.jsonl"]);
    assert!(posts(&place) >= 1);
}

#[test]
fn a_stray_quotation_mark_costs_its_row_alone() {
    let content =
        "id,author,date,text\n2,sam,2026-03-01,\"it drips\n3,kim,2026-03-02,here too\n4,sam,2026-03-03,mine again\n";
    let (place, ran) = beside_a_good_file("stray.csv", content.as_bytes());
    assert_eq!(ran.code, 3);
    told(&ran, &["stray.csv", "record 1", "never closed"]);
    assert_eq!(posts(&place), 3);
}

#[test]
fn tables_put_one_below_the_other_are_one() {
    let rows = |n: u32| format!("id,author,date,text\n{n},sam,2026-03-01,it drips {n}\n");
    let (place, ran) = beside_a_good_file("both.csv", (rows(2) + &rows(3)).as_bytes());
    assert_eq!((ran.code, posts(&place)), (0, 3), "{}", ran.stderr);
}

#[test]
fn of_a_name_that_stands_twice_the_last_counts() {
    let content = "{\"id\":\"1\",\"id\":\"2\",\"text\":\"old\",\"text\":\"it drips all night\"}\n";
    let (place, ran) = beside_a_good_file("twice.jsonl", content.as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let told = place.run(&["export", "posts"]).stdout;
    assert!(told.contains("it drips all night") && !told.contains("\"old\""), "{told}");
}

#[test]
fn a_bad_line_in_the_middle_costs_itself() {
    let line = |n: u32| GOOD.replace("\"1\"", &format!("\"{n}\""));
    let content = format!("{}%%% no record \"\n{}", line(2), line(3));
    let (place, ran) = beside_a_good_file("middle.jsonl", content.as_bytes());
    assert_eq!((ran.code, posts(&place)), (3, 3), "{}", ran.stderr);
    told(&ran, &["middle.jsonl", "record 2"]);
}

#[test]
#[cfg(target_os = "linux")]
fn files_whose_names_are_no_text_are_read_and_told() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new();
    place.file("in/good.jsonl", GOOD);
    for (name, content) in [
        (b"caf\xe9.jsonl".as_slice(), GOOD.replace("\"1\"", "\"2\"")),
        (b"\xff\xfe.jsonl", GOOD.replace("\"1\"", "\"3\"")),
        (b"bad\xff.jsonl", "{\"id\":\"4\"}\n".to_owned()),
    ] {
        fs::write(place.path().join("in").join(std::ffi::OsStr::from_bytes(name)), content).unwrap();
    }
    let ran = place.run(&["collect", "in"]);
    assert_eq!((ran.code, posts(&place)), (3, 3), "{}", ran.stderr);
    told(&ran, &["in/bad\u{fffd}.jsonl"]);
}

#[test]
fn a_folder_of_many_small_files_is_read_in_time() {
    let place = Place::new();
    for n in 0..2000 {
        place.file(&format!("in/{}/{n}.jsonl", n % 20), GOOD.replace("\"1\"", &format!("\"{n}\"")));
    }
    let began = std::time::Instant::now();
    let ran = place.run(&["collect", "in"]);
    assert_eq!((ran.code, posts(&place)), (0, 2000), "{}", ran.stderr);
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

#[test]
fn a_line_of_fifty_megabytes_does_not_take_the_machine() {
    let mut content = GOOD.replace("\"1\"", "\"2\"").into_bytes();
    content.extend(b"{\"id\":\"big\",\"text\":\"");
    content.resize(content.len() + (50 << 20), b'x');
    content.extend(b"\n");
    content.extend(GOOD.replace("\"1\"", "\"3\"").as_bytes());
    let (place, ran) = beside_a_good_file("wide.jsonl", &content);
    assert_eq!(ran.code, 3);
    told(&ran, &["wide.jsonl", "record 2"]);
    assert_eq!(posts(&place), 3, "the records around it arrive");
}

#[test]
fn a_zip_bomb_named_zst_is_bounded() {
    // 4 GB of one line in a few hundred kilobytes.
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    let block = vec![b'x'; 1 << 20];
    for _ in 0..4096 {
        encoder.write_all(&block).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let (place, ran) = beside_a_good_file("bomb.zst", &bomb);
    assert_eq!(ran.code, 3);
    told(&ran, &["bomb.zst"]);
    assert_eq!(posts(&place), 1);
}

#[test]
#[cfg(unix)]
fn a_directory_loop_is_walked_once() {
    let place = Place::new();
    place.file("in/good.jsonl", GOOD);
    std::os::unix::fs::symlink("..", place.path().join("in/again")).unwrap();
    let ran = place.run(&["collect", "in"]);
    assert!(matches!(ran.code, 0 | 3), "{}", ran.stderr);
    told(&ran, &[]);
    assert_eq!(posts(&place), 1);
}

#[test]
#[cfg(unix)]
fn an_unreadable_file_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    place.file("in/good.jsonl", GOOD);
    let locked = place.file("in/locked.jsonl", GOOD);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&locked).is_ok() {
        // The superuser may read anything; a dangling link is unreadable for everybody.
        fs::remove_file(&locked).unwrap();
        std::os::unix::fs::symlink("nowhere", &locked).unwrap();
    }
    let ran = place.run(&["collect", "in"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    told(&ran, &["locked.jsonl"]);
    assert_eq!(posts(&place), 1);
}

#[test]
fn a_future_date_is_kept_and_kept_out_of_windows() {
    let place = Place::new();
    let line = "{\"id\":\"1\",\"text\":\"It broke.\",\"author\":\"sam\",\"written_at\":\"2999-01-01T00:00:00Z\"}\n";
    place.file("later.jsonl", line);
    let ran = place.run(&["collect", "later.jsonl"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(posts(&place), 1);
    let comparison = {
        place.run(&["extract"]);
        place.run(&["group"]);
        place.json(&["compare"])
    };
    assert_eq!(comparison["population"]["problem_authors"], 0, "{comparison}");
}

#[test]
fn a_csv_without_the_needed_columns_says_which_and_how_to_map() {
    let place = Place::new();
    place.file("crm.csv", "Company name,Stage,Remarks of the day\nAcme,Demo,they liked it\n");
    let ran = place.run(&["crm", "import", "crm.csv"]);
    assert_ne!(ran.code, 0);
    told(&ran, &["crm.csv", "Remarks of the day", "text"]);
}

#[test]
fn what_does_not_exist_is_an_error_that_names_it() {
    let place = Place::new();
    let ran = place.run(&["collect", "no-such-folder"]);
    assert_eq!(ran.code, 1);
    told(&ran, &["no-such-folder"]);
}

#[test]
fn a_private_address_is_refused_with_a_reason() {
    let place = Place::new();
    let ran = place.run(&["collect", "http://10.0.0.1/"]);
    assert!(matches!(ran.code, 1 | 3), "code {}", ran.code);
    told(&ran, &["10.0.0.1", "private", "allow_private"]);
}

#[test]
fn a_wrong_word_is_a_usage_error() {
    let place = Place::new();
    assert_eq!(place.run(&["colect"]).code, 2);
    place.file("candor.toml", "colect = []\n");
    let ran = place.run(&["status"]);
    assert_eq!(ran.code, 1);
    told(&ran, &["candor.toml", "colect"]);
}

#[test]
fn nothing_to_do_has_a_code_of_its_own() {
    let place = Place::new();
    for verb in ["index", "extract", "group", "status", "run"] {
        assert_eq!(place.run(&[verb]).code, 4, "{verb}");
    }
}
