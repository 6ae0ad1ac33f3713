//! Where values come from: the relationship's own context, the request's, and what is missing.

use mandate_authz::condition::ConditionFailure;
use serde_json::{Value, json};

use super::support::answer;

#[test]
fn a_request_gives_what_the_relationship_does_not() {
    let parameters = "now: timestamp, start: timestamp, length: duration";
    let expression = "now < start + length";
    let stored = || json!({"start": "2023-01-01T00:00:00Z", "length": "1h"});
    let at = |now: &str| answer(parameters, expression, stored(), json!({"now": now}));
    assert_eq!(at("2023-01-01T00:59:59Z"), Ok(true));
    assert_eq!(at("2023-01-01T01:00:00Z"), Ok(false));
}

#[test]
fn the_relationships_own_value_wins() {
    let both = answer("x: int", "x == 1", json!({"x": 1}), json!({"x": 2}));
    assert_eq!(both, Ok(true));
    let ill_typed = answer("x: int", "x == 1", json!({"x": 1}), json!({"x": "no number"}));
    assert_eq!(ill_typed, Ok(true));
}

#[test]
fn a_parameter_that_nobody_gives_denies_even_where_it_is_not_needed() {
    let missing = |parameter: &str| Err(ConditionFailure::Missing { parameter: parameter.into() });
    assert_eq!(
        answer("x: int, y: int", "x == 1 || y == 1", Value::Null, json!({"x": 1})),
        missing("y")
    );
    assert_eq!(answer("x: int", "true || x == 1", Value::Null, Value::Null), missing("x"));
}
