//! What a snapshot holds, one by one: for tools that show and compare snapshots. Native only;
//! nothing that decides walks through everything.

use super::body::Section;
use super::schema::TypeTable;
use super::{Context, Object, Snapshot, StoredRow};
use crate::record::{Credential, Identity};
use crate::row::{StoredCondition, StoredTuple};

impl Snapshot {
    /// The names of the model's types, in their order.
    pub fn type_names(&self) -> impl Iterator<Item = &str> {
        self.schema.types.iter().map(|table| table.name.as_str())
    }

    /// The relations of a type that store relationships, in the order of their names.
    pub fn storing_relations(&self, type_name: &str) -> impl Iterator<Item = &str> {
        let type_index = self.schema.type_named(type_name);
        let relations = self.schema.relations.iter();
        let stores = relations.filter(move |table| {
            Some(table.type_index) == type_index && !table.restrictions.is_empty()
        });
        stores.map(|table| table.name.as_str())
    }

    /// The objects of a type, those that deltas have added included.
    pub fn objects(&self, type_name: &str) -> impl Iterator<Item = Object> + use<> {
        let type_index = self.schema.type_named(type_name);
        let count = type_index.map_or(0, |type_index| self.view().count(type_index));
        let type_index = type_index.unwrap_or_default();
        (0..count).map(move |local| Object { type_index, local })
    }

    /// The relationships whose object this is, relation by relation.
    #[must_use]
    pub fn stored_tuples(&self, object: Object) -> Vec<StoredTuple> {
        let view = self.view();
        let name = self.name(object);
        let mut tuples = Vec::new();
        let relations = self.schema.relations.iter();
        for table in relations.filter(|table| table.type_index == object.type_index) {
            if table.restrictions.is_empty() {
                continue;
            }
            let row = view.row(object, table);
            for position in 0..row.len() {
                let word = row.word(position);
                let Some(restriction) = table.restrictions.get(table.restriction_of(word)) else {
                    continue;
                };
                let subject = self.subject(&view, *restriction, table.local_of(word)).to_name();
                let condition = restriction.condition.map(|condition| StoredCondition {
                    name: view.code(condition).map(|(of, _)| of.name.clone()).unwrap_or_default(),
                    context: self.encoded_context(&row, position),
                });
                let (object, relation) = (name.clone(), table.name.clone());
                tuples.push(StoredTuple { object, relation, subject, condition });
            }
        }
        tuples
    }

    /// The identities, with everything that their records say.
    #[must_use]
    pub fn identities(&self) -> Vec<Identity> {
        let name = |object| self.name(object);
        self.records().identities().filter_map(|view| view.to_record(&name)).collect()
    }

    /// The credentials of the identities, with everything that their records say.
    #[must_use]
    pub fn credentials(&self) -> Vec<Credential> {
        let (records, name) = (self.records(), |object| self.name(object));
        let holders = records.identities().filter_map(|view| view.object());
        let credentials =
            holders.flat_map(|object| records.credentials_of(object).collect::<Vec<_>>());
        credentials.filter_map(|view| view.to_record(&name)).collect()
    }

    /// Whether both have one model, in one form: then rows of one fit the other.
    #[must_use]
    pub fn has_model_of(&self, other: &Self) -> bool {
        let alike = |section| self.body.bytes(section) == other.body.bytes(section);
        let kind = |table: &TypeTable| (table.name.clone(), table.shared, table.principal);
        let types = |snapshot: &Self| snapshot.schema.types.iter().map(kind).collect::<Vec<_>>();
        MODEL.into_iter().all(alike)
            && types(self) == types(other)
            && self.schema.tenant_type == other.schema.tenant_type
    }

    /// The sections of the body with their bytes, in the order of docs/snapshot.md.
    pub fn section_bytes(&self) -> impl Iterator<Item = (&'static str, usize)> {
        Section::ALL.into_iter().map(|section| (section.name(), self.body.bytes(section).len()))
    }

    fn encoded_context(&self, row: &StoredRow<'_>, position: usize) -> Vec<u8> {
        match self.view().context(row, position) {
            Some(Context::Encoded(bytes)) => bytes.to_vec(),
            Some(Context::Json(_)) | None => Vec::new(),
        }
    }
}

/// The sections that hold nothing but the model. That of the types also counts their objects.
const MODEL: [Section; 7] = [
    Section::Strings,
    Section::Relations,
    Section::Restrictions,
    Section::Plans,
    Section::Conditions,
    Section::Code,
    Section::Parents,
];
