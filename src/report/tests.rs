//! The whole room over a small invented store: what a reader sees, and what may never happen.

pub(in crate::report) mod world;

use scraper::{Html, Selector};

use self::world::{World, comparison, complaint, failed, now, problem, recipes, trades};
use super::{html, json, markdown, run, terminal};
use crate::model::Trust;
use crate::progress::Progress;

#[tokio::test]
async fn the_report_reads_as_it_should() {
    let (w, codebook) = trades().await;
    w.compared(&comparison(&codebook, Trust::Measured)).await;
    let view = w.view().await;
    assert_eq!(
        view.finding,
        [
            "People complain most about “notes lost without signal”: 31% of 412 people in whose posts the reader found a \
             problem (24–38%). It is in the notes of 4% of 96 accounts (1–9%): silent in the CRM.",
            "The CRM claims “owners see nothing” for 31% of 96 accounts (22–41%); in the communities it is told by <1% of 412 people \
             (0–2%).",
            "Of the accounts that the CRM calls very interested, 72% gave nothing back (57–83%; machine count 33 of 46, 21 of them never \
             asked for anything).",
        ]
    );
    insta::assert_snapshot!("markdown", markdown::render(&view).unwrap());
    insta::assert_snapshot!("json", json::render(&view).unwrap());
}

#[tokio::test]
async fn a_part_that_is_called_is_a_finding_that_stands() {
    let (w, codebook) = trades().await;
    let mut measured = comparison(&codebook, Trust::Measured);
    measured.problems.iter_mut().for_each(|p| p.verdict = "no_gap_detected".to_owned());
    for (part, says) in [("finding", "every finding stands"), ("no_gap_detected", "nothing is called in the report")] {
        measured.components.iter_mut().for_each(|c| c.verdict = part.to_owned());
        w.compared(&measured).await;
        let lines = w.view().await.relabelled_lines();
        assert!(lines[1].ends_with(&format!("; {says}.")), "{lines:?}");
    }
}

#[tokio::test]
async fn a_machine_count_is_never_a_finding() {
    let (w, codebook) = trades().await;
    w.compared(&comparison(&codebook, Trust::Counted)).await;
    let view = w.view().await;
    assert!(view.problems.iter().all(|p| !p.verdict.finding));
    assert_eq!(view.trust.level, Trust::Counted);
    let page = html::render(&view).unwrap();
    assert!(page.contains("uncorrected: no verdict"));
    for word in ["silent in the CRM", "claimed, not found", "absent from the CRM", "95%"] {
        assert!(!view.finding.join(" ").contains(word), "{word} in {:?}", view.finding);
    }
    assert!(
        view.finding[0].contains("128 of 412 people in whose posts the reader found a problem (31%)"),
        "{:?}",
        view.finding
    );
}

#[tokio::test]
async fn what_is_counted_by_hand_is_called_so() {
    let (w, codebook) = trades().await;
    let mut measured = comparison(&codebook, Trust::Measured);
    let says = |view: &super::view::View| {
        let o = view.optimism.as_ref().unwrap();
        let rows = o.headline().into_iter().map(|row| row.1).collect::<Vec<_>>();
        (view.trust.words.clone(), rows.join("; "), o.table_note(), o.split_words().join(" "))
    };
    w.compared(&measured).await;
    let (trust, headline, table, _) = says(&w.view().await);
    assert!(
        trust.contains("corrected for the reader's mistakes with hand labels of 100 people and 80 accounts"),
        "{trust}"
    );
    assert_eq!(
        headline,
        "46 accounts, by machine; 72% (57–83%; 33 of 46, by machine); 21 of 33, by machine; 12 of 33, by machine"
    );
    assert!(table.contains("The table is counted by machine and the rate is corrected by hand labels"), "{table}");

    measured.labels = crate::model::comparison::LabelsV1 { community: 412, crm: 118 };
    let split = measured.optimism.split.as_mut().unwrap();
    (split.unbacked_asked.low, split.unbacked_asked.high) = (None, None);
    w.compared(&measured).await;
    let view = w.view().await;
    let (trust, headline, table, split) = says(&view);
    assert!(trust.contains("counted by hand, from labels of all 412 people and all 118 accounts"), "{trust}");
    assert!(!trust.contains("corrected") && headline.contains("72% (57–83%; 33 of 46, by hand)"), "{trust} {headline}");
    assert!(table.contains("by machine and the rate by hand") && !table.contains("too late"), "{table}");
    assert!(split.contains("12 of 22 accounts, counted by hand"), "{split}");
    assert!(view.rank_lines()[1].starts_with("By all that people tell, counted by hand"), "{:?}", view.rank_lines());
    assert!(view.finding[2].contains("33 gave nothing back (counted by hand: 72%, 57–83%)"), "{:?}", view.finding);
}

#[tokio::test]
async fn accounts_are_too_young_only_where_the_days_make_them_so() {
    let (w, codebook) = trades().await;
    let mut compared = comparison(&codebook, Trust::Counted);
    for (until, young) in [("2026-07-30", false), ("2026-05-20", true)] {
        compared.window.until = Some(until.to_owned());
        w.compared(&compared).await;
        let note = w.view().await.optimism.unwrap().table_note();
        assert!(note.contains("The table is counted by machine."), "{note}");
        assert_eq!(
            note.contains("too late for anything to be given yet, is in the table (2 accounts)"),
            young,
            "{note}"
        );
    }
}

#[tokio::test]
async fn no_move_is_told_with_the_move_that_would_have_been_seen() {
    let (w, codebook) = trades().await;
    let mut compared = comparison(&codebook, Trust::Measured);
    let moved = compared.moved.as_mut().unwrap();
    moved.problems[0].community.moved = false;
    let crm = moved.problems[0].crm.change.as_mut().unwrap();
    (crm.low, crm.high) = (-0.2, 0.2);
    w.compared(&compared).await;
    let says = w.view().await.moved.unwrap().lead();
    assert!(says.contains("None of 3 shares moved by more than noise; taken alone, one of 7 points"), "{says}");
    assert!(says.contains("and one of 29 points in the one that is known least"), "{says}");
}

#[tokio::test]
async fn too_little_is_said_with_what_is_missing() {
    let (w, codebook) = trades().await;
    w.compared(&comparison(&codebook, Trust::NotEnoughEvidence)).await;
    let view = w.view().await;
    assert!(view.trust.words.contains("4 of 30 people, 1 of 10 threads"), "{}", view.trust.words);
    assert!(view.problems.iter().all(|p| p.verdict.too_little && !p.verdict.finding));
    assert!(view.problems[0].change_our_mind[0].contains("30 people (now 4) and 10 threads (now 1)"));
    html::render(&view).unwrap();
}

#[tokio::test]
async fn without_a_comparison_counts_are_its_own() {
    let (w, _) = trades().await;
    let view = w.view().await;
    assert_eq!(view.trust.level, Trust::Counted);
    assert!(view.missing.iter().any(|m| m.contains("candor compare")), "{:?}", view.missing);
    let offline = &view.problems[0];
    assert_eq!((offline.community.hits, offline.community.of), (4, 4), "no window without a comparison");
    let tried = &offline.tried.means[0];
    assert_eq!((offline.tried.people, tried.failed), (2, 2), "{tried:?}");
    assert!(tried.label.contains("hotspot"), "{tried:?}");
    assert_eq!(offline.roles.words(), "i run the office (1); stated by 1 person");
    assert_eq!(offline.costs[0].words(), "26 hours a month (1 person, so no median)");
    assert_eq!(offline.switches[0].words(), "from VanBoard, done: 1 person");
    let claimed = &view.problems[1];
    let crm = claimed.crm.unwrap();
    assert_eq!((crm.hits, crm.of, claimed.elicitation), (1, 1, [0, 0, 1]), "bolt's note is no discovery note");
    assert_eq!(view.quote(claimed.crm_quotes[0]).text, "Owner has no visibility at all");
    let optimism = view.optimism.as_ref().unwrap();
    assert_eq!((optimism.strong, optimism.unbacked.hits, optimism.never_asked), (2, 1, 1));
    assert_eq!(optimism.table[0].given, [0, 0, 0, 0, 0, 1], "bolt paid");
}

#[tokio::test]
async fn counts_keep_to_the_window() {
    let (w, codebook) = trades().await;
    w.compared(&comparison(&codebook, Trust::Counted)).await;
    let view = w.view().await;
    let people: u64 = view.problems[0].communities.iter().map(|c| c.people).sum();
    assert_eq!(people, 3, "dee wrote before the window");
    assert!(view.quotes.iter().all(|q| !q.text.contains("Lost a whole report")));
}

#[tokio::test]
async fn an_almost_empty_store_says_what_is_missing() {
    let empty = World::new().await;
    let view = empty.view().await;
    assert_eq!(view.finding, ["Nothing has been read yet, so there is nothing to find."]);
    assert_eq!(view.missing.len(), 2, "{:?}", view.missing);
    assert!(html::render(&view).unwrap().contains("candor collect PATH"));
    markdown::render(&view).unwrap();
    json::render(&view).unwrap();

    let mut posts_only = World::new().await;
    let text = "We tried a shared spreadsheet and it was always out of date";
    let act = failed(text, "a shared spreadsheet", "it was always out of date");
    posts_only.post("p1", "ann", "2026-02-10T08:00:00Z", text, vec![(act, text)]);
    posts_only.write(Vec::new(), |_| None).await;
    let view = posts_only.view().await;
    assert_eq!(view.finding, ["1 post read, and no problem stands out in them."]);
    assert_eq!(view.tried.people, 1, "what failed is told even without problems");
    assert!(view.optimism.is_none());
}

#[tokio::test]
async fn without_crm_notes_nothing_is_said_of_a_crm() {
    let mut w = World::new().await;
    let text = "The app loses every note taken in a basement";
    w.post("p1", "ann", "2026-02-10T08:00:00Z", text, vec![(complaint(), text)]);
    w.write(vec![problem("offline", "notes lost", "Notes are lost.")], |_| Some("offline")).await;
    let view = w.view().await;
    assert_eq!(
        view.finding,
        ["People complain most about “notes lost”: 1 of 1 person in whose posts the reader found a problem."]
    );
    let page = html::render(&view).unwrap();
    assert!(!page.contains("In the CRM") && !page.contains("The CRM"), "no CRM side is drawn");
    assert!(!page.contains("Hollow optimism"));
}

#[tokio::test]
async fn every_quote_is_a_slice_of_its_source() {
    let (w, codebook) = trades().await;
    w.compared(&comparison(&codebook, Trust::Measured)).await;
    let view = w.view().await;
    assert!(view.quotes.len() >= 5);
    for quote in &view.quotes {
        let source = &w.texts[quote.item()];
        assert_eq!(source.get(quote.start..quote.end), Some(quote.text.as_str()));
    }
    let json: serde_json::Value = serde_json::from_str(&json::render(&view).unwrap()).unwrap();
    for quote in json["quotes"].as_array().unwrap() {
        let item = quote.get("post").or(quote.get("note")).unwrap().as_str().unwrap();
        let (start, end) = (quote["start"].as_u64().unwrap() as usize, quote["end"].as_u64().unwrap() as usize);
        assert_eq!(w.texts[item].get(start..end), quote["text"].as_str(), "byte-exact in JSON");
    }
    let hostile = view.quotes.iter().find(|q| q.text.contains("<script>")).expect("the hostile post is quoted");
    assert!(hostile.text.contains('\u{202E}'), "kept as it is in the View");
}

#[tokio::test]
async fn the_page_is_safe_and_self_contained() {
    let (w, codebook) = trades().await;
    w.compared(&comparison(&codebook, Trust::Measured)).await;
    let view = w.view().await;
    let text = html::render(&view).unwrap();
    let page = Html::parse_document(&text);
    let select = |css: &str| page.select(&Selector::parse(css).unwrap()).collect::<Vec<_>>();

    assert!(select("script, img, iframe, object, embed, link, base, form").is_empty());
    let csp = select("meta[http-equiv=Content-Security-Policy]")[0].attr("content").unwrap();
    assert!(csp.starts_with("default-src 'none'"));
    let mut web = 0;
    for element in select("*") {
        for (name, value) in element.value().attrs() {
            assert!(!name.starts_with("on") && name != "src" && name != "srcset", "{name}={value}");
            if name == "href" {
                assert!(
                    value.starts_with('#') || value.starts_with("http://") || value.starts_with("https://"),
                    "{value}"
                );
            }
            assert!(name != "style" || value.starts_with("width:"), "{value}");
        }
        if element.attr("href").is_some_and(|h| h.starts_with("http")) {
            web += 1;
            assert_eq!(element.attr("rel"), Some("noreferrer noopener"));
        }
    }
    assert!(web > 0, "posts with a web address are linked");
    assert!(!text.contains("url(") && !text.contains("@import"), "the style asks for nothing");
    assert!(!text.contains('\u{202E}') && text.contains("⟨U+202E⟩"), "overrides are shown, not obeyed");
    assert!(text.contains("javascript:alert(3)"), "an address that is not followed is still shown");

    let ids = select("[id]").iter().map(|e| e.attr("id").unwrap().to_owned()).collect::<Vec<_>>();
    let unique = ids.iter().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(ids.len(), unique.len(), "ids are unique");
    for link in select("a[href^='#']") {
        let target = link.attr("href").unwrap().trim_start_matches('#');
        assert!(ids.iter().any(|id| id == target), "#{target} leads nowhere");
    }
    let hidden = |c: &char| !matches!(c, '\u{202E}' | '\u{202C}');
    let sources = w.texts.values().map(|t| t.chars().filter(hidden).collect::<String>()).collect::<Vec<_>>();
    let said = select(".said");
    assert!(said.len() > view.quotes.len());
    for quote in said {
        let shown = quote.text().collect::<String>().replace("⟨U+202E⟩", "").replace("⟨U+202C⟩", "");
        assert!(sources.iter().any(|s| s.contains(&shown)), "{shown:?} is in no source");
    }
}

#[tokio::test]
async fn nobody_is_named() {
    let (w, codebook) = trades().await;
    w.compared(&comparison(&codebook, Trust::Measured)).await;
    let view = w.view().await;
    for drawing in [html::render(&view).unwrap(), markdown::render(&view).unwrap(), json::render(&view).unwrap()] {
        assert!(!drawing.contains("Hank") && !drawing.contains("Tollund"), "a rep is a letter");
        for author in w.posts.iter().filter_map(|p| p.author.as_ref()) {
            assert!(!drawing.contains(author.as_str()), "a pseudonym is left out");
        }
    }
}

#[tokio::test]
async fn the_same_store_and_clock_give_the_same_bytes() {
    let (w, codebook) = trades().await;
    w.compared(&comparison(&codebook, Trust::Measured)).await;
    let read = |dir: &std::path::Path| {
        ["report.html", "report.md", "report.v1.json"].map(|name| std::fs::read(dir.join(name)).unwrap())
    };
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for out in [&a, &b] {
        let summary =
            run(&w.store, &recipes(), &out.path().join("sub"), "t", now(), Progress::new(true)).await.unwrap();
        assert_eq!((summary.stage, summary.done, summary.failed), ("report", 3, 0));
    }
    assert_eq!(read(&a.path().join("sub")), read(&b.path().join("sub")));
    assert_eq!(std::fs::read_dir(a.path().join("sub")).unwrap().count(), 3, "nothing half-written is left");
}

/// No line is wider than the terminal but an address, and nothing is in it that drives one.
fn fits(text: &str, width: usize) {
    for line in text.lines() {
        let columns = textwrap::core::display_width(line);
        assert!(columns <= width || line.contains("://"), "{columns} columns of {width}: {line}");
    }
    let hidden = |c: char| c != '\n' && (c.is_control() || crate::text::display::turns_direction(c));
    assert!(!text.contains(hidden), "{text:?}");
}

#[tokio::test]
async fn a_page_tells_everything_and_fits_its_terminal() {
    let (w, codebook) = trades().await;
    w.compared(&comparison(&codebook, Trust::Measured)).await;
    let view = w.view().await;
    let offline = &view.problems[0];
    for width in [20, 80, 120, 400] {
        fits(&terminal::page(&view, offline, width), width.max(60));
        fits(&terminal::list(&view, &view.problems.iter().collect::<Vec<_>>(), 1, width), width.max(72));
    }
    insta::assert_snapshot!("page", terminal::page(&view, offline, 80));
    let page = terminal::page(&view, offline, 120);
    for author in ["ann", "ben", "cat"].map(|a| crate::model::AuthorKey::pseudonym(&[7; 32], "reddit", a)) {
        assert!(page.contains(author.as_str()), "an author is a pseudonym here");
    }
    let parsed: serde_json::Value = serde_json::from_str(&json::page(&view, offline).unwrap()).unwrap();
    assert_eq!((&parsed["v"], &parsed["problem"]["id"]), (&1.into(), &"offline".into()));
    let shown = parsed["quotes"].as_array().unwrap();
    let ids = shown.iter().map(|q| q["id"].as_str().unwrap()).collect::<Vec<_>>();
    for id in parsed["problem"]["community_quotes"].as_array().unwrap() {
        assert!(ids.contains(&id.as_str().unwrap()), "{id} is told but not shown");
    }
    assert!(shown.iter().all(|q| q["side"] == "crm" || q["author"].as_str().unwrap().starts_with("a_")));
}

#[tokio::test]
async fn a_page_needs_neither_a_comparison_nor_a_crm() {
    let mut w = World::new().await;
    let text = "The app loses every note taken in a basement";
    w.post("p1", "ann", "2026-02-10T08:00:00Z", text, vec![(complaint(), text)]);
    w.write(vec![problem("offline", "notes lost", "Notes are lost.")], |_| Some("offline")).await;
    let view = w.view().await;
    let page = terminal::page(&view, &view.problems[0], 80);
    assert!(page.contains("candor compare") && !page.contains("IN THE CRM"), "{page}");
    assert!(page.contains("counted: 1 of 1 person, in 1 thread."), "{page}");
    let list = terminal::list(&view, &[&view.problems[0]], 0, 80);
    assert!(list.contains("is counted by “candor compare”"), "{list}");
    json::page(&view, &view.problems[0]).unwrap();
    let list: serde_json::Value = serde_json::from_str(&json::list(&view, &[&view.problems[0]], 0).unwrap()).unwrap();
    assert_eq!((&list["problems"][0]["trust"], &list["residual"]), (&"counted".into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn bots_and_promotion_are_shown_and_never_counted() {
    let (mut w, codebook) = trades().await;
    let text = "Our app never loses a note, try it today";
    w.post("promo", "sam", "2026-03-01T08:00:00Z", text, vec![(complaint(), text)]).voice =
        crate::model::Voice::VendorOrPromo;
    w.post("bot", "robo", "2026-03-02T08:00:00Z", "Your note was removed", Vec::new());
    w.posts.last_mut().unwrap().flags.bot = true;
    w.write(Vec::new(), |_| None).await;
    w.compared(&comparison(&codebook, Trust::Counted)).await;
    let view = w.view().await;
    let offline = &view.problems[0];
    let (bots, promo, posts) = (offline.excluded.bots, offline.excluded.promo, offline.excluded.posts);
    assert_eq!((bots, promo, posts), (1, 1, 5), "of the window");
    assert_eq!(offline.excluded, view.sureness.excluded);
    assert_eq!(offline.top_thread.of, 3, "neither is a person with the problem");
    assert!(markdown::render(&view).unwrap().contains("1 of 5 posts are by bots and 1 by people who sell or promote"));
}

#[tokio::test]
async fn a_register_test_marks_the_problem_in_every_drawing() {
    let (w, codebook) = trades().await;
    let tested = [("offline", 12, Some(0.4)), ("visibility", 4, Some(0.1))]
        .map(|(id, n, kappa)| (id.to_owned(), crate::model::comparison::RegisterV1::new(n, kappa)));
    w.store.write_register(codebook.hash(), &tested.into_iter().collect()).await.unwrap();
    let view = w.view().await;
    let marked = view.problems.iter().filter(|p| p.register.unwrap().register_sensitive).collect::<Vec<_>>();
    assert_eq!(marked.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["offline"]);
    let page = terminal::page(&view, marked[0], 400);
    for drawing in [markdown::render(&view).unwrap().replace('\\', ""), html::render(&view).unwrap(), page] {
        assert!(drawing.contains("register_sensitive, rewritten texts agree by kappa 0.40 over 12 pairs"), "{drawing}");
        assert!(drawing.contains("4 pairs about it, too few to tell") || drawing.contains("IN THE COMMUNITIES"));
    }
    assert!(terminal::list(&view, &marked, 0, 120).contains("register sensitive"));
}

#[tokio::test]
async fn the_same_words_by_two_accounts_are_one_persons() {
    let (mut w, codebook) = trades().await;
    let text = "The note was gone again this morning and it has happened every single week since we moved into the new building.";
    for (id, author) in [("page", "mira"), ("mirror", "somebody")] {
        w.post(id, author, "2026-03-01T08:00:00Z", text, vec![(complaint(), text)]);
    }
    w.posts.last_mut().unwrap().community = "r/mirror".to_owned();
    w.write(codebook.problems().to_vec(), |quote| quote.contains("every single week").then_some("offline")).await;
    let view = w.view().await;
    let told = view.problems.iter().find(|p| p.id == "offline").unwrap();
    assert_eq!((told.community.hits, told.community.of), (1, 5));
    assert_eq!(told.communities_all, 1, "the mirror tells nothing new: {:?}", told.communities);
}
