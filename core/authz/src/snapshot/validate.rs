//! What has to hold of the bulk sections before anything is read from them.
//!
//! One pass over each, in the order in which they lie: sequential reads, no hashing. A pass stops
//! wherever its caller wants and goes on from there, so that a large snapshot keeps nobody waiting.

mod rows;

use self::rows::Rows;
use super::SnapshotError;
use super::body::{Body, Section, index, read};
use super::names::{FREE, Record, SAMPLE, low_bits, position_bits, split_key};
use super::rows::{SEVERAL, UNKNOWN};
use super::schema::Schema;

/// How far the validation of a body has come.
#[derive(Debug)]
pub(super) enum Progress {
    Names(Names),
    Slots(Slots),
    Rows(Rows),
    Done,
}

impl Progress {
    /// Nothing has been validated.
    pub(super) fn begin(body: &Body) -> Self {
        let words = body.words(Section::Names).len();
        let starts = Starts(vec![0; words.div_ceil(64)]);
        Self::Names(Names { starts, number: 0, at: 0 })
    }

    /// Goes on for about so many words; whether nothing is left.
    ///
    /// After an error it is of no use.
    pub(super) fn advance(
        &mut self,
        body: &Body,
        schema: &Schema,
        mut words: usize,
    ) -> Result<bool, SnapshotError> {
        let objects = schema.types.last();
        let objects = objects.map_or(0, |last| last.first_object.saturating_add(last.count));
        loop {
            let next = match self {
                Self::Names(names) => names.advance(body, objects, &mut words)?.then(|| {
                    let starts = std::mem::take(&mut names.starts);
                    Self::Slots(Slots { starts, next: 0, taken: 0 })
                }),
                Self::Slots(slots) => {
                    let done = slots.advance(body, objects, &mut words)?;
                    done.then(|| runs(body, schema))
                        .transpose()?
                        .map(|()| Self::Rows(Rows::default()))
                }
                Self::Rows(rows) => rows.advance(body, schema, &mut words)?.then_some(Self::Done),
                Self::Done => return Ok(true),
            };
            match next {
                Some(next) => *self = next,
                None => return Ok(false),
            }
        }
    }
}

/// Where records of names start: one bit a word of the section.
#[derive(Debug, Default)]
struct Starts(Vec<u64>);

impl Starts {
    fn add(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    /// Takes a start away; false if it is none.
    fn take(&mut self, at: usize) -> bool {
        let bit = 1_u64 << (at % 64);
        let word = self.0.get_mut(at / 64).filter(|word| **word & bit != 0);
        word.is_some_and(|word| {
            *word &= !bit;
            true
        })
    }
}

/// Records of names lie one after the other in the order of their numbers, none empty, all of them
/// text.
#[derive(Debug)]
pub(super) struct Names {
    /// Of the records before.
    starts: Starts,
    /// The next record's number.
    number: u32,
    /// Where it starts.
    at: usize,
}

impl Names {
    fn advance(
        &mut self,
        body: &Body,
        objects: u32,
        words: &mut usize,
    ) -> Result<bool, SnapshotError> {
        let offsets = body.whole_words(Section::NameOffsets)?;
        let records = body.whole_words(Section::Names)?;
        let error = |problem| SnapshotError::new("names", problem);
        while self.number < objects {
            if *words == 0 {
                return Ok(false);
            }
            let record = Record::at(records, self.at).filter(|record| record.number == self.number);
            let record = record.ok_or_else(|| error("are cut short or out of order"))?;
            if record.id.is_empty() || record.padding.iter().any(|byte| *byte != 0) {
                return Err(error("are empty or badly padded"));
            }
            if !record.is_surely_ascii(records, self.at) && std::str::from_utf8(record.id).is_err()
            {
                return Err(error("are not UTF-8"));
            }
            let sampled = || offsets.get(index(self.number / SAMPLE)).map(|at| index(read(at)));
            if self.number.is_multiple_of(SAMPLE) && sampled() != Some(self.at) {
                return Err(error("are not where their offsets say"));
            }
            self.starts.add(self.at);
            self.at = self.at.saturating_add(record.words());
            self.number = self.number.saturating_add(1);
            *words = words.saturating_sub(record.words());
        }
        if self.at != records.len() || offsets.len() != index(objects.div_ceil(SAMPLE)) {
            return Err(error("do not fill their section"));
        }
        Ok(true)
    }
}

/// Every name has exactly one slot, and one slot is free, so that every search ends.
#[derive(Debug)]
pub(super) struct Slots {
    /// Of the records whose slots are still to be met.
    starts: Starts,
    /// The next slot's position.
    next: usize,
    /// Slots before that hold a name.
    taken: usize,
}

impl Slots {
    fn advance(
        &mut self,
        body: &Body,
        objects: u32,
        words: &mut usize,
    ) -> Result<bool, SnapshotError> {
        let section = body.whole_words(Section::Slots)?;
        let (_, slots) = split_key(section);
        let error = |problem| SnapshotError::new("slots", problem);
        let mask = low_bits(position_bits(body.words(Section::Names).len()));
        let rest = slots.get(self.next..).unwrap_or_default();
        let now = rest.get(..*words).unwrap_or(rest);
        for slot in now.iter().map(read).filter(|slot| *slot != FREE) {
            if !self.starts.take(index(slot & mask)) {
                return Err(error("name an object twice or none"));
            }
            self.taken = self.taken.saturating_add(1);
        }
        self.next = self.next.saturating_add(now.len());
        *words = words.saturating_sub(now.len());
        if self.next < slots.len() {
            return Ok(false);
        }
        if self.taken != index(objects) || self.taken == slots.len() {
            return Err(error("do not hold every name once and one free place"));
        }
        Ok(true)
    }
}

/// Tenant runs ascend, start at the first object, and name tenants that exist.
fn runs(body: &Body, schema: &Schema) -> Result<(), SnapshotError> {
    let words = body.whole_words(Section::Runs)?;
    let (pairs, rest) = words.as_chunks::<2>();
    let error = |problem| SnapshotError::new("runs", problem);
    let last = schema.types.last().map_or(0, |table| table.runs.end);
    if !rest.is_empty() || last != pairs.len() {
        return Err(error("are not those of the types"));
    }
    let tenants = schema.tenant_type.and_then(|tenant| schema.type_table(tenant));
    let tenants = tenants.map_or(0, |table| table.count);
    for table in &schema.types {
        let own = pairs.get(table.runs.clone()).unwrap_or_default();
        let ascending = own.array_windows().all(|[[one, _], [next, _]]| read(one) < read(next));
        let first = own.first().is_none_or(|[first, _]| read(first) == 0);
        let within = own.last().is_none_or(|[last, _]| read(last) < table.count);
        if !ascending || !first || !within {
            return Err(error("are out of order"));
        }
        for [_, value] in own {
            let value = read(value);
            let known = value == UNKNOWN || value <= tenants;
            let several = value == SEVERAL && table.principal;
            if !(known || several) {
                return Err(error("name tenants that are not there"));
            }
        }
    }
    Ok(())
}
