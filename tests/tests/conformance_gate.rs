//! The fixtures of the gate on core, on the component and on its core module: what a host is told to
//! do is the same to the byte, and what the fixture states.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use mandate::conformance::{
    AuthzSet, Complete, Decision, Exceptions, Implementation, Questions, Worlds,
};
use mandate_tests::agreement::{self, component, module};

static QUESTIONS: LazyLock<Questions> = LazyLock::new(|| {
    let decisions = AuthzSet::embedded_gate().unwrap().decisions().unwrap();
    Questions { tokens: Vec::new(), decisions }
});

fn require_agreement(questions: &Questions, implementation: &mut dyn Implementation) {
    agreement::require_agreement(questions, &Exceptions::default(), implementation);
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
    agreement::require_one_text(&QUESTIONS, part);
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
