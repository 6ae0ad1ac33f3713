//! Envoy's `ext_authz` over gRPC, answered by the gate: docs/server.md#ext-authz.
//!
//! Who calls is proved by the connection: a listener of its own, of loopback, a Unix socket or mutual
//! TLS. What cannot be read is an error of gRPC, which Envoy answers with 403.

mod message;
mod request;
mod response;
mod settings;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Response};
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use http_body_util::{BodyExt as _, Full};
use mandate_host::gate;
use prost::Message as _;

pub use self::settings::ExtAuthzSettings;

use self::message::{CheckRequest, CheckResponse};
use self::response::Outcome;
use super::answer::Answer;
use super::body;
use super::clock;
use super::connection::Peer;
use super::router::bounded;
use super::shared::Shared;

/// The path of the one method (envoy/service/auth/v3/external_auth.proto).
pub(super) const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// The listener of proxies: the one method, and nothing else.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route(CHECK, post(check))
        .fallback(async || failed(GrpcStatus::Unimplemented))
        .layer(from_fn_with_state(Arc::clone(shared), bounded))
        .with_state(Arc::clone(shared))
}

async fn check(State(shared): State<Arc<Shared>>, request: Request) -> Answer {
    match answered(&shared, request).await {
        Ok(response) => {
            let framed = [&[0], &length(&response)[..], &response.encode_to_vec()].concat();
            let body = Full::new(Bytes::from(framed));
            let trailers = HeaderMap::from_iter([GrpcStatus::Ok.field()]);
            grpc(Body::new(body.with_trailers(async { Some(Ok(trailers)) })))
        }
        Err(status) => failed(status),
    }
}

async fn answered(shared: &Arc<Shared>, request: Request) -> Result<CheckResponse, GrpcStatus> {
    let settings = shared.settings.ext_authz.as_ref().ok_or(GrpcStatus::Unimplemented)?;
    let peer = request.extensions().get::<Peer>().ok_or(GrpcStatus::PermissionDenied)?;
    if !settings.admits(peer.certificate.as_ref()) {
        return Err(GrpcStatus::PermissionDenied);
    }
    let (parts, stream) = request.into_parts();
    let content_type = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if !matches!(content_type, Some(b"application/grpc" | b"application/grpc+proto")) {
        return Err(GrpcStatus::InvalidArgument);
    }
    let bytes = body::read(stream, MESSAGE_BYTES).await;
    let bytes = bytes.map_err(|_| GrpcStatus::ResourceExhausted)?;
    let message = CheckRequest::decode(unframed(&bytes)?);
    let message = message.map_err(|_| GrpcStatus::InvalidArgument)?;
    let owned = Arc::clone(shared);
    let decided = shared.deciders.run(move || owned.check(message)).await;
    decided.map_err(|_| GrpcStatus::Unavailable)?
}

impl Shared {
    /// Asks the gate, and puts the record in line before there is an answer. Blocks.
    fn check(&self, message: CheckRequest) -> Result<CheckResponse, GrpcStatus> {
        let settings = self.settings.ext_authz.as_ref().ok_or(GrpcStatus::Unimplemented)?;
        let attributes = message.attributes.ok_or(GrpcStatus::InvalidArgument)?;
        let place = self.audit.place().ok_or(GrpcStatus::Unavailable)?;
        let emission = self.audit.emission();
        let outcome = match request::read(attributes, settings) {
            Ok(request) => Outcome::of(self.decide(&request, &emission)),
            Err(reason) => Outcome::refused(reason, &emission, clock::now()),
        };
        let Some(record) = &outcome.audit else {
            // What is open to everybody leaves no record, and no gap.
            self.audit.give_back(&emission);
            return Ok(response::write(outcome.verdict));
        };
        if !self.audit.put(place, record) {
            self.metrics.audit_failures.fetch_add(1, Ordering::Relaxed);
            return Err(GrpcStatus::Unavailable);
        }
        self.metrics.decision(&outcome.reason);
        Ok(response::write(outcome.verdict))
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

/// The codes of gRPC that are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GrpcStatus {
    Ok,
    InvalidArgument,
    PermissionDenied,
    ResourceExhausted,
    Unimplemented,
    Unavailable,
}

impl GrpcStatus {
    const fn code(self) -> &'static str {
        match self {
            Self::Ok => "0",
            Self::InvalidArgument => "3",
            Self::PermissionDenied => "7",
            Self::ResourceExhausted => "8",
            Self::Unimplemented => "12",
            Self::Unavailable => "14",
        }
    }

    fn field(self) -> (axum::http::HeaderName, HeaderValue) {
        let name = axum::http::HeaderName::from_static("grpc-status");
        (name, HeaderValue::from_static(self.code()))
    }
}

/// One message, not compressed: a byte 0, its length in 4 bytes, and it.
fn unframed(bytes: &[u8]) -> Result<&[u8], GrpcStatus> {
    let (prefix, message) = bytes.split_first_chunk::<5>().ok_or(GrpcStatus::InvalidArgument)?;
    let [compressed, length @ ..] = *prefix;
    if compressed != 0 {
        return Err(GrpcStatus::Unimplemented);
    }
    let whole = u32::try_from(message.len()) == Ok(u32::from_be_bytes(length));
    if whole { Ok(message) } else { Err(GrpcStatus::InvalidArgument) }
}

/// Longer than what can be said in 4 bytes is none that is made here.
fn length(response: &CheckResponse) -> [u8; 4] {
    u32::try_from(response.encoded_len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// Only a status, which stands among the headers.
fn failed(status: GrpcStatus) -> Answer {
    let mut answer = grpc(Body::empty());
    answer.headers_mut().extend([status.field()]);
    answer
}

fn grpc(body: Body) -> Answer {
    let mut answer = Response::new(body);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    answer
}

/// A body of 1 MiB, the most that a route takes, and a head.
const MESSAGE_BYTES: usize = 1024 * 1024 + 512 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_whole_message_that_is_not_compressed() {
        assert_eq!(unframed(&[0, 0, 0, 0, 2, 8, 1]), Ok(&[8, 1][..]));
        assert_eq!(unframed(&[0, 0, 0, 0, 0]), Ok(&[][..]));
        assert_eq!(unframed(&[1, 0, 0, 0, 1, 8]), Err(GrpcStatus::Unimplemented));
        for wrong in [&[][..], &[0, 0, 0, 0], &[0, 0, 0, 0, 2, 8], &[0, 0, 0, 0, 1, 8, 1]] {
            assert_eq!(unframed(wrong), Err(GrpcStatus::InvalidArgument), "{wrong:?}");
        }
    }
}
