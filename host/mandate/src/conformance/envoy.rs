//! Runner `envoy`: the filter in a real Envoy, asked over HTTP/1.1 and over HTTP/2.
//!
//! Every case of the gate goes over the wire as its bytes, with the module as it is shipped. Envoy has
//! a clock of its own: cases are moved to the moment that they are asked at. What a client, the server
//! behind Envoy and the access log have seen has to be what core in this process says of the same
//! request, byte for byte (docs/conformance.md#envoy).

mod attempt;
mod bootstrap;
mod client;
mod clock;
mod desk;
mod door;
mod feed;
mod ground;
mod http1;
mod http2;
mod message;
mod process;
mod question;
mod reference;
mod runner;
mod stage;
mod upstream;

pub use client::Protocol;
pub use runner::EnvoyRunner;
