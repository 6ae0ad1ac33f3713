//! Evaluation of a relation on relationships: OpenFGA's Check.
//!
//! Four answers: a branch that runs into itself (`Cycle`) or fails (`Failed`) is not a branch that
//! does not hold, since `but not` must not turn it into an allowance. Nothing is remembered between
//! branches: what holds within a cycle is not what holds outside of it (CVE-2025-46331).

mod evaluation;

use std::fmt;

use smallvec::SmallVec;

pub(crate) use self::evaluation::evaluate;

use crate::condition::ConditionFailure;
use crate::limits;
use crate::name::{ObjectName, ObjectText, Subject, SubjectText};
use crate::snapshot::{Object, Relation, RelationTable, Restriction, Snapshot, View};

/// What one check may spend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    edges: u32,
    depth: u32,
    operations: u32,
}

impl Budget {
    /// The limits of [`limits`].
    #[must_use]
    pub const fn new() -> Self {
        Self {
            edges: limits::CHECK_EDGES,
            depth: limits::CHECK_DEPTH,
            operations: limits::CHECK_OPERATIONS,
        }
    }

    /// Relationships that may still be looked at.
    #[must_use]
    pub const fn edges(&self) -> u32 {
        self.edges
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

/// Values for conditions. The relationship's own context wins over them.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'i> {
    /// Parameters by name.
    pub context: &'i serde_json::Map<String, serde_json::Value>,
}

/// Where an evaluation finds the values: they are asked for by a condition that needs them, and most
/// relationships have none.
pub(crate) trait InputSource: fmt::Debug {
    /// Parameters by name.
    fn context(&self) -> &serde_json::Map<String, serde_json::Value>;
}

impl InputSource for Inputs<'_> {
    fn context(&self) -> &serde_json::Map<String, serde_json::Value> {
        self.context
    }
}

/// Why an evaluation gave no answer. It denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvaluationFailure {
    /// More relationships than the budget.
    Budget,
    /// A condition could not be evaluated.
    Condition(ConditionFailure),
    /// More nested relations than the limit.
    Depth,
}

/// Whether a relation holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// It does not.
    DoesNotHold,
    /// Nobody can say: deny.
    Failed(EvaluationFailure),
    /// It does, by these relationships.
    Holds(Path),
}

/// The relationships that decided, in order, as handles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Most paths are short; those lie where they are used.
    steps: SmallVec<[Step; 4]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// The object, within the relation's type.
    object: u32,
    relation: u32,
    restriction: u32,
    /// The subject, within the restriction's type.
    subject: u32,
}

/// One relationship of a path, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// Its object.
    pub object: ObjectName,
    /// Its relation.
    pub relation: String,
    /// Its subject.
    pub subject: Subject,
}

impl fmt::Display for PathStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}#{}@{}", self.object, self.relation, self.subject)
    }
}

impl Path {
    /// Relationships in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether no relationship was needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Appends another path.
    pub fn extend(&mut self, other: &Self) {
        self.steps.extend_from_slice(&other.steps);
    }
}

impl Snapshot {
    /// Whether `subject` has `relation` to `object`.
    #[must_use]
    pub fn holds(
        &self,
        object: Object,
        relation: &str,
        subject: Object,
        inputs: &Inputs<'_>,
        budget: &mut Budget,
    ) -> Holding {
        match self.relation(object, relation) {
            Some(relation) => self.holds_relation(object, relation, subject, inputs, budget),
            None => Holding::DoesNotHold,
        }
    }

    /// The same for a relation that was looked up before. One of another type does not hold.
    #[must_use]
    pub fn holds_relation(
        &self,
        object: Object,
        relation: Relation,
        subject: Object,
        inputs: &Inputs<'_>,
        budget: &mut Budget,
    ) -> Holding {
        self.holds_with(object, relation, subject, inputs, budget)
    }

    /// The same with inputs from anywhere.
    pub(crate) fn holds_with(
        &self,
        object: Object,
        Relation(relation): Relation,
        subject: Object,
        inputs: &dyn InputSource,
        budget: &mut Budget,
    ) -> Holding {
        let table = self.schema().relation_table(relation);
        if table.is_none_or(|table| table.type_index != object.type_index) {
            return Holding::DoesNotHold;
        }
        let view = self.view();
        let question =
            Question { view: &view, contextual: &[], inputs, asked: Asked::Object(subject) };
        evaluate(question, object, relation, budget)
    }

    /// The relationships of a path, by name.
    #[must_use]
    pub fn describe(&self, path: &Path) -> Vec<PathStep> {
        self.describe_in(&self.view(), path)
    }

    /// The same as texts, `board:roadmap#viewer@user:anne`: for records, of which every decision
    /// writes one.
    #[must_use]
    pub fn describe_as_texts(&self, path: &Path) -> Vec<String> {
        let view = self.view();
        let text = |(object, relation, subject): Named<'_>| {
            let mut text = String::new();
            object.write(&mut text);
            text.push('#');
            text.push_str(relation);
            text.push('@');
            subject.write(&mut text);
            text
        };
        self.named(&view, path).map(text).collect()
    }

    pub(crate) fn describe_in(&self, view: &View<'_>, path: &Path) -> Vec<PathStep> {
        let step = |(object, relation, subject): Named<'_>| PathStep {
            object: object.to_name(),
            relation: relation.to_owned(),
            subject: subject.to_name(),
        };
        self.named(view, path).map(step).collect()
    }

    fn named<'v>(&'v self, view: &View<'v>, path: &Path) -> impl Iterator<Item = Named<'v>> {
        path.steps.iter().filter_map(move |step| {
            let relation = self.schema().relation_table(step.relation)?;
            let position = usize::try_from(step.restriction).ok()?;
            let restriction = *relation.restrictions.get(position)?;
            let object = Object { type_index: relation.type_index, local: step.object };
            let subject = self.subject(view, restriction, step.subject);
            Some((self.object(view, object), relation.name.as_str(), subject))
        })
    }
}

/// A relationship by name: object, relation, subject.
type Named<'v> = (ObjectText<'v>, &'v str, SubjectText<'v>);

/// Whose relation is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Object(Object),
    Userset(Object, u32),
    Wildcard(u32),
}

/// A relationship that comes with the query.
#[derive(Clone, Debug)]
pub(crate) struct ContextualTuple {
    pub(crate) object: Object,
    pub(crate) relation: u32,
    /// The restriction's position.
    pub(crate) position: usize,
    pub(crate) local: u32,
    pub(crate) context: serde_json::Map<String, serde_json::Value>,
}

impl ContextualTuple {
    /// Its restriction, if it is stored there.
    fn of<'s>(&self, object: Object, table: &'s RelationTable) -> Option<&'s Restriction> {
        let here = self.object == object && self.relation == table.number;
        table.restrictions.get(self.position).filter(|_| here)
    }
}

/// What is asked, on which relationships.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'q, 's> {
    pub(crate) view: &'q View<'s>,
    pub(crate) contextual: &'q [ContextualTuple],
    pub(crate) inputs: &'q dyn InputSource,
    pub(crate) asked: Asked,
}
