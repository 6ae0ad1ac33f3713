//! Where values come from: the relationship's own context, the request's, and what is missing.

use mandate_authz::condition::{
    ConditionFailure, ContextError, ParameterType, encode_context, evaluate, parameters,
    validate_context,
};
use serde_json::{Value, json};

use super::support::{answer, compiled, failed, object};

fn missing(parameter: &str) -> Result<bool, ConditionFailure> {
    Err(ConditionFailure::Missing { parameter: parameter.to_owned() })
}

fn ill_typed(parameter: &str) -> Result<bool, ConditionFailure> {
    Err(ConditionFailure::Type { parameter: parameter.to_owned() })
}

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
    let said = answer("x: int, y: int", "x == 1 || y == 1", Value::Null, json!({"x": 1}));
    assert_eq!(said, missing("y"));
    assert_eq!(answer("x: int", "true || x == 1", Value::Null, Value::Null), missing("x"));
    assert_eq!(answer("y: int, x: int", "true", Value::Null, Value::Null), missing("x"));
}

#[test]
fn a_value_of_another_type_denies_before_one_that_is_missing() {
    let said = answer("x: int, y: int", "true", Value::Null, json!({"y": "text"}));
    assert_eq!(said, ill_typed("y"));
}

#[test]
fn a_request_may_give_more_than_the_condition_asks_but_not_to_one_that_asks_nothing() {
    assert_eq!(answer("x: int", "x == 1", Value::Null, json!({"x": 1, "y": 2})), Ok(true));
    assert_eq!(answer("", "true", Value::Null, Value::Null), Ok(true));
    let said = answer("", "true", Value::Null, json!({"y": 2}));
    assert_eq!(said, failed("the condition has no parameters"));
}

/// What a value becomes, stored and in a request alike: `None` where it is refused.
fn agrees(of: &str, value: &Value, expression: &str, expected: Option<bool>) {
    let parameters = format!("x: {of}");
    let context = || json!({"x": value});
    let said = answer(&parameters, expression, Value::Null, context());
    assert_eq!(said, expected.map_or_else(|| ill_typed("x"), Ok), "{of} {value} {expression}");
    let code = compiled(&parameters, expression);
    let stored = encode_context(&code, &object(context()));
    match expected {
        Some(expected) => {
            let stored = stored.unwrap();
            assert_eq!(validate_context(&code, &stored), Ok(()));
            let said = evaluate(&code, &stored, &object(Value::Null), &mut 1_000);
            assert_eq!(said, Ok(expected), "stored {of} {value} {expression}");
        }
        None => {
            let parameter = "x".to_owned();
            let expected = super::support::parameter_type(of);
            assert_eq!(stored, Err(ContextError::Type { parameter, expected }), "{of} {value}");
        }
    }
}

#[test]
fn json_becomes_what_openfga_makes_of_it() {
    let holds: [(&str, Value, &str); 36] = [
        ("bool", json!(true), "x"),
        ("string", json!("a"), "x == 'a'"),
        ("int", json!(7), "x == 7"),
        ("int", json!(7.0), "x == 7"),
        ("int", json!("7"), "x == 7"),
        ("int", json!("1e3"), "x == 1000"),
        ("int", json!("9223372036854775807"), "x == 9223372036854775807"),
        ("int", json!(9_223_372_036_854_775_807_i64), "x == 9223372036854775807"),
        ("int", json!(9_007_199_254_740_993_i64), "x == 9007199254740992"),
        ("int", json!(1e300), "x == 9223372036854775807"),
        ("int", json!(-1e300), "x == -9223372036854775808"),
        ("uint", json!(7), "x == 7u"),
        ("uint", json!("7"), "x == 7u"),
        ("uint", json!(1e300), "x == 9223372036854775807u"),
        ("uint", json!("18446744073709551615"), "x == 9223372036854775807u"),
        ("double", json!(7), "x == 7.0"),
        ("double", json!(0.1), "x == 0.1"),
        ("double", json!("0.5"), "x == 0.5"),
        ("double", json!("Inf"), "x > 1e300"),
        ("duration", json!("1h30m"), "x == duration('90m')"),
        ("timestamp", json!("2023-01-01T02:00:00+02:00"), "x == timestamp('2023-01-01T00:00:00Z')"),
        ("timestamp", json!("0000-01-01T00:00:00Z"), "x < timestamp('0001-01-01T00:00:00Z')"),
        ("ipaddress", json!("::ffff:10.0.0.1"), "x.in_cidr('10.0.0.0/8')"),
        ("ipaddress", json!("2001:db8::1"), "x == ipaddress('2001:db8:0::1')"),
        ("list<int>", json!([1, "2", 3.0]), "x == [1, 2, 3]"),
        ("list<string>", json!([]), "size(x) == 0"),
        ("list<list<int>>", json!([[1], ["2"]]), "x[1][0] == 2"),
        ("map<int>", json!({"a": "1"}), "x.a == 1 && !has(x.b)"),
        ("map<map<string>>", json!({"a": {"b": "c"}}), "x.a['b'] == 'c'"),
        ("map<duration>", json!({"b": "1s", "a": "2s"}), "x.a == x.b + x.b && size(x) == 2"),
        ("any", json!(null), "x == null"),
        ("any", json!(7), "x == 7 && type(x) == double"),
        ("any", json!("7"), "x == '7'"),
        ("any", json!([1, "a", null]), "x[0] == 1.0 && x[1] == 'a' && x[2] == null"),
        ("any", json!({"a": {"b": [true]}}), "x.a.b[0] && x.all(k, k == 'a')"),
        ("list<any>", json!([1, "a"]), "1 in x && 'a' in x && !('1' in x)"),
    ];
    for (of, value, expression) in holds {
        agrees(of, &value, expression, Some(true));
    }
}

#[test]
fn json_of_another_type_is_refused() {
    let refused: [(&str, Value); 34] = [
        ("bool", json!("true")),
        ("bool", json!(1)),
        ("bool", json!(null)),
        ("string", json!(1)),
        ("string", json!(null)),
        ("int", json!(1.5)),
        ("int", json!("1.5")),
        ("int", json!("")),
        ("int", json!("0x10")),
        ("int", json!(true)),
        ("int", json!(null)),
        ("int", json!("Inf")),
        ("uint", json!(-1)),
        ("uint", json!("-1")),
        ("uint", json!(1.5)),
        ("double", json!("0.1")),
        ("double", json!("NaN")),
        ("double", json!("abc")),
        ("double", json!([])),
        ("duration", json!(5)),
        ("duration", json!("5")),
        ("timestamp", json!(0)),
        ("timestamp", json!("2023-01-01")),
        ("timestamp", json!("2023-02-30T00:00:00Z")),
        ("ipaddress", json!("10.0.0")),
        ("ipaddress", json!("10.0.0.1/8")),
        ("ipaddress", json!(1)),
        ("list<int>", json!(1)),
        ("list<int>", json!([1, "a"])),
        ("list<string>", json!(["a", null])),
        ("list<list<bool>>", json!([[true], [1]])),
        ("map<int>", json!([1])),
        ("map<int>", json!({"a": 1, "b": "x"})),
        ("map<map<bool>>", json!({"a": {"b": 0}})),
    ];
    for (of, value) in refused {
        agrees(of, &value, "true", None);
    }
}

#[test]
fn a_context_is_stored_only_with_the_conditions_own_parameters() {
    let code = compiled("x: int", "x == 1");
    let unknown = encode_context(&code, &object(json!({"x": 1, "y": 2})));
    assert_eq!(unknown, Err(ContextError::Unknown { parameter: "y".to_owned() }));
    assert_eq!(encode_context(&code, &object(json!({}))), Ok(Vec::new()));
    let mut deep = json!(1);
    for _ in 0..40 {
        deep = json!([deep]);
    }
    let code = compiled("x: any", "x == 1");
    let deep = encode_context(&code, &object(json!({"x": deep})));
    assert_eq!(deep, Err(ContextError::Size { parameter: "x".to_owned() }));
}

#[test]
fn errors_of_a_context_are_one_line() {
    let code = compiled("x: list<int>", "size(x) == 1");
    let said = |context| encode_context(&code, &object(context)).unwrap_err().to_string();
    assert_eq!(said(json!({"x": 1})), "the value of parameter `x` is no list<int>");
    assert_eq!(said(json!({"y": 1})), "the condition has no parameter `y`");
}

#[test]
fn the_parameters_of_code_are_those_of_the_condition_in_the_order_of_their_names() {
    let code = compiled("b: list<map<int>>, a: any", "true");
    let inner = ParameterType::Map(Box::new(ParameterType::Int));
    let expected = vec![("a", ParameterType::Any), ("b", ParameterType::List(Box::new(inner)))];
    assert_eq!(parameters(&code), expected);
    assert_eq!(parameters(b"no code"), Vec::new());
}
