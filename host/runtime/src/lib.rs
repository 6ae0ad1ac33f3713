//! The reference host: runs Mandate's plugin in wasmtime, and denies whatever goes wrong.
//!
//! A plugin is one WebAssembly component without imports: time, trust and tokens are arguments.
//! This crate loads exactly the file that was reviewed ([`Plugin`]), holds every call to a deadline
//! and a memory limit ([`Limits`]), and answers from any number of threads ([`Policy`]). There is no
//! error path for a decision: a trap, a timeout, an exhausted limit or an answer that contradicts
//! itself is a denial with the reason `internal`.
//!
//! ```no_run
//! use mandate_host::{Limits, Plugin, PluginOptions, Policy, Sha256Digest, ValidateRequest};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Once, at the start: the digest comes from the configuration, not from beside the file.
//! let digest: Sha256Digest =
//!     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse()?;
//! let options =
//!     PluginOptions { cache_directory: Some("cache".into()), ..PluginOptions::default() };
//! let plugin = Plugin::from_file("mandate-policy.wasm", &digest, &options)?;
//! let policy = Policy::new(plugin, Limits::default())?;
//!
//! // Again whenever the contract or a key set changes.
//! let status = policy.load_trust(&std::fs::read_to_string("trust.json")?)?;
//! println!("contract {}", status.contract_version);
//!
//! // For every request, on any thread.
//! let request = ValidateRequest::new("https://board.example", 1_780_000_000);
//! let answer = policy.validate("eyJhbGciOi…", &request);
//! match answer.into_result() {
//!     Ok(token) => println!("{} may pass", token.subject),
//!     Err(refusal) => println!("{}: {}", refusal.reason, refusal.detail),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`CoreModule`] calls the same plugin by the C-like ABI of the module inside it, as hosts without
//! the component model do.

mod answer;
mod authorization;
mod bindings;
mod cache;
mod core_module;
mod description;
mod digest;
mod engine;
mod failure;
pub mod gate;
mod instance;
mod limits;
mod options;
mod plugin;
mod plugin_error;
mod policy;
mod pool;
mod relation;
mod request;
mod sandbox;
mod state;
mod trust;
mod verified_token;

#[cfg(test)]
mod fixture;

pub use answer::{JwsCheck, Validation, Verdict};
pub use authorization::{Assertion, AuthorizeRequest, Bound, Decision, Position, Step, Target};
pub use core_module::CoreModule;
pub use description::{Build, ContractVersion};
pub use digest::{DigestError, Sha256Digest};
pub use failure::Failure;
pub use limits::{Limits, LimitsError};
pub use options::{PluginOptions, Pooling};
pub use plugin::{Origin, Plugin};
pub use plugin_error::PluginError;
pub use policy::Policy;
pub use relation::{QueryError, RelationQuery, TupleKey};
pub use request::ValidateRequest;
pub use state::{StateError, StateStatus};
pub use trust::{TrustError, TrustStatus};
pub use verified_token::{Actor, MayAct, Role, VerifiedToken};
