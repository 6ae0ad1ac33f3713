//! MCP servers: what each tool does to which resources.

use std::collections::BTreeMap;

use mandate_authn::LoadError;
use serde::Deserialize;

use super::action::{Action, ActionTarget};
use super::at;
use super::name::check_id;
use super::types::Types;

/// An MCP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// By the tool's name.
    pub tools: BTreeMap<String, Tool>,
}

/// A tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// The action that a call is.
    pub action: String,
    /// The arguments that name resources; none where the contract says `"resource": "none"`.
    pub arguments: Vec<Argument>,
}

/// An argument that names a resource.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Argument {
    /// JSON Pointer into the call's arguments.
    pub pointer: String,
    /// The resource's type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// How the argument names it.
    #[serde(default)]
    pub form: Form,
}

/// How a text names a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// By its id.
    #[default]
    Id,
    /// By a free string, a URI for example, which is encoded once.
    Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerFile {
    tools: BTreeMap<String, ToolFile>,
}

/// A tool as written: exactly one of `resource` and `arguments`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolFile {
    action: String,
    resource: Option<NoResource>,
    arguments: Option<Vec<Argument>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum NoResource {
    None,
}

pub(super) fn check_all(
    files: BTreeMap<String, ServerFile>,
    types: &Types,
    actions: &BTreeMap<String, Action>,
) -> Result<BTreeMap<String, Server>, LoadError> {
    if !files.is_empty() && (types.tool.is_none() || types.server.is_none()) {
        return Err(LoadError::new("servers", "need the types `tool` and `server`"));
    }
    let checked = files.into_iter().map(|(id, file)| {
        let path = at("servers", &id);
        check_id(&path, &id)?;
        // `server/tool` names a tool: with a slash in both, two pairs could be one name.
        if id.contains('/') {
            return Err(LoadError::new(&path, "must have no `/`"));
        }
        let tools = check_tools(file.tools, actions).map_err(|error| error.under(&path))?;
        Ok((id, Server { tools }))
    });
    checked.collect()
}

fn check_tools(
    files: BTreeMap<String, ToolFile>,
    actions: &BTreeMap<String, Action>,
) -> Result<BTreeMap<String, Tool>, LoadError> {
    let checked = files.into_iter().map(|(name, file)| {
        let path = at("tools", &name);
        check_id(&path, &name)?;
        let tool = check_tool(file, actions).map_err(|error| error.under(&path))?;
        Ok((name, tool))
    });
    checked.collect()
}

fn check_tool(file: ToolFile, actions: &BTreeMap<String, Action>) -> Result<Tool, LoadError> {
    let action = actions
        .get(&file.action)
        .ok_or_else(|| LoadError::new("action", "is not one of `actions`"))?;
    let arguments = match (file.resource, file.arguments) {
        (Some(NoResource::None), None) => Vec::new(),
        (None, Some(arguments)) if !arguments.is_empty() => arguments,
        _ => {
            let message = "needs either `\"resource\": \"none\"` or `arguments`, not empty";
            return Err(LoadError::new("", message));
        }
    };
    for (position, argument) in arguments.iter().enumerate() {
        let path = format!("arguments[{position}]");
        check_argument(argument, action).map_err(|error| error.under(&path))?;
        let earlier = arguments.iter().take(position);
        if earlier.into_iter().any(|earlier| earlier.pointer == argument.pointer) {
            return Err(LoadError::new(&at(&path, "pointer"), "is listed twice"));
        }
    }
    if action.on == ActionTarget::Session {
        return Err(LoadError::new("action", "an action on the session is no tool call"));
    }
    Ok(Tool { action: file.action, arguments })
}

fn check_argument(argument: &Argument, action: &Action) -> Result<(), LoadError> {
    if !is_pointer(&argument.pointer) {
        return Err(LoadError::new("pointer", "must be a JSON Pointer, such as `/board`"));
    }
    let types: &[String] = match &action.on {
        ActionTarget::Resources { types, .. } => types,
        ActionTarget::Nothing | ActionTarget::Session => &[],
    };
    if types.contains(&argument.type_name) {
        Ok(())
    } else {
        Err(LoadError::new("type", "is not one that the action is `on`"))
    }
}

/// RFC 6901, to a member.
fn is_pointer(text: &str) -> bool {
    let escaped =
        |segment: &str| segment.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.strip_prefix('/')
        .is_some_and(|rest| rest.split('/').all(|segment| !segment.is_empty() && escaped(segment)))
}
