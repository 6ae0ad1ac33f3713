//! What has to hold of the bulk sections before anything is read from them.
//!
//! One pass over each, in the order in which they lie: sequential reads, no hashing.

use super::SnapshotError;
use super::block::BlockLayout;
use super::body::{Body, Section, Word, index, read};
use super::names::{FREE, Record, SAMPLE, low_bits, position_bits, split_key};
use super::rows::{SEVERAL, UNKNOWN};
use super::schema::{Form, RelationTable, Schema, TypeTable, code};

pub(super) fn validate(body: &Body, schema: &Schema) -> Result<(), SnapshotError> {
    let objects = schema.types.last();
    let objects = objects.map_or(0, |last| last.first_object.saturating_add(last.count));
    let starts = names(body, objects)?;
    slots(body, objects, starts)?;
    runs(body, schema)?;
    rows(body, schema)
}

/// Where records of names start: one bit a word of the section.
struct Starts(Vec<u64>);

impl Starts {
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
fn names(body: &Body, objects: u32) -> Result<Starts, SnapshotError> {
    let offsets = body.whole_words(Section::NameOffsets)?;
    let records = body.whole_words(Section::Names)?;
    let error = |problem| SnapshotError::new("names", problem);
    let mut starts = Starts(vec![0; records.len().div_ceil(64)]);
    let mut sampled = offsets.iter();
    let mut at = 0_usize;
    for number in 0..objects {
        let record = Record::at(records, at).filter(|record| record.number == number);
        let record = record.ok_or_else(|| error("are cut short or out of order"))?;
        if record.id.is_empty() || record.padding.iter().any(|byte| *byte != 0) {
            return Err(error("are empty or badly padded"));
        }
        if !record.id.is_ascii() && std::str::from_utf8(record.id).is_err() {
            return Err(error("are not UTF-8"));
        }
        if number.is_multiple_of(SAMPLE) && sampled.next().map(|at| index(read(at))) != Some(at) {
            return Err(error("are not where their offsets say"));
        }
        if let Some(word) = starts.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
        at = at.saturating_add(record.words());
    }
    if at != records.len() || sampled.next().is_some() {
        return Err(error("do not fill their section"));
    }
    Ok(starts)
}

/// Every name has exactly one slot, and one slot is free, so that every search ends.
fn slots(body: &Body, objects: u32, mut starts: Starts) -> Result<(), SnapshotError> {
    let section = body.whole_words(Section::Slots)?;
    let (_, slots) = split_key(section);
    let error = |problem| SnapshotError::new("slots", problem);
    let mask = low_bits(position_bits(body.words(Section::Names).len()));
    let mut taken = 0_usize;
    for slot in slots.iter().map(read).filter(|slot| *slot != FREE) {
        if !starts.take(index(slot & mask)) {
            return Err(error("name an object twice or none"));
        }
        taken = taken.saturating_add(1);
    }
    if taken != index(objects) || taken == slots.len() {
        return Err(error("do not hold every name once and one free place"));
    }
    Ok(())
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

/// Blocks lie one after the other, as many as there are objects that store something; what they
/// hold is in order, and exactly the conditional relationships have a context.
fn rows(body: &Body, schema: &Schema) -> Result<(), SnapshotError> {
    let mut offsets = body.whole_words(Section::Offsets)?;
    let mut blocks = body.whole_words(Section::Rows)?;
    let mut contexts = Contexts::open(body, schema)?;
    let error = |problem| SnapshotError::new("offsets", problem);
    let mut at = 0;
    for table in schema.types.iter().filter(|table| table.blocks.columns > 0) {
        let columns = columns(schema, table);
        let count = index(table.count);
        let bounds = offsets.get(..=count).ok_or_else(|| error("are fewer than the objects"))?;
        for [start, end] in bounds.array_windows().map(|bounds| bounds.map(|word| read(&word))) {
            let length = end.checked_sub(start).filter(|_| start == at);
            let split = length.and_then(|length| blocks.split_at_checked(index(length)));
            let (block, rest) = split.ok_or_else(|| error("are out of order"))?;
            if !block.is_empty() {
                block_of(table.blocks, block, &columns, |column, row, first| {
                    column.check(row)?;
                    contexts.check(column, row, index(start).saturating_add(first))
                })?;
            }
            blocks = rest;
            at = end;
        }
        offsets = offsets.get(count..).unwrap_or_default();
    }
    if offsets.len() != 1 || !blocks.is_empty() || offsets.first().map(read) != Some(at) {
        return Err(error("are not as many as the objects"));
    }
    contexts.finish()
}

/// Checks the ends of a block, and hands out its rows, each with the position of its first word.
fn block_of<'b>(
    layout: BlockLayout,
    block: &'b [Word],
    columns: &[Column<'_>],
    mut check: impl FnMut(&Column<'_>, &'b [Word], usize) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let error = || SnapshotError::new("rows", "have ends that are out of order");
    let (header, mut subjects) = block.split_at_checked(layout.header_words).ok_or_else(error)?;
    let header = header.as_flattened();
    let ends = columns.len().saturating_mul(layout.width.bytes());
    if header.get(ends..).is_none_or(|padding| padding.iter().any(|byte| *byte != 0)) {
        return Err(error());
    }
    let mut before = 0;
    for (number, column) in (0_u32..).zip(columns) {
        let end = layout.end(header, number);
        let length = end.and_then(|end| end.checked_sub(before)).ok_or_else(error)?;
        let (row, rest) = subjects.split_at_checked(length).ok_or_else(error)?;
        check(column, row, layout.header_words.saturating_add(before))?;
        subjects = rest;
        before = before.saturating_add(length);
    }
    if subjects.is_empty() { Ok(()) } else { Err(error()) }
}

/// A relation's column with what a subject word may be.
struct Column<'s> {
    relation: &'s RelationTable,
    /// What the words of each restriction stay below: its position above the number of objects of
    /// its type; above one for a wildcard.
    limits: Vec<u64>,
    /// Whether some of what it stores is conditional.
    conditional: bool,
}

fn columns<'s>(schema: &'s Schema, table: &TypeTable) -> Vec<Column<'s>> {
    let own = index(table.relations.start)..index(table.relations.end);
    let relations = schema.relations.get(own).unwrap_or_default().iter();
    let stores = relations.filter(|relation| !relation.restrictions.is_empty());
    let column = |relation: &'s RelationTable| {
        let limits = relation.restrictions.iter().map(|restriction| {
            let objects = match restriction.form {
                Form::Wildcard => 1,
                Form::Object | Form::Userset(_) => {
                    schema.type_table(restriction.type_index).map_or(0, |table| table.count)
                }
            };
            u64::from(restriction.tag).saturating_add(u64::from(objects))
        });
        let mut restrictions = relation.restrictions.iter();
        let conditional = restrictions.any(|restriction| restriction.condition.is_some());
        Column { relation, limits: limits.collect(), conditional }
    };
    stores.map(column).collect()
}

impl Column<'_> {
    /// Subjects ascend, and each is an object that its restriction admits.
    fn check(&self, row: &[Word]) -> Result<(), SnapshotError> {
        let bits = self.relation.local_bits;
        let mut lowest = 0;
        for word in row {
            let word = u64::from(read(word));
            let limit = usize::try_from(word >> bits).ok().and_then(|at| self.limits.get(at));
            if word < lowest || limit.is_none_or(|limit| word >= *limit) {
                return Err(SnapshotError::new("rows", "are out of order or unknown"));
            }
            lowest = word.saturating_add(1);
        }
        Ok(())
    }
}

/// The contexts that are still to be met.
struct Contexts<'b> {
    body: &'b Body,
    schema: &'b Schema,
    /// Positions of subjects, and where their contexts start.
    entries: &'b [[Word; 2]],
    bytes: &'b [u8],
    start: usize,
}

impl<'b> Contexts<'b> {
    fn open(body: &'b Body, schema: &'b Schema) -> Result<Self, SnapshotError> {
        let (entries, rest) = body.whole_words(Section::Conditioned)?.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(SnapshotError::new("contexts", "are not whole entries"));
        }
        Ok(Self { body, schema, entries, bytes: body.bytes(Section::Contexts), start: 0 })
    }

    /// Takes the contexts of a row that starts at a position: exactly its conditional
    /// relationships have one, and each is well formed.
    fn check(
        &mut self,
        column: &Column<'_>,
        row: &[Word],
        first: usize,
    ) -> Result<(), SnapshotError> {
        if !column.conditional {
            return Ok(());
        }
        for (position, word) in (first..).zip(row) {
            let restriction = column.relation.restriction_of(read(word));
            let restriction = column.relation.restrictions.get(restriction);
            if let Some(condition) = restriction.and_then(|restriction| restriction.condition) {
                self.take(position, condition)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, position: usize, condition: u32) -> Result<(), SnapshotError> {
        let error = |problem| SnapshotError::new("contexts", problem);
        let entry = self.entries.split_first().filter(|([at, start], _)| {
            (index(read(at)), index(read(start))) == (position, self.start)
        });
        let (_, rest) = entry.ok_or_else(|| error("do not match the subjects"))?;
        let end = rest.first().map_or(self.bytes.len(), |[_, next]| index(read(next)));
        let context = self.bytes.get(self.start..end);
        let table = self.schema.conditions.get(index(condition));
        let code = table.map(|table| code(self.body, table));
        let sound = context.zip(code).is_some_and(|(context, code)| {
            crate::condition::validate_context(code, context).is_ok()
        });
        if !sound {
            return Err(error("are malformed"));
        }
        self.entries = rest;
        self.start = end;
        Ok(())
    }

    fn finish(self) -> Result<(), SnapshotError> {
        if self.entries.is_empty() && self.start == self.bytes.len() {
            Ok(())
        } else {
            Err(SnapshotError::new("contexts", "do not match the subjects"))
        }
    }
}
