//! `decide` of the probe protocol: a decision on a world that comes with the question.

use anyhow::{Context as _, Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mandate_authn::{Contract, LoadError};
use mandate_authz::facts::Facts;
use mandate_authz::policy::Policy;
use serde::Deserialize;
use serde_json::{Value, json};

use super::MakeEngine;
use super::relations::sound_model;
use crate::engine::{Engine, LocalState};

/// A decision. The world is either `model` and `facts`, or `state` and `containers`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecideLine {
    id: Value,
    #[serde(rename = "op")]
    _operation: String,
    trust: Value,
    model: Option<Value>,
    facts: Option<String>,
    state: Option<Value>,
    containers: Option<Vec<String>>,
    question: Value,
}

/// What a question is decided on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ground {
    trust: Value,
    world: World,
    /// The secret that seals session ids: docs/abi.md#gate.
    sealing: Option<Value>,
}

#[derive(Clone, Debug, PartialEq)]
enum World {
    /// Exactly what a consumer gets.
    Containers { state: Value, containers: Vec<String> },
    /// What a snapshot is built from here.
    Facts { model: Value, facts: String },
}

/// Decisions, one after the other. The same ground in the next line is not laid again.
#[derive(Default)]
pub(super) struct Decisions {
    laid: Option<(Ground, Laid)>,
}

struct Laid {
    engine: Box<dyn Engine>,
    /// A state of this process, and the last moment that it was said to be current at.
    local: Option<(LocalState, u64)>,
}

impl Decisions {
    /// Decides: the answer of docs/authorize.md, or `error` where the ground cannot be laid.
    pub(super) fn decide(&mut self, line: DecideLine, make: &MakeEngine) -> Result<Value> {
        let DecideLine { id, trust, model, facts, state, containers, question, .. } = line;
        let ground = match Ground::read(trust, (model, facts), (state, containers), None) {
            Ok(ground) => ground,
            Err(error) => return Ok(refused(&id, &error.path, &error.message)),
        };
        let now = question.get("now").and_then(Value::as_u64).unwrap_or_default();
        let engine = match self.ready(ground, now, make)? {
            Ok(engine) => engine,
            Err(error) => return Ok(refused(&id, &error.path, &error.message)),
        };
        let text = question.to_string();
        let answer = if question.get("assertion").is_some() {
            engine.decide_for(&text)?
        } else {
            engine.authorize(&text)?
        };
        let mut answer: Value = serde_json::from_str(&answer).context("the answer is no JSON")?;
        if let Some(members) = answer.as_object_mut() {
            members.insert("id".to_owned(), id);
        }
        Ok(answer)
    }

    /// An engine that stands on this ground at this moment; what is wrong with the ground.
    pub(super) fn ready(
        &mut self,
        ground: Ground,
        now: u64,
        make: &MakeEngine,
    ) -> Result<Result<&mut dyn Engine, LoadError>> {
        let laid = match self.laid(ground, now, make) {
            Ok(laid) => laid,
            Err(error) => return Ok(Err(error)),
        };
        if let Some((local, last)) = &mut laid.local
            && now > *last
        {
            laid.engine.apply_delta(&local.heartbeat(now)?)?;
            *last = now;
        }
        Ok(Ok(laid.engine.as_mut()))
    }

    fn laid(
        &mut self,
        ground: Ground,
        now: u64,
        make: &MakeEngine,
    ) -> Result<&mut Laid, LoadError> {
        // A state is never told of a moment before the last: for one, a new engine is begun.
        let serves = |laid: &Laid| laid.local.as_ref().is_none_or(|(_, last)| *last <= now);
        let kept = match self.laid.take() {
            Some((same, laid)) if same == ground && serves(&laid) => laid,
            _ => lay(&ground, make)?,
        };
        Ok(&mut self.laid.insert((ground, kept)).1)
    }
}

impl Ground {
    /// The ground of a line: a model and facts, or a state and containers.
    pub(super) fn read(
        trust: Value,
        facts: (Option<Value>, Option<String>),
        containers: (Option<Value>, Option<Vec<String>>),
        sealing: Option<Value>,
    ) -> Result<Self, LoadError> {
        let world = match (facts, containers) {
            ((Some(model), Some(facts)), (None, None)) => World::Facts { model, facts },
            ((None, None), (Some(state), Some(containers))) => {
                World::Containers { state, containers }
            }
            _ => {
                let message = "either `model` and `facts`, or `state` and `containers`";
                return Err(LoadError { path: String::new(), message: message.to_owned() });
            }
        };
        Ok(Self { trust, world, sealing })
    }
}

fn lay(ground: &Ground, make: &MakeEngine) -> Result<Laid, LoadError> {
    let mut engine = make().map_err(|error| wrong("", &error))?;
    engine.load_trust(&ground.trust.to_string()).map_err(|error| wrong("trust", &error))?;
    if let Some(secret) = &ground.sealing {
        let question = json!({ "secret": secret }).to_string();
        engine.configure_sealing(&question).map_err(|error| wrong("sealing", &error))?;
    }
    match &ground.world {
        World::Containers { state, containers } => {
            engine.configure_state(&state.to_string()).map_err(|error| wrong("state", &error))?;
            for (at, text) in containers.iter().enumerate() {
                let container = STANDARD.decode(text);
                let container =
                    container.map_err(|error| wrong(&format!("containers[{at}]"), &error))?;
                // What is refused is not in force: the answer says so.
                let _ = match at {
                    0 => engine.load(&container),
                    _ => engine.apply_delta(&container),
                };
            }
            Ok(Laid { engine, local: None })
        }
        World::Facts { model, facts } => {
            let (body, version) = body(&ground.trust, model, facts)?;
            let local = LocalState::new(false, version).map_err(|error| wrong("", &error))?;
            load_local(engine.as_mut(), &local, &body).map_err(|error| wrong("facts", &error))?;
            Ok(Laid { engine, local: Some((local, 0)) })
        }
    }
}

fn load_local(engine: &mut dyn Engine, local: &LocalState, body: &[u8]) -> Result<()> {
    engine.configure_state(&local.config()?)?;
    Ok(engine.load(&local.snapshot(body)?)?)
}

/// The body of the snapshot, and the contract's version.
fn body(trust: &Value, model: &Value, facts: &str) -> Result<(Vec<u8>, [u32; 3]), LoadError> {
    let contract = trust.get("contract").cloned().unwrap_or_default().to_string();
    let contract = Contract::parse(&contract).map_err(|error| error.under("trust.contract"))?;
    let policy = Policy::from_contract(&contract).map_err(|error| error.under("trust.contract"))?;
    let policy = policy.ok_or_else(|| wrong("trust.contract.authz", &anyhow!("is missing")))?;
    let model = sound_model(model).map_err(|problem| wrong("model", &problem))?;
    let facts = Facts::parse(facts).and_then(|facts| facts.into_world(model, &policy));
    let world = facts.map_err(|error| wrong("facts", &error))?;
    let body = world.build([0; 16]).map_err(|error| wrong("facts", &error))?;
    Ok((body, contract.version()))
}

fn wrong(path: &str, error: &dyn std::fmt::Display) -> LoadError {
    LoadError { path: path.to_owned(), message: error.to_string() }
}

pub(super) fn refused(id: &Value, path: &str, message: &str) -> Value {
    json!({ "id": id, "error": { "path": path, "message": message } })
}
