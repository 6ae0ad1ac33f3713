//! Relationships: blocks, the rows in them, and the contexts of conditional ones.

use super::super::SnapshotError;
use super::super::block::{BlockLayout, Width};
use super::super::body::{Body, Section, Word, index, read};
use super::super::schema::{Form, RelationTable, Schema, TypeTable, code};

/// Blocks lie one after the other, as many as there are objects that store something; what they
/// hold is in order, and exactly the conditional relationships have a context.
#[derive(Debug, Default)]
pub(in crate::snapshot) struct Rows {
    /// The type whose objects are next, and the next one's number within it.
    table: usize,
    object: usize,
    /// Where the type's offsets start.
    offset: usize,
    /// Where the next block starts.
    at: u32,
    /// Contexts that were met, and where the next one starts.
    contexts: usize,
    context: usize,
}

impl Rows {
    pub(super) fn advance(
        &mut self,
        body: &Body,
        schema: &Schema,
        words: &mut usize,
    ) -> Result<bool, SnapshotError> {
        let offsets = body.whole_words(Section::Offsets)?;
        let blocks = body.whole_words(Section::Rows)?;
        let mut contexts = Contexts::open(body, schema, [self.contexts, self.context])?;
        while let Some(table) = schema.types.get(self.table) {
            if table.blocks.columns > 0 {
                let objects = index(table.count);
                let bounds = offsets.get(self.offset..).and_then(|rest| rest.get(..=objects));
                let bounds = bounds.ok_or_else(|| error("are fewer than the objects"))?;
                let done = self.blocks_of(table, bounds, blocks, &mut contexts, words)?;
                [self.contexts, self.context] = [contexts.taken, contexts.start];
                if !done {
                    return Ok(false);
                }
                self.offset = self.offset.saturating_add(objects);
            }
            self.table = self.table.saturating_add(1);
            self.object = 0;
        }
        let whole = index(self.at) == blocks.len();
        let last = offsets.get(self.offset..).unwrap_or_default();
        if !whole || last.len() != 1 || last.first().map(read) != Some(self.at) {
            return Err(error("are not as many as the objects"));
        }
        contexts.finish().map(|()| true)
    }

    /// The objects of one type: a block each, empty if it stores nothing.
    fn blocks_of(
        &mut self,
        table: &TypeTable,
        bounds: &[Word],
        blocks: &[Word],
        contexts: &mut Contexts<'_>,
        words: &mut usize,
    ) -> Result<bool, SnapshotError> {
        let columns = columns(contexts.schema, table);
        let bounds = bounds.get(self.object..).unwrap_or_default();
        for [start, end] in bounds.array_windows().map(|bounds| bounds.map(|word| read(&word))) {
            if *words == 0 {
                return Ok(false);
            }
            let block = blocks.get(index(start)..index(end)).filter(|_| start == self.at);
            let block = block.ok_or_else(|| error("are out of order"))?;
            if !block.is_empty() {
                block_of(table.blocks, block, &columns, |column, row, first| {
                    column.check(row)?;
                    contexts.check(column, row, index(start).saturating_add(first))
                })?;
            }
            self.at = end;
            self.object = self.object.saturating_add(1);
            *words = words.saturating_sub(block.len().saturating_add(1));
        }
        Ok(true)
    }
}

const fn error(problem: &'static str) -> SnapshotError {
    SnapshotError::new("offsets", problem)
}

/// Checks the ends of a block, and hands out its rows that store something, each with the position
/// of its first word.
fn block_of<'b>(
    layout: BlockLayout,
    block: &'b [Word],
    columns: &[Column<'_>],
    check: impl FnMut(&Column<'_>, &'b [Word], usize) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let (header, subjects) = block.split_at_checked(layout.header_words).ok_or_else(bad_ends)?;
    let header = header.as_flattened();
    let bytes = columns.len().saturating_mul(layout.width.bytes());
    let (ends, padding) = header.split_at_checked(bytes).ok_or_else(bad_ends)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(bad_ends());
    }
    // What an end looks like is decided once a block, not once a row.
    let first = layout.header_words;
    match layout.width {
        Width::One => {
            rows_of(ends.iter().copied().map(usize::from), subjects, columns, first, check)
        }
        Width::Two => {
            let ends = ends.as_chunks::<2>().0.iter();
            let ends = ends.map(|end| usize::from(u16::from_le_bytes(*end)));
            rows_of(ends, subjects, columns, first, check)
        }
        Width::Four => {
            let ends = ends.as_chunks::<4>().0.iter();
            rows_of(ends.map(|end| index(read(end))), subjects, columns, first, check)
        }
    }
}

/// Hands out the rows between the ends, of which there are as many as columns.
fn rows_of<'b>(
    ends: impl Iterator<Item = usize>,
    subjects: &'b [Word],
    columns: &[Column<'_>],
    first: usize,
    mut check: impl FnMut(&Column<'_>, &'b [Word], usize) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let mut start = 0;
    for (column, end) in columns.iter().zip(ends) {
        if end != start {
            let row = subjects.get(start..end).ok_or_else(bad_ends)?;
            check(column, row, first.saturating_add(start))?;
            start = end;
        }
    }
    if start == subjects.len() { Ok(()) } else { Err(bad_ends()) }
}

const fn bad_ends() -> SnapshotError {
    SnapshotError::new("rows", "have ends that are out of order")
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
        let is_admitted = |word: u32| {
            let word = u64::from(word);
            let limit = usize::try_from(word >> bits).ok().and_then(|at| self.limits.get(at));
            limit.is_some_and(|limit| word < *limit)
        };
        let ascends = row.array_windows().all(|[one, next]| read(one) < read(next));
        // Of one restriction all lie below the limit if the last of them does.
        let admitted = match self.limits.as_slice() {
            [_] => row.last().is_none_or(|last| is_admitted(read(last))),
            _ => row.iter().all(|word| is_admitted(read(word))),
        };
        if ascends && admitted {
            Ok(())
        } else {
            Err(SnapshotError::new("rows", "are out of order or unknown"))
        }
    }
}

/// The contexts, of which some were met.
struct Contexts<'b> {
    body: &'b Body,
    schema: &'b Schema,
    /// Positions of subjects, and where their contexts start.
    entries: &'b [[Word; 2]],
    bytes: &'b [u8],
    /// Contexts that were met, and where the next one starts.
    taken: usize,
    start: usize,
}

impl<'b> Contexts<'b> {
    fn open(
        body: &'b Body,
        schema: &'b Schema,
        [taken, start]: [usize; 2],
    ) -> Result<Self, SnapshotError> {
        let (entries, rest) = body.whole_words(Section::Conditioned)?.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(SnapshotError::new("contexts", "are not whole entries"));
        }
        let bytes = body.bytes(Section::Contexts);
        Ok(Self { body, schema, entries, bytes, taken, start })
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
        let entry =
            |number: usize| self.entries.get(number).map(|entry| entry.map(|word| read(&word)));
        let met = entry(self.taken)
            .is_some_and(|[at, start]| (index(at), index(start)) == (position, self.start));
        if !met {
            return Err(error("do not match the subjects"));
        }
        let next = self.taken.saturating_add(1);
        let end = entry(next).map_or(self.bytes.len(), |[_, start]| index(start));
        let context = self.bytes.get(self.start..end);
        let table = self.schema.conditions.get(index(condition));
        let code = table.map(|table| code(self.body, table));
        let sound = context.zip(code).is_some_and(|(context, code)| {
            crate::condition::validate_context(code, context).is_ok()
        });
        if !sound {
            return Err(error("are malformed"));
        }
        self.taken = next;
        self.start = end;
        Ok(())
    }

    fn finish(self) -> Result<(), SnapshotError> {
        if self.taken == self.entries.len() && self.start == self.bytes.len() {
            Ok(())
        } else {
            Err(SnapshotError::new("contexts", "do not match the subjects"))
        }
    }
}
