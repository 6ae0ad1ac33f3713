//! The naive evaluator: OpenFGA's semantics, written to be read, not to be fast.
//!
//! Source: `internal/graph/check.go` of OpenFGA 1.22.1. One difference, on purpose: OpenFGA forgets
//! the failed conditions of a list of usersets as soon as another one of the list passes, which lets
//! `but not` allow what nobody could evaluate. Here every failed condition counts.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};

use mandate_authz::model::{Model, RelationDefinition, RestrictionForm, Rewrite};
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::tuple::Tuple;
use serde_json::{Map, Value};

use super::engine::{Engine, Extra, Failure, Listing, Question};
use super::{conditions, validity};

/// The naive evaluator.
#[derive(Clone, Debug)]
pub(crate) struct Naive {
    model: Model,
    /// The stored relationships that the model allows.
    stored: Vec<Tuple>,
    rules: Rules,
}

/// What OpenFGA's own strategies disagree about; the default is what its default strategy does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Nested relations; its fast strategies count one more or less.
    pub(crate) depth: usize,
    /// Whether a circle under `but not` denies; its fast strategies do not notice circles.
    pub(crate) circles_deny: bool,
    /// Whether a circle outweighs what does not hold; it runs both side by side, and the first
    /// that arrives decides.
    pub(crate) circles_arrive_first: bool,
    /// Whether a condition that fails is an error; its lists forget some.
    pub(crate) failures_count: bool,
    /// Whether a relationship of everybody hides the subject's own beside it, below a userset: its
    /// strategies that read from the subject's side keep one relationship of an object, and lose
    /// the other with its condition. It then denies what it allows when asked for the userset.
    pub(crate) everybody_hides: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            depth: 25,
            circles_deny: true,
            circles_arrive_first: false,
            failures_count: true,
            everybody_hides: false,
        }
    }
}

impl Naive {
    /// The same evaluator under other rules.
    pub(crate) fn with_rules(&self, rules: Rules) -> Self {
        Self { rules, ..self.clone() }
    }

    /// The objects that a list asks about; none where the request is invalid.
    pub(crate) fn objects(&self, listing: &Listing) -> BTreeSet<String> {
        let user = validity::list_request(&self.model, listing);
        let objects =
            user.map(|user| self.evaluation(user, &listing.extra).objects_of(&listing.type_name));
        objects.unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    fn evaluation<'e>(&'e self, user: Subject, extra: &'e Extra) -> Evaluation<'e> {
        let Self { model, stored, rules } = self;
        let Extra { tuples: contextual, context } = extra;
        let (work, reached) = (Cell::new(0), RefCell::default());
        Evaluation { model, stored, contextual, context, user, rules: *rules, work, reached }
    }
}

impl Engine for Naive {
    fn open(model: &Model, tuples: &[Tuple]) -> Self {
        let readable = tuples.iter().filter(|tuple| validity::is_readable(model, tuple));
        let stored = readable.cloned().collect();
        Self { model: model.clone(), stored, rules: Rules::default() }
    }

    fn check(&self, question: &Question) -> Result<bool, Failure> {
        let (user, object) = validity::check_request(&self.model, question)?;
        self.evaluation(user, &question.extra).start(&object, &question.relation)
    }

    fn list_objects(&self, listing: &Listing) -> Result<BTreeSet<String>, Failure> {
        let user = validity::list_request(&self.model, listing)?;
        let evaluation = self.evaluation(user, &listing.extra);
        let mut found = BTreeSet::new();
        for object in evaluation.objects_of(&listing.type_name) {
            evaluation.work.set(0);
            if evaluation.start(&object, &listing.relation)? {
                found.insert(object.to_string());
            }
        }
        Ok(found)
    }
}

/// What a branch says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    No,
    Circle,
    Failed(Failure),
    Yes,
}

/// Relations of objects looked at in one request. A world that needs more is no question for a test:
/// the ways through circles grow exponentially, here as in OpenFGA.
const WORK: u32 = 2_000;

type Path = Vec<(ObjectName, String)>;

/// One request under evaluation.
struct Evaluation<'e> {
    model: &'e Model,
    stored: &'e [Tuple],
    contextual: &'e [Tuple],
    context: &'e Map<String, Value>,
    user: Subject,
    rules: Rules,
    work: Cell<u32>,
    reached: RefCell<HashMap<(String, String), bool>>,
}

impl Evaluation<'_> {
    fn start(&self, object: &ObjectName, relation: &str) -> Result<bool, Failure> {
        match self.resolve(object, relation, &Vec::new(), 0) {
            Answer::Yes => Ok(true),
            Answer::No | Answer::Circle => Ok(false),
            Answer::Failed(failure) => Err(failure),
        }
    }

    /// `path` is what is being resolved above; only a step over a relationship is a level of depth.
    fn resolve(&self, object: &ObjectName, relation: &str, path: &Path, depth: usize) -> Answer {
        let here = (object.clone(), relation.to_owned());
        self.work.set(self.work.get() + 1);
        if self.work.get() > WORK {
            return Answer::Failed(Failure::Budget);
        }
        if depth == self.rules.depth {
            return Answer::Failed(Failure::Depth);
        }
        if path.contains(&here) {
            return if self.rules.circles_deny { Answer::Circle } else { Answer::No };
        }
        if self.user == Subject::Userset(here.0.clone(), here.1.clone()) {
            return Answer::Yes;
        }
        if !self.reaches(&object.type_name, relation) {
            return Answer::No;
        }
        let definition = validity::relation(self.model, &object.type_name, relation);
        let definition = definition.expect("only relations of the model are resolved");
        let mut path = path.clone();
        path.push(here);
        self.rewrite(&definition.rewrite, definition, object, &path, depth)
    }

    fn rewrite(
        &self,
        rewrite: &Rewrite,
        definition: &RelationDefinition,
        object: &ObjectName,
        path: &Path,
        depth: usize,
    ) -> Answer {
        let of = |child: &Rewrite| self.rewrite(child, definition, object, path, depth);
        match rewrite {
            Rewrite::Direct => self.direct(object, &definition.name, path, depth),
            Rewrite::Computed(relation) => self.resolve(object, relation, path, depth),
            Rewrite::From { relation, tupleset } => {
                self.from(object, tupleset, relation, path, depth)
            }
            Rewrite::Union(children) => any(children.iter().map(of)),
            Rewrite::Intersection(children) => self.all(children.iter().map(of)),
            Rewrite::Difference(base, subtracted) => self.all([of(base), not(of(subtracted))]),
        }
    }

    /// `and`: one that does not hold decides; then what ran in a circle, then what failed.
    fn all(&self, answers: impl IntoIterator<Item = Answer>) -> Answer {
        let mut result = Answer::Yes;
        for answer in answers {
            result = match (result, answer) {
                (Answer::Circle, Answer::No) | (Answer::No, Answer::Circle) => {
                    if self.rules.circles_arrive_first { Answer::Circle } else { Answer::No }
                }
                (Answer::No, _) | (_, Answer::No) => Answer::No,
                (Answer::Circle, _) | (_, Answer::Circle) => Answer::Circle,
                (Answer::Failed(one), Answer::Failed(other)) => Answer::Failed(one.max(other)),
                (Answer::Failed(failure), _) | (_, Answer::Failed(failure)) => {
                    Answer::Failed(failure)
                }
                (Answer::Yes, Answer::Yes) => Answer::Yes,
            };
        }
        result
    }

    /// The relationship that names the user; the one for everybody of the type; every userset.
    fn direct(&self, object: &ObjectName, relation: &str, path: &Path, depth: usize) -> Answer {
        let of_relation = self.tuples(object, relation);
        // The first of the same name hides the others, and contextual ones come first.
        let exact = of_relation.iter().filter(|tuple| tuple.subject == self.user).take(1);
        let everybody = match &self.user {
            Subject::Object(ObjectName { type_name, .. }) | Subject::Wildcard(type_name) => {
                Some(Subject::Wildcard(type_name.clone()))
            }
            Subject::Userset(..) => None,
        };
        let public = of_relation.iter().filter(|tuple| Some(&tuple.subject) == everybody.as_ref());
        let hides = self.rules.everybody_hides && depth > 0 && public.clone().next().is_some();
        let exact = exact.filter(|_| !hides);
        let named = exact.chain(public).map(|tuple| self.condition(tuple));
        let usersets = of_relation.iter().filter_map(|tuple| match &tuple.subject {
            Subject::Userset(of, member) => Some(self.step(tuple, of, member, path, depth)),
            Subject::Object(_) | Subject::Wildcard(_) => None,
        });
        any(named.chain(usersets))
    }

    fn from(
        &self,
        object: &ObjectName,
        tupleset: &str,
        relation: &str,
        path: &Path,
        depth: usize,
    ) -> Answer {
        any(self.tuples(object, tupleset).into_iter().filter_map(|tuple| {
            let Subject::Object(parent) = &tuple.subject else { return None };
            validity::relation(self.model, &parent.type_name, relation)?;
            Some(self.step(tuple, parent, relation, path, depth))
        }))
    }

    /// A step over a relationship: both its condition and what lies behind must hold. Where nothing
    /// behind can hold, the condition does not matter.
    fn step(
        &self,
        tuple: &Tuple,
        next: &ObjectName,
        relation: &str,
        path: &Path,
        depth: usize,
    ) -> Answer {
        if !self.reaches(&next.type_name, relation) {
            return Answer::No;
        }
        self.condition(tuple).then(|| self.resolve(next, relation, path, depth + 1))
    }

    /// The relationships of one relation of an object, contextual ones first.
    fn tuples(&self, object: &ObjectName, relation: &str) -> Vec<&Tuple> {
        let mut found: Vec<&Tuple> = Vec::new();
        for tuple in self.contextual.iter().chain(self.stored) {
            let here = tuple.object == *object && tuple.relation == relation;
            if here && !found.contains(&tuple) {
                found.push(tuple);
            }
        }
        found
    }

    fn condition(&self, tuple: &Tuple) -> Answer {
        match conditions::holds(self.model, tuple, self.context) {
            Some(true) => Answer::Yes,
            Some(false) => Answer::No,
            None if self.rules.failures_count => Answer::Failed(Failure::Condition),
            None => Answer::No,
        }
    }

    /// Whether the model has any way from the user's type to the relation. OpenFGA looks no further
    /// where it has none, so that no circle, no depth and no condition there matters.
    fn reaches(&self, type_name: &str, relation: &str) -> bool {
        let key = (type_name.to_owned(), relation.to_owned());
        let known = self.reached.borrow().get(&key).copied();
        let reaches = known.unwrap_or_else(|| self.can_reach(type_name, relation, &mut Vec::new()));
        self.reached.borrow_mut().insert(key, reaches);
        reaches
    }

    fn can_reach(&self, type_name: &str, relation: &str, seen: &mut Vec<(String, String)>) -> bool {
        let here = (type_name.to_owned(), relation.to_owned());
        let Some(definition) = validity::relation(self.model, type_name, relation) else {
            return false;
        };
        if seen.contains(&here) {
            return false;
        }
        seen.push(here);
        let is_user = matches!(&self.user, Subject::Userset(object, member)
            if object.type_name == type_name && member == relation);
        is_user || self.rewrite_can_reach(&definition.rewrite, definition, type_name, seen)
    }

    fn rewrite_can_reach(
        &self,
        rewrite: &Rewrite,
        definition: &RelationDefinition,
        type_name: &str,
        seen: &mut Vec<(String, String)>,
    ) -> bool {
        match rewrite {
            Rewrite::Direct => definition.restrictions.iter().any(|restriction| {
                match (&restriction.form, &self.user) {
                    (RestrictionForm::Userset(member), _) => {
                        self.can_reach(&restriction.type_name, member, seen)
                    }
                    (
                        _,
                        Subject::Object(ObjectName { type_name, .. })
                        | Subject::Wildcard(type_name),
                    ) => restriction.type_name == *type_name,
                    (_, Subject::Userset(..)) => false,
                }
            }),
            Rewrite::Computed(relation) => self.can_reach(type_name, relation, seen),
            Rewrite::From { relation, tupleset } => {
                let tupleset = validity::relation(self.model, type_name, tupleset);
                let parents = tupleset.map(|tupleset| tupleset.restrictions.iter());
                parents
                    .into_iter()
                    .flatten()
                    .any(|parent| self.can_reach(&parent.type_name, relation, seen))
            }
            Rewrite::Union(children) | Rewrite::Intersection(children) => children
                .iter()
                .any(|child| self.rewrite_can_reach(child, definition, type_name, seen)),
            Rewrite::Difference(base, subtracted) => [base, subtracted]
                .iter()
                .any(|child| self.rewrite_can_reach(child, definition, type_name, seen)),
        }
    }

    /// Every object of a type that a relationship or the request names.
    fn objects_of(&self, type_name: &str) -> BTreeSet<ObjectName> {
        let tuples = self.contextual.iter().chain(self.stored);
        let subjects = tuples.clone().map(|tuple| &tuple.subject).chain([&self.user]);
        let subjects = subjects.filter_map(|subject| match subject {
            Subject::Object(object) | Subject::Userset(object, _) => Some(object),
            Subject::Wildcard(_) => None,
        });
        let objects = tuples.map(|tuple| &tuple.object).chain(subjects);
        objects.filter(|object| object.type_name == type_name).cloned().collect()
    }
}

impl Answer {
    /// What the next branch says, where this one holds.
    fn then(self, next: impl FnOnce() -> Self) -> Self {
        if self == Self::Yes { next() } else { self }
    }
}

/// `or`: one that holds is enough; then what failed counts, then what ran in a circle.
fn any(answers: impl IntoIterator<Item = Answer>) -> Answer {
    let mut result = Answer::No;
    for answer in answers {
        result = match (result, answer) {
            (_, Answer::Yes) => return Answer::Yes,
            (Answer::Failed(one), Answer::Failed(other)) => Answer::Failed(one.max(other)),
            (Answer::Failed(failure), _) | (_, Answer::Failed(failure)) => Answer::Failed(failure),
            (Answer::Circle, _) | (_, Answer::Circle) => Answer::Circle,
            (Answer::No | Answer::Yes, Answer::No) => Answer::No,
        };
    }
    result
}

/// The subtracted side: what failed or ran in a circle stays so, and denies.
const fn not(answer: Answer) -> Answer {
    match answer {
        Answer::Yes => Answer::No,
        Answer::No => Answer::Yes,
        Answer::Circle | Answer::Failed(_) => answer,
    }
}
