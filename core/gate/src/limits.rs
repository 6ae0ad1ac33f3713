//! Limits of the gate: each with a unit and a source.

/// Bytes of an MCP body where the route says nothing. Source: decision.md section 8.
pub const BODY_BYTES: usize = 256 * 1024;
/// Bytes of an MCP body that a route may allow: Envoy's default buffer limit.
pub const BODY_BYTES_MOST: usize = 1024 * 1024;
/// Levels of an MCP body's JSON. Source: decision.md section 8.
pub const JSON_DEPTH: usize = 64;
/// Bytes of a JSON-RPC id, as JSON text: it is repeated in answers. A UUID has 38.
pub const MESSAGE_ID_BYTES: usize = 1024;
/// `Mcp-Param-*` headers of one request: each is compared with every argument. Servers take at most
/// 100 or so headers.
pub const PARAMETER_HEADERS: usize = 32;
/// Bytes of a response to a list that is held for filtering. Source: decision.md section 6.
pub const LIST_BYTES: usize = 1024 * 1024;
/// Entries of a list that are decided one by one.
pub const LIST_ENTRIES: usize = 10_000;
/// Bytes of one identity header's value. Source: decision.md section 8.
pub const IDENTITY_HEADER_BYTES: usize = 1024;
/// Bytes of an audit record. Source: decision.md section 8.
pub const AUDIT_BYTES: usize = 8 * 1024;
/// Bytes of a client's request id, or a trace's, that is recorded.
pub const CLIENT_ID_BYTES: usize = 128;
/// Seconds that a response stream may last. Source: decision.md section 6.
pub const STREAM_SECONDS: u64 = 300;
/// Bytes of a session id that a server may issue.
pub const SESSION_BYTES: usize = 512;
/// Bytes of the session-sealing secret, at least: RFC 2104 section 3 wants the hash's own length.
pub const SECRET_BYTES: usize = 32;
/// Bytes of a request target.
pub const TARGET_BYTES: usize = 8 * 1024;
