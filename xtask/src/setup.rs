//! `cargo xtask setup`: finds or installs what the other commands need, one line a thing.
//!
//! Every part can be asked for alone: `guests` needs the wasm toolchain, `test` wants Python, and
//! each command fetches what it needs when it needs it.

mod apt;
mod cargo_tool;
mod envoy;
mod keycloak;
mod node;
mod openfga;
mod postgres;
mod python;
mod rmcp;
mod wasm;
mod wasm_tools;

use crate::checkout::Checkout;

use cargo_tool::find_tool;
pub(crate) use cargo_tool::{CARGO_DENY, CARGO_FUZZ, CARGO_MUTANTS, need_tool};
pub(crate) use envoy::need_envoy;
pub(crate) use keycloak::{find_keycloak, need_keycloak};
pub(crate) use node::{Node, need_node};
pub(crate) use openfga::need_openfga;
pub(crate) use postgres::need_postgres;
pub(crate) use python::{Python, need_python};
pub(crate) use rmcp::need_rmcp;
pub(crate) use wasm::{WasmToolchain, need_wasm};

/// Sets everything up. What is optional (Node, wasm-opt, Python, OpenFGA, Postgres, Envoy, Keycloak) is reported and passed over; tools
/// that take minutes to compile, rmcp, and Keycloak, wait for the command that needs them.
///
/// # Errors
/// When there is no way to build the guests.
pub(crate) fn run(checkout: &Checkout) -> anyhow::Result<()> {
    let toolchain = need_wasm()?;
    for line in toolchain.describe() {
        crate::say!("setup: {line}");
    }
    for tool in [&CARGO_DENY, &CARGO_FUZZ, &CARGO_MUTANTS] {
        match find_tool(checkout, tool) {
            Some(path) => crate::say!("setup: {} {}", tool.name, path.display()),
            None => crate::say!(
                "setup: {} will be installed by the first command that needs it",
                tool.name
            ),
        }
    }
    match need_python(checkout) {
        Ok(python) => crate::say!("setup: python {}", python.interpreter.display()),
        Err(reason) => crate::say!("setup: python not found: {reason:#}"),
    }
    match need_node(checkout) {
        Ok(node) => crate::say!("setup: node {} {}", node.version, node.modules.display()),
        Err(reason) => crate::say!("setup: node not found: {reason:#}"),
    }
    match need_openfga(checkout) {
        Ok(program) => crate::say!("setup: openfga {}", program.display()),
        Err(reason) => crate::say!("setup: openfga not found: {reason:#}"),
    }
    match need_postgres() {
        Ok(folder) => crate::say!("setup: postgres {}", folder.display()),
        Err(reason) => crate::say!("setup: postgres not found: {reason:#}"),
    }
    match need_envoy(checkout) {
        Ok(program) => crate::say!("setup: envoy {}", program.display()),
        Err(reason) => crate::say!("setup: envoy not found: {reason:#}"),
    }
    match find_keycloak(checkout) {
        Ok(folder) => crate::say!("setup: keycloak {}", folder.display()),
        Err(reason) => crate::say!("setup: {reason:#}"),
    }
    Ok(())
}
