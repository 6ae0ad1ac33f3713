//! Format, clippy and documentation, with every warning an error.

use crate::check::Outcome;
use crate::checkout::Checkout;
use crate::guests::{self, GUESTS};
use crate::process;
use crate::setup::need_wasm;
use crate::workspace;

/// rustfmt on the workspace, on the client of rmcp, and on the fuzzing workspace where it has targets.
pub(crate) fn format(checkout: &Checkout) -> anyhow::Result<Outcome> {
    process::status(workspace::cargo(checkout).args(["fmt", "--all", "--", "--check"]))?;
    for outside in ["fuzz/Cargo.toml", "tests/mcp/rmcp/Cargo.toml"] {
        if checkout.path(outside).exists() {
            let mut format = workspace::cargo(checkout);
            format.args(["fmt", "--manifest-path", outside, "--", "--check"]);
            process::status(&mut format)?;
        }
    }
    Ok(Outcome::Done)
}

/// Everything on the host: libraries, binaries, tests, benches.
pub(crate) fn clippy(checkout: &Checkout) -> anyhow::Result<Outcome> {
    let mut clippy = workspace::cargo(checkout);
    clippy.args(["clippy", "--locked", "--workspace", "--all-targets", "--all-features"]);
    process::status(clippy.args(["--", "-D", "warnings"]))?;
    Ok(Outcome::Done)
}

/// The command as it is released: what only the development issuer uses must not be left over.
pub(crate) fn clippy_release(checkout: &Checkout) -> anyhow::Result<Outcome> {
    let mut clippy = workspace::cargo(checkout);
    clippy.args(["clippy", "--locked", "--package", "mandate", "--", "-D", "warnings"]);
    process::status(&mut clippy)?;
    Ok(Outcome::Done)
}

/// The guests as they are shipped, for wasm32.
pub(crate) fn clippy_guests(checkout: &Checkout) -> anyhow::Result<Outcome> {
    let toolchain = need_wasm()?;
    if !toolchain.has_clippy() {
        return Ok(Outcome::Skipped("Debian packages no clippy for wasm32".to_owned()));
    }
    let mut clippy = guests::cargo(checkout, &toolchain, "clippy")?;
    for guest in GUESTS {
        clippy.args(["--package", guest.package]);
    }
    process::status(clippy.args(["--", "-D", "warnings"]))?;
    Ok(Outcome::Done)
}

/// The documentation of every crate.
pub(crate) fn documentation(checkout: &Checkout) -> anyhow::Result<Outcome> {
    let mut doc = workspace::cargo(checkout);
    doc.args(["doc", "--locked", "--workspace", "--no-deps", "--all-features", "--quiet"]);
    process::status(doc.env("RUSTDOCFLAGS", "-Dwarnings"))?;
    Ok(Outcome::Done)
}
