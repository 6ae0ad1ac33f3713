//! The server, as a process: callers, AuthZEN, the feed, and how it starts and ends.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests stop where something is not as it should be"
)]

#[path = "server/admin.rs"]
mod admin;
#[path = "server/audit.rs"]
mod audit;
#[path = "server/authzen.rs"]
mod authzen;
#[path = "server/bootstrap.rs"]
mod bootstrap;
#[path = "server/callers.rs"]
mod callers;
mod cli;
#[path = "server/examples.rs"]
mod examples;
#[path = "server/ext_authz.rs"]
mod ext_authz;
#[path = "server/feed.rs"]
mod feed;
#[path = "server/introspection.rs"]
mod introspection;
#[path = "server/nodes.rs"]
mod nodes;
#[path = "server/openapi.rs"]
mod openapi;
#[path = "server/operation.rs"]
mod operation;
#[path = "server/permit.rs"]
mod permit;
#[path = "server/permit_sdks.rs"]
mod permit_sdks;
#[path = "../../registry/tests/suite/server.rs"]
#[expect(dead_code, clippy::expect_used, reason = "the registry's tests use the rest")]
mod postgres;
mod skip {
    pub(crate) fn skip(part: &str, reason: &str) {
        crate::cli::skip(&format!("{part}: {reason}"));
    }
}
#[path = "server/schemathesis.rs"]
mod schemathesis;
#[path = "server/tls.rs"]
mod tls;
#[path = "server/world.rs"]
mod world;
