//! Bodies of requests: bounded, and read strictly.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::{Answer, malformed, problem};

/// The head of a request, and its body as JSON.
///
/// # Errors
/// 415 for another content type, 413 for a body that is too long, 400 for what is no strict JSON or
/// has a member that is wrong: it is named.
pub(super) async fn read_json<T: DeserializeOwned>(
    request: Request,
    limit: usize,
) -> Result<(axum::http::request::Parts, T), Answer> {
    let (parts, body) = request.into_parts();
    require_type(&parts.headers, "application/json")?;
    let bytes = read(body, limit).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed("the body is not UTF-8"))?;
    let value = mandate_authn::read_document(text).map_err(|error| {
        let place = if error.path.is_empty() { "body" } else { &error.path };
        malformed(&format!("`{place}`: {}", error.message))
    })?;
    Ok((parts, value))
}

/// The body as JSON, in which a member that is `null` is one that is left out: as some clients write.
///
/// # Errors
/// As [`read_json`].
pub(super) async fn read_json_without_nulls<T: DeserializeOwned>(
    request: Request,
    limit: usize,
) -> Result<T, Answer> {
    let (parts, body) = request.into_parts();
    require_type(&parts.headers, "application/json")?;
    let bytes = read(body, limit).await?;
    // The strict reader first: it refuses duplicate members, of which `Value` keeps the last.
    mandate_authn::Json::parse(&bytes, DEPTH)
        .map_err(|error| malformed(&format!("the body {}", error.describe())))?;
    let mut value: Value =
        serde_json::from_slice(&bytes).map_err(|_| malformed("the body is no JSON"))?;
    drop_nulls(&mut value);
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        malformed(&format!("`{path}`: is missing, unknown, or of another form"))
    })
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(drop_nulls),
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

/// Levels of a body.
const DEPTH: usize = 32;

/// Requires a content type, without any coding; a charset may only be UTF-8.
pub(super) fn require_type(headers: &HeaderMap, wanted: &str) -> Result<(), Answer> {
    let refuse = || {
        let message = format!("`content-type`: must be `{wanted}`");
        problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", &message)
    };
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(stated), None) = (types.next(), types.next()) else { return Err(refuse()) };
    let stated = stated.to_str().map_err(|_| refuse())?.to_ascii_lowercase();
    let (essence, parameters) = stated.split_once(';').unwrap_or((&stated, ""));
    let parameters = parameters.trim().replace('"', "");
    let plain = parameters.is_empty() || parameters == "charset=utf-8";
    if essence.trim() != wanted || !plain || headers.contains_key(CONTENT_ENCODING) {
        return Err(refuse());
    }
    Ok(())
}

/// Reads a body whole.
pub(super) async fn read(body: Body, limit: usize) -> Result<axum::body::Bytes, Answer> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            let message = format!("the body is longer than {limit} bytes");
            Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &message))
        }
        Err(_) => Err(malformed("the body broke off")),
    }
}
