//! The View for a terminal: the list of problems, and the page of one. The one rule: nothing that somebody wrote in a post or
//! a note reaches the terminal as a command.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};
use textwrap::Options;

use super::lines::more;
use super::view::{ProblemView, QuoteId, Series, SlotView, View};
use super::words::{self, number};
use crate::text::display::plain;

/// Narrower terminals are written to as if they were this wide, columns.
const NARROWEST: usize = 60;
/// With this many columns beside the longest id a name has a column of its own.
const WIDE: usize = 98;
/// Paragraphs are no wider than this, so that the eye finds the next line.
const LONGEST_LINE: usize = 110;
/// Width of the names of facts.
const NAMES: usize = 18;
/// An id that is longer than this may be broken in a narrow table.
const LONGEST_ID: usize = 24;
/// The heights of a series in one line.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// `problems` of `view` as a table for a terminal of `width` columns; `hidden` are not shown.
pub fn list(view: &View, problems: &[&ProblemView], hidden: usize, width: usize) -> String {
    let mut screen = Screen::new(width);
    screen.paragraph("", &format!("{}. {}", view.trust.name, view.trust.words));
    screen.gap();
    let id = problems.iter().map(|p| p.id.len()).max().unwrap_or(0).min(LONGEST_ID);
    if problems.is_empty() {
        screen.paragraph("", "No problem to show.");
    } else if screen.width >= WIDE + id {
        let head = ["id", "name", "people", "threads", "comm.", "accounts", "share", "trust", "verdict", "last seen"];
        let rows = problems.iter().map(|p| {
            let [people, threads, communities, accounts] = counts(p);
            let (share, last) = (share(p), last_seen(p));
            let trust = p.trust().to_owned();
            vec![p.id.clone(), p.name.clone(), people, threads, communities, accounts, share, trust, verdict(p), last]
        });
        screen.table(&head, rows.collect(), &[(1, 10), (8, 14)], &[2, 3, 4, 5], ["", "  "]);
    } else {
        let head = ["problem", "people", "thr.", "com.", "acc.", "share", "verdict", "last seen"];
        let rows = problems.iter().map(|p| {
            let [people, threads, communities, accounts] = counts(p);
            let name = format!("{}\n{}", p.id, p.name);
            let share = format!("{}\n{}", share(p), p.trust());
            vec![name, people, threads, communities, accounts, share, verdict(p), last_seen(p)]
        });
        screen.table(&head, rows.collect(), &[(0, id), (6, 11)], &[1, 2, 3, 4], ["", " "]);
        screen.gap();
        screen.paragraph("", "thr. threads, com. communities, acc. accounts of the CRM that claim it");
    }
    if hidden > 0 {
        let problems = words::count(hidden as u64, "problem has", "problems have");
        screen.paragraph("", &format!("{problems} fewer people and are not shown."));
    }
    screen.gap();
    for says in view.residual_words() {
        screen.item(&says);
    }
    if view.residual.is_none() {
        screen.item("What lies outside the list (other, none) is counted by “candor compare”.");
    }
    for says in &view.missing {
        screen.item(says);
    }
    screen.out
}

fn counts(p: &ProblemView) -> [String; 4] {
    let accounts = p.crm.map_or_else(|| "–".to_owned(), |crm| number(crm.hits));
    [number(p.community.hits), number(p.threads), number(p.communities_all as u64), accounts]
}

/// The share of people as far as it may be told.
fn share(p: &ProblemView) -> String {
    match (p.community.short(), p.community.range()) {
        (Some(share), Some(range)) => format!("{share} ({range})"),
        (Some(share), None) => share,
        (None, _) => format!("{} of {}", number(p.community.hits), number(p.community.of)),
    }
}

/// The verdict without what is missing for it, which the page tells, and with the flags that qualify it.
fn verdict(p: &ProblemView) -> String {
    let mut says = p.verdict.short.split([':', '(']).next().unwrap_or_default().trim_end().to_owned();
    let silent = matches!(p.verdict.name.as_str(), "silent" | "absent");
    let flags = [
        (p.representativeness.as_ref().is_some_and(|r| r.thread_dominated), "thread dominated"),
        (p.register.is_some_and(|r| r.register_sensitive), "register sensitive"),
        (silent && p.selection.as_ref().is_some_and(|s| s.only_kind().is_some()), "one kind only"),
    ];
    for (_, flag) in flags.into_iter().filter(|(is, _)| *is) {
        says += if says.is_empty() { "" } else { "\n" };
        says += flag;
    }
    says
}

fn last_seen(p: &ProblemView) -> String {
    p.seen.map_or_else(|| "undated".to_owned(), |(_, last)| last.to_string())
}

/// The page of one `problem` of `view` for a terminal of `width` columns. Addresses are never broken, so that they can be
/// followed, and may reach beyond the width.
pub fn page(view: &View, problem: &ProblemView, width: usize) -> String {
    let p = problem;
    let mut screen = Screen::new(width);
    screen.paragraph("", &format!("{} ({})", p.name, p.id));
    screen.fact("who has it", &p.roles.words());
    screen.slot(view, "when it bites", p.situation());
    screen.fact("how often", &p.frequency.words());
    screen.fact("what goes wrong", &p.statement);
    for cost in &p.costs {
        screen.fact("what it costs", &cost.words());
    }
    if p.costs.is_empty() {
        screen.fact("what it costs", "not stated");
    }
    screen.slot(view, "what is at stake", p.stakes());
    screen.gap();
    screen.paragraph("", &format!("{}: {} {}", p.trust(), p.both_sides(), p.verdict.long));
    for says in &view.missing {
        screen.item(says);
    }

    screen.heading("How many, where, since when");
    screen.fact("people", &words::counts(&p.community));
    screen.fact("threads", &number(p.threads));
    screen.fact("communities", &format!("{}: {}", number(p.communities_all as u64), p.communities_words()));
    screen.fact("by how many", &p.concentration_words());
    screen.fact("seen", &p.seen_words());
    if let Some(spark) = spark(&p.series) {
        screen.fact("people each", &spark);
    }
    if let Some(undated) = p.series.undated_words() {
        screen.fact("", &undated);
    }
    screen.fact("what they do", &p.acts_words());
    screen.fact("how sharply", &p.severity_words());

    screen.heading("What they tried, and why it failed");
    for means in &p.tried.means {
        screen.fact(&means.label, &means.counts());
        screen.said(view, means.why);
    }
    if p.tried.people == 0 {
        screen.paragraph("  ", "Nobody tells of an attempt that failed.");
    }
    if let Some(rest) = p.tried.rest() {
        screen.paragraph("  ", &rest);
    }

    screen.heading("What they left, and what for");
    for switch in &p.switches {
        screen.item(&switch.words());
        screen.said(view, switch.quote);
    }
    if p.switches.is_empty() {
        screen.paragraph("  ", "Nobody tells of leaving anything.");
    }

    screen.heading("What it is like, slot by slot");
    screen.paragraph("  ", &p.texture.lead());
    for slot in &p.texture.slots {
        screen.slot(view, slot.name(), Some(slot));
    }

    screen.heading("Is it many people's?");
    for says in p.representative_words() {
        screen.item(&says);
    }
    if p.register.is_none() {
        screen.item("Register: not tested (“candor problems --register PAIRS”).");
    }
    if let Some(gate) = p.gate_words() {
        screen.gap();
        screen.paragraph("  ", &gate);
        let rows = p.gate().iter().map(|g| vec![g.what.clone(), number(g.have), number(g.need), g.verdict()]);
        screen.table(&["evidence", "there is", "needs", ""], rows.collect(), &[(0, 20)], &[1, 2], ["  ", "  "]);
    }
    screen.both_sides_quotes(view, p);
    if !p.change_our_mind.is_empty() {
        screen.heading("What would change our mind");
        p.change_our_mind.iter().for_each(|says| screen.item(says));
    }
    screen.out
}

/// `week: ▁▃█ (up to 9, 2 Feb to 27 Jul 2026)`; a dot where nobody spoke. `None` without dates.
fn spark(series: &Series) -> Option<String> {
    let most = series.points.iter().map(|(_, n)| *n).max().filter(|most| *most > 0)?;
    let height = |n: u64| {
        // From 1 to `most` in eight steps.
        let step = (n * HEIGHTS.len() as u64).div_ceil(most).clamp(1, HEIGHTS.len() as u64);
        usize::try_from(step).ok().and_then(|step| HEIGHTS.get(step - 1)).copied().unwrap_or('█')
    };
    let bars = series.points.iter().map(|(_, n)| if *n == 0 { '·' } else { height(*n) }).collect::<String>();
    let (first, last) = (series.points.first()?.0, series.points.last()?.0);
    Some(format!(
        "{} {bars} up to {} ({} to {})",
        series.bucket.as_str(),
        number(most),
        words::day(first),
        words::day(last)
    ))
}

/// Text under construction; every method strips what would drive the terminal.
struct Screen {
    out: String,
    width: usize,
}

impl Screen {
    fn new(width: usize) -> Self {
        Self { out: String::new(), width: width.max(NARROWEST) }
    }

    fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn heading(&mut self, text: &str) {
        self.gap();
        self.paragraph("", &text.to_uppercase());
    }

    /// Wrapped text, every line after `indent`.
    fn paragraph(&mut self, indent: &str, text: &str) {
        self.wrapped(indent, indent, text);
    }

    fn item(&mut self, text: &str) {
        self.wrapped("  - ", "    ", text);
    }

    /// A fact beside its name.
    fn fact(&mut self, name: &str, text: &str) {
        let name = plain(name);
        let room = NAMES - 1;
        if textwrap::core::display_width(&name) > room {
            self.paragraph("  ", &name);
            return self.fact("", text);
        }
        let pad = " ".repeat(NAMES - textwrap::core::display_width(&name));
        self.wrapped(&format!("  {name}{pad}"), &" ".repeat(NAMES + 2), text);
    }

    fn wrapped(&mut self, first: &str, rest: &str, text: &str) {
        let text = plain(text).split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() && first.trim().is_empty() {
            return;
        }
        let options = Options::new(self.width.min(LONGEST_LINE)).initial_indent(first).subsequent_indent(rest);
        for line in textwrap::wrap(&text, options) {
            self.out.push_str(line.trim_end());
            self.out.push('\n');
        }
    }

    /// A table after the first of `spaces`, with the second between its columns. Its `flexible` columns give way down to a
    /// width; the columns of numbers stand on the `right`.
    fn table(
        &mut self,
        head: &[&str],
        rows: Vec<Vec<String>>,
        flexible: &[(usize, usize)],
        right: &[usize],
        spaces: [&str; 2],
    ) {
        let [indent, gap] = spaces;
        let gap = u16::try_from(gap.len()).unwrap_or(1);
        let mut table = Table::new();
        table.load_preset(comfy_table::presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(self.width - indent.len()).unwrap_or(u16::MAX));
        table.set_header(head);
        for row in rows {
            // A cell of ours may have two lines; what somebody wrote has none.
            table.add_row(row.iter().map(|cell| cell.split('\n').map(plain).collect::<Vec<_>>().join("\n")));
        }
        for (i, column) in table.column_iter_mut().enumerate() {
            let gap = if i + 1 == head.len() { 0 } else { gap };
            column.set_padding((0, gap));
            if right.contains(&i) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            column.set_constraint(match flexible.iter().find(|(column, _)| *column == i) {
                Some((_, least)) => ColumnConstraint::LowerBoundary(Width::Fixed(
                    u16::try_from(*least).unwrap_or(u16::MAX).saturating_add(gap),
                )),
                None => ColumnConstraint::ContentWidth,
            });
        }
        for line in table.lines() {
            self.out.push_str(indent);
            self.out.push_str(line.trim_end());
            self.out.push('\n');
        }
    }

    /// The words of a quote alone.
    fn said(&mut self, view: &View, id: QuoteId) {
        let indent = " ".repeat(NAMES + 2);
        self.paragraph(&indent, &format!("“{}”", view.quote(id).text));
    }

    /// What is stated of a slot, with the words of some.
    fn slot(&mut self, view: &View, name: &str, slot: Option<&SlotView>) {
        self.fact(name, &slot.map_or_else(|| "not stated".to_owned(), SlotView::words));
        for id in slot.map_or(&[][..], |slot| &slot.quotes) {
            self.said(view, *id);
        }
    }

    /// A quote with who says it, where and when.
    fn quote(&mut self, view: &View, id: QuoteId) {
        let quote = view.quote(id);
        self.paragraph("  ", &format!("“{}”", quote.text));
        let author = quote.author().map(str::to_owned);
        let facts = author.into_iter().chain(quote.facts()).collect::<Vec<_>>();
        self.paragraph("    ", &facts.join(" · "));
        if let Some(address) = quote.web().or(quote.address()) {
            self.out.push_str(&format!("    {}\n", plain(address)));
        }
        self.gap();
    }

    fn both_sides_quotes(&mut self, view: &View, p: &ProblemView) {
        if !p.community_quotes.is_empty() {
            self.heading("In the communities");
            p.community_quotes.iter().for_each(|id| self.quote(view, *id));
            self.paragraph("  ", &more(p.community_more, "person", "people"));
        }
        if view.has_crm() {
            self.heading("In the CRM's notes");
            if p.crm.is_some_and(|crm| crm.hits == 0) && p.crm_quotes.is_empty() {
                self.paragraph("  ", "No note that was read claims it.");
            }
            p.crm_quotes.iter().for_each(|id| self.quote(view, *id));
            self.paragraph("  ", &more(p.crm_more, "account", "accounts"));
            self.paragraph("  ", &p.elicitation_words().unwrap_or_default());
        }
    }
}
