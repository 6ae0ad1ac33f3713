//! One evaluation: the walk over the relationships.

use smallvec::SmallVec;

use super::{
    Asked, Budget, ContextualTuple, EvaluationFailure, Holding, InputSource, Path, Question, Step,
};
use crate::condition;
use crate::limits;
use crate::snapshot::{Context, Form, Object, Plan, RelationTable, Restriction, StoredRow, View};

/// Evaluates one relation of one object.
pub(crate) fn evaluate(
    question: Question<'_, '_>,
    object: Object,
    relation: u32,
    budget: &mut Budget,
) -> Holding {
    let Question { view, contextual, inputs, asked } = question;
    let mut evaluation = Evaluation {
        view: *view,
        asked,
        contextual,
        inputs,
        budget,
        steps: SmallVec::new(),
        failure: None,
        nesting: NESTING,
    };
    match evaluation.check(object, relation, None) {
        Answer::Yes => {
            evaluation.steps.reverse();
            Holding::Holds(Path { steps: evaluation.steps })
        }
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

/// A relation of an object that is under evaluation, and what asked for it: meeting it again is a
/// cycle. The chain lies on the call stack, so that an evaluation allocates nothing for it.
#[derive(Clone, Copy)]
struct Here<'h, 's> {
    object: Object,
    table: &'s RelationTable,
    above: Above<'h, 's>,
}

type Above<'h, 's> = Option<&'h Here<'h, 's>>;

impl Here<'_, '_> {
    fn is(&self, object: Object, relation: u32) -> bool {
        self.object == object && self.table.number == relation
    }
}

/// One restriction of a row, and the relation that is asked of what it stores.
#[derive(Clone, Copy)]
struct Way<'h, 's> {
    here: &'h Here<'h, 's>,
    /// Of the row: that of the relation itself, or of a tupleset.
    table: &'s RelationTable,
    position: usize,
    restriction: &'s Restriction,
    /// What is asked of the subjects.
    target: &'s RelationTable,
}

struct Evaluation<'e, 's> {
    view: View<'s>,
    asked: Asked,
    contextual: &'e [ContextualTuple],
    inputs: &'e dyn InputSource,
    budget: &'e mut Budget,
    /// The relationships of branches that hold, the last one first.
    ///
    /// INVARIANT: a branch that does not hold leaves none.
    steps: SmallVec<[Step; 4]>,
    failure: Option<EvaluationFailure>,
    nesting: u32,
}

impl<'s> Evaluation<'_, 's> {
    fn check(&mut self, object: Object, relation: u32, above: Above<'_, 's>) -> Answer {
        match self.view.schema.relation_table(relation) {
            Some(table) => self.check_in(object, table, above),
            None => Answer::No,
        }
    }

    fn check_in(
        &mut self,
        object: Object,
        table: &'s RelationTable,
        above: Above<'_, 's>,
    ) -> Answer {
        // It is never under way: whoever asks about it has met this answer.
        if self.asked == Asked::Userset(object, table.number) {
            return Answer::Yes;
        }
        // Only a relation that can come out of itself is ever met again.
        if table.recursive && is_under_way(object, table.number, above) {
            return Answer::Cycle;
        }
        if !self.can_reach(table) {
            return Answer::No;
        }
        self.plan(&Here { object, table, above }, &table.plan)
    }

    /// Evaluates a relation of another object: one level deeper.
    fn hop(&mut self, object: Object, table: &'s RelationTable, above: &Here<'_, 's>) -> Answer {
        let depth = self.budget.depth;
        let Some(below) = depth.checked_sub(1).filter(|below| *below > 0) else {
            return self.fail(EvaluationFailure::Depth);
        };
        self.budget.depth = below;
        let answer = self.check_in(object, table, Some(above));
        self.budget.depth = depth;
        answer
    }

    fn plan(&mut self, here: &Here<'_, 's>, plan: &'s Plan) -> Answer {
        if matches!(plan, Plan::Direct) && self.nesting > 0 {
            return self.direct(here);
        }
        // Computed relations and nested operators cost no depth, but they do cost stack and time.
        let Some(nesting) = self.nesting.checked_sub(1) else {
            return self.fail(EvaluationFailure::Depth);
        };
        let Some(operations) = self.budget.operations.checked_sub(1) else {
            return self.fail(EvaluationFailure::Budget);
        };
        self.nesting = nesting;
        self.budget.operations = operations;
        let answer = self.operation(here, plan);
        self.nesting = nesting.saturating_add(1);
        answer
    }

    fn operation(&mut self, here: &Here<'_, 's>, plan: &'s Plan) -> Answer {
        match plan {
            Plan::Computed(relation) => self.check(here.object, *relation, Some(here)),
            Plan::Difference(base, subtracted) => self.difference(here, base, subtracted),
            Plan::Direct => self.direct(here),
            Plan::From { tupleset, targets } => self.from(here, *tupleset, targets),
            Plan::Intersection(children) => self.intersection(here, children),
            Plan::Union(children) => {
                let mut answer = Answer::No;
                for child in children {
                    answer = answer.or(self.plan(here, child));
                    if answer == Answer::Yes {
                        break;
                    }
                }
                answer
            }
        }
    }

    /// One that does not hold decides, whatever the others would say.
    fn intersection(&mut self, here: &Here<'_, 's>, children: &'s [Plan]) -> Answer {
        let mark = self.steps.len();
        let mut answer = Answer::Yes;
        for child in children {
            let kept = self.steps.len().saturating_sub(mark);
            answer = answer.and(self.plan(here, child));
            if answer == Answer::No {
                break;
            }
            // The last one first: what this branch has found goes before what was found until now.
            if let Some(steps) = self.steps.get_mut(mark..) {
                steps.rotate_left(kept);
            }
        }
        if answer != Answer::Yes {
            self.steps.truncate(mark);
        }
        answer
    }

    /// Only a subtracted branch that definitely does not hold lets the base through.
    fn difference(&mut self, here: &Here<'_, 's>, base: &'s Plan, subtracted: &'s Plan) -> Answer {
        let mark = self.steps.len();
        let base = self.plan(here, base);
        if base == Answer::No {
            return base;
        }
        let kept = self.steps.len();
        let subtracted = match self.plan(here, subtracted) {
            Answer::No => Answer::Yes,
            Answer::Yes => Answer::No,
            other @ (Answer::Cycle | Answer::Failed) => other,
        };
        let answer = base.and(subtracted);
        self.steps.truncate(if answer == Answer::Yes { kept } else { mark });
        answer
    }

    fn direct(&mut self, here: &Here<'_, 's>) -> Answer {
        let row = self.view.row(here.object, here.table);
        if row.len() == 0 && self.contextual.is_empty() {
            return Answer::No;
        }
        let mut answer = self.named(here, &row);
        if answer == Answer::Yes || !here.table.stores_usersets {
            return answer;
        }
        for (position, restriction) in here.table.restrictions.iter().enumerate() {
            let Form::Userset(relation) = restriction.form else { continue };
            let Some(target) = self.view.schema.relation_table(relation) else { continue };
            let way = Way { here, table: here.table, position, restriction, target };
            answer = answer.or(self.through(way, &row));
            if answer == Answer::Yes {
                break;
            }
        }
        answer
    }

    /// Relationships that name who is asked about, or everybody.
    fn named(&mut self, here: &Here<'_, 's>, row: &StoredRow<'s>) -> Answer {
        // The query's own relationship stands in for a stored one of the same name.
        let (mut answer, shadowed) = self.named_by_query(here);
        if answer == Answer::Yes {
            return answer;
        }
        for (position, restriction) in here.table.restrictions.iter().enumerate() {
            if shadowed && restriction.form != Form::Wildcard {
                continue;
            }
            let Some(local) = self.named_by(restriction) else { continue };
            let word = here.table.subject_word(restriction, local);
            let Some(found) = word.and_then(|word| row.position(word)) else { continue };
            let holds = self.edge(row, found, restriction);
            if holds == Answer::Yes {
                self.step(here.object, here.table, position, local);
                return holds;
            }
            answer = answer.or(holds);
        }
        answer
    }

    /// The same among the relationships that came with the query; and whether one of them names
    /// who is asked about.
    fn named_by_query(&mut self, here: &Here<'_, 's>) -> (Answer, bool) {
        let (mut answer, mut shadowed) = (Answer::No, false);
        for tuple in self.contextual {
            let restriction = tuple.of(here.object, here.table).filter(|restriction| {
                self.named_by(restriction) == Some(tuple.local)
                    && !(shadowed && restriction.form != Form::Wildcard)
            });
            let Some(restriction) = restriction else { continue };
            shadowed |= restriction.form != Form::Wildcard;
            let holds = self.brought(tuple, restriction);
            if holds == Answer::Yes {
                self.step(here.object, here.table, tuple.position, tuple.local);
                return (holds, shadowed);
            }
            answer = answer.or(holds);
        }
        (answer, shadowed)
    }

    /// Follows what one restriction stores: usersets, or the objects of a tupleset.
    fn through(&mut self, way: Way<'_, 's>, row: &StoredRow<'s>) -> Answer {
        if !self.can_come_out(way.target) {
            return Answer::No;
        }
        let mut answer = Answer::No;
        for tuple in self.contextual {
            if tuple.of(way.here.object, way.table).is_none() || tuple.position != way.position {
                continue;
            }
            let holds = self.brought(tuple, way.restriction);
            answer = answer.or(self.follow(way, tuple.local, holds));
            if answer == Answer::Yes {
                return answer;
            }
        }
        for at in row.of_restriction(way.table, way.position) {
            let holds = self.edge(row, at, way.restriction);
            answer = answer.or(self.follow(way, way.table.local_of(row.word(at)), holds));
            let spent = matches!(self.failure, Some(EvaluationFailure::Budget));
            if answer == Answer::Yes || spent {
                // Without budget every further one would fail as well, and a row may be long.
                break;
            }
        }
        answer
    }

    fn follow(&mut self, way: Way<'_, 's>, local: u32, holds: Answer) -> Answer {
        if holds != Answer::Yes {
            return holds;
        }
        let type_index = way.restriction.type_index;
        let answer = self.hop(Object { type_index, local }, way.target, way.here);
        if answer == Answer::Yes {
            self.step(way.here.object, way.table, way.position, local);
        }
        answer
    }

    /// Follows the objects that a tupleset holds.
    fn from(&mut self, here: &Here<'_, 's>, tupleset: u32, targets: &'s [(u32, u32)]) -> Answer {
        let Some(table) = self.view.schema.relation_table(tupleset) else { return Answer::No };
        let row = self.view.row(here.object, table);
        if row.len() == 0 && self.contextual.is_empty() {
            return Answer::No;
        }
        let mut answer = Answer::No;
        for (position, restriction) in table.restrictions.iter().enumerate() {
            if restriction.form != Form::Object {
                continue;
            }
            let target = targets.iter().find(|(of, _)| *of == restriction.type_index);
            let target = target.and_then(|(_, target)| self.view.schema.relation_table(*target));
            let Some(target) = target else { continue };
            let way = Way { here, table, position, restriction, target };
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
            // Two types have no relation in common.
            (Asked::Userset(subject, asked), Form::Userset(relation)) => {
                (asked == relation).then_some(subject.local)
            }
            _ => None,
        }
    }

    /// Looks at one stored relationship: counts it, and evaluates its condition.
    fn edge(&mut self, row: &StoredRow<'s>, at: usize, restriction: &Restriction) -> Answer {
        if !self.spend(1) {
            return self.fail(EvaluationFailure::Budget);
        }
        if restriction.condition.is_none() {
            return Answer::Yes;
        }
        self.condition(restriction, self.view.context(row, at))
    }

    /// Looks at one relationship that came with the query: counted like a stored one, or circles
    /// of them would cost nothing.
    fn brought(&mut self, tuple: &ContextualTuple, restriction: &Restriction) -> Answer {
        if !self.spend(1) {
            return self.fail(EvaluationFailure::Budget);
        }
        self.condition(restriction, Some(Context::Json(&tuple.context)))
    }

    fn spend(&mut self, edges: u32) -> bool {
        let left = self.budget.edges.checked_sub(edges);
        self.budget.edges = left.unwrap_or_default();
        left.is_some()
    }

    /// Evaluates the condition of a relationship, if it has one.
    fn condition(&mut self, restriction: &Restriction, context: Option<Context<'_>>) -> Answer {
        let Some(condition) = restriction.condition else { return Answer::Yes };
        let code = self.view.code(condition).map(|(_, code)| code);
        // INVARIANT: loading has found code and context of every conditional relationship.
        let Some((code, context)) = code.zip(context) else {
            return self.fail(EvaluationFailure::Budget);
        };
        let inputs = self.inputs.context();
        let mut steps = limits::CONDITION_STEPS;
        let outcome = match context {
            Context::Encoded(stored) => condition::evaluate(code, stored, inputs, &mut steps),
            Context::Json(stored) => {
                let mut all = inputs.clone();
                all.extend(stored.clone());
                condition::evaluate(code, &[], &all, &mut steps)
            }
        };
        if !self.spend(limits::CONDITION_STEPS.saturating_sub(steps) / limits::STEPS_OF_EDGE) {
            return self.fail(EvaluationFailure::Budget);
        }
        match outcome {
            Ok(true) => Answer::Yes,
            Ok(false) => Answer::No,
            Err(failure) => self.fail(EvaluationFailure::Condition(failure)),
        }
    }

    fn step(&mut self, object: Object, table: &RelationTable, position: usize, local: u32) {
        self.steps.push(Step {
            object: object.local,
            relation: table.number,
            restriction: u32::try_from(position).unwrap_or(u32::MAX),
            subject: local,
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

/// Whether the relation of the object is under evaluation already.
fn is_under_way(object: Object, relation: u32, mut above: Above<'_, '_>) -> bool {
    while let Some(here) = above {
        if here.is(object, relation) {
            return true;
        }
        above = here.above;
    }
    false
}

/// Nested operations of one evaluation, computed relations included. Source: what half a megabyte
/// of stack holds, the least that a WebAssembly host gives.
const NESTING: u32 = 512;
