//! The gate: an HTTP or MCP request, trust, policy, state and now, to a [`Verdict`] and an
//! [`AuditRecord`].
//!
//! It is what every enforcement point shares: the Envoy filter and the middlewares only translate.
//! The conduct is that of `contract/CONTRACT.md#gate`. Nothing here does I/O, reads a clock, or
//! panics on input; work is bounded by [`limits`].

#![forbid(unsafe_code)]

mod audit;
mod door;
mod framing;
mod gate;
mod http;
mod hygiene;
pub mod limits;
mod list_call;
mod mcp;
mod mcp_call;
mod parties;
mod policy;
mod refused;
mod reply;
mod response;
mod target;
mod verdict;
mod view;
mod wire;

pub use crate::audit::{AuditRecord, Emission};
pub use crate::gate::Gate;
pub use crate::list_call::{EventStream, ListReply};
pub use crate::policy::GatePolicy;
pub use crate::response::{ListTicket, ResponseDuty, SessionDuty, SessionScope, StreamTicket};
pub use crate::verdict::{Answer, Pass, Reply, Verdict};
pub use crate::view::{Connection, Head, Headers, Repeated, Request};
