//! Relationships, read in place: one flat binary, and an overlay of what changed since.
//!
//! docs/snapshot.md specifies the bytes. Loading validates every offset, range and order before
//! first use, so that hostile bytes are refused and never read wrongly.

mod block;
mod body;
#[cfg(feature = "builder")]
mod builder;
#[cfg(feature = "builder")]
mod home;
#[cfg(feature = "builder")]
mod listing;
mod names;
mod object;
mod opening;
mod overlay;
mod rows;
mod schema;
mod validate;

use std::fmt;

#[cfg(feature = "builder")]
pub use self::builder::{BuildError, TenancyRules, World};
#[cfg(feature = "builder")]
pub use self::home::{Home, TwoTenants};
pub use self::object::{Object, ObjectType, Relation, Tenancy};
pub use self::opening::Opening;
pub(crate) use self::overlay::Overlay;
pub use self::overlay::RowError;
pub(crate) use self::rows::{Context, Row as StoredRow, View};
pub(crate) use self::schema::{Form, Plan, RelationTable, Restriction};

use self::body::{Body, Section};
use self::schema::Schema;
use crate::name::{ObjectName, ObjectText, SubjectText};
use crate::records::{RecordOverlay, RecordTable, Records};
use crate::row::Row;

/// Relationships, the model, identities and credentials of one moment, and the deltas since.
#[derive(Clone, Debug)]
pub struct Snapshot {
    body: Body,
    schema: Schema,
    records: RecordTable,
    overlay: Overlay,
    record_overlay: RecordOverlay,
}

/// Why bytes are no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotError {
    section: &'static str,
    problem: &'static str,
}

impl SnapshotError {
    pub(crate) const fn new(section: &'static str, problem: &'static str) -> Self {
        Self { section, problem }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the snapshot's {} {}", self.section, self.problem)
    }
}

impl std::error::Error for SnapshotError {}

impl Snapshot {
    /// Opens a body: validates every offset, range, order and free slot. Its signature is the
    /// container's affair.
    ///
    /// # Errors
    /// The first section that is malformed.
    pub fn from_body(body: Vec<u8>) -> Result<Self, SnapshotError> {
        Opening::begin(body)?.finish()
    }

    /// Applies the rows of a delta, all or none. Nothing is rebuilt: what they change is looked up
    /// beside the body.
    ///
    /// # Errors
    /// The first row that names an unknown type, relation or condition, a subject that the model
    /// does not admit, or a relationship that joins two tenants. The snapshot is then as before.
    pub fn apply(&mut self, rows: &[Row]) -> Result<(), RowError> {
        let mut overlay = std::mem::take(&mut self.overlay);
        let mut records = self.record_overlay.clone();
        let applied = rows.iter().enumerate().try_for_each(|(position, row)| {
            overlay::apply(self, &mut overlay, &mut records, row)
                .map_err(|problem| RowError { position, problem })
        });
        match &applied {
            Ok(()) => {
                overlay.keep();
                self.record_overlay = records;
            }
            Err(_) => overlay.take_back(),
        }
        self.overlay = overlay;
        applied
    }

    /// The object with this name.
    #[must_use]
    pub fn find(&self, type_name: &str, id: &str) -> Option<Object> {
        self.view().find(self.schema.type_named(type_name)?, id)
    }

    /// The type with this name.
    #[must_use]
    pub fn object_type(&self, name: &str) -> Option<ObjectType> {
        self.schema.type_named(name).map(ObjectType)
    }

    /// The object of a type that was looked up before.
    #[must_use]
    pub fn find_of(&self, ObjectType(type_index): ObjectType, id: &str) -> Option<Object> {
        self.view().find(type_index, id)
    }

    /// The relation of a type with this name.
    #[must_use]
    pub fn relation_of(&self, ObjectType(type_index): ObjectType, name: &str) -> Option<Relation> {
        self.schema.relation_named(type_index, name).map(Relation)
    }

    /// The object's name.
    #[must_use]
    pub fn name(&self, object: Object) -> ObjectName {
        self.object(&self.view(), object).to_name()
    }

    /// The same as a text, `board:roadmap`.
    #[must_use]
    pub fn name_as_text(&self, object: Object) -> String {
        let mut text = String::new();
        self.object(&self.view(), object).write(&mut text);
        text
    }

    /// The name of the object's type.
    #[must_use]
    pub fn type_name(&self, object: Object) -> &str {
        self.schema.type_table(object.type_index).map_or("", |table| table.name.as_str())
    }

    /// Where the object belongs.
    #[must_use]
    pub fn tenancy(&self, object: Object) -> Tenancy {
        self.view().tenancy(object)
    }

    /// The relation of the object's type with this name.
    #[must_use]
    pub fn relation(&self, object: Object, name: &str) -> Option<Relation> {
        self.schema.relation_named(object.type_index, name).map(Relation)
    }

    /// The relation's name.
    #[must_use]
    pub fn relation_name(&self, relation: Relation) -> &str {
        self.schema.relation_table(relation.0).map_or("", |table| table.name.as_str())
    }

    /// The objects above this one, by the relations that were declared as leading to a parent.
    #[must_use]
    pub fn parents(&self, object: Object) -> Vec<Object> {
        let relations = self.schema.type_table(object.type_index).map(|table| &table.parents);
        let view = self.view();
        relations
            .into_iter()
            .flatten()
            .flat_map(|relation| view.stored_objects(object, *relation))
            .collect()
    }

    /// Whether this very relationship is stored. Conditions are not looked at.
    #[must_use]
    pub fn stored(&self, object: Object, relation: &str, subject: Object) -> bool {
        let relation = self.schema.relation_named(object.type_index, relation);
        relation.is_some_and(|relation| self.view().stores(object, relation, subject))
    }

    /// The objects stored in a relation, whatever their conditions.
    #[must_use]
    pub fn stored_subjects(&self, object: Object, relation: &str) -> Vec<Object> {
        let relation = self.schema.relation_named(object.type_index, relation);
        let stored = relation.map(|relation| self.view().stored_objects(object, relation));
        stored.into_iter().flatten().collect()
    }

    /// Identities and credentials.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        Records::new(self.body.bytes(Section::Records), &self.records, &self.record_overlay)
    }

    /// The memory of the body, for another one.
    pub(crate) fn into_body_bytes(self) -> Vec<u8> {
        self.body.into_bytes()
    }

    /// Bytes of the body.
    #[must_use]
    pub const fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// Rows, names and tenants that the deltas have changed.
    #[must_use]
    pub fn overlay_entries(&self) -> usize {
        self.overlay.entries()
    }

    pub(crate) const fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) fn view(&self) -> View<'_> {
        self.view_with(&self.overlay)
    }

    /// The same relationships with another overlay: what contextual tuples need.
    pub(crate) fn view_with<'s>(&'s self, overlay: &'s Overlay) -> View<'s> {
        View::new(&self.body, &self.schema, overlay)
    }

    pub(crate) const fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// Names a subject word.
    pub(crate) fn subject<'v>(
        &'v self,
        view: &View<'v>,
        restriction: Restriction,
        local: u32,
    ) -> SubjectText<'v> {
        let object = Object { type_index: restriction.type_index, local };
        match restriction.form {
            Form::Object => SubjectText::Object(self.object(view, object)),
            Form::Userset(relation) => {
                let relation = self.relation_name(Relation(relation));
                SubjectText::Userset(self.object(view, object), relation)
            }
            Form::Wildcard => SubjectText::Wildcard(self.type_name(object)),
        }
    }

    /// Names an object.
    pub(crate) fn object<'v>(&'v self, view: &View<'v>, object: Object) -> ObjectText<'v> {
        ObjectText { type_name: self.type_name(object), id: view.id(object) }
    }
}
