//! Format, clippy and documentation, with every warning an error.

use crate::check::Outcome;
use crate::checkout::Checkout;
use crate::guests::{self, GUESTS};
use crate::process;
use crate::setup::need_wasm;
use crate::workspace;

/// rustfmt on the workspace, and on the fuzzing workspace where it has targets.
pub(crate) fn format(checkout: &Checkout) -> anyhow::Result<Outcome> {
    process::status(workspace::cargo(checkout).args(["fmt", "--all", "--", "--check"]))?;
    if checkout.path("fuzz/Cargo.toml").exists() {
        let mut fuzz = workspace::cargo(checkout);
        fuzz.args(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--", "--check"]);
        process::status(&mut fuzz)?;
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
