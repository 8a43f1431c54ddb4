//! Geometry of the charts. Positions are percentages of the drawing's width, so a chart fits any screen and any page
//! without being scaled: its text stays as large as the text around it.

use super::view::{Bucket, ProblemView, Series};
use super::words;
use crate::model::comparison::RateV1;

/// Where 0 and the largest value stand, percent of the width; the rest is room for labels.
const LEFT: f64 = 7.0;
const RIGHT: f64 = 90.0;

/// Problems drawn in the dumbbell chart.
const MOST_ROWS: usize = 14;

/// Where the two sides part, problem by problem.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dumbbells {
    /// What the chart shows, as a sentence.
    pub(super) title: String,
    /// Axis.
    pub(super) ticks: Vec<Tick>,
    /// One per problem.
    pub(super) rows: Vec<Row>,
    /// Problems that are not drawn.
    pub(super) more: usize,
    /// Whether any row has an interval.
    pub(super) intervals: bool,
}

/// A tick of an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// Percent of the width or height.
    pub(super) at: String,
    /// What it says.
    pub(super) label: String,
}

/// One problem.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Index into the View's problems.
    pub(super) problem: usize,
    /// The marks; empty when there is too little to place any.
    pub(super) dots: Vec<Dot>,
    /// From and to of the bar between the two dots.
    pub(super) bar: Option<(String, String)>,
}

/// A share on the axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dot {
    /// Which side.
    pub(super) crm: bool,
    /// Where it stands.
    pub(super) at: String,
    /// Its interval.
    pub(super) interval: Option<(String, String)>,
    /// The share as printed.
    pub(super) label: String,
    /// Where the label stands, and whether it stands to the left of that.
    pub(super) label_at: String,
    /// The label ends there instead of beginning.
    pub(super) label_left: bool,
}

impl Dot {
    /// Height of its middle: with intervals each side has a line of its own, so that they do not cover each other.
    pub(super) fn y(&self, intervals: bool) -> u32 {
        match (intervals, self.crm) {
            (false, _) => 17,
            (true, false) => 10,
            (true, true) => 24,
        }
    }
}

fn at(share: f64, top: f64) -> String {
    format!("{:.2}", LEFT + (RIGHT - LEFT) * (share / top).clamp(0.0, 1.0))
}

/// The dumbbell chart; `None` when no problem can be placed on it.
pub(super) fn dumbbells(problems: &[ProblemView]) -> Option<Dumbbells> {
    let mut order = (0..problems.len()).collect::<Vec<_>>();
    // Findings first, then what can be placed, then what cannot.
    order.sort_by_key(|&i| (!problems[i].verdict.finding, problems[i].verdict.too_little));
    let more = order.len().saturating_sub(MOST_ROWS);
    order.truncate(MOST_ROWS);
    let placed = |p: &ProblemView| shown_on_axis(p, &p.community);
    let shown = || order.iter().map(|&i| &problems[i]).filter(|p| placed(p));
    shown().next()?;
    let high = |r: &RateV1| r.high.unwrap_or(r.rate).max(r.rate);
    let largest = shown().map(|p| high(&p.community).max(p.crm.as_ref().map_or(0.0, high))).fold(0.0, f64::max);
    let step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25].into_iter().find(|s| largest / s <= 5.0).unwrap_or(0.25);
    let top = ((largest / step).ceil() * step).max(step);
    let ticks = (0..=(top / step).round() as u32)
        .map(|i| f64::from(i) * step)
        .map(|share| Tick { at: at(share, top), label: format!("{:.0}%", share * 100.0) })
        .collect();
    let rows = order.iter().map(|&i| row(i, &problems[i], placed(&problems[i]), top)).collect();
    let findings = problems.iter().filter(|p| p.verdict.finding).count();
    let has_crm = problems.iter().any(|p| p.crm.is_some());
    let title = match (has_crm, findings) {
        (false, _) => "What people complain about: share of people".to_owned(),
        (true, 0) => "What people complain about, and how much of it is in the CRM".to_owned(),
        (true, n) => format!(
            "The communities and the CRM part on {} of {} problems",
            words::number(n as u64),
            words::number(problems.len() as u64)
        ),
    };
    let intervals = shown().any(|p| p.community.low.is_some() || p.crm.is_some_and(|c| c.low.is_some()));
    Some(Dumbbells { title, ticks, rows, more, intervals })
}

/// A share has a place on the axis unless there is too little evidence for it to have an interval.
fn shown_on_axis(problem: &ProblemView, rate: &RateV1) -> bool {
    rate.of > 0 && (!problem.verdict.too_little || rate.low.is_some())
}

fn row(problem: usize, view: &ProblemView, placed: bool, top: f64) -> Row {
    if !placed {
        return Row { problem, dots: Vec::new(), bar: None };
    }
    let crm = view.crm.filter(|c| shown_on_axis(view, c));
    let community_is_left = crm.is_some_and(|c| view.community.rate < c.rate);
    let mut dots = vec![dot(&view.community, false, community_is_left, top)];
    dots.extend(crm.map(|c| dot(&c, true, !community_is_left, top)));
    let bar = crm.map(|c| (at(view.community.rate.min(c.rate), top), at(view.community.rate.max(c.rate), top)));
    Row { problem, dots, bar }
}

fn dot(rate: &RateV1, crm: bool, left: bool, top: f64) -> Dot {
    let interval = words::rate_interval(rate);
    let edge = match interval {
        Some((low, _)) if left => low.min(rate.rate),
        Some((_, high)) => high.max(rate.rate),
        None => rate.rate,
    };
    Dot {
        crm,
        at: at(rate.rate, top),
        interval: interval.map(|(low, high)| (at(low, top), at(high, top))),
        label: words::share_short(rate).unwrap_or_else(|| format!("{} of {}", rate.hits, rate.of)),
        label_at: at(edge, top),
        label_left: left,
    }
}

/// Bars of distinct people over time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bars {
    /// What the chart shows, as a sentence.
    pub(super) title: String,
    /// Bars.
    pub(super) bars: Vec<Bar>,
    /// Largest value, as an axis label.
    pub(super) top: u64,
    /// Dates under the axis.
    pub(super) ticks: Vec<Tick>,
}

/// One bar. All in percent of width and height.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    /// Left edge.
    pub(super) x: String,
    /// Width.
    pub(super) width: String,
    /// Upper edge.
    pub(super) y: String,
    /// Height.
    pub(super) height: String,
}

/// The chart of a series; `None` when nobody spoke on a known day, or on too few to draw.
pub(super) fn bars(series: &Series) -> Option<Bars> {
    let most = series.points.iter().map(|p| p.1).max().filter(|&m| m > 0)?;
    let &(when, _) = series.points.iter().find(|p| p.1 == most)?;
    let n = series.points.len();
    let slot = 100.0 / n as f64;
    let bars = series
        .points
        .iter()
        .enumerate()
        .filter(|(_, (_, people))| *people > 0)
        .map(|(i, (_, people))| {
            let height = 100.0 * *people as f64 / most as f64;
            Bar {
                x: format!("{:.2}", slot * (i as f64 + 0.12)),
                width: format!("{:.2}", slot * 0.76),
                y: format!("{:.2}", 100.0 - height),
                height: format!("{height:.2}"),
            }
        })
        .collect();
    let every = n.div_ceil(4).max(1);
    let label = |date: jiff::civil::Date| match series.bucket {
        Bucket::Week => date.strftime("%-d %b").to_string(),
        Bucket::Month => date.strftime("%b %Y").to_string(),
        Bucket::Year => date.strftime("%Y").to_string(),
    };
    let ticks = series
        .points
        .iter()
        .enumerate()
        .step_by(every)
        .map(|(i, (date, _))| Tick { at: format!("{:.2}", slot * i as f64), label: label(*date) })
        .collect();
    let piece = series.bucket.as_str();
    let at = match series.bucket {
        Bucket::Week => format!("the week of {}", words::day(when)),
        Bucket::Month => when.strftime("%B %Y").to_string(),
        Bucket::Year => when.strftime("%Y").to_string(),
    };
    let title = format!("People who speak of it, by {piece}: most in {at}, with {}", words::number(most));
    Some(Bars { title, bars, top: most, ticks })
}

/// Width of a share as a bar in a list, percent.
pub(super) fn width(rate: &RateV1, largest: f64) -> String {
    if largest <= 0.0 { "0".to_owned() } else { format!("{:.1}", (100.0 * rate.rate / largest).clamp(0.0, 100.0)) }
}

/// What a screen reader says of a dot.
pub(super) fn spoken(problem: &ProblemView) -> String {
    let community = format!("communities {}", words::share(&problem.community, words::Unit::People));
    match &problem.crm {
        Some(crm) => {
            format!("{community}; CRM {}; {}", words::share(crm, words::Unit::Accounts), problem.verdict.short)
        }
        None => community,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_series_is_drawn_to_scale() {
        let series = Series {
            bucket: Bucket::Week,
            points: vec![(date(2026, 2, 2), 1), (date(2026, 2, 9), 0), (date(2026, 2, 16), 4)],
            undated: 0,
        };
        let chart = bars(&series).unwrap();
        assert_eq!(chart.top, 4);
        assert_eq!(chart.bars.iter().map(|b| b.height.as_str()).collect::<Vec<_>>(), ["25.00", "100.00"]);
        assert_eq!(chart.title, "People who speak of it, by week: most in the week of 16 Feb 2026, with 4");
        assert!(bars(&Series { points: vec![(date(2026, 2, 2), 0)], ..series }).is_none());
    }

    #[test]
    fn shares_stand_where_the_axis_says() {
        assert_eq!(at(0.0, 0.4), "7.00");
        assert_eq!(at(0.4, 0.4), "90.00");
        assert_eq!(at(0.2, 0.4), "48.50");
    }
}
