//! How facts reach the one who decides: signed snapshots and deltas, good ones and others.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mandate_authn::Contract;
use mandate_authz::container::{Kind, Position, SigningKey, Statement, seal};
use mandate_authz::delta;
use mandate_authz::policy::Policy;
use mandate_authz::snapshot::Snapshot;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::case::ModelRecipe;
use super::facts;
use super::memory::Memory;
use super::pointer::{Changes, change_all};
use crate::commands::snapshot::Difference;
use crate::mint::{KeyRing, SeedStream};

/// Whose state is taken, and what is loaded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateRecipe {
    /// The deployment that is configured.
    deployment: String,
    /// The slice that is configured.
    slice: String,
    /// Names of pinned Ed25519 test keys; the first signs.
    keys: Vec<String>,
    /// What was in force before a restart.
    floor: Option<Value>,
    /// One after the other; what is refused is not in force.
    loads: Vec<Load>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Load {
    Delta(DeltaRecipe),
    Snapshot(SnapshotRecipe),
}

/// A snapshot of the facts as they are by then.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotRecipe {
    era: u64,
    epoch: u64,
    issued_at: u64,
    #[serde(default)]
    raw: bool,
    deployment: Option<String>,
    slice: Option<String>,
    sign: Option<String>,
    /// Of another contract than the one in force.
    contract_version: Option<[u32; 3]>,
    #[serde(default)]
    facts: Changes,
    /// A byte that changes on the way, counted from the end.
    damage: Option<usize>,
}

/// What leads from the facts before to the facts with these changes; without any, a heartbeat.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeltaRecipe {
    era: u64,
    base: u64,
    from: u64,
    to: u64,
    issued_at: u64,
    deployment: Option<String>,
    slice: Option<String>,
    sign: Option<String>,
    #[serde(default)]
    facts: Changes,
    /// A byte that changes on the way, counted from the end.
    damage: Option<usize>,
}

/// What the facts are read under.
pub(super) struct Reading<'r> {
    pub(super) contract: &'r Contract,
    pub(super) policy: &'r Policy,
    /// The contract's text.
    pub(super) text: &'r str,
    pub(super) recipe: &'r ModelRecipe,
    pub(super) memory: &'r Memory,
    pub(super) ring: &'r KeyRing,
}

impl StateRecipe {
    /// Whether it is one snapshot of the facts, fresh at this moment, and nothing else.
    pub(super) fn is_ordinary(&self, now: u64) -> bool {
        let [Load::Snapshot(one)] = self.loads.as_slice() else { return false };
        let stated = one.deployment.is_some() || one.slice.is_some() || one.sign.is_some();
        let stated = stated || one.contract_version.is_some();
        let age = now.checked_sub(one.issued_at);
        let plain = !one.raw && !stated && one.facts.is_empty() && one.damage.is_none();
        plain && self.floor.is_none() && age.is_some_and(|age| age <= USUAL_AGE)
    }

    /// The configuration: docs/snapshot-container.md.
    pub(super) fn config(&self) -> Result<Value> {
        let keys = self.keys.iter().map(|name| {
            let jwk: Value = serde_json::from_str(&signing_key(name)?.to_public_jwk())?;
            Ok(jwk)
        });
        let keys = keys.collect::<Result<Vec<Value>>>()?;
        let mut config = json!({"deployment": self.deployment, "slice": self.slice, "keys": keys});
        if let (Some(floor), Some(members)) = (&self.floor, config.as_object_mut()) {
            members.insert("floor".to_owned(), floor.clone());
        }
        Ok(config)
    }

    /// The containers, in their order.
    pub(super) fn containers(&self, facts: &Value, reading: &Reading<'_>) -> Result<Vec<Vec<u8>>> {
        let mut facts = facts.clone();
        let mut containers = Vec::with_capacity(self.loads.len());
        for (at, load) in self.loads.iter().enumerate() {
            let container = self.container(load, &mut facts, reading);
            containers.push(container.with_context(|| format!("state.loads[{at}]"))?);
        }
        Ok(containers)
    }

    fn container(&self, load: &Load, facts: &mut Value, reading: &Reading<'_>) -> Result<Vec<u8>> {
        let before = facts.clone();
        let (kind, raw, position, issued_at, stated) = match load {
            Load::Snapshot(snapshot) => {
                change_all(facts, &snapshot.facts)?;
                let position = Position::new(snapshot.era, snapshot.epoch);
                let stated = Stated::of(&snapshot.deployment, &snapshot.slice, &snapshot.sign);
                (
                    Kind::Snapshot,
                    snapshot.raw,
                    position,
                    snapshot.issued_at,
                    stated.damaged(snapshot.damage),
                )
            }
            Load::Delta(delta) => {
                change_all(facts, &delta.facts)?;
                let kind = Kind::Delta { base: delta.base, from: delta.from };
                let position = Position::new(delta.era, delta.to);
                let stated = Stated::of(&delta.deployment, &delta.slice, &delta.sign);
                (kind, false, position, delta.issued_at, stated.damaged(delta.damage))
            }
        };
        let contract_version = match load {
            Load::Snapshot(SnapshotRecipe { contract_version: Some(version), .. }) => *version,
            Load::Delta(_) | Load::Snapshot(_) => reading.contract.version(),
        };
        let body = match load {
            Load::Snapshot(_) => reading.body(facts)?,
            Load::Delta(_) if before == *facts => Vec::new(),
            Load::Delta(_) => reading.rows(&before, facts)?,
        };
        let statement = Statement {
            kind,
            raw,
            deployment: stated.deployment.unwrap_or(&self.deployment).to_owned(),
            slice: stated.slice.unwrap_or(&self.slice).to_owned(),
            position,
            contract_version,
            issued_at,
        };
        let signer = stated.sign.or_else(|| self.keys.first().map(String::as_str));
        let key = signing_key(signer.context("`keys` is empty")?)?;
        let mut container = seal(&statement, &body, &key)?;
        if let Some(from_end) = stated.damage {
            let at = container.len().checked_sub(from_end).context("`damage`: no such byte")?;
            *container.get_mut(at).context("`damage`: no such byte")? ^= 1;
        }
        Ok(container)
    }
}

/// What a load says otherwise than the configuration.
#[derive(Clone, Copy)]
struct Stated<'s> {
    deployment: Option<&'s str>,
    slice: Option<&'s str>,
    sign: Option<&'s str>,
    damage: Option<usize>,
}

impl<'s> Stated<'s> {
    fn of(
        deployment: &'s Option<String>,
        slice: &'s Option<String>,
        sign: &'s Option<String>,
    ) -> Self {
        Self {
            deployment: deployment.as_deref(),
            slice: slice.as_deref(),
            sign: sign.as_deref(),
            damage: None,
        }
    }

    const fn damaged(self, damage: Option<usize>) -> Self {
        Self { damage, ..self }
    }
}

impl Reading<'_> {
    /// The body of a snapshot. Its seed is fixed: the same fixture gives the same bytes.
    fn body(&self, facts: &Value) -> Result<Vec<u8>> {
        let written = facts::written(facts, self.ring)?;
        let parts = [&format!("{:?}", self.recipe), self.text, &written.to_string()];
        self.memory.body(&parts, || {
            let model = self.memory.model(self.recipe)?;
            Ok(facts::world(&written, model, self.policy)?.build([0; 16])?)
        })
    }

    /// The rows that lead from some facts to others.
    fn rows(&self, before: &Value, after: &Value) -> Result<Vec<u8>> {
        let before = Snapshot::from_body(self.body(before)?)?;
        let after = Snapshot::from_body(self.body(after)?)?;
        Ok(delta::encode(&Difference::between(&before, &after)?.rows())?)
    }
}

/// Seconds that a state may be old where the contract says nothing: `max_age_seconds`.
const USUAL_AGE: u64 = 120;

/// The Ed25519 test key of a name (docs/fixtures.md), for signing states.
fn signing_key(name: &str) -> Result<SigningKey> {
    let seed = SeedStream::new(&format!("mandate fixture key {name}")).take(32);
    let seed: [u8; 32] = seed.try_into().ok().context("32 bytes")?;
    SigningKey::from_seed(seed).with_context(|| format!("key `{name}`"))
}

/// As `ath` has it.
pub(super) fn sha256_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(bytes))
}
