//! A place in a configuration: what stands there, if anything, and its JSON Pointer.

use serde_json::Value;

/// A place; asking an absent one for a member gives another absent one.
#[derive(Clone, Debug)]
pub(super) struct Node<'v> {
    value: Option<&'v Value>,
    pointer: String,
}

impl<'v> Node<'v> {
    /// A whole document.
    pub(super) const fn root(value: &'v Value) -> Self {
        Self { value: Some(value), pointer: String::new() }
    }

    /// Nothing, at this place.
    pub(super) fn nothing(&self) -> Self {
        Self { value: None, pointer: self.pointer.clone() }
    }

    /// A member of a message. protobuf reads its name in lower camel case as well, and `null` as absence.
    pub(super) fn get(&self, name: &str) -> Self {
        let members = self.value.and_then(Value::as_object);
        let camel = camel(name);
        let found = members.and_then(|members| {
            let entry = members.get_key_value(name).or_else(|| members.get_key_value(&camel));
            entry.filter(|(_, value)| !value.is_null())
        });
        let written = found.map_or(name, |(written, _)| written.as_str());
        Self { value: found.map(|(_, value)| value), pointer: self.below(written) }
    }

    /// A member by a path of names.
    pub(super) fn at(&self, names: &[&str]) -> Self {
        names.iter().fold(self.clone(), |node, name| node.get(name))
    }

    /// Entries of a list.
    pub(super) fn items(&self) -> Vec<Self> {
        let items = self.value.and_then(Value::as_array).into_iter().flatten().enumerate();
        items
            .map(|(index, item)| Self {
                value: Some(item),
                pointer: self.below(&index.to_string()),
            })
            .collect()
    }

    /// Members of a message or map, by their written names.
    pub(super) fn members(&self) -> Vec<(&'v str, Self)> {
        let members = self.value.and_then(Value::as_object).into_iter().flatten();
        let present = members.filter(|(_, value)| !value.is_null());
        present
            .map(|(name, value)| {
                (name.as_str(), Self { value: Some(value), pointer: self.below(name) })
            })
            .collect()
    }

    /// What an `Any` holds: the name of its type, and its members. A `TypedStruct`, which control
    /// planes send, is opened.
    pub(super) fn typed(&self) -> (&'v str, Self) {
        let name =
            |node: &Self| node.text().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
        let outer = name(&self.get("@type"));
        if outer.ends_with(".TypedStruct") {
            return (name(&self.get("type_url")), self.get("value"));
        }
        (outer, self.clone())
    }

    pub(super) fn text(&self) -> Option<&'v str> {
        self.value.and_then(Value::as_str)
    }

    pub(super) const fn value(&self) -> Option<&'v Value> {
        self.value
    }

    pub(super) const fn is_present(&self) -> bool {
        self.value.is_some()
    }

    /// Whether it is `true`, and nothing that another reader could take for it.
    pub(super) fn is_true(&self) -> bool {
        self.value == Some(&Value::Bool(true))
    }

    /// Whether it is absent or `false`: Envoy's reader takes `yes` and `on` for true, so anything else
    /// may be.
    pub(super) fn is_off(&self) -> bool {
        self.value.is_none_or(|value| value == &Value::Bool(false))
    }

    pub(super) fn pointer(&self) -> &str {
        &self.pointer
    }

    fn below(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }
}

/// `failure_policy` as `failurePolicy`.
pub(super) fn camel(name: &str) -> String {
    let mut written = String::with_capacity(name.len());
    let mut raised = false;
    for character in name.chars() {
        if character == '_' {
            raised = true;
        } else if raised {
            written.extend(character.to_uppercase());
            raised = false;
        } else {
            written.push(character);
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_member_is_found_by_either_name_and_knows_where_it_stands() {
        let value = json!({"filterChains": [{"a/b": {"use_it": true}}], "gone": null});
        let root = Node::root(&value);
        let chain = root.get("filter_chains").items().remove(0);
        assert_eq!(chain.pointer(), "/filterChains/0");
        assert_eq!(chain.get("a/b").get("use_it").pointer(), "/filterChains/0/a~1b/use_it");
        assert!(chain.at(&["a/b", "use_it"]).is_true());
        assert!(!root.get("gone").is_present());
        assert!(root.at(&["gone", "further"]).is_off());
    }

    #[test]
    fn a_typed_struct_is_what_it_holds() {
        let value = json!({"@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
            "type_url": "type.googleapis.com/a.B", "value": {"c": "d"}});
        let (name, inner) = Node::root(&value).typed();
        assert_eq!((name, inner.get("c").text()), ("a.B", Some("d")));
    }
}
