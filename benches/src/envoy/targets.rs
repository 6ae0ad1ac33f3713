//! What is aimed at, and what was measured in this very run.

use super::contestant::{
    ASKED_BODY, GATE, GATE_BODY, GATE_ES256, GATE_LARGE, GATE_RS256, GATE_SMALL, Method,
    NATIVE_ES256, NATIVE_MCP, NATIVE_RBAC, NATIVE_RS256,
};
use super::memory::Memory;
use super::run::Measured;
use crate::delegation::targets::{Bound, Target};

/// The aims, as far as this run can tell. All but those of memory and growth are ratios of what comes
/// on top of the same request without a filter.
#[must_use]
pub fn targets(measured: &Measured, memory: Option<&Memory>) -> Vec<Target> {
    let ratio = |method, one, other| {
        // On a machine that is not quiet a filter may seem to cost nothing: that is no measure.
        let base = measured.over(method, other).filter(|base| *base > 0.0)?;
        Some(measured.over(method, one)? / base)
    };
    let at_most =
        |what, most, measured, unit| Target { what, bound: Bound::AtMost(most), measured, unit };
    let (get, post) = (Method::Get, Method::Post);
    let growth = measured.over(get, GATE_LARGE).zip(measured.over(get, GATE_SMALL));
    let growth = growth.map(|(large, small)| large - small);
    let swaps = memory.map_or(0, Memory::swaps);
    let share = |swaps| memory.and_then(|memory| memory.per_worker(swaps));
    // From the fourth on, whatever is kept in reserve has been needed.
    let flat = share(swaps).zip(share(SETTLED)).filter(|_| swaps > SETTLED);
    vec![
        at_most("GET to jwt_authn with cache and rbac", 0.9, ratio(get, GATE, NATIVE_RBAC), "x"),
        at_most(
            "POST with MCP body to jwt_authn with cache, mcp and rbac",
            0.5,
            ratio(post, GATE_BODY, NATIVE_MCP),
            "x",
        ),
        at_most(
            "POST with MCP body to ext_authz gRPC with body",
            0.5,
            ratio(post, GATE_BODY, ASKED_BODY),
            "x",
        ),
        at_most("new RS256 tokens to jwt_authn", 0.8, ratio(get, GATE_RS256, NATIVE_RS256), "x"),
        at_most("new ES256 tokens to jwt_authn", 1.0, ratio(get, GATE_ES256, NATIVE_ES256), "x"),
        at_most("from 1e3 to 1e6 relationships", 0.8, growth, "us"),
        at_most("memory of a worker after the first load, to the snapshot", 1.3, share(0), "x"),
        at_most(
            "memory of a worker after all swaps, to the snapshot",
            2.3,
            share(swaps).filter(|_| swaps > 0),
            "x",
        ),
        at_most(
            "memory of a worker after all swaps, to that after four",
            1.05,
            flat.map(|(last, settled)| last / settled),
            "x",
        ),
    ]
}

/// Swaps after which memory should grow no more.
const SETTLED: usize = 4;
