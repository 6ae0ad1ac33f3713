//! Generated and mutated tokens, for the comparison with other libraries.

mod after_signing;
mod before_signing;
mod draft;
pub mod oracle;
pub mod rules;
mod world;

pub use self::draft::Case;
pub use self::world::{AUDIENCE, NOW, World};
