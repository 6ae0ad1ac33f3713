//! `cargo xtask repro`: the guests built twice, in folders of different depth, are the same bytes.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::checkout::Checkout;
use crate::guests;
use crate::setup::need_wasm;

/// Builds the guests in two copies of the tree and compares their digests.
///
/// # Errors
/// When a copy does not build or the digests differ.
pub(crate) fn run(checkout: &Checkout) -> anyhow::Result<()> {
    let toolchain = need_wasm()?;
    let folder = checkout.cache("repro");
    remove(&folder)?;
    // Both copies first: an edit during the first build must not look like another result.
    let roots = ["a", "a/copy/in/a/deeper/folder/with-a-longer-name"]
        .map(|place| folder.join(place).join("mandate"));
    for root in &roots {
        copy(checkout, root)?;
    }
    let mut lists = Vec::new();
    for root in &roots {
        crate::say!("repro: building in {}", root.display());
        let built = guests::build(&Checkout::at(root, checkout.cache_root()), &toolchain)?;
        lists.push(std::fs::read_to_string(built.join("SHA256SUMS"))?);
    }
    remove(&folder)?;
    let (first, rest) = lists.split_first().context("nothing was built")?;
    ensure!(rest.iter().all(|list| list == first), "the copies differ:\n{}", lists.join("\n"));
    crate::say!("repro: both copies are the same bytes");
    crate::say!("{}", first.trim_end());
    Ok(())
}

/// Copies every file of the project: what git tracks and what is new, no build output.
fn copy(checkout: &Checkout, root: &Path) -> anyhow::Result<()> {
    for from in checkout.files()? {
        let to: PathBuf = root.join(from.strip_prefix(checkout.root())?);
        let parent = to.parent().context("a file without a folder")?;
        std::fs::create_dir_all(parent)?;
        std::fs::copy(&from, &to).with_context(|| format!("cannot copy `{}`", from.display()))?;
    }
    Ok(())
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove `{}`", folder.display()))?;
    }
    Ok(())
}
