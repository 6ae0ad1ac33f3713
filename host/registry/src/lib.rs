//! The registry: machine identities with their credentials, people, relationships, the log of every
//! change, and the audit chain, on SQLite or Postgres.
//!
//! Every write is one transaction (docs/registry.md): it takes the next epoch, checks who may do it,
//! changes tables, appends the rows of a delta and the audit events, and commits. Nothing here reads
//! a clock: `now` is an argument, in seconds since the epoch. Calls block.

#![forbid(unsafe_code)]

pub mod actor;
pub mod apply;
pub mod audit;
pub mod bootstrap;
pub mod change;
pub mod confirm;
pub mod content;
pub mod contract;
pub mod credential;
pub mod database;
pub mod error;
pub mod identity;
pub mod limits;
mod look_up;
pub mod migration;
pub mod outbox;
mod permission;
pub mod person;
pub mod publication;
pub mod random;
mod registry;
pub mod relationship;
mod scope;
pub mod secret;
mod tenancy;
mod text;
mod writing;

pub use self::registry::{Act, Registry, Written};
