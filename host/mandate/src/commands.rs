//! One file a verb, and what verbs share: the token, the contract, the session that asks the plugin.

mod certificate;
pub(crate) mod contract_file;
pub(crate) mod input_file;
pub(crate) mod model_file;
pub(crate) mod output_file;
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
pub mod init;
pub mod inspect;
pub mod migrate;
pub mod model;
mod private_file;
pub mod probe;
mod registry_option;
pub mod replay;
mod runner;
pub mod snapshot;
pub mod token;
pub mod validate;
