//! One fixture: what a file under `contract/fixtures/authn` says.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use super::key_set_recipe::KeySetRecipe;
use crate::mint::{KeyRing, TokenRecipe, mint};

/// One token, one moment, one answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// The file's name without `.json`; its first word is the fixture's class.
    pub id: String,
    /// What it stops or keeps working, with the section that says so.
    pub why: String,
    /// What the fixture is about.
    #[serde(default)]
    pub kind: FixtureKind,
    /// Now, in seconds since the epoch.
    pub now: u64,
    /// The base under `_contracts/`.
    pub contract: String,
    /// Changes of the base's contract: JSON Pointer (RFC 6901) to new value; `null` removes.
    #[serde(default)]
    pub patch: BTreeMap<String, Value>,
    /// The key sets; absent: the base's.
    #[serde(default)]
    pub key_sets: Option<Vec<KeySetRecipe>>,
    /// The audience of the route; absent: the base's; `null`: the request names none.
    #[serde(default, deserialize_with = "present")]
    pub audience: Option<Option<String>>,
    /// SHA-256 of the verified client certificate, base64url.
    #[serde(default)]
    pub certificate_sha256: Option<String>,
    /// The token; absent: the base's.
    #[serde(default)]
    pub token: TokenRecipe,
    /// The answer.
    pub expect: Expectation,
    /// The accepted fixture that differs by one fact.
    #[serde(default)]
    pub twin: Option<String>,
}

/// What a fixture is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixtureKind {
    /// The trust document must not load; `expect.path` names the member.
    Load,
    /// The token.
    #[default]
    Validate,
}

/// What a file under `_contracts/` says: what most fixtures share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// What kind of deployment it stands for.
    pub about: String,
    /// The contract (`contract.json`).
    pub contract: Value,
    /// Its issuers' key sets.
    pub key_sets: Vec<KeySetRecipe>,
    /// The audience of the route.
    pub audience: String,
    /// A token that this base accepts.
    pub token: TokenRecipe,
}

/// The answer that a fixture expects.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Allow or deny.
    pub verdict: Verdict,
    /// A code of `contract/reason-codes.toml`.
    pub reason: String,
    /// The verified token, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Value>,
    /// The issuer whose key set is to be fetched again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// For kind `load`: the member that the error names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Allow or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Refused.
    Deny,
    /// Accepted.
    Allow,
}

impl Fixture {
    /// The id's first word.
    #[must_use]
    pub fn class(&self) -> &str {
        self.id.split_once('-').map_or(self.id.as_str(), |(class, _)| class)
    }

    /// The request of the probe protocol, with the token's bytes.
    ///
    /// # Errors
    /// When the recipe cannot be followed.
    pub fn request(&self, base: &Base, ring: &KeyRing) -> Result<Value> {
        let mut contract = base.contract.clone();
        for (pointer, value) in &self.patch {
            change(&mut contract, pointer, value)?;
        }
        let key_sets = self
            .key_sets(base)
            .iter()
            .map(|recipe| recipe.build(ring))
            .collect::<Result<Vec<Value>>>()?;
        let token = mint(&self.token.over(&base.token), ring).context("token")?;
        let mut request = Map::new();
        request.insert("id".to_owned(), json!(self.id));
        request.insert("op".to_owned(), json!("validate"));
        request.insert("trust".to_owned(), json!({"contract": contract, "key_sets": key_sets}));
        if let Some(audience) = self.audience.clone().unwrap_or_else(|| Some(base.audience.clone()))
        {
            request.insert("audience".to_owned(), json!(audience));
        }
        request.insert("token".to_owned(), json!(token));
        request.insert("now".to_owned(), json!(self.now));
        if let Some(certificate) = &self.certificate_sha256 {
            request.insert("certificate_sha256".to_owned(), json!(certificate));
        }
        Ok(Value::Object(request))
    }

    /// The test keys that the fixture uses.
    #[must_use]
    pub fn key_names(&self, base: &Base) -> Vec<String> {
        let token = self.token.over(&base.token);
        let sets = self.key_sets(base).iter().flat_map(KeySetRecipe::key_names);
        token.key_names().into_iter().chain(sets).map(str::to_owned).collect()
    }

    /// Checks what holds for every fixture by itself.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn check(&self) -> Result<()> {
        let expect = &self.expect;
        let allowed = expect.verdict == Verdict::Allow;
        ensure!(self.why.len() >= 40, "`why` says too little");
        ensure!(allowed == (expect.reason == "ok"), "`expect`: verdict and reason disagree");
        ensure!(
            allowed == expect.token.is_some(),
            "`expect.token` belongs to an accepted token, and only there"
        );
        ensure!(allowed || self.twin.is_some(), "a refused fixture names its accepted twin");
        let load = self.kind == FixtureKind::Load;
        ensure!(
            load == expect.path.is_some(),
            "`expect.path` belongs to kind `load`, and only there"
        );
        ensure!(!load || expect.reason == "keys-missing", "kind `load` expects `keys-missing`");
        Ok(())
    }

    fn key_sets<'set>(&'set self, base: &'set Base) -> &'set [KeySetRecipe] {
        self.key_sets.as_deref().unwrap_or(&base.key_sets)
    }
}

/// Sets or removes the value that a JSON Pointer names; `-` appends to an array (RFC 6902).
fn change(document: &mut Value, pointer: &str, value: &Value) -> Result<()> {
    let problem = || format!("`patch`: `{pointer}` names no place in the contract");
    let (parent, last) = pointer.rsplit_once('/').with_context(problem)?;
    match document.pointer_mut(parent).with_context(problem)? {
        Value::Object(members) if value.is_null() => {
            members.remove(last).with_context(problem)?;
        }
        Value::Object(members) => {
            members.insert(last.to_owned(), value.clone());
        }
        Value::Array(items) if last == "-" => items.push(value.clone()),
        Value::Array(items) => {
            let index: usize = last.parse().with_context(problem)?;
            *items.get_mut(index).with_context(problem)? = value.clone();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => bail!(problem()),
    }
    Ok(())
}

/// Tells `null` from absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
