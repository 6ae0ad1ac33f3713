//! `gate` and `filter-list` of the probe protocol: a request at the gate, and what of the response
//! is shown.

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::MakeEngine;
use super::decisions::{Decisions, Ground, refused};
use crate::engine::Engine;

/// A request at the gate, and for `filter-list` the response to it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GateLine {
    id: Value,
    op: Operation,
    trust: Value,
    model: Option<Value>,
    facts: Option<String>,
    state: Option<Value>,
    containers: Option<Vec<String>>,
    sealing: Option<Value>,
    question: Value,
    response: Option<Response>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Operation {
    FilterList,
    Gate,
}

/// What the server answers to a request that passed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Response {
    /// When it comes; the question's moment where absent.
    now: Option<u64>,
    content_type: Option<Value>,
    /// A list.
    body: Option<Value>,
    /// A stream.
    chunks: Option<Vec<Value>>,
    /// `Mcp-Session-Id`.
    session_id: Option<Value>,
}

impl GateLine {
    /// The answer of docs/abi.md#gate, with `list`, `stream` and `sealed` for the response; `error`
    /// where the ground cannot be laid.
    pub(super) fn answer(self, decisions: &mut Decisions, make: &MakeEngine) -> Result<Value> {
        let Self { id, op, trust, model, facts, state, containers, sealing, question, response } =
            self;
        let response = match (op, response) {
            (Operation::Gate, None) => None,
            (Operation::FilterList, Some(response)) => Some(response),
            (Operation::Gate, Some(_)) => {
                return Ok(refused(&id, "response", "`filter-list` asks about responses"));
            }
            (Operation::FilterList, None) => {
                return Ok(refused(&id, "response", "is missing"));
            }
        };
        let ground = match Ground::read(trust, (model, facts), (state, containers), sealing) {
            Ok(ground) => ground,
            Err(error) => return Ok(refused(&id, &error.path, &error.message)),
        };
        let now = question.get("now").and_then(Value::as_u64).unwrap_or_default();
        let engine = match decisions.ready(ground, now, make)? {
            Ok(engine) => engine,
            Err(error) => return Ok(refused(&id, &error.path, &error.message)),
        };
        let mut answer = asked(&engine.gate_decide(&question.to_string())?)?;
        if let Some(response) = response {
            response.answer(engine, now, &mut answer)?;
        }
        if let Some(members) = answer.as_object_mut() {
            members.insert("id".to_owned(), id);
        }
        Ok(answer)
    }
}

impl Response {
    /// Adds what becomes of it. A request that did not pass has no response.
    fn answer(self, engine: &mut dyn Engine, asked_at: u64, answer: &mut Value) -> Result<()> {
        let Self { now, content_type, body, chunks, session_id } = self;
        let now = now.unwrap_or(asked_at);
        let duty = answer.pointer("/pass/response").cloned().unwrap_or_default();
        let mut added = Vec::new();
        if let (Some(ticket), Some(body)) = (duty.get("list_ticket"), body) {
            let mut question = json!({"now": now, "ticket": ticket, "body": body});
            if let (Some(content_type), Some(members)) = (content_type, question.as_object_mut()) {
                members.insert("content_type".to_owned(), content_type);
            }
            added.push(("list", asked(&engine.filter_list(&question.to_string())?)?));
        }
        if let (Some(ticket), Some(chunks)) = (duty.get("stream_ticket"), chunks) {
            added.push(("stream", stream(engine, ticket, &chunks, now)?));
        }
        if let (Some(scope), Some(id)) = (duty.get("session_scope"), session_id) {
            let question = json!({"scope": scope, "id": id});
            added.push(("sealed", asked(&engine.seal_session(&question.to_string())?)?));
        }
        let members = answer.as_object_mut().context("the answer is no object")?;
        members.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Ok(())
    }
}

/// What of each chunk goes on, and how the stream ends.
fn stream(engine: &mut dyn Engine, ticket: &Value, chunks: &[Value], now: u64) -> Result<Value> {
    let (mut out, mut held) = (Vec::new(), json!(""));
    for (at, chunk) in chunks.iter().enumerate() {
        let last = at.saturating_add(1) == chunks.len();
        let question =
            json!({"now": now, "ticket": ticket, "held": held, "chunk": chunk, "last": last});
        let piece = asked(&engine.filter_stream(&question.to_string())?)?;
        if let Some(problem) = piece.get("error") {
            return Ok(json!({"out": out, "error": problem}));
        }
        out.extend(piece.get("out").cloned());
        held = piece.get("held").cloned().unwrap_or_default();
    }
    Ok(json!({ "out": out }))
}

fn asked(answer: &str) -> Result<Value> {
    serde_json::from_str(answer).context("the answer is no JSON")
}
