//! Facts of fixtures: docs/facts.md, with placeholders.

use anyhow::{Context, Result, bail};
use mandate_authz::facts::{Facts, Loaded};
use mandate_authz::model::Model;
use mandate_authz::policy::Policy;
use serde_json::{Value, json};

use crate::mint::{KeyRing, fill_placeholders};

/// The facts as a facts file would say them.
pub(super) fn written(facts: &Value, ring: &KeyRing) -> Result<Value> {
    fill_placeholders(&with_ranges(facts)?, ring)
}

/// A world with tenants and records.
pub(super) fn world(written: &Value, model: Model, policy: &Policy) -> Result<Loaded> {
    // JSON is YAML.
    let facts = Facts::parse(&written.to_string()).context("facts")?;
    facts.into_world(model, policy).context("facts")
}

/// The relationships of facts without anything else, as OpenFGA writes them.
pub(super) fn tuples(written: &Value) -> Result<Vec<Value>> {
    let members = written.as_object().context("`facts` are members")?;
    if let Some(other) = members.keys().find(|name| *name != "relationships") {
        bail!("`facts` without a contract hold `relationships`, not `{other}`");
    }
    let entries = members.get("relationships").and_then(Value::as_array);
    entries.map(Vec::as_slice).unwrap_or_default().iter().map(tuple).collect()
}

fn tuple(entry: &Value) -> Result<Value> {
    let Some(text) = entry.as_str() else { return Ok(entry.clone()) };
    let parts = text.split_once('#').and_then(|(object, rest)| {
        let (relation, user) = rest.split_once('@')?;
        Some((object, relation, user))
    });
    let (object, relation, user) =
        parts.with_context(|| format!("`{text}` is no `object#relation@user`"))?;
    Ok(json!({"user": user, "relation": relation, "object": object}))
}

/// `{"$range": [FIRST, LAST], "text": "…{}…"}` in `relationships` becomes that many texts, with the
/// number for `{}` and the next one for `{+1}`.
fn with_ranges(facts: &Value) -> Result<Value> {
    let mut facts = facts.clone();
    let Some(Value::Array(entries)) = facts.get_mut("relationships") else { return Ok(facts) };
    let mut all = Vec::with_capacity(entries.len());
    for entry in std::mem::take(entries) {
        let Some(range) = entry.get("$range") else {
            all.push(entry);
            continue;
        };
        let [first, last]: [u64; 2] =
            serde_json::from_value(range.clone()).context("`$range` is two numbers")?;
        let text = entry.get("text").and_then(Value::as_str).context("`$range` needs `text`")?;
        all.extend((first..=last).map(|number| {
            let next = number.saturating_add(1).to_string();
            Value::String(text.replace("{}", &number.to_string()).replace("{+1}", &next))
        }));
    }
    *entries = all;
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{tuples, with_ranges};

    #[test]
    fn a_range_is_one_relationship_for_every_number() {
        let facts = json!({
            "relationships": [
                "a:x#r@b:y",
                { "$range": [8, 10], "text": "folder:f{+1}#folder@folder:f{}" },
            ],
        });
        let all = json!([
            "a:x#r@b:y",
            "folder:f9#folder@folder:f8",
            "folder:f10#folder@folder:f9",
            "folder:f11#folder@folder:f10",
        ]);
        assert_eq!(with_ranges(&facts).unwrap(), json!({ "relationships": all }));
        let wrong = json!({ "relationships": [{ "$range": [1], "text": "a" }] });
        assert_eq!(with_ranges(&wrong).unwrap_err().to_string(), "`$range` is two numbers");
    }

    #[test]
    fn without_a_contract_facts_are_relationships_and_nothing_else() {
        let userset = json!({ "relationships": ["board:a#viewer@team:b#member"] });
        assert_eq!(
            tuples(&userset).unwrap(),
            [json!({ "user": "team:b#member", "relation": "viewer", "object": "board:a" })]
        );
        let records = json!({ "users": [] });
        assert_eq!(
            tuples(&records).unwrap_err().to_string(),
            "`facts` without a contract hold `relationships`, not `users`"
        );
        let torn = json!({ "relationships": ["board:a#viewer"] });
        assert_eq!(
            tuples(&torn).unwrap_err().to_string(),
            "`board:a#viewer` is no `object#relation@user`"
        );
    }
}
