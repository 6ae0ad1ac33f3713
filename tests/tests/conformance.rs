//! The contract's fixtures on core, on the component and on its core module: three answers, one
//! text, and the one that the fixture states.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use mandate::conformance::{
    Comparison, Component, Concrete, Exceptions, FixtureSet, Implementation, Module, Native,
    Report, Verdict, write_table,
};
use mandate_authn::ReasonCode;
use mandate_tests::guests;
use serde_json::Value;

static SET: LazyLock<FixtureSet> = LazyLock::new(|| FixtureSet::embedded().unwrap());
static FIXTURES: LazyLock<Vec<Concrete>> = LazyLock::new(|| SET.concrete().unwrap());

/// What the component's types cannot ask, with the part that is missing.
const UNASKABLE: [&str; 2] = ["aud-request-names-none-of-three", "cnf-request-malformed"];

fn component(part: &str) -> Option<Component> {
    Some(Component::new(guests::plugin(part)?).unwrap())
}

fn module(part: &str) -> Option<Module> {
    guests::core_module(part).map(Module::new)
}

/// Requires every fixture to answer as it states, whole; the fixtures that were skipped.
fn require_agreement(implementation: &mut dyn Implementation) -> BTreeSet<String> {
    let exceptions = Exceptions::embedded(implementation.name()).unwrap();
    let report = Report::make(implementation, &FIXTURES, &exceptions, Comparison::Full);
    let mut table = Vec::new();
    write_table(&report, &mut table).unwrap();
    assert!(report.agrees(), "{}", String::from_utf8(table).unwrap());
    let skipped = |run: &&mandate::conformance::Run| {
        matches!(run.outcome, mandate::conformance::Outcome::Skipped { .. })
    };
    report.runs.iter().filter(skipped).map(|run| run.id.clone()).collect()
}

#[test]
fn native_answers_every_fixture_as_it_states() {
    assert_eq!(require_agreement(&mut Native::new()), BTreeSet::new());
}

#[test]
fn the_component_answers_every_fixture_as_it_states() {
    let Some(mut component) = component("conformance: component") else { return };
    assert_eq!(require_agreement(&mut component), BTreeSet::from(UNASKABLE.map(str::to_owned)));
}

#[test]
fn the_module_answers_every_fixture_as_it_states() {
    let Some(mut module) = module("conformance: module") else { return };
    assert_eq!(require_agreement(&mut module), BTreeSet::new());
}

/// The whole answer, the operator's line included; a second time too, when an accepted token comes
/// from the cache.
#[test]
fn native_component_and_module_answer_with_the_same_json_twice() {
    let part = "conformance: native, component and module alike";
    let (Some(mut component), Some(mut module)) = (component(part), module(part)) else { return };
    let mut native = Native::new();
    let mut compared = 0;
    for Concrete { fixture, request } in FIXTURES.iter() {
        let line = request.to_string();
        let expected = native.answer_line(&line);
        assert_eq!(native.answer_line(&line), expected, "{}: native, again", fixture.id);
        let doors: [&mut dyn Implementation; 2] = [&mut component, &mut module];
        for door in doors {
            if door.name() == "component" && UNASKABLE.contains(&fixture.id.as_str()) {
                continue;
            }
            for _ in 0..2 {
                let answer = door.answer_line(&line);
                assert_eq!(answer, expected, "{} by {}", fixture.id, door.name());
                compared += 1;
            }
        }
    }
    assert_eq!(compared, (FIXTURES.len() * 2 - UNASKABLE.len()) * 2);
}

#[test]
fn what_is_no_request_is_answered_alike_and_ends_nothing() {
    let part = "conformance: malformed lines";
    let (Some(mut component), Some(mut module)) = (component(part), module(part)) else { return };
    let lines = [
        "",
        "null",
        "{",
        r#"{"id":1}"#,
        r#"{"id":"a","op":"dance"}"#,
        r#"{"id":"a","op":"jws","keys":{}}"#,
        r#"{"id":"a","op":"jws","keys":{},"token":"","more":1}"#,
        r#"{"id":"a","op":"jws","keys":{},"token":"","token":""}"#,
        r#"{"id":"a","op":"validate","trust":{},"token":"","now":-1}"#,
    ];
    let mut native = Native::new();
    for line in lines {
        let doors: [&mut dyn Implementation; 3] = [&mut native, &mut component, &mut module];
        for door in doors {
            let answer: Value = serde_json::from_str(&door.answer_line(line)).unwrap();
            let said = answer.pointer("/error/message").and_then(Value::as_str);
            assert!(said.is_some_and(|said| !said.is_empty()), "{}: {line}: {answer}", door.name());
            assert_eq!(answer.get("verdict"), None, "{}: {line}", door.name());
        }
    }
}

/// Every code that token validation can answer with has a refusing fixture. `token-revoked` is
/// decided by the registry, not here.
#[test]
fn every_code_of_token_validation_has_a_fixture() {
    let expected: BTreeSet<&str> =
        SET.fixtures().iter().map(|fixture| fixture.expect.reason.as_str()).collect();
    let missing: Vec<&str> = ReasonCode::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| code.starts_with("token-") && *code != "token-revoked")
        .filter(|code| !expected.contains(code))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
    for code in &expected {
        assert!(ReasonCode::parse(code).is_some(), "{code} is no code of the contract");
    }
    assert!(
        ["ok", "keys-missing", "policy-missing", "malformed"]
            .iter()
            .all(|code| expected.contains(code))
    );
}

/// A refusal proves little if the token would be refused anyway: beside each stands an accepted
/// fixture that differs from it in few members of its file.
#[test]
fn a_refused_fixture_differs_from_its_accepted_twin_by_one_fact() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contract/fixtures/authn");
    let read = |id: &str| -> BTreeMap<String, Value> {
        let text = std::fs::read_to_string(folder.join(format!("{id}.json"))).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let mut leaves = BTreeMap::new();
        for name in ["now", "patch", "key_sets", "audience", "certificate_sha256", "contract"] {
            leaves.extend(document.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        for name in ["text", "sign", "before_signing", "after_signing"] {
            let value = document.pointer(&format!("/token/{name}"));
            leaves.extend(value.map(|value| (name.to_owned(), value.clone())));
        }
        for part in ["header", "claims"] {
            let members = document.pointer(&format!("/token/{part}")).and_then(Value::as_object);
            for (name, value) in members.into_iter().flatten() {
                leaves.insert(format!("{part}.{name}"), value.clone());
            }
        }
        leaves
    };
    let mut far: Vec<String> = Vec::new();
    for fixture in SET.fixtures().iter().filter(|fixture| fixture.expect.verdict == Verdict::Deny) {
        // Tokens of another kind (ID, refresh, logout) differ by that kind, which is many members;
        // fixtures of order differ by two facts, that is their point.
        if ["keycloak", "authentik", "order"].contains(&fixture.class()) {
            continue;
        }
        let (own, twin) = (read(&fixture.id), read(fixture.twin.as_deref().unwrap()));
        let names: BTreeSet<&String> = own.keys().chain(twin.keys()).collect();
        let differing = names.iter().filter(|name| own.get(**name) != twin.get(**name)).count();
        if differing == 0 || differing > 4 {
            far.push(format!("{}: {differing} members", fixture.id));
        }
    }
    assert_eq!(far, Vec::<String>::new());
}

#[test]
fn the_same_recipe_gives_the_same_bytes() {
    let only = SET.only("alg-*");
    let tokens = |set: &FixtureSet| -> Vec<Value> {
        set.concrete().unwrap().into_iter().map(|fixture| fixture.request).collect()
    };
    assert_eq!(tokens(&only), tokens(&only));
    // These bytes were recorded: another machine, another version of a library, the same tokens.
    let recorded = [
        ("alg-es256", include_str!("conformance/alg-es256.jwt")),
        ("alg-ps256", include_str!("conformance/alg-ps256.jwt")),
    ];
    for Concrete { fixture, request } in only.concrete().unwrap() {
        if let Some((_, token)) = recorded.iter().find(|(id, _)| *id == fixture.id) {
            let minted = request.get("token").and_then(Value::as_str);
            assert_eq!(minted, Some(token.trim_end()), "{}", fixture.id);
        }
    }
}
