//! The plugin that `cargo xtask guests` built.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// Reads the plugin, from `MANDATE_GUESTS` or the checkout.
///
/// # Errors
/// When it was not built.
pub fn plugin() -> Result<Vec<u8>> {
    let folder =
        std::env::var_os("MANDATE_GUESTS").map_or_else(|| IN_CHECKOUT.into(), PathBuf::from);
    let file = folder.join("mandate-policy.wasm");
    std::fs::read(&file).with_context(|| format!("`{}` (run `cargo xtask guests`)", file.display()))
}

const IN_CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/guests");
