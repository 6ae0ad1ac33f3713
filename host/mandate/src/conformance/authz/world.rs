//! The bases: one world each, relationships once.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A base: `NAME.json` with what stands around the facts, `NAME.yaml` with the facts.
pub(super) fn base(document: &str, facts: &str) -> Result<Value> {
    let mut base: Value = serde_json::from_str(document)?;
    let facts: Value = serde_saphyr::from_str(facts).context("facts")?;
    let members = base.as_object_mut().context("a base has members")?;
    let about = members.get("about").and_then(Value::as_str).unwrap_or_default();
    ensure!(about.len() >= 20, "`about` says too little");
    ensure!(members.insert("facts".to_owned(), facts).is_none(), "facts stand in the YAML file");
    Ok(base)
}
