//! One fixture: what a file under `contract/fixtures/authz` or `gate` says.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::case::Case;
use super::pointer::{Changes, change, change_all};
use crate::conformance::fixture_set::matches;

/// What is allowed, and what is denied, in one world.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthzFixture {
    /// The file's name without `.json`; its first word is the fixture's class.
    pub id: String,
    /// What it stops or keeps working.
    pub why: String,
    /// The base under `_worlds/`.
    pub world: String,
    /// Changes of the base for every case of the file.
    #[serde(default)]
    pub given: Changes,
    /// Cases that are allowed.
    pub allow: Vec<AllowedCase>,
    /// Cases that are denied, each one change away from an allowed one.
    pub deny: Vec<DeniedCase>,
}

/// A case that is allowed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedCase {
    /// Unique in the file.
    pub id: String,
    /// What it shows, where the id does not say it.
    #[serde(default)]
    pub why: String,
    /// Changes of the file's case.
    #[serde(default)]
    pub given: Changes,
    /// Members of the answer.
    #[serde(default)]
    pub expect: Map<String, Value>,
}

/// A case that is denied.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeniedCase {
    /// Unique in the file.
    pub id: String,
    /// What it shows, where the id does not say it.
    #[serde(default)]
    pub why: String,
    /// The allowed case of this file that it differs from.
    pub twin: String,
    /// The one change.
    pub but: Changes,
    /// Members of the answer.
    pub expect: Map<String, Value>,
}

/// A case of a fixture, with the answer that it expects.
pub(super) struct Prepared {
    pub(super) id: String,
    pub(super) why: String,
    pub(super) twin: Option<String>,
    pub(super) case: Case,
    pub(super) expect: Map<String, Value>,
}

impl AuthzFixture {
    /// The id's first word.
    #[must_use]
    pub fn class(&self) -> &str {
        self.id.split_once('-').map_or(self.id.as_str(), |(class, _)| class)
    }

    /// The cases that a pattern names, with the answers that they expect, in the order of the file.
    pub(super) fn cases(&self, base: &Value, only: &str) -> Result<Vec<Prepared>> {
        let mut given = base.clone();
        change_all(&mut given, &self.given).context("given")?;
        let mut cases = Vec::new();
        let wanted =
            |id: &str| matches(only, &self.id) || matches(only, &format!("{}/{id}", self.id));
        for allowed in self.allow.iter().filter(|allowed| wanted(&allowed.id)) {
            let case = allowed.document(&given).and_then(read);
            let case = case.with_context(|| allowed.id.clone())?;
            let expect = expected(&case, &allowed.expect, true);
            let AllowedCase { id, why, .. } = allowed;
            cases.push(Prepared { id: id.clone(), why: why.clone(), twin: None, case, expect });
        }
        for denied in self.deny.iter().filter(|denied| wanted(&denied.id)) {
            let case = self.denied(denied, &given).with_context(|| denied.id.clone())?;
            let expect = expected(&case, &denied.expect, false);
            let DeniedCase { id, why, twin, .. } = denied;
            let twin = Some(twin.clone());
            cases.push(Prepared { id: id.clone(), why: why.clone(), twin, case, expect });
        }
        Ok(cases)
    }

    fn denied(&self, denied: &DeniedCase, given: &Value) -> Result<Case> {
        let twin = self.allow.iter().find(|allowed| allowed.id == denied.twin);
        let twin = twin.with_context(|| format!("no allowed case `{}`", denied.twin))?;
        let mut document = twin.document(given)?;
        let (pointer, value) = denied.but.iter().next().context("`but` is empty")?;
        change(&mut document, pointer, value)?;
        read(document)
    }

    /// Checks what holds for every fixture by itself.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn check(&self) -> Result<()> {
        ensure!(self.why.len() >= 40, "`why` says too little");
        ensure!(!self.allow.is_empty() && !self.deny.is_empty(), "both lists have cases");
        let mut ids = BTreeSet::new();
        let all =
            self.allow.iter().map(|case| &case.id).chain(self.deny.iter().map(|case| &case.id));
        for id in all {
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            ensure!(!id.is_empty() && id.bytes().all(plain), "`{id}`: lower case, joined by `-`");
            ensure!(ids.insert(id), "two cases are called `{id}`");
        }
        for denied in &self.deny {
            ensure!(denied.but.len() == 1, "`{}` differs in one place from its twin", denied.id);
        }
        for allowed in &self.allow {
            let sibling = self.deny.iter().any(|denied| denied.twin == allowed.id);
            ensure!(sibling, "`{}` has no denied sibling", allowed.id);
        }
        Ok(())
    }
}

impl AllowedCase {
    fn document(&self, given: &Value) -> Result<Value> {
        let mut document = given.clone();
        change_all(&mut document, &self.given)?;
        Ok(document)
    }
}

fn read(document: Value) -> Result<Case> {
    let case: Case = serde_json::from_value(document).context("the result is no case")?;
    case.check_form()?;
    Ok(case)
}

/// What every answer of its kind says, and what the fixture adds.
fn expected(case: &Case, stated: &Map<String, Value>, allowed: bool) -> Map<String, Value> {
    let always = match (case.check.is_some(), allowed) {
        (_, true) if case.gate.is_some() => json!({"verdict": "pass", "reason": "ok"}),
        (_, false) if case.gate.is_some() => json!({"verdict": "reply"}),
        (true, true) => json!({"allowed": true}),
        (true, false) if stated.contains_key("error") => json!({"allowed": null}),
        (true, false) => json!({"allowed": false}),
        (false, true) => json!({"verdict": "allow", "reason": "ok"}),
        (false, false) => json!({"verdict": "deny"}),
    };
    let mut expect = always.as_object().cloned().unwrap_or_default();
    expect.extend(stated.iter().map(|(name, value)| (name.clone(), value.clone())));
    expect
}
