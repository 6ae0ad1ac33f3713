//! The feed over the server: docs/feed.md under `/feeds/{slice}`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderValue, Method, Response, StatusCode};

use super::answer::{Answer, busy, problem, unavailable};
use super::caller::{self, Presented};
use super::query::Named;
use super::shared::Shared;
use crate::feed::{Deltas, DeltasQuery, Feed, matches_tag};

/// The path whose requests may wait.
pub(super) const DELTAS: &str = "/feeds/{slice}/v1/deltas";

/// The newest snapshot.
pub(super) async fn snapshot(
    State(shared): State<Arc<Shared>>,
    Named(slice): Named,
    request: Request,
) -> Answer {
    let presented = Presented::of(request.headers(), request.extensions());
    let feed = match admit(&shared, &slice, presented).await {
        Ok(feed) => feed,
        Err(refusal) => return refusal,
    };
    let Some(snapshot) = feed.snapshot() else { return no_snapshot() };
    let known = request.headers().get_all(IF_NONE_MATCH).iter();
    let known =
        known.filter_map(|tags| tags.to_str().ok()).any(|tags| matches_tag(tags, snapshot.etag()));
    let body = if known { Body::empty() } else { Body::from(snapshot.bytes().to_vec()) };
    let mut answer = Response::new(body);
    *answer.status_mut() = if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(snapshot.etag()) {
        headers.insert(ETAG, tag);
    }
    if !known {
        let container = HeaderValue::from_static("application/vnd.mandate.container");
        headers.insert(CONTENT_TYPE, container);
    }
    at(answer, &snapshot.position().to_string())
}

/// What came after a position.
pub(super) async fn deltas(
    State(shared): State<Arc<Shared>>,
    Named(slice): Named,
    request: Request,
) -> Answer {
    let presented = Presented::of(request.headers(), request.extensions());
    let feed = match admit(&shared, &slice, presented).await {
        Ok(feed) => feed,
        Err(refusal) => return refusal,
    };
    let query = DeltasQuery::parse(request.uri().query().unwrap_or_default());
    let DeltasQuery { from, wait } = match query {
        Ok(query) => query,
        Err(message) => return problem(StatusCode::BAD_REQUEST, "query", message),
    };
    let wait = if request.method() == Method::HEAD { Duration::ZERO } else { wait };
    let Ok(found) = shared.polls.run(move || feed.deltas(from, wait)).await else {
        return busy();
    };
    match found {
        Deltas::Ahead { position } => {
            let message = format!("the chain ends at {position}");
            let mut answer = problem(StatusCode::CONFLICT, "position-ahead", &message);
            answer.headers_mut().insert("retry-after", HeaderValue::from_static("10"));
            at(answer, &position.to_string())
        }
        Deltas::Gone { begin, position } => {
            let message = format!("deltas are kept from {begin} on");
            at(problem(StatusCode::GONE, "history-gone", &message), &position.to_string())
        }
        Deltas::Nothing => no_snapshot(),
        Deltas::Since { position, parts } => {
            let mut answer = Response::new(Body::from(parts.concat()));
            let headers = answer.headers_mut();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            let containers = HeaderValue::from_static("application/vnd.mandate.containers");
            headers.insert(CONTENT_TYPE, containers);
            at(answer, &position.to_string())
        }
    }
}

/// Whoever the configuration lists for the slice. One that is not listed does not learn whether there
/// is such a slice.
async fn admit(
    shared: &Arc<Shared>,
    slice: &str,
    presented: Presented,
) -> Result<Arc<Feed>, Answer> {
    let caller = caller::authenticate(shared, presented).await?;
    let readers = shared.settings.feed_readers.get(slice);
    let listed = readers.is_some_and(|readers| readers.contains(&caller.object));
    match shared.feeds.get(slice).filter(|_| listed) {
        Some(feed) => Ok(Arc::clone(feed)),
        None => Err(caller::forbidden("this caller may not read this feed")),
    }
}

fn no_snapshot() -> Answer {
    let mut answer = unavailable("no-snapshot", "nothing is published yet");
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer
}

fn at(mut answer: Answer, position: &str) -> Answer {
    if let Ok(position) = HeaderValue::from_str(position) {
        answer.headers_mut().insert("mandate-position", position);
    }
    answer
}
