//! `cargo xtask demo`: tokens of real issuers, accepted and attacked, and an agent behind Envoy.
//!
//! The demo itself is `mandate demo` (feature `dev`); here it gets what it runs on.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use crate::setup::Node;

/// What the demo runs on; everything in it is built or installed already.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    /// The `mandate` binary, built with feature `dev` and the plugin inside.
    pub(crate) mandate: &'a Path,
    /// Node with npm `oidc-provider` and `jose`; the reason when there is none.
    pub(crate) node: Result<&'a Node, &'a str>,
    /// `tests/oidc-provider/issuer.mjs`.
    pub(crate) issuer_script: &'a Path,
    /// A Keycloak to take part.
    pub(crate) keycloak: Option<&'a Path>,
    /// What the part behind Envoy runs on; the reason when it is left out.
    pub(crate) proxy: Result<&'a Proxy, &'a str>,
}

/// Envoy with the filter, and a server and a client of MCP.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// The program.
    pub(crate) envoy: PathBuf,
    /// `mandate-envoy.wasm`.
    pub(crate) filter: PathBuf,
    /// A Python with PyPI `mcp`.
    pub(crate) python: PathBuf,
    /// `tests/mcp`.
    pub(crate) scripts: PathBuf,
}

/// Runs the demo and prints its table.
///
/// # Errors
/// When an issuer does not start, or a token is decided otherwise than shown.
pub(crate) fn run(stage: &Stage<'_>) -> anyhow::Result<()> {
    let mut demo = Command::new(stage.mandate);
    demo.arg("demo");
    match stage.node {
        Ok(node) => {
            demo.arg("--node").arg(&node.program).arg("--node-modules").arg(&node.modules);
            demo.arg("--issuer-script").arg(stage.issuer_script);
        }
        Err(reason) => drop(demo.arg("--no-node").arg(reason)),
    }
    if let Some(keycloak) = stage.keycloak {
        demo.arg("--keycloak").arg(keycloak);
    }
    match stage.proxy {
        Ok(proxy) => {
            demo.arg("--envoy").arg(&proxy.envoy).arg("--filter").arg(&proxy.filter);
            demo.arg("--python").arg(&proxy.python).arg("--mcp-scripts").arg(&proxy.scripts);
        }
        Err(reason) => {
            crate::say!("demo: SKIPPED: the part behind Envoy: {reason}");
            demo.arg("--no-envoy").arg(reason);
        }
    }
    let status = demo.status()?;
    if !status.success() {
        bail!("the demo did not go as expected ({status})");
    }
    Ok(())
}
