//! The fixtures of the gate on core, on the component and on its core module: what a host is told to
//! do is the same to the byte, and what the fixture states.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use mandate::conformance::{
    AuthzSet, Comparison, Complete, Decision, Exceptions, Implementation, Questions, Worlds,
    patient_limits, write_table,
};
use mandate_host::{CoreModule, Plugin, PluginOptions, Sha256Digest};
use mandate_tests::guests;

static QUESTIONS: LazyLock<Questions> = LazyLock::new(|| {
    let decisions = AuthzSet::embedded_gate().unwrap().decisions().unwrap();
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

fn require_agreement(questions: &Questions, implementation: &mut dyn Implementation) {
    let report = questions.ask(implementation, &Exceptions::default(), Comparison::Full);
    let mut table = Vec::new();
    write_table(&report, &mut table).unwrap();
    assert!(report.agrees(), "{}", String::from_utf8(table).unwrap());
    assert_eq!(report.runs.len(), questions.len());
}

#[test]
fn native_answers_every_request_as_it_states() {
    require_agreement(&QUESTIONS, &mut Complete::native());
}

#[test]
fn the_component_answers_every_request_as_it_states() {
    let Some(mut component) = component("conformance of the gate: component") else { return };
    require_agreement(&QUESTIONS, &mut component);
}

#[test]
fn the_module_answers_every_request_as_it_states() {
    let Some(mut module) = module("conformance of the gate: module") else { return };
    require_agreement(&QUESTIONS, &mut module);
}

/// The same on model and facts, which is what a program without a reader of snapshots is asked.
#[test]
fn facts_answer_as_snapshots_do() {
    let decisions = AuthzSet::embedded_gate().unwrap().decisions_of("*", Worlds::Facts).unwrap();
    let left_out: Vec<&str> =
        decisions.iter().filter(|one| one.skip.is_some()).map(|one| one.id.as_str()).collect();
    assert!(left_out.len() < 30, "{left_out:?}");
    let questions = Questions { tokens: Vec::new(), decisions };
    require_agreement(&questions, &mut Complete::native());
}

/// The whole answer, the operator's line included; a second time too, when nothing has to be loaded.
#[test]
fn native_component_and_module_answer_with_the_same_json_twice() {
    let part = "conformance of the gate: native, component and module alike";
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

/// Nothing that a gate writes down or sends names the token.
#[test]
fn no_answer_and_no_record_holds_the_token() {
    let mut native = Complete::native();
    for Decision { id, line, .. } in &QUESTIONS.decisions {
        let headers = line.pointer("/question/request/headers").and_then(|it| it.as_array());
        let bearer = headers.into_iter().flatten().filter_map(|field| {
            let value = field.get(1)?.as_str()?;
            value.strip_prefix("Bearer ").filter(|token| token.len() > 40)
        });
        let answer = native.answer(line).unwrap();
        for token in bearer {
            for part in ["/reply", "/audit", "/detail", "/reason", "/pass/set", "/list", "/stream"]
            {
                let text = answer.pointer(part).map(ToString::to_string).unwrap_or_default();
                assert!(!text.contains(token), "{id}: {part}");
            }
        }
    }
}
