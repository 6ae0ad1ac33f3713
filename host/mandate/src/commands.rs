//! One file a verb, and what verbs share: the token, the contract, the session that asks the plugin.

mod certificate;
mod contract_file;
mod input_file;
mod model_file;
mod output_file;
mod session;
mod token_input;

pub mod check;
pub mod conformance;
pub mod contract;
#[cfg(feature = "dev")]
pub mod demo;
#[cfg(feature = "dev")]
pub mod dev_issuer;
pub mod envoy;
pub mod inspect;
pub mod model;
mod private_file;
pub mod probe;
pub mod replay;
mod runner;
pub mod snapshot;
pub mod token;
pub mod validate;
