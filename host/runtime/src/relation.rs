//! Questions about relationships alone.

use std::fmt;

use crate::bindings::authz;
use crate::failure::Failure;

/// A question about relationships alone: no token, no tenant, no delegation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelationQuery {
    /// `type:id`, `type:id#relation` or `type:*`.
    pub user: String,
    /// The relation.
    pub relation: String,
    /// `type:id`; for a list of objects the type.
    pub object: String,
    /// Relationships that count for this query only.
    pub contextual_tuples: Vec<TupleKey>,
    /// Values for conditions, a JSON object.
    pub context: Option<String>,
}

/// A relationship of a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TupleKey {
    /// `type:id`.
    pub object: String,
    /// The relation.
    pub relation: String,
    /// `type:id`, `type:id#relation` or `type:*`.
    pub user: String,
    /// The condition's name.
    pub condition: Option<String>,
    /// Its context, a JSON object.
    pub context: Option<String>,
}

/// Why relationships gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// OpenFGA's code; 0 where no snapshot is in force or the plugin failed.
    pub code: u32,
    /// One line.
    pub message: String,
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for QueryError {}

impl From<authz::QueryError> for QueryError {
    fn from(error: authz::QueryError) -> Self {
        Self { code: error.code, message: error.message }
    }
}

impl From<Failure> for QueryError {
    fn from(failure: Failure) -> Self {
        Self { code: 0, message: failure.to_string() }
    }
}

impl From<&RelationQuery> for authz::RelationQuery {
    fn from(query: &RelationQuery) -> Self {
        Self {
            user: query.user.clone(),
            relation: query.relation.clone(),
            object: query.object.clone(),
            contextual_tuples: query.contextual_tuples.iter().map(Into::into).collect(),
            context: query.context.clone(),
        }
    }
}

impl From<&TupleKey> for authz::TupleKey {
    fn from(tuple: &TupleKey) -> Self {
        Self {
            object: tuple.object.clone(),
            relation: tuple.relation.clone(),
            user: tuple.user.clone(),
            condition: tuple.condition.clone(),
            context: tuple.context.clone(),
        }
    }
}
