//! `cargo xtask demo`: tokens of real issuers, accepted and attacked.

use std::path::Path;

use crate::setup::Node;

/// What the demo runs on; everything in it is built or installed already.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    /// The `mandate` binary, built with feature `dev`.
    pub(crate) mandate: &'a Path,
    /// The policy component (`target/guests/mandate-policy.wasm`).
    pub(crate) plugin: &'a Path,
    /// Node with npm `oidc-provider` and `jose`; the reason when there is none.
    pub(crate) node: Result<&'a Node, &'a str>,
    /// A folder of this demo's own for files, emptied before the run.
    pub(crate) folder: &'a Path,
}

/// Runs the demo and prints its table.
///
/// # Errors
/// When an issuer does not start, or a token is decided otherwise than shown.
pub(crate) fn run(stage: &Stage<'_>) -> anyhow::Result<()> {
    anyhow::bail!("the demo is not there yet: {}", stage.mandate.display())
}
