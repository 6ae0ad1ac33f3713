//! A real Envoy over a while, with what `mandate envoy config` has written and a real feed: how soon a
//! revocation is enforced, and whether anything grows or breaks.
//!
//! Short here; `cargo xtask campaign envoy-propagation` and `envoy-soak` run the long forms.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "tests stop where something is not as it should be"
)]

mod authz_world;
mod cli;
#[path = "envoy_runs/client.rs"]
mod client;
#[expect(dead_code, reason = "shared: each test program uses a part")]
mod local_server;
#[path = "envoy_runs/propagation.rs"]
mod propagation;
#[path = "cli_envoy/running.rs"]
mod running;
#[path = "cli_envoy/set_up.rs"]
#[expect(dead_code, reason = "shared: each test program uses a part")]
mod set_up;
#[path = "envoy_runs/soak.rs"]
mod soak;
#[path = "envoy_runs/stage.rs"]
mod stage;
#[path = "envoy_runs/traffic.rs"]
mod traffic;
#[path = "envoy_runs/upstream.rs"]
mod upstream;
