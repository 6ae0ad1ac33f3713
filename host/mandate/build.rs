//! Puts the plugin inside: `target/guests/mandate-policy.wasm` of the checkout, or of
//! `$MANDATE_GUESTS`, where `cargo xtask guests` left it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest as _, Sha256};

const PLUGIN: &str = "mandate-policy.wasm";
const FILTER: &str = "mandate-envoy.wasm";
const SUMS: &str = "SHA256SUMS";

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=MANDATE_GUESTS");
    // The conformance kit embeds whole folders: a new file in one must be noticed.
    println!("cargo::rerun-if-changed=../../contract/fixtures");
    println!("cargo::rerun-if-changed=../../contract/exceptions");
    let folder = guests()?;
    let (plugin, sums) = (folder.join(PLUGIN), folder.join(SUMS));
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let source = if plugin.is_file() && sums.is_file() {
        watch(&plugin);
        watch(&sums);
        embed(&plugin, &sums, &out)?
    } else {
        watch_for(&folder, &[&plugin, &sums]);
        "const PLUGIN: Option<(&[u8], [u8; 32])> = None;\n".to_owned()
    };
    let source = source + &filter(&sums)?;
    fs::write(out.join("plugin.rs"), source).map_err(|error| format!("OUT_DIR: {error}"))
}

fn guests() -> Result<PathBuf, String> {
    if let Some(folder) = env::var_os("MANDATE_GUESTS").filter(|folder| !folder.is_empty()) {
        return Ok(PathBuf::from(folder));
    }
    let package = env::var_os("CARGO_MANIFEST_DIR").ok_or("CARGO_MANIFEST_DIR is not set")?;
    let root = Path::new(&package).ancestors().nth(2).ok_or("the package is in no checkout")?;
    Ok(root.join("target/guests"))
}

/// Copies the plugin beside the generated source, so that no path of the builder gets into it.
fn embed(plugin: &Path, sums: &Path, out: &Path) -> Result<String, String> {
    let unreadable = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let bytes = fs::read(plugin).map_err(|error| unreadable(plugin, error))?;
    let list = fs::read_to_string(sums).map_err(|error| unreadable(sums, error))?;
    let digest = Sha256::digest(&bytes);
    let mut hexadecimal = String::new();
    for byte in digest {
        // Writing to a string cannot fail.
        let _ = write!(hexadecimal, "{byte:02x}");
    }
    if !list.lines().any(|line| line == format!("{hexadecimal}  {PLUGIN}")) {
        return Err(format!(
            "{} is not the file of {SUMS} beside it: run `cargo xtask guests`",
            plugin.display()
        ));
    }
    fs::write(out.join(PLUGIN), bytes).map_err(|error| unreadable(out, error))?;
    Ok(format!(
        "const PLUGIN: Option<(&[u8], [u8; 32])> =\n    \
         Some((include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{PLUGIN}\")), {:?}));\n",
        <[u8; 32]>::from(digest)
    ))
}

/// The digest of the Envoy filter, as listed: the file itself goes where Envoy is.
fn filter(sums: &Path) -> Result<String, String> {
    let list = fs::read_to_string(sums).unwrap_or_default();
    let listed = list.lines().find_map(|line| line.strip_suffix(FILTER)?.strip_suffix("  "));
    let Some(digits) = listed else { return Ok("const FILTER: Option<[u8; 32]> = None;\n".into()) };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    let bytes = bytes.filter(|bytes| bytes.len() == 32 && rest.is_empty());
    let bytes = bytes.ok_or_else(|| format!("{}: no digest of {FILTER}", sums.display()))?;
    Ok(format!("const FILTER: Option<[u8; 32]> = Some({bytes:?});\n"))
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

/// Waits for files to appear. Cargo takes a missing file for a changed one and would rebuild every
/// time, so the folder is watched, and made if need be.
fn watch_for(folder: &Path, files: &[&Path]) {
    if fs::create_dir_all(folder).is_ok() {
        watch(folder);
    } else {
        files.iter().copied().for_each(watch);
    }
}
