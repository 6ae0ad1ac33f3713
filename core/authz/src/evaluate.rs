//! Evaluation of a relation on relationships: OpenFGA's Check.
//!
//! Four answers: a branch that runs into itself (`Cycle`) or fails (`Failed`) is not a branch that
//! does not hold, since `but not` must not turn it into an allowance. Nothing is remembered between
//! branches: what holds within a cycle is not what holds outside of it (CVE-2025-46331).

use crate::condition::{self, ConditionFailure};
use crate::limits;
use crate::name::{ObjectName, Subject};
use crate::snapshot::{
    Context, Form, Object, Plan, Relation, RelationTable, Restriction, Snapshot, StoredRow, View,
};

/// What one check may spend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    edges: u32,
    depth: u32,
    steps: u32,
}

impl Budget {
    /// The limits of [`limits`].
    #[must_use]
    pub const fn new() -> Self {
        Self {
            edges: limits::CHECK_EDGES,
            depth: limits::CHECK_DEPTH,
            steps: limits::CONDITION_STEPS,
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
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    object: Object,
    relation: u32,
    restriction: u32,
    local: u32,
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

impl Path {
    /// Relationships in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether no relationship was needed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
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
        let Some(Relation(relation)) = self.relation(object, relation) else {
            return Holding::DoesNotHold;
        };
        let question =
            Question { view: &self.view(), contextual: &[], inputs, asked: Asked::Object(subject) };
        evaluate(question, object, relation, budget)
    }

    /// The relationships of a path, by name.
    #[must_use]
    pub fn describe(&self, path: &Path) -> Vec<PathStep> {
        self.describe_in(&self.view(), path)
    }

    pub(crate) fn describe_in(&self, view: &View<'_>, path: &Path) -> Vec<PathStep> {
        let steps = path.steps.iter().filter_map(|step| {
            let relation = self.schema().relation_table(step.relation)?;
            let position = usize::try_from(step.restriction).ok()?;
            let restriction = *relation.restrictions.get(position)?;
            Some(PathStep {
                object: ObjectName::new(self.type_name(step.object), view.id(step.object)),
                relation: relation.name.clone(),
                subject: self.subject(view, restriction, step.local),
            })
        });
        steps.collect()
    }
}

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

/// One restriction of a row, and the relation that is asked of what it stores.
#[derive(Clone, Copy)]
struct Way<'s> {
    object: Object,
    table: &'s RelationTable,
    position: usize,
    restriction: &'s Restriction,
    relation: u32,
}

/// What is asked, on which relationships.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'q, 's> {
    pub(crate) view: &'q View<'s>,
    pub(crate) contextual: &'q [ContextualTuple],
    pub(crate) inputs: &'q Inputs<'q>,
    pub(crate) asked: Asked,
}

/// Evaluates one relation of one object.
pub(crate) fn evaluate(
    question: Question<'_, '_>,
    object: Object,
    relation: u32,
    budget: &mut Budget,
) -> Holding {
    let Question { view, contextual, inputs, asked } = question;
    let mut evaluation = Evaluation {
        view,
        asked,
        contextual,
        inputs,
        budget,
        stack: Vec::new(),
        steps: Vec::new(),
        failure: None,
        nesting: NESTING,
    };
    match evaluation.check(object, relation) {
        Answer::Yes => Holding::Holds(Path { steps: evaluation.steps }),
        Answer::Cycle | Answer::No => Holding::DoesNotHold,
        Answer::Failed => Holding::Failed(evaluation.failure.unwrap_or(EvaluationFailure::Budget)),
    }
}

/// What a branch says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Cycle,
    Failed,
    No,
    Yes,
}

impl Answer {
    /// `or`: one that holds is enough; what failed is remembered before what ran in a circle.
    const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            (Self::Cycle, _) | (_, Self::Cycle) => Self::Cycle,
            (Self::No, Self::No) => Self::No,
        }
    }

    /// `and`: one that does not hold is enough; what ran in a circle is remembered before what
    /// failed.
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Cycle, _) | (_, Self::Cycle) => Self::Cycle,
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }
}

struct Evaluation<'e, 's, 'i> {
    view: &'e View<'s>,
    asked: Asked,
    contextual: &'e [ContextualTuple],
    inputs: &'e Inputs<'i>,
    budget: &'e mut Budget,
    /// The relations under evaluation: meeting one again is a cycle.
    stack: Vec<(Object, u32)>,
    steps: Vec<Step>,
    failure: Option<EvaluationFailure>,
    nesting: u32,
}

impl<'s> Evaluation<'_, 's, '_> {
    fn check(&mut self, object: Object, relation: u32) -> Answer {
        if self.stack.contains(&(object, relation)) {
            return Answer::Cycle;
        }
        if self.asked == Asked::Userset(object, relation) {
            return Answer::Yes;
        }
        let Some(table) = self.view.schema.relation_table(relation) else { return Answer::No };
        if !self.can_reach(table) {
            return Answer::No;
        }
        self.stack.push((object, relation));
        let answer = self.plan(object, table, &table.plan);
        self.stack.pop();
        answer
    }

    /// Evaluates a relation of another object: one level deeper.
    fn hop(&mut self, object: Object, relation: u32) -> Answer {
        let depth = self.budget.depth;
        let Some(below) = depth.checked_sub(1).filter(|below| *below > 0) else {
            return self.fail(EvaluationFailure::Depth);
        };
        self.budget.depth = below;
        let answer = self.check(object, relation);
        self.budget.depth = depth;
        answer
    }

    fn plan(&mut self, object: Object, table: &'s RelationTable, plan: &'s Plan) -> Answer {
        // Computed relations and nested operators cost no depth, but they do cost stack.
        let Some(nesting) = self.nesting.checked_sub(1) else {
            return self.fail(EvaluationFailure::Depth);
        };
        self.nesting = nesting;
        let answer = self.operation(object, table, plan);
        self.nesting = nesting.saturating_add(1);
        answer
    }

    fn operation(&mut self, object: Object, table: &'s RelationTable, plan: &'s Plan) -> Answer {
        match plan {
            Plan::Computed(relation) => self.check(object, *relation),
            Plan::Difference(base, subtracted) => self.difference(object, table, base, subtracted),
            Plan::Direct => self.direct(object, table),
            Plan::From { tupleset, targets } => self.from(object, *tupleset, targets),
            Plan::Intersection(children) => self.intersection(object, table, children),
            Plan::Union(children) => {
                let mut answer = Answer::No;
                for child in children {
                    answer = answer.or(self.plan(object, table, child));
                    if answer == Answer::Yes {
                        break;
                    }
                }
                answer
            }
        }
    }

    /// One that does not hold decides, whatever the others would say.
    fn intersection(
        &mut self,
        object: Object,
        table: &'s RelationTable,
        children: &'s [Plan],
    ) -> Answer {
        let mark = self.steps.len();
        let mut answer = Answer::Yes;
        for child in children {
            answer = answer.and(self.plan(object, table, child));
            if answer == Answer::No {
                break;
            }
        }
        if answer != Answer::Yes {
            self.steps.truncate(mark);
        }
        answer
    }

    /// Only a subtracted branch that definitely does not hold lets the base through.
    fn difference(
        &mut self,
        object: Object,
        table: &'s RelationTable,
        base: &'s Plan,
        subtracted: &'s Plan,
    ) -> Answer {
        let mark = self.steps.len();
        let base = self.plan(object, table, base);
        if base == Answer::No {
            return base;
        }
        let kept = self.steps.len();
        let subtracted = match self.plan(object, table, subtracted) {
            Answer::No => Answer::Yes,
            Answer::Yes => Answer::No,
            other @ (Answer::Cycle | Answer::Failed) => other,
        };
        let answer = base.and(subtracted);
        self.steps.truncate(if answer == Answer::Yes { kept } else { mark });
        answer
    }

    fn direct(&mut self, object: Object, table: &'s RelationTable) -> Answer {
        let row = self.view.row(object, table);
        if row.len() == 0 && self.contextual.is_empty() {
            return Answer::No;
        }
        let answer = self.named(object, table, &row);
        if answer == Answer::Yes {
            return answer;
        }
        let mut answer = answer;
        for (position, restriction) in table.restrictions.iter().enumerate() {
            let Form::Userset(relation) = restriction.form else { continue };
            let way = Way { object, table, position, restriction, relation };
            answer = answer.or(self.through(way, &row));
            if answer == Answer::Yes {
                break;
            }
        }
        answer
    }

    /// Relationships that name who is asked about, or everybody.
    fn named(&mut self, object: Object, table: &'s RelationTable, row: &StoredRow<'s>) -> Answer {
        let mut answer = Answer::No;
        // The query's own relationship stands in for a stored one of the same name.
        let mut shadowed = false;
        for tuple in self.contextual {
            let restriction = tuple.of(object, table).filter(|restriction| {
                self.named_by(restriction) == Some(tuple.local)
                    && !(shadowed && restriction.form != Form::Wildcard)
            });
            let Some(restriction) = restriction else { continue };
            shadowed |= restriction.form != Form::Wildcard;
            let holds = self.condition(restriction, Some(Context::Json(&tuple.context)));
            if holds == Answer::Yes {
                self.step(object, table, tuple.position, tuple.local);
                return holds;
            }
            answer = answer.or(holds);
        }
        for (position, restriction) in table.restrictions.iter().enumerate() {
            if shadowed && restriction.form != Form::Wildcard {
                continue;
            }
            let Some(local) = self.named_by(restriction) else { continue };
            let word = table.subject_word(position, local);
            let Some(found) = word.and_then(|word| row.position(word)) else { continue };
            let holds = self.edge(row, found, restriction);
            if holds == Answer::Yes {
                self.step(object, table, position, local);
                return holds;
            }
            answer = answer.or(holds);
        }
        answer
    }

    /// Follows what one restriction stores: usersets, or the objects of a tupleset.
    fn through(&mut self, way: Way<'s>, row: &StoredRow<'s>) -> Answer {
        let target = self.view.schema.relation_table(way.relation);
        if !target.is_some_and(|target| self.can_come_out(target)) {
            return Answer::No;
        }
        let mut answer = Answer::No;
        for tuple in self.contextual {
            if tuple.of(way.object, way.table).is_none() || tuple.position != way.position {
                continue;
            }
            let holds = self.condition(way.restriction, Some(Context::Json(&tuple.context)));
            answer = answer.or(self.follow(way, tuple.local, holds));
            if answer == Answer::Yes {
                return answer;
            }
        }
        for at in of_restriction(way.table, row, way.position) {
            let holds = self.edge(row, at, way.restriction);
            answer = answer.or(self.follow(way, way.table.local_of(row.word(at)), holds));
            if answer == Answer::Yes || self.failure == Some(EvaluationFailure::Budget) {
                // Without budget every further one would fail as well, and a row may be long.
                break;
            }
        }
        answer
    }

    fn follow(&mut self, way: Way<'s>, local: u32, holds: Answer) -> Answer {
        if holds != Answer::Yes {
            return holds;
        }
        let mark = self.steps.len();
        self.step(way.object, way.table, way.position, local);
        let type_index = way.restriction.type_index;
        let answer = self.hop(Object { type_index, local }, way.relation);
        if answer != Answer::Yes {
            self.steps.truncate(mark);
        }
        answer
    }

    /// Follows the objects that a tupleset holds.
    fn from(&mut self, object: Object, tupleset: u32, targets: &'s [(u32, u32)]) -> Answer {
        let Some(table) = self.view.schema.relation_table(tupleset) else { return Answer::No };
        let row = self.view.row(object, table);
        let mut answer = Answer::No;
        for (position, restriction) in table.restrictions.iter().enumerate() {
            let target = targets.iter().find(|(of, _)| *of == restriction.type_index);
            let Some((_, relation)) = target.filter(|_| restriction.form == Form::Object) else {
                continue;
            };
            let way = Way { object, table, position, restriction, relation: *relation };
            answer = answer.or(self.through(way, &row));
            if answer == Answer::Yes {
                break;
            }
        }
        answer
    }

    /// The object of the subject word that a restriction would store for who is asked about.
    fn named_by(&self, restriction: &Restriction) -> Option<u32> {
        match (self.asked, restriction.form) {
            (Asked::Object(subject), Form::Object) => {
                (subject.type_index == restriction.type_index).then_some(subject.local)
            }
            (
                Asked::Object(Object { type_index, .. }) | Asked::Wildcard(type_index),
                Form::Wildcard,
            ) => (type_index == restriction.type_index).then_some(0),
            (Asked::Userset(subject, asked), Form::Userset(relation)) => {
                let alike = asked == relation && subject.type_index == restriction.type_index;
                alike.then_some(subject.local)
            }
            _ => None,
        }
    }

    /// Looks at one stored relationship: counts it, and evaluates its condition.
    fn edge(&mut self, row: &StoredRow<'s>, at: usize, restriction: &Restriction) -> Answer {
        let Some(edges) = self.budget.edges.checked_sub(1) else {
            return self.fail(EvaluationFailure::Budget);
        };
        self.budget.edges = edges;
        let context = restriction.condition.is_some().then(|| self.view.context(row, at)).flatten();
        self.condition(restriction, context)
    }

    /// Evaluates the condition of a relationship, if it has one.
    fn condition(&mut self, restriction: &Restriction, context: Option<Context<'_>>) -> Answer {
        let Some(condition) = restriction.condition else { return Answer::Yes };
        let code = self.view.code(condition).map(|(_, code)| code);
        // INVARIANT: loading has found code and context of every conditional relationship.
        let Some((code, context)) = code.zip(context) else {
            return self.fail(EvaluationFailure::Budget);
        };
        let inputs = self.inputs.context;
        let steps = &mut self.budget.steps;
        let outcome = match context {
            Context::Encoded(stored) => condition::evaluate(code, stored, inputs, steps),
            Context::Json(stored) => {
                let mut all = inputs.clone();
                all.extend(stored.clone());
                condition::evaluate(code, &[], &all, steps)
            }
        };
        match outcome {
            Ok(true) => Answer::Yes,
            Ok(false) => Answer::No,
            Err(failure) => self.fail(EvaluationFailure::Condition(failure)),
        }
    }

    fn step(&mut self, object: Object, table: &RelationTable, position: usize, local: u32) {
        self.steps.push(Step {
            object,
            relation: table.number,
            restriction: u32::try_from(position).unwrap_or(u32::MAX),
            local,
        });
    }

    /// Whether the model has a way from who is asked about to the relation.
    fn can_reach(&self, table: &RelationTable) -> bool {
        match self.asked {
            Asked::Object(Object { type_index, .. }) | Asked::Wildcard(type_index) => {
                table.reaches_type(type_index)
            }
            Asked::Userset(_, relation) => table.reaches_relation(relation),
        }
    }

    /// The same, for a relation that may be the very one asked about.
    fn can_come_out(&self, table: &RelationTable) -> bool {
        matches!(self.asked, Asked::Userset(_, relation) if relation == table.number)
            || self.can_reach(table)
    }

    fn fail(&mut self, failure: EvaluationFailure) -> Answer {
        self.failure.get_or_insert(failure);
        Answer::Failed
    }
}

/// The positions of a row that one restriction has.
fn of_restriction(
    table: &RelationTable,
    row: &StoredRow<'_>,
    position: usize,
) -> std::ops::Range<usize> {
    if table.restrictions.len() == 1 {
        return 0..row.len();
    }
    let next = position.saturating_add(1);
    let start = table.subject_word(position, 0).map_or(0, |word| row.lower_bound(word));
    let end = if next == table.restrictions.len() {
        row.len()
    } else {
        table.subject_word(next, 0).map_or(row.len(), |word| row.lower_bound(word))
    };
    start..end
}

/// Nested operations of one evaluation, computed relations included. Source: what half a megabyte
/// of stack holds, the least that a WebAssembly host gives.
const NESTING: u32 = 512;
