//! What the methods of an MCP server are in the operator's tables, tools apart.

use std::collections::BTreeMap;

use mandate_authn::LoadError;
use mandate_authz::policy::{Action, ActionTarget, Form};
use serde::Deserialize;

use super::{Context, at};

/// The actions of one server's methods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MethodTable {
    /// The action of what has no right of its own: `ping`, and notifications.
    pub(crate) session: Option<String>,
    /// The action of what is asked of the server as a whole: `initialize`, lists, streams.
    pub(crate) server: Option<String>,
    /// What reading or subscribing to a resource is.
    pub(crate) resource: Option<MethodRule>,
    /// What getting a prompt is.
    pub(crate) prompt: Option<MethodRule>,
}

/// A method that may name a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MethodRule {
    pub(crate) action: String,
    /// Type and form of what the method names; `None` where its name is no resource.
    pub(crate) target: Option<(String, Form)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MethodsFile {
    session: Option<String>,
    server: Option<String>,
    resource: Option<MethodFile>,
    prompt: Option<MethodFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MethodFile {
    action: String,
    #[serde(rename = "type")]
    type_name: Option<String>,
    form: Option<Form>,
}

pub(super) fn check_all(
    files: BTreeMap<String, MethodsFile>,
    context: Context<'_>,
) -> Result<BTreeMap<String, MethodTable>, LoadError> {
    let checked = files.into_iter().map(|(server, file)| {
        let path = at("methods", &server);
        if context.policy.server(&server).is_none() {
            return Err(LoadError::new(&path, "is not one of `authz.servers`"));
        }
        let table = MethodTable::check(file, context).map_err(|error| error.under(&path))?;
        Ok((server, table))
    });
    checked.collect()
}

impl MethodTable {
    fn check(file: MethodsFile, context: Context<'_>) -> Result<Self, LoadError> {
        let action = |member: &str, name: Option<String>, wanted: ActionTarget, message: &str| {
            let Some(name) = name else { return Ok(None) };
            if find(context, member, &name)?.on == wanted {
                Ok(Some(name))
            } else {
                Err(LoadError::new(member, message))
            }
        };
        let on_session = "must be an action on `session`";
        let on_nothing = "must be an action on `none`";
        Ok(Self {
            session: action("session", file.session, ActionTarget::Session, on_session)?,
            server: action("server", file.server, ActionTarget::Nothing, on_nothing)?,
            resource: rule("resource", file.resource, Form::Text, context)?,
            prompt: rule("prompt", file.prompt, Form::Id, context)?,
        })
    }
}

fn rule(
    member: &str,
    file: Option<MethodFile>,
    usual: Form,
    context: Context<'_>,
) -> Result<Option<MethodRule>, LoadError> {
    let Some(file) = file else { return Ok(None) };
    let action = find(context, "action", &file.action).map_err(|error| error.under(member))?;
    let target = match (&action.on, file.type_name) {
        (ActionTarget::Resources { types, .. }, Some(name)) if types.contains(&name) => {
            Some((name, file.form.unwrap_or(usual)))
        }
        (ActionTarget::Nothing, None) if file.form.is_none() => None,
        (ActionTarget::Resources { .. }, _) => {
            return Err(LoadError::new(&at(member, "type"), "must be one that the action is `on`"));
        }
        (ActionTarget::Nothing | ActionTarget::Session, _) => {
            let message = "must be on resources, with a `type`, or on `none`, without";
            return Err(LoadError::new(&at(member, "action"), message));
        }
    };
    Ok(Some(MethodRule { action: file.action, target }))
}

fn find<'c>(context: Context<'c>, member: &str, name: &str) -> Result<&'c Action, LoadError> {
    let missing = || LoadError::new(member, "is not one of `authz.actions`");
    context.policy.action(name).ok_or_else(missing)
}
