//! What is linted: a bootstrap, a dump of a running Envoy, or the filter's entry alone.

use std::fmt;

use serde::Deserialize as _;
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Options};

use super::node::{Node, camel};

/// Longest configuration that is read: a dump of a large mesh.
pub const LONGEST: u64 = 64 * 1024 * 1024;

/// A configuration that can be read in one way only.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    value: Value,
    form: Form,
}

/// How much of an Envoy a document describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What Envoy is started with.
    Bootstrap,
    /// `/config_dump` of the admin interface.
    ConfigDump,
    /// The filter's entry of `http_filters`.
    Filter,
}

impl Form {
    /// Its name for people and programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::ConfigDump => "config-dump",
            Self::Filter => "filter",
        }
    }
}

impl Document {
    /// Reads YAML, or JSON, which is YAML.
    ///
    /// # Errors
    /// What is no YAML, says a member twice, or is no configuration of Envoy.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let read = serde_saphyr::with_deserializer_from_str_with_options(
            text,
            options(text.len()),
            |yaml| Value::deserialize(yaml),
        );
        Self::from_value(read.map_err(|error| DocumentError(first_line(&error.to_string())))?)
    }

    /// Takes a configuration that was put together here.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn from_value(value: Value) -> Result<Self, DocumentError> {
        let root = Node::root(&value);
        said_once(&root)?;
        let has = |names: &[&str]| names.iter().any(|name| root.get(name).is_present());
        let form = if root.get("configs").value().is_some_and(Value::is_array) {
            Form::ConfigDump
        } else if has(&["static_resources", "dynamic_resources", "bootstrap_extensions"]) {
            Form::Bootstrap
        } else if has(&["typed_config", "config_discovery"]) {
            Form::Filter
        } else {
            let problem = "is no bootstrap, no `/config_dump` and no entry of `http_filters`";
            return Err(DocumentError(problem.to_owned()));
        };
        Ok(Self { value, form })
    }

    /// Which form it has.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    pub(super) const fn root(&self) -> Node<'_> {
        Node::root(&self.value)
    }
}

/// Refuses a message that has a member in both of its spellings: which one Envoy takes, the lint cannot
/// know.
fn said_once(node: &Node<'_>) -> Result<(), DocumentError> {
    for (name, member) in node.members() {
        let other = camel(name);
        let twice = other != name
            && node.value().and_then(Value::as_object).is_some_and(|all| all.contains_key(&other));
        if twice {
            return Err(DocumentError(format!("`{}` is there as `{other}` too", member.pointer())));
        }
        said_once(&member)?;
    }
    node.items().iter().try_for_each(said_once)
}

/// Aliases are usual in bootstraps; merges Envoy's reader does not know, and it takes one of two equal
/// members without a word.
fn options(bytes: usize) -> Options {
    let most = bytes.saturating_mul(4).saturating_add(4096);
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 2,
            max_depth: DEPTH,
            max_events: most,
            max_nodes: most,
            max_total_scalar_bytes: most,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        with_snippet: false,
    }
}

/// Levels of nesting: configurations have thirty, and the lint goes down by recursion.
const DEPTH: usize = 120;

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Why a text is not linted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError(String);

impl fmt::Display for DocumentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for DocumentError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        Document::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_form_is_told_by_its_members() {
        let form = |text: &str| Document::parse(text).unwrap().form();
        assert_eq!(form("static_resources: {}"), Form::Bootstrap);
        assert_eq!(form(r#"{"bootstrapExtensions": []}"#), Form::Bootstrap);
        assert_eq!(form(r#"{"configs": []}"#), Form::ConfigDump);
        assert_eq!(form("name: a\ntyped_config: {}"), Form::Filter);
        assert_eq!(
            problem("listeners: []"),
            "is no bootstrap, no `/config_dump` and no entry of `http_filters`"
        );
    }

    #[test]
    fn a_member_that_is_said_twice_is_refused_in_any_spelling() {
        assert_eq!(
            problem("static_resources: {listeners: [{stat_prefix: a, statPrefix: b}]}"),
            "`/static_resources/listeners/0/stat_prefix` is there as `statPrefix` too"
        );
        assert!(problem("static_resources: {}\nstatic_resources: {}").contains("duplicate"));
        assert!(problem("a: &a {b: c}\nstatic_resources: {<<: *a}").contains("merge"));
    }

    #[test]
    fn aliases_are_followed() {
        let text = "static_resources: {listeners: [&a {name: x}, *a]}";
        let document = Document::parse(text).unwrap();
        let listeners = document.root().at(&["static_resources", "listeners"]);
        let names: Vec<_> = listeners.items().iter().map(|one| one.get("name").text()).collect();
        assert_eq!(names, [Some("x"), Some("x")]);
    }
}
