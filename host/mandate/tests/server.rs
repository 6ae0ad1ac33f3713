//! The server, as a process: callers, AuthZEN, the feed, and how it starts and ends.

#![allow(clippy::allow_attributes, clippy::indexing_slicing, reason = "tests")]

#[path = "server/audit.rs"]
mod audit;
#[path = "server/authzen.rs"]
mod authzen;
#[path = "server/callers.rs"]
mod callers;
mod cli;
#[path = "server/feed.rs"]
mod feed;
#[path = "server/introspection.rs"]
mod introspection;
#[path = "server/operation.rs"]
mod operation;
#[path = "server/permit.rs"]
mod permit;
#[path = "server/permit_sdks.rs"]
mod permit_sdks;
#[path = "server/world.rs"]
mod world;
