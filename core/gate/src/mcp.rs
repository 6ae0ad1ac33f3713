//! The Model Context Protocol: what a body says, and what a response may show.
//!
//! The order for a request is [`version`], [`message`], [`headers`], [`method`], [`arguments`]; for
//! a response [`list`] and [`session`]. Each takes what the one before it has proven, so that none
//! can be left out. Spec: MCP 2025-11-25 (sessions) and 2026-07-28 (stateless). What is supported
//! is in `docs/mcp.md`.

pub(crate) mod arguments;
pub(crate) mod headers;
pub(crate) mod list;
pub(crate) mod message;
pub(crate) mod method;
pub(crate) mod reply;
pub(crate) mod session;
pub(crate) mod value;
pub(crate) mod version;

pub(crate) use self::method::ListKind;
pub(crate) use self::session::SealingKey;
