//! What the gate costs in Envoy, beside the filters that Envoy brings: `cargo xtask bench envoy`.
//!
//! One Envoy process with a listener for each contestant, pinned to one core; the load, the upstream
//! and whatever else answers are threads of this process on another. What is told is the processor
//! time of the Envoy process for one request, as the kernel's scheduler counts it.

mod bootstrap;
pub mod check_server;
pub mod client;
pub mod command;
pub mod contestant;
pub mod counting_server;
pub mod deployment;
pub mod memory;
pub mod page;
pub mod process;
pub mod programs;
pub mod run;
pub mod stage;
pub mod supply;
pub mod targets;
pub mod tokens;
pub mod upstream;
pub mod wire;
