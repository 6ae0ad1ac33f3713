//! Cargo commands on the host's workspace, with the environment that builds and tests read.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use crate::checkout::{Checkout, variable};
use crate::setup::{Node, Python, need_envoy};
use crate::summary::Summary;
use crate::unavailable::Unavailable;
use crate::{campaign, guests, process};

/// A cargo command in the checkout.
///
/// The same variables for every command: cargo builds again when one that a build script reads changes.
pub(crate) fn cargo(checkout: &Checkout) -> Command {
    let mut command = process::cargo();
    command.current_dir(checkout.root());
    with_folders(&mut command, checkout);
    command
}

/// Tells builds and tests where the cache, the guests and the outside suites are.
pub(crate) fn with_folders(command: &mut Command, checkout: &Checkout) {
    command.env("MANDATE_CACHE", checkout.cache_root());
    if variable("MANDATE_GUESTS").is_none() {
        command.env("MANDATE_GUESTS", checkout.path("target/guests"));
    }
    let suites = checkout.path("../shared/suites");
    if variable("MANDATE_SUITES").is_none() && suites.is_dir() {
        command.env("MANDATE_SUITES", suites.canonicalize().unwrap_or(suites));
    }
}

/// Tells tests where the peers are (`MANDATE_PYTHON`, `MANDATE_NODE_MODULES`); counts those that are not.
pub(crate) fn with_peers(
    command: &mut Command,
    summary: &mut Summary,
    python: anyhow::Result<Python>,
    node: anyhow::Result<Node>,
) {
    with_python(command, summary, python);
    match node {
        Ok(node) => drop(command.env("MANDATE_NODE_MODULES", node.modules)),
        Err(reason) => summary.skip("tests against Node", &format!("{reason:#}")),
    }
}

/// Tells tests where a Python is (`MANDATE_PYTHON`); counts it where there is none.
pub(crate) fn with_python(
    command: &mut Command,
    summary: &mut Summary,
    python: anyhow::Result<Python>,
) {
    match python {
        Ok(python) => drop(command.env("MANDATE_PYTHON", python.interpreter)),
        Err(reason) => summary.skip("tests against Python", &format!("{reason:#}")),
    }
}

/// Tells tests where an OpenFGA server is (`MANDATE_OPENFGA`); counts it where there is none.
pub(crate) fn with_openfga(
    command: &mut Command,
    summary: &mut Summary,
    program: anyhow::Result<PathBuf>,
) {
    match program {
        Ok(program) => drop(command.env("MANDATE_OPENFGA", program)),
        Err(reason) => summary.skip("tests against OpenFGA", &format!("{reason:#}")),
    }
}

/// Tells tests where Postgres's programs are (`MANDATE_POSTGRES`); counts it where there are none.
pub(crate) fn with_postgres(
    command: &mut Command,
    summary: &mut Summary,
    folder: anyhow::Result<PathBuf>,
) {
    match folder {
        Ok(folder) => drop(command.env("MANDATE_POSTGRES", folder)),
        Err(reason) => summary.skip("tests against Postgres", &format!("{reason:#}")),
    }
}

/// Tells tests where Envoy is (`MANDATE_ENVOY`); counts it where there is none.
pub(crate) fn with_envoy(
    command: &mut Command,
    summary: &mut Summary,
    program: anyhow::Result<PathBuf>,
) {
    match program {
        Ok(program) => drop(command.env("MANDATE_ENVOY", program)),
        Err(reason) => summary.skip("tests against Envoy", &format!("{reason:#}")),
    }
}

/// Tells tests where the client of rmcp is (`MANDATE_RMCP`); counts it where it cannot be had.
///
/// # Errors
/// When it does not build.
pub(crate) fn with_rmcp(
    command: &mut Command,
    summary: &mut Summary,
    program: anyhow::Result<PathBuf>,
) -> anyhow::Result<()> {
    match program {
        Ok(program) => drop(command.env("MANDATE_RMCP", program)),
        Err(reason) if reason.is::<Unavailable>() => {
            summary.skip("tests against rmcp", &format!("{reason:#}"));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Tells tests where a Keycloak is (`MANDATE_KEYCLOAK`); counts it where there is none.
pub(crate) fn with_keycloak(
    command: &mut Command,
    summary: &mut Summary,
    folder: anyhow::Result<PathBuf>,
) {
    match folder {
        Ok(folder) => drop(command.env("MANDATE_KEYCLOAK", folder)),
        Err(reason) => summary.skip("tests against Keycloak", &format!("{reason:#}")),
    }
}

/// Builds the `mandate` command with the development issuer and returns its path.
///
/// # Errors
/// When it does not build.
pub(crate) fn build_mandate(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    let mut command = cargo(checkout);
    // The whole workspace's features: what `cargo test --workspace` built is not built again.
    command.args(["build", "--locked", "--workspace", "--bin", "mandate"]);
    command.args(["--features", "mandate/dev"]);
    process::step("mandate", &mut command)?;
    let name = format!("debug/mandate{}", std::env::consts::EXE_SUFFIX);
    Ok(target_folder(checkout)?.join(name))
}

/// The same, optimized: for figures.
///
/// # Errors
/// When it does not build.
pub(crate) fn build_optimized_mandate(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    let mut command = cargo(checkout);
    command.args(["build", "--locked", "--release", "--workspace", "--bin", "mandate"]);
    process::step("mandate, optimized", &mut command)?;
    let name = format!("release/mandate{}", std::env::consts::EXE_SUFFIX);
    Ok(target_folder(checkout)?.join(name))
}

/// `mandate conformance` with the arguments of the caller; its exit code: 1 when an implementation
/// disagrees, 2 for a mistake in usage.
///
/// # Errors
/// When it does not build.
pub(crate) fn conformance(checkout: &Checkout, arguments: &[OsString]) -> anyhow::Result<u8> {
    guests::run(checkout)?;
    let mandate = build_mandate(checkout)?;
    let mut command = Command::new(mandate);
    command.current_dir(checkout.root()).arg("conformance").args(arguments);
    process::code(&mut command)
}

/// `cargo bench` with the arguments of the caller. A first argument `authz` takes the delegation
/// workload alone, `envoy` the filter in Envoy, `server` the server beside an OpenFGA server.
///
/// # Errors
/// When a bench does not build or run.
pub(crate) fn bench(checkout: &Checkout, arguments: &[OsString]) -> anyhow::Result<()> {
    let arguments = &with_place_of_docs(arguments)?;
    let first = arguments.split_first().and_then(|(first, rest)| Some((first.to_str()?, rest)));
    if first.is_none_or(|(name, _)| name != "registry") {
        guests::run(checkout)?;
    }
    match first {
        Some(("authz", rest)) => bench_authz(checkout, rest),
        Some(("envoy", rest)) => bench_envoy(checkout, rest),
        Some(("registry", rest)) => bench_registry(checkout, rest),
        Some(("server", [])) => {
            campaign::server_runs(checkout, "comparison::", ("MANDATE_SERVER_BENCH", 1))
        }
        _ => {
            let mut command = cargo(checkout);
            command.args(["bench", "--locked", "--package", "mandate-benches"]).args(arguments);
            process::step("bench", &mut command)
        }
    }
}

/// The arguments with the folder of `--docs` as the caller means it: benches run in folders of their own.
/// That it is not there is said before anything is built and measured.
fn with_place_of_docs(arguments: &[OsString]) -> anyhow::Result<Vec<OsString>> {
    let mut arguments = arguments.to_vec();
    let option = arguments.iter().position(|argument| argument == "--docs");
    let Some(option) = option else { return Ok(arguments) };
    let value = option.checked_add(1).and_then(|next| arguments.get_mut(next));
    let value = value.context("`--docs` wants a folder")?;
    let folder = std::path::absolute(&*value)?;
    let page = folder.join("performance.md");
    anyhow::ensure!(page.is_file(), "`--docs`: `{}` is not there", page.display());
    *value = folder.into();
    Ok(arguments)
}

/// The delegation workload. With `--peers` other engines take part, which nothing else builds
/// (`--casbin` adds the one whose dependencies have licences that deny.toml does not list).
fn bench_authz(checkout: &Checkout, arguments: &[OsString]) -> anyhow::Result<()> {
    let mut command = cargo(checkout);
    command.env("MANDATE_BENCH_GUESTS", guests::bench(checkout, "mandate-bench-delegation")?);
    let is_ours = |argument: &&OsString| *argument == "--peers" || *argument == "--casbin";
    let (ours, mut theirs): (Vec<&OsString>, Vec<&OsString>) = arguments.iter().partition(is_ours);
    let whole = OsString::from("--bench");
    theirs.push(&whole);
    if ours.is_empty() {
        command.args(["bench", "--locked", "--package", "mandate-benches", "--bench", "authz"]);
    } else {
        command.current_dir(checkout.path("benches/peers"));
        command.args(["run", "--locked", "--release"]);
        if ours.iter().any(|argument| *argument == "--casbin") {
            command.args(["--features", "casbin"]);
        }
    }
    process::step("bench", command.arg("--").args(theirs))
}

/// The filter in Envoy, beside Envoy's own filters.
fn bench_envoy(checkout: &Checkout, arguments: &[OsString]) -> anyhow::Result<()> {
    let mut command = cargo(checkout);
    command.env("MANDATE_ENVOY", need_envoy(checkout)?);
    command.args(["bench", "--locked", "--package", "mandate-benches", "--bench", "envoy"]);
    process::step("bench", command.args(["--", "envoy"]).args(arguments))
}

/// How the registry grows.
fn bench_registry(checkout: &Checkout, arguments: &[OsString]) -> anyhow::Result<()> {
    let mut command = cargo(checkout);
    command.args(["bench", "--locked", "--package", "mandate-registry", "--bench", "growth"]);
    process::step("bench", command.arg("--").args(arguments))
}

/// Where cargo puts the host's artifacts: `CARGO_TARGET_DIR`, configuration, or `target`.
fn target_folder(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    let mut metadata = cargo(checkout);
    let text = process::output(metadata.args(["metadata", "--no-deps", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata")?;
    let folder = metadata.get("target_directory").and_then(Value::as_str);
    let folder = folder.context("cargo metadata names no target folder")?;
    Ok(folder.into())
}
