//! Answers: JSON, and errors for people.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use mandate_authn::{Challenge, ReasonCode};
use serde_json::{Value, json};

/// An answer.
pub(super) type Answer = Response<Body>;

/// A JSON body that nobody may keep.
pub(super) fn json_answer(status: StatusCode, value: &Value) -> Answer {
    text_answer(status, "application/json", value.to_string())
}

/// A body of a content type that nobody may keep.
pub(super) fn text_answer(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// An error: `{"error": {"code", "message"}}`.
pub(super) fn problem(status: StatusCode, code: &str, message: &str) -> Answer {
    json_answer(status, &json!({ "error": { "code": code, "message": message } }))
}

/// 400, with the member that is wrong.
pub(super) fn malformed(message: &str) -> Answer {
    problem(StatusCode::BAD_REQUEST, "malformed", message)
}

/// 503: the same question may be asked again.
pub(super) fn unavailable(code: &str, message: &str) -> Answer {
    let mut answer = problem(StatusCode::SERVICE_UNAVAILABLE, code, message);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// Too many at once.
pub(super) fn busy() -> Answer {
    unavailable("busy", "too many requests at once")
}

/// The refusal of a caller, by its reason: the status and the challenge that the contract gives it.
pub(super) fn refusal(reason: &str, audience: &str) -> Answer {
    let Some(code) = ReasonCode::parse(reason) else {
        return unavailable("internal", ReasonCode::Internal.text());
    };
    let status = StatusCode::from_u16(code.http_status());
    let status = status.ok().filter(|status| !status.is_success());
    let status = status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut answer = problem(status, code.as_str(), code.text());
    if let Some(challenge) =
        code.challenge().and_then(|challenge| challenge_of(challenge, audience))
    {
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

/// RFC 6750 section 3.
fn challenge_of(challenge: Challenge, audience: &str) -> Option<HeaderValue> {
    let text = match challenge.error() {
        None => format!("Bearer realm=\"{audience}\""),
        Some(error) => format!("Bearer realm=\"{audience}\", error=\"{error}\""),
    };
    HeaderValue::from_str(&text).ok()
}
