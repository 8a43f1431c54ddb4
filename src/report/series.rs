//! Distinct people over time, in pieces long enough to be drawn.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;

use super::view::{Bucket, Series};

/// More pieces than this are drawn in longer ones.
const MOST_PIECES: i64 = 60;

/// The longest bucket that keeps a period readable.
pub(super) fn bucket(period: Option<(Date, Date)>) -> Bucket {
    let days = period.map_or(0, |(first, last)| i64::from((last - first).get_days()));
    if days <= MOST_PIECES * 7 {
        Bucket::Week
    } else if days <= MOST_PIECES * 30 {
        Bucket::Month
    } else {
        Bucket::Year
    }
}

/// First day of the piece that `day` lies in.
fn begin(bucket: Bucket, day: Date) -> Date {
    match bucket {
        Bucket::Week => day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days()).unwrap_or(day),
        Bucket::Month => day.first_of_month(),
        Bucket::Year => day.first_of_year(),
    }
}

fn next(bucket: Bucket, day: Date) -> Option<Date> {
    let step = match bucket {
        Bucket::Week => 1.week(),
        Bucket::Month => 1.month(),
        Bucket::Year => 1.year(),
    };
    day.checked_add(step).ok()
}

/// Counts distinct people per piece of `period`, with zeros where nobody spoke.
pub(super) fn series(period: Option<(Date, Date)>, spoken: &BTreeSet<(Date, u32)>, undated: u64) -> Series {
    let bucket = bucket(period);
    let mut people = BTreeMap::<Date, BTreeSet<u32>>::new();
    for &(day, person) in spoken {
        people.entry(begin(bucket, day)).or_default().insert(person);
    }
    let mut points = Vec::new();
    if let Some((first, last)) = period {
        let mut day = Some(begin(bucket, first));
        while let Some(at) = day.filter(|&d| d <= last) {
            points.push((at, people.get(&at).map_or(0, |p| p.len() as u64)));
            day = next(bucket, at);
        }
    }
    Series { bucket, points, undated }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn weeks_begin_on_monday_and_count_people_once() {
        let period = Some((date(2026, 2, 4), date(2026, 2, 24)));
        let spoken = BTreeSet::from([
            (date(2026, 2, 4), 1),
            (date(2026, 2, 8), 1),
            (date(2026, 2, 8), 2),
            (date(2026, 2, 23), 1),
        ]);
        let series = series(period, &spoken, 0);
        assert_eq!(
            series.points,
            [(date(2026, 2, 2), 2), (date(2026, 2, 9), 0), (date(2026, 2, 16), 0), (date(2026, 2, 23), 1)]
        );
    }

    #[test]
    fn long_periods_are_drawn_in_longer_pieces() {
        for (last, expected) in
            [(date(2026, 7, 30), Bucket::Week), (date(2029, 7, 30), Bucket::Month), (date(2040, 1, 1), Bucket::Year)]
        {
            assert_eq!(bucket(Some((date(2026, 2, 3), last))), expected, "{last}");
        }
        assert!(series(Some((date(1990, 1, 1), date(9999, 12, 31))), &BTreeSet::new(), 0).points.len() < 9000);
    }
}
