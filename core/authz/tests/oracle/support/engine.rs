//! What every evaluator under test answers, in OpenFGA's terms.

use std::collections::BTreeSet;

use mandate_authz::model::Model;
use mandate_authz::tuple::Tuple;
use serde_json::{Map, Value};

/// Evaluates a model over relationships.
pub(crate) trait Engine {
    /// Takes a model and the stored relationships.
    fn open(model: &Model, tuples: &[Tuple]) -> Self;

    /// Whether the user has the relation to the object.
    fn check(&self, question: &Question) -> Result<bool, Failure>;

    /// The objects of the type to which the user has the relation.
    fn list_objects(&self, listing: &Listing) -> Result<BTreeSet<String>, Failure>;
}

/// A Check request.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) user: String,
    pub(crate) relation: String,
    pub(crate) object: String,
    pub(crate) extra: Extra,
}

/// A ListObjects request.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    pub(crate) user: String,
    pub(crate) relation: String,
    pub(crate) type_name: String,
    pub(crate) extra: Extra,
}

impl Listing {
    /// What the list asks about one object.
    pub(crate) fn question(&self, object: String) -> Question {
        let Self { user, relation, extra, .. } = self.clone();
        Question { user, relation, object, extra }
    }
}

/// What a request brings along.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    /// Contextual relationships.
    pub(crate) tuples: Vec<Tuple>,
    /// Parameters of conditions.
    pub(crate) context: Map<String, Value>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failure {
    /// A condition lacks a parameter, has one of the wrong type, or fails.
    Condition,
    /// More nested relations than the limit.
    Depth,
    /// More work than one check may be: ours alone.
    Budget,
    /// A contextual relationship that could not be written.
    Contextual,
    /// A user, relation or object that the model does not have, or that is malformed.
    Request,
    /// ListObjects: the type has no such relation.
    UnknownRelation,
    /// ListObjects: the model has no such type.
    UnknownType,
}

impl Failure {
    /// OpenFGA's number for it.
    pub(crate) const fn code(self) -> u64 {
        match self {
            Self::Condition | Self::Request => 2000,
            Self::Budget | Self::Depth => 2002,
            Self::UnknownType => 2021,
            Self::UnknownRelation => 2022,
            Self::Contextual => 2027,
        }
    }
}
