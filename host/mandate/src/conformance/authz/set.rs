//! All fixtures of authorization: embedded in the binary, or read from a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use include_dir::{Dir, include_dir};
use serde_json::{Map, Value};

use super::fixture::AuthzFixture;
use super::world;

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../contract/fixtures/authz");

/// The folder of the bases.
const WORLDS: &str = "_worlds/";

/// The fixtures and the worlds that they stand on, checked.
#[derive(Clone, Debug)]
pub struct AuthzSet {
    fixtures: Vec<AuthzFixture>,
    worlds: BTreeMap<String, Value>,
}

/// One case with its bytes: what an implementation is asked, and what it should answer.
#[derive(Clone, Debug)]
pub struct Decision {
    /// `FIXTURE/CASE`.
    pub id: String,
    /// The fixture's class.
    pub class: String,
    /// A line of the probe protocol.
    pub line: Value,
    /// Members of the answer.
    pub expect: Map<String, Value>,
}

impl AuthzSet {
    /// The fixtures that travel in the binary.
    ///
    /// # Errors
    /// When one of them is malformed or lacks a sibling.
    pub fn embedded() -> Result<Self> {
        let mut files = BTreeMap::new();
        let folders = EMBEDDED.dirs().flat_map(Dir::files);
        for file in EMBEDDED.files().chain(folders) {
            let path = file.path().to_string_lossy().replace('\\', "/");
            let text = file.contents_utf8().with_context(|| format!("{path}: not UTF-8"))?;
            files.insert(path, text.to_owned());
        }
        Self::read(&files)
    }

    /// The fixtures in a folder, and the worlds in its `_worlds`.
    ///
    /// # Errors
    /// As [`AuthzSet::embedded`], and when a file cannot be read.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for (inside, prefix) in [(folder.to_path_buf(), ""), (folder.join("_worlds"), WORLDS)] {
            let shown = inside.display();
            let entries = fs::read_dir(&inside).with_context(|| format!("cannot read {shown}"))?;
            for entry in entries {
                let path = entry?.path();
                if path.is_file() {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let text = fs::read_to_string(&path)
                        .with_context(|| format!("cannot read {}", path.display()))?;
                    files.insert(format!("{prefix}{name}"), text);
                }
            }
        }
        Self::read(&files)
    }

    fn read(files: &BTreeMap<String, String>) -> Result<Self> {
        let mut set = Self { fixtures: Vec::new(), worlds: BTreeMap::new() };
        for (path, text) in files {
            set.add(path, text, files).with_context(|| path.clone())?;
        }
        let used: BTreeSet<&str> = set.fixtures.iter().map(|one| one.world.as_str()).collect();
        if let Some(unused) = set.worlds.keys().find(|name| !used.contains(name.as_str())) {
            bail!("no fixture stands on the world `{unused}`");
        }
        Ok(set)
    }

    fn add(&mut self, path: &str, text: &str, files: &BTreeMap<String, String>) -> Result<()> {
        if let Some(name) = path.strip_prefix(WORLDS) {
            if let Some(name) = name.strip_suffix(".yaml") {
                let around = files.contains_key(&format!("{WORLDS}{name}.json"));
                ensure!(around, "there is no `{name}.json` beside it");
                return Ok(());
            }
            let name = name.strip_suffix(".json").context("no world")?;
            let facts = files.get(&format!("{WORLDS}{name}.yaml"));
            let facts = facts.with_context(|| format!("there is no `{name}.yaml` beside it"))?;
            self.worlds.insert(name.to_owned(), world::base(text, facts)?);
            return Ok(());
        }
        let name = path.strip_suffix(".json").context("no fixture")?;
        let fixture: AuthzFixture = serde_json::from_str(text)?;
        ensure!(fixture.id == name, "its `id` is `{}`", fixture.id);
        fixture.check()?;
        self.fixtures.push(fixture);
        Ok(())
    }

    /// The fixtures.
    #[must_use]
    pub fn fixtures(&self) -> &[AuthzFixture] {
        &self.fixtures
    }

    /// Every case with its bytes.
    ///
    /// # Errors
    /// When a case cannot be made.
    pub fn decisions(&self) -> Result<Vec<Decision>> {
        let mut decisions = Vec::new();
        for fixture in &self.fixtures {
            let world = self.worlds.get(&fixture.world);
            let world =
                world.with_context(|| format!("{}: no world `{}`", fixture.id, fixture.world))?;
            for (id, case, expect) in fixture.cases(world).with_context(|| fixture.id.clone())? {
                let id = format!("{}/{id}", fixture.id);
                let line = case.line(&id).with_context(|| id.clone())?;
                decisions.push(Decision { id, class: fixture.class().to_owned(), line, expect });
            }
        }
        Ok(decisions)
    }
}
