//! What has to hold of the bulk sections before anything is read from them.
//!
//! One pass over each, in the order in which they lie: sequential reads, no hashing.

use super::SnapshotError;
use super::body::{Body, Section, Word, index, read, word_at};
use super::names::{FREE, number_bits, number_in, split_key};
use super::rows::{SEVERAL, UNKNOWN};
use super::schema::{Form, RelationTable, Schema, TypeTable, code};

pub(super) fn validate(body: &Body, schema: &Schema) -> Result<(), SnapshotError> {
    let objects = schema.types.last();
    let objects = objects.map_or(0, |last| last.first_object.saturating_add(last.count));
    names(body, index(objects))?;
    slots(body, index(objects))?;
    runs(body, schema)?;
    offsets(body, schema)?;
    rows(body, schema)?;
    contexts(body, schema)
}

/// Names lie one after the other, none empty, all of them text.
fn names(body: &Body, objects: usize) -> Result<(), SnapshotError> {
    let offsets = body.whole_words(Section::NameOffsets)?;
    let bytes = body.bytes(Section::Names);
    let error = |problem| SnapshotError::new("names", problem);
    if offsets.len() != objects.saturating_add(1) {
        return Err(error("are not as many as the objects"));
    }
    check_ends(offsets, bytes.len()).ok_or_else(|| error("do not fill their section"))?;
    if !offsets.array_windows().all(|[start, end]| read(start) < read(end)) {
        return Err(error("overlap or are empty"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| error("are not UTF-8"))?;
    if offsets.iter().all(|offset| text.is_char_boundary(index(read(offset)))) {
        Ok(())
    } else {
        Err(error("are cut within a character"))
    }
}

/// Every name has exactly one slot, and one slot is free, so that every search ends.
fn slots(body: &Body, objects: usize) -> Result<(), SnapshotError> {
    let section = body.whole_words(Section::Slots)?;
    let (_, slots) = split_key(section);
    let error = |problem| SnapshotError::new("slots", problem);
    let bits = number_bits(objects.saturating_add(1));
    let mut seen = vec![0_u64; objects.div_ceil(64)];
    let mut taken = 0_usize;
    for slot in slots.iter().filter(|slot| read(slot) != FREE) {
        let number = number_in(slot, bits);
        let bit = 1_u64 << (number % 64);
        let word = seen.get_mut(index(number / 64)).filter(|_| index(number) < objects);
        let word = word.ok_or_else(|| error("name objects that are not there"))?;
        if *word & bit != 0 {
            return Err(error("name an object twice"));
        }
        *word |= bit;
        taken = taken.saturating_add(1);
    }
    if taken != objects || taken == slots.len() {
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
            if !known && !(value == SEVERAL && table.principal) {
                return Err(error("name tenants that are not there"));
            }
        }
    }
    Ok(())
}

fn offsets(body: &Body, schema: &Schema) -> Result<(), SnapshotError> {
    let offsets = body.whole_words(Section::Offsets)?;
    let subjects = body.whole_words(Section::Subjects)?;
    let error = |problem| SnapshotError::new("offsets", problem);
    let rows = schema.types.last().map_or(0, |table| {
        table.first_offset.saturating_add(index(table.count).saturating_mul(index(table.slots)))
    });
    if offsets.len() != rows.saturating_add(1) {
        return Err(error("are not as many as the rows"));
    }
    check_ends(offsets, subjects.len()).ok_or_else(|| error("do not cover the subjects"))?;
    if offsets.array_windows().all(|[start, end]| read(start) <= read(end)) {
        Ok(())
    } else {
        Err(error("are out of order"))
    }
}

/// Subjects of a row ascend, and each is an object that its restriction admits.
fn rows(body: &Body, schema: &Schema) -> Result<(), SnapshotError> {
    let offsets = body.words(Section::Offsets);
    let subjects = body.words(Section::Subjects);
    for table in &schema.types {
        let columns = columns(schema, table);
        if columns.is_empty() {
            continue;
        }
        let rows = index(table.count).saturating_mul(columns.len());
        let own = offsets.get(table.first_offset..).unwrap_or_default();
        let own = own.get(..rows.saturating_add(1)).unwrap_or_default();
        for (bounds, column) in own.array_windows().zip(columns.iter().cycle()) {
            let [start, end] = bounds;
            let row = subjects.get(index(read(start))..index(read(end))).unwrap_or_default();
            column.check(row)?;
        }
    }
    Ok(())
}

/// A relation's column with what a subject word may be.
struct Column<'s> {
    relation: &'s RelationTable,
    /// Objects of each restriction's type; one for a wildcard.
    limits: Vec<u32>,
}

fn columns<'s>(schema: &'s Schema, table: &TypeTable) -> Vec<Column<'s>> {
    let own = index(table.relations.start)..index(table.relations.end);
    let relations = schema.relations.get(own).unwrap_or_default().iter();
    let stores = relations.filter(|relation| !relation.restrictions.is_empty());
    let column = |relation: &'s RelationTable| {
        let limits = relation.restrictions.iter().map(|restriction| match restriction.form {
            Form::Wildcard => 1,
            Form::Object | Form::Userset(_) => {
                schema.type_table(restriction.type_index).map_or(0, |table| table.count)
            }
        });
        Column { relation, limits: limits.collect() }
    };
    stores.map(column).collect()
}

impl Column<'_> {
    fn check(&self, row: &[Word]) -> Result<(), SnapshotError> {
        let mut previous = None;
        for word in row {
            let word = read(word);
            let limit = self.limits.get(self.relation.restriction_of(word)).copied();
            let known = limit.is_some_and(|limit| self.relation.local_of(word) < limit);
            if !known || previous.is_some_and(|previous| previous >= word) {
                return Err(SnapshotError::new("subjects", "are out of order or unknown"));
            }
            previous = Some(word);
        }
        Ok(())
    }
}

/// Exactly the conditional relationships have a context, and each context is well formed.
fn contexts(body: &Body, schema: &Schema) -> Result<(), SnapshotError> {
    let words = body.whole_words(Section::Conditioned)?;
    let (entries, rest) = words.as_chunks::<2>();
    let error = |problem| SnapshotError::new("contexts", problem);
    let bytes = body.bytes(Section::Contexts);
    if !rest.is_empty() {
        return Err(error("are not whole entries"));
    }
    let mut entries = entries.iter().peekable();
    let mut expected_start = 0;
    let conditional = schema.types.iter().any(|table| {
        columns(schema, table).iter().any(|column| column.conditions().next().is_some())
    });
    if conditional {
        for (position, condition) in conditional_subjects(body, schema) {
            let entry = entries.next().filter(|[at, _]| index(read(at)) == position);
            let Some([_, start]) = entry else { return Err(error("do not match the subjects")) };
            let start = index(read(start));
            let end = entries.peek().map_or(bytes.len(), |[_, next]| index(read(next)));
            let context = bytes.get(start..end).filter(|_| start == expected_start);
            let table = schema.conditions.get(index(condition));
            let code = table.map(|table| code(body, table));
            let sound = context.zip(code).is_some_and(|(context, code)| {
                crate::condition::validate_context(code, context).is_ok()
            });
            if !sound {
                return Err(error("are malformed"));
            }
            expected_start = end;
        }
    }
    if entries.next().is_some() || expected_start != bytes.len() {
        return Err(error("do not match the subjects"));
    }
    Ok(())
}

impl Column<'_> {
    fn conditions(&self) -> impl Iterator<Item = u32> + '_ {
        self.relation.restrictions.iter().filter_map(|restriction| restriction.condition)
    }
}

/// Positions of conditional subjects with their conditions, in order.
fn conditional_subjects(body: &Body, schema: &Schema) -> Vec<(usize, u32)> {
    let offsets = body.words(Section::Offsets);
    let subjects = body.words(Section::Subjects);
    let mut found = Vec::new();
    for table in &schema.types {
        let columns = columns(schema, table);
        let conditional: Vec<_> =
            columns.iter().map(|column| column.conditions().next().is_some()).collect();
        if !conditional.contains(&true) {
            continue;
        }
        let rows = index(table.count).saturating_mul(columns.len());
        let numbered = columns.iter().zip(&conditional).cycle();
        for (row, (column, conditional)) in (0..rows).zip(numbered) {
            if !conditional {
                continue;
            }
            let at = table.first_offset.saturating_add(row);
            let bounds = word_at(offsets, at)..word_at(offsets, at.saturating_add(1));
            for position in bounds {
                let word = word_at(subjects, index(position));
                let restriction =
                    column.relation.restrictions.get(column.relation.restriction_of(word));
                if let Some(condition) = restriction.and_then(|restriction| restriction.condition) {
                    found.push((index(position), condition));
                }
            }
        }
    }
    found
}

/// The first offset is zero and the last is the end.
fn check_ends(offsets: &[Word], end: usize) -> Option<()> {
    let ends = offsets.first().zip(offsets.last())?;
    (read(ends.0) == 0 && index(read(ends.1)) == end).then_some(())
}
