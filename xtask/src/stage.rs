//! Builds what the demo runs on, then runs it.

use anyhow::Context as _;

use crate::checkout::Checkout;
use crate::demo::{self, Stage};
use crate::setup::need_node;
use crate::{guests, workspace};

/// Guests, then the command with the development issuer, then the demo.
///
/// # Errors
/// When something does not build, or the demo shows another decision than expected.
pub(crate) fn run(checkout: &Checkout) -> anyhow::Result<()> {
    let plugin = guests::run(checkout)?.join("mandate-policy.wasm");
    let mandate = workspace::build_mandate(checkout)?;
    let node = need_node(checkout).map_err(|reason| format!("{reason:#}"));
    let folder = checkout.path("target/demo");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("cannot empty target/demo")?;
    }
    std::fs::create_dir_all(&folder).context("cannot make target/demo")?;
    let node = node.as_ref().map_err(String::as_str);
    demo::run(&Stage { mandate: &mandate, plugin: &plugin, node, folder: &folder })
}
