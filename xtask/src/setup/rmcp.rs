//! rmcp as a client of MCP: `tests/mcp/rmcp`, a workspace of its own. Optional.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::checkout::{Checkout, variable};
use crate::process;
use crate::unavailable::Unavailable;

/// The client's program: the one that `MANDATE_RMCP` names, else our own, built if need be.
///
/// # Errors
/// [`Unavailable`] when the crates registry cannot be reached; another error when it does not build.
pub(crate) fn need_rmcp(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    if let Some(program) = variable("MANDATE_RMCP") {
        return Ok(program.into());
    }
    let manifest = checkout.path("tests/mcp/rmcp/Cargo.toml");
    // Not into the shared folder: its artifacts have other features than ours.
    let target = checkout.cache("tools/rmcp");
    process::status(cargo("fetch").arg(&manifest))
        .context(Unavailable::new("rmcp", "the crates registry must be reachable once"))?;
    crate::say!("setup: building the client of rmcp in {}", target.display());
    process::status(cargo("build").arg(&manifest).arg("--target-dir").arg(&target))?;
    Ok(target.join(format!("debug/mandate-mcp-client{}", std::env::consts::EXE_SUFFIX)))
}

fn cargo(verb: &str) -> Command {
    let mut command = process::cargo();
    command.args([verb, "--locked", "--quiet", "--manifest-path"]);
    command
}
