//! From a case to one line of the probe protocol.

use anyhow::{Context, Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;
use mandate_authn::Contract;
use mandate_authz::policy::Policy;
use serde_json::{Value, json};

use super::case::Case;
use super::facts;
use super::gate::GateRecipe;
use super::memory::Memory;
use super::state::Reading;
use crate::conformance::KeySetRecipe;
use crate::mint::KeyRing;

/// What a decision is made on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Worlds {
    /// Signed snapshots and deltas, as consumers get them.
    #[default]
    Containers,
    /// A model and facts, for who reads no snapshots.
    Facts,
}

impl Case {
    /// Why it cannot be asked in this form.
    pub(super) fn unaskable(&self, worlds: Worlds) -> Option<&'static str> {
        let ordinary = self.state.as_ref().is_none_or(|state| state.is_ordinary(self.now));
        let needs = || self.request.as_ref().is_some_and(|one| one.get("minimum_epoch").is_some());
        let counts = || self.gate.as_ref().is_some_and(GateRecipe::names_an_epoch);
        let policy = self.contract.as_ref().is_none_or(|contract| contract.get("authz").is_some());
        match worlds {
            Worlds::Containers => None,
            Worlds::Facts if !policy => Some("without a policy facts mean nothing"),
            Worlds::Facts if ordinary && !needs() && !counts() => None,
            Worlds::Facts => Some("it is about snapshots, deltas or their age"),
        }
    }

    /// The line: `decide` with trust, state and containers, or `check` with model and tuples.
    pub(super) fn line(&self, id: &str, memory: &Memory, worlds: Worlds) -> Result<Value> {
        let names = self.key_names();
        let ring = KeyRing::with_keys(names)?;
        match (&self.check, &self.contract) {
            (Some(check), _) => {
                let written = facts::written(&self.facts, &ring)?;
                let mut line = json!({
                    "id": id,
                    "op": "check",
                    "model": memory.model(&self.model)?.to_json(),
                    "tuples": facts::tuples(&written)?,
                });
                let members = line.as_object_mut().context("a line")?;
                members.extend(check.iter().map(|(name, value)| (name.clone(), value.clone())));
                Ok(line)
            }
            (None, Some(contract)) => match worlds {
                Worlds::Containers => self.on_containers(id, contract, &ring, memory),
                Worlds::Facts => self.on_facts(id, contract, &ring, memory),
            },
            (None, None) => Err(anyhow!("neither `contract` nor `check`")),
        }
    }

    fn on_containers(
        &self,
        id: &str,
        contract: &Value,
        ring: &KeyRing,
        memory: &Memory,
    ) -> Result<Value> {
        let text = contract.to_string();
        let read = Contract::parse(&text).context("contract")?;
        let policy = Policy::from_contract(&read).context("contract")?;
        let key_sets = self.key_sets.iter().map(|recipe: &KeySetRecipe| recipe.build(ring));
        let key_sets = key_sets.collect::<Result<Vec<Value>>>()?;
        let state = self.state.as_ref().context("`state` is missing")?;
        let containers = match &policy {
            // Without a policy nobody knows what the facts mean; it is missed before they count.
            None => Vec::new(),
            Some(policy) => {
                let (text, recipe) = (text.as_str(), &self.model);
                let reading = Reading { contract: &read, policy, text, recipe, memory, ring };
                state.containers(&self.facts, &reading)?
            }
        };
        let containers: Vec<String> =
            containers.iter().map(|container| STANDARD.encode(container)).collect();
        let line = json!({
            "id": id,
            "trust": {"contract": contract, "key_sets": key_sets},
            "state": state.config()?,
            "containers": containers,
        });
        self.asking(line, ring)
    }

    fn on_facts(
        &self,
        id: &str,
        contract: &Value,
        ring: &KeyRing,
        memory: &Memory,
    ) -> Result<Value> {
        let key_sets = self.key_sets.iter().map(|recipe: &KeySetRecipe| recipe.build(ring));
        let key_sets = key_sets.collect::<Result<Vec<Value>>>()?;
        let line = json!({
            "id": id,
            "trust": {"contract": contract, "key_sets": key_sets},
            "model": memory.model(&self.model)?.to_json(),
            "facts": facts::written(&self.facts, ring)?.to_string(),
        });
        self.asking(line, ring)
    }

    /// The line with its question.
    fn asking(&self, mut line: Value, ring: &KeyRing) -> Result<Value> {
        let response = self.answered(ring)?;
        let operation = match (&self.gate, &response) {
            (None, _) => "decide",
            (Some(_), None) => "gate",
            (Some(_), Some(_)) => "filter-list",
        };
        let members = line.as_object_mut().context("a line")?;
        members.insert("op".to_owned(), json!(operation));
        members.insert("question".to_owned(), self.question(ring)?);
        members.extend(response.map(|response| ("response".to_owned(), response)));
        let sealing = self.sealing.as_ref().map(|secret| json!(secret));
        members.extend(sealing.map(|secret| ("sealing".to_owned(), secret)));
        Ok(line)
    }
}
