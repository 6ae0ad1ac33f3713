//! Authorization: a snapshot, a verified token, a request and now, to a `Decision`.
//!
//! Relationships are OpenFGA's model, evaluated in place over one flat binary (docs/snapshot.md).
//! Above them stands the delegation rule of `contract/CONTRACT.md`: never more than the user, the
//! agent, the tool, the credential and the token's scope allow together. Nothing here does I/O,
//! reads a clock, or panics on input; work is bounded by [`limits`].

#![forbid(unsafe_code)]

mod agent_context;
pub mod authorize;
pub mod authorizer;
mod binding;
pub mod condition;
pub mod container;
pub mod decision;
pub mod delta;
pub mod evaluate;
#[cfg(feature = "builder")]
pub mod facts;
pub mod limits;
#[cfg(feature = "builder")]
pub mod model;
pub mod name;
pub mod object_id;
pub mod policy;
pub mod record;
pub mod records;
pub mod relation_query;
pub mod relation_wire;
pub mod row;
mod rule;
pub mod snapshot;
pub mod state;
#[cfg(feature = "builder")]
pub mod store_file;
pub mod tuple;
pub mod wire;
