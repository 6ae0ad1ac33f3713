//! The conformance kit: the fixtures of the contract, run on any implementation.
//!
//! A fixture is one small file under `contract/fixtures/authn`: a recipe for a token, a moment, a
//! contract, and the answer (docs/fixtures.md). An implementation is anything that answers the
//! probe protocol (docs/conformance.md).

mod authz;
mod complete;
mod component;
mod envoy;
mod exceptions;
mod exec;
mod export;
mod fixture;
mod fixture_set;
mod fuel;
mod implementation;
mod key_set_recipe;
mod module;
mod native;
mod outcome;
mod questions;
mod request;
mod run;
mod suite;
mod table;

pub use authz::{
    AllowedCase, AuthzFixture, AuthzSet, Case, Decision, DeniedCase, Worlds, shared_model,
};
pub use complete::Complete;
pub use component::{Component, patient_limits};
pub use envoy::{EnvoyRunner, Protocol};
pub use exceptions::{Exception, Exceptions};
pub use exec::{Exec, ExecOptions};
pub use export::export;
pub use fixture::{Base, Expectation, Fixture, FixtureKind, Verdict};
pub use fixture_set::{Concrete, FixtureSet};
pub use fuel::{ClassFuel, measure};
pub use implementation::Implementation;
pub use key_set_recipe::{ChangedKey, KeyRecipe, KeySetRecipe, LiteralKey, RepeatedKey};
pub use module::Module;
pub use native::Native;
pub use outcome::{Comparison, Outcome};
pub(crate) use questions::LONGEST_LINE;
pub use run::{Report, Run};
pub use suite::{Questions, Suite};
pub use table::write_table;
