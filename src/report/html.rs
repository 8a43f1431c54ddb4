//! The View as one HTML file: no request to anywhere, no script, safe to open with the worst of posts inside.

use std::fmt;

use anyhow::{Context, Result};
use askama::Template;
use askama::filters::Escaper;

use super::chart::{self, Bars, Dumbbells};
use super::display;
use super::lines::{CRM_SELECTION, SELECTION, more};
use super::verdict;
use super::view::{ProblemView, View};
use super::words::{self, GIVEN};

/// Escapes for HTML and writes hidden characters out. The only escaper of the templates.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        display::write_visible(&mut dest, string, |dest, text| askama::filters::Html.write_escaped_str(dest, text))
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    view: &'a View,
    sections: Vec<Section<'a>>,
    dumbbells: Option<Dumbbells>,
    made_on: String,
    selection: &'static str,
    crm_selection: &'static str,
    given: [&'static str; 6],
}

/// A problem with its chart.
struct Section<'a> {
    number: usize,
    problem: &'a ProblemView,
    bars: Option<Bars>,
    /// Width of its bar in the list of the first screen, percent.
    width: String,
    spoken: String,
}

impl Section<'_> {
    /// Its share in the list of the first screen: a percentage where there may be one.
    fn short(&self) -> String {
        words::share_short(&self.problem.community)
            .unwrap_or_else(|| format!("{} of {}", self.problem.community.hits, self.problem.community.of))
    }

    /// The counts behind it, with the interval.
    fn counts(&self) -> String {
        let rate = &self.problem.community;
        let counts = words::counts(rate);
        match words::rate_interval(rate) {
            Some((low, high)) => format!("{}; {counts}", words::interval(low, high)),
            None => format!("{counts} people"),
        }
    }

    fn bucket(&self) -> String {
        verdict::capital(self.problem.series.bucket.as_str())
    }

    fn more_people(&self) -> String {
        more(self.problem.community_more, "person", "people")
    }

    fn more_accounts(&self) -> String {
        more(self.problem.crm_more, "account", "accounts")
    }
}

/// Draws the page.
///
/// # Errors
/// When the template fails to render, which no View makes it do.
pub fn render(view: &View) -> Result<String> {
    let largest = view.problems.iter().map(|p| p.community.rate).fold(0.0, f64::max);
    let sections = view
        .problems
        .iter()
        .enumerate()
        .map(|(i, problem)| Section {
            number: i + 1,
            problem,
            bars: chart::bars(&problem.series),
            width: chart::width(&problem.community, largest),
            spoken: chart::spoken(problem),
        })
        .collect();
    let page = Page {
        view,
        sections,
        dumbbells: chart::dumbbells(&view.problems),
        made_on: words::date(view.made_at),
        selection: SELECTION,
        crm_selection: CRM_SELECTION,
        given: GIVEN,
    };
    page.render().context("could not draw the report as HTML")
}
