//! Rows: who is stored in a relation of an object, from the body or from the overlay.

use std::ops::Range;

use super::body::{Body, Section, Word, index, read, word_at};
use super::names::{Names, text};
use super::object::{Object, Tenancy};
use super::overlay::{Overlay, OverlayRow};
use super::schema::{ConditionTable, Form, RelationTable, Schema, code, run_value};

/// Everything that an evaluation reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) overlay: &'s Overlay,
    body: &'s Body,
    offsets: &'s [Word],
    blocks: &'s [Word],
}

/// The subjects stored in one relation of one object: words in ascending order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Row<'s> {
    /// From the body; `first` is the position of the first word in the rows section.
    Body { words: &'s [Word], first: usize },
    /// Replaced by a delta, or added for one query.
    Overlay(&'s OverlayRow),
}

/// What is stored beside a relationship under a condition.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Context<'s> {
    /// In binary form.
    Encoded(&'s [u8]),
    /// As it came with the query.
    Json(&'s serde_json::Map<String, serde_json::Value>),
}

impl<'s> View<'s> {
    #[inline]
    pub(super) fn new(body: &'s Body, schema: &'s Schema, overlay: &'s Overlay) -> Self {
        Self {
            schema,
            overlay,
            body,
            offsets: body.words(Section::Offsets),
            blocks: body.words(Section::Rows),
        }
    }

    /// The object of a type with this id.
    #[inline]
    pub(crate) fn find(&self, type_index: u32, id: &str) -> Option<Object> {
        let table = self.schema.type_table(type_index)?;
        let of_type = table.first_object..table.first_object.saturating_add(table.count);
        let found = Names::open(self.body).find(type_index, of_type, id);
        let local = match found {
            Some(number) => number.checked_sub(table.first_object)?,
            None => self.overlay.find(type_index, id)?,
        };
        Some(Object { type_index, local })
    }

    /// The object's id; empty if there is no such object.
    pub(crate) fn id(&self, object: Object) -> &'s str {
        let Some(table) = self.schema.type_table(object.type_index) else { return "" };
        if object.local < table.count {
            text(self.body, table.first_object.saturating_add(object.local))
        } else {
            self.overlay.id(object).unwrap_or_default()
        }
    }

    /// Objects of a type, those of the overlay included.
    pub(crate) fn count(&self, type_index: u32) -> u32 {
        let base = self.schema.type_table(type_index).map_or(0, |table| table.count);
        base.saturating_add(self.overlay.added(type_index))
    }

    pub(crate) fn tenancy(&self, object: Object) -> Tenancy {
        let Some(table) = self.schema.type_table(object.type_index) else {
            return Tenancy::Unknown;
        };
        if table.shared {
            return Tenancy::Shared;
        }
        if self.schema.tenant_type == Some(object.type_index) {
            return Tenancy::Of(object);
        }
        if let Some(tenancy) = self.overlay.tenancy(object) {
            return tenancy;
        }
        if object.local >= table.count {
            return Tenancy::Unknown;
        }
        match run_value(self.body.words(Section::Runs), &table.runs, object.local) {
            UNKNOWN => Tenancy::Unknown,
            SEVERAL => Tenancy::Several,
            value => match self.schema.tenant_type.zip(value.checked_sub(1)) {
                Some((type_index, local)) => Tenancy::Of(Object { type_index, local }),
                None => Tenancy::Unknown,
            },
        }
    }

    /// The row of a relation that stores something.
    #[inline]
    pub(crate) fn row(&self, object: Object, relation: &RelationTable) -> Row<'s> {
        if self.overlay.is_dirty(object)
            && let Some(row) = self.overlay.row(object, relation.number)
        {
            return Row::Overlay(row);
        }
        let place = &relation.place;
        if object.local >= place.objects {
            return Row::EMPTY;
        }
        let at = place.first_offset.saturating_add(index(object.local));
        let Some([start, end]) = self.offsets.get(at..).and_then(<[Word]>::first_chunk) else {
            return Row::EMPTY;
        };
        let start = index(read(start));
        let block = self.blocks.get(start..index(read(end))).unwrap_or_default();
        let Some(bounds) = place.layout.row(block, place.column) else { return Row::EMPTY };
        let first = start.saturating_add(bounds.start);
        Row::Body { words: block.get(bounds).unwrap_or_default(), first }
    }

    /// The context stored beside the subject at a position of a row.
    pub(crate) fn context(&self, row: &Row<'s>, position: usize) -> Option<Context<'s>> {
        match row {
            Row::Body { first, .. } => {
                let entries = self.body.words(Section::Conditioned).as_chunks::<2>().0;
                let subject = u32::try_from(first.checked_add(position)?).ok()?;
                let found = entries.binary_search_by_key(&subject, |[at, _]| read(at)).ok()?;
                let [_, start] = entries.get(found)?;
                let contexts = self.body.bytes(Section::Contexts);
                let end = match entries.get(found.checked_add(1)?) {
                    Some([_, end]) => index(read(end)),
                    None => contexts.len(),
                };
                contexts.get(index(read(start))..end).map(Context::Encoded)
            }
            Row::Overlay(row) => row.context(position),
        }
    }

    /// The condition's bytecode.
    pub(crate) fn code(&self, condition: u32) -> Option<(&'s ConditionTable, &'s [u8])> {
        let table = self.schema.conditions.get(index(condition))?;
        Some((table, code(self.body, table)))
    }

    /// The objects stored in a relation, whatever their conditions; usersets and wildcards are not
    /// among them.
    pub(crate) fn stored_objects(
        &self,
        object: Object,
        relation: u32,
    ) -> impl Iterator<Item = Object> + use<'s> {
        let table = self.schema.relation_table(relation);
        let stored = table.filter(|table| !table.restrictions.is_empty());
        let rows = stored.map(|table| (table, self.row(object, table)));
        rows.into_iter().flat_map(|(table, row)| {
            row.words().filter_map(move |word| {
                let restriction = table.restrictions.get(table.restriction_of(word))?;
                let local = table.local_of(word);
                (restriction.form == Form::Object)
                    .then_some(Object { type_index: restriction.type_index, local })
            })
        })
    }

    /// Whether the object is stored in the relation.
    pub(crate) fn stores(&self, object: Object, relation: u32, subject: Object) -> bool {
        self.stored_objects(object, relation).any(|stored| stored == subject)
    }
}

/// A run's value for objects whose tenant nobody knows.
pub(crate) const UNKNOWN: u32 = 0;
/// A run's value for principals with several tenants.
pub(crate) const SEVERAL: u32 = u32::MAX;

impl<'s> Row<'s> {
    const EMPTY: Self = Self::Body { words: &[], first: 0 };

    /// Number of subjects.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Body { words, .. } => words.len(),
            Self::Overlay(row) => row.words.len(),
        }
    }

    /// The subject word at a position.
    #[inline]
    pub(crate) fn word(&self, position: usize) -> u32 {
        match self {
            Self::Body { words, .. } => word_at(words, position),
            Self::Overlay(row) => row.words.get(position).copied().unwrap_or_default(),
        }
    }

    /// All subject words.
    pub(crate) fn words(self) -> impl Iterator<Item = u32> + 's {
        (0..self.len()).map(move |position| self.word(position))
    }

    /// The position of a subject word.
    #[inline]
    pub(crate) fn position(&self, wanted: u32) -> Option<usize> {
        match self {
            // Rows are short: a scan of one or two cache lines beats halving.
            Self::Body { words, .. } if words.len() <= SCAN => {
                words.iter().position(|word| read(word) == wanted)
            }
            Self::Body { words, .. } => words.binary_search_by_key(&wanted, read).ok(),
            Self::Overlay(row) => row.words.binary_search(&wanted).ok(),
        }
    }

    /// The positions of the subjects of one restriction.
    #[inline]
    pub(crate) fn of_restriction(&self, table: &RelationTable, position: usize) -> Range<usize> {
        let start = match table.restrictions.get(position) {
            Some(restriction) if restriction.tag > 0 => self.lower_bound(restriction.tag),
            _ => 0,
        };
        let end = match table.restrictions.get(position.saturating_add(1)) {
            Some(next) => self.lower_bound(next.tag),
            None => self.len(),
        };
        start..end
    }

    /// The position of the first subject word that is not below.
    #[inline]
    fn lower_bound(&self, wanted: u32) -> usize {
        match self {
            Self::Body { words, .. } if words.len() <= SCAN => {
                let below = words.iter().position(|word| read(word) >= wanted);
                below.unwrap_or(words.len())
            }
            Self::Body { words, .. } => words.partition_point(|word| read(word) < wanted),
            Self::Overlay(row) => row.words.partition_point(|word| *word < wanted),
        }
    }
}

/// Words up to which a row is scanned.
const SCAN: usize = 16;
