//! The evaluator that ships, over a snapshot in memory.

use std::collections::BTreeSet;

use mandate_authz::evaluate::EvaluationFailure;
use mandate_authz::model::Model;
use mandate_authz::relation_query::{ListQuery, QueryError, RelationAnswer, RelationQuery};
use mandate_authz::snapshot::{Snapshot, World};
use mandate_authz::tuple::Tuple;

use super::engine::{Engine, Failure, Listing, Question};

/// A snapshot of relationships alone.
#[derive(Clone, Debug)]
pub(crate) struct Fast {
    pub(crate) snapshot: Snapshot,
}

impl Fast {
    /// The whole answer, with its path.
    pub(crate) fn answer(&self, question: &Question) -> RelationAnswer {
        let query = RelationQuery {
            user: &question.user,
            relation: &question.relation,
            object: &question.object,
            contextual_tuples: &question.extra.tuples,
            context: &question.extra.context,
            path: true,
        };
        self.snapshot.relation_holds(&query)
    }
}

impl Engine for Fast {
    fn open(model: &Model, tuples: &[Tuple]) -> Self {
        let body = World::raw(model.clone(), tuples.to_vec()).build([7; 16]);
        let body = body.unwrap_or_else(|error| panic!("{error}: {model:?} {tuples:?}"));
        Self { snapshot: Snapshot::from_body(body).expect("what was built loads") }
    }

    fn check(&self, question: &Question) -> Result<bool, Failure> {
        match self.answer(question) {
            RelationAnswer::Holds(_) => Ok(true),
            RelationAnswer::DoesNotHold => Ok(false),
            RelationAnswer::Failed(failure) => Err(evaluation(&failure)),
            RelationAnswer::Invalid(QueryError::ContextualTuple) => Err(Failure::Contextual),
            RelationAnswer::Invalid(_) => Err(Failure::Request),
        }
    }

    fn list_objects(&self, listing: &Listing) -> Result<BTreeSet<String>, Failure> {
        let query = ListQuery {
            user: &listing.user,
            relation: &listing.relation,
            type_name: &listing.type_name,
            contextual_tuples: &listing.extra.tuples,
            context: &listing.extra.context,
        };
        let ids = self.snapshot.list_objects(&query).map_err(|error| match error {
            QueryError::ContextualTuple => Failure::Contextual,
            QueryError::Type => Failure::UnknownType,
            QueryError::Relation => Failure::UnknownRelation,
            QueryError::Object | QueryError::User => Failure::Request,
        })?;
        let ids = ids.map_err(|failure| evaluation(&failure))?;
        Ok(ids.into_iter().map(|id| format!("{}:{id}", listing.type_name)).collect())
    }
}

const fn evaluation(failure: &EvaluationFailure) -> Failure {
    match failure {
        EvaluationFailure::Budget => Failure::Budget,
        EvaluationFailure::Condition(_) => Failure::Condition,
        EvaluationFailure::Depth => Failure::Depth,
    }
}
