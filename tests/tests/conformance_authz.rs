//! The fixtures of authorization on core, on the component and on its core module: three answers,
//! one text, and the one that the fixture states.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use mandate::conformance::{AuthzSet, Complete, Exceptions, Implementation, Questions, Worlds};
use mandate_tests::agreement::{self, component, module};

static QUESTIONS: LazyLock<Questions> = LazyLock::new(|| {
    let decisions = AuthzSet::embedded().unwrap().decisions().unwrap();
    Questions { tokens: Vec::new(), decisions }
});

fn require_agreement(implementation: &mut dyn Implementation) {
    let exceptions = Exceptions::embedded(implementation.name()).unwrap();
    agreement::require_agreement(&QUESTIONS, &exceptions, implementation);
}

#[test]
fn native_decides_every_case_as_it_states() {
    require_agreement(&mut Complete::native());
}

#[test]
fn the_component_decides_every_case_as_it_states() {
    let Some(mut component) = component("conformance of authorization: component") else { return };
    require_agreement(&mut component);
}

#[test]
fn the_module_decides_every_case_as_it_states() {
    let Some(mut module) = module("conformance of authorization: module") else { return };
    require_agreement(&mut module);
}

/// The same on model and facts, which is what a program without a reader of snapshots is asked.
#[test]
fn facts_decide_as_snapshots_do() {
    let decisions = AuthzSet::embedded().unwrap().decisions_of("*", Worlds::Facts).unwrap();
    let left_out: Vec<&str> = decisions
        .iter()
        .filter(|one| one.skip.is_some())
        .filter_map(|one| Some(one.id.split_once('/')?.0))
        .collect();
    let about_states =
        |id: &&str| id.starts_with("state-") || ["order-of-checks", "policy-missing"].contains(id);
    assert!(left_out.iter().all(about_states), "{left_out:?}");
    let questions = Questions { tokens: Vec::new(), decisions };
    agreement::require_agreement(&questions, &Exceptions::default(), &mut Complete::native());
}

/// The whole answer, the path and the operator's line included; a second time too, when nothing has
/// to be loaded.
#[test]
fn native_component_and_module_decide_with_the_same_json_twice() {
    let part = "conformance of authorization: native, component and module alike";
    agreement::require_one_text(&QUESTIONS, part);
}
