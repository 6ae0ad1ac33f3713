//! Everything that one decision rests on.

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::gate::{Evidence, GateRecipe, ResponseRecipe, emission};
use super::state::StateRecipe;
use crate::conformance::KeySetRecipe;
use crate::mint::{KeyRing, TokenRecipe, mint, named_keys};

/// A case: the world, what comes with the request, and one question.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What kind of deployment it stands for; for people.
    #[serde(default, rename = "about")]
    _about: String,
    /// Seconds since the epoch.
    pub(super) now: u64,
    /// `contract.json`; absent: relationships alone, for questions of OpenFGA.
    pub(super) contract: Option<Value>,
    /// Key sets of the issuers.
    #[serde(default)]
    pub(super) key_sets: Vec<KeySetRecipe>,
    /// `contract/model`, or the lines of a model.
    pub(super) model: ModelRecipe,
    /// Facts: docs/facts.md, with placeholders.
    pub(super) facts: Value,
    /// How the facts reach the one who decides.
    pub(super) state: Option<StateRecipe>,
    /// The bearer token.
    token: Option<TokenRecipe>,
    /// Headers `Mandate-Agent-Context`.
    #[serde(default)]
    agent_contexts: Vec<TokenRecipe>,
    /// The client certificate that was verified on this connection.
    certificate_sha256: Option<String>,
    /// Instead of a token: whom the caller names.
    assertion: Option<Value>,
    /// What is to be done.
    pub(super) request: Option<Value>,
    /// Instead of a request: OpenFGA's Check.
    pub(super) check: Option<Map<String, Value>>,
    /// Instead of a request: what comes to the gate.
    pub(super) gate: Option<GateRecipe>,
    /// The secret that seals the ids of sessions.
    pub(super) sealing: Option<String>,
    /// What the server answers to what passed the gate.
    pub(super) response: Option<ResponseRecipe>,
}

/// A model: by the name of its folder, or line by line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum ModelRecipe {
    Folder(String),
    Lines(Vec<String>),
}

impl Case {
    /// The test keys that it uses.
    pub(super) fn key_names(&self) -> Vec<&str> {
        let tokens = self.token.iter().chain(&self.agent_contexts);
        let mut names: Vec<&str> = tokens.flat_map(TokenRecipe::key_names).collect();
        names.extend(self.key_sets.iter().flat_map(KeySetRecipe::key_names));
        names.extend(named_keys(&self.facts));
        names
    }

    /// The question of docs/authorize.md, with the token's bytes.
    pub(super) fn question(&self, ring: &KeyRing) -> Result<Value> {
        if let Some(gate) = &self.gate {
            return self.at_the_gate(gate, ring);
        }
        let request = self.request.as_ref().context("`request` is missing")?;
        let mut question = json!({"now": self.now, "request": request});
        let members = question.as_object_mut().context("a question")?;
        match (&self.token, &self.assertion) {
            (Some(_), None) => {
                let (token, contexts) = self.minted(ring)?;
                members.insert("agent_contexts".to_owned(), json!(contexts));
                members.insert("token".to_owned(), json!(token));
                if let Some(certificate) = &self.certificate_sha256 {
                    members.insert("certificate_sha256".to_owned(), json!(certificate));
                }
            }
            (None, Some(assertion)) => {
                let beside = !self.agent_contexts.is_empty() || self.certificate_sha256.is_some();
                ensure!(!beside, "an assertion comes with no evidence");
                members.insert("assertion".to_owned(), assertion.clone());
            }
            _ => bail!("either `token` or `assertion`"),
        }
        Ok(question)
    }

    fn at_the_gate(&self, gate: &GateRecipe, ring: &KeyRing) -> Result<Value> {
        let (token, contexts) = self.minted(ring)?;
        let request = gate.request(&self.evidence(token.as_deref(), &contexts))?;
        Ok(json!({"now": self.now, "emission": emission(), "request": request}))
    }

    /// What the server answers, if it is asked.
    pub(super) fn answered(&self, ring: &KeyRing) -> Result<Option<Value>> {
        let Some(response) = &self.response else { return Ok(None) };
        let (token, contexts) = self.minted(ring)?;
        response.response(&self.evidence(token.as_deref(), &contexts)).map(Some)
    }

    /// The token and the contexts that are bound to it.
    fn minted(&self, ring: &KeyRing) -> Result<(Option<String>, Vec<String>)> {
        let token = self.token.as_ref().map(|recipe| mint(recipe, ring)).transpose();
        let token = token.context("token")?;
        let bound = token.as_deref().unwrap_or_default();
        let contexts =
            self.agent_contexts.iter().map(|recipe| mint(&bound_to(recipe, bound), ring));
        let contexts = contexts.collect::<Result<_>>().context("agent context")?;
        Ok((token, contexts))
    }

    fn evidence<'e>(&'e self, token: Option<&'e str>, contexts: &'e [String]) -> Evidence<'e> {
        Evidence { token, contexts, sealing: self.sealing.as_deref() }
    }

    /// Checks that it asks one thing.
    pub(super) fn check_form(&self) -> Result<()> {
        match (&self.check, &self.contract) {
            (Some(_), None) => {
                let beside = self.token.is_some()
                    || self.assertion.is_some()
                    || self.request.is_some()
                    || self.gate.is_some()
                    || self.state.is_some();
                ensure!(!beside, "`check` asks about relationships alone");
            }
            (None, Some(_)) => ensure!(self.state.is_some(), "`state` is missing"),
            (Some(_), Some(_)) => bail!("`check` needs no contract"),
            (None, None) => bail!("neither `contract` nor `check`"),
        }
        let at_the_gate = self.sealing.is_some() || self.response.is_some();
        let elsewhere =
            self.request.is_some() || self.assertion.is_some() || self.certificate_sha256.is_some();
        ensure!(self.gate.is_some() || !at_the_gate, "`sealing` and `response` are the gate's");
        ensure!(self.gate.is_none() || !elsewhere, "`gate` stands for itself");
        Ok(())
    }
}

/// `{"$token-hash": {}}` in a context becomes the hash of the token that it comes with.
fn bound_to(recipe: &TokenRecipe, token: &str) -> TokenRecipe {
    let mut bound = recipe.clone();
    let placeholder = json!({"$token-hash": {}});
    if let Some(members) = bound.claims.as_object_mut() {
        for value in members.values_mut().filter(|value| **value == placeholder) {
            *value = json!(super::state::sha256_base64url(token.as_bytes()));
        }
    }
    bound
}
