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
                ensure!(entry != value, "it says so already");
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Changes, change, change_all};

    fn case() -> Value {
        json!({
            "now": 1,
            "facts": {
                "users": [{ "id": "anne" }, { "id": "a/b" }],
                "relationships": [
                    "team:a#member@user:anne",
                    { "user": "user:bob", "relation": "viewer", "object": "board:x", "condition": {} },
                ],
            },
        })
    }

    fn changed(pointer: &str, value: &Value) -> Result<Value, String> {
        let mut document = case();
        match change(&mut document, pointer, value) {
            Ok(()) => Ok(document),
            Err(error) => Err(format!("{error:#}")),
        }
    }

    fn at(pointer: &str, value: &Value, looked_at: &str) -> Option<Value> {
        changed(pointer, value).unwrap().pointer(looked_at).cloned()
    }

    #[test]
    fn entries_of_lists_have_names() {
        let renamed = at("/facts/users/anne/id", &json!("ann"), "/facts/users/0/id");
        assert_eq!(renamed, Some(json!("ann")));
        let escaped = at("/facts/users/a~1b/id", &json!("c"), "/facts/users/1/id");
        assert_eq!(escaped, Some(json!("c")));
        let whole = "/facts/relationships/board:x#viewer@user:bob/condition";
        let conditioned = at(whole, &json!({ "name": "n" }), "/facts/relationships/1/condition");
        assert_eq!(conditioned, Some(json!({ "name": "n" })));
        let text = "/facts/relationships/team:a#member@user:anne";
        assert_eq!(at(text, &Value::Null, "/facts/relationships/1"), None);
    }

    #[test]
    fn lists_grow_by_one_or_by_many_and_begin_where_there_is_none() {
        let one = at("/facts/users/-", &json!({ "id": "carl" }), "/facts/users/2/id");
        assert_eq!(one, Some(json!("carl")));
        let many = at("/facts/users/+", &json!([1, 2]), "/facts/users");
        assert_eq!(many.and_then(|users| Some(users.as_array()?.len())), Some(4));
        let begun = at("/facts/teams/-", &json!("t"), "/facts/teams");
        assert_eq!(begun, Some(json!(["t"])));
    }

    #[test]
    fn a_change_without_a_place_or_an_effect_is_an_error() {
        let error = |pointer: &str, value: &Value| changed(pointer, value).unwrap_err();
        let no_place = |pointer: &str| format!("`{pointer}` names no place in the case");
        assert_eq!(error("now", &json!(2)), no_place("now"));
        assert_eq!(
            error("/facts/users/zoe/id", &json!(2)),
            format!("{}: no entry `zoe`", no_place("/facts/users/zoe/id"))
        );
        assert_eq!(
            error("/later", &Value::Null),
            format!("{}: no `later` to remove", no_place("/later"))
        );
        assert_eq!(error("/now", &json!(1)), format!("{}: it says so already", no_place("/now")));
        assert_eq!(
            error("/now/x", &json!(1)),
            format!("{}: `x` is within a value", no_place("/now/x"))
        );
    }

    #[test]
    fn changes_of_one_place_and_of_what_is_within_it_contradict_each_other() {
        let changes: Changes = [("/facts", json!({})), ("/facts/users/-", json!(1))]
            .map(|(pointer, value)| (pointer.to_owned(), value))
            .into();
        let error = change_all(&mut case(), &changes).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`/facts/users/-` is within `/facts`, which is changed as well"
        );
    }
}
