//! Token validation from outside: a small issuer, one fact changed at a time.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod algorithms;
mod cache;
mod claims;
mod contract;
mod keys;
mod properties;
mod statement;
mod support;
mod token;
mod wire;
