//! Envoy's `ext_authz` over gRPC, answered by the gate: docs/server.md#ext-authz.
//!
//! Who calls is proved by the connection: a listener of its own, of loopback, a Unix socket or mutual
//! TLS. What cannot be read is an error of gRPC, which Envoy answers with 403.

mod call;
mod message;
mod request;
mod response;
mod settings;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use mandate_host::gate;

pub(crate) use self::call::{GrpcStatus, answer, read};
pub(crate) use self::message::{AttributeContext, CheckResponse};
pub(crate) use self::response::{Outcome, write};
pub use self::settings::ExtAuthzSettings;

use super::answer::Answer;
use super::clock;
use super::connection::Peer;
use super::router::bounded;
use super::shared::Shared;

/// The path of the one method (envoy/service/auth/v3/external_auth.proto).
pub(crate) const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// The listener of proxies: the one method, and nothing else.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route(CHECK, post(check))
        .fallback(async || answer(Err(GrpcStatus::Unimplemented)))
        .layer(from_fn_with_state(Arc::clone(shared), bounded))
        .with_state(Arc::clone(shared))
}

async fn check(State(shared): State<Arc<Shared>>, request: Request) -> Answer {
    answer(answered(&shared, request).await)
}

async fn answered(shared: &Arc<Shared>, request: Request) -> Result<CheckResponse, GrpcStatus> {
    let settings = shared.settings.ext_authz.as_ref().ok_or(GrpcStatus::Unimplemented)?;
    let peer = request.extensions().get::<Peer>().ok_or(GrpcStatus::PermissionDenied)?;
    if !settings.admits(peer.certificate.as_ref()) {
        return Err(GrpcStatus::PermissionDenied);
    }
    let attributes = read(request).await?;
    let owned = Arc::clone(shared);
    let decided = shared.deciders.run(move || owned.check(attributes)).await;
    decided.map_err(|_| GrpcStatus::Unavailable)?
}

/// What the gate says to what Envoy says. What cannot be read is refused unasked.
pub(crate) fn judge(
    attributes: AttributeContext,
    settings: &ExtAuthzSettings,
    emission: &gate::Emission,
    decide: impl FnOnce(&gate::Request) -> gate::Answer,
) -> Outcome {
    match request::read(attributes, settings) {
        Ok(request) => Outcome::of(decide(&request)),
        Err(reason) => Outcome::refused(reason, emission, clock::now()),
    }
}

impl Shared {
    /// Asks the gate, and puts the record in line before there is an answer. Blocks.
    fn check(&self, attributes: AttributeContext) -> Result<CheckResponse, GrpcStatus> {
        let settings = self.settings.ext_authz.as_ref().ok_or(GrpcStatus::Unimplemented)?;
        let place = self.audit.place().ok_or(GrpcStatus::Unavailable)?;
        let emission = self.audit.emission();
        let outcome =
            judge(attributes, settings, &emission, |request| self.decide(request, &emission));
        let Some(record) = &outcome.audit else {
            // What is open to everybody leaves no record, and no gap.
            self.audit.give_back(&emission);
            return Ok(write(outcome.verdict));
        };
        if !self.audit.put(place, record) {
            self.metrics.audit_failures.fetch_add(1, Ordering::Relaxed);
            return Err(GrpcStatus::Unavailable);
        }
        self.metrics.decision(&outcome.reason);
        Ok(write(outcome.verdict))
    }

    /// As `Shared::authorize`: where keys are missing they are fetched, and it is asked once more.
    fn decide(&self, request: &gate::Request, emission: &gate::Emission) -> gate::Answer {
        let answer = self.policy.decide(request, emission, clock::now());
        match &answer.refresh {
            Some(issuer) if self.trust.refresh(issuer) => {
                self.policy.decide(request, emission, clock::now())
            }
            Some(_) | None => answer,
        }
    }
}
