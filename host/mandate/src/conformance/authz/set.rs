//! All fixtures of authorization, or of the gate: embedded in the binary, or read from a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use include_dir::{Dir, include_dir};
use serde_json::{Map, Value};

use super::fixture::{AuthzFixture, Prepared};
use super::ground::Worlds;
use super::memory::Memory;
use super::world;
use crate::conformance::fixture_set::{embedded_files, matches};

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../contract/fixtures/authz");
static GATE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../contract/fixtures/gate");

/// The folder of the bases.
const WORLDS: &str = "_worlds/";

/// Which cases show which sentence of the contract: `cargo xtask check fixtures` reads it.
const CONDUCT: &str = "_conduct.json";

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
    /// The fixture's class, after `authz/` or `gate/`.
    pub class: String,
    /// What it shows.
    pub why: String,
    /// Of a denied case, the allowed one that it differs from.
    pub twin: Option<String>,
    /// A line of the probe protocol; `null` where it cannot be asked.
    pub line: Value,
    /// Why it cannot be asked.
    pub skip: Option<&'static str>,
    /// Members of the answer.
    pub expect: Map<String, Value>,
}

impl AuthzSet {
    /// The fixtures that travel in the binary.
    ///
    /// # Errors
    /// When one of them is malformed or lacks a sibling.
    pub fn embedded() -> Result<Self> {
        Self::read(&embedded_files(&EMBEDDED)?)
    }

    /// The fixtures of the gate that travel in the binary.
    ///
    /// # Errors
    /// As [`AuthzSet::embedded`].
    pub fn embedded_gate() -> Result<Self> {
        Self::read(&embedded_files(&GATE)?)
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
        for (path, text) in files.iter().filter(|(path, _)| *path != CONDUCT) {
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

    /// Whether they ask a gate.
    pub(in crate::conformance) fn is_of_the_gate(&self) -> bool {
        self.worlds.values().any(|world| world.get("gate").is_some())
    }

    /// Whether a pattern names a fixture or one of its cases; `*` stands for any text.
    pub(in crate::conformance) fn names(&self, pattern: &str) -> bool {
        self.fixtures.iter().flat_map(AuthzFixture::case_ids).any(|id| is_named(pattern, &id))
    }

    /// Every case with its bytes.
    ///
    /// # Errors
    /// The cases that cannot be made, each with the reason.
    pub fn decisions(&self) -> Result<Vec<Decision>> {
        self.decisions_of("*", Worlds::Containers)
    }

    /// The cases with their bytes that a pattern names: `FIXTURE` or `FIXTURE/CASE`, where `*`
    /// stands for any text.
    ///
    /// # Errors
    /// As [`AuthzSet::decisions`].
    pub fn decisions_of(&self, pattern: &str, worlds: Worlds) -> Result<Vec<Decision>> {
        self.decisions_at(&|id| is_named(pattern, id), worlds, None)
    }

    /// The cases that are wanted, by `FIXTURE/CASE`, each moved so that it is asked at a moment where
    /// one is given: every moment in it, of tokens, snapshots, dates and expectations, moves by as
    /// much.
    ///
    /// # Errors
    /// As [`AuthzSet::decisions`].
    pub(in crate::conformance) fn decisions_at(
        &self,
        wanted: &dyn Fn(&str) -> bool,
        worlds: Worlds,
        at: Option<u64>,
    ) -> Result<Vec<Decision>> {
        let memory = Memory::default();
        let mut decisions = Vec::new();
        let mut failures = Vec::new();
        for fixture in &self.fixtures {
            let world = self.worlds.get(&fixture.world);
            let world =
                world.with_context(|| format!("{}: no world `{}`", fixture.id, fixture.world))?;
            for prepared in fixture.cases(world, wanted, at).with_context(|| fixture.id.clone())? {
                match decision(fixture, prepared, &memory, worlds) {
                    Ok(decision) => decisions.push(decision),
                    Err(error) => failures.push(format!("{error:#}")),
                }
            }
        }
        ensure!(failures.is_empty(), "{}", failures.join("; "));
        Ok(decisions)
    }
}

/// Whether a pattern names a case, or the fixture that it is of.
pub(in crate::conformance) fn is_named(pattern: &str, id: &str) -> bool {
    let fixture = id.split_once('/').map_or(id, |(fixture, _)| fixture);
    matches(pattern, fixture) || matches(pattern, id)
}

fn decision(
    fixture: &AuthzFixture,
    prepared: Prepared,
    memory: &Memory,
    worlds: Worlds,
) -> Result<Decision> {
    let Prepared { id, why, twin, case, mut expect } = prepared;
    let id = format!("{}/{id}", fixture.id);
    let skip = case.unaskable(worlds);
    let line = match skip {
        Some(_) => Value::Null,
        None => case.line(&id, memory, worlds).with_context(|| id.clone())?,
    };
    if worlds == Worlds::Facts {
        // Facts have no place in the registry's history.
        expect.retain(|name, _| name != "epoch" && name != "era");
        if let Some(Value::Object(audit)) = expect.get_mut("audit") {
            audit.retain(|name, _| name != "epoch" && name != "era");
        }
    }
    let why = if why.is_empty() { fixture.why.clone() } else { why };
    let twin = twin.map(|twin| format!("{}/{twin}", fixture.id));
    let door = if case.gate.is_some() { "gate" } else { "authz" };
    let class = format!("{door}/{}", fixture.class());
    Ok(Decision { id, class, why, twin, line, skip, expect })
}
