//! Every Check and ListObjects row of OpenFGA's consolidated suite, errors included.

use mandate_authz::tuple::Tuple;

use crate::support::consolidated::{Stage, read};
use crate::support::engine::{Engine, Extra};
use crate::support::fast::Fast;
use crate::support::naive::Naive;
use crate::support::random::Random;
use crate::support::shuffle;
use crate::support::validity;

/// What a stage is asked with: the relationships stored, and those every request brings along.
type Arrangement = fn(&Stage, &mut Random) -> (Vec<Tuple>, Vec<Tuple>);

fn disagreements<E: Engine>(part: &str, arrange: Arrangement) -> Vec<String> {
    let mut random = Random::new(20_261_122);
    let mut rows = 0;
    let mut wrong = Vec::new();
    let Some(stages) = read(part) else { return wrong };
    for stage in &stages {
        let (stored, brought) = arrange(stage, &mut random);
        let engine = E::open(&stage.model, &stored);
        for (question, expected) in &stage.checks {
            let mut question = question.clone();
            bring(&mut question.extra, &brought);
            let found = engine.check(&question).map_err(|failure| failure.code());
            rows += 1;
            if found != *expected {
                wrong.push(format!("{}: {question:?}: {found:?}, not {expected:?}", stage.name));
            }
        }
        for (listing, expected) in &stage.lists {
            let mut listing = listing.clone();
            bring(&mut listing.extra, &brought);
            let found = engine.list_objects(&listing).map_err(|failure| failure.code());
            rows += 1;
            if found != *expected {
                wrong.push(format!("{}: {listing:?}: {found:?}, not {expected:?}", stage.name));
            }
        }
    }
    assert_eq!((stages.len(), rows), (119, 459), "rows of the suite");
    wrong
}

fn bring(extra: &mut Extra, brought: &[Tuple]) {
    extra.tuples.extend_from_slice(brought);
}

fn stored(stage: &Stage, _: &mut Random) -> (Vec<Tuple>, Vec<Tuple>) {
    (stage.tuples.clone(), Vec::new())
}

fn shuffled_and_duplicated(stage: &Stage, random: &mut Random) -> (Vec<Tuple>, Vec<Tuple>) {
    let mut tuples = [stage.tuples.clone(), stage.tuples.clone()].concat();
    shuffle(&mut tuples, random);
    (tuples, Vec::new())
}

/// A contextual relationship that the model does not allow is an error, a stored one is not.
fn contextual(stage: &Stage, random: &mut Random) -> (Vec<Tuple>, Vec<Tuple>) {
    let allowed = |tuple: &Tuple| validity::is_readable(&stage.model, tuple);
    let (mut brought, stored): (Vec<_>, Vec<_>) = stage.tuples.iter().cloned().partition(allowed);
    shuffle(&mut brought, random);
    (stored, brought)
}

#[test]
fn the_naive_evaluator_agrees_on_stored_relationships() {
    let part = "consolidated suite, naive, stored";
    assert_eq!(disagreements::<Naive>(part, stored), Vec::<String>::new());
}

#[test]
fn the_naive_evaluator_agrees_on_shuffled_and_duplicated_relationships() {
    let part = "consolidated suite, naive, shuffled";
    assert_eq!(disagreements::<Naive>(part, shuffled_and_duplicated), Vec::<String>::new());
}

#[test]
fn the_naive_evaluator_agrees_on_contextual_relationships() {
    let part = "consolidated suite, naive, contextual";
    assert_eq!(disagreements::<Naive>(part, contextual), Vec::<String>::new());
}

#[test]
fn the_fast_evaluator_agrees_on_stored_relationships() {
    let part = "consolidated suite, fast, stored";
    assert_eq!(disagreements::<Fast>(part, stored), Vec::<String>::new());
}

#[test]
fn the_fast_evaluator_agrees_on_shuffled_and_duplicated_relationships() {
    let part = "consolidated suite, fast, shuffled";
    assert_eq!(disagreements::<Fast>(part, shuffled_and_duplicated), Vec::<String>::new());
}

#[test]
fn the_fast_evaluator_agrees_on_contextual_relationships() {
    let part = "consolidated suite, fast, contextual";
    assert_eq!(disagreements::<Fast>(part, contextual), Vec::<String>::new());
}
