//! Which files of the checkout a guest is made of, and their digest.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::Guest;
use crate::checkout::Checkout;
use crate::digest;
use crate::process;

/// The files of a guest: its crate and the crates it depends on by path, the WIT, the lock file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Sources {
    /// Paths relative to the checkout, with `/`, sorted.
    files: BTreeSet<String>,
    /// SHA-256 over names and contents.
    pub(crate) digest: String,
}

impl Sources {
    /// Finds and digests the files.
    ///
    /// # Errors
    /// When the package is not in the workspace or a file cannot be read.
    pub(crate) fn of(checkout: &Checkout, guest: &Guest) -> anyhow::Result<Self> {
        let mut metadata = process::cargo();
        metadata.args(["metadata", "--no-deps", "--format-version=1", "--manifest-path"]);
        let text = process::output(metadata.arg(checkout.path("Cargo.toml")))?;
        let metadata: Value = serde_json::from_str(&text).context("cargo metadata")?;
        let mut files = BTreeSet::from(["Cargo.lock".to_owned(), "Cargo.toml".to_owned()]);
        collect(checkout.root(), &checkout.path("wit"), &mut files)?;
        for folder in crate_folders(&metadata, guest.package)? {
            for part in ["Cargo.toml", "build.rs", "src"] {
                let path = folder.join(part);
                if path.exists() {
                    collect(checkout.root(), &path, &mut files)?;
                }
            }
        }
        let mut list = String::new();
        for name in &files {
            let _ = writeln!(list, "{}  {name}", digest::file(&checkout.path(name))?);
        }
        Ok(Self { files, digest: digest::text(&list) })
    }

    /// Refuses a build that read a file of the checkout which the digest does not cover.
    ///
    /// # Errors
    /// When the compiler's dependency list names such a file.
    pub(crate) fn cover(&self, checkout: &Checkout, dependency_list: &str) -> anyhow::Result<()> {
        for path in read_files(dependency_list) {
            let Ok(name) = path.strip_prefix(checkout.root()) else { continue };
            let name = slashed(name);
            if !self.files.contains(&name) && !name.starts_with("target/") {
                bail!("`{name}` is built into a guest but is not part of its source digest");
            }
        }
        Ok(())
    }
}

/// Folders of the package and of everything it depends on by path, tests left out.
fn crate_folders(metadata: &Value, package: &str) -> anyhow::Result<BTreeSet<PathBuf>> {
    let packages = metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let mut folders = BTreeSet::new();
    let mut waiting = vec![package.to_owned()];
    while let Some(name) = waiting.pop() {
        let found = packages.iter().find(|one| one["name"] == name.as_str());
        let found = found.with_context(|| format!("no package `{name}` in the workspace"))?;
        let manifest = found["manifest_path"].as_str().context("manifest_path")?;
        let folder = Path::new(manifest).parent().context("manifest_path")?;
        if folders.insert(folder.to_path_buf()) {
            let dependencies = found["dependencies"].as_array().into_iter().flatten();
            let ours = dependencies.filter(|one| one["path"].is_string() && one["kind"] != "dev");
            waiting.extend(ours.filter_map(|one| one["name"].as_str()).map(str::to_owned));
        }
    }
    Ok(folders)
}

/// Adds a file, or every file below a folder.
fn collect(root: &Path, path: &Path, files: &mut BTreeSet<String>) -> anyhow::Result<()> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path);
        for entry in entries.with_context(|| format!("cannot read `{}`", path.display()))? {
            collect(root, &entry?.path(), files)?;
        }
    } else {
        files.insert(slashed(path.strip_prefix(root)?));
    }
    Ok(())
}

fn slashed(path: &Path) -> String {
    let parts = path.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// The files after `output:` in a dependency list of make's form, where `\ ` is a space.
fn read_files(dependency_list: &str) -> Vec<PathBuf> {
    let lines = dependency_list.lines().filter_map(|line| line.split_once(": "));
    lines.flat_map(|(_, files)| split_escaped(files)).map(PathBuf::from).collect()
}

fn split_escaped(files: &str) -> Vec<String> {
    let (mut names, mut name, mut escaped) = (Vec::new(), String::new(), false);
    for letter in files.chars() {
        match letter {
            '\\' if !escaped => escaped = true,
            ' ' if !escaped => names.push(std::mem::take(&mut name)),
            _ => {
                name.push(letter);
                escaped = false;
            }
        }
    }
    names.push(name);
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_list_is_read_with_escaped_spaces() {
        let list = "/t/a.wasm: /w/src/lib.rs /w/my\\ file.rs\n\n/w/src/lib.rs:\n";
        let expected = ["/w/src/lib.rs", "/w/my file.rs"].map(PathBuf::from);
        assert_eq!(read_files(list), expected);
    }

    #[test]
    fn a_file_that_the_digest_does_not_cover_is_refused() {
        let checkout = Checkout::at("/w", "/tools");
        let files = BTreeSet::from(["src/lib.rs".to_owned()]);
        let sources = Sources { files, digest: String::new() };
        let error = sources.cover(&checkout, "/t/a: /w/src/lib.rs /w/contract/extra.json");
        let message = error.expect_err("refused").to_string();
        let expected =
            "`contract/extra.json` is built into a guest but is not part of its source digest";
        assert_eq!(message, expected);
    }

    #[test]
    fn crates_reached_by_path_belong_to_a_guest_and_test_crates_do_not() {
        let package = |name: &str, dependencies: Value| serde_json::json!({"name": name, "manifest_path": format!("/w/{name}/Cargo.toml"), "dependencies": dependencies});
        let metadata = serde_json::json!({"packages": [
            package("guest", serde_json::json!([
                {"name": "core", "path": "/w/core", "kind": null},
                {"name": "ring", "kind": null},
                {"name": "kit", "path": "/w/kit", "kind": "dev"},
            ])),
            package("core", serde_json::json!([])),
            package("kit", serde_json::json!([])),
        ]});
        let expected = BTreeSet::from(["/w/core", "/w/guest"].map(PathBuf::from));
        assert_eq!(crate_folders(&metadata, "guest").expect("folders"), expected);
    }
}
