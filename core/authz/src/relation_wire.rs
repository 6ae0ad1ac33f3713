//! The JSON form of raw evaluation: docs/abi.md#relation-holds. Requests are strict, answers are
//! canonical.

use mandate_authn::{Json, JsonError, json_object, read_document};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::evaluate::PathStep;
use crate::name::{ObjectName, Subject};
use crate::relation_query::{
    ListQuery, RelationAnswer, RelationQuery, failure_code, failure_message,
};
use crate::snapshot::Snapshot;
use crate::tuple::{Tuple, TupleCondition};

/// A Check as asked for over JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckFile {
    user: String,
    relation: String,
    object: String,
    #[serde(default)]
    contextual_tuples: Vec<TupleFile>,
    #[serde(default)]
    context: Map<String, Value>,
    #[serde(default)]
    path: bool,
}

/// A ListObjects as asked for over JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListFile {
    user: String,
    relation: String,
    #[serde(rename = "type")]
    type_name: String,
    #[serde(default)]
    contextual_tuples: Vec<TupleFile>,
    #[serde(default)]
    context: Map<String, Value>,
}

/// A relationship, with the members that OpenFGA gives it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TupleFile {
    user: String,
    relation: String,
    object: String,
    condition: Option<ConditionFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionFile {
    name: String,
    #[serde(default)]
    context: Map<String, Value>,
}

/// What is wrong with a query: OpenFGA's code and one line.
type Problem = (u32, String);

/// OpenFGA's code of a request that is malformed.
const VALIDATION: u32 = 2000;
/// OpenFGA's code of a relationship that is malformed.
const INVALID_TUPLE: u32 = 2027;

/// Answers a Check: `{"allowed"}`, with the `path` if that was asked for, or `{"error"}`.
#[must_use]
pub fn relation_holds(snapshot: Option<&Snapshot>, text: &str) -> String {
    answer(check(snapshot, text))
}

/// Answers a ListObjects: `{"objects"}`, or `{"error"}`.
#[must_use]
pub fn list_objects(snapshot: Option<&Snapshot>, text: &str) -> String {
    answer(list(snapshot, text))
}

/// Reads an object that is strict JSON.
///
/// # Errors
/// Why it is not one.
pub fn read_object(text: &str) -> Result<Map<String, Value>, JsonError> {
    const DEPTH: usize = 32;
    Json::parse(text.as_bytes(), DEPTH)?;
    serde_json::from_str(text).map_err(|_| JsonError::Syntax)
}

/// The wire form of a path.
#[must_use]
pub fn path_to_json(path: &[PathStep]) -> Json {
    let step = |step: &PathStep| {
        json_object([
            ("object", Some(step.object.to_string().into())),
            ("relation", Some(step.relation.as_str().into())),
            ("user", Some(step.subject.to_string().into())),
        ])
    };
    Json::Array(path.iter().map(step).collect())
}

fn check(snapshot: Option<&Snapshot>, text: &str) -> Result<Json, Problem> {
    let asked: CheckFile = read_document(text).map_err(|error| (VALIDATION, error.to_string()))?;
    let tuples = tuples(asked.contextual_tuples)?;
    let query = RelationQuery {
        user: &asked.user,
        relation: &asked.relation,
        object: &asked.object,
        contextual_tuples: &tuples,
        context: &asked.context,
        path: asked.path,
    };
    match in_force(snapshot)?.relation_holds(&query) {
        RelationAnswer::DoesNotHold => Ok(json_object([("allowed", Some(Json::Bool(false)))])),
        RelationAnswer::Failed(failure) => Err((failure_code(&failure), failure_message(&failure))),
        RelationAnswer::Holds(path) => Ok(json_object([
            ("allowed", Some(Json::Bool(true))),
            ("path", asked.path.then(|| path_to_json(&path))),
        ])),
        RelationAnswer::Invalid(error) => Err((error.check_code(), error.to_string())),
    }
}

fn list(snapshot: Option<&Snapshot>, text: &str) -> Result<Json, Problem> {
    let asked: ListFile = read_document(text).map_err(|error| (VALIDATION, error.to_string()))?;
    let tuples = tuples(asked.contextual_tuples)?;
    let query = ListQuery {
        user: &asked.user,
        relation: &asked.relation,
        type_name: &asked.type_name,
        contextual_tuples: &tuples,
        context: &asked.context,
    };
    match in_force(snapshot)?.list_objects(&query) {
        Err(error) => Err((error.list_code(), error.to_string())),
        Ok(Err(failure)) => Err((failure_code(&failure), failure_message(&failure))),
        Ok(Ok(ids)) => {
            let ids = ids.into_iter().map(Json::from).collect();
            Ok(json_object([("objects", Some(Json::Array(ids)))]))
        }
    }
}

fn in_force(snapshot: Option<&Snapshot>) -> Result<&Snapshot, Problem> {
    snapshot.ok_or_else(|| (0, "no snapshot is in force".to_owned()))
}

fn tuples(files: Vec<TupleFile>) -> Result<Vec<Tuple>, Problem> {
    let read = |file: TupleFile| {
        let object = ObjectName::parse(&file.object);
        let subject = Subject::parse(&file.user);
        let (object, subject) = object
            .zip(subject)
            .ok_or_else(|| (INVALID_TUPLE, "a contextual tuple is malformed".to_owned()))?;
        let condition =
            file.condition.map(|file| TupleCondition { name: file.name, context: file.context });
        Ok(Tuple { object, relation: file.relation, subject, condition })
    };
    files.into_iter().map(read).collect()
}

fn answer(outcome: Result<Json, Problem>) -> String {
    let json = outcome.unwrap_or_else(|(code, message)| {
        let error = [("code", Some(u64::from(code).into())), ("message", Some(message.into()))];
        json_object([("error", Some(json_object(error)))])
    });
    json.to_canonical()
}
