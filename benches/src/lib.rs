//! Shared set-up of the benches: an issuer with its tokens, the doors that validate them, and a
//! measure that holds on a machine that does other things as well.

pub mod doors;
pub mod guests;
pub mod issuer;
pub mod lineup;
pub mod report;
