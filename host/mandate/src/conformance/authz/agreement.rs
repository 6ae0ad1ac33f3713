//! What an answer of the gate says, member by member, and whether it is what a case expects.

use serde_json::{Map, Value, json};

/// The answer as cases speak of it: what is done at the top, the record as an object, and header
/// fields by their names.
pub(super) fn view(answer: &Value) -> Value {
    let mut seen = Map::new();
    for name in
        ["id", "verdict", "reason", "detail", "error", "refresh", "list", "stream", "sealed"]
    {
        seen.extend(answer.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    let inside = [
        ("status", "/reply/status"),
        ("headers", "/reply/headers"),
        ("body", "/reply/body"),
        ("set", "/pass/set"),
        ("remove", "/pass/remove"),
        ("remove_trailers", "/pass/remove_trailers"),
        ("session", "/pass/response/session"),
        ("ends_at", "/pass/response/ends_at"),
        ("error_path", "/error/path"),
    ];
    for (name, pointer) in inside {
        seen.extend(answer.pointer(pointer).map(|value| (name.to_owned(), value.clone())));
    }
    for name in ["list_ticket", "stream_ticket"] {
        let pointer = format!("/pass/response/{name}");
        seen.insert(name.to_owned(), json!(answer.pointer(&pointer).is_some()));
    }
    let record = answer.get("audit").and_then(Value::as_str);
    let record = record.and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(line) = record.as_ref().and_then(|record| record.get("failing_line")) {
        seen.insert("failing_line".to_owned(), line.clone());
    }
    seen.insert("audit".to_owned(), record.unwrap_or_default());
    Value::Object(seen)
}

/// Whether a value is the expected one. Of an object each member counts that is expected, and one
/// that is expected as `null` is absent; a text is taken for the JSON that is expected in it, and a
/// list of pairs for an object.
pub(super) fn fits(expected: &Value, actual: Option<&Value>) -> bool {
    let Some(actual) = actual.filter(|actual| !actual.is_null()) else { return expected.is_null() };
    match (expected, actual) {
        (Value::Object(_) | Value::Array(_), Value::String(text)) => {
            let inner = serde_json::from_str::<Value>(text).ok();
            inner.is_some_and(|inner| fits(expected, Some(&inner)))
        }
        (Value::Object(wanted), Value::Array(pairs)) => {
            let named = |name: &str| {
                let pair = pairs.iter().find(|pair| pair.get(0).is_some_and(|it| it == name));
                pair.and_then(|pair| pair.get(1))
            };
            wanted.iter().all(|(name, value)| fits(value, named(name)))
        }
        (Value::Object(wanted), Value::Object(members)) => {
            wanted.iter().all(|(name, value)| fits(value, members.get(name)))
        }
        (expected, actual) => expected == actual,
    }
}

/// Where two implementations of the gate differ, in words. The operator's line may differ: its
/// words are no part of the contract.
pub(super) fn difference(reference: &Value, answer: &Value) -> Option<String> {
    let names = |value: &Value| -> Vec<String> {
        value.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default()
    };
    let all = names(reference).into_iter().chain(names(answer));
    let differs = |name: &String| name != "detail" && reference.get(name) != answer.get(name);
    let name = all.into_iter().find(differs)?;
    let shown =
        |value: &Value| value.get(&name).map_or_else(|| "absent".to_owned(), Value::to_string);
    Some(format!("`{name}` is {}, natively {}", shown(answer), shown(reference)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{difference, fits, view};

    #[test]
    fn of_an_object_what_is_expected_counts_and_null_is_absent() {
        let actual = json!({"a": {"b": 1, "c": 2}, "t": "{\"x\":[1]}", "h": [["n", "v"]]});
        for (expected, same) in [
            (json!({"a": {"b": 1}}), true),
            (json!({"a": {"b": 2}}), false),
            (json!({"a": {"d": null}}), true),
            (json!({"a": {"c": null}}), false),
            (json!({"t": {"x": [1]}}), true),
            (json!({"t": {"x": [2]}}), false),
            (json!({"h": {"n": "v", "m": null}}), true),
            (json!({"h": {"n": "w"}}), false),
            (json!({"z": null}), true),
            (json!({"z": {}}), false),
        ] {
            assert_eq!(fits(&expected, Some(&actual)), same, "{expected}");
        }
    }

    #[test]
    fn the_record_says_where_it_failed() {
        let answer = json!({"audit": r#"{"failing_line":"8"}"#, "reply": {"status": 403}});
        let seen = view(&answer);
        assert_eq!((&seen["failing_line"], &seen["status"]), (&json!("8"), &json!(403)));
    }

    #[test]
    fn implementations_differ_by_any_byte_but_the_operators_line() {
        let reference = json!({"detail": "a", "reply": {"body": "x"}});
        let same = json!({"detail": "b", "reply": {"body": "x"}});
        assert_eq!(difference(&reference, &same), None);
        let other = json!({"reply": {"body": "y"}});
        let said = r#"`reply` is {"body":"y"}, natively {"body":"x"}"#;
        assert_eq!(difference(&reference, &other).as_deref(), Some(said));
    }
}
