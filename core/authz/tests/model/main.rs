//! The model's languages against OpenFGA's own data, and against themselves.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    reason = "tests: they stop at the first surprise, and print their tables"
)]

mod checks;
mod json;
mod language;
mod limits;
mod lint;
mod modules;
mod pairs;
mod properties;
mod shared;
mod stores;
mod support;
mod words;
