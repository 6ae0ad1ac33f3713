//! `check` and `list-objects` of the probe protocol: OpenFGA's questions about a model and
//! relationships that come with them.

use anyhow::{Context as _, Result};
use mandate_authz::limits;
use mandate_authz::model::{LocatedModel, Model, ModelError};
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::snapshot::World;
use mandate_authz::tuple::{Tuple, TupleCondition};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::engine::{Engine, LocalState};

/// A Check.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckLine {
    id: Value,
    #[serde(rename = "op")]
    _operation: String,
    model: Value,
    #[serde(default)]
    tuples: Vec<Value>,
    user: String,
    relation: String,
    object: String,
    #[serde(default)]
    contextual_tuples: Vec<Value>,
    #[serde(default)]
    context: Map<String, Value>,
}

/// A ListObjects.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListLine {
    id: Value,
    #[serde(rename = "op")]
    _operation: String,
    model: Value,
    #[serde(default)]
    tuples: Vec<Value>,
    user: String,
    relation: String,
    #[serde(rename = "type")]
    type_name: String,
    #[serde(default)]
    contextual_tuples: Vec<Value>,
    #[serde(default)]
    context: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TupleShape {
    user: String,
    relation: String,
    object: String,
    condition: Option<ConditionShape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionShape {
    name: String,
    #[serde(default)]
    context: Map<String, Value>,
}

/// What keeps a question from an answer: OpenFGA's code and one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    code: u32,
    message: String,
}

/// Worlds, asked one after the other. The same world in the next line is not built again.
#[derive(Debug, Default)]
pub(super) struct Relations {
    loaded: Option<(Value, Vec<Value>, Result<(), Problem>)>,
}

impl Relations {
    /// Answers a Check: `allowed` and `error`, one of which is `null`.
    pub(super) fn check(&mut self, line: CheckLine, engine: &mut dyn Engine) -> Result<Value> {
        let CheckLine { id, model, tuples, contextual_tuples, .. } = line;
        let problem = self.problem(model, tuples, &contextual_tuples, engine)?;
        let (allowed, error) = match problem {
            Some(problem) => (Value::Null, problem.to_json()),
            None => {
                let question = json!({
                    "user": line.user, "relation": line.relation, "object": line.object,
                    "contextual_tuples": contextual_tuples, "context": line.context,
                });
                taken(&engine.relation_holds(&question.to_string())?, "allowed")?
            }
        };
        Ok(json!({ "id": id, "allowed": allowed, "error": error }))
    }

    /// Answers a ListObjects: `objects` and `error`, one of which is `null`.
    pub(super) fn list(&mut self, line: ListLine, engine: &mut dyn Engine) -> Result<Value> {
        let ListLine { id, model, tuples, contextual_tuples, .. } = line;
        let problem = self.problem(model, tuples, &contextual_tuples, engine)?;
        let (objects, error) = match problem {
            Some(problem) => (Value::Null, problem.to_json()),
            None => {
                let question = json!({
                    "user": line.user, "relation": line.relation, "type": line.type_name,
                    "contextual_tuples": contextual_tuples, "context": line.context,
                });
                taken(&engine.list_objects(&question.to_string())?, "objects")?
            }
        };
        Ok(json!({ "id": id, "objects": named(&line.type_name, objects), "error": error }))
    }

    /// Loads the world of a question; what is wrong with the world, or with what comes beside it.
    fn problem(
        &mut self,
        model: Value,
        tuples: Vec<Value>,
        contextual: &[Value],
        engine: &mut dyn Engine,
    ) -> Result<Option<Problem>> {
        let loaded = self.load(model, tuples, engine)?;
        Ok(loaded.and_then(|()| require_few(contextual)).err())
    }

    fn load(
        &mut self,
        model: Value,
        tuples: Vec<Value>,
        engine: &mut dyn Engine,
    ) -> Result<Result<(), Problem>> {
        let loaded = match self.loaded.take() {
            Some(loaded) if loaded.0 == model && loaded.1 == tuples => loaded,
            _ => {
                let outcome = match world(&model, &tuples) {
                    Ok(body) => Ok(load_body(&body, engine)?),
                    Err(problem) => Err(problem),
                };
                (model, tuples, outcome)
            }
        };
        Ok(self.loaded.insert(loaded).2.clone())
    }
}

/// The body of a snapshot without tenants.
fn world(model: &Value, tuples: &[Value]) -> Result<Vec<u8>, Problem> {
    let model = sound_model(model)?;
    let tuples: Result<Vec<Tuple>, Problem> = tuples.iter().map(tuple).collect();
    let world = World::raw(model, tuples?);
    // Nobody chooses names against this hash: the world lives as long as its questions.
    world.build([0; 16]).map_err(|error| Problem::new(INVALID_TUPLE, error.to_string()))
}

fn load_body(body: &[u8], engine: &mut dyn Engine) -> Result<()> {
    let state = LocalState::new(true, [0; 3])?;
    engine.configure_state(&state.config()?)?;
    Ok(engine.load(&state.snapshot(body)?)?)
}

/// The model, in OpenFGA's language or its JSON.
pub(super) fn sound_model(model: &Value) -> Result<Model, Problem> {
    let located = match model {
        Value::String(text) => LocatedModel::parse_dsl(text),
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_) => {
            Model::from_json(&model.to_string()).map(LocatedModel::from)
        }
    };
    let first = |errors: Vec<ModelError>| {
        let message = errors.first().map(ToString::to_string).unwrap_or_default();
        Problem::new(INVALID_MODEL, message)
    };
    let located = located.map_err(first)?;
    located.validate().map_err(first)?;
    Ok(located.into_model())
}

fn tuple(value: &Value) -> Result<Tuple, Problem> {
    let refused = |message: String| Problem::new(INVALID_TUPLE, message);
    let shape = TupleShape::deserialize(value).map_err(|error| refused(error.to_string()))?;
    let object = ObjectName::parse(&shape.object).filter(|name| name.id != "*");
    let object =
        object.ok_or_else(|| refused("`object` of a tuple must be `type:id`".to_owned()))?;
    let subject = Subject::parse(&shape.user).ok_or_else(|| {
        refused("`user` of a tuple must be `type:id`, `type:id#relation` or `type:*`".to_owned())
    })?;
    let condition = shape.condition.map(|of| TupleCondition { name: of.name, context: of.context });
    Ok(Tuple { object, relation: shape.relation, subject, condition })
}

fn require_few(contextual: &[Value]) -> Result<(), Problem> {
    if contextual.len() <= MOST_CONTEXTUAL {
        return Ok(());
    }
    let message = format!("more than {MOST_CONTEXTUAL} contextual tuples");
    Err(Problem::new(VALIDATION, message))
}

/// The wanted member of an engine's answer, or its error; the other one is `null`.
fn taken(answer: &str, member: &str) -> Result<(Value, Value)> {
    let mut answer: Map<String, Value> =
        serde_json::from_str(answer).context("the answer is no JSON object")?;
    let error = answer.remove("error").unwrap_or_default();
    Ok((answer.remove(member).unwrap_or_default(), error))
}

/// Ids as OpenFGA lists objects.
fn named(type_name: &str, ids: Value) -> Value {
    let Value::Array(ids) = ids else { return ids };
    let ids = ids.iter().filter_map(Value::as_str);
    ids.map(|id| Value::from(format!("{type_name}:{id}"))).collect()
}

impl Problem {
    fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn to_json(&self) -> Value {
        json!({ "code": self.code, "message": self.message })
    }
}

/// OpenFGA's codes: a request that does not fit, a relationship, a model.
const VALIDATION: u32 = 2000;
const INVALID_TUPLE: u32 = 2027;
const INVALID_MODEL: u32 = 2056;

/// Contextual tuples of one question. Source: ten times OpenFGA's limit.
const MOST_CONTEXTUAL: usize = 1_000;

const _: () = assert!(limits::MODEL_BYTES <= super::LONGEST_LINE);

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}
