//! OpenFGA's consolidated suite: a line is a stage of a test, with a model, relationships and rows.

use std::collections::BTreeSet;

use mandate_authz::model::Model;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::tuple::{Tuple, TupleCondition};
use serde_json::Value;

use super::engine::{Extra, Listing, Question};

/// One stage.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// The test's name and the stage's number.
    pub(crate) name: String,
    /// The model in its JSON form.
    pub(crate) model: Model,
    /// Everything stored so far: earlier stages' relationships stay, whatever the model says now.
    pub(crate) tuples: Vec<Tuple>,
    /// Check rows, with the answer or OpenFGA's number of the error.
    pub(crate) checks: Vec<(Question, Result<bool, u64>)>,
    /// ListObjects rows.
    pub(crate) lists: Vec<(Listing, Result<BTreeSet<String>, u64>)>,
}

/// Reads the suite; says aloud that `part` is skipped where it is not there.
pub(crate) fn read(part: &str) -> Option<Vec<Stage>> {
    let folder = super::suites(part)?;
    let text = std::fs::read_to_string(folder.join("openfga/consolidated_given.jsonl"));
    let mut stages: Vec<Stage> = Vec::new();
    for line in text.expect("the suite can be read").lines() {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let first = line["stage"] == 0;
        let before =
            if first { Vec::new() } else { stages.last().expect("a stage").tuples.clone() };
        stages.push(stage(&line, before));
    }
    Some(stages)
}

fn stage(line: &Value, mut tuples: Vec<Tuple>) -> Stage {
    let name = format!("{} {}", text(line, "test"), line["stage"]);
    let model = Model::from_json(&line["model_json"].to_string());
    let model = model.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    tuples.extend(items(line, "tuples").map(tuple));
    let checks = items(line, "check").map(|row| {
        let of = |member| text(&row["tuple"], member);
        let (user, relation, object) = (of("user"), of("relation"), of("object"));
        let expected = error(row).map_or_else(|| Ok(row["expectation"] == true), Err);
        (Question { user, relation, object, extra: extra(row) }, expected)
    });
    let lists = items(line, "list_objects").map(|row| {
        let of = |member| text(&row["request"], member);
        let (user, relation, type_name) = (of("user"), of("relation"), of("type"));
        let objects = || items(row, "expectation").map(|object| string(object)).collect();
        let expected = error(row).map_or_else(|| Ok(objects()), Err);
        (Listing { user, relation, type_name, extra: extra(row) }, expected)
    });
    let (checks, lists) = (checks.collect(), lists.collect());
    Stage { name, model, tuples, checks, lists }
}

fn extra(row: &Value) -> Extra {
    let context = row["context"].as_object().cloned().unwrap_or_default();
    Extra { tuples: items(row, "contextualTuples").map(tuple).collect(), context }
}

fn tuple(value: &Value) -> Tuple {
    let object = ObjectName::parse(&text(value, "object")).expect("an object");
    let subject = Subject::parse(&text(value, "user")).expect("a subject");
    let condition = value["condition"].as_object().map(|condition| TupleCondition {
        name: string(&condition["name"]),
        context: value["condition"]["context"].as_object().cloned().unwrap_or_default(),
    });
    Tuple { object, relation: text(value, "relation"), subject, condition }
}

fn error(row: &Value) -> Option<u64> {
    row.get("errorCode").and_then(Value::as_u64)
}

fn items<'v>(value: &'v Value, member: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.get(member).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, member: &str) -> String {
    string(&value[member])
}

fn string(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
