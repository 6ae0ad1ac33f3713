//! What a file of `contract/fixtures/snapshot` says, and the snapshot that is made of it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cli::{Folder, NOW, Ran, contract, mandate};
use crate::damage;

/// One fixture.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) id: String,
    pub(crate) world: String,
    pub(crate) says: Says,
}

/// What must come of it.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// It is read, whole.
    Reads { reading: Value, checks: Checks },
    /// It is damaged, or the consumer is told something else, and is refused.
    Refuses { damage: Vec<Damage>, configuration: Map<String, Value>, refused: Refused },
    /// No snapshot is made.
    Unbuildable { line: String },
}

/// Questions by their answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checks {
    #[serde(default)]
    pub(crate) allow: Vec<Value>,
    #[serde(default)]
    pub(crate) deny: Vec<Value>,
    #[serde(default)]
    pub(crate) failed: Vec<Value>,
}

/// Why it is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refused {
    pub(crate) reason: String,
    /// Where: readers may meet the damage in either place first.
    pub(crate) parts: Vec<String>,
}

/// One change of the bytes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Damage {
    /// `file` as it is; `header`, `body` or a section of it, which are signed again.
    pub(crate) of: String,
    /// Bytes from the start, or before the end where it is negative.
    pub(crate) at: Option<i64>,
    /// The word with this number in place of `at`.
    pub(crate) word: Option<i64>,
    /// The slot with this number among those that hold a name, or hold none.
    pub(crate) taken: Option<usize>,
    pub(crate) free: Option<usize>,
    /// What is done there: other bytes, other bits, a sum, bytes removed or put in.
    pub(crate) set: Option<String>,
    pub(crate) xor: Option<String>,
    pub(crate) add: Option<i64>,
    pub(crate) cut: Option<usize>,
    pub(crate) insert: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    why: String,
    world: String,
    reading: Option<Value>,
    #[serde(default)]
    checks: Checks,
    #[serde(default)]
    damage: Vec<Damage>,
    #[serde(default)]
    configuration: Map<String, Value>,
    refused: Option<Refused>,
    unbuildable: Option<String>,
}

impl Recipe {
    /// Every recipe, in the order of their names.
    pub(crate) fn all() -> Vec<Self> {
        let folder = std::fs::read_dir(fixtures()).unwrap();
        let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| !path.ends_with("_worlds"));
        files.sort();
        files.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let file: File = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
        assert_eq!(path.file_name().unwrap(), format!("{}.json", file.id).as_str());
        assert!(!file.why.is_empty(), "{}: why?", file.id);
        let says = match (file.reading, file.refused, file.unbuildable) {
            (Some(reading), None, None) => Says::Reads { reading, checks: file.checks },
            (None, Some(refused), None) => {
                Says::Refuses { damage: file.damage, configuration: file.configuration, refused }
            }
            (None, None, Some(line)) => Says::Unbuildable { line },
            _ => panic!("{}: one of `reading`, `refused`, `unbuildable`", file.id),
        };
        Self { id: file.id, world: file.world, says }
    }
}

/// A snapshot of this run.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) container: Vec<u8>,
    /// The private JWK that has signed it.
    pub(crate) key: Value,
    public: Value,
    /// A public key that has signed nothing.
    pub(crate) other_public: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct World {
    #[expect(dead_code, reason = "for people")]
    about: String,
    model: String,
    facts: String,
    /// What the contract says about decisions; without it the snapshot is raw.
    authz: Option<Value>,
}

impl Built {
    /// Makes the snapshot of a world.
    pub(crate) fn new(folder: &Folder, world: &str) -> Self {
        let (ran, _) = Self::attempt(folder, world);
        assert_eq!(ran.code, 0, "{world}: {ran:?}");
        Self::of(folder, world)
    }

    /// Builds: the run, and the path of the facts.
    pub(crate) fn attempt(folder: &Folder, name: &str) -> (Ran, String) {
        let worlds = fixtures().join("_worlds");
        let text = std::fs::read_to_string(worlds.join(format!("{name}.json"))).unwrap();
        let world: World =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let path = |file: &str| worlds.join(file).to_str().unwrap().to_owned();
        let contract = world.authz.map(|authz| {
            let mut contract = contract();
            contract["issuers"][0]["tenants"] = json!(["acme", "globex"]);
            contract["authz"] = authz;
            folder.write(&format!("{name}.contract.json"), contract.to_string())
        });
        let facts = path(&world.facts);
        (Self::build(folder, name, &path(&world.model), &facts, contract.as_deref()), facts)
    }

    /// The same header, signed anew over another body.
    pub(crate) fn with_body(self, body: &[u8]) -> Self {
        let container = damage::with_body(&self.container, body, &self.key);
        Self { container, ..self }
    }

    fn build(folder: &Folder, name: &str, model: &str, facts: &str, contract: Option<&str>) -> Ran {
        for key in ["key", "other"] {
            let [private, public] =
                ["private", "public"].map(|half| folder.path(&format!("{name}.{key}.{half}")));
            let made = mandate(&["snapshot", "keygen", "-o", &private, "--public", &public]);
            assert_eq!(made.code, 0, "{made:?}");
        }
        let (key, output) =
            (folder.path(&format!("{name}.key.private")), folder.path(&format!("{name}.mandate")));
        let now = NOW.to_string();
        let mut arguments = vec!["snapshot", "build", "--model", model, "--facts", facts];
        arguments.extend(["--key", &key, "--deployment", "test", "--now", &now]);
        arguments.extend(["--era", "1", "--epoch", "7", "--output", &output]);
        match contract {
            Some(contract) => arguments.extend(["--contract", contract]),
            None => arguments.push("--raw"),
        }
        mandate(&arguments)
    }

    fn of(folder: &Folder, name: &str) -> Self {
        let read = |file: &str| std::fs::read(folder.path(&format!("{name}.{file}"))).unwrap();
        let jwk = |file| serde_json::from_slice(&read(file)).unwrap();
        Self {
            container: read("mandate"),
            key: jwk("key.private"),
            public: jwk("key.public"),
            other_public: jwk("other.public"),
        }
    }

    /// What a reader is asked: docs/snapshot.md#second-reader.
    pub(crate) fn question(&self, id: usize, container: &[u8], checks: &[Value]) -> Value {
        json!({
            "id": id,
            "configuration": { "deployment": "test", "slice": "all", "keys": [self.public] },
            "snapshot": STANDARD.encode(container),
            "checks": checks,
        })
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contract/fixtures/snapshot")
}
