//! Many runs put together: shares of what was marked, each with its Monte-Carlo error.

use std::collections::BTreeMap;

use serde::Serialize;

/// What is marked of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The truth lies in the 95% interval; of intervals that were given.
    Coverage,
    /// Something was called that is not there.
    Type1,
    /// Share of what was called that is not there; 0 when nothing was called.
    Fdr,
    /// What is there was called.
    Power,
    /// Estimate less truth.
    Bias,
    /// No answer: not enough evidence.
    Refused,
}

impl Measure {
    /// All measures, in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::Coverage, Self::Type1, Self::Fdr, Self::Power, Self::Bias, Self::Refused];

    /// The name as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Coverage => "coverage",
            Self::Type1 => "type1",
            Self::Fdr => "fdr",
            Self::Power => "power",
            Self::Bias => "bias",
            Self::Refused => "refused",
        }
    }
}

/// Who gave the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The product.
    Candor,
    /// The count that takes the reader's word for the truth.
    Naive,
}

/// One mark, or several of one run added up.
#[derive(Debug, Clone, Copy)]
struct Mark {
    of: &'static str,
    measure: Measure,
    by: By,
    sum: f64,
    count: f64,
}

/// What one run was marked with.
#[derive(Debug, Clone, Default)]
pub struct Marks(Vec<Mark>);

impl Marks {
    /// Adds `value`, of what is called `of`.
    pub fn add(&mut self, of: &'static str, measure: Measure, by: By, value: f64) {
        match self.0.iter_mut().find(|m| m.of == of && m.measure == measure && m.by == by) {
            Some(mark) => {
                mark.sum += value;
                mark.count += 1.0;
            }
            None => self.0.push(Mark { of, measure, by, sum: value, count: 1.0 }),
        }
    }

    /// Adds 1 for yes and 0 for no.
    pub fn yes(&mut self, of: &'static str, measure: Measure, by: By, yes: bool) {
        self.add(of, measure, by, f64::from(u8::from(yes)));
    }

    /// Marks an interval, or that there is none, against the `truth`.
    pub fn interval(&mut self, of: &'static str, by: By, interval: Option<(f64, f64)>, truth: f64) {
        if by == By::Candor {
            self.yes(of, Measure::Refused, by, interval.is_none());
        }
        if let Some((low, high)) = interval {
            self.yes(of, Measure::Coverage, by, low <= truth && truth <= high);
        }
    }
}

/// What was scored of one thing in one setting. Every value is a mean over all that was marked; `…_se` is its Monte-Carlo
/// error, from the spread between runs; `naive_…` is the same of the naive count.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Which variant of the world.
    pub setting: String,
    /// Accounts in it, where power is told by size.
    pub accounts: Option<usize>,
    /// People in it.
    pub people: Option<usize>,
    /// What was scored.
    pub of: &'static str,
    /// `coverage`, `type1`, `fdr`, `power`, `bias`, `refused`, each in 0..=1 but bias in -1..=1; those that were marked.
    #[serde(flatten)]
    pub values: BTreeMap<String, f64>,
}

impl Row {
    /// The value of `measure`.
    pub fn value(&self, measure: Measure) -> Option<f64> {
        self.values.get(measure.as_str()).copied()
    }

    /// Its Monte-Carlo error.
    pub fn error(&self, measure: Measure) -> Option<f64> {
        self.values.get(&format!("{}_se", measure.as_str())).copied()
    }

    /// The naive count's value.
    pub fn naive(&self, measure: Measure) -> Option<f64> {
        self.values.get(&format!("naive_{}", measure.as_str())).copied()
    }
}

/// Sums over runs of a ratio of two sums.
#[derive(Debug, Clone, Copy, Default)]
struct Ratio {
    runs: f64,
    sum: f64,
    count: f64,
    sum_squares: f64,
    cross: f64,
    count_squares: f64,
}

impl Ratio {
    fn add(&mut self, mark: &Mark) {
        self.runs += 1.0;
        self.sum += mark.sum;
        self.count += mark.count;
        self.sum_squares += mark.sum * mark.sum;
        self.cross += mark.sum * mark.count;
        self.count_squares += mark.count * mark.count;
    }

    fn value(&self) -> f64 {
        self.sum / self.count
    }

    /// Standard error with the run as the cluster, by linearising the ratio (Cochran 1977, 6.4): marks of one run share their
    /// people.
    fn error(&self) -> f64 {
        let r = self.value();
        let squares = self.sum_squares - 2.0 * r * self.cross + r * r * self.count_squares;
        (self.runs / (self.runs - 1.0).max(1.0) * squares.max(0.0)).sqrt() / self.count
    }
}

/// The rows of one setting, in the order in which things were first marked.
pub fn rows(setting: &str, size: Option<(usize, usize)>, runs: &[Marks]) -> Vec<Row> {
    let mut ratios = Vec::<(&'static str, Measure, By, Ratio)>::new();
    for mark in runs.iter().flat_map(|marks| &marks.0) {
        match ratios.iter_mut().find(|r| (r.0, r.1, r.2) == (mark.of, mark.measure, mark.by)) {
            Some(known) => known.3.add(mark),
            None => {
                let mut ratio = Ratio::default();
                ratio.add(mark);
                ratios.push((mark.of, mark.measure, mark.by, ratio));
            }
        }
    }
    let mut rows = Vec::<Row>::new();
    for (of, measure, by, ratio) in ratios {
        let at = rows.iter().position(|row| row.of == of).unwrap_or_else(|| {
            let (accounts, people) = size.unzip();
            rows.push(Row { setting: setting.to_owned(), accounts, people, of, values: BTreeMap::new() });
            rows.len() - 1
        });
        let name = measure.as_str();
        let values = &mut rows[at].values;
        match by {
            By::Candor => {
                values.insert(name.to_owned(), ratio.value());
                values.insert(format!("{name}_se"), ratio.error());
            }
            By::Naive => {
                values.insert(format!("naive_{name}"), ratio.value());
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_that_of_runs_and_not_of_marks() {
        // Runs are all right or all wrong, ten marks each: as good as 100 marks.
        let run = |yes: bool| {
            let mut marks = Marks::default();
            (0..10).for_each(|_| marks.yes("a", Measure::Coverage, By::Candor, yes));
            marks
        };
        let runs = (0..100).map(|i| run(i % 10 != 0)).collect::<Vec<_>>();
        let rows = rows("s", Some((1, 2)), &runs);
        let row = &rows[0];
        assert!((row.value(Measure::Coverage).unwrap() - 0.9).abs() < 1e-12);
        assert!((row.error(Measure::Coverage).unwrap() - (0.09_f64 / 99.0).sqrt()).abs() < 1e-12);
        assert_eq!((row.accounts, row.people, row.naive(Measure::Coverage)), (Some(1), Some(2), None));
    }

    #[test]
    fn a_refusal_is_no_miss() {
        let mut marks = Marks::default();
        marks.interval("a", By::Candor, None, 0.5);
        marks.interval("a", By::Candor, Some((0.4, 0.6)), 0.5);
        marks.interval("a", By::Naive, Some((0.6, 0.7)), 0.5);
        let row = &rows("s", None, &[marks])[0];
        assert_eq!((row.value(Measure::Refused), row.value(Measure::Coverage)), (Some(0.5), Some(1.0)));
        assert_eq!(row.naive(Measure::Coverage), Some(0.0));
    }

    #[test]
    fn the_published_names_are_flat() {
        let mut marks = Marks::default();
        marks.yes("a", Measure::Type1, By::Candor, true);
        marks.yes("a", Measure::Type1, By::Naive, false);
        let json = serde_json::to_value(&rows("s", None, &[marks])[0]).unwrap();
        assert_eq!((&json["type1"], &json["naive_type1"], &json["of"]), (&1.0.into(), &0.0.into(), &"a".into()));
    }
}
