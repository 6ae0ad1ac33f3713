//! The evaluators against OpenFGA's own suites, against an OpenFGA server, and against each other.

mod consolidated;
mod differential;
mod server;
mod support;
