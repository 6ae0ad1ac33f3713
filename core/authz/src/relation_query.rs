//! Raw evaluation: OpenFGA's Check and ListObjects, for tests of models and as an oracle.
//!
//! It looks at relationships alone: no token, no tenant, no delegation. Its answers are types of
//! their own, so that nothing that guards a door can take one for a decision.

use std::fmt;

use serde_json::{Map, Value};

use crate::evaluate::{
    Asked, Budget, ContextualTuple, EvaluationFailure, Holding, Inputs, PathStep, Question,
    evaluate,
};
use crate::name::{ObjectName, ObjectText, Subject, SubjectText};
use crate::snapshot::{Form, Object, Overlay, Relation, Snapshot};
use crate::tuple::Tuple;

/// A Check.
#[derive(Clone, Copy, Debug)]
pub struct RelationQuery<'q> {
    /// `type:id`, `type:id#relation` or `type:*`.
    pub user: &'q str,
    /// The relation asked for.
    pub relation: &'q str,
    /// `type:id`.
    pub object: &'q str,
    /// Relationships that count for this query only.
    pub contextual_tuples: &'q [Tuple],
    /// Values for conditions.
    pub context: &'q Map<String, Value>,
    /// Whether the answer names the relationships by which it holds: more work than finding them.
    pub path: bool,
}

/// A ListObjects.
#[derive(Clone, Copy, Debug)]
pub struct ListQuery<'q> {
    /// `type:id`, `type:id#relation` or `type:*`.
    pub user: &'q str,
    /// The relation asked for.
    pub relation: &'q str,
    /// The type of the objects.
    pub type_name: &'q str,
    /// Relationships that count for this query only.
    pub contextual_tuples: &'q [Tuple],
    /// Values for conditions.
    pub context: &'q Map<String, Value>,
}

/// The answer to a Check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelationAnswer {
    /// The relation does not hold.
    DoesNotHold,
    /// It holds, by these relationships; none of them are named where nobody asked for the path.
    Holds(Vec<PathStep>),
    /// Nobody can say.
    Failed(EvaluationFailure),
    /// The query does not fit the model.
    Invalid(QueryError),
}

/// Why a query does not fit the model. Codes are OpenFGA's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// A relationship of the query is one that the model would not store: 2027.
    ContextualTuple,
    /// The object is malformed, or its type is unknown: 2000.
    Object,
    /// The type has no such relation: 2000 for a Check, 2022 for ListObjects.
    Relation,
    /// ListObjects of an unknown type: 2021.
    Type,
    /// The user is malformed, or names an unknown type or relation: 2000.
    User,
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ContextualTuple => "a contextual tuple does not fit the model",
            Self::Object => "`object` must be `type:id` of a type of the model",
            Self::Relation => "`relation` is not one of the type",
            Self::Type => "`type` is not one of the model",
            Self::User => "`user` must be `type:id`, `type:id#relation` or `type:*` of the model",
        })
    }
}

impl std::error::Error for QueryError {}

impl QueryError {
    /// OpenFGA's code of the same error in a Check.
    #[must_use]
    pub const fn check_code(self) -> u32 {
        match self {
            Self::ContextualTuple => 2027,
            Self::Object | Self::Relation | Self::Type | Self::User => 2000,
        }
    }

    /// OpenFGA's code of the same error in a ListObjects.
    #[must_use]
    pub const fn list_code(self) -> u32 {
        match self {
            Self::ContextualTuple => 2027,
            Self::Object | Self::User => 2000,
            Self::Relation => 2022,
            Self::Type => 2021,
        }
    }
}

/// OpenFGA's code of an evaluation that failed.
#[must_use]
pub const fn failure_code(failure: &EvaluationFailure) -> u32 {
    match failure {
        EvaluationFailure::Budget | EvaluationFailure::Depth => 2002,
        EvaluationFailure::Condition(_) => 2000,
    }
}

/// One line about an evaluation that failed.
#[must_use]
pub fn failure_message(failure: &EvaluationFailure) -> String {
    use crate::condition::ConditionFailure as Condition;
    match failure {
        EvaluationFailure::Budget => "more relationships than the limit".to_owned(),
        EvaluationFailure::Depth => "deeper than the limit".to_owned(),
        EvaluationFailure::Condition(Condition::Expression { problem }) => {
            format!("a condition failed: {problem}")
        }
        EvaluationFailure::Condition(Condition::Missing { parameter }) => {
            format!("a condition lacks `{parameter}`")
        }
        EvaluationFailure::Condition(Condition::Steps) => {
            "a condition took more steps than the limit".to_owned()
        }
        EvaluationFailure::Condition(Condition::Type { parameter }) => {
            format!("a condition's `{parameter}` is of the wrong type")
        }
    }
}

impl Snapshot {
    /// Whether a relation holds, on relationships alone. It authorizes nobody.
    #[must_use]
    pub fn relation_holds(&self, query: &RelationQuery<'_>) -> RelationAnswer {
        self.check(query).unwrap_or_else(RelationAnswer::Invalid)
    }

    fn check(&self, query: &RelationQuery<'_>) -> Result<RelationAnswer, QueryError> {
        let mut names = Names { snapshot: self, own: None };
        let asked = names.asked(query.user)?;
        let name = ObjectText::parse(query.object).filter(ObjectText::is_well_formed);
        let object = name.and_then(|name| names.intern(name)).ok_or(QueryError::Object)?;
        let Relation(relation) =
            self.relation(object, query.relation).ok_or(QueryError::Relation)?;
        let contextual = names.contextual(query.contextual_tuples)?;
        let view = self.view_with(names.overlay());
        let inputs = Inputs { context: query.context };
        let question = Question { view: &view, contextual: &contextual, inputs: &inputs, asked };
        Ok(match evaluate(question, object, relation, &mut Budget::new()) {
            Holding::DoesNotHold => RelationAnswer::DoesNotHold,
            Holding::Failed(failure) => RelationAnswer::Failed(failure),
            Holding::Holds(path) => RelationAnswer::Holds(if query.path {
                self.describe_in(&view, &path)
            } else {
                Vec::new()
            }),
        })
    }

    /// The ids of the objects of a type to which the user has a relation, in the order of the ids.
    ///
    /// Every object of the type is checked, each with a budget of its own.
    ///
    /// # Errors
    /// The query's misfit, or the first failure that any of the objects met: a list that might
    /// lack somebody is no list.
    pub fn list_objects(
        &self,
        query: &ListQuery<'_>,
    ) -> Result<Result<Vec<String>, EvaluationFailure>, QueryError> {
        let mut names = Names { snapshot: self, own: None };
        let contextual = names.contextual(query.contextual_tuples)?;
        let type_index = self.schema().type_named(query.type_name).ok_or(QueryError::Type)?;
        let relation = self.schema().relation_named(type_index, query.relation);
        let relation = relation.ok_or(QueryError::Relation)?;
        let asked = names.asked(query.user)?;
        let view = self.view_with(names.overlay());
        let inputs = Inputs { context: query.context };
        let question = Question { view: &view, contextual: &contextual, inputs: &inputs, asked };
        let mut found = Vec::new();
        for local in 0..view.count(type_index) {
            let object = Object { type_index, local };
            match evaluate(question, object, relation, &mut Budget::new()) {
                Holding::DoesNotHold => {}
                Holding::Failed(failure) => return Ok(Err(failure)),
                Holding::Holds(_) => found.push(view.id(object).to_owned()),
            }
        }
        found.sort_unstable();
        Ok(Ok(found))
    }
}

/// The names of one query. Those that the snapshot does not know are added for this query alone,
/// in an overlay of its own: most queries need none.
struct Names<'s> {
    snapshot: &'s Snapshot,
    own: Option<Overlay>,
}

impl Names<'_> {
    fn overlay(&self) -> &Overlay {
        self.own.as_ref().unwrap_or_else(|| self.snapshot.overlay())
    }

    fn asked(&mut self, user: &str) -> Result<Asked, QueryError> {
        let subject = SubjectText::parse(user).filter(SubjectText::is_well_formed);
        let asked = match subject.ok_or(QueryError::User)? {
            SubjectText::Object(name) => self.intern(name).map(Asked::Object),
            SubjectText::Userset(name, relation) => self.intern(name).and_then(|object| {
                let Relation(relation) = self.snapshot.relation(object, relation)?;
                Some(Asked::Userset(object, relation))
            }),
            SubjectText::Wildcard(type_name) => {
                self.snapshot.schema().type_named(type_name).map(Asked::Wildcard)
            }
        };
        asked.ok_or(QueryError::User)
    }

    /// The object, added for this query if nobody knows it.
    fn intern(&mut self, ObjectText { type_name, id }: ObjectText<'_>) -> Option<Object> {
        let snapshot = self.snapshot;
        let type_index = snapshot.schema().type_named(type_name)?;
        if let Some(known) = snapshot.view_with(self.overlay()).find(type_index, id) {
            return Some(known);
        }
        let own = self.own.get_or_insert_with(|| snapshot.overlay().clone());
        own.intern(&snapshot.view(), type_index, id).ok()
    }

    fn contextual(&mut self, tuples: &[Tuple]) -> Result<Vec<ContextualTuple>, QueryError> {
        let resolve = |tuple: &Tuple| self.contextual_tuple(tuple);
        let resolved: Option<Vec<_>> = tuples.iter().map(resolve).collect();
        resolved.ok_or(QueryError::ContextualTuple)
    }

    fn contextual_tuple(&mut self, tuple: &Tuple) -> Option<ContextualTuple> {
        if !tuple.object.is_well_formed() || !tuple.subject.is_well_formed() {
            return None;
        }
        let snapshot = self.snapshot;
        let mut named = |name: &ObjectName| self.intern(name.text());
        let object = named(&tuple.object)?;
        let Relation(relation) = snapshot.relation(object, &tuple.relation)?;
        let (form, type_index, local) = match &tuple.subject {
            Subject::Object(name) => {
                let subject = named(name)?;
                (Form::Object, subject.type_index, subject.local)
            }
            Subject::Userset(name, relation) => {
                let subject = named(name)?;
                let Relation(relation) = snapshot.relation(subject, relation)?;
                (Form::Userset(relation), subject.type_index, subject.local)
            }
            Subject::Wildcard(name) => (Form::Wildcard, snapshot.schema().type_named(name)?, 0),
        };
        let condition = match &tuple.condition {
            None => None,
            Some(condition) => Some(snapshot.schema().condition_named(&condition.name)?),
        };
        let table = snapshot.schema().relation_table(relation)?;
        let position = table.restrictions.iter().position(|restriction| {
            (restriction.type_index, restriction.form, restriction.condition)
                == (type_index, form, condition)
        })?;
        let context = tuple.condition.as_ref().map(|condition| condition.context.clone());
        let context = context.unwrap_or_default();
        Some(ContextualTuple { object, relation, position, local, context })
    }
}
