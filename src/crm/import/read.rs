//! The reading half of an import: which file is of what format, and its records in the order in which they are needed.

use std::collections::HashMap;

use anyhow::{Result, anyhow};
use indicatif::ProgressBar;
use jiff::Timestamp;
use tokio::sync::mpsc::Sender;

use super::columns::{Columns, Field, Map, may_hold_notes, missing};
use super::items::{Item, Row, items};
use super::record::{Cells, Memory, Reading, Record, Scale};
use super::sample::{Layout, Sample};
use super::{Format, Rank, Read, Vendor, formats, gong, plain};
use crate::files::dates::{Dates, Order};
use crate::files::{Place, Visitor, Zone, open, visit, walk};

/// Found things sent at a time, and the bytes of notes after which they are sent in any case.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 4 << 20;

/// What the reading half tells the writing half.
#[derive(Debug)]
pub(super) enum Found {
    /// The records that follow are of this file.
    File { name: String, vendor: Vendor, format: &'static str, order: Option<Order> },
    /// A record, with its number in the file.
    Record(u64, Record),
    /// A record that could not be read.
    Failed(u64, String),
    /// Something in a record that could not be read; the record itself is kept.
    Flaw(u64, String),
    /// The file is a page, and says that another follows.
    More,
    /// A file that is not read.
    Refused(String, String),
    /// A picture or the like.
    Asset,
}

/// Reads all `files`. Ends early when nobody listens any more.
pub(super) fn read(
    files: &[walk::File],
    refused: Vec<walk::Refused>,
    map: &Map,
    zone: &Zone,
    now: Timestamp,
    sender: Sender<Vec<Found>>,
) {
    let mut outbox = Outbox { sender, found: Vec::new(), bytes: 0 };
    let told = || -> Result<()> {
        for (name, reason) in refused {
            outbox.push(Found::Refused(name, reason))?;
        }
        let mut plans = Vec::new();
        for file in files {
            let mut planner = Planner { map, zone, outbox: &mut outbox, plans: &mut plans };
            visit(file, &ProgressBar::hidden(), &mut planner)?;
        }
        let mut memory = Memory::default();
        for rank in Rank::ALL {
            if !plans.iter().any(|(_, plan): &Named| plan.as_ref().is_some_and(|plan| plan.format.rank == rank)) {
                continue;
            }
            let mut reader = Reader { rank, map, now, plans: &plans, at: 0, memory: &mut memory, outbox: &mut outbox };
            for file in files {
                visit(file, &ProgressBar::hidden(), &mut reader)?;
            }
        }
        let rest = gong::rest(&mut memory);
        if !rest.is_empty() {
            let name = "calls without a transcript".to_owned();
            outbox.push(Found::File { name, vendor: "gong", format: gong::CALLS.name, order: None })?;
        }
        for (index, record) in rest.into_iter().enumerate() {
            outbox.push(Found::Record(index as u64 + 1, record))?;
        }
        outbox.send()
    };
    // Sending fails only when the writer has given up; it tells why.
    told().ok();
}

struct Outbox {
    sender: Sender<Vec<Found>>,
    found: Vec<Found>,
    bytes: usize,
}

impl Outbox {
    fn push(&mut self, found: Found) -> Result<()> {
        if let Found::Record(_, Record::Note(draft)) = &found {
            self.bytes += draft.text.len();
        }
        self.found.push(found);
        if self.found.len() >= BATCH || self.bytes >= BATCH_BYTES { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<()> {
        self.bytes = 0;
        self.sender.blocking_send(std::mem::take(&mut self.found)).map_err(|_| anyhow!("the writer is gone"))
    }
}

/// How a file is to be read.
struct Plan {
    vendor: Vendor,
    format: &'static Format,
    layout: Layout,
    dates: Dates,
    /// How the vendor, or else the first rows, write probabilities.
    scale: Option<Scale>,
    mapped: bool,
}

/// A file's name and plan.
type Named = (String, Option<Plan>);

/// Looks at the beginning of every file. A file that is not read has no plan, but its place among the plans.
struct Planner<'a> {
    map: &'a Map,
    zone: &'a Zone,
    outbox: &'a mut Outbox,
    plans: &'a mut Vec<Named>,
}

impl Visitor for Planner<'_> {
    fn file(&mut self, name: &str, place: &Place, raw: &mut dyn std::io::Read) -> Result<()> {
        if open::is_asset(place.path()) {
            self.plans.push((name.to_owned(), None));
            return self.outbox.push(Found::Asset);
        }
        let plan = open::open(place.path(), raw).and_then(|(head, _)| plan(&head, self.map, self.zone));
        match plan {
            Ok(plan) => self.plans.push((name.to_owned(), Some(plan))),
            Err(reason) => {
                self.plans.push((name.to_owned(), None));
                self.outbox.push(Found::Refused(name.to_owned(), reason))?;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, name: &str, reason: String) {
        // Sending fails only when the writer has given up; the next file notices.
        self.outbox.push(Found::Refused(name.to_owned(), reason)).ok();
    }
}

fn plan(head: &[u8], map: &Map, zone: &Zone) -> Result<Plan, String> {
    let sample = Sample::of(head)?;
    let mut mapped = map.fits(&sample.header);
    let known = match mapped {
        true => map.is_of_deals().then_some(("", &plain::DEALS)),
        false => formats().find(|(_, format)| (format.knows)(&sample)),
    };
    let (vendor, format) = match known {
        Some(known) => known,
        None => {
            // Only of what is refused anyway: a record may have an empty list of its own, and a cut file whole records.
            let firms = is_of_firms(&sample, map).map_err(|why| open::barren(head).map_or(why, str::to_owned))?;
            mapped |= firms;
            ("", if firms { &plain::ACCOUNTS } else { &plain::NOTES })
        }
    };
    let vendor = if vendor.is_empty() { plain::vendor_by_labels(&sample.header) } else { vendor };
    let order = Order::of(sample.rows.iter().flatten().map(String::as_str));
    let scale = match format.read {
        _ if matches!(vendor, "salesforce" | "pipedrive" | "close") => Some(Scale::Percent),
        Read::Row(names, _) => {
            let none = Map::default();
            let columns = Columns::find(&sample.header, names, if mapped { map } else { &none }, false)?;
            let at = columns.first(Field::Probability);
            at.and_then(|at| Scale::of(sample.rows.iter().filter_map(|row| row.get(at)).map(String::as_str)))
        }
        Read::Object(_) => None,
    };
    let dates = Dates { zone: zone.clone(), order };
    Ok(Plan { vendor, format, layout: sample.layout, dates, scale, mapped })
}

/// Whether a file of no known export is of firms; otherwise it is of notes.
///
/// # Errors
/// Why it is of neither, in words for the user.
fn is_of_firms(sample: &Sample, map: &Map) -> Result<bool, String> {
    let Read::Row(names, _) = plain::NOTES.read else { return Err("no format".to_owned()) };
    let header = &sample.header;
    let firms =
        !map.names(Field::Text) && !may_hold_notes(header) && Columns::find(header, names, map, false)?.is_of_firms();
    let columns = Columns::find(header, names, map, !firms)?;
    if sample.objects.is_empty() && !matches!(sample.layout, Layout::Table { .. }) {
        return Err("no JSON record could be read at its beginning".to_owned());
    }
    for (field, or) in [(Field::Text, Field::Text), (Field::Account, Field::AccountName)] {
        if !firms && !columns.has(field) && !columns.has(or) {
            return Err(missing(header, field));
        }
    }
    Ok(firms)
}

/// Reads the files of one rank; the others are passed by.
struct Reader<'a> {
    rank: Rank,
    map: &'a Map,
    now: Timestamp,
    plans: &'a [Named],
    at: usize,
    memory: &'a mut Memory,
    outbox: &'a mut Outbox,
}

impl Visitor for Reader<'_> {
    fn file(&mut self, name: &str, place: &Place, raw: &mut dyn std::io::Read) -> Result<()> {
        // A file that was there when the plans were made may be gone by now.
        let ahead = self.plans.iter().skip(self.at).position(|(planned, _)| planned == name);
        let Some(at) = ahead.map(|ahead| self.at + ahead) else { return Ok(()) };
        self.at = at + 1;
        let Some(plan) = self.plans[at].1.as_ref().filter(|plan| plan.format.rank == self.rank) else { return Ok(()) };
        let input = match open::open(place.path(), raw) {
            Ok((_, input)) => input,
            Err(reason) => return self.outbox.push(Found::Refused(name.to_owned(), reason)),
        };
        let order = plan.dates.order;
        let (vendor, format) = (plan.vendor, plan.format.name);
        self.outbox.push(Found::File { name: name.to_owned(), vendor, format, order })?;
        let others = self.map.of_others();
        let map = if plan.mapped { self.map } else { &others };
        let mut met = HashMap::new();
        let mut columns: Option<Columns> = None;
        for (number, item) in items(plan.layout, input) {
            if let Ok(Item::More) = item {
                self.outbox.push(Found::More)?;
                continue;
            }
            let mut reading = Reading {
                vendor,
                dates: &plan.dates,
                scale: plan.scale,
                segment: self.map.segment(),
                stages: self.map.stages(),
                now: self.now,
                memory: self.memory,
                records: Vec::new(),
                flaws: Vec::new(),
                met: &mut met,
            };
            let read = item.and_then(|item| one(&item, plan, map, &mut columns, &mut reading));
            let Reading { records, flaws, .. } = reading;
            for flaw in flaws {
                self.outbox.push(Found::Flaw(number, flaw))?;
            }
            for record in records {
                self.outbox.push(Found::Record(number, record))?;
            }
            if let Err(reason) = read {
                self.outbox.push(Found::Failed(number, reason))?;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, _: &str, _: String) {}
}

/// Reads one record. `columns` are those of the table, once they are known.
fn one(
    item: &Item,
    plan: &Plan,
    map: &Map,
    columns: &mut Option<Columns>,
    reading: &mut Reading<'_>,
) -> Result<(), String> {
    match (plan.format.read, item) {
        (Read::Object(read), Item::Object(object)) => read(object, reading),
        (Read::Row(names, read), Item::Row(row)) => {
            if row.is_blank() {
                reading.skip("empty row");
                return Ok(());
            }
            if row.is_footer() {
                reading.skip("footer of the report");
                return Ok(());
            }
            let columns = match columns {
                Some(columns) => columns,
                None => columns.insert(Columns::find(&row.header, names, map, false)?),
            };
            read(&Cells { row, columns }, reading)
        }
        // Objects bring their own names, and each may have others.
        (Read::Row(names, read), Item::Object(object)) => {
            let row = Row::of_object(object);
            let columns = Columns::find(&row.header, names, map, false)?;
            read(&Cells { row: &row, columns: &columns }, reading)
        }
        (_, Item::More) => Ok(()),
        (Read::Object(_), Item::Row(_)) => Err("a row where an object was expected".to_owned()),
    }
}

/// The texts of the notes in a file of `bytes`, read as the format of this number, or as the one that it is told to be.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_bytes(bytes: &[u8], format: Option<usize>) -> Vec<String> {
    let records = records_in(bytes, format, &mut Memory::default()).into_iter();
    let text = |record| match record {
        Ok(Record::Note(draft)) => Some(draft.text),
        _ => None,
    };
    records.filter_map(text).collect()
}

#[cfg(any(test, fuzzing))]
fn records_in(bytes: &[u8], format: Option<usize>, memory: &mut Memory) -> Vec<Result<Record, String>> {
    let Ok((head, input)) = open::open(std::path::Path::new("x"), bytes) else { return Vec::new() };
    let Ok(mut plan) = plan(&head, &Map::default(), &Zone::default()) else { return Vec::new() };
    let chosen = format.and_then(|number| formats().nth(number % formats().count()));
    (plan.vendor, plan.format) = chosen.unwrap_or((plan.vendor, plan.format));
    let (mut met, mut columns, mut found) = (HashMap::new(), None, Vec::new());
    let map = Map::default();
    for (_, item) in items(plan.layout, input) {
        let mut reading = Reading {
            vendor: plan.vendor,
            dates: &plan.dates,
            scale: plan.scale,
            segment: None,
            stages: map.stages(),
            now: Timestamp::UNIX_EPOCH,
            memory: &mut *memory,
            records: Vec::new(),
            flaws: Vec::new(),
            met: &mut met,
        };
        let read = item.and_then(|item| one(&item, &plan, &map, &mut columns, &mut reading));
        found.extend(reading.records.into_iter().map(Ok).chain(read.err().map(Err)));
    }
    found.extend(gong::rest(memory).into_iter().map(Ok));
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::vendors::{HUBSPOT_DEALS, HUBSPOT_NOTES};
    use super::*;

    const FILES: [&str; 8] = [
        HUBSPOT_NOTES,
        HUBSPOT_DEALS,
        r#"[{"engagement":{"type":"EMAIL","timestamp":1},"metadata":{"to":[{"email":"a@b.example"}],"text":"x"}}]"#,
        r#"{"data":[{"id":7,"org_id":{"value":1,"name":"A"},"content":"<b>x","add_time":"2026-03-01 10:00:00"}]}"#,
        r#"[{"id":"lead_1","display_name":"Q","contacts":[{"name":"A B"}],"opportunities":[{"id":"oppo_1","value":1}]}]"#,
        r#"{"calls":[{"metaData":{"id":"1"},"parties":[{"speakerId":"2","affiliation":"External"}]}]}"#,
        r#"{"callTranscripts":[{"callId":"1","transcript":[{"speakerId":"2","sentences":[{"text":"x"}]}]}]}"#,
        "Id,WhatId,Subject,Description,TaskSubtype,CreatedDate,AccountId\n1,,a,\"b\nc\",Call,2026-01-01,9\n2,,a,,,x,\n",
    ];

    proptest! {
        #[test]
        fn damaged_exports_come_to_an_end(
            file in 0..FILES.len(),
            hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
            end in any::<prop::sample::Index>(),
        ) {
            let mut bytes = FILES[file].as_bytes().to_vec();
            for (at, byte) in hits {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(end.index(bytes.len()) + 1);
            read_bytes(&bytes, None);
        }

        #[test]
        fn fields_of_any_type_are_survived(file in 0..7_usize, from in 0..40_usize, to in 0..5_usize) {
            // One value becomes another: a number, null, a list, an object, a text.
            let other = ["7", "null", "[1,{}]", "{\"id\":[]}", "\"\u{e9}, x\""][to];
            let text = FILES[file];
            let starts: Vec<_> = text.match_indices(':').map(|(at, _)| at + 1).collect();
            let at = starts[from % starts.len()];
            let length = text[at..].find([',', '}', ']']).unwrap_or(0);
            let changed = format!("{}{other}{}", &text[..at], &text[at + length..]);
            read_bytes(changed.as_bytes(), None);
        }
    }

    #[test]
    fn whole_files_are_found_in_full() {
        let mut memory = Memory::default();
        let found: Vec<_> = FILES.iter().map(|file| records_in(file.as_bytes(), None, &mut memory).len()).collect();
        assert_eq!(found, [6, 3, 2, 2, 3, 1, 1, 2]);
    }
}
