//! Relationships as they are written down.

use std::fmt;

use crate::name::{ObjectName, Subject};

/// A relationship: `subject` has `relation` to `object`, perhaps under a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuple {
    /// The object.
    pub object: ObjectName,
    /// The relation's name.
    pub relation: String,
    /// Who has it.
    pub subject: Subject,
    /// The condition under which it holds.
    pub condition: Option<TupleCondition>,
}

/// A condition's name with the context stored beside the relationship, which wins over the
/// request's.
#[derive(Clone, Debug, PartialEq)]
pub struct TupleCondition {
    /// The condition's name in the model.
    pub name: String,
    /// Values of parameters, a JSON object.
    pub context: serde_json::Map<String, serde_json::Value>,
}

impl Tuple {
    /// A relationship without condition.
    #[must_use]
    pub fn new(object: ObjectName, relation: impl Into<String>, subject: Subject) -> Self {
        Self { object, relation: relation.into(), subject, condition: None }
    }
}

impl fmt::Display for Tuple {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}#{}@{}", self.object, self.relation, self.subject)
    }
}
