//! Shared set-up of the benches: an issuer with its tokens, the doors that validate them, the
//! delegation workload with those who decide it, and a measure that holds on a machine that does
//! other things as well.

pub mod delegation;
pub mod doors;
pub mod envoy;
pub mod guests;
pub mod issuer;
pub mod lineup;
pub mod report;
