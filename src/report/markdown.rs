//! The View as Markdown. Every text goes through `Document`, which escapes it: nothing in a post is read as markup.

use anyhow::Result;

use super::display;
use super::lines::{CRM_SELECTION, SELECTION, more};
use super::view::{OptimismView, OutcomesView, ProblemView, QuoteId, QuoteView, SlotView, Sureness, Tried, View};
use super::words::{self, GIVEN, number};
use crate::model::comparison::MovedV1;

/// Draws the report.
///
/// # Errors
/// Never so far; the shape is that of the other drawings.
pub fn render(view: &View) -> Result<String> {
    let mut doc = Document::default();
    first_screen(&mut doc, view);
    for (i, problem) in view.problems.iter().enumerate() {
        section(&mut doc, view, i + 1, problem);
    }
    if let Some(optimism) = &view.optimism {
        hollow(&mut doc, optimism);
    }
    if let Some(outcomes) = &view.outcomes {
        against_outcomes(&mut doc, outcomes);
    }
    if let Some(since) = &view.moved {
        moved(&mut doc, since);
    }
    sureness(&mut doc, view, &view.sureness);
    appendix(&mut doc, view);
    Ok(doc.out)
}

/// Markdown under construction. Its methods escape what they are given; only its own marks are markup.
#[derive(Default)]
struct Document {
    out: String,
}

impl Document {
    fn heading(&mut self, level: usize, text: &str) {
        let marks = "#".repeat(level);
        self.out.push_str(&format!("{marks} {}\n\n", escape(text)));
    }

    fn paragraph(&mut self, text: &str) {
        if !text.is_empty() {
            self.out.push_str(&format!("{}\n\n", escape(text)));
        }
    }

    fn items<T: AsRef<str>>(&mut self, items: impl IntoIterator<Item = T>) {
        let before = self.out.len();
        for item in items {
            self.cited(item.as_ref(), &[]);
        }
        if self.out.len() > before {
            self.gap();
        }
    }

    /// An item with links to the quotes behind it.
    fn cited(&mut self, text: &str, quotes: &[QuoteId]) {
        self.out.push_str(&format!("- {}", escape(text)));
        for id in quotes {
            self.out.push_str(&format!(" [{id}](#{id})"));
        }
        self.out.push('\n');
    }

    fn gap(&mut self) {
        self.out.push('\n');
    }

    fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        if rows.is_empty() {
            return;
        }
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        self.out.push_str(&line(head.iter().map(|h| escape(h)).collect()));
        self.out.push_str(&line(head.iter().map(|_| "---".to_owned()).collect()));
        for row in rows {
            self.out.push_str(&line(row.iter().map(|c| escape(c)).collect()));
        }
        self.out.push('\n');
    }

    /// A quote with its source, and a link to it in the appendix.
    fn quote(&mut self, view: &View, id: QuoteId) {
        let quote = view.quote(id);
        self.out.push_str(&format!("> “{}”\n>\n> — {}", escape(&quote.text), escape(&quote.facts().join(" · "))));
        self.source(quote);
        self.out.push_str(&format!(" · [{id}](#{id})\n\n"));
    }

    fn source(&mut self, quote: &QuoteView) {
        if let Some(url) = quote.web() {
            self.out.push_str(&format!(" · [source](<{url}>)"));
        }
        if let Some(address) = quote.address() {
            self.out.push_str(&format!(" · {}", escape(address)));
        }
    }

    /// A quote as it stands in the appendix: with its anchor and what stands around it.
    fn quote_in_context(&mut self, id: QuoteId, quote: &QuoteView) {
        let cut = |cut: bool| if cut { "…" } else { "" };
        self.out.push_str(&format!(
            "<a id=\"{id}\"></a>**{id}** {}{} **“{}”** {}{}\n\n— {} · {}",
            cut(quote.cut_before),
            escape(&quote.before),
            escape(&quote.text),
            escape(&quote.after),
            cut(quote.cut_after),
            escape(&quote.facts().join(" · ")),
            escape(quote.item()),
        ));
        self.source(quote);
        self.out.push_str("\n\n");
    }
}

/// Text as Markdown that renders as that text. White space becomes single spaces, so that no line can begin anew; hidden
/// characters are written out.
fn escape(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    // Writing to a String cannot fail.
    let _ = display::write_visible(&mut seen, text, std::fmt::Write::write_str);
    let text = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    let mut before: Option<char> = None;
    let mut leading_digits = true;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '$' | '!' => {
                out.push('\\');
                out.push(c);
            }
            '&' => out.push_str("&amp;"),
            // Lists, rules and headings begin a line; so may the text.
            '-' | '+' | '=' if before.is_none() => {
                out.push('\\');
                out.push(c);
            }
            '.' | ')' if leading_digits && before.is_some() => {
                out.push('\\');
                out.push(c);
            }
            // Bare addresses and emoji codes are made live by some renderers.
            ':' if next.is_some_and(|n| n.is_ascii_alphabetic() || matches!(n, '/' | '+' | '-')) => {
                out.push_str("\\:");
            }
            '.' if out.ends_with("www") || out.ends_with("WWW") => out.push_str("\\."),
            '@' => out.push_str("\\@"),
            _ => out.push(c),
        }
        leading_digits &= c.is_ascii_digit();
        before = Some(c);
    }
    out
}

fn first_screen(doc: &mut Document, view: &View) {
    doc.heading(1, &view.title);
    doc.paragraph(&view.facts().join(" · "));
    doc.heading(2, "The finding");
    doc.paragraph(&view.finding.join(" "));
    doc.paragraph(&view.sureness.worst_words().unwrap_or_default());
    doc.paragraph(&format!("Trust: {}. {}", view.trust.name, view.trust.words));
    if !view.missing.is_empty() {
        doc.heading(2, "What is missing");
        doc.items(&view.missing);
    }
    if !view.problems.is_empty() {
        doc.heading(2, "What they live with");
        doc.items(view.problems.iter().take(8).map(|p| format!("{}: {}", p.name, p.people())));
    }
    if view.tried.people > 0 {
        doc.heading(2, "What they tried that failed");
        tried(doc, view, &view.tried);
    }
    if let Some(optimism) = &view.optimism {
        doc.heading(2, "What the CRM says");
        let mut says = optimism.headline().into_iter().map(|(what, n)| format!("{what}: {n}")).collect::<Vec<_>>();
        says.extend(view.claimed_most().iter().filter_map(|p| Some(format!("claims “{}”: {}", p.name, p.accounts()?))));
        doc.items(says);
    }
    parting(doc, view);
    for id in &view.top_quotes {
        doc.quote(view, *id);
    }
}

fn parting(doc: &mut Document, view: &View) {
    if view.problems.is_empty() {
        return;
    }
    doc.heading(2, view.parting_head());
    let rows = view.problems.iter().map(|p| {
        let crm = p.accounts().unwrap_or_else(|| "no CRM notes".to_owned());
        vec![p.name.clone(), p.people(), crm, p.cost_short(), p.tried_short(), p.verdict.short.clone()]
    });
    doc.table(
        &["Problem", "People", "Accounts", "What it costs", "Tried, failed", "Verdict"],
        &rows.collect::<Vec<_>>(),
    );
    if view.problems_left_out > 0 {
        doc.paragraph(&format!(
            "{} with smaller shares are left out.",
            words::count(view.problems_left_out as u64, "more problem", "more problems")
        ));
    }
}

fn tried(doc: &mut Document, view: &View, tried: &Tried) {
    for means in &tried.means {
        doc.paragraph(&format!("{}: {}", means.label, means.counts()));
        doc.quote(view, means.why);
    }
    if let Some(rest) = tried.rest() {
        doc.paragraph(&rest);
    }
}

fn section(doc: &mut Document, view: &View, place: usize, p: &ProblemView) {
    doc.heading(2, &format!("Problem {place}: {}", p.name));
    doc.paragraph(&p.statement);
    doc.paragraph(&format!("{} {}", p.both_sides(), p.verdict.long));
    let slot = |doc: &mut Document, what: &str, slot: Option<&SlotView>| match slot {
        Some(slot) => doc.cited(&format!("{what}: {}", slot.words()), &slot.quotes),
        None => doc.cited(&format!("{what}: not stated"), &[]),
    };
    doc.cited(&format!("Who has it: {}", p.roles.words()), &[]);
    slot(doc, "When it bites", p.situation());
    doc.cited(&format!("How often: {}", p.frequency.words()), &[]);
    for cost in &p.costs {
        doc.cited(&format!("What it costs: {}", cost.words()), &cost.quotes);
    }
    if p.costs.is_empty() {
        doc.cited("What it costs: not stated", &[]);
    }
    slot(doc, "What is at stake", p.stakes());
    for (what, words) in [
        ("What they do", p.acts_words()),
        ("How sharply", p.severity_words()),
        ("Where", p.communities_words()),
        ("Since when", p.seen_words()),
        ("By how many", p.concentration_words()),
    ] {
        doc.cited(&format!("{what}: {words}"), &[]);
    }
    doc.gap();
    if p.tried.people > 0 {
        doc.heading(3, "What they tried and why it failed");
        tried(doc, view, &p.tried);
    }
    if !p.switches.is_empty() {
        doc.heading(3, "What they left and what for");
        p.switches.iter().for_each(|s| doc.cited(&s.words(), &[s.quote]));
        doc.gap();
    }
    if p.texture.by > 0 {
        doc.heading(3, "What it is like, slot by slot");
        doc.paragraph(&p.texture.lead());
        for slot in &p.texture.slots {
            doc.cited(&format!("{}, {}", slot.name(), slot.words()), &slot.quotes);
        }
        doc.gap();
    }
    doc.heading(3, "Is it many people's?");
    doc.items(p.representative_words());
    if let Some(gate) = p.gate_words() {
        doc.paragraph(&gate);
        let rows = p.gate().iter().map(|g| vec![g.what.clone(), number(g.have), number(g.need), g.verdict()]);
        doc.table(&["Evidence", "There is", "Needs", ""], &rows.collect::<Vec<_>>());
    }
    if !p.community_quotes.is_empty() {
        doc.heading(3, "In the communities");
        p.community_quotes.iter().for_each(|id| doc.quote(view, *id));
        doc.paragraph(&more(p.community_more, "person", "people"));
    }
    if view.has_crm() {
        doc.heading(3, "In the CRM's notes");
        if p.crm_quotes.is_empty() {
            doc.paragraph("No note that was read claims it.");
        }
        p.crm_quotes.iter().for_each(|id| doc.quote(view, *id));
        doc.paragraph(&more(p.crm_more, "account", "accounts"));
        doc.paragraph(&p.elicitation_words().unwrap_or_default());
    }
    let spoken = p.series.points.iter().filter(|(_, n)| *n > 0).collect::<Vec<_>>();
    if !spoken.is_empty() {
        doc.heading(3, &format!("People who speak of it, by {}", p.series.bucket.as_str()));
        let points = spoken.iter().map(|(d, n)| format!("{}: {}", words::day(*d), number(*n))).collect::<Vec<_>>();
        doc.paragraph(&points.join(" · "));
    }
    if !p.change_our_mind.is_empty() {
        doc.heading(3, "What would change our mind");
        doc.items(&p.change_our_mind);
    }
}

fn hollow(doc: &mut Document, o: &OptimismView) {
    doc.heading(2, "Hollow optimism");
    doc.paragraph(o.says.as_deref().unwrap_or_default());
    doc.items(o.headline().into_iter().map(|(what, n)| format!("{what}: {n}")));
    let head = [&["Claimed interest"][..], &GIVEN[..]].concat();
    let rows = o.table.iter().map(|row| {
        let mut cells = vec![row.words.to_owned()];
        cells.extend(row.given.iter().map(|n| number(*n)));
        cells
    });
    doc.table(&head, &rows.collect::<Vec<_>>());
    doc.paragraph(&o.table_note());
    let split = o.split_words();
    if !split.is_empty() {
        doc.heading(3, "Why nothing is behind it");
        doc.items(split);
    }
    for segments in o.segment_tables() {
        doc.heading(3, segments.head);
        let rows = segments.rows.iter().map(|s| vec![s.name.clone(), s.counts(), s.shrunk_words()]);
        doc.table(&[segments.column, "Nothing behind it", "Shrunk rate"], &rows.collect::<Vec<_>>());
        doc.paragraph(&segments.says.join(" "));
    }
    if !o.accounts.is_empty() {
        doc.heading(3, "In the notes' own words");
        doc.paragraph(
            "⟦…⟧ marks what the words are: a compliment, fluff, undated intent or a commitment of the buyer's.",
        );
    }
    for account in &o.accounts {
        let text = account
            .note
            .pieces
            .iter()
            .map(|p| match p.mark {
                Some(mark) => format!("⟦{}: {}⟧", mark.as_str(), p.text),
                None => p.text.clone(),
            })
            .collect::<String>();
        doc.paragraph(&account.facts().join(" · "));
        let cut = |cut: bool| if cut { "…" } else { "" };
        let (before, after) = (cut(account.note.cut_before), cut(account.note.cut_after));
        doc.out.push_str(&format!("> {before}{}{after}\n\n", escape(&text)));
    }
    doc.paragraph(&o.more_words().unwrap_or_default());
}

fn against_outcomes(doc: &mut Document, o: &OutcomesView) {
    doc.heading(2, "Notes against outcomes");
    o.says.iter().for_each(|says| doc.paragraph(says));
    let rows = o.rows.iter().map(|r| {
        let words = [r.what, r.note, &r.foretold, &r.happened, &r.optimism, &r.brier, &r.skill];
        words.map(str::to_owned).to_vec()
    });
    let optimism = "Optimism in points (95% interval)";
    let head = ["Outcome", "By the", "Foretold", "Happened", optimism, "Brier score", "Skill (95% interval)"];
    doc.table(&head, &rows.collect::<Vec<_>>());
    let rows = o.by_interest.iter().map(|(level, won)| vec![(*level).to_owned(), won.clone()]);
    doc.table(&["Claimed interest of the last note", "Won within 90 days"], &rows.collect::<Vec<_>>());
    let rows = o.curve.iter().map(|(foretold, won)| vec![foretold.clone(), won.clone()]);
    doc.table(&["Foretold", "Won"], &rows.collect::<Vec<_>>());
    doc.items(&o.notes);
}

fn moved(doc: &mut Document, since: &MovedV1) {
    doc.heading(2, "What moved since the last period");
    doc.paragraph(&since.lead());
    doc.paragraph(&since.missing_words().unwrap_or_default());
    let rows =
        since.rows().into_iter().map(|row| [vec![row.name], row.people.to_vec(), row.accounts.to_vec()].concat());
    doc.table(
        &["Problem", "People then", "Now", "Change", "Accounts then", "Now", "Change"],
        &rows.collect::<Vec<_>>(),
    );
    doc.paragraph(&since.more().unwrap_or_default());
    doc.paragraph(&since.unbacked_words().unwrap_or_default());
}

fn sureness(doc: &mut Document, view: &View, s: &Sureness) {
    doc.heading(2, "How sure we are");
    doc.items(view.denominators());
    doc.items(view.residual_words());
    doc.items(s.excluded_words());
    doc.items(s.components.iter().map(|c| format!("{}: {}", c.title(), c.says)));
    doc.items(s.overall_words());
    doc.items([s.labels_words(), format!("Posts by who speaks, as read: {}", s.voices_words()), s.rejected_words()]);
    doc.heading(3, "Who writes in communities");
    doc.paragraph(SELECTION);
    if view.has_crm() {
        doc.paragraph(CRM_SELECTION);
    }
    if let Some(lead) = view.selection_lead() {
        doc.paragraph(&lead);
        doc.items(view.selection_lines());
    }
    if let Some(lead) = view.rank_lead() {
        doc.heading(3, "Which problems come first");
        doc.paragraph(&lead);
        doc.items(view.rank_lines());
    }
    if !s.sensitivity.is_empty() {
        doc.heading(3, "The same with other days");
        doc.items(view.sensitivity_lines());
    }
    if !s.relabelled.is_empty() {
        doc.heading(3, "The same with hand labels read otherwise");
        doc.items(view.relabelled_lines());
    }
    if let Some(lead) = view.multiverse_lead() {
        doc.heading(3, "The same by other readers");
        doc.paragraph(&lead);
        doc.items(view.multiverse_lines());
    }
    doc.heading(3, "What was refused or left out");
    doc.items(&s.caveats);
    let rows = s.failures.iter().map(|f| vec![f.stage.clone(), f.reason.clone(), number(f.count), f.example.clone()]);
    doc.table(&["Stage", "Why", "How many", "For example"], &rows.collect::<Vec<_>>());
    if s.failures_more > 0 {
        doc.paragraph(&format!("{} not listed.", words::count(s.failures_more, "more reason is", "more reasons are")));
    }
    doc.paragraph(&view.not_measured());
    let rows = s.threshold_rows().into_iter().map(|(what, value)| vec![what, value]).collect::<Vec<_>>();
    if !rows.is_empty() {
        doc.heading(3, "What decides a verdict, fixed before the data was seen");
        doc.table(&["Threshold", "Value"], &rows);
    }
    doc.heading(3, "How to re-derive every number");
    doc.paragraph(
        "Run “candor verify report.v1.json” in the same workspace: the same recipes, codebook, settings and seed give the same \
         numbers, and every quote is cut anew from its text.",
    );
    let rows = s.provenance().into_iter().map(|(what, value)| vec![what.to_owned(), value]).collect::<Vec<_>>();
    doc.table(&["What", "Value"], &rows);
}

fn appendix(doc: &mut Document, view: &View) {
    if view.quotes.is_empty() {
        return;
    }
    doc.heading(2, "Every quote with its source and context");
    for (i, quote) in view.quotes.iter().enumerate() {
        doc.quote_in_context(QuoteId(i), quote);
    }
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_in_a_post_stays_text() {
        for (text, markdown) in [
            ("plain words, 16 of 20 (80%).", "plain words, 16 of 20 (80%)."),
            ("*bold* _it_ `code` ~~no~~", "\\*bold\\* \\_it\\_ \\`code\\` \\~\\~no\\~\\~"),
            ("[a](javascript:alert(1))", "\\[a\\](javascript\\:alert(1))"),
            ("<script>x</script> &lt;", "\\<script\\>x\\</script\\> &amp;lt;"),
            ("# head\n- item\n1. one", "\\# head - item 1. one"),
            ("- item", "\\- item"),
            ("1. one", "1\\. one"),
            ("    code", "code"),
            ("a | b", "a \\| b"),
            ("http://x.example www.x.example", "http\\://x.example www\\.x.example"),
            ("a\u{202E}b", "a⟨U+202E⟩b"),
        ] {
            assert_eq!(escape(text), markdown, "{text:?}");
        }
    }
}
