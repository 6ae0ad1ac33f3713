//! The Envoy filter: proxy-wasm callbacks and host calls over `mandate-gate`.
//!
//! It translates and decides nothing. Headers and body are held until the gate's verdict, whatever
//! ends them; a host call that answers what was not expected denies; header values are bytes. What can
//! be tested without Envoy stands behind the trait `Host`; `calls` and `plugin` are all that is
//! compiled for wasm32 alone. docs/envoy.md says how it is configured and run.

#![cfg_attr(
    not(target_arch = "wasm32"),
    expect(dead_code, reason = "the callbacks that use it are compiled for wasm32 alone")
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
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod scene;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests")]
mod scripted;
mod signature;
mod stream;
mod sync;
mod worker;

#[cfg(test)]
mod tests {
    // One header value that is not UTF-8 ended the VM of a filter that asked the SDK for it.
    #[test]
    fn nothing_of_the_sdk_that_ends_the_vm_is_called_for_a_request() {
        let sources = [include_str!("calls.rs"), include_str!("plugin.rs")].concat();
        let called = sources.split("hostcalls::").skip(1);
        let called: Vec<_> = called.filter_map(|rest| rest.split('(').next()).collect();
        assert_eq!(called, ["dispatch_http_call"]);
        for getter in
            ["get_http_", "set_http_", "add_http_", "send_http_", "self.get_", "self.set_"]
        {
            assert!(!sources.contains(getter), "{getter}");
        }
    }
}
