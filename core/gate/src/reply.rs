//! Answers that the gate gives itself: statuses, challenges and neutral texts.

use mandate_authn::{Challenge, Class, ReasonCode};

use crate::mcp::reply::INTERNAL_ERROR;
use crate::policy::{Denied, McpRoute, Route, RouteKind};
use crate::verdict::Reply;

/// A JSON-RPC message that wants an answer, or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// The id, as JSON text; a notification has none.
    pub(crate) id: Option<&'a str>,
    /// Whether it calls a tool, whose existence may be hidden.
    pub(crate) is_tool: bool,
}

/// The answer to a request that does not pass. `route` is absent where none was found, `call` where
/// the body was not understood; `scopes` would have covered the action.
pub(crate) fn deny(
    reason: ReasonCode,
    route: Option<&Route>,
    call: Option<Call<'_>>,
    scopes: &[String],
) -> Reply {
    let mcp = route.and_then(|route| match &route.kind {
        RouteKind::Http { .. } => None,
        RouteKind::Mcp(mcp) => Some(&**mcp),
    });
    let mut headers = Vec::new();
    if let Some(challenge) = reason.challenge() {
        headers.push(("www-authenticate", challenge_text(challenge, route, scopes)));
    }
    if reason.class() == Class::State {
        headers.push(("retry-after", "1".to_owned()));
    }
    headers.push(("cache-control", "no-store".to_owned()));
    match mcp {
        Some(mcp) => mcp_reply(reason, mcp, call, headers),
        None => {
            headers.push(("content-type", "text/plain; charset=utf-8".to_owned()));
            Reply { status: reason.http_status(), headers, body: format!("{}\n", reason.text()) }
        }
    }
}

fn mcp_reply(
    reason: ReasonCode,
    mcp: &McpRoute,
    call: Option<Call<'_>>,
    mut headers: Vec<(&'static str, String)>,
) -> Reply {
    let answerable = call.and_then(|call| call.id);
    let as_error = reason.mcp_status() == 200;
    let hidden = as_error && mcp.denied == Denied::Hide && call.is_some_and(|call| call.is_tool);
    let status = match mcp.denied {
        // A notification has no answer that could carry an error.
        Denied::Error | Denied::Hide if answerable.is_some() => reason.mcp_status(),
        Denied::Error | Denied::Hide | Denied::Status => reason.http_status(),
    };
    let (code, text) = if hidden {
        // What servers answer for a tool that they do not have.
        (INVALID_PARAMS, "Unknown tool")
    } else {
        (reason.json_rpc_code().unwrap_or(INTERNAL_ERROR), reason.text())
    };
    headers.push(("content-type", "application/json".to_owned()));
    Reply { status, headers, body: crate::mcp::reply::error(answerable, code, text) }
}

/// Spec: RFC 6750 section 3, RFC 9728 section 5.1.
fn challenge_text(challenge: Challenge, route: Option<&Route>, scopes: &[String]) -> String {
    let mut text = "Bearer".to_owned();
    let mut parameters = Vec::new();
    match challenge {
        Challenge::Bare => {}
        Challenge::InsufficientScope => {
            parameters.push(("error", "insufficient_scope".to_owned()));
            parameters.push(("scope", scopes.join(" ")));
        }
        Challenge::InvalidToken => parameters.push(("error", "invalid_token".to_owned())),
    }
    if let Some(route) = route {
        parameters.push(("resource_metadata", route.metadata.url.clone()));
    }
    for (position, (name, value)) in parameters.iter().enumerate() {
        text.push_str(if position == 0 { " " } else { ", " });
        text.push_str(&format!("{name}=\"{value}\""));
    }
    text
}

/// The document that tells a client where to get a token: RFC 9728 section 3.2.
pub(crate) fn metadata(route: &Route) -> Reply {
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("cache-control", "no-store".to_owned()),
    ];
    Reply { status: 200, headers, body: route.metadata.document.clone() }
}

/// JSON-RPC 2.0 section 5.1.
const INVALID_PARAMS: i32 = -32602;
