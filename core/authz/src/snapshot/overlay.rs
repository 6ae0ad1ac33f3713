//! What changed since the body was built: replaced rows, new names, new tenants.
//!
//! The body stays as it is. One bit an object says whether to look here, so that objects without
//! changes cost one test.

use std::collections::BTreeMap;
use std::fmt;

use super::body::index;
use super::object::{Object, Tenancy};
use super::rows::Context;
use super::schema::{Form, RelationTable, Schema};
use super::{Snapshot, View};
use crate::name::{ObjectName, Subject};
use crate::records::RecordOverlay;
use crate::row::{Row, StoredCondition};

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
    rows: BTreeMap<(Object, u32), OverlayRow>,
    tenancies: BTreeMap<Object, Tenancy>,
}

#[derive(Clone, Debug, Default)]
struct TypeOverlay {
    /// Objects in the body.
    base: u32,
    numbers: BTreeMap<String, u32>,
    ids: Vec<String>,
    /// One bit an object with a replaced row.
    dirty: Vec<u64>,
}

/// A row that replaces the body's.
#[derive(Clone, Debug, Default)]
pub(crate) struct OverlayRow {
    pub(crate) words: Vec<u32>,
    contexts: Vec<Option<Vec<u8>>>,
}

impl OverlayRow {
    pub(crate) fn context(&self, position: usize) -> Option<Context<'_>> {
        self.contexts.get(position)?.as_deref().map(Context::Encoded)
    }

    fn put(&mut self, word: u32, context: Option<Vec<u8>>) {
        match self.words.binary_search(&word) {
            Ok(position) => {
                if let Some(place) = self.contexts.get_mut(position) {
                    *place = context;
                }
            }
            Err(position) => {
                self.words.insert(position, word);
                self.contexts.insert(position, context);
            }
        }
    }

    fn remove(&mut self, word: u32) {
        if let Ok(position) = self.words.binary_search(&word) {
            self.words.remove(position);
            self.contexts.remove(position);
        }
    }
}

impl Overlay {
    pub(crate) fn new(schema: &Schema) -> Self {
        let types = schema.types.iter();
        let types = types.map(|table| TypeOverlay { base: table.count, ..TypeOverlay::default() });
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
        table.ids.get(index(position)).map(String::as_str)
    }

    pub(crate) fn added(&self, type_index: u32) -> u32 {
        let added = self.types.get(index(type_index)).map_or(0, |table| table.ids.len());
        u32::try_from(added).unwrap_or(u32::MAX)
    }

    pub(crate) fn tenancy(&self, object: Object) -> Option<Tenancy> {
        if self.tenancies.is_empty() { None } else { self.tenancies.get(&object).copied() }
    }

    pub(crate) fn is_dirty(&self, object: Object) -> bool {
        let dirty = self.types.get(index(object.type_index)).map(|table| table.dirty.as_slice());
        let word = dirty.unwrap_or_default().get(index(object.local / 64)).copied();
        word.unwrap_or_default() >> (object.local % 64) & 1 == 1
    }

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
        table.numbers.insert(id.to_owned(), local);
        table.ids.push(id.to_owned());
        Ok(Object { type_index, local })
    }

    /// The row to change: a copy of what is stored until now.
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
        self.rows.entry((object, relation.number)).or_insert_with(|| copy(view, object, relation))
    }
}

/// What is stored in a relation of an object until now.
fn copy(view: &View<'_>, object: Object, relation: &RelationTable) -> OverlayRow {
    let row = view.row(object, relation);
    let contexts = (0..row.len()).map(|position| {
        let conditional = relation
            .restrictions
            .get(relation.restriction_of(row.word(position)))
            .is_some_and(|restriction| restriction.condition.is_some());
        let context = conditional.then(|| view.context(&row, position)).flatten();
        match context? {
            Context::Encoded(bytes) => Some(bytes.to_vec()),
            Context::Json(_) => None,
        }
    });
    OverlayRow { words: row.words().collect(), contexts: contexts.collect() }
}

/// Applies one row of a delta.
pub(super) fn apply(
    snapshot: &Snapshot,
    overlay: &mut Overlay,
    records: &mut RecordOverlay,
    row: &Row,
) -> Result<(), String> {
    match row {
        Row::DeleteCredential { .. }
        | Row::DeleteIdentity { .. }
        | Row::PutCredential(_)
        | Row::PutIdentity(_) => apply_record(snapshot, overlay, records, row),
        Row::DeleteObject { object } => delete_object(snapshot, overlay, object),
        Row::DeleteTuple { object, relation, subject } => {
            let change = Change { object, relation, subject };
            change.delete(snapshot, overlay)
        }
        Row::PutObject { object, tenant } => {
            put_object(snapshot, overlay, object, tenant.as_deref())
        }
        Row::WriteTuple(tuple) => {
            let change = Change {
                object: &tuple.object,
                relation: &tuple.relation,
                subject: &tuple.subject,
            };
            change.write(snapshot, overlay, tuple.condition.as_ref())
        }
    }
}

fn apply_record(
    snapshot: &Snapshot,
    overlay: &mut Overlay,
    records: &mut RecordOverlay,
    row: &Row,
) -> Result<(), String> {
    let schema = &snapshot.schema;
    let tenant_type = schema.tenant_type.and_then(|tenant| schema.type_table(tenant));
    let tenant_type = tenant_type.map(|table| table.name.as_str());
    let view = snapshot.view();
    let mut resolve = |name: &ObjectName| {
        let type_index = schema.type_named(&name.type_name)?;
        overlay.intern(&view, type_index, &name.id).ok()
    };
    records.apply(&snapshot.records, row, tenant_type, &mut resolve)
}

/// A relationship that changes.
#[derive(Clone, Copy, Debug)]
struct Change<'r> {
    object: &'r ObjectName,
    relation: &'r str,
    subject: &'r Subject,
}

/// A change whose names were found.
struct Resolved<'s> {
    object: Object,
    relation: &'s RelationTable,
    form: Form,
    subject: Object,
}

impl Change<'_> {
    /// Stores the relationship, in place of one with another condition.
    fn write(
        &self,
        snapshot: &Snapshot,
        overlay: &mut Overlay,
        condition: Option<&StoredCondition>,
    ) -> Result<(), String> {
        let view = snapshot.view();
        let (condition, context) = match condition {
            None => (None, None),
            Some(condition) => {
                let number = snapshot.schema.condition_named(&condition.name);
                let number = number.ok_or("the condition is unknown")?;
                let code = view.code(number).map(|(_, code)| code).unwrap_or_default();
                crate::condition::validate_context(code, &condition.context)
                    .map_err(|_| "the condition's context is malformed")?;
                (Some(number), Some(condition.context.clone()))
            }
        };
        let resolved = self.resolve(snapshot, overlay)?;
        let relation = resolved.relation;
        let fitting = relation.restrictions.iter().find(|restriction| {
            restriction.type_index == resolved.subject.type_index
                && restriction.form == resolved.form
                && restriction.condition == condition
        });
        let fitting = fitting.ok_or("the model does not admit this subject here")?;
        check_tenants(snapshot, overlay, &resolved)?;
        let word = relation.subject_word(fitting, resolved.subject.local);
        let word = word.ok_or("there are too many objects")?;
        let row = overlay.row_mut(&view, resolved.object, relation);
        remove_all(row, &resolved);
        row.put(word, context);
        Ok(())
    }

    fn delete(&self, snapshot: &Snapshot, overlay: &mut Overlay) -> Result<(), String> {
        let resolved = self.resolve(snapshot, overlay)?;
        let view = snapshot.view();
        let row = overlay.row_mut(&view, resolved.object, resolved.relation);
        remove_all(row, &resolved);
        Ok(())
    }

    fn resolve<'s>(
        &self,
        snapshot: &'s Snapshot,
        overlay: &mut Overlay,
    ) -> Result<Resolved<'s>, String> {
        let view = snapshot.view();
        let schema = &snapshot.schema;
        let type_named = |name: &str| schema.type_named(name).ok_or("the type is unknown");
        let object_type = type_named(&self.object.type_name)?;
        let relation = schema.relation_named(object_type, self.relation);
        let relation = relation.and_then(|relation| schema.relation_table(relation));
        let relation = relation.ok_or("the relation is unknown")?;
        if relation.restrictions.is_empty() {
            return Err("the relation stores nothing".to_owned());
        }
        let (form, subject) = match self.subject {
            Subject::Object(name) => {
                let type_index = type_named(&name.type_name)?;
                (Form::Object, overlay.intern(&view, type_index, &name.id)?)
            }
            Subject::Userset(name, of) => {
                let type_index = type_named(&name.type_name)?;
                let of = schema.relation_named(type_index, of).ok_or("the relation is unknown")?;
                (Form::Userset(of), overlay.intern(&view, type_index, &name.id)?)
            }
            Subject::Wildcard(name) => {
                (Form::Wildcard, Object { type_index: type_named(name)?, local: 0 })
            }
        };
        let object = overlay.intern(&view, object_type, &self.object.id)?;
        Ok(Resolved { object, relation, form, subject })
    }
}

/// Removes the relationship under every condition: (object, relation, subject) is one key.
fn remove_all(row: &mut OverlayRow, resolved: &Resolved<'_>) {
    for restriction in &resolved.relation.restrictions {
        let alike = restriction.type_index == resolved.subject.type_index
            && restriction.form == resolved.form;
        let word = resolved.relation.subject_word(restriction, resolved.subject.local);
        if let Some(word) = word.filter(|_| alike) {
            row.remove(word);
        }
    }
}

/// Refuses a relationship that joins two tenants.
fn check_tenants(
    snapshot: &Snapshot,
    overlay: &Overlay,
    resolved: &Resolved<'_>,
) -> Result<(), String> {
    let view = snapshot.view_with(overlay);
    let tenants = (view.tenancy(resolved.object), view.tenancy(resolved.subject));
    match tenants {
        (Tenancy::Of(one), Tenancy::Of(other))
            if one != other && resolved.form != Form::Wildcard =>
        {
            Err("the relationship joins two tenants".to_owned())
        }
        _ => Ok(()),
    }
}

fn delete_object(
    snapshot: &Snapshot,
    overlay: &mut Overlay,
    name: &ObjectName,
) -> Result<(), String> {
    let schema = &snapshot.schema;
    let type_index = schema.type_named(&name.type_name).ok_or("the type is unknown")?;
    let view = snapshot.view();
    let object = overlay.intern(&view, type_index, &name.id)?;
    let stores = schema
        .relations
        .iter()
        .filter(|relation| relation.type_index == type_index && !relation.restrictions.is_empty());
    for relation in stores {
        *overlay.row_mut(&view, object, relation) = OverlayRow::default();
    }
    overlay.tenancies.insert(object, Tenancy::Unknown);
    Ok(())
}

fn put_object(
    snapshot: &Snapshot,
    overlay: &mut Overlay,
    name: &ObjectName,
    tenant: Option<&str>,
) -> Result<(), String> {
    let schema = &snapshot.schema;
    let type_index = schema.type_named(&name.type_name).ok_or("the type is unknown")?;
    let view = snapshot.view();
    let object = overlay.intern(&view, type_index, &name.id)?;
    let tenancy = match tenant {
        None => Tenancy::Unknown,
        Some(tenant) => {
            let tenant_type = schema.tenant_type.ok_or("the snapshot has no tenants")?;
            Tenancy::Of(overlay.intern(&view, tenant_type, tenant)?)
        }
    };
    overlay.tenancies.insert(object, tenancy);
    Ok(())
}
