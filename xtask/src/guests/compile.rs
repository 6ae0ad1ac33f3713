//! From source to an optimised core module that knows nothing of the builder's folders.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::Guest;
use super::recipe::Recipe;
use crate::checkout::{Checkout, cargo_home};
use crate::process;
use crate::setup::WasmToolchain;

/// Changes whenever the steps below do, so that no older result counts as finished.
pub(crate) const STEPS: &str = "1: cargo profile guest, remapped; wasm-opt -O3; encoded";

/// Builds one guest into the checkout's own folder and returns its core module.
///
/// Never into a shared target folder: two checkouts in one folder would take each other's artifacts
/// for their own.
///
/// # Errors
/// When cargo or wasm-opt fails, or a file was read that the source digest does not cover.
pub(crate) fn core_module(
    checkout: &Checkout,
    toolchain: &WasmToolchain,
    guest: &Guest,
    recipe: &Recipe,
) -> anyhow::Result<Vec<u8>> {
    // Unpacked first: the folder of the registry has to be known before it can be remapped.
    let mut fetch = toolchain.cargo();
    process::output(fetch.current_dir(checkout.root()).args(["fetch", "--locked"]))?;
    let sources = recipe.sources(guest.package)?;
    let mut cargo = cargo(checkout, toolchain, "build")?;
    cargo.args(["--package", guest.package]);
    cargo.env("MANDATE_SOURCE_DIGEST", &sources.digest);
    cargo.env("MANDATE_TOOLCHAIN_DIGEST", recipe.toolchain_digest());
    process::step("guests", &mut cargo)?;
    let stem = guest.package.replace('-', "_");
    let folder = target_folder(checkout).join("wasm32-unknown-unknown/guest");
    let built = folder.join(format!("{stem}.wasm"));
    let list = built.with_extension("d");
    let list = std::fs::read_to_string(&list)
        .with_context(|| format!("cannot read `{}`", list.display()))?;
    sources.cover(checkout, &list)?;
    read_optimised(toolchain, built)
}

/// The same steps for a guest that is not delivered: no digest is stated in it.
///
/// # Errors
/// When cargo or wasm-opt fails.
pub(crate) fn bench_module(
    checkout: &Checkout,
    toolchain: &WasmToolchain,
    package: &str,
) -> anyhow::Result<Vec<u8>> {
    let mut cargo = cargo(checkout, toolchain, "build")?;
    process::step("bench guest", cargo.args(["--package", package]))?;
    let folder = target_folder(checkout).join("wasm32-unknown-unknown/guest");
    read_optimised(toolchain, folder.join(format!("{}.wasm", package.replace('-', "_"))))
}

fn read_optimised(toolchain: &WasmToolchain, built: PathBuf) -> anyhow::Result<Vec<u8>> {
    let optimised = match &toolchain.wasm_opt {
        Some(program) => optimise(program, &built)?,
        None => built,
    };
    std::fs::read(&optimised).with_context(|| format!("cannot read `{}`", optimised.display()))
}

/// A cargo subcommand on the guests' profile, with the builder's folders remapped in Rust and C.
///
/// Lints run with the same environment: another one would make the next build start anew.
///
/// # Errors
/// When cargo's own folder is not known.
pub(crate) fn cargo(
    checkout: &Checkout,
    toolchain: &WasmToolchain,
    subcommand: &str,
) -> anyhow::Result<Command> {
    let folders = remapped_folders(checkout, toolchain)?;
    let rust: Vec<_> = folders
        .iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect();
    let c: Vec<_> = folders
        .iter()
        .map(|(from, to)| format!("'-ffile-prefix-map={}={to}'", from.display()))
        .collect();
    let mut cargo = toolchain.cargo();
    cargo.current_dir(checkout.root()).args([subcommand, "--locked", "--profile", "guest"]);
    cargo.args(toolchain.build_arguments()).arg("--target-dir").arg(target_folder(checkout));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}"));
    cargo.env("CFLAGS_wasm32_unknown_unknown", c.join(" ")).env("CC_SHELL_ESCAPED_FLAGS", "1");
    Ok(cargo)
}

fn target_folder(checkout: &Checkout) -> PathBuf {
    checkout.path("target/guests-build")
}

/// Folder and stand-in, the longer path later: of several that match, the last one counts.
fn remapped_folders(
    checkout: &Checkout,
    toolchain: &WasmToolchain,
) -> anyhow::Result<Vec<(PathBuf, &'static str)>> {
    let cargo_home = cargo_home()?;
    let mut folders = vec![(checkout.root().to_path_buf(), "/mandate")];
    // The registry's folder is named after its address: a mirror must not change the bytes.
    let registries = std::fs::read_dir(cargo_home.join("registry/src"));
    for registry in registries.into_iter().flatten().flatten() {
        folders.push((registry.path(), "/cargo/registry"));
    }
    folders.push((cargo_home, "/cargo"));
    folders.extend(toolchain.remapped());
    folders.sort_by_key(|(path, _)| path.as_os_str().len());
    Ok(folders)
}

/// Runs wasm-opt with the features that rustc's target has; it keeps the component-type section.
fn optimise(program: &Path, built: &Path) -> anyhow::Result<PathBuf> {
    let optimised = built.with_extension("optimised.wasm");
    let mut command = Command::new(program);
    command.args([
        "-O3",
        "--enable-bulk-memory",
        "--enable-reference-types",
        "--enable-multivalue",
    ]);
    command.args(["--enable-sign-ext", "--enable-nontrapping-float-to-int"]);
    command.args(["--enable-mutable-globals", "--output"]).arg(&optimised).arg(built);
    process::step("guests", &mut command)?;
    Ok(optimised)
}
