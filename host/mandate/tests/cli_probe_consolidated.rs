//! OpenFGA's consolidated suite through `mandate probe`: every Check and ListObjects row, errors
//! included, by every door of the plugin.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod cli;

use std::collections::BTreeSet;
use std::fs;

use cli::{has_plugin, mandate_with, suites};
use serde_json::{Value, json};

/// A question, and what the suite expects of its answer.
struct Row {
    question: Value,
    expected: Expected,
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Allowed(bool),
    Code(u64),
    Objects(BTreeSet<String>),
}

#[test]
fn native_agrees_with_every_row() {
    agrees("native");
}

#[test]
fn the_component_agrees_with_every_row() {
    if has_plugin("the consolidated suite through the component") {
        agrees("component");
    }
}

#[test]
fn the_module_agrees_with_every_row() {
    if has_plugin("the consolidated suite through the module") {
        agrees("module");
    }
}

fn agrees(runner: &str) {
    let Some(suites) = suites(&format!("the consolidated suite, {runner}")) else { return };
    let text = fs::read_to_string(suites.join("openfga/consolidated_given.jsonl")).unwrap();
    let rows = rows(&text);
    assert_eq!((text.lines().count(), rows.len()), (119, 459), "rows of the suite");
    let input: String = rows.iter().map(|row| format!("{}\n", row.question)).collect();
    let ran = mandate_with(&["probe", "--runner", runner], input.as_bytes());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let answers: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), rows.len());
    let wrong = rows.iter().zip(&answers).filter(|(row, answer)| found(answer) != row.expected);
    let wrong: Vec<_> = wrong
        .map(|(row, answer)| format!("{}: {answer}, not {:?}", row.question, row.expected))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

fn found(answer: &Value) -> Expected {
    match (&answer["error"]["code"], &answer["allowed"], &answer["objects"]) {
        (Value::Number(code), _, _) => Expected::Code(code.as_u64().unwrap()),
        (_, Value::Bool(allowed), _) => Expected::Allowed(*allowed),
        (_, _, Value::Array(_)) => Expected::Objects(texts(&answer["objects"])),
        _ => panic!("no answer: {answer}"),
    }
}

/// All rows. Relationships of earlier stages of a test stay stored.
fn rows(text: &str) -> Vec<Row> {
    let (mut stored, mut rows) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let stage: Value = serde_json::from_str(line).unwrap();
        if stage["stage"] == 0 {
            stored.clear();
        }
        stored.extend(items(&stage["tuples"]).map(tuple));
        let world = |row: &Value, more: Value| {
            let mut question = json!({
                "id": rows_id(&stage, row), "model": stage["model_json"], "tuples": stored,
                "contextual_tuples": items(&row["contextualTuples"]).map(tuple).collect::<Vec<_>>(),
                "context": row["context"].as_object().cloned().unwrap_or_default(),
            });
            question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            question
        };
        rows.extend(items(&stage["check"]).map(|row| {
            let asked = &row["tuple"];
            let more = json!({
                "op": "check", "user": asked["user"], "relation": asked["relation"], "object": asked["object"],
            });
            let allowed = || Expected::Allowed(row["expectation"] == true);
            Row { question: world(row, more), expected: code(row).unwrap_or_else(allowed) }
        }));
        rows.extend(items(&stage["list_objects"]).map(|row| {
            let asked = &row["request"];
            let more = json!({
                "op": "list-objects", "user": asked["user"], "relation": asked["relation"], "type": asked["type"],
            });
            let objects = || Expected::Objects(texts(&row["expectation"]));
            Row { question: world(row, more), expected: code(row).unwrap_or_else(objects) }
        }));
    }
    rows
}

fn rows_id(stage: &Value, row: &Value) -> String {
    let asked = if row["tuple"].is_object() { &row["tuple"] } else { &row["request"] };
    format!("{} {} {asked}", stage["test"], stage["stage"])
}

fn code(row: &Value) -> Option<Expected> {
    row["errorCode"].as_u64().filter(|code| *code != 0).map(Expected::Code)
}

/// A relationship in the probe's form: members that are null are left out.
fn tuple(given: &Value) -> Value {
    let mut tuple = json!({
        "user": given["user"], "relation": given["relation"], "object": given["object"],
    });
    if given["condition"].is_object() {
        let context = given["condition"]["context"].as_object().cloned().unwrap_or_default();
        tuple["condition"] = json!({ "name": given["condition"]["name"], "context": context });
    }
    tuple
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Value) -> BTreeSet<String> {
    items(value).map(|text| text.as_str().unwrap().to_owned()).collect()
}
