//! An engine with a contract, keys and a snapshot.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};

use crate::commands::contract_file::ContractFile;
use crate::commands::runner::Runner;
use crate::commands::session::KeyOptions;
use crate::commands::snapshot::container_file::ContainerFile;
use crate::commands::snapshot::key_file::PinnedKeys;
use crate::engine::{Engine, LocalState};
use crate::keys::{KeySources, Refresh, quoted, refresh};
use crate::plugin::PluginChoice;

/// What decides the questions of one command.
pub(in crate::commands) struct Decider {
    engine: Box<dyn Engine>,
    pub(in crate::commands) contract: ContractFile,
    sources: KeySources,
}

impl Decider {
    /// Loads the contract and the key files. Nothing is fetched, no snapshot is loaded.
    pub(in crate::commands) fn open(
        (runner, plugin): (&Runner, &PluginChoice),
        contract: &Path,
        keys: &KeyOptions,
        now: u64,
    ) -> anyhow::Result<Self> {
        // A contract without `authz` denies everything: nobody means that.
        let (contract, _) = ContractFile::read_with_policy(contract)?;
        let sources = keys.sources(&contract, now)?;
        let mut decider = Self { engine: runner.engine(plugin)?, contract, sources };
        decider.load_trust()?;
        Ok(decider)
    }

    /// Loads a snapshot and the deltas that follow on it, as a consumer would.
    pub(in crate::commands) fn load(
        &mut self,
        snapshot: &ContainerFile,
        deltas: &[ContainerFile],
        pins: &PinnedKeys,
    ) -> anyhow::Result<()> {
        let keys: Result<Vec<Value>, _> =
            pins.texts.iter().map(|text| serde_json::from_str(text)).collect();
        let statement = &snapshot.header.statement;
        let config = json!({
            "deployment": statement.deployment, "slice": statement.slice, "keys": keys?,
        });
        self.engine.configure_state(&config.to_string())?;
        let refused =
            |file: &ContainerFile, error| anyhow!("snapshot `{}`: {error}", file.path.display());
        self.engine.load(&snapshot.bytes).map_err(|error| refused(snapshot, error))?;
        for delta in deltas {
            self.engine.apply_delta(&delta.bytes).map_err(|error| refused(delta, error))?;
        }
        Ok(())
    }

    /// Loads a snapshot that was verified already, without looking at its age: a heartbeat of the
    /// returned state says for which moment it counts as current.
    pub(in crate::commands) fn load_for_any_time(
        &mut self,
        snapshot: &ContainerFile,
    ) -> anyhow::Result<LocalState> {
        let statement = &snapshot.header.statement;
        let state = LocalState::new(statement.raw, statement.contract_version)?.at(statement);
        self.engine.configure_state(&state.config()?)?;
        self.engine
            .load(&state.snapshot(snapshot.body())?)
            .map_err(|error| anyhow!("snapshot `{}`: {error}", snapshot.path.display()))?;
        Ok(state)
    }

    /// Applies a delta or a heartbeat.
    pub(in crate::commands) fn apply(&mut self, delta: &[u8]) -> anyhow::Result<()> {
        Ok(self.engine.apply_delta(delta)?)
    }

    /// Decides. Where an issuer's keys are wanted, they are fetched, once, and it is asked again.
    pub(in crate::commands) fn decide(
        &mut self,
        question: &Value,
        now: u64,
    ) -> anyhow::Result<Value> {
        let answer = self.ask(question)?;
        let Some(issuer) = answer.get("refresh").and_then(Value::as_str) else { return Ok(answer) };
        match refresh(&mut self.sources, issuer, now) {
            Some(Refresh::Fetched) => {
                self.load_trust()?;
                self.ask(question)
            }
            Some(Refresh::Failed(error)) => Err(anyhow!("the keys of {}: {error}", quoted(issuer))),
            Some(Refresh::TooSoon { .. }) | None => Ok(answer),
        }
    }

    /// Decides with the keys that are here.
    pub(in crate::commands) fn ask(&mut self, question: &Value) -> anyhow::Result<Value> {
        let text = question.to_string();
        let answer = if question.get("assertion").is_some() {
            self.engine.decide_for(&text)?
        } else {
            self.engine.authorize(&text)?
        };
        serde_json::from_str(&answer).context("the answer is no JSON")
    }

    fn load_trust(&mut self) -> anyhow::Result<()> {
        let trust = self.sources.document(&self.contract.value).to_string();
        self.engine.load_trust(&trust).context("the trust does not load")
    }
}
