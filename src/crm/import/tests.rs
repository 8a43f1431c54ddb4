use super::*;
use crate::model::{Note, NoteKind, Outcome, Recipe};
use crate::store::Failure;

/// When the tests import.
pub(super) const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// Imports one file and gives the summary's JSON, the notes and the failures.
async fn imported(name: &str, content: &[u8], map: Option<&str>) -> (serde_json::Value, Vec<Note>, Vec<Failure>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    let map_path = map.map(|text| {
        let path = dir.path().join("map.toml");
        std::fs::write(&path, text).unwrap();
        path
    });
    let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
    let summary =
        import(&store, std::slice::from_ref(&path), map_path.as_deref(), &Zone::default(), NOW, Progress::new(true))
            .await
            .unwrap();
    let again = import(&store, &[path], map_path.as_deref(), &Zone::default(), NOW, Progress::new(true)).await.unwrap();
    assert_eq!(again.done, 0, "importing again changes nothing");
    let notes = store.notes(&Recipe::stored("none")).await.unwrap().into_iter().map(|n| n.note).collect();
    (serde_json::to_value(summary).unwrap(), notes, store.failures().await.unwrap())
}

#[tokio::test]
async fn usual_headers_are_known() {
    for (headers, name) in [
        ("Record ID,Company name,Activity assigned to,Activity type,Create date,Note body", "hubspot"),
        ("Id,AccountId,OwnerId,TaskSubtype,CreatedDate,Description", "salesforce"),
        ("ID,Organization,User,Type,Add time,Content", "pipedrive"),
    ] {
        let csv =
            format!("{headers}\n7,Acme Ltd,Ann,Call,2026-02-03 10:00,\"They said \"\"maybe\"\".\nSecond line\"\n");
        let (summary, notes, failures) = imported("export.csv", csv.as_bytes(), None).await;
        assert_eq!(failures, [], "{name}");
        assert_eq!(summary["notes"]["new"], 1, "{name}");
        let note = &notes[0];
        assert_eq!(note.text, "They said \"maybe\".\nSecond line");
        assert_eq!((note.id.to_string(), note.account.as_str()), (format!("{name}:7"), "Acme Ltd"));
        assert_eq!((note.owner.as_deref(), note.kind), (Some("Ann"), NoteKind::Call));
        assert_eq!(note.written_at.unwrap().to_string(), "2026-02-03T10:00:00Z");
    }
}

#[tokio::test]
async fn every_row_is_accounted_for() {
    let csv = "id,account,note,date\n1,Acme,fine,2026-01-01\n2,Acme,,2026-01-01\n3,,orphan,2026-01-01\n4,Beta,odd date,03/04/2026\n";
    let (summary, notes, failures) = imported("export.csv", csv.as_bytes(), None).await;
    assert_eq!(summary["notes"]["seen"], 4);
    assert_eq!(summary["notes"]["new"], 2);
    assert_eq!(summary["skipped_why"]["no text"], 1);
    assert_eq!(summary["notes"]["failed"], 1);
    assert_eq!(notes.len(), 2);
    let said = failures.iter().map(|f| format!("{} {}", f.unit, f.reason)).collect::<Vec<_>>().join("\n");
    assert!(said.contains("record 3") && said.contains("no account"), "{said}");
    assert!(said.contains("record 4") && said.contains("day or month"), "{said}");
}

/// Of a large file what stood at its head is known at its end.
#[tokio::test]
async fn one_id_at_two_notes_is_told_however_far_apart_they_stand() {
    let mut csv = "id,account,note\n".to_owned();
    for n in 0..1200 {
        csv.push_str(&format!("{n},Acme,note {n}\n"));
    }
    csv.push_str("7,Acme,note 7\n8,Beta,another note\n");
    let (summary, notes, failures) = imported("export.csv", csv.as_bytes(), None).await;
    assert_eq!((summary["notes"]["new"].as_u64(), notes.len()), (Some(1200), 1200));
    assert_eq!((summary["notes"]["known"].as_u64(), summary["notes"]["failed"].as_u64()), (Some(1), Some(1)));
    let said = failures.iter().map(|f| format!("{} {}", f.unit, f.reason)).collect::<Vec<_>>();
    assert!(
        said.len() == 1 && said[0].contains("record 1202 the id 8 stands at another note of this file"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_map_names_what_is_unusual() {
    let csv = "Firm;What was said\nAcme;They left\n";
    let (summary, _, failures) = imported("export.csv", csv.as_bytes(), None).await;
    assert_eq!(summary["files"]["refused"], 1);
    assert!(failures[0].reason.contains("--map") && failures[0].reason.contains("What was said"), "{:?}", failures[0]);
    let german = "Zust\u{e4}ndig,Kundenname,Gespr\u{e4}chsnotiz\nAnn,Acme,Zu teuer\n";
    let (_, _, failures) = imported("export.csv", german.as_bytes(), None).await;
    assert!(failures[0].reason.contains("for example text = \"Gespr\u{e4}chsnotiz\""), "{:?}", failures[0]);
    let (summary, notes, _) =
        imported("export.csv", csv.as_bytes(), Some("account = \"Firm\"\ntext = \"what was said\"\n")).await;
    assert_eq!(summary["notes"]["new"], 1);
    assert_eq!(notes[0].text, "They left");
}

#[tokio::test]
async fn encodings_are_told_apart() {
    let text = "account,note\nAcme,d\u{e9}j\u{e0} vu\n";
    let utf16 = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect::<Vec<_>>();
    let (latin1, _, _) = encoding_rs::WINDOWS_1252.encode(text);
    let with_mark = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
    for content in [text.as_bytes(), &utf16, &latin1, &with_mark] {
        let (_, notes, failures) = imported("export.csv", content, None).await;
        assert_eq!(failures, []);
        assert_eq!(notes[0].text, "d\u{e9}j\u{e0} vu");
    }
}

#[tokio::test]
async fn json_comes_as_lines_or_as_an_array() {
    let hubspot = r#"{"id":"9","properties":{"hs_note_body":"<p>Liked it.<br>Will call.</p>","hs_timestamp":"2026-01-02T03:04:05Z","company":"Acme"}}"#;
    for content in [format!("{hubspot}\n"), format!("[{hubspot}]")] {
        let (_, notes, failures) = imported("export.json", content.as_bytes(), None).await;
        assert_eq!(failures, []);
        assert_eq!(notes[0].text, "Liked it.\nWill call.");
        assert_eq!(notes[0].happened_at.unwrap().to_string(), "2026-01-02T03:04:05Z");
    }
    let lines = "{\"account\":\"A\",\"text\":\"one\"}\nnot JSON\n{\"account\":\"A\",\"text\":\"two\"}\n";
    let (summary, notes, failures) = imported("export.jsonl", lines.as_bytes(), None).await;
    assert_eq!(notes.len(), 2);
    assert_eq!(summary["notes"]["failed"], 1);
    assert!(failures[0].unit.contains("record 2"), "{failures:?}");
}

#[tokio::test]
async fn what_is_no_export_is_refused_with_a_reason() {
    for (content, reason) in [(&b""[..], "empty"), (b"\0\0\0\0", "NUL"), (b"[1, 2", "no JSON")] {
        let (summary, _, failures) = imported("export.csv", content, None).await;
        assert_eq!(summary["files"]["refused"], 1);
        assert!(failures[0].reason.contains(reason), "{failures:?}");
    }
}

#[tokio::test]
async fn a_record_with_empty_lists_or_before_a_cut_is_read() {
    let map = "account = \"Kunde\"\ntext = \"Remark\"\n";
    for content in [
        r#"{"Kunde":"A","Remark":"They left","tags":[]}"#,
        r#"{"Kunde":"A","Remark":"They left","data":null}"#,
        r#"{"data":[{"Kunde":"A","Remark":"They left"}],"errors":[]}"#,
        r#"[{"Kunde":"A","Remark":"They left"},{"Kunde":"B","Rem"#,
    ] {
        let (_, notes, failures) = imported("n.json", content.as_bytes(), Some(map)).await;
        assert_eq!(notes.iter().map(|n| n.text.as_str()).collect::<Vec<_>>(), ["They left"], "{content}: {failures:?}");
    }
    let (summary, _, failures) = imported("n.json", br#"{"data":[],"errors":[]}"#, Some(map)).await;
    assert_eq!(summary["files"]["refused"], 1);
    assert!(failures[0].reason.contains("list is empty"), "{failures:?}");
}

#[tokio::test]
async fn a_table_of_firms_with_words_about_them_is_not_read_without_these() {
    for words in ["Remarks", "What they said", "Feedback"] {
        let csv = format!("Company,Segment,{words}\nAcme,Team,They left\n");
        let (summary, _, failures) = imported("export.csv", csv.as_bytes(), None).await;
        assert_eq!(summary["files"]["refused"], 1, "{words}");
        assert!(failures[0].reason.contains("--map") && failures[0].reason.contains(words), "{failures:?}");
        let map = format!("text = {words:?}");
        let (_, notes, failures) = imported("export.csv", csv.as_bytes(), Some(&map)).await;
        assert_eq!((notes.len(), failures.len()), (1, 0), "{failures:?}");
    }
}

#[tokio::test]
async fn a_very_long_line_fails_alone() {
    let mut content = b"{\"account\":\"A\",\"text\":\"one\"}\n{\"account\":\"A\",\"text\":\"".to_vec();
    content.resize(content.len() + (17 << 20), b'x');
    content.extend(b"\"}\n{\"account\":\"A\",\"text\":\"two\"}\n");
    let (summary, notes, _) = imported("export.jsonl", &content, None).await;
    assert_eq!((notes.len(), summary["notes"]["failed"].as_u64()), (2, Some(1)));
}

#[tokio::test]
async fn one_id_for_two_notes_is_told_and_loses_none() {
    let csv = "id,account,note\n7,Acme,first\n7,Acme,second\n7,Acme,first\n";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.csv");
    std::fs::write(&path, csv).unwrap();
    let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
    let summary = import(&store, &[path], None, &Zone::default(), NOW, Progress::new(true)).await.unwrap();
    assert_eq!((summary.done, summary.failed), (1, 1));
    let notes = store.notes(&Recipe::stored("none")).await.unwrap();
    assert_eq!(notes[0].note.text, "first", "the second does not silently replace the first");
    let failures = store.failures().await.unwrap();
    assert!(failures[0].unit.contains("record 2") && failures[0].reason.contains("the id 7"), "{failures:?}");
}

#[tokio::test]
async fn what_was_mended_in_a_file_is_no_failure_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.csv");
    let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
    for (csv, failures) in [("id,account,note\n1,,orphan\n", 1), ("", 1), ("id,account,note\n1,Acme,orphan\n", 0)] {
        std::fs::write(&path, csv).unwrap();
        import(&store, std::slice::from_ref(&path), None, &Zone::default(), NOW, Progress::new(true)).await.unwrap();
        assert_eq!(store.failures().await.unwrap().len(), failures, "{csv:?}");
    }
}

/// Failures are stored and listed in reports, so no words of a cell may stand in them.
#[tokio::test]
async fn a_failure_shows_no_words_of_a_cell() {
    let csv = "id,account,note,date\nInes Vale,Acme,one,ask Bo Li\nInes Vale,Acme,two,2026-01-01\n";
    let (summary, _, failures) = imported("export.csv", csv.as_bytes(), None).await;
    assert_eq!((summary["undated"].as_u64(), summary["notes"]["failed"].as_u64()), (Some(1), Some(1)));
    let said = failures.iter().map(|f| f.reason.as_str()).collect::<Vec<_>>().join("\n");
    assert!(said.contains("other text") && said.contains("its id"), "{said}");
    assert!(!said.contains("Ines") && !said.contains("Bo"), "{said}");
}

#[tokio::test]
async fn a_quotation_mark_that_is_never_closed_swallows_nothing_silently() {
    let csv = "id,account,note\n1,Acme,\"two\nlines\"\n2,Acme,\"open\n3,Acme,three\n4,Acme,four\n";
    let (summary, notes, failures) = imported("export.csv", csv.as_bytes(), None).await;
    let texts: Vec<_> = notes.iter().map(|n| n.text.as_str()).collect();
    assert_eq!(texts, ["two\nlines", "three", "four"], "the rows below are read");
    assert_eq!(summary["notes"]["failed"], 1);
    assert!(failures[0].reason.contains("never closed"), "{failures:?}");
}

#[tokio::test]
async fn rows_that_do_not_fit_the_header_and_footers_are_told_apart() {
    let csv = "account,note,id\nAcme,a, b and c,1\n\"Grand Totals (1 records)\",,\nConfidential Information - Do Not Distribute\nBeta,fine,2\n";
    let (summary, notes, failures) = imported("report.csv", csv.as_bytes(), None).await;
    assert_eq!((notes.len(), notes[0].text.as_str()), (1, "fine"));
    assert_eq!(summary["skipped_why"]["footer of the report"], 2);
    assert_eq!(failures.len(), 1);
    assert!(failures[0].reason.contains("4 cells"), "{failures:?}");
}

#[tokio::test]
async fn an_encoding_is_told_from_the_whole_file() {
    let mut content = b"account,note\n".to_vec();
    content.extend("Acme,plain\n".repeat(10_000).bytes());
    content.extend(b"Acme,d\xe9j\xe0 vu\n");
    let (_, notes, failures) = imported("export.csv", &content, None).await;
    assert_eq!(failures, []);
    assert!(notes.iter().any(|n| n.text == "d\u{e9}j\u{e0} vu"), "the accents stand after the first 64 KB");
    let mixed = [b"account,note\nAcme,\xc3\xa9t\xc3\xa9\nAcme,caf".as_slice(), b"\xe9\n"].concat();
    let (_, notes, failures) = imported("export.csv", &mixed, None).await;
    let texts = notes.iter().map(|n| n.text.as_str()).collect::<Vec<_>>();
    assert!(texts.contains(&"\u{e9}t\u{e9}") && texts.contains(&"caf\u{e9}"), "{texts:?}");
    assert_eq!(failures, []);
}

#[tokio::test]
async fn a_page_of_an_api_is_an_array_of_notes() {
    let page =
        "{\n \"results\": [{\"id\": 1, \"company\": \"Acme\", \"body\": \"Fish &amp; chips\"}],\n \"paging\": {}\n}\n";
    let (summary, notes, failures) = imported("page.json", page.as_bytes(), None).await;
    assert_eq!((summary["notes"]["new"].as_u64(), failures.len()), (Some(1), 0));
    assert_eq!(notes[0].text, "Fish & chips");
}

#[tokio::test]
async fn several_columns_can_be_put_together_by_a_map() {
    let csv = "firm,went,hurts,next\nAcme,Fine call,Two days lost,\n";
    let map = "account = \"firm\"\ntext = [\"went\", \"hurts\", \"next\"]\n";
    let (_, notes, failures) = imported("export.csv", csv.as_bytes(), Some(map)).await;
    assert_eq!(failures, []);
    assert_eq!(notes[0].text, "went: Fine call\nhurts: Two days lost");
}

#[tokio::test]
async fn a_file_that_fails_everywhere_does_not_fill_the_store() {
    let csv = format!("account,note\n{}", ",orphan\n".repeat(1000));
    let (summary, _, failures) = imported("export.csv", csv.as_bytes(), None).await;
    assert_eq!(summary["notes"]["failed"], 1000);
    assert_eq!(failures.len(), 101);
    assert!(failures.iter().any(|f| f.reason.contains("and 900 more")), "{failures:?}");
}

/// A store into which files were imported one after the other, each with its map.
async fn store_of(files: &[(&str, &str, Option<&str>)]) -> (Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
    for (name, content, map) in files {
        let (path, map_path) = (dir.path().join(name), dir.path().join("map.toml"));
        std::fs::write(&path, content).unwrap();
        std::fs::write(&map_path, map.unwrap_or_default()).unwrap();
        let map = map.map(|_| map_path.as_path());
        let run = || import(&store, std::slice::from_ref(&path), map, &ZONE, NOW, Progress::new(true));
        assert_eq!(run().await.unwrap().failed, 0, "{name}");
        assert_eq!(run().await.unwrap().done, 0, "importing {name} again changes nothing");
    }
    (store, dir)
}

static ZONE: std::sync::LazyLock<Zone> = std::sync::LazyLock::new(Zone::default);

/// What became of deals: id, outcome, end of service, value.
async fn customers(store: &Store) -> Vec<(String, Outcome, Option<String>, Option<String>)> {
    let day = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string()[..10].to_owned());
    let deals = store.deals().await.unwrap().into_iter().map(|d| d.opportunity);
    deals.map(|o| (o.id.to_string(), o.outcome, day(o.churned_at), day(o.value_at))).collect()
}

fn customer(
    id: &str,
    outcome: Outcome,
    churned: Option<&str>,
    value: Option<&str>,
) -> (String, Outcome, Option<String>, Option<String>) {
    (id.to_owned(), outcome, churned.map(str::to_owned), value.map(str::to_owned))
}

#[tokio::test]
async fn what_became_of_customers_is_kept_with_their_deals() {
    let want = [
        customer("1", Outcome::Won, Some("2026-05-01"), Some("2026-01-20")),
        customer("2", Outcome::Won, None, None),
        customer("3", Outcome::Lost, None, None),
    ];
    let csv = "deal_id,account,stage,close_date,churned_at,value_at\n1,Acme,Closed won,2026-01-05,2026-05-01,2026-01-20\n\
               2,Beta,Closed won,2026-01-06,,\n3,Vale,Closed lost,2026-01-07,,\n";
    let (store, _dir) = store_of(&[("deals.csv", csv, None)]).await;
    assert_eq!(customers(&store).await, want);

    let jsonl = "{\"deal_id\":1,\"account\":\"Acme\",\"stage\":\"won\",\"close_date\":\"2026-01-05\",\"end\":\"2026-05-01\",\"value_at\":\"2026-01-20\"}\n\
                 {\"deal_id\":2,\"account\":\"Beta\",\"stage\":\"won\",\"close_date\":\"2026-01-06\",\"end\":null}\n\
                 {\"deal_id\":3,\"account\":\"Vale\",\"stage\":\"lost\",\"close_date\":\"2026-01-07\"}\n";
    let (store, _dir) = store_of(&[("deals.jsonl", jsonl, None)]).await;
    assert_eq!(customers(&store).await, want);

    let odd = "Nr,Firm,How,Over,Left,Live\n1,Acme,won,2026-01-05,2026-05-01,2026-01-20\n2,Beta,won,2026-01-06,,\n3,Vale,lost,2026-01-07,,\n";
    let map = "opportunity = \"Nr\"\naccount = \"Firm\"\nstatus = \"How\"\nclosed_at = \"Over\"\nchurned_at = \"Left\"\nvalue_at = \"Live\"\n";
    let (store, _dir) = store_of(&[("odd.csv", odd, Some(map))]).await;
    assert_eq!(customers(&store).await, want);

    // A table of customers beside that of deals; it does not open the deals again.
    let deals = "deal_id,account,stage,close_date\n1,Acme,Closed won,2026-01-05\n2,Beta,Closed won,2026-01-06\n3,Vale,Closed lost,2026-01-07\n";
    let later = "deal_id,churned_at,value_at\n1,2026-05-01,2026-01-20\n2,,\n3,,\n";
    let (store, _dir) = store_of(&[("deals.csv", deals, None), ("later.csv", later, None)]).await;
    assert_eq!(customers(&store).await, want);
}

/// Of the deal `7` by whatever id its vendor gives it: a first probability of 20% and a later one of 60%.
#[tokio::test]
async fn probabilities_come_with_their_dates_and_never_from_an_ended_deal() {
    let salesforce = "Id,OpportunityId,StageName,Probability,CreatedDate\n\
        1,0061A00000abcDe,Demo,20,2026-01-05T10:00:00Z\n2,0061A00000abcDe,Offer,60,2026-02-05T10:00:00Z\n";
    let fields = "Id,OpportunityId,Field,OldValue,NewValue,CreatedDate\n1,0061A00000abcDe,Probability,,20,2026-01-05T10:00:00Z\n\
        2,0061A00000abcDe,Probability,20,60,2026-02-05T10:00:00Z\n3,0061A00000abcDe,Amount,1,2,2026-02-05T10:00:00Z\n";
    let hubspot = r#"{"results":[{"id":"7","properties":{"dealname":"x","dealstage":"closedwon","hs_is_closed_won":"true","closedate":"2026-03-01T10:00:00Z",
        "hs_deal_stage_probability":"1.0","hs_lastmodifieddate":"2026-03-01T10:00:00Z"},"propertiesWithHistory":{"hs_deal_stage_probability":[
        {"value":"0.6","timestamp":"2026-02-05T10:00:00Z"},{"value":"0.2","timestamp":"2026-01-05T10:00:00Z"}]}}]}"#;
    let pipedrive = r#"{"success":true,"data":[{"object":"dealChange","data":{"item_id":7,"field_key":"probability","new_value":"20","log_time":"2026-01-05 10:00:00"}},
        {"object":"dealChange","data":{"item_id":7,"field_key":"probability","new_value":"60","log_time":"2026-02-05 10:00:00"}}]}"#;
    let report = "Deal ID,From Stage,To Stage,Probability (%),Last Modified\n7,New,Demo,20%,2026-01-05 10:00\n7,Demo,Offer,60%,2026-02-05 10:00\n";
    // Open deals have theirs as of their last change, from export to export.
    let open = |probability: u8, day: &str, status: &str| {
        format!(
            r#"[{{"id":"oppo_7","lead_id":"lead_1","status_type":"{status}","confidence":{probability},"date_updated":"{day}T10:00:00Z"}}]"#
        )
    };
    let (first, second) = (open(20, "2026-01-05", "active"), open(60, "2026-02-05", "active"));
    let ended = open(100, "2026-03-05", "won");
    for (deal, files) in [
        ("0061A00000abcDeQAI", vec![("h.csv", salesforce)]),
        ("0061A00000abcDeQAI", vec![("f.csv", fields)]),
        ("hubspot:7", vec![("d.json", hubspot)]),
        ("pipedrive:7", vec![("f.json", pipedrive)]),
        ("7", vec![("r.csv", report)]),
        ("oppo_7", vec![("1.json", first.as_str()), ("2.json", second.as_str()), ("3.json", ended.as_str())]),
    ] {
        let files = files.into_iter().map(|(name, content)| (name, content, None)).collect::<Vec<_>>();
        let (store, _dir) = store_of(&files).await;
        let given = store.crm_probabilities().await.unwrap().into_iter();
        let given = given.map(|p| (p.opportunity.to_string(), p.at.to_string()[..10].to_owned(), p.probability));
        let want =
            [(deal, "2026-01-05", 0.2), (deal, "2026-02-05", 0.6)].map(|(d, at, p)| (d.to_owned(), at.to_owned(), p));
        assert_eq!(given.collect::<Vec<_>>(), want, "{files:?}");
    }
    let odd = "Deal ID,To Stage,Probability (%),Last Modified\n7,Demo,180%,2026-01-05 10:00\n7,Demo,likely,2026-01-06 10:00\n";
    let (_, _, failures) = imported("odd.csv", odd.as_bytes(), None).await;
    assert!(failures.len() == 2 && failures.iter().all(|f| f.reason.contains("probability")), "{failures:?}");
}

/// The segments that the store has, by account.
async fn segments_of(store: &Store) -> Vec<(String, Option<String>)> {
    store.segments().await.unwrap().into_iter().collect()
}

fn segment(account: &str, name: &str) -> (String, Option<String>) {
    (account.to_owned(), Some(name.to_owned()))
}

#[tokio::test]
async fn a_firm_has_the_segment_that_its_export_tells() {
    let hubspot = r#"{"results":[{"id":"301","properties":{"name":"Quill","domain":"q.example","industry":"PLUMBING"}},
      {"id":"302","properties":{"name":"Vale","domain":"v.example","industry":null}}]}"#;
    let companies = "Record ID,Company name,Industry\n303,Moor,  Heating  and cooling \n";
    let salesforce = "Id,Name,BillingCity,Industry,Segment__c,IsDeleted\n0011A00000abcDeAAA,Vale,X,Retail,Large,false\n\
        0011A00000abcDfAAA,Moor,X,Retail,,false\n";
    let pipedrive = r#"{"data":[{"id":7,"name":"Quill","owner_id":1,"people_count":2,"address":null,"label":5},
      {"id":8,"name":"Vale","owner_id":1,"people_count":2,"address":null,"industry":"Roofing","label":5}]}"#;
    let labels = "Organization - ID,Organization - Name,Organization - Labels\n9,Moor,Hot lead\n";
    let close = r#"[{"id":"lead_1","display_name":"Quill","contacts":[],"custom":{"Industry":"Heating"}},
      {"id":"lead_2","display_name":"Vale","contacts":[],"custom.Segment":"Large","custom.Industry":"Roofing"}]"#;
    let leads = "id,display_name,status_label,custom.Industry\nlead_3,Moor,Open,Roofing\n";
    let zendesk = r#"{"organizations":[{"id":5,"name":"Quill","shared_tickets":false,"organization_fields":{"segment":"Large"}}]}"#;
    let generic = "Company,Size band,Industry\nAcme,10-50,Heating\n";
    let notes = "account,industry,note\nBeta,Retail,They left\nBeta,Retail,They came back\n";
    for (content, want) in [
        (hubspot, vec![segment("hubspot:301", "PLUMBING")]),
        (companies, vec![segment("hubspot:303", "Heating and cooling")]),
        (salesforce, vec![segment("0011A00000abcDeAAA", "Large")]),
        (pipedrive, vec![segment("pipedrive:7", "label 5"), segment("pipedrive:8", "Roofing")]),
        (labels, vec![segment("pipedrive:9", "Hot lead")]),
        (close, vec![segment("lead_1", "Heating"), segment("lead_2", "Large")]),
        (leads, vec![segment("lead_3", "Roofing")]),
        (zendesk, vec![segment("zendesk:5", "Large")]),
        (generic, vec![segment("Acme", "Heating")]),
        (notes, vec![segment("Beta", "Retail")]),
    ] {
        let (store, _dir) = store_of(&[("export", content, None)]).await;
        assert_eq!(segments_of(&store).await, want, "{content}");
    }
}

#[tokio::test]
async fn a_map_names_the_column_of_the_segment_in_any_export() {
    let hubspot =
        r#"{"results":[{"id":"301","properties":{"name":"Quill","domain":"q.example","industry":"X","plan":"Team"}}]}"#;
    let salesforce = "Id,Name,BillingCity,Industry,Plan__c\n0011A00000abcDeAAA,Vale,X,Retail,Solo\n0011A00000abcDfAAA,Moor,X,Retail,\n";
    let firms = "Kunde;Tarif\nAcme;Team\n";
    let (store, _dir) = store_of(&[
        ("h.json", hubspot, Some("segment = \"plan\"")),
        ("s.csv", salesforce, Some("segment = \"Plan__c\"")),
        ("f.csv", firms, Some("account = \"Kunde\"\nsegment = \"Tarif\"")),
    ])
    .await;
    assert_eq!(
        segments_of(&store).await,
        [segment("0011A00000abcDeAAA", "Solo"), segment("Acme", "Team"), segment("hubspot:301", "Team")],
        "what a map names is not mixed with an industry"
    );

    let notes = "Kunde;Tarif;Notiz\nAcme;Team;They left\n";
    let map = "account = \"Kunde\"\nsegment = \"Tarif\"\ntext = \"Notiz\"";
    let (summary, notes, failures) = imported("n.csv", notes.as_bytes(), Some(map)).await;
    assert_eq!((notes.len(), failures.len()), (1, 0));
    assert_eq!(summary["segments"], json!({"accounts": 1, "told_otherwise": 0}));

    let (summary, _, failures) = imported("h.json", hubspot.as_bytes(), Some("segment = \"plam\"")).await;
    assert_eq!(summary["files"]["refused"], 1);
    assert!(failures[0].unit == "the column map" && failures[0].reason.contains("plam"), "{failures:?}");
}

#[tokio::test]
async fn a_firm_has_one_segment_and_a_later_import_may_change_it() {
    let first = "Company ID,Company name,Industry\nA1,Acme,Heating\nA2,Beta,Roofing\n";
    let rows = "company,industry,note\nAcme,Retail,They left\nAcme,Heating,They came back\n";
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("crm");
    std::fs::create_dir(&folder).unwrap();
    let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
    std::fs::write(folder.join("a.csv"), first).unwrap();
    std::fs::write(folder.join("b.csv"), rows).unwrap();
    let run = async || {
        let summary =
            import(&store, std::slice::from_ref(&folder), None, &ZONE, NOW, Progress::new(true)).await.unwrap();
        serde_json::to_value(summary).unwrap()
    };
    let told = run().await;
    assert_eq!(told["segments"], json!({"accounts": 2, "told_otherwise": 1}));
    let want = [segment("A1", "Heating"), segment("A2", "Roofing")];
    assert_eq!(segments_of(&store).await, want, "the table of firms before what notes say of them");
    assert_eq!(run().await["done"], 0);
    std::fs::write(folder.join("a.csv"), first.replace("A2,Beta,Roofing", "A2,Beta,Retail")).unwrap();
    run().await;
    assert_eq!(segments_of(&store).await[1], segment("A2", "Retail"));
}

#[tokio::test]
async fn no_segment_is_a_person() {
    let firms = "Company ID,Company name,Segment\nA1,Acme,Bo Li\nA2,Beta,INES VALE\nA3,Gale,Team\n";
    let notes = "account,owner,contact,note\nA1,Bo Li,Ines Vale,They left\n";
    let (store, _dir) = store_of(&[("f.csv", firms, None), ("n.csv", notes, None)]).await;
    let want = [("A1".to_owned(), None), ("A2".to_owned(), None), segment("A3", "Team")];
    assert_eq!(segments_of(&store).await, want);

    let firms = "Company ID,Company name,Company owner,Segment\nA1,Acme,Özlem  Kaya,ÖZLEM KAYA\n";
    let (store, _dir) = store_of(&[("f.csv", firms, None)]).await;
    assert_eq!(segments_of(&store).await, [("A1".to_owned(), None)]);

    let long = "A".repeat(61);
    let firms = format!("Company ID,Company name,Segment\nA1,Acme,ines@quill.example\nA2,Beta,{long}\n");
    let (summary, _, failures) = imported("f.csv", firms.as_bytes(), None).await;
    assert_eq!((&summary["segments"]["accounts"], failures.len()), (&json!(0), 2));
    let is_told = |f: &Failure| f.reason.contains("segment cell") && !f.reason.contains(['@', 'A']);
    assert!(failures.iter().all(is_told), "{failures:?}");
}

#[tokio::test]
async fn deals_that_should_be_over_are_told_with_their_stages() {
    let csv = "Opportunity Name,Account Name,Stage,Close Date,Amount\nYard,Vale,Gewonnen,2026-03-01,4.5k\nRoof,Vale,Archiviert,2026-03-01,\nShed,Vale,Archiviert,2036-03-01,1-2\n";
    let (summary, _, failures) = imported("d.csv", csv.as_bytes(), None).await;
    let notice = summary["notices"][0].as_str().unwrap();
    assert!(notice.starts_with("1 deals") && notice.contains("lost_stages = [\"Archiviert\"]"), "{notice}");
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].reason.contains("amount"), "{failures:?}");
    let (summary, _, _) = imported("d.csv", csv.as_bytes(), Some("lost_stages = [\"archiviert\"]\n")).await;
    assert!(!summary["notices"].to_string().contains("lost_stages"), "{summary}");
}

#[tokio::test]
async fn an_amount_of_a_note_that_cannot_be_read_is_told() {
    let csv = "Account,Note,Amount\nVale,They wait,100-200\nVale,They go on,4.5k\nVale,They are done,soon\n";
    let (_, notes, failures) = imported("n.csv", csv.as_bytes(), None).await;
    let mut amounts: Vec<_> = notes.iter().map(|n| (n.text.as_str(), n.amount)).collect();
    amounts.sort_by_key(|(text, _)| *text);
    assert_eq!(amounts, [("They are done", None), ("They go on", Some(4500.0)), ("They wait", None)]);
    assert!(
        matches!(&failures[..], [one] if one.unit.ends_with("record 1") && one.reason.contains("amount")),
        "{failures:?}"
    );
}

#[tokio::test]
async fn of_two_columns_with_one_name_the_first_filled_is_read() {
    let csv = "Account,Note,Note\nVale,one,\nVale,,two\n";
    let (_, notes, failures) = imported("n.csv", csv.as_bytes(), None).await;
    let mut texts: Vec<_> = notes.iter().map(|n| n.text.as_str()).collect();
    texts.sort_unstable();
    assert_eq!((texts, failures), (vec!["one", "two"], vec![]));
}

#[tokio::test]
async fn a_first_page_is_told() {
    let page = r#"{"results":[{"id":"1","properties":{"hs_note_body":"Fine.","company":"Vale"}}],"paging":{"next":{"after":"7"}}}"#;
    let (summary, notes, _) = imported("n.json", page.as_bytes(), None).await;
    assert_eq!(notes.len(), 1);
    assert!(summary["notices"][0].as_str().unwrap().contains("a first page only"), "{summary}");
}

#[tokio::test]
async fn words_of_deals_are_counted() {
    let csv = "Id,StageName,CloseDate,AccountId,Description,NextStep\n006A0000000001,Closed Lost,2026-03-01,001A,too dear,\n006A0000000002,Open,2026-03-01,001A,,\n";
    let (summary, _, _) = imported("o.csv", csv.as_bytes(), None).await;
    assert_eq!(summary["skipped_why"][record::WORDS_OF_A_DEAL], 1, "{summary}");
}

#[tokio::test]
async fn what_json_nests_is_mapped_and_lists_are_text() {
    let lines = "{\"Kunde\":\"Vale\",\"Bemerkung\":\"one\",\"Wer\":{\"name\":\"Bo\"}}\n{\"Kunde\":\"Vale\",\"Bemerkung\":[\"two\",\"three\"]}\n";
    let map = "account = \"Kunde\"\ntext = \"Bemerkung\"\nowner = \"Wer.name\"\n";
    let (_, notes, failures) = imported("n.jsonl", lines.as_bytes(), Some(map)).await;
    assert_eq!(failures, []);
    let mut told: Vec<_> = notes.iter().map(|n| (n.text.as_str(), n.owner.as_deref())).collect();
    told.sort_unstable();
    assert_eq!(told, [("one", Some("Bo")), ("two\nthree", None)]);
}

#[tokio::test]
async fn the_day_of_a_salesforce_report_is_the_activitys() {
    let csv = "Subject,Full Comments,Assigned,Date,Company / Account\nCall,They said it is slow,Bo Li,2/14/2026,Vale\n";
    let (_, notes, _) = imported("r.csv", csv.as_bytes(), None).await;
    assert_eq!(
        (notes[0].written_at, notes[0].happened_at.map(|at| at.to_string())),
        (None, Some("2026-02-14T00:00:00Z".to_owned()))
    );
}
