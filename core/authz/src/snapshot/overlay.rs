//! What changed since the body was built: replaced rows, new names, new tenants.
//!
//! The body stays as it is. One bit an object says whether to look here, so that objects without
//! changes cost one test.

mod change;
mod row;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

pub(super) use self::change::apply;
pub(crate) use self::row::OverlayRow;

use super::View;
use super::body::{Word, index};
use super::names::ByKey;
use super::object::{Object, Tenancy};
use super::schema::{RelationTable, Schema};

/// Why a row could not be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Its position in the delta, from 0.
    pub position: usize,
    /// What is wrong with it: one line.
    pub problem: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "row {}: {}", self.position, self.problem)
    }
}

impl std::error::Error for RowError {}

/// Changes beside a body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay {
    types: Vec<TypeOverlay>,
    rows: BTreeMap<RowKey, OverlayRow>,
    tenancies: BTreeMap<Object, Tenancy>,
    /// How to take back what the delta has changed that is being applied, the first change first.
    journal: Vec<Undo>,
}

/// An object, and the number of one of its relations.
type RowKey = (Object, u32);

/// How one change is taken back.
#[derive(Clone, Debug)]
enum Undo {
    /// The last name of a type was added.
    Name { type_index: u32 },
    /// A row was copied from the body.
    Row(RowKey),
    /// A row was emptied that had been this.
    Emptied(RowKey, OverlayRow),
    /// A subject was stored or removed; what was stored for its word, with its context.
    Subject { key: RowKey, word: u32, before: Option<Option<Vec<u8>>> },
    /// An object had this tenancy here, if any.
    Tenancy(Object, Option<Tenancy>),
}

#[derive(Clone, Debug)]
struct TypeOverlay {
    /// Objects in the body.
    base: u32,
    numbers: HashMap<Arc<str>, u32, ByKey>,
    ids: Vec<Arc<str>>,
    /// One bit an object with a replaced row.
    dirty: Vec<u64>,
}

impl Overlay {
    /// No changes beside a body with these slots.
    pub(crate) fn new(schema: &Schema, slots: &[Word]) -> Self {
        let types = schema.types.iter().map(|table| TypeOverlay {
            base: table.count,
            numbers: HashMap::with_hasher(ByKey::of(slots)),
            ids: Vec::new(),
            dirty: Vec::new(),
        });
        Self { types: types.collect(), ..Self::default() }
    }

    pub(crate) fn entries(&self) -> usize {
        let names: usize = self.types.iter().map(|table| table.ids.len()).sum();
        names.saturating_add(self.rows.len()).saturating_add(self.tenancies.len())
    }

    pub(crate) fn find(&self, type_index: u32, id: &str) -> Option<u32> {
        self.types.get(index(type_index))?.numbers.get(id).copied()
    }

    pub(crate) fn id(&self, object: Object) -> Option<&str> {
        let table = self.types.get(index(object.type_index))?;
        let position = object.local.checked_sub(table.base)?;
        table.ids.get(index(position)).map(Arc::as_ref)
    }

    pub(crate) fn added(&self, type_index: u32) -> u32 {
        let added = self.types.get(index(type_index)).map_or(0, |table| table.ids.len());
        u32::try_from(added).unwrap_or(u32::MAX)
    }

    pub(crate) fn tenancy(&self, object: Object) -> Option<Tenancy> {
        if self.tenancies.is_empty() { None } else { self.tenancies.get(&object).copied() }
    }

    #[inline]
    pub(crate) fn is_dirty(&self, object: Object) -> bool {
        if self.rows.is_empty() {
            return false;
        }
        let dirty = self.types.get(index(object.type_index)).map(|table| table.dirty.as_slice());
        let word = dirty.unwrap_or_default().get(index(object.local / 64)).copied();
        word.unwrap_or_default() >> (object.local % 64) & 1 == 1
    }

    #[inline]
    pub(crate) fn row(&self, object: Object, relation: u32) -> Option<&OverlayRow> {
        self.rows.get(&(object, relation))
    }

    /// The object, which is added if nobody knows it yet.
    pub(crate) fn intern(
        &mut self,
        view: &View<'_>,
        type_index: u32,
        id: &str,
    ) -> Result<Object, String> {
        if let Some(object) = view.find(type_index, id) {
            return Ok(object);
        }
        let table = self.types.get_mut(index(type_index)).ok_or("the type is unknown")?;
        if let Some(local) = table.numbers.get(id) {
            return Ok(Object { type_index, local: *local });
        }
        let added = u32::try_from(table.ids.len()).ok();
        let local = added.and_then(|added| table.base.checked_add(added));
        let local = local.ok_or("there are too many objects")?;
        let id = Arc::<str>::from(id);
        table.numbers.insert(Arc::clone(&id), local);
        table.ids.push(id);
        self.journal.push(Undo::Name { type_index });
        Ok(Object { type_index, local })
    }

    /// Ends a delta: what it changed stays.
    pub(super) fn keep(&mut self) {
        self.journal = Vec::new();
    }

    /// Ends a delta: everything is as it was when it began.
    pub(super) fn take_back(&mut self) {
        while let Some(undo) = self.journal.pop() {
            match undo {
                Undo::Name { type_index } => {
                    if let Some(table) = self.types.get_mut(index(type_index))
                        && let Some(id) = table.ids.pop()
                    {
                        table.numbers.remove(&id);
                    }
                }
                // The bit stays: it only says where to look.
                Undo::Row(key) => drop(self.rows.remove(&key)),
                Undo::Emptied(key, row) => drop(self.rows.insert(key, row)),
                Undo::Subject { key, word, before } => {
                    if let Some(row) = self.rows.get_mut(&key) {
                        row.set(word, before);
                    }
                }
                Undo::Tenancy(object, Some(before)) => {
                    self.tenancies.insert(object, before);
                }
                Undo::Tenancy(object, None) => drop(self.tenancies.remove(&object)),
            }
        }
    }

    /// Stores a subject, in place of the same one with another context.
    fn put(
        &mut self,
        view: &View<'_>,
        (object, relation): (Object, &RelationTable),
        word: u32,
        context: Option<Vec<u8>>,
    ) {
        let before = self.row_mut(view, object, relation).set(word, Some(context));
        self.journal.push(Undo::Subject { key: (object, relation.number), word, before });
    }

    /// Removes a subject, if it is stored.
    fn remove(&mut self, view: &View<'_>, (object, relation): (Object, &RelationTable), word: u32) {
        let key = (object, relation.number);
        let stored = match self.rows.get(&key) {
            Some(row) => row.words.binary_search(&word).is_ok(),
            None => view.row(object, relation).position(word).is_some(),
        };
        if stored {
            let before = self.row_mut(view, object, relation).set(word, None);
            self.journal.push(Undo::Subject { key, word, before });
        }
    }

    /// Removes every subject.
    fn empty(&mut self, view: &View<'_>, object: Object, relation: &RelationTable) {
        let before = std::mem::take(self.row_mut(view, object, relation));
        self.journal.push(Undo::Emptied((object, relation.number), before));
    }

    fn set_tenancy(&mut self, object: Object, tenancy: Tenancy) {
        let before = self.tenancies.insert(object, tenancy);
        self.journal.push(Undo::Tenancy(object, before));
    }

    /// The row to change: a copy of what the body stores, if it is here for the first time.
    fn row_mut(
        &mut self,
        view: &View<'_>,
        object: Object,
        relation: &RelationTable,
    ) -> &mut OverlayRow {
        if let Some(table) = self.types.get_mut(index(object.type_index)) {
            let word = index(object.local / 64);
            if table.dirty.len() <= word {
                table.dirty.resize(word.saturating_add(1), 0);
            }
            if let Some(word) = table.dirty.get_mut(word) {
                *word |= 1 << (object.local % 64);
            }
        }
        let key = (object, relation.number);
        self.rows.entry(key).or_insert_with(|| {
            self.journal.push(Undo::Row(key));
            OverlayRow::copy(view, object, relation)
        })
    }
}
