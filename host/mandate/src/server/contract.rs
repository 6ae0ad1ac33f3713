//! The contract in force, for those who implement it or configure by it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderValue, Response, StatusCode};
use mandate_host::Sha256Digest;

use super::answer::Answer;
use super::caller::{Presented, authenticate};
use super::shared::Shared;
use crate::feed::matches_tag;

/// The contract, to whoever may call.
pub(super) async fn published(State(shared): State<Arc<Shared>>, request: Request) -> Answer {
    let presented = Presented::of(request.headers(), request.extensions());
    if let Err(refusal) = authenticate(&shared, presented).await {
        return refusal;
    }
    let text = shared.trust.contract().to_string();
    let tag = format!("\"{}\"", Sha256Digest::of(text.as_bytes()));
    let known = request.headers().get_all(IF_NONE_MATCH).iter();
    let known = known.filter_map(|tags| tags.to_str().ok()).any(|tags| matches_tag(tags, &tag));
    let mut answer = Response::new(if known { Body::empty() } else { Body::from(text) });
    *answer.status_mut() = if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    answer
}
