//! The fixtures of authorization and of the gate: `contract/fixtures/authz` and `gate`.
//!
//! A fixture is one small file with two lists: what is allowed, and what is denied. Everything that
//! a decision rests on is one JSON document, the case; a denied case is an allowed one with exactly
//! one place changed (docs/fixtures-authz.md, docs/fixtures-gate.md).

mod agreement;
mod case;
mod facts;
mod fixture;
mod gate;
mod ground;
mod memory;
mod model;
mod moment;
mod outcome;
mod pointer;
mod run;
mod set;
mod state;
mod world;

pub use case::Case;
pub use fixture::{AllowedCase, AuthzFixture, DeniedCase};
pub use ground::Worlds;
pub use model::shared_model;
pub(super) use outcome::states;
pub(super) use run::report;
pub(super) use set::is_named;
pub use set::{AuthzSet, Decision};
