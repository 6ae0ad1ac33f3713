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
    /// Whether to answer with the path.
    pub path: bool,
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

impl RelationQuery {
    /// Its relationships as the plugin takes them.
    pub(crate) fn lend_tuples(&self) -> Vec<authz::TupleKey<'_>> {
        self.contextual_tuples.iter().map(authz::TupleKey::from).collect()
    }

    /// The query as the plugin takes it, with its relationships.
    pub(crate) fn lend<'r>(
        &'r self,
        contextual_tuples: &'r [authz::TupleKey<'r>],
    ) -> authz::RelationQuery<'r> {
        authz::RelationQuery {
            user: &self.user,
            relation: &self.relation,
            object: &self.object,
            contextual_tuples,
            context: self.context.as_deref(),
            path: self.path,
        }
    }
}

impl<'r> From<&'r TupleKey> for authz::TupleKey<'r> {
    fn from(tuple: &'r TupleKey) -> Self {
        Self {
            object: &tuple.object,
            relation: &tuple.relation,
            user: &tuple.user,
            condition: tuple.condition.as_deref(),
            context: tuple.context.as_deref(),
        }
    }
}
