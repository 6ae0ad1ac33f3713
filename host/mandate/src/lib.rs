//! The `mandate` command as a library: the CLI, the conformance kit, the development issuer.

pub mod cli;
pub mod commands;
