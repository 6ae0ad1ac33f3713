//! `cargo xtask demo`: tokens of real issuers, accepted and attacked.
//!
//! The demo itself is `mandate demo` (feature `dev`); here it gets what it runs on.

use std::path::Path;
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
    let status = demo.status()?;
    if !status.success() {
        bail!("the demo did not go as expected ({status})");
    }
    Ok(())
}
