//! The Envoy filter: proxy-wasm callbacks and host calls over `mandate-gate`.
//!
//! It translates and decides nothing. Headers and body are held until the gate's verdict, whatever
//! ends them; a host call that answers what was not expected denies; header values are bytes. What can
//! be tested without Envoy stands behind the trait `Host`; `calls` and `plugin` are all that is
//! compiled for wasm32 alone. docs/envoy.md says how it is configured and run.

#![cfg_attr(
    not(target_arch = "wasm32"),
    cfg_attr(not(test), expect(dead_code, reason = "natively the filter is only tested"))
)]

#[cfg(target_arch = "wasm32")]
mod calls;
mod configuration;
mod entropy;
mod fields;
mod host;
mod metrics;
#[cfg(target_arch = "wasm32")]
mod plugin;
/// The deployment that the gate's own tests ask.
#[cfg(test)]
#[path = "../../../core/gate/tests/gate/scene.rs"]
#[expect(dead_code, clippy::expect_used, clippy::panic, reason = "shared with tests that use more of it")]
mod scene;
#[cfg(test)]
mod scripted;
mod signature;
mod stream;
mod sync;
mod worker;
