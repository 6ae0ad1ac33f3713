//! All fixtures: embedded in the binary, or read from a folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use include_dir::{Dir, include_dir};
use serde_json::Value;

use super::fixture::{Base, Fixture, Verdict};
use crate::mint::KeyRing;

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../contract/fixtures/authn");

/// The folder of the bases.
const BASES: &str = "_contracts/";

/// The fixtures and the bases that they stand on, checked.
#[derive(Debug, Clone)]
pub struct FixtureSet {
    fixtures: Vec<Fixture>,
    bases: BTreeMap<String, Base>,
}

/// A fixture with its bytes: what an implementation is asked, and what it should answer.
#[derive(Debug, Clone)]
pub struct Concrete {
    /// The fixture.
    pub fixture: Fixture,
    /// The request of the probe protocol.
    pub request: Value,
}

impl FixtureSet {
    /// The fixtures that travel in the binary.
    ///
    /// # Errors
    /// When one of them is malformed, lacks its twin or is no fixture.
    pub fn embedded() -> Result<Self> {
        Self::from_files(&embedded_files(&EMBEDDED)?)
    }

    /// The fixtures of a folder, its bases in `_contracts/`.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file in it is malformed, lacks its twin or is no fixture.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for prefix in ["", BASES] {
            let folder = folder.join(prefix);
            let entries = fs::read_dir(&folder)
                .with_context(|| format!("cannot read {}", folder.display()))?;
            for entry in entries {
                let entry = entry?;
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if entry.file_type()?.is_dir() {
                    ensure!(format!("{name}/") == BASES, "{name}: an unknown folder");
                    continue;
                }
                let text = fs::read_to_string(entry.path())
                    .with_context(|| format!("cannot read {}", entry.path().display()))?;
                files.insert(name, text);
            }
        }
        Self::from_files(&files)
    }

    fn from_files(files: &BTreeMap<String, String>) -> Result<Self> {
        let mut set = Self { fixtures: Vec::new(), bases: BTreeMap::new() };
        for (path, text) in files {
            // A file that nobody reads would be a test that nobody runs.
            let name = path.strip_suffix(".json").with_context(|| format!("{path}: no fixture"))?;
            if let Some(name) = name.strip_prefix(BASES) {
                let base = serde_json::from_str(text).with_context(|| path.clone())?;
                set.bases.insert(name.to_owned(), base);
            } else {
                let fixture: Fixture = serde_json::from_str(text).with_context(|| path.clone())?;
                ensure!(fixture.id == name, "{path}: its `id` is `{}`", fixture.id);
                fixture.check().with_context(|| path.clone())?;
                set.fixtures.push(fixture);
            }
        }
        ensure!(!set.fixtures.is_empty(), "no fixtures");
        set.check()?;
        Ok(set)
    }

    /// Every twin is an accepted fixture, every base exists and is used.
    fn check(&self) -> Result<()> {
        let accepted: BTreeSet<&str> = self
            .fixtures
            .iter()
            .filter(|fixture| fixture.expect.verdict == Verdict::Allow)
            .map(|fixture| fixture.id.as_str())
            .collect();
        let mut unused: BTreeSet<&str> = self.bases.keys().map(String::as_str).collect();
        for fixture in &self.fixtures {
            if let Some(twin) = &fixture.twin
                && (!accepted.contains(twin.as_str()) || *twin == fixture.id)
            {
                bail!("{}: its twin `{twin}` is no accepted fixture", fixture.id);
            }
            self.base(fixture)?;
            unused.remove(fixture.contract.as_str());
        }
        ensure!(unused.is_empty(), "{BASES}: no fixture uses {unused:?}");
        Ok(())
    }

    /// The fixtures, by id.
    #[must_use]
    pub fn fixtures(&self) -> &[Fixture] {
        &self.fixtures
    }

    /// The base that a fixture stands on.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn base(&self, fixture: &Fixture) -> Result<&Base> {
        let name = &fixture.contract;
        self.bases.get(name).with_context(|| format!("{}: no base `{name}`", fixture.id))
    }

    /// The fixtures whose id matches a pattern, in which `*` stands for any text.
    #[must_use]
    pub fn only(&self, pattern: &str) -> Self {
        let mut set = self.clone();
        set.fixtures.retain(|fixture| matches(pattern, &fixture.id));
        set
    }

    /// Makes every token: keys in parallel first, each once.
    ///
    /// # Errors
    /// When a recipe cannot be followed.
    pub fn concrete(&self) -> Result<Vec<Concrete>> {
        let mut names = BTreeSet::new();
        for fixture in &self.fixtures {
            names.extend(fixture.key_names(self.base(fixture)?));
        }
        let ring = KeyRing::with_keys(names.iter().map(String::as_str))?;
        self.fixtures
            .iter()
            .map(|fixture| {
                let request = fixture
                    .request(self.base(fixture)?, &ring)
                    .with_context(|| format!("fixture `{}`", fixture.id))?;
                Ok(Concrete { fixture: fixture.clone(), request })
            })
            .collect()
    }
}

/// The files of a folder that travels in the binary, and of the folders in it, by path.
pub(super) fn embedded_files(folder: &Dir<'_>) -> Result<BTreeMap<String, String>> {
    let inner = folder.dirs().flat_map(Dir::files);
    let files = folder.files().chain(inner).map(|file| {
        let path = file.path().to_string_lossy().replace('\\', "/");
        let text = file.contents_utf8().with_context(|| format!("{path}: not UTF-8"))?;
        Ok((path, text.to_owned()))
    });
    files.collect()
}

/// Whether the whole text matches; `*` stands for any text, the empty one included.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices()
                .map(|(place, _)| place)
                .chain([text.len()])
                .any(|place| text.get(place..).is_some_and(|text| matches(rest, text)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("aud-*", "aud-array", true),
            ("aud-*", "aud-", true),
            ("aud-*", "alg-none", false),
            ("*-none*", "alg-none-upper", true),
            ("aud", "aud-array", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
