//! JSON objects as ordered members with their text, so that a recipe controls every byte.

use serde_json::{Map, Value};

/// A JSON object whose members keep their order, may repeat, and hold any text.
#[derive(Debug, Clone, Default)]
pub(super) struct Members(Vec<(String, String)>);

impl Members {
    /// The members of an object, sorted by name.
    pub(super) fn from_object(object: &Map<String, Value>) -> Self {
        let mut members: Vec<_> =
            object.iter().map(|(name, value)| (name.clone(), sorted_text(value))).collect();
        members.sort();
        Self(members)
    }

    /// Gives a member this JSON text, replacing it where it stands or adding it at the end.
    pub(super) fn set(&mut self, name: &str, json: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, text)) => json.clone_into(text),
            None => self.0.push((name.to_owned(), json.to_owned())),
        }
    }

    /// Adds a member before or after all others, whether or not one of that name is there.
    pub(super) fn add(&mut self, name: &str, json: &str, first: bool) {
        let member = (name.to_owned(), json.to_owned());
        let place = if first { 0 } else { self.0.len() };
        self.0.insert(place, member);
    }

    /// The object's text, without white space.
    pub(super) fn text(&self) -> String {
        let members: Vec<String> = self
            .0
            .iter()
            .map(|(name, json)| format!("{}:{json}", Value::String(name.clone())))
            .collect();
        format!("{{{}}}", members.join(","))
    }
}

/// JSON text without white space, members sorted by name: the same whatever map type serde_json was
/// built with.
#[must_use]
pub fn sorted_text(value: &Value) -> String {
    match value {
        Value::Object(object) => Members::from_object(object).text(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(sorted_text).collect();
            format!("[{}]", items.join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// Applies a JSON merge patch (RFC 7396): `null` removes a member.
#[must_use]
pub fn merge_patch(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut merged = target.as_object().cloned().unwrap_or_default();
    for (name, change) in patch {
        if change.is_null() {
            merged.remove(name);
        } else {
            let before = merged.get(name).unwrap_or(&Value::Null);
            let after = merge_patch(before, change);
            merged.insert(name.clone(), after);
        }
    }
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{merge_patch, sorted_text};

    #[test]
    fn a_merge_patch_adds_replaces_and_removes() {
        // The last example of RFC 7396 appendix A, and one of its own.
        assert_eq!(
            merge_patch(&json!({}), &json!({"a": {"bb": {"ccc": null}}})),
            json!({"a": {"bb": {}}})
        );
        assert_eq!(
            merge_patch(
                &json!({"a": 1, "b": {"c": 2, "d": 3}}),
                &json!({"a": null, "b": {"c": [4]}})
            ),
            json!({"b": {"c": [4], "d": 3}})
        );
    }

    #[test]
    fn text_is_sorted_at_every_level() {
        assert_eq!(
            sorted_text(&json!({"b": [{"d": 1, "c": 2}], "a": "\""})),
            r#"{"a":"\"","b":[{"c":2,"d":1}]}"#
        );
    }
}
