//! From a case to one line of the probe protocol.

use anyhow::{Context, Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mandate_authn::Contract;
use mandate_authz::policy::Policy;
use serde_json::{Value, json};

use super::case::Case;
use super::facts;
use super::state::Reading;
use crate::conformance::KeySetRecipe;
use crate::mint::KeyRing;

impl Case {
    /// The line: `decide` with trust, state and containers, or `check` with model and tuples.
    pub(super) fn line(&self, id: &str) -> Result<Value> {
        let names = self.key_names();
        let ring = KeyRing::with_keys(names)?;
        match (&self.check, &self.contract) {
            (Some(check), _) => {
                let written = facts::written(&self.facts, &ring)?;
                let mut line = json!({
                    "id": id,
                    "op": "check",
                    "model": self.model.model()?.to_json(),
                    "tuples": facts::tuples(&written)?,
                });
                let members = line.as_object_mut().context("a line")?;
                members.extend(check.iter().map(|(name, value)| (name.clone(), value.clone())));
                Ok(line)
            }
            (None, Some(contract)) => self.decide(id, contract, &ring),
            (None, None) => Err(anyhow!("neither `contract` nor `check`")),
        }
    }

    fn decide(&self, id: &str, contract: &Value, ring: &KeyRing) -> Result<Value> {
        let read = Contract::parse(&contract.to_string()).context("contract")?;
        let policy = Policy::from_contract(&read).context("contract")?;
        let key_sets = self.key_sets.iter().map(|recipe: &KeySetRecipe| recipe.build(ring));
        let key_sets = key_sets.collect::<Result<Vec<Value>>>()?;
        let state = self.state.as_ref().context("`state` is missing")?;
        let containers = match &policy {
            // Without a policy nobody knows what the facts mean; it is missed before they count.
            None => Vec::new(),
            Some(policy) => {
                let model = self.model.model()?;
                let reading = Reading { contract: &read, policy, model: &model, ring };
                state.containers(&self.facts, &reading)?
            }
        };
        let containers: Vec<String> =
            containers.iter().map(|container| STANDARD.encode(container)).collect();
        Ok(json!({
            "id": id,
            "op": "decide",
            "trust": {"contract": contract, "key_sets": key_sets},
            "state": state.config()?,
            "containers": containers,
            "question": self.question(ring)?,
        }))
    }
}
