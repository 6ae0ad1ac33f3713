//! What determines a guest's bytes: sources, programs, flags. Equal recipe, equal bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use super::sources::Sources;
use super::{GUESTS, compile};
use crate::checkout::Checkout;
use crate::digest;
use crate::setup::WasmToolchain;

/// The recipe of all guests in one checkout with one toolchain.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    toolchain: String,
    sources: BTreeMap<&'static str, Sources>,
}

impl Recipe {
    /// Reads the checkout and asks the toolchain for its versions.
    ///
    /// # Errors
    /// When a source file cannot be read.
    pub(crate) fn of(checkout: &Checkout, toolchain: &WasmToolchain) -> anyhow::Result<Self> {
        let mut sources = BTreeMap::new();
        for guest in GUESTS {
            sources.insert(guest.package, Sources::of(checkout, guest)?);
        }
        let toolchain = serde_json::to_string_pretty(&toolchain.versions())?;
        Ok(Self { toolchain: format!("{toolchain}\n"), sources })
    }

    /// Digest of names and versions of the programs.
    pub(crate) fn toolchain_digest(&self) -> String {
        digest::text(&self.toolchain)
    }

    /// The files of one guest.
    ///
    /// # Errors
    /// When it is no guest of this recipe.
    pub(crate) fn sources(&self, package: &str) -> anyhow::Result<&Sources> {
        self.sources.get(package).with_context(|| format!("`{package}` is no guest"))
    }

    /// Whether the folder holds what this recipe makes, unchanged since.
    pub(crate) fn is_finished(&self, folder: &Path) -> bool {
        let stamp = std::fs::read_to_string(folder.join(STAMP)).unwrap_or_default();
        stamp == self.stamp() && sums_hold(folder).unwrap_or(false)
    }

    /// Forgets what the folder holds, before it is replaced.
    ///
    /// # Errors
    /// When the stamp cannot be removed.
    pub(crate) fn begin(&self, folder: &Path) -> anyhow::Result<()> {
        let stamp = folder.join(STAMP);
        if stamp.exists() {
            std::fs::remove_file(stamp).context("cannot remove the stamp of target/guests")?;
        }
        Ok(())
    }

    /// Writes the list of digests, the toolchain, and the stamp, in this order.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn finish(
        &self,
        folder: &Path,
        sums: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        let mut list = String::new();
        for (name, sum) in sums {
            let _ = writeln!(list, "{sum}  {name}");
        }
        for (name, content) in
            [(SUMS, &list), ("toolchain.json", &self.toolchain), (STAMP, &self.stamp())]
        {
            super::replace(&folder.join(name), content.as_bytes())?;
        }
        Ok(())
    }

    fn stamp(&self) -> String {
        let digests = self.sources.iter().map(|(name, sources)| (*name, &sources.digest));
        let stamp = json!({
            "steps": compile::STEPS,
            "toolchain": self.toolchain_digest(),
            "sources": digests.collect::<BTreeMap<_, _>>(),
        });
        format!("{stamp}\n")
    }
}

/// Whether every file of the list still has its digest.
fn sums_hold(folder: &Path) -> anyhow::Result<bool> {
    let list = std::fs::read_to_string(folder.join(SUMS))?;
    for line in list.lines() {
        let (sum, name) = line.split_once("  ").context("not a line of a digest list")?;
        if digest::file(&folder.join(name))? != sum {
            return Ok(false);
        }
    }
    Ok(!list.is_empty())
}

const STAMP: &str = "recipe.json";
const SUMS: &str = "SHA256SUMS";
