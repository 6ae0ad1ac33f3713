//! The gate as a host sees it: a request in, a verdict and a record out.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "tests stop where something is not as it should be"
)]

mod http;
mod mcp;
mod scene;
mod wire;
