//! Which request gets which answer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{get, post};
use tokio::time::timeout;

use super::admin;
use super::answer::{Answer, busy, problem, unavailable};
use super::audit_intake;
use super::authzen;
use super::contract;
use super::endpoint::ENDPOINTS;
use super::feeds;
use super::health;
use super::introspection;
use super::openapi;
use super::permit;
use super::shared::Shared;

/// Every endpoint of [`ENDPOINTS`], and nothing else.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/.well-known/authzen-configuration", get(authzen::metadata))
        .route("/access/v1/evaluation", post(authzen::evaluation))
        .route("/access/v1/evaluations", post(authzen::evaluations))
        .route("/access/v1/search/action", post(authzen::search_actions))
        .route("/access/v1/search/resource", post(authzen::search_resources))
        .route("/access/v1/search/subject", post(authzen::search_subjects))
        .merge(admin::router())
        .route("/allowed", post(permit::allowed))
        .route("/allowed/bulk", post(permit::allowed_bulk))
        .route("/api/auth/introspect", post(introspection::introspect))
        .route("/audit/v1/records", post(audit_intake::append))
        .route("/contract", get(contract::published))
        .route("/feeds/{slice}/v1/deltas", get(feeds::deltas))
        .route("/feeds/{slice}/v1/snapshot", get(feeds::snapshot))
        .route("/healthz", get(health::alive))
        .route("/metrics", get(health::metrics))
        .route("/oauth2/introspect", post(introspection::introspect))
        .route("/oauth2/revoke", post(introspection::revoke))
        .route("/openapi.json", get(openapi::served))
        .route("/readyz", get(health::ready))
        .fallback(nowhere)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(Arc::clone(shared), bounded))
        .with_state(Arc::clone(shared))
}

async fn nowhere() -> Answer {
    problem(StatusCode::NOT_FOUND, "path", "there is nothing at this path")
}

async fn other_method() -> Answer {
    problem(StatusCode::METHOD_NOT_ALLOWED, "method", "this path has another method")
}

/// Around every endpoint: no more requests at once than configured, none that takes for ever, each
/// counted and logged by its path in the table above, never by the one that was sent.
pub(super) async fn bounded(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Answer {
    let begun = Instant::now();
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let known = ENDPOINTS.iter().find(|endpoint| Some(endpoint.path) == path);
    let path = known.map_or("other", |endpoint| endpoint.path);
    let method = request.method().clone();
    let request_id = request.headers().get("x-request-id").cloned();
    let mut answer = match shared.requests.try_acquire() {
        Err(_) => busy(),
        Ok(_place) => {
            // A long poll has its own, longer, bound.
            if path == feeds::DELTAS {
                next.run(request).await
            } else {
                let limit = shared.settings.limits.request_time();
                timeout(limit, next.run(request)).await.unwrap_or_else(|_| {
                    unavailable("timeout", "the request was not answered in time")
                })
            }
        }
    };
    if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
        shared.metrics.busy.fetch_add(1, Ordering::Relaxed);
    }
    // AuthZEN 1.0 section 10.1.1: an id that came with the request goes back with the answer.
    if let Some(id) = request_id.filter(|id| id.len() <= 128) {
        answer.headers_mut().insert("x-request-id", id);
    }
    let (status, took) = (answer.status().as_u16(), begun.elapsed());
    shared.metrics.request(path, status, took);
    let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    shared.journal.request(method.as_str(), path, status, microseconds);
    answer
}
