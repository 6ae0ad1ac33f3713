//! What the model has a place for.

use std::collections::BTreeMap;

use crate::condition;
use crate::model::{Model, RelationDefinition, RestrictionForm, TypeDefinition, TypeRestriction};
use crate::name::{ObjectName, Subject};
use crate::tuple::{Tuple, TupleCondition};

/// A model, prepared for the question whether a relationship can be stored.
#[derive(Debug)]
pub(super) struct Admission<'m> {
    model: &'m Model,
    conditions: BTreeMap<&'m str, Vec<u8>>,
}

impl<'m> Admission<'m> {
    /// Compiles the conditions.
    pub(super) fn new(model: &'m Model) -> Result<Self, String> {
        let mut conditions = BTreeMap::new();
        for definition in &model.conditions {
            let code = condition::compile(definition).map_err(|error| {
                format!("the model's condition `{}`: {}", definition.name, error.message)
            })?;
            conditions.insert(definition.name.as_str(), code);
        }
        Ok(Self { model, conditions })
    }

    /// Requires an object of a type that there is.
    pub(super) fn check_object(&self, object: &ObjectName) -> Result<(), String> {
        self.find_type(&object.type_name).map(|_| ())
    }

    /// Requires a relationship that the model has a place for.
    pub(super) fn check(&self, tuple: &Tuple) -> Result<(), String> {
        let relation = self.stored(&tuple.object.type_name, &tuple.relation)?;
        self.check_subject(&tuple.subject)?;
        if !relation.restrictions.iter().any(|restriction| admits(restriction, tuple)) {
            return Err(refused(tuple, relation));
        }
        match &tuple.condition {
            None => Ok(()),
            Some(condition) => self.check_context(condition),
        }
    }

    /// Whether the relation of a type takes a subject as it is, without a condition.
    pub(super) fn takes(&self, type_name: &str, relation: &str, subject: &Subject) -> bool {
        let object = ObjectName::new(type_name, "x");
        self.check(&Tuple::new(object, relation, subject.clone())).is_ok()
    }

    /// A relation of a type.
    pub(super) fn relation(&self, type_name: &str, name: &str) -> Option<&'m RelationDefinition> {
        let definition = self.find_type(type_name).ok()?;
        definition.relations.iter().find(|relation| relation.name == name)
    }

    /// A relation in which something can be stored.
    fn stored(&self, type_name: &str, name: &str) -> Result<&'m RelationDefinition, String> {
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

    fn check_context(&self, condition: &TupleCondition) -> Result<(), String> {
        // The restriction admits the condition, so the model has it.
        let Some(code) = self.conditions.get(condition.name.as_str()) else {
            return Err(format!("the model has no condition `{}`", condition.name));
        };
        condition::encode_context(code, &condition.context)
            .map(|_| ())
            .map_err(|error| format!("condition `{}`: {error}", condition.name))
    }

    fn find_type(&self, name: &str) -> Result<&'m TypeDefinition, String> {
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
