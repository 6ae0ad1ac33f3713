//! Tools that cargo installs, kept beside the other tools and at one version.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::checkout::Checkout;
use crate::process;

/// A tool from crates.io at a pinned version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CargoTool {
    /// The package, which is also the program.
    pub(crate) name: &'static str,
    version: &'static str,
}

/// Licences, bans, sources and (where a database is) advisories of the dependencies.
pub(crate) const CARGO_DENY: CargoTool = CargoTool { name: "cargo-deny", version: "0.20.2" };
/// Fuzzing with libFuzzer.
pub(crate) const CARGO_FUZZ: CargoTool = CargoTool { name: "cargo-fuzz", version: "0.13.2" };
/// Mutation testing.
pub(crate) const CARGO_MUTANTS: CargoTool = CargoTool { name: "cargo-mutants", version: "27.1.0" };

/// The program's path: our own copy, else one on `PATH`, else installed now.
///
/// # Errors
/// When cargo cannot install it.
pub(crate) fn need_tool(checkout: &Checkout, tool: &CargoTool) -> anyhow::Result<PathBuf> {
    if let Some(program) = find_tool(checkout, tool) {
        return Ok(program);
    }
    let root = checkout.cache("tools");
    crate::say!("setup: installing {} {} (takes minutes)", tool.name, tool.version);
    let mut command = process::cargo();
    command.args(["install", "--locked", "--version", tool.version, "--root"]).arg(&root);
    command.arg(tool.name);
    // Not into the shared folder: a tool is built once, its intermediate files are not kept.
    command.env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
    process::step("setup", &mut command)
        .with_context(|| format!("install `{}` {} by hand", tool.name, tool.version))?;
    Ok(own_copy(checkout, tool))
}

/// The program's path when it is there at the pinned version.
pub(crate) fn find_tool(checkout: &Checkout, tool: &CargoTool) -> Option<PathBuf> {
    let candidates = [own_copy(checkout, tool), PathBuf::from(tool.name)];
    candidates.into_iter().find(|program| answers(program, tool))
}

fn own_copy(checkout: &Checkout, tool: &CargoTool) -> PathBuf {
    let name = format!("{}{}", tool.name, std::env::consts::EXE_SUFFIX);
    checkout.cache("tools/bin").join(name)
}

/// Cargo's tools take their own subcommand as the first argument.
fn answers(program: &PathBuf, tool: &CargoTool) -> bool {
    let subcommand = tool.name.trim_start_matches("cargo-");
    [&[subcommand, "--version"][..], &["--version"]].iter().any(|arguments| {
        process::probe(program, arguments)
            .is_some_and(|text| text.split_whitespace().any(|word| word == tool.version))
    })
}
