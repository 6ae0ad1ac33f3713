//! Rules of an HTTP route: which request is which action on which resources.

use mandate_authn::LoadError;
use mandate_authz::policy::{ActionTarget, Form};
use serde::Deserialize;

use super::template::Template;
use super::{Context, check_method};

/// One kind of request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(super) method: String,
    pub(crate) path: Template,
    pub(crate) action: String,
    pub(crate) resources: Vec<Source>,
    /// Whether the connection may become another protocol's.
    pub(crate) upgrade: bool,
}

/// Where a resource's name stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) kind: SourceKind,
    pub(crate) type_name: String,
    pub(crate) form: Form,
}

/// The part of the target that names a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// A variable of the path.
    Path(String),
    /// A parameter of the query.
    Query(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    method: String,
    path: String,
    action: String,
    #[serde(default)]
    resources: Vec<SourceFile>,
    #[serde(default)]
    upgrade: bool,
}

/// Exactly one of `path` and `query`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceFile {
    path: Option<String>,
    query: Option<String>,
    #[serde(rename = "type")]
    type_name: String,
    #[serde(default)]
    form: Form,
}

impl Rule {
    pub(super) fn check(file: RuleFile, context: Context<'_>) -> Result<Self, LoadError> {
        check_method(&file.method)?;
        let path = Template::parse(&file.path)?;
        let action = context
            .policy
            .action(&file.action)
            .ok_or_else(|| LoadError::new("action", "is not one of `authz.actions`"))?;
        let types: &[String] = match &action.on {
            ActionTarget::Resources { types, .. } => types,
            ActionTarget::Nothing | ActionTarget::Session => &[],
        };
        if types.is_empty() != file.resources.is_empty() {
            return Err(LoadError::new("resources", "the action needs some, or is on none"));
        }
        let mut resources: Vec<Source> = Vec::new();
        for (position, source) in file.resources.into_iter().enumerate() {
            let place = format!("resources[{position}]");
            let source =
                Source::check(source, types, &path).map_err(|error| error.under(&place))?;
            if resources.iter().any(|earlier| earlier.kind == source.kind) {
                return Err(LoadError::new(&place, "is read twice"));
            }
            resources.push(source);
        }
        for variable in path.variables() {
            let read = SourceKind::Path(variable.to_owned());
            // A variable that nobody reads is a resource that nobody asked about.
            if !types.is_empty() && !resources.iter().any(|source| source.kind == read) {
                let message = format!("the variable `{variable}` is no resource");
                return Err(LoadError::new("path", message));
            }
        }
        let (method, action, upgrade) = (file.method, file.action, file.upgrade);
        Ok(Self { method, path, action, resources, upgrade })
    }

    /// Whether the method is the rule's.
    pub(crate) fn has_method(&self, method: &[u8]) -> bool {
        self.method.as_bytes() == method
    }
}

impl Source {
    fn check(file: SourceFile, types: &[String], path: &Template) -> Result<Self, LoadError> {
        let kind = match (file.path, file.query) {
            (Some(variable), None) => {
                if !path.variables().any(|known| known == variable) {
                    return Err(LoadError::new("path", "is no variable of the rule's path"));
                }
                SourceKind::Path(variable)
            }
            (None, Some(parameter)) => {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
                if parameter.is_empty() || !parameter.bytes().all(plain) {
                    return Err(LoadError::new("query", "must be letters, digits, `_`, `-`, `.`"));
                }
                SourceKind::Query(parameter)
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err(LoadError::new("", "needs either `path` or `query`"));
            }
        };
        if !types.contains(&file.type_name) {
            return Err(LoadError::new("type", "is not one that the action is `on`"));
        }
        Ok(Self { kind, type_name: file.type_name, form: file.form })
    }
}
