//! The fixtures of authorization on core, on the component and on its core module: three answers,
//! one text, and the one that the fixture states.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use mandate::conformance::{
    AuthzSet, Comparison, Complete, Decision, Exceptions, Implementation, Questions, Worlds,
    patient_limits, write_table,
};
use mandate_host::{CoreModule, Plugin, PluginOptions, Sha256Digest};
use mandate_tests::guests;

static QUESTIONS: LazyLock<Questions> = LazyLock::new(|| {
    let decisions = AuthzSet::embedded().unwrap().decisions().unwrap();
    Questions { tokens: Vec::new(), decisions }
});

fn component(part: &str) -> Option<Complete> {
    let bytes = guests::read("mandate-policy.wasm", part)?;
    let digest = Sha256Digest::of(&bytes);
    let plugin = Plugin::from_bytes(&bytes, &digest, &PluginOptions::default()).unwrap();
    Some(Complete::component(&plugin).unwrap())
}

fn module(part: &str) -> Option<Complete> {
    let bytes = guests::read("mandate-policy.wasm", part)?;
    let digest = Sha256Digest::of(&bytes);
    let options = PluginOptions::default();
    let module = CoreModule::from_bytes(&bytes, &digest, &options, patient_limits()).unwrap();
    Some(Complete::module(module))
}

fn require_agreement(implementation: &mut dyn Implementation) {
    let name = implementation.name().to_owned();
    let exceptions = Exceptions::embedded(&name).unwrap();
    let report = QUESTIONS.ask(implementation, &exceptions, Comparison::Full);
    let mut table = Vec::new();
    write_table(&report, &mut table).unwrap();
    assert!(report.agrees(), "{}", String::from_utf8(table).unwrap());
    assert_eq!(report.runs.len(), QUESTIONS.len());
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
    let mut native = Complete::native();
    let report = questions.ask(&mut native, &Exceptions::default(), Comparison::Full);
    let mut table = Vec::new();
    write_table(&report, &mut table).unwrap();
    assert!(report.agrees(), "{}", String::from_utf8(table).unwrap());
}

/// The whole answer, the path and the operator's line included; a second time too, when nothing has
/// to be loaded.
#[test]
fn native_component_and_module_decide_with_the_same_json_twice() {
    let part = "conformance of authorization: native, component and module alike";
    let (Some(mut component), Some(mut module)) = (component(part), module(part)) else { return };
    let mut native = Complete::native();
    let mut different = Vec::new();
    for Decision { id, line, .. } in &QUESTIONS.decisions {
        let line = line.to_string();
        let expected = native.answer_line(&line);
        let doors: [&mut dyn Implementation; 3] = [&mut native, &mut component, &mut module];
        for door in doors {
            for _ in 0..2 {
                let answer = door.answer_line(&line);
                if answer != expected {
                    different.push(format!("{id} by {}:\n{answer}\n{expected}", door.name()));
                }
            }
        }
    }
    assert_eq!(different, Vec::<String>::new(), "{}", different.join("\n"));
}
