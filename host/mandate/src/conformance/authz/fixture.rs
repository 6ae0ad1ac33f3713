//! One fixture: what a file under `contract/fixtures/authz` or `gate` says.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::case::Case;
use super::moment;
use super::pointer::{Changes, change, change_all};

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

    /// Ids of its cases, `FIXTURE/CASE`, in the order of the file.
    pub(in crate::conformance) fn case_ids(&self) -> impl Iterator<Item = String> {
        let allowed = self.allow.iter().map(|case| &case.id);
        let all = allowed.chain(self.deny.iter().map(|case| &case.id));
        all.map(|id| format!("{}/{id}", self.id))
    }

    /// The cases that are wanted, by `FIXTURE/CASE`, with the answers that they expect, in the order
    /// of the file; each moved to a moment, where one is given.
    pub(super) fn cases(
        &self,
        base: &Value,
        wanted: &dyn Fn(&str) -> bool,
        at: Option<u64>,
    ) -> Result<Vec<Prepared>> {
        let mut given = base.clone();
        change_all(&mut given, &self.given).context("given")?;
        let mut cases = Vec::new();
        let wanted = |id: &str| wanted(&format!("{}/{id}", self.id));
        for allowed in self.allow.iter().filter(|allowed| wanted(&allowed.id)) {
            let case = allowed.document(&given).and_then(|case| read(case, &allowed.expect, at));
            let (case, stated) = case.with_context(|| allowed.id.clone())?;
            let expect = expected(&case, &stated, true);
            let AllowedCase { id, why, .. } = allowed;
            cases.push(Prepared { id: id.clone(), why: why.clone(), twin: None, case, expect });
        }
        for denied in self.deny.iter().filter(|denied| wanted(&denied.id)) {
            let case = self.denied(denied, &given).and_then(|case| read(case, &denied.expect, at));
            let (case, stated) = case.with_context(|| denied.id.clone())?;
            let expect = expected(&case, &stated, false);
            let DeniedCase { id, why, twin, .. } = denied;
            let twin = Some(twin.clone());
            cases.push(Prepared { id: id.clone(), why: why.clone(), twin, case, expect });
        }
        Ok(cases)
    }

    fn denied(&self, denied: &DeniedCase, given: &Value) -> Result<Value> {
        let twin = self.allow.iter().find(|allowed| allowed.id == denied.twin);
        let twin = twin.with_context(|| format!("no allowed case `{}`", denied.twin))?;
        let mut document = twin.document(given)?;
        let (pointer, value) = denied.but.iter().next().context("`but` is empty")?;
        change(&mut document, pointer, value)?;
        Ok(document)
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

/// The case, and what it states of the answer.
fn read(
    mut document: Value,
    stated: &Map<String, Value>,
    at: Option<u64>,
) -> Result<(Case, Map<String, Value>)> {
    let mut stated = stated.clone();
    if let Some(at) = at {
        moment::move_to(at, &mut document, &mut stated);
    }
    let case: Case = serde_json::from_value(document).context("the result is no case")?;
    case.check_form()?;
    Ok((case, stated))
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
