//! Whether the server works, and its counters.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

use super::answer::{Answer, json_answer, text_answer};
use super::clock;
use super::metrics::Gauges;
use super::shared::Shared;

/// The process answers.
pub(super) async fn alive() -> Answer {
    json_answer(StatusCode::OK, &json!({ "status": "ok" }))
}

/// Whether decisions can be made: a snapshot that is fresh, and room for records of the audit.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Answer {
    let (gauges, now) = (gauges(&shared), clock::now());
    let state = shared.policy.state();
    let fresh = gauges.state_age_seconds.is_some_and(|age| age <= READY_AGE);
    let keys = shared.trust.missing();
    let problem = if state.is_none() {
        Some("no snapshot is in force")
    } else if !fresh {
        Some("the snapshot is too old")
    } else if shared.audit.is_full() {
        Some("too many records wait to be written")
    } else if keys.len() >= shared.trust.issuers() {
        Some("no issuer's keys are known")
    } else {
        None
    };
    let (status, word) = match problem {
        None => (StatusCode::OK, "ready"),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, problem),
    };
    let position = format!("{}.{}", gauges.era, gauges.epoch);
    let contract = shared.tables.contract_version().map(|number| number.to_string()).join(".");
    let body = json!({
        "status": word, "contract": contract, "position": position, "issuers_without_keys": keys.len(), "time": now,
    });
    json_answer(status, &body)
}

/// Counters.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Answer {
    let text = shared.metrics.render(&gauges(&shared));
    text_answer(StatusCode::OK, "text/plain; version=0.0.4", text)
}

fn gauges(shared: &Shared) -> Gauges {
    let state = shared.policy.state();
    let position = state.as_ref().map(|state| state.position);
    let issued_at = state.as_ref().map(|state| state.issued_at);
    Gauges {
        era: position.map(|position| position.era).unwrap_or_default(),
        epoch: position.map(|position| position.epoch).unwrap_or_default(),
        state_age_seconds: issued_at.map(|at| clock::now().saturating_sub(at)),
        audit_waiting: shared.audit.waiting(),
    }
}

/// Seconds: a heartbeat comes every ten, and writes are decided up to 120.
const READY_AGE: u64 = 60;
