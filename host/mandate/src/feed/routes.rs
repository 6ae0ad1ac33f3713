//! Which request gets which answer: docs/feed.md.

use std::time::Duration;

use serde_json::json;

use super::container::Container;
use super::feed_state::{Deltas, Feed};
use super::http::{Request, Response};
use super::query::Query;

/// Answers a request; one for deltas may wait.
pub(super) fn answer(feed: &Feed, request: &Request) -> Response {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let known = matches!(path, "/v1/deltas" | "/v1/snapshot");
    if !known {
        return problem(404, "path", "there is nothing at this path");
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return problem(405, "method", "only GET and HEAD").header("Allow", "GET, HEAD");
    }
    match path {
        "/v1/snapshot" => snapshot(feed, request),
        _ => deltas(feed, query, request.is_head()),
    }
}

/// The answer when too many ask at once.
pub(super) fn busy() -> Response {
    problem(503, "busy", "too many requests at once").header("Retry-After", "1")
}

/// An answer with an error for people.
pub(super) fn problem(status: u16, code: &str, message: &str) -> Response {
    let body = json!({ "error": { "code": code, "message": message } }).to_string();
    Response::new(status)
        .header("Content-Type", "application/json")
        .header("Cache-Control", "no-store")
        .body(vec![body.into_bytes().into()])
}

fn snapshot(feed: &Feed, request: &Request) -> Response {
    let Some(snapshot) = feed.snapshot() else { return no_snapshot() };
    let known = request.if_none_match.iter().any(|tags| matches_tag(tags, snapshot.etag()));
    let response = |status| {
        Response::new(status)
            .header("ETag", snapshot.etag())
            .header("Mandate-Position", snapshot.position().to_string())
            .header("Cache-Control", "no-cache")
    };
    if known {
        return response(304);
    }
    response(200)
        .header("Content-Type", "application/vnd.mandate.container")
        .body(vec![Container::bytes(&snapshot)])
}

fn deltas(feed: &Feed, query: &str, head: bool) -> Response {
    let Query { from, wait } = match Query::parse(query) {
        Ok(query) => query,
        Err(message) => return problem(400, "query", message),
    };
    let wait = if head { Duration::ZERO } else { wait };
    match feed.deltas(from, wait) {
        Deltas::Ahead { position } => {
            let message = format!("the chain ends at {position}");
            problem(409, "position-ahead", &message)
                .header("Mandate-Position", position.to_string())
                .header("Retry-After", "10")
        }
        Deltas::Gone { begin, position } => {
            let message = format!("deltas are kept from {begin} on");
            problem(410, "history-gone", &message).header("Mandate-Position", position.to_string())
        }
        Deltas::Nothing => no_snapshot(),
        Deltas::Since { position, parts } => Response::new(200)
            .header("Content-Type", "application/vnd.mandate.containers")
            .header("Mandate-Position", position.to_string())
            .header("Cache-Control", "no-store")
            .body(parts),
    }
}

fn no_snapshot() -> Response {
    problem(404, "no-snapshot", "nothing is published yet").header("Retry-After", "1")
}

/// RFC 9110 section 13.1.2: a list of tags, compared weakly, or `*`.
#[must_use]
pub fn matches_tag(tags: &str, own: &str) -> bool {
    tags.trim() == "*"
        || tags
            .split(',')
            .any(|tag| tag.trim().strip_prefix("W/").unwrap_or_else(|| tag.trim()) == own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_one_by_one() {
        for tags in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert!(matches_tag(tags, "\"a\""), "{tags}");
        }
        for tags in ["", "\"b\"", "a", "\"a", "**"] {
            assert!(!matches_tag(tags, "\"a\""), "{tags}");
        }
    }
}
