//! Which door of which route a request is at.

use mandate_authn::ReasonCode;

use crate::http;
use crate::policy::{GatePolicy, McpRoute, Route, RouteKind, Rule};
use crate::refused::Refused;
use crate::target::Target;
use crate::view::Head;

/// A route that a request fits, and where.
pub(crate) struct Entrance<'g> {
    pub(crate) name: &'g str,
    pub(crate) route: &'g Route,
    pub(crate) door: Door<'g>,
}

/// What of a route a request is.
#[derive(Debug)]
pub(crate) enum Door<'g> {
    Http(&'g Rule),
    Mcp(&'g McpRoute),
    /// The protected resource metadata: the gate's own document.
    Metadata,
    /// Open to everybody.
    Open,
}

/// Finds the one route that a request fits: the one that the host names, or the only one that has
/// a place for it.
pub(crate) fn find<'g>(
    policy: Option<&'g GatePolicy>,
    head: &Head<'_>,
    target: &Target<'_>,
) -> Result<Entrance<'g>, Refused> {
    let missing = || Refused::new(ReasonCode::PolicyMissing, "the contract says nothing of `gate`");
    let policy = policy.ok_or_else(missing)?;
    let nothing = || Refused::unmapped("no rule of the gate fits the method and path");
    if let Some(name) = head.route {
        let (name, route) =
            policy.route(name).ok_or_else(|| Refused::unmapped("the gate has no such route"))?;
        let door = within(route, head, target).ok_or_else(nothing)?;
        return Ok(Entrance { name, route, door });
    }
    let mut fitting = policy.routes().filter_map(|(name, route)| {
        let door = within(route, head, target)?;
        Some(Entrance { name, route, door })
    });
    match (fitting.next(), fitting.next()) {
        (Some(entrance), None) => Ok(entrance),
        (None, _) => Err(nothing()),
        (Some(_), Some(_)) => Err(Refused::unmapped("two routes fit: the host has to name one")),
    }
}

fn within<'g>(route: &'g Route, head: &Head<'_>, target: &Target<'_>) -> Option<Door<'g>> {
    if head.method == b"GET" && route.metadata.path.fits(&target.path) {
        return Some(Door::Metadata);
    }
    if route.open.iter().any(|exact| exact.fits(head.method, &target.path)) {
        return Some(Door::Open);
    }
    match &route.kind {
        RouteKind::Http { rules } => http::find(rules, head.method, target).map(Door::Http),
        RouteKind::Mcp(mcp) => {
            let known = matches!(head.method, b"DELETE" | b"GET" | b"POST");
            (known && mcp.path.fits(&target.path)).then_some(Door::Mcp(mcp))
        }
    }
}
