//! The policy plugin: one core module with two faces over core: `mandate-authn`,
//! `mandate-authz` and `mandate-gate`.
//!
//! `component` translates the WIT types; `abi` is the C-like ABI of docs/abi.md for runtimes
//! without the component model. Neither decides anything. An instance is used by one thread at a
//! time, holds one trust, one policy and one state, and imports nothing.

#![expect(unsafe_code, reason = "exported symbols: the generated WIT glue, and the C-like ABI")]

mod abi;
mod component;
mod entropy;

use std::cell::RefCell;

use mandate_authz::authorizer::Authorizer;
use mandate_gate::Gate;

thread_local! {
    /// The state of this instance: WebAssembly has one thread.
    static GATE: RefCell<Gate> = RefCell::new(Gate::new());
}

/// Runs with what this instance holds.
fn with_gate<T>(run: impl FnOnce(&mut Gate) -> T) -> T {
    GATE.with_borrow_mut(run)
}

/// Runs with the part of it that authorizes. The trust is loaded by the gate, whose policy stands
/// in the same document.
fn with_authorizer<T>(run: impl FnOnce(&mut Authorizer) -> T) -> T {
    with_gate(|gate| run(gate.authorizer_mut()))
}

/// The version of `contract/` that this build implements.
const CONTRACT_VERSION: (u32, u32, u32) = (1, 0, 0);

/// The version of the C-like ABI.
const ABI_VERSION: u32 = 1;

/// SHA-256 of the sources, stated by the builder.
const SOURCE_DIGEST: &str = match option_env!("MANDATE_SOURCE_DIGEST") {
    Some(digest) => digest,
    None => "",
};

/// SHA-256 of the tools' names and versions, stated by the builder.
const TOOLCHAIN_DIGEST: &str = match option_env!("MANDATE_TOOLCHAIN_DIGEST") {
    Some(digest) => digest,
    None => "",
};
