//! The plugin that `cargo xtask guests` built.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// Reads the plugin, from `MANDATE_GUESTS` or the checkout.
///
/// # Errors
/// When it was not built.
pub fn plugin() -> Result<Vec<u8>> {
    read("mandate-policy.wasm")
}

/// The plugin's core module.
///
/// # Errors
/// When it was not built.
pub fn core_module() -> Result<Vec<u8>> {
    read("mandate-policy.core.wasm")
}

/// The bench guest of the delegation workload, from `MANDATE_BENCH_GUESTS` or the checkout.
///
/// # Errors
/// When it was not built.
pub fn delegation() -> Result<Vec<u8>> {
    const IN_CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench-guests");
    let folder = std::env::var_os("MANDATE_BENCH_GUESTS");
    let folder = folder.map_or_else(|| IN_CHECKOUT.into(), PathBuf::from);
    let file = folder.join("mandate-bench-delegation.wasm");
    let advice = "run `cargo xtask bench authz`";
    std::fs::read(&file).with_context(|| format!("`{}` ({advice})", file.display()))
}

fn read(name: &str) -> Result<Vec<u8>> {
    let folder =
        std::env::var_os("MANDATE_GUESTS").map_or_else(|| IN_CHECKOUT.into(), PathBuf::from);
    let file = folder.join(name);
    std::fs::read(&file).with_context(|| format!("`{}` (run `cargo xtask guests`)", file.display()))
}

const IN_CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/guests");
