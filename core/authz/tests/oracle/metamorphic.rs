//! What must not move a verdict, in random worlds, on the evaluator that ships.

use std::collections::BTreeSet;

use mandate_authz::condition::{compile, encode_context};
use mandate_authz::model::Model;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::relation_query::RelationAnswer;
use mandate_authz::row::{Row, StoredCondition, StoredTuple};
use mandate_authz::tuple::Tuple;

use crate::support::engine::{Engine as _, Question};
use crate::support::fast::Fast;
use crate::support::random::Random;
use crate::support::shuffle;
use crate::support::worlds::{World, is_alike};

/// Questions of each world.
const QUESTIONS: usize = 8;

/// Worlds of each test: so many, or a tenth of what the environment asks for.
fn worlds() -> u64 {
    let cases = std::env::var("MANDATE_CAMPAIGN_CASES").ok();
    cases.map_or(200, |cases| cases.parse::<u64>().expect("a number of cases") / 10)
}

/// Asks every question of many worlds twice: as it is, and of the evaluator that `change` makes,
/// which may also move relationships into the request.
fn unmoved(change: impl Fn(&World, &mut Random) -> (Fast, Vec<Tuple>)) {
    let mut answers = BTreeSet::new();
    for seed in 0..worlds() {
        let world = World::new(seed);
        let mut random = Random::new(seed);
        let before = Fast::open(&world.model, &world.stored());
        let (after, brought) = change(&world, &mut random);
        for question in world.questions(&before, QUESTIONS) {
            let expected = before.check(&question);
            let mut changed = question.clone();
            changed.extra.tuples.extend_from_slice(&brought);
            let found = after.check(&changed);
            // What fails first is a matter of order, and only with the relationships' order.
            assert_eq!(found.ok(), expected.ok(), "{question:?} {brought:?}\n{world}");
            answers.insert(expected);
        }
    }
    assert!(answers.is_superset(&BTreeSet::from([Ok(true), Ok(false)])), "{answers:?}");
}

#[test]
fn the_order_of_relationships_does_not_matter() {
    unmoved(|world, random| {
        let mut stored = world.stored();
        shuffle(&mut stored, random);
        (Fast::open(&world.model, &stored), Vec::new())
    });
}

#[test]
fn a_relationship_twice_is_a_relationship_once() {
    unmoved(|world, random| {
        let mut stored = [world.stored(), world.stored()].concat();
        shuffle(&mut stored, random);
        (Fast::open(&world.model, &stored), Vec::new())
    });
}

#[test]
fn stored_or_contextual_does_not_matter() {
    unmoved(|world, random| {
        let (brought, kept): (Vec<_>, Vec<_>) =
            world.tuples.iter().cloned().partition(|_| random.percent(50));
        let stored = [kept, world.leftovers.clone()].concat();
        (Fast::open(&world.model, &stored), brought)
    });
}

#[test]
fn objects_of_another_tenant_do_not_matter() {
    unmoved(|world, _| {
        let elsewhere =
            |name: &ObjectName| ObjectName::new(&name.type_name, format!("other-{}", name.id));
        let foreign = world.stored().into_iter().map(|tuple| Tuple {
            object: elsewhere(&tuple.object),
            subject: match tuple.subject {
                Subject::Object(name) => Subject::Object(elsewhere(&name)),
                Subject::Userset(name, relation) => Subject::Userset(elsewhere(&name), relation),
                everybody @ Subject::Wildcard(_) => everybody,
            },
            ..tuple
        });
        let stored: Vec<_> = world.stored().into_iter().chain(foreign).collect();
        (Fast::open(&world.model, &stored), Vec::new())
    });
}

#[test]
fn a_delta_is_what_building_anew_would_be() {
    unmoved(|world, random| {
        let (late, early): (Vec<_>, Vec<_>) =
            world.tuples.iter().cloned().partition(|_| random.percent(40));
        // Relationships of another world of this model, stored first and then deleted.
        let other = world.sibling(world.seed ^ 0xde1e7e);
        let gone = other
            .into_iter()
            .filter(|tuple| !world.tuples.iter().any(|kept| is_alike(kept, tuple)));
        let gone: Vec<_> = gone.collect();
        let mut fast =
            Fast::open(&world.model, &[early, gone.clone(), world.leftovers.clone()].concat());
        let mut rows: Vec<Row> = gone.iter().map(delete).collect();
        rows.extend(late.iter().map(|tuple| write(&world.model, tuple)));
        shuffle(&mut rows, random);
        let cut = random.below(rows.len() + 1);
        let (first, second) = rows.split_at(cut);
        fast.snapshot.apply(first).expect("the delta fits");
        fast.snapshot.apply(second).expect("the delta fits");
        (fast, Vec::new())
    });
}

fn delete(tuple: &Tuple) -> Row {
    let Tuple { object, relation, subject, .. } = tuple.clone();
    Row::DeleteTuple { object, relation, subject }
}

fn write(model: &Model, tuple: &Tuple) -> Row {
    let Tuple { object, relation, subject, condition } = tuple.clone();
    let condition = condition.map(|condition| {
        let mut definitions = model.conditions.iter();
        let definition = definitions.find(|definition| definition.name == condition.name);
        let code = compile(definition.expect("of the model")).expect("compiles");
        let context = encode_context(&code, &condition.context).expect("fits the condition");
        StoredCondition { name: condition.name, context }
    });
    Row::WriteTuple(StoredTuple { object, relation, subject, condition })
}

#[test]
fn a_list_is_the_objects_whose_check_holds() {
    for seed in 0..worlds() {
        let world = World::new(seed);
        let fast = Fast::open(&world.model, &world.stored());
        let listing = world.listing();
        let Ok(listed) = fast.list_objects(&listing) else { continue };
        let ids = ["1", "2", "3", "unknown"].map(|id| format!("{}:{id}", listing.type_name));
        for object in listed.iter().cloned().chain(ids) {
            let question = listing.question(object.clone());
            assert_eq!(
                fast.check(&question),
                Ok(listed.contains(&object)),
                "{question:?}\n{world}"
            );
        }
    }
}

#[test]
fn the_path_of_an_answer_is_of_this_world_and_decides() {
    let mut decided = 0;
    for seed in 0..worlds() {
        let world = World::new(seed);
        let fast = Fast::open(&world.model, &world.stored());
        for question in world.questions(&fast, QUESTIONS) {
            let RelationAnswer::Holds(path) = fast.answer(&question) else { continue };
            let all = [question.extra.tuples.clone(), world.stored()].concat();
            for step in &path {
                let named = |tuple: &Tuple| {
                    (&tuple.object, &tuple.relation, &tuple.subject)
                        == (&step.object, &step.relation, &step.subject)
                };
                assert!(all.iter().any(named), "{question:?}: {step:?}\n{world}");
                let without = |tuples: &[Tuple]| {
                    tuples.iter().filter(|tuple| !named(tuple)).cloned().collect::<Vec<_>>()
                };
                let mut asked: Question = question.clone();
                asked.extra.tuples = without(&question.extra.tuples);
                let later = Fast::open(&world.model, &without(&world.stored())).answer(&asked);
                assert_ne!(later, RelationAnswer::Holds(path.clone()), "{question:?}\n{world}");
                decided += 1;
            }
        }
    }
    assert!(decided > worlds() * 5 / 2, "{decided}");
}
