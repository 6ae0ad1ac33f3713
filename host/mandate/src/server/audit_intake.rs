//! Records of decisions that were made elsewhere, in batches: docs/server.md#audit.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use mandate_registry::audit::Event;
use mandate_registry::error::RegistryError;
use serde_json::{Value, json};

use super::answer::{Answer, json_answer, malformed, problem, unavailable};
use super::body;
use super::caller::{Presented, authenticate, forbidden};
use super::registries::CallError;
use super::shared::Shared;

/// Appends lines of canonical JSON, all or none.
pub(super) async fn append(State(shared): State<Arc<Shared>>, request: Request) -> Answer {
    take(&shared, request).await.unwrap_or_else(|refusal| refusal)
}

async fn take(shared: &Arc<Shared>, request: Request) -> Result<Answer, Answer> {
    let presented = Presented::of(request.headers(), request.extensions());
    let caller = authenticate(shared, presented).await?;
    let emitters = shared.settings.audit_sources.get(&caller.object);
    let emitters = emitters.ok_or_else(|| forbidden("this caller may not append records"))?;
    let (parts, stream) = request.into_parts();
    body::require_type(&parts.headers, "application/x-ndjson")?;
    let bytes = body::read(stream, shared.settings.limits.body_bytes).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed("the body is not UTF-8"))?;
    let mut events = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if events.len() >= RECORDS {
            let message = format!("at most {RECORDS} records in one request");
            return Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &message));
        }
        let number = at.saturating_add(1);
        let event =
            Event::parse(line).map_err(|error| malformed(&format!("line {number}: {error}")))?;
        if !is_of(line, emitters, caller.tenant_id()) {
            let message =
                format!("line {number}: the record is not of this caller's source and tenant");
            return Err(forbidden(&message));
        }
        events.push(event);
    }
    let appended = shared.registries.call(move |registry| registry.append_audit(&events)).await;
    match appended {
        Ok(appended) => {
            let body = json!({
                "new": appended.new, "passed_over": appended.passed_over,
                "conflicts": appended.conflicts,
            });
            Ok(json_answer(StatusCode::OK, &body))
        }
        // Somebody else appended the same at the same time.
        Err(CallError::Registry(RegistryError::Busy | RegistryError::Conflict(_))) => {
            Err(unavailable("busy", "the chain is being written: send it again"))
        }
        Err(error) => Err(shared.failed(&error)),
    }
}

/// Whether a record is of one of the emitters that the caller speaks for, and of its tenant or none.
///
/// A gate's source is its emitter with what tells its starts apart, `edge-1.18ea8638d72a1590.6`, and
/// begins the ids of its decisions.
fn is_of(line: &str, emitters: &[String], tenant: &str) -> bool {
    let record: Value = serde_json::from_str(line).unwrap_or_default();
    let text = |name| record.get(name).and_then(Value::as_str);
    let of_tenant = text("tenant").is_none_or(|named| named == tenant);
    let Some((source, id)) = text("source").zip(text("decision_id")) else { return false };
    let of_emitter = emitters.iter().any(|emitter| source == emitter || is_below(source, emitter));
    of_tenant && of_emitter && is_below(id, source)
}

/// Whether a name goes on after another one: `edge-10` does not go on after `edge-1`.
fn is_below(name: &str, upper: &str) -> bool {
    name.strip_prefix(upper).is_some_and(|rest| rest.starts_with(['.', ':', '/']))
}

/// Records of one request.
const RECORDS: usize = 500;
