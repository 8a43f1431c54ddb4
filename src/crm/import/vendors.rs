//! One small, invented export of each vendor's layout.

use super::tests::NOW;
use super::*;
use crate::model::{Note, NoteKind, Outcome, Recipe};
use crate::store::{LateNote, StoredDeal};

/// What a folder of exports turned into.
struct World {
    summary: Value,
    notes: Vec<Note>,
    deals: Vec<StoredDeal>,
    stages: Vec<(String, String, String)>,
    names: Vec<(Option<String>, String)>,
    late: Vec<LateNote>,
    failures: Vec<String>,
}

impl World {
    fn note(&self, id: &str) -> &Note {
        self.notes.iter().find(|n| n.id.as_str() == id).unwrap_or_else(|| panic!("no note {id} in {:?}", self.notes))
    }

    fn texts(&self) -> Vec<&str> {
        self.notes.iter().map(|n| n.text.as_str()).collect()
    }

    fn deal(&self, id: &str) -> &StoredDeal {
        self.deals.iter().find(|d| d.opportunity.id.as_str() == id).unwrap_or_else(|| panic!("no deal {id}"))
    }
}

/// Imports a folder of files twice; the second time must change nothing.
async fn world(files: &[(&str, &str)]) -> World {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("crm");
    std::fs::create_dir(&folder).unwrap();
    for (name, content) in files {
        std::fs::write(folder.join(name), content).unwrap();
    }
    let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
    let run = || import(&store, std::slice::from_ref(&folder), None, &ZONE, NOW, Progress::new(true));
    let summary = run().await.unwrap();
    let again = run().await.unwrap();
    assert_eq!(again.done, 0, "importing again changes nothing: {again:?}");
    let stages = store.stage_changes().await.unwrap().into_iter();
    let names = store.contact_names().await.unwrap().into_iter();
    World {
        summary: serde_json::to_value(summary).unwrap(),
        notes: store.notes(&Recipe::stored("none")).await.unwrap().into_iter().map(|n| n.note).collect(),
        deals: store.deals().await.unwrap(),
        stages: stages.map(|s| (s.opportunity.to_string(), s.at.to_string(), s.stage)).collect(),
        names: names.map(|(account, name)| (account.map(|a| a.to_string()), name)).collect(),
        late: store.late_notes().await.unwrap(),
        failures: store.failures().await.unwrap().into_iter().map(|f| format!("{}: {}", f.unit, f.reason)).collect(),
    }
}

static ZONE: std::sync::LazyLock<Zone> = std::sync::LazyLock::new(Zone::default);

fn time(at: Option<jiff::Timestamp>) -> String {
    at.map(|t| t.to_string()).unwrap_or_default()
}

pub(super) const HUBSPOT_NOTES: &str = r#"{"results":[
 {"id":"801","properties":{"hs_note_body":"<p>They lose half a day to routes.</p>","hs_timestamp":"2026-03-02T10:00:00Z",
   "hs_createdate":"2026-03-02T18:00:00Z","hs_lastmodifieddate":"2026-05-09T08:00:00Z","hubspot_owner_id":"77"},
  "createdAt":"2026-03-02T18:00:00Z","archived":false,
  "associations":{"deals":{"results":[{"id":"501","type":"note_to_deal"}]},"contacts":{"results":[{"id":"9"}]}}},
 {"id":"802","properties":{"hs_call_title":"Second call","hs_call_body":"Wants a price.","hs_timestamp":"1772618400000"},
  "associations":{"companies":{"results":[{"id":"301","type":"call_to_company"}]}}},
 {"id":"803","properties":{"hs_note_body":"gone","hs_timestamp":"2026-03-02T10:00:00Z"},"archived":true},
 {"id":"804","properties":{"hs_email_subject":"Re: offer","hs_email_text":"Tuesday works.\n\nOn Mon, Mar 2, 2026 at 9:00 AM Rep wrote:\n> shall we?",
   "hs_email_direction":"INCOMING_EMAIL","hs_email_from_email":"ines.vale@quill.example","hs_timestamp":"2026-03-03T09:00:00Z"}},
 {"id":"805","properties":{"hs_task_subject":"Call","hs_task_body":null,"hs_timestamp":"2026-03-03T09:00:00Z"},
  "associations":{"companies":{"results":[{"id":"301"}]}}},
 {"id":"806","properties":{"hs_note_body":"Whose is this?","hs_timestamp":"2026-03-03T09:00:00Z"}}
],"paging":{"next":{"after":"2"}}}"#;

pub(super) const HUBSPOT_DEALS: &str = r#"{"results":[{"id":"501","properties":{"dealname":"Quill rollout","dealstage":"closedwon","amount":"4800",
 "closedate":"2026-05-01T12:00:00Z","createdate":"2026-02-01T09:00:00Z","hs_is_closed_won":"true","hs_lastmodifieddate":"2026-05-01T12:00:00Z"},
 "propertiesWithHistory":{"dealstage":[{"value":"closedwon","timestamp":"2026-05-02T09:00:00Z"},{"value":"qualified","timestamp":"2026-02-01T09:00:00Z"}]},
 "associations":{"companies":{"results":[{"id":"301","type":"deal_to_company"}]}}}]}"#;

#[tokio::test]
async fn hubspot_objects_find_their_firm_by_deal_and_person() {
    let companies =
        r#"{"results":[{"id":"301","properties":{"name":"Quill Heating","domain":"quill.example","industry":"x"}}]}"#;
    let contacts = r#"{"results":[{"id":"9","properties":{"firstname":"Ines","lastname":"Vale","email":"ines.vale@quill.example"},
      "associations":{"companies":{"results":[{"id":"301"}]}}}]}"#;
    let owners = r#"{"results":[{"id":"77","email":"rep@us.example","firstName":"Bo","lastName":"Li","userId":5}]}"#;
    let w = world(&[
        ("1.json", HUBSPOT_NOTES),
        ("2.json", HUBSPOT_DEALS),
        ("3.json", companies),
        ("4.json", contacts),
        ("5.json", owners),
    ])
    .await;
    let note = w.note("hubspot:801");
    assert_eq!((note.account.as_str(), note.opportunity.as_ref().unwrap().as_str()), ("hubspot:301", "hubspot:501"));
    assert_eq!(note.text, "They lose half a day to routes.");
    assert_eq!(time(note.happened_at), "2026-03-02T10:00:00Z");
    assert_eq!(time(note.written_at), "2026-03-02T18:00:00Z");
    assert_eq!(time(note.modified_at), "2026-05-09T08:00:00Z");
    assert_eq!(
        (w.note("hubspot:802").kind, w.note("hubspot:802").text.as_str()),
        (NoteKind::Call, "Second call\nWants a price.")
    );
    let mail = w.note("hubspot:804");
    assert_eq!((mail.account.as_str(), mail.text.as_str()), ("hubspot:301", "Re: offer\nTuesday works."));
    let deal = w.deal("hubspot:501");
    assert_eq!((deal.opportunity.outcome, deal.opportunity.amount), (Outcome::Won, Some(4800.0)));
    assert_eq!(time(deal.ended_at), "2026-05-02T09:00:00Z", "the history knows better than the field");
    assert_eq!(w.stages.len(), 2);
    assert_eq!(w.late.len(), 1, "edited after the end");
    assert!(!w.late[0].written);
    assert_eq!(w.summary["after_the_outcome"]["edited"], 1);
    assert_eq!(w.names, [(Some("hubspot:301".to_owned()), "Ines Vale".to_owned())]);
    assert_eq!(w.summary["skipped_why"]["deleted in the CRM"], 1);
    assert_eq!(w.summary["skipped_why"]["only a short title"], 1);
    assert_eq!(w.failures.len(), 1);
    assert!(w.failures[0].contains("record 6") && w.failures[0].contains("its associations"), "{:?}", w.failures);
    assert_eq!(w.summary["formats"]["HubSpot activities (API)"]["notes"], 4);
}

#[tokio::test]
async fn pages_appended_to_one_file_are_all_read() {
    let page = |id: u32, after: &str| {
        format!(
            r#"{{"results":[{{"id":"{id}","properties":{{"hs_note_body":"Page {id}","company":"Acme"}}}}],"paging":{after}}}"#
        )
    };
    let w = world(&[("n.json", &format!("{}\n{}\n", page(1, "{}"), page(2, "null")))]).await;
    assert_eq!((w.failures.len(), w.texts()), (0, vec!["Page 1", "Page 2"]));
    let w = world(&[("n.json", &format!("{}\n{}", page(1, "{}"), "no page"))]).await;
    assert_eq!((w.failures.len(), w.texts()), (1, vec!["Page 1"]), "what follows is told");
}

#[tokio::test]
async fn hubspot_engagements_in_both_spellings() {
    let export = r#"[{"engagement":{"type":"NOTE","timestamp":"Jan 05, 2026 03:12 PM UTC","createdBy":77},"metadata":{"body":"They use a whiteboard."},
      "associations":{"companyIds":[301],"dealIds":[501]}},
     {"engagement":{"id":12,"type":"EMAIL","timestamp":1767625920000,"createdAt":1767625920000,"lastUpdated":1767625920001},
      "metadata":{"from":{"email":"rep@us.example"},"to":[{"email":"tam.okoro@vale.example","firstName":"Tam","lastName":"Okoro"}],"subject":"Offer","text":"As promised."}}]"#;
    let w = world(&[("a.json", export)]).await;
    assert_eq!(w.failures, [""; 0]);
    assert_eq!(w.note("hubspot:12").account.as_str(), "vale.example", "by the address, when the CRM knows no firm");
    let note = w.notes.iter().find(|n| n.kind == NoteKind::Note).unwrap();
    assert_eq!((time(note.happened_at).as_str(), note.owner.as_deref()), ("2026-01-05T15:12:00Z", Some("hubspot:77")));
    assert!(w.names.iter().any(|(_, name)| name == "Tam Okoro"));
}

#[tokio::test]
async fn hubspot_tables_by_label() {
    let notes = "Record ID,Note body,Activity date,Create date,Last modified date,Activity assigned to,Associated Company IDs,Associated Deal IDs,Associated Contact\n\
        901,\"<p>Two vans idle</p>\",2026-03-01 09:00,2026-03-02 10:00,2026-03-02 10:00,Bo Li,301;302,501,Ines Vale\n";
    let deals = "Record ID,Deal Name,Deal Stage,Pipeline,Amount,Close Date,Create Date,Deal owner,Associated Company IDs\n\
        501,Quill rollout,Closed lost,Sales,\"4,800\",2026-02-27,2026-01-01 08:00,Bo Li,301\n";
    let companies = "Record ID,Company name,Company Domain Name,Industry\n301,Quill Heating,quill.example,heating\n";
    let w = world(&[("n.csv", notes), ("d.csv", deals), ("c.csv", companies)]).await;
    assert_eq!(w.failures, [""; 0]);
    let note = w.note("hubspot:901");
    assert_eq!(
        (note.account.as_str(), note.owner.as_deref(), note.text.as_str()),
        ("hubspot:301", Some("Bo Li"), "Two vans idle")
    );
    let deal = w.deal("hubspot:501");
    assert_eq!((deal.opportunity.outcome, deal.opportunity.amount), (Outcome::Lost, Some(4800.0)));
    assert_eq!(time(deal.ended_at), "2026-02-27T23:59:59.999Z", "a day counts to its end");
    assert!(w.late[0].written, "entered three days after the deal was lost");
    assert_eq!(w.summary["after_the_outcome"]["written"], 1);
    assert_eq!(w.names, [(Some("hubspot:301".to_owned()), "Ines Vale".to_owned())]);
}

/// That a deal is over is not yet how it ended.
#[tokio::test]
async fn a_closed_deal_is_won_or_lost_by_what_says_so() {
    let table = "Opportunity Name,Account Name,Stage,Close Date,Closed\nYard,Vale,Closed Won,2026-03-01,1\n\
        Roof,Vale,Closed Lost - Not a fit,2026-03-01,1\nBarn,Vale,Over,2026-03-01,1\nShed,Vale,Demo,2026-03-01,0\n";
    let label = "Record ID,Deal Name,Deal Stage,Close Date,Is Deal Closed?\n7,Mill,Closed won,2026-03-01,true\n";
    let objects = r#"{"results":[
      {"id":"1","properties":{"dealname":"Quay","dealstage":"closedwon","hs_is_closed":"true","hs_deal_stage_probability":"1"}},
      {"id":"2","properties":{"dealname":"Dock","dealstage":"77","hs_is_closed":"true","hs_deal_stage_probability":"1"}},
      {"id":"3","properties":{"dealname":"Pier","dealstage":"closedwon","hs_is_closed":"true","hs_is_closed_won":"false"}},
      {"id":"4","properties":{"dealname":"Lock","dealstage":"77","hs_is_closed":"true"}}]}"#;
    let w = world(&[("t.csv", table), ("l.csv", label), ("o.json", objects)]).await;
    assert_eq!(w.failures, [""; 0]);
    let ended = |name: &str| {
        let of_name = |d: &&StoredDeal| d.opportunity.name.as_deref() == Some(name);
        w.deals.iter().find(of_name).map(|d| d.opportunity.outcome)
    };
    for (name, outcome) in [
        ("Yard", Outcome::Won),
        ("Roof", Outcome::Lost),
        ("Barn", Outcome::Lost),
        ("Shed", Outcome::Open),
        ("Mill", Outcome::Won),
        ("Quay", Outcome::Won),
        ("Dock", Outcome::Won),
        ("Pier", Outcome::Lost),
        ("Lock", Outcome::Lost),
    ] {
        assert_eq!(ended(name), Some(outcome), "{name}");
    }
}

#[tokio::test]
async fn salesforce_tables_by_api_names() {
    let tasks = "Id,WhoId,WhatId,Subject,ActivityDate,Status,Priority,OwnerId,Description,IsDeleted,AccountId,CreatedDate,LastModifiedDate,TaskSubtype\n\
        00T1A00000abcDeAAA,0031A00000abcDeAAA,0061A00000abcDe,Call,2026-03-01,Completed,Normal,0051A00000abcDeAAA,\"They print\nevery job.\",false,,2026-03-02T10:30:00.000Z,2026-03-02T10:30:00.000+0000,Call\n\
        00T1A00000abcDfAAA,0031A00000abcDeAAA,,Email: offer,2026-03-01,Completed,Normal,x,\"Price is fine.\n\n-----Original Message-----\nold\",0,,2026-03-02T10:30:00.000Z,,Email\n\
        00T1A00000abcDgAAA,,,x,,,,,gone,TRUE,0011A00000abcDeAAA,2026-03-02T10:30:00.000Z,,Task\n";
    let events = "Id,WhatId,Subject,ActivityDateTime,EndDateTime,Description,OwnerId,AccountId,CreatedDate\n\
        00U1A00000abcDeAAA,,On-site visit,2026-03-05T09:00:00.000Z,2026-03-05T10:00:00.000Z,Showed us the yard.,o,0011A00000abcDeAAA,2026-03-04T09:00:00.000Z\n";
    let deals = "Id,AccountId,Name,Description,StageName,Amount,CloseDate,IsClosed,IsWon,OwnerId,CreatedDate,LastModifiedDate\n\
        0061A00000abcDeQAI,0011A00000abcDeAAA,Yard,x,Closed Won,120.5,2026-06-30,true,true,o,2026-01-01T00:00:00.000Z,2026-06-30T10:00:00.000Z\n";
    let history = "Id,OpportunityId,StageName,Amount,CreatedDate\n1,0061A00000abcDeQAI,Prospecting,,2026-01-01T00:00:00.000Z\n2,0061A00000abcDeQAI,Closed Won,,2026-02-28T12:00:00.000Z\n";
    let fields = "Id,OpportunityId,Field,OldValue,NewValue,CreatedDate\n1,0061A00000abcDeQAI,StageName,Prospecting,Demo,2026-02-01T00:00:00.000Z\n2,0061A00000abcDeQAI,Amount,1,2,2026-02-01T00:00:00.000Z\n";
    let accounts = "Id,Name,BillingCity,Website,OwnerId,IsDeleted\n0011A00000abcDeAAA,Vale Plumbing,X,https://www.vale.example,o,false\n";
    let contacts = "Id,AccountId,FirstName,LastName,Email,OwnerId\n0031A00000abcDeAAA,0011A00000abcDeAAA,Tam,Okoro,tam@vale.example,o\n";
    let note = "Id,ParentId,Title,Body,OwnerId,CreatedDate\n0021A00000abcDeAAA,0011A00000abcDeAAA,Visit,Two people type it twice.,o,2026-02-02T00:00:00.000Z\n";
    let content = "Id,Title,Content,TextPreview,OwnerId,CreatedDate\n0691A00000abcDeAAA,Kick-off,PHA+VGhleSBsb3NlIGEgZGF5LjwvcD4=,They,o,2026-02-03T00:00:00.000Z\n";
    let links = "Id,ContentDocumentId,LinkedEntityId\n1,0691A00000abcDeAAA,0051A00000abcDeAAA\n2,0691A00000abcDeAAA,0061A00000abcDeQAI\n";
    let users = "Id,Username,Name,ProfileId\no,bo@us.example,Bo Li,p\n";
    let w = world(&[
        ("a.csv", tasks),
        ("b.csv", events),
        ("c.csv", deals),
        ("d.csv", history),
        ("e.csv", fields),
        ("f.csv", accounts),
        ("g.csv", contacts),
        ("h.csv", note),
        ("i.csv", content),
        ("j.csv", links),
        ("k.csv", users),
    ])
    .await;
    assert_eq!(w.failures, [""; 0]);
    let call = w.note("00T1A00000abcDeAAA");
    assert_eq!((call.kind, call.text.as_str()), (NoteKind::Call, "Call\nThey print\nevery job."));
    assert_eq!(call.account.as_str(), "0011A00000abcDeAAA", "by its deal, whose short id is the long one");
    assert_eq!(call.opportunity.as_ref().unwrap().as_str(), "0061A00000abcDeQAI");
    let mail = w.note("00T1A00000abcDfAAA");
    assert_eq!((mail.account.as_str(), mail.text.as_str()), ("0011A00000abcDeAAA", "Email: offer\nPrice is fine."));
    assert_eq!(w.note("00U1A00000abcDeAAA").kind, NoteKind::Meeting);
    assert_eq!(w.note("0691A00000abcDeAAA").text, "Kick-off\nThey lose a day.");
    assert_eq!(w.note("0691A00000abcDeAAA").account.as_str(), "0011A00000abcDeAAA");
    assert_eq!(time(w.deal("0061A00000abcDeQAI").ended_at), "2026-02-28T12:00:00Z");
    assert_eq!(w.stages.len(), 3);
    assert_eq!(w.late.len(), 1, "the call was entered after the deal was won");
    assert_eq!(w.names, [(Some("0011A00000abcDeAAA".to_owned()), "Tam Okoro".to_owned())]);
    let files = |name: &str| w.summary["formats"][name]["files"].as_u64();
    for name in [
        "Task",
        "Event",
        "Opportunity",
        "OpportunityHistory",
        "OpportunityFieldHistory",
        "Account",
        "Contact",
        "Note",
        "ContentNote",
        "ContentDocumentLink",
        "User",
    ] {
        assert_eq!(files(&format!("Salesforce {name}")), Some(1), "{name}");
    }
}

#[tokio::test]
async fn salesforce_reports_have_labels_and_lines_below() {
    let report = "\"Subject\",\"Full Comments\",\"Assigned\",\"Date\",\"Created Date\",\"Contact\",\"Opportunity\",\"Company / Account\"\r\n\
        \"Demo\",\"They liked the map.\",\"Bo Li\",\"3/4/2026\",\"3/20/2026\",\"Tam Okoro\",\"Yard\",\"Vale Plumbing\"\r\n\r\n\
        \"Grand Totals (1 records)\"\r\n\"\"\r\n\"Confidential Information - Do Not Distribute\"\r\n\"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved.\"\r\n\
        \"Tasks of the last quarter\"\r\n\"Example Pumps and Sons\"\r\n";
    let deals = "Opportunity Name,Account Name,Stage,Amount,Close Date,Opportunity Owner,Created Date,Won,Closed\nYard,Vale Plumbing,Closed Won,9,3/31/2026,Bo Li,1/13/2026,1,1\n";
    let history = "Opportunity Name,From Stage,To Stage,Last Modified\nYard,Demo,Closed Won,3/30/2026\n";
    let w = world(&[("r.csv", report), ("o.csv", deals), ("h.csv", history)]).await;
    assert_eq!(w.failures, [""; 0]);
    let [note] = w.notes.as_slice() else { panic!("{:?}", w.notes) };
    assert_eq!((note.account.as_str(), note.text.as_str()), ("Vale Plumbing", "Demo\nThey liked the map."));
    assert_eq!(time(note.happened_at), "2026-03-04T00:00:00Z", "the other dates show that the month comes first");
    assert_eq!(time(note.written_at), "2026-03-20T00:00:00Z");
    let [deal] = w.deals.as_slice() else { panic!("{:?}", w.deals) };
    assert_eq!(note.opportunity.as_ref(), Some(&deal.opportunity.id), "a deal that is named is found");
    assert_eq!(time(deal.ended_at), "2026-03-30T00:00:00Z");
    assert_eq!(w.summary["skipped_why"]["footer of the report"], 5);
}

#[tokio::test]
async fn pipedrive_by_api_and_by_table() {
    let notes = r#"{"success":true,"data":[{"id":7,"user_id":3,"deal_id":41,"person_id":5,"org_id":21,"lead_id":null,"content":"<b>Late</b> invoices","add_time":"2026-03-01 10:00:00","update_time":"2026-03-01 10:00:00","active_flag":true,
      "organization":{"name":"Okoro Roofs"},"person":{"name":"Ada Okoro"},"deal":{"title":"Roofs"},"user":{"name":"Bo","email":"bo@us.example"}},
      {"id":8,"content":"x","add_time":"2026-03-01 10:00:00","active_flag":false,"org_id":21}],"additional_data":{"pagination":{"start":0}}}"#;
    let deals = r#"{"success":true,"data":[{"id":41,"title":"Roofs","stage_id":2,"status":"lost","value":900,"currency":"EUR","add_time":"2026-01-01 10:00:00","update_time":"2026-03-05 10:00:00","lost_time":"2026-03-05 10:00:00","close_time":"2026-03-05 10:00:00",
      "org_id":{"name":"Okoro Roofs","value":21},"person_id":{"name":"Ada Okoro","value":5,"email":[{"value":"ada@okoro.example","primary":true}]},"user_id":{"id":3,"name":"Bo"}}]}"#;
    let activities = r#"{"success":true,"data":[{"id":7,"type":"call","subject":"Call about roofs","note":"No answer, <br>left word","due_date":"2026-03-02","due_time":"08:30","add_time":"2026-03-02 09:00:00","deal_id":41,"org_id":21,"done":true}]}"#;
    let flow = r#"{"success":true,"data":[{"object":"dealChange","timestamp":"2026-02-01 10:00:00","data":{"item_id":41,"field_key":"stage_id","old_value":"1","new_value":"2","log_time":"2026-02-01 10:00:00"}},
      {"object":"dealChange","data":{"item_id":41,"field_key":"value","new_value":"900"}}]}"#;
    let w = world(&[("n.json", notes), ("d.json", deals), ("a.json", activities), ("f.json", flow)]).await;
    assert_eq!(w.failures, [""; 0]);
    let note = w.note("pipedrive:7");
    assert_eq!((note.account.as_str(), note.text.as_str()), ("pipedrive:21", "Late invoices"));
    assert_eq!(time(note.written_at), "2026-03-01T10:00:00Z");
    let call = w.note("pipedrive:activity:7");
    assert_eq!((call.kind, call.text.as_str()), (NoteKind::Call, "Call about roofs\nNo answer,\nleft word"));
    assert_eq!(time(call.happened_at), "2026-03-02T08:30:00Z");
    let deal = w.deal("pipedrive:41");
    assert_eq!((deal.opportunity.outcome, time(deal.ended_at).as_str()), (Outcome::Lost, "2026-03-05T10:00:00Z"));
    assert_eq!(w.stages.len(), 1);
    assert_eq!(w.names, [(Some("pipedrive:21".to_owned()), "Ada Okoro".to_owned())]);

    let notes = "Note - ID,Note - Content,Note - Deal,Note - Person,Note - Organization,Note - User,Note - Add time,Note - Update time\n7,Late invoices,Roofs,Ada Okoro,Okoro Roofs,Bo,2026-03-01 10:00:00,2026-03-06 10:00:00\n";
    let deals = "Deal - ID,Deal - Title,Deal - Organization,Deal - Stage,Deal - Status,Deal - Value,Deal - Owner,Deal - Deal created,Deal - Won time,Deal - Lost time\n41,Roofs,Okoro Roofs,Offer,Lost,900,Bo,2026-01-01 10:00:00,,2026-03-05 10:00:00\n";
    let w = world(&[("n.csv", notes), ("d.csv", deals)]).await;
    assert_eq!(w.failures, [""; 0]);
    assert_eq!(w.note("pipedrive:7").account.as_str(), "Okoro Roofs");
    assert_eq!(w.note("pipedrive:7").opportunity.as_ref().unwrap().as_str(), "pipedrive:41");
    assert_eq!((w.deal("pipedrive:41").opportunity.outcome, w.late.len()), (Outcome::Lost, 1));
}

/// Views of lists put before each column of which kind it is, those of other kinds among them.
#[tokio::test]
async fn pipedrive_lists_name_their_columns_by_kind() {
    let deals = "Organization - Name,Person - Name,Deal - Title,Deal - Value,Deal - Stage,Deal - Status,Deal - Lost time,Deal - ID,Deal - Owner,Lead - ID\nOkoro Roofs,Ada Okoro,Yard,\"4,800\",Demo,Lost,2026-03-05 10:00:00,7,Bo Li,x1\n";
    let organizations =
        "Organization - Name*,Organization - Owner,Organization - Pipedrive System ID\nOkoro Roofs,Bo Li,21\n";
    let people = "Person - Name,Person - Email (Work),Person - ID,Organization - Name\nAda Okoro,ada@okoro.example,5,Okoro Roofs\n";
    let activities = "Activity - ID,Activity - Subject,Activity - Type,Activity - Due date,Activity - Note,Deal - Title,Organization - Name,Person - Name,Lead - ID\n12,Yard,Call,2026-03-01,Vans idle all day,Yard,Okoro Roofs,Ada Okoro,x1\n13,Short,Demo,2026-03-01,,,Okoro Roofs,,\n";
    let notes = "Note - ID,Note - Content,Note - Add time,Deal - Title,Organization - Name,Person - Name\n12,They retype orders,2026-03-01 10:00:00,Yard,,Ada Okoro\n14,Nobody answers,2026-03-01 10:00:00,,Okoro Roofs,\n";
    let w = world(&[
        ("a.csv", activities),
        ("d.csv", deals),
        ("n.csv", notes),
        ("o.csv", organizations),
        ("p.csv", people),
    ])
    .await;
    assert_eq!(w.failures, [""; 0]);
    let deal = w.deal("pipedrive:7");
    assert_eq!((deal.opportunity.name.as_deref(), deal.opportunity.outcome), (Some("Yard"), Outcome::Lost));
    assert_eq!(deal.opportunity.account.as_ref().map(AccountId::as_str), Some("pipedrive:21"));
    let told = w.notes.iter().map(|n| {
        let deal = n.opportunity.as_ref().map_or("", |o| o.as_str());
        (n.id.as_str(), n.account.as_str(), deal, n.kind, n.text.as_str())
    });
    let mut told: Vec<_> = told.collect();
    told.sort_unstable_by_key(|note| note.0);
    let want = [
        ("pipedrive:12", "pipedrive:21", "pipedrive:7", NoteKind::Note, "They retype orders"),
        ("pipedrive:14", "pipedrive:21", "", NoteKind::Note, "Nobody answers"),
        ("pipedrive:activity:12", "pipedrive:21", "pipedrive:7", NoteKind::Call, "Yard\nVans idle all day"),
    ];
    assert_eq!(told, want);
    assert_eq!(w.summary["skipped_why"]["only a short title"], 1);
    assert!(w.names.contains(&(Some("pipedrive:21".to_owned()), "Ada Okoro".to_owned())), "{:?}", w.names);
}

#[tokio::test]
async fn close_activities_and_leads() {
    let notes = r#"{"has_more":false,"data":[
      {"_type":"Note","id":"acti_1","lead_id":"lead_1","contact_id":"cont_1","user_id":"user_1","user_name":"Bo","note":"They retype orders.","date_created":"2026-03-01T10:00:00.123000+00:00","date_updated":"2026-03-01T10:00:00+00:00","activity_at":"2026-02-28T09:00:00+00:00"},
      {"_type":"OpportunityStatusChange","id":"acti_2","lead_id":"lead_1","opportunity_id":"oppo_1","new_status_label":"Won","new_status_type":"won","date_created":"2026-03-03T10:00:00+00:00"},
      {"_type":"EmailThread","id":"acti_3","lead_id":"lead_1"}]}"#;
    let leads = r#"[{"id":"lead_1","display_name":"Quill Heating","url":"http://quill.example","contacts":[{"id":"cont_1","name":"Ines Vale","emails":[{"email":"ines@quill.example"}]}],
      "opportunities":[{"id":"oppo_1","lead_id":"lead_1","status_label":"Won","status_type":"won","value":480000,"date_created":"2026-02-01T00:00:00+00:00","date_won":"2026-03-02","note":"Asked for a pilot."}],
      "activities":[{"_type":"Call","id":"acti_4","note":"Rang twice, no luck","date_created":"2026-02-02T00:00:00+00:00"},
       {"_type":"Note","id":"acti_1","note":"They retype orders.","user_name":"Bo","date_created":"2026-03-01T10:00:00.123000+00:00"}]}]"#;
    let w = world(&[("n.json", notes), ("l.json", leads)]).await;
    assert_eq!(w.failures, [""; 0]);
    let note = w.note("acti_1");
    assert_eq!(
        (time(note.written_at).as_str(), time(note.happened_at).as_str()),
        ("2026-03-01T10:00:00.123Z", "2026-02-28T09:00:00Z")
    );
    assert_eq!(w.note("acti_4").account.as_str(), "lead_1");
    assert_eq!(w.note("oppo_1:note").text, "Asked for a pilot.");
    let deal = w.deal("oppo_1");
    assert_eq!((deal.opportunity.amount, time(deal.ended_at).as_str()), (Some(4800.0), "2026-03-03T10:00:00Z"));
    assert_eq!(w.names.len(), 1);
}

#[tokio::test]
async fn close_leads_and_opportunities_by_table() {
    let leads = "id,display_name,status_label,url,primary_contact_name,primary_contact_primary_email\nlead_1,Quill,Potential,https://quill.example,Ines Vale,ines@quill.example\n";
    let deals = "id,lead_id,lead_name,status_label,status_type,value,value_formatted,confidence,date_won,date_lost,note,user_name,date_created,date_updated\noppo_1,lead_1,Quill,Lost,lost,480000,\"$4,800\",0,,2026-03-01,They chose paper.,Bo Li,2026-01-01T10:00:00+00:00,2026-03-02T10:00:00+00:00\noppo_2,lead_1,Quill,Demo,active,90000,$900,1,,,,Bo Li,2026-01-01T10:00:00+00:00,2026-03-02T10:00:00+00:00\n";
    let w = world(&[("o.csv", deals), ("l.csv", leads)]).await;
    assert_eq!(w.failures, [""; 0]);
    let note = w.note("oppo_1:note");
    assert_eq!((note.account.as_str(), note.text.as_str()), ("lead_1", "They chose paper."));
    let deal = w.deal("oppo_1");
    assert_eq!((deal.opportunity.outcome, deal.opportunity.amount), (Outcome::Lost, Some(4800.0)));
    assert_eq!(time(deal.ended_at), "2026-03-01T23:59:59.999Z");
    assert_eq!(w.deal("oppo_2").opportunity.outcome, Outcome::Open);
    assert_eq!(w.names, [(Some("lead_1".to_owned()), "Ines Vale".to_owned())]);
}

#[tokio::test]
async fn a_bad_part_of_a_lead_costs_itself_only() {
    let leads = r#"[{"id":"lead_1","display_name":"Quill","opportunities":[{"value":1},{"id":"oppo_2","value":1}],
      "activities":[{"_type":"OpportunityStatusChange","id":"acti_1"},{"_type":"OpportunityStatusChange","id":"acti_2"},
       {"_type":"Note","id":"acti_3","note":"They retype orders."}]}]"#;
    let w = world(&[("l.json", leads)]).await;
    assert_eq!((w.texts(), w.deals.len()), (vec!["They retype orders."], 1));
    assert_eq!(w.failures.len(), 1);
    let told = ["3 of its parts", "without an id", "change of status"];
    assert!(told.iter().all(|part| w.failures[0].contains(part)), "{:?}", w.failures);
}

#[tokio::test]
async fn gong_calls_are_joined_to_their_transcripts_without_names() {
    let calls = r#"{"requestId":"r","records":{"totalRecords":3},"calls":[
      {"metaData":{"id":"71","started":"2026-03-01T10:00:00+01:00","primaryUserId":"u1","title":"Intro"},
       "parties":[{"id":"a","name":"Bo Li","speakerId":"1","affiliation":"Internal","emailAddress":"bo@us.example"},
                  {"id":"b","name":"Ines Vale","speakerId":"2","affiliation":"External","emailAddress":"ines@quill.example"},
                  {"id":"c","name":"Tam Okoro","speakerId":"3","affiliation":"External","emailAddress":"tam@quill.example"}],
       "context":[{"system":"Salesforce","objects":[{"objectType":"Opportunity","objectId":"0061A00000abcDeQAI"}]}]},
      {"metaData":{"id":"72","started":"2026-03-02T10:00:00Z"},"parties":[{"emailAddress":"x@vale.example","affiliation":"External"}],"content":{"brief":"They asked for a price."}},
      {"metaData":{"id":"73","started":"2026-03-02T10:00:00Z"},"parties":[]}]}"#;
    let transcripts = r#"{"requestId":"r","callTranscripts":[
      {"callId":"71","transcript":[{"speakerId":"1","sentences":[{"start":0,"end":1,"text":"How do you plan?"}]},
        {"speakerId":"2","sentences":[{"start":1,"end":2,"text":"On paper."},{"start":2,"end":3,"text":"It takes a day."}]},
        {"speakerId":"2","sentences":[{"start":3,"end":4,"text":"Every week."}]},
        {"speakerId":"3","sentences":[{"start":4,"end":5,"text":"Two."}]}]},
      {"callId":"99","transcript":[]}]}"#;
    let w = world(&[("a.json", transcripts), ("b.json", calls)]).await;
    let note = w.note("gong:71");
    assert_eq!(note.text, "Rep: How do you plan?\nBuyer 1: On paper. It takes a day. Every week.\nBuyer 2: Two.");
    assert_eq!((note.account.as_str(), time(note.happened_at).as_str()), ("quill.example", "2026-03-01T09:00:00Z"));
    assert_eq!(w.note("gong:72").text, "They asked for a price.");
    assert_eq!(w.names.iter().map(|(_, n)| n.as_str()).collect::<Vec<_>>().len(), 2, "the buyers' names, to be masked");
    assert_eq!(w.summary["skipped_why"]["a call without a transcript"], 1);
    assert_eq!(w.failures.len(), 1);
    assert!(w.failures[0].contains("import the calls"), "{:?}", w.failures);
}

#[tokio::test]
async fn zendesk_and_plain_tables() {
    let tickets = "id,subject,description,status,requester_id,organization_id,assignee_id,created_at,updated_at\n5,Sync fails,It fails every night.,open,9,21,3,2026-03-01 10:00:00,2026-03-02 10:00:00\n";
    let orgs = "id,name,shared_tickets\n21,Okoro Roofs,FALSE\n";
    let pipeline = "sales_agent,product,account,deal_stage,engage_date,close_date,close_value\nBo Li,Basic,Okoro Roofs,Won,1/20/2026,3/1/2026,54\nBo Li,Basic,Okoro Roofs,Won,1/20/2026,3/1/2026,54\nBo Li,Pro,Vale,Lost,2/20/2026,3/2/2026,0\n";
    let accounts = "account,sector,revenue\nOkoro Roofs,trades,1.5\nVale,trades,2\n";
    let w = world(&[("t.csv", tickets), ("o.csv", orgs), ("p.csv", pipeline), ("a.csv", accounts)]).await;
    assert_eq!(w.failures, [""; 0]);
    assert_eq!(w.note("zendesk:ticket:5").text, "Sync fails\nIt fails every night.");
    assert_eq!(w.deals.len(), 3, "two deals that look alike are two");
    assert_eq!(w.deals.iter().filter(|d| d.opportunity.outcome == Outcome::Won).count(), 2);
    assert!(w.deals.iter().any(|d| time(d.ended_at) == "2026-03-02T23:59:59.999Z"));
}

#[tokio::test]
async fn the_same_numbers_at_two_vendors_are_two_records() {
    let hubspot = [
        (
            "note.json",
            r#"{"results":[{"id":"12","properties":{"hs_note_body":"They print every job.","hubspot_owner_id":"3"},
              "associations":{"companies":{"results":[{"id":"21"}]},"deals":{"results":[{"id":"7"}]}}}]}"#,
        ),
        (
            "deals.csv",
            "Record ID,Deal Name,Deal Stage,Close Date,Associated Company IDs\n7,Yard,Closed won,2026-03-01,21\n",
        ),
        ("companies.csv", "Record ID,Company name,Industry\n21,Vale Plumbing,x\n"),
        (
            "contacts.csv",
            "Record ID,First Name,Last Name,Email,Associated Company IDs\n5,Tam,Okoro,t@vale.example,21\n",
        ),
    ];
    let pipedrive = [
        (
            "notes.json",
            r#"{"data":[{"id":12,"user_id":3,"deal_id":7,"org_id":null,"content":"Late invoices","add_time":"2026-03-01 10:00:00"},
              {"id":13,"person_id":5,"content":"Two vans idle","add_time":"2026-03-01 10:00:00","org_id":null,"deal_id":null}]}"#,
        ),
        (
            "deals.csv",
            "Deal - ID,Deal - Title,Deal - Organization,Deal - Status,Deal - Lost time\n7,Roofs,Okoro Roofs,Lost,2026-03-05\n",
        ),
        (
            "firms.json",
            r#"{"data":[{"id":21,"name":"Okoro Roofs","owner_id":3,"address":""},{"id":22,"name":"Vale Plumbing","owner_id":3,"address":""}]}"#,
        ),
        (
            "people.json",
            r#"{"data":[{"id":5,"name":"Ada Okoro","org_id":{"value":21,"name":"Okoro Roofs"},"email":[]}]}"#,
        ),
    ];
    // A table of one's own joins by the ids it has.
    let own = [
        ("notes.csv", "id,account_id,note\n12,21,Nobody answers\n"),
        ("accounts.csv", "account_id,account_name,industry\n21,Quill Heating,x\n"),
    ];
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
    let mut folders = Vec::new();
    for (name, files) in [("hubspot", &hubspot[..]), ("pipedrive", &pipedrive), ("own", &own)] {
        let folder = dir.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        files.iter().for_each(|(name, content)| std::fs::write(folder.join(name), content).unwrap());
        folders.push(folder);
    }
    for round in 0..2 {
        for folder in &folders {
            let run = import(&store, std::slice::from_ref(folder), None, &ZONE, NOW, Progress::new(true));
            let summary = run.await.unwrap();
            assert_eq!((summary.done == 0, summary.failed), (round == 1, 0), "{folder:?}: {summary:?}");
        }
    }
    let notes = store.notes(&Recipe::stored("none")).await.unwrap().into_iter().map(|n| n.note);
    let mut told = notes
        .map(|n| {
            [n.id.to_string(), n.account.to_string(), n.opportunity.map(|o| o.to_string()).unwrap_or_default()]
                .join(" ")
        })
        .collect::<Vec<_>>();
    told.sort();
    let want = [
        "12 21 ",
        "hubspot:12 hubspot:21 hubspot:7",
        "pipedrive:12 pipedrive:21 pipedrive:7",
        "pipedrive:13 pipedrive:21 ",
    ];
    assert_eq!(told, want);
    let deals = store.deals().await.unwrap().into_iter().map(|d| (d.opportunity.id.to_string(), d.opportunity.outcome));
    let want = [("hubspot:7".to_owned(), Outcome::Won), ("pipedrive:7".to_owned(), Outcome::Lost)];
    assert_eq!(deals.collect::<Vec<_>>(), want);
    let firm = async |name: &str, vendor: &str| store.account_named(name, vendor).await.unwrap();
    assert_eq!(firm("Quill Heating", "").await.as_deref(), Some("21"));
    assert_eq!(firm("vale plumbing", "hubspot").await.as_deref(), Some("hubspot:21"), "the vendor's own");
    assert_eq!(firm("Vale Plumbing", "zendesk").await, None, "one of two");
    assert_eq!(firm("Okoro Roofs", "zendesk").await.as_deref(), Some("pipedrive:21"), "the only one");
}

/// Whose a note is may be learnt later; it is the same note.
#[tokio::test]
async fn notes_without_an_id_are_not_doubled_by_what_is_learnt_of_their_firm() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
    let files = [
        ("n.csv", "account,note,date\nVale Plumbing,They print every job,2026-01-01\n"),
        ("a.csv", "account_id,account_name,industry\n21,Vale Plumbing,x\n"),
    ];
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
    for name in ["n.csv", "a.csv", "n.csv"] {
        import(&store, &[dir.path().join(name)], None, &ZONE, NOW, Progress::new(true)).await.unwrap();
    }
    let notes = store.notes(&Recipe::stored("none")).await.unwrap();
    let told: Vec<_> = notes.iter().map(|n| (n.note.account.as_str(), n.note.text.as_str())).collect();
    assert_eq!(told, [("21", "They print every job")]);
}

/// What stands in the file before a note is known when the note is read, whatever was stored by then.
#[tokio::test]
async fn firms_and_people_told_just_before_a_note_are_found() {
    let activities = r#"{"data":[
      {"id":1,"content":"First","add_time":"2026-03-01 10:00:00","org_id":{"value":21,"name":"Okoro Roofs"},"person_id":{"value":5,"name":"Ada Okoro"}},
      {"id":2,"content":"Second","add_time":"2026-03-02 10:00:00","org_id":null,"person_id":5}]}"#;
    let w = world(&[("n.json", activities)]).await;
    assert_eq!(w.failures, [""; 0]);
    assert_eq!(w.note("pipedrive:2").account.as_str(), "pipedrive:21", "by its person");
    let notes = "id,account_id,account_name,note\n1,,Vale,one\n2,21,Vale,two\n3,,Vale,three\n";
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
    std::fs::write(dir.path().join("n.csv"), notes).unwrap();
    import(&store, &[dir.path().join("n.csv")], None, &ZONE, NOW, Progress::new(true)).await.unwrap();
    let stored = store.notes(&Recipe::stored("none")).await.unwrap();
    let told: Vec<_> = stored.iter().map(|n| (n.note.id.as_str(), n.note.account.as_str())).collect();
    assert_eq!(told, [("2", "21"), ("3", "21"), ("1", "Vale")], "a firm is looked for again once one was told");
}

#[tokio::test]
async fn a_deal_is_found_by_its_id_before_its_name() {
    let deals = "Opportunity ID,Opportunity Name,Account Name,Stage,Close Date\n7,Yard,Vale,Demo,2026-03-01\n8,7,Okoro,Demo,2026-03-01\n";
    let notes = "id,account,opportunity_id,note\n1,,7,one\n2,,7,two\n";
    let stages = "Opportunity ID,From Stage,To Stage,Last Modified\n7,New,Demo,2026-02-01\n";
    let w = world(&[("d.csv", deals), ("n.csv", notes), ("s.csv", stages)]).await;
    assert_eq!(w.failures, [""; 0]);
    let told = w.notes.iter().map(|n| (n.opportunity.as_ref().unwrap().as_str(), n.account.as_str()));
    assert_eq!(told.collect::<Vec<_>>(), [("7", "Vale"), ("7", "Vale")]);
    assert_eq!(w.stages[0].0, "7");
}

#[tokio::test]
async fn an_export_without_kinds_changes_none() {
    let told = "Record ID,Company ID,Activity type,Note body\n1,301,Call,They left\n";
    let untold = "Record ID,Company ID,Note body\n1,301,They left\n";
    for files in [[("a.csv", told), ("b.csv", untold)], [("a.csv", untold), ("b.csv", told)]] {
        let w = world(&files).await;
        assert_eq!((w.notes.len(), w.notes[0].kind), (1, NoteKind::Call), "{files:?}");
    }
}

#[tokio::test]
async fn overlapping_and_later_exports_merge() {
    let old =
        "Record ID,Company ID,Note body,Create date,Last modified date\n1,301,first words,2026-01-01,2026-01-02\n";
    let new =
        "Record ID,Company ID,Note body,Create date,Last modified date\n1,301,better words,2026-01-01,2026-02-02\n";
    let w = world(&[("a new.csv", new), ("b old.csv", old)]).await;
    assert_eq!(w.texts(), ["better words"], "the newer stands, whichever is read last");
    let other = r#"{"results":[{"id":"1","properties":{"hs_note_body":"better words","hubspot_owner_id":"77"},"associations":{"companies":{"results":[{"id":"301"}]}}}]}"#;
    let w = world(&[("a.csv", new), ("b.json", other)]).await;
    assert_eq!(
        (w.notes.len(), w.notes[0].owner.as_deref()),
        (1, Some("hubspot:77")),
        "one export fills what the other lacks"
    );
}

#[tokio::test]
async fn broken_and_foreign_files_are_told_by_name() {
    let cut = &HUBSPOT_NOTES[..HUBSPOT_NOTES.find("\"803\"").unwrap()];
    let w = world(&[
        ("cut.json", cut),
        ("deals.json", HUBSPOT_DEALS),
        ("page.html", "<html><body>hello</body></html>"),
        ("readme.txt", "How we export: ask Bo.\n"),
        ("usage.csv", "account_id,event_date,active_users\nA1,2026-01-01,5\n"),
        ("empty.json", "{\"results\":[]}"),
        ("refused.json", "{\"status\":\"error\",\"message\":\"expired token\"}"),
        ("logo.png", "x"),
        ("short.csv", "Id,WhatId,Subject,Description,TaskSubtype,CreatedDate,AccountId\n1,,a,b\n2,,a,\"open"),
    ])
    .await;
    assert_eq!(w.notes.len(), 2, "{:?}", w.notes);
    let told = w.failures.join("\n");
    for (name, reason) in [
        ("cut.json, record 3", "ends too early"),
        ("page.html", "HTML"),
        ("readme.txt", "no column"),
        ("usage.csv", "--map"),
        ("empty.json", "list is empty"),
        ("refused.json", "request failed"),
        ("short.csv, record 1", "no account"),
        ("short.csv, record 2", "never closed"),
    ] {
        assert!(w.failures.iter().any(|f| f.contains(name) && f.contains(reason)), "{name}: {told}");
    }
    assert_eq!(w.summary["files"]["assets"], 1);
}

#[tokio::test]
async fn archives_and_zones() {
    use std::io::Write as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in [
        ("notes.csv", "Record ID,Deal ID,Note body,Create date\n1,501,\"caf\u{e9}, he said\",2026-03-04 18:22\n"),
        ("z/deals.json", HUBSPOT_DEALS),
    ] {
        zip.start_file(name, options).unwrap();
        let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(content);
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap();
    let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
    let zone = Zone::new(jiff::tz::TimeZone::fixed(jiff::tz::offset(2)));
    let summary = import(&store, &[path], None, &zone, NOW, Progress::new(true)).await.unwrap();
    assert_eq!((summary.failed, summary.detail["zoneless_dates"].as_u64()), (0, Some(1)));
    let notes = store.notes(&Recipe::stored("none")).await.unwrap();
    assert_eq!(notes[0].note.text, "caf\u{e9}, he said");
    assert_eq!(
        (notes[0].note.account.as_str(), time(notes[0].note.written_at).as_str()),
        ("hubspot:301", "2026-03-04T16:22:00Z")
    );
}
