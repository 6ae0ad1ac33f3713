//! The `mandate` command as a library: the CLI, the conformance kit, the development issuer.

pub mod cli;
pub mod commands;
pub mod configuration;
pub mod conformance;
#[cfg(feature = "dev")]
pub mod dev_issuer;
pub mod engine;
pub mod envoy;
pub mod feed;
mod form;
pub mod keys;
pub mod mint;
pub mod moment;
pub mod output;
pub mod plugin;
mod registry_json;
pub mod server;
mod stop;
pub mod webhook;
