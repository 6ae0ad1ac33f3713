//! Work is counted: every instruction, every element, every text.

use mandate_authz::condition::{ConditionFailure, encode_context, evaluate};
use mandate_authz::limits::CONDITION_STEPS;
use serde_json::{Value, json};

use super::support::{compiled, object};

/// What is said, and how many steps it took of a limit.
fn run(parameters: &str, expression: &str, request: Value, limit: u32) -> (Option<bool>, u32) {
    let code = compiled(parameters, expression);
    let mut steps = limit;
    let said = evaluate(&code, &[], &object(request), &mut steps);
    assert!(said.is_ok() || said == Err(ConditionFailure::Steps), "{expression}: {said:?}");
    (said.ok(), limit - steps)
}

#[test]
fn a_simple_condition_takes_a_step_an_instruction() {
    let now = || json!({"now": "2023-01-01T00:00:00Z", "end": "2024-01-01T00:00:00Z"});
    let parameters = "now: timestamp, end: timestamp";
    assert_eq!(run(parameters, "now < end", now(), CONDITION_STEPS), (Some(true), 3));
    assert_eq!(
        run("x: ipaddress", "x.in_cidr('10.0.0.0/8')", json!({"x": "10.1.1.1"}), 9),
        (Some(true), 3)
    );
    assert_eq!(run(parameters, "now < end", now(), 2), (None, 2));
    assert_eq!(run(parameters, "now < end", now(), 0), (None, 0));
}

#[test]
fn elements_and_long_texts_cost_steps() {
    let list = |count: usize| json!({"x": vec!["a"; count]});
    assert_eq!(run("x: list<string>", "'b' in x", list(100), 1_000), (Some(false), 203));
    assert_eq!(run("x: list<string>", "'b' in x", list(1_000), 1_000).0, None);
    let text = |length: usize| json!({"x": "a".repeat(length), "y": "a".repeat(length)});
    assert_eq!(run("x: string, y: string", "x == y", text(64), 1_000), (Some(true), 4));
    assert_eq!(run("x: string, y: string", "x == y", text(6_400), 1_000), (Some(true), 103));
    assert_eq!(run("x: string, y: string", "size(x + y) > 0", text(6_400), 1_000).0, Some(true));
    assert_eq!(run("x: string, y: string", "size(x + y) > 0", text(32_000), 1_000).0, None);
}

#[test]
fn a_list_that_nothing_else_holds_is_not_paid_for_again() {
    let added = |list: &str| run("x: int", &format!("size({list}) > 0"), json!({"x": 1}), 1_000);
    assert_eq!(added("[x, x, x, x] + [x]"), (Some(true), 22));
    assert_eq!(added("[[x, x, x, x]].map(y, y + [x])[0]"), (Some(true), 41));
}

#[test]
fn macros_end_with_their_steps() {
    let nested = "[1, 2, 3, 4, 5, 6, 7, 8, 9].all(a, [1, 2, 3, 4, 5, 6, 7, 8, 9].all(b, \
                  [1, 2, 3, 4, 5, 6, 7, 8, 9].all(c, a + b + c > 0)))";
    assert_eq!(run("", nested, Value::Null, CONDITION_STEPS), (None, CONDITION_STEPS));
    assert_eq!(run("", nested, Value::Null, 100_000).0, Some(true));
}

#[test]
fn doubling_ends_before_memory_does() {
    let doubling = format!(
        "size({}) > 0",
        (0..24).fold("x".to_owned(), |inner, _| format!("[{inner}].map(y, y + y)[0]"))
    );
    let request = json!({"x": "0123456789abcdef0123456789abcdef"});
    assert_eq!(run("x: string", &doubling, request, CONDITION_STEPS), (None, CONDITION_STEPS));
    let lists = format!(
        "size({}) > 0",
        (0..24).fold("x".to_owned(), |inner, _| format!("[{inner}].map(y, y + y)[0]"))
    );
    let request = json!({"x": [1]});
    assert_eq!(run("x: list<int>", &lists, request, CONDITION_STEPS), (None, CONDITION_STEPS));
}

#[test]
fn a_stored_list_is_typed_when_it_is_stored() {
    let code = compiled("x: list<string>", "'a99' in x");
    let values: Vec<_> = (0..100).map(|number| format!("a{number}")).collect();
    let stored = encode_context(&code, &object(json!({"x": values}))).unwrap();
    let mut steps = 1_000;
    assert_eq!(evaluate(&code, &stored, &object(Value::Null), &mut steps), Ok(true));
    assert_eq!(steps, 1_000 - 103);
}
