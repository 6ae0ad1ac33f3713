//! Envoy configurations around the filter: what a lint refuses, and a bootstrap that it does not.
//!
//! docs/envoy.md#lint has every [`Rule`] with its reason. The lint reads what Envoy reads (a bootstrap,
//! `/config_dump`, or the filter's own entry) and knows of each field only what opens the door; what it
//! cannot judge, because it comes from elsewhere, it refuses as [`Rule::Unseen`].

mod address;
mod bootstrap;
mod chain;
mod cluster;
mod configuration;
mod document;
mod filter;
mod lint;
mod module;
mod node;
mod routes;
mod rule;
mod singleton;

pub use address::{Address, AddressError};
pub use bootstrap::{Bootstrap, FilterPlan, ListenerTls, Source, TlsTrust};
pub use configuration::check as check_configuration;
pub use document::{Document, DocumentError, Form, LONGEST};
pub use lint::{Finding, LintOptions, lint};
pub use module::ModulePin;
pub use rule::Rule;
