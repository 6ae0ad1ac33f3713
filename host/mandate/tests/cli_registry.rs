//! The verbs of the registry, end to end: the real binary on a real working folder.

#![allow(
    clippy::allow_attributes,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests name what they expect to be there"
)]

#[path = "cli_registry/auditing.rs"]
mod auditing;
#[path = "cli/mod.rs"]
mod cli;
#[path = "cli_registry/credentials.rs"]
mod credentials;
#[path = "cli_registry/failures.rs"]
mod failures;
#[path = "cli_registry/identities.rs"]
mod identities;
#[expect(dead_code, reason = "shared: each test program uses a part")]
#[path = "local_server/mod.rs"]
mod local_server;
#[path = "cli_registry/notifying.rs"]
mod notifying;
#[path = "cli_registry/on_postgres.rs"]
mod on_postgres;
#[path = "cli_registry/publishing.rs"]
mod publishing;
#[path = "cli_registry/relations.rs"]
mod relations;
#[path = "cli_registry/running.rs"]
mod running;
#[path = "../../registry/tests/suite/server.rs"]
#[expect(dead_code, reason = "the registry's own tests use the rest")]
mod server;
#[path = "cli_registry/set_up.rs"]
mod set_up;
#[path = "../../registry/tests/suite/skip.rs"]
mod skip;
#[path = "cli_registry/workplace.rs"]
mod workplace;
