//! What the model has a place for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::condition;
use crate::model::{Model, RelationDefinition, RestrictionForm, TypeDefinition, TypeRestriction};
use crate::name::{ObjectName, Subject};
use crate::row::{StoredCondition, StoredTuple};
use crate::tuple::{Tuple, TupleCondition};

/// A model, prepared for the question whether a relationship can be stored.
///
/// Errors are one line each, which names what the model would take.
#[derive(Clone, Debug)]
pub struct Admission<'m> {
    model: Cow<'m, Model>,
    conditions: BTreeMap<String, Vec<u8>>,
}

impl<'m> Admission<'m> {
    /// Compiles the conditions.
    ///
    /// # Errors
    /// The first condition that does not compile.
    pub fn new(model: &'m Model) -> Result<Self, String> {
        Self::of(Cow::Borrowed(model))
    }

    /// As [`Admission::new`], for who keeps no model beside it.
    ///
    /// # Errors
    /// The first condition that does not compile.
    pub fn owning(model: Model) -> Result<Admission<'static>, String> {
        Admission::of(Cow::Owned(model))
    }

    fn of(model: Cow<'m, Model>) -> Result<Self, String> {
        let mut conditions = BTreeMap::new();
        for definition in &model.conditions {
            let code = condition::compile(definition).map_err(|error| {
                format!("the model's condition `{}`: {}", definition.name, error.message)
            })?;
            conditions.insert(definition.name.clone(), code);
        }
        Ok(Self { model, conditions })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Requires an object of a type that there is.
    ///
    /// # Errors
    /// The types that there are.
    pub fn check_object(&self, object: &ObjectName) -> Result<(), String> {
        self.find_type(&object.type_name).map(|_| ())
    }

    /// Requires a relationship that the model has a place for.
    ///
    /// # Errors
    /// What the model has a place for, or what is wrong with the condition.
    pub fn check(&self, tuple: &Tuple) -> Result<(), String> {
        self.admit(tuple).map(|_| ())
    }

    /// The relationship as a delta carries it, if the model has a place for it.
    ///
    /// # Errors
    /// As [`Admission::check`].
    pub fn store(&self, tuple: &Tuple) -> Result<StoredTuple, String> {
        let condition = self.admit(tuple)?;
        let Tuple { object, relation, subject, .. } = tuple.clone();
        Ok(StoredTuple { object, relation, subject, condition })
    }

    /// The condition as it is stored.
    fn admit(&self, tuple: &Tuple) -> Result<Option<StoredCondition>, String> {
        let relation = self.stored(&tuple.object.type_name, &tuple.relation)?;
        self.check_subject(&tuple.subject)?;
        if !relation.restrictions.iter().any(|restriction| admits(restriction, tuple)) {
            return Err(refused(tuple, relation));
        }
        match &tuple.condition {
            None => Ok(None),
            Some(condition) => self.encode(condition).map(Some),
        }
    }

    /// Whether the relation of a type takes a subject as it is, without a condition.
    #[must_use]
    pub fn takes(&self, type_name: &str, relation: &str, subject: &Subject) -> bool {
        let object = ObjectName::new(type_name, "x");
        self.check(&Tuple::new(object, relation, subject.clone())).is_ok()
    }

    /// A relation of a type.
    #[must_use]
    pub fn relation(&self, type_name: &str, name: &str) -> Option<&RelationDefinition> {
        let definition = self.find_type(type_name).ok()?;
        definition.relations.iter().find(|relation| relation.name == name)
    }

    /// A relation in which something can be stored.
    fn stored(&self, type_name: &str, name: &str) -> Result<&RelationDefinition, String> {
        let definition = self.find_type(type_name)?;
        let relation = definition.relations.iter().find(|relation| relation.name == name);
        let relation = relation.ok_or_else(|| {
            let stored = definition.relations.iter().filter(|known| !known.restrictions.is_empty());
            let names = listed(stored.map(|known| known.name.clone()));
            format!("`{type_name}` has no relation `{name}`, only {names}")
        })?;
        if relation.restrictions.is_empty() {
            return Err(format!("`{name}` of `{type_name}` is computed: nothing is stored in it"));
        }
        Ok(relation)
    }

    fn check_subject(&self, subject: &Subject) -> Result<(), String> {
        match subject {
            Subject::Object(object) => self.check_object(object),
            Subject::Wildcard(type_name) => self.find_type(type_name).map(|_| ()),
            Subject::Userset(object, relation) => {
                let definition = self.find_type(&object.type_name)?;
                if definition.relations.iter().any(|known| known.name == *relation) {
                    Ok(())
                } else {
                    Err(format!("`{}` has no relation `{relation}`", object.type_name))
                }
            }
        }
    }

    fn encode(&self, condition: &TupleCondition) -> Result<StoredCondition, String> {
        // The restriction admits the condition, so the model has it.
        let Some(code) = self.conditions.get(condition.name.as_str()) else {
            return Err(format!("the model has no condition `{}`", condition.name));
        };
        condition::encode_context(code, &condition.context)
            .map(|context| StoredCondition { name: condition.name.clone(), context })
            .map_err(|error| format!("condition `{}`: {error}", condition.name))
    }

    fn find_type(&self, name: &str) -> Result<&TypeDefinition, String> {
        let found = self.model.types.iter().find(|definition| definition.name == name);
        found.ok_or_else(|| {
            let names = listed(self.model.types.iter().map(|definition| definition.name.clone()));
            format!("the model has no type `{name}`, only {names}")
        })
    }
}

fn admits(restriction: &TypeRestriction, tuple: &Tuple) -> bool {
    let subject = match (&tuple.subject, &restriction.form) {
        (Subject::Object(object), RestrictionForm::Object) => {
            object.type_name == restriction.type_name
        }
        (Subject::Userset(object, relation), RestrictionForm::Userset(admitted)) => {
            object.type_name == restriction.type_name && relation == admitted
        }
        (Subject::Wildcard(type_name), RestrictionForm::Wildcard) => {
            *type_name == restriction.type_name
        }
        _ => false,
    };
    let condition = tuple.condition.as_ref().map(|condition| condition.name.as_str());
    subject && condition == restriction.condition.as_deref()
}

fn refused(tuple: &Tuple, relation: &RelationDefinition) -> String {
    let Tuple { object, relation: name, subject, condition } = tuple;
    let admitted = listed(relation.restrictions.iter().map(TypeRestriction::to_string));
    let with = match condition {
        None => String::new(),
        Some(condition) => format!(" with `{}`", condition.name),
    };
    format!("`{name}` of `{}` does not take `{subject}`{with}, only {admitted}", object.type_name)
}

/// Names, few enough to be read.
fn listed(names: impl Iterator<Item = String>) -> String {
    const MOST: usize = 12;
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    match (names.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => names.join(", "),
        (false, _) => format!("{} and {more} more", names.join(", ")),
    }
}
