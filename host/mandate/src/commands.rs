//! One file a verb, and what verbs share: the token, the contract, the session that asks the plugin.

mod certificate;
pub(crate) mod contract_file;
pub(crate) mod input_file;
mod instant;
pub(crate) mod model_file;
pub(crate) mod output_file;
mod session;
mod token_input;

pub mod audit;
pub mod check;
pub mod config;
pub mod conformance;
pub mod contract;
pub mod credential;
#[cfg(feature = "dev")]
pub mod demo;
#[cfg(feature = "dev")]
pub mod dev_issuer;
pub mod envoy;
pub mod facts;
pub mod identity;
pub mod init;
pub mod inspect;
pub mod migrate;
pub mod model;
pub mod outbox;
pub mod person;
mod private_file;
pub mod probe;
pub mod registry;
mod registry_option;
pub mod relationship;
pub mod replay;
mod runner;
mod scope_option;
mod secret_file;
pub mod serve;
pub mod snapshot;
pub mod tenant;
pub mod token;
pub mod validate;
