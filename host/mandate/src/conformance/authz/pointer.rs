//! Changing one place of a case.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// Places and what stands there instead: JSON Pointer (RFC 6901) to value.
pub(super) type Changes = std::collections::BTreeMap<String, Value>;

/// Makes every change, in the order of the pointers.
pub(super) fn change_all(document: &mut Value, changes: &Changes) -> Result<()> {
    for pointer in changes.keys() {
        // Which of the two comes first would decide what the case is.
        let inside =
            |other: &&String| other.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/'));
        if let Some(other) = changes.keys().find(inside) {
            bail!("`{other}` is within `{pointer}`, which is changed as well");
        }
    }
    changes.iter().try_for_each(|(pointer, value)| change(document, pointer, value))
}

/// Sets what a pointer names; `null` removes it.
///
/// A step into a list is a number, or the name of an entry (see [`name`]). As the last step `-`
/// appends one entry and `+` appends each of a list; the list itself need not be there.
pub(super) fn change(document: &mut Value, pointer: &str, value: &Value) -> Result<()> {
    let problem = || format!("`{pointer}` names no place in the case");
    let steps = pointer.strip_prefix('/').with_context(problem)?;
    let steps: Vec<String> =
        steps.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    let (last, above) = steps.split_last().with_context(problem)?;
    let mut place = document;
    for (at, step) in above.iter().enumerate() {
        let list_follows =
            matches!(steps.get(at.saturating_add(1)), Some(next) if next == "-" || next == "+");
        place = enter(place, step, list_follows).with_context(problem)?;
    }
    put(place, last, value).with_context(problem)
}

fn enter<'v>(place: &'v mut Value, step: &str, list_follows: bool) -> Result<&'v mut Value> {
    match place {
        Value::Object(members) => {
            if list_follows && !members.contains_key(step) {
                members.insert(step.to_owned(), Value::Array(Vec::new()));
            }
            members.get_mut(step).with_context(|| format!("no `{step}`"))
        }
        Value::Array(entries) => {
            let at = find(entries, step).with_context(|| format!("no entry `{step}`"))?;
            entries.get_mut(at).context("no entry")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            bail!("`{step}` is within a value")
        }
    }
}

fn put(place: &mut Value, step: &str, value: &Value) -> Result<()> {
    match (place, step) {
        (Value::Object(members), _) if value.is_null() => {
            members.remove(step).map(drop).with_context(|| format!("no `{step}` to remove"))
        }
        (Value::Object(members), _) => {
            let before = members.insert(step.to_owned(), value.clone());
            ensure!(before.as_ref() != Some(value), "it says so already");
            Ok(())
        }
        (Value::Array(entries), "-") => {
            entries.push(value.clone());
            Ok(())
        }
        (Value::Array(entries), "+") => {
            entries.extend(value.as_array().context("`+` needs a list")?.iter().cloned());
            Ok(())
        }
        (Value::Array(entries), _) => {
            let at = find(entries, step).with_context(|| format!("no entry `{step}`"))?;
            if value.is_null() {
                entries.remove(at);
            } else if let Some(entry) = entries.get_mut(at) {
                *entry = value.clone();
            }
            Ok(())
        }
        _ => bail!("`{step}` is within a value"),
    }
}

fn find(entries: &[Value], step: &str) -> Option<usize> {
    if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
        return step.parse().ok().filter(|at| *at < entries.len());
    }
    entries.iter().position(|entry| name(entry).as_deref() == Some(step))
}

/// What an entry of a list is called: a text is itself, a relationship in full is its text
/// (`object#relation@user`), anything else is its `id`, `object`, `name` or `issuer`.
fn name(entry: &Value) -> Option<String> {
    let members = match entry {
        Value::String(text) => return Some(text.clone()),
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return None,
    };
    let text = |member: &str| members.get(member).and_then(Value::as_str);
    if let (Some(object), Some(relation), Some(user)) =
        (text("object"), text("relation"), text("user"))
    {
        return Some(format!("{object}#{relation}@{user}"));
    }
    ["id", "object", "name", "issuer"].into_iter().find_map(text).map(str::to_owned)
}
