//! `cargo xtask test`: everything that a change has to pass, on a bare machine too.

use std::path::PathBuf;
use std::time::Instant;

use crate::checkout::Checkout;
use crate::setup::{
    find_keycloak, need_envoy, need_node, need_openfga, need_postgres, need_python, need_rmcp,
    need_wasm,
};
use crate::summary::Summary;
use crate::{campaign, check, guests, process, space, workspace};

/// Sets up what is missing, checks, builds the guests, tests, runs the short campaigns.
///
/// # Errors
/// When a part fails; parts after the tests still run, and the summary is printed either way.
pub(crate) fn run(checkout: &Checkout) -> anyhow::Result<()> {
    let start = Instant::now();
    space::look(&target(checkout));
    let mut summary = Summary::new(checkout)?;
    let toolchain = need_wasm()?;
    guests::build(checkout, &toolchain)?;
    let results = [
        check::run(checkout, &mut summary, &[]),
        tests(checkout, &mut summary),
        campaign::fuzz_short(checkout, &mut summary),
    ];
    summary.print();
    let failed = results.into_iter().filter_map(Result::err).collect::<Vec<_>>();
    for error in &failed {
        crate::say!("test: FAILED: {error:#}");
    }
    anyhow::ensure!(
        failed.is_empty(),
        "{} of 3 parts failed: checks, tests, campaigns",
        failed.len()
    );
    crate::say!("test: all passed in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Where cargo writes.
fn target(checkout: &Checkout) -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    folder.unwrap_or_else(|| checkout.path("target"))
}

/// `cargo test` over the workspace, with the real programs where they can be had.
fn tests(checkout: &Checkout, summary: &mut Summary) -> anyhow::Result<()> {
    let mut cargo = workspace::cargo(checkout);
    cargo.args(["test", "--locked", "--workspace", "--no-fail-fast"]);
    cargo.env("MANDATE_SKIPS", summary.file());
    workspace::with_peers(&mut cargo, summary, need_python(checkout), need_node(checkout));
    workspace::with_openfga(&mut cargo, summary, need_openfga(checkout));
    workspace::with_postgres(&mut cargo, summary, need_postgres());
    workspace::with_envoy(&mut cargo, summary, need_envoy(checkout));
    workspace::with_rmcp(&mut cargo, summary, need_rmcp(checkout))?;
    workspace::with_keycloak(&mut cargo, summary, find_keycloak(checkout));
    process::step("test", &mut cargo)
}
