//! AuthZEN Authorization API 1.0: docs/server.md#authzen.

mod evaluation;
mod question;
mod search;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

pub(super) use self::evaluation::{evaluation, evaluations};
pub(super) use self::search::{search_actions, search_resources, search_subjects};

use super::answer::{Answer, json_answer};
use super::shared::Shared;

/// Where the endpoints are: section 9.1, out of the configuration alone.
pub(super) async fn metadata(State(shared): State<Arc<Shared>>) -> Answer {
    let base = &shared.settings.base_url;
    let body = json!({
        "policy_decision_point": base,
        "access_evaluation_endpoint": format!("{base}/access/v1/evaluation"),
        "access_evaluations_endpoint": format!("{base}/access/v1/evaluations"),
        "search_subject_endpoint": format!("{base}/access/v1/search/subject"),
        "search_resource_endpoint": format!("{base}/access/v1/search/resource"),
        "search_action_endpoint": format!("{base}/access/v1/search/action"),
    });
    json_answer(StatusCode::OK, &body)
}
