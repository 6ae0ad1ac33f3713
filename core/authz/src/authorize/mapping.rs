//! The request's names against the contract's tables: what is done, with which tool, to what.

use std::borrow::Cow;

use mandate_authn::ReasonCode;

use super::Request;
use crate::decision::Failure;
use crate::limits;
use crate::object_id;
use crate::policy::{Action, ActionTarget, Argument, Form, Policy, Protocol, Route, Tool};

/// Something that an action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource<'r> {
    /// An argument of an MCP tool: the contract's table knows its type and form.
    Argument {
        /// Its JSON Pointer in the table.
        pointer: &'r str,
        /// Its value.
        value: &'r str,
    },
    /// An object by its id, which has no `%`, `:`, `#`, `*` or white space.
    Id {
        /// The type.
        type_name: &'r str,
        /// The id.
        id: &'r str,
    },
    /// An object by a free string, a URI for example, which is encoded once.
    Text {
        /// The type.
        type_name: &'r str,
        /// The string.
        text: &'r str,
    },
}

/// A request that fits the tables.
#[derive(Clone, Debug)]
pub(crate) struct Mapped<'m> {
    pub(crate) action: &'m Action,
    pub(crate) action_name: &'m str,
    pub(crate) call: Call<'m>,
    /// Type and id of each resource.
    pub(crate) resources: Vec<(&'m str, Cow<'m, str>)>,
}

/// What line 7 looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call<'m> {
    /// The object that stands for a tool on an HTTP route.
    Http { tool: Option<&'m str> },
    /// A method of an MCP server without a tool.
    Server { server: &'m str },
    /// The session itself: lines 1 to 6 only.
    Session { server: Option<&'m str> },
    /// A tool of an MCP server.
    Tool { server: &'m str, tool: &'m str },
}

impl<'m> Call<'m> {
    /// The MCP server.
    pub(crate) const fn server(&self) -> Option<&'m str> {
        match self {
            Self::Http { .. } => None,
            Self::Server { server } | Self::Tool { server, .. } => Some(server),
            Self::Session { server } => *server,
        }
    }

    /// The id of the object that stands for the tool.
    pub(crate) fn tool_object(&self) -> Option<Cow<'m, str>> {
        match self {
            Self::Http { tool } => tool.map(Cow::Borrowed),
            Self::Server { .. } | Self::Session { .. } => None,
            Self::Tool { server, tool } => Some(Cow::Owned(format!("{server}/{tool}"))),
        }
    }

    /// The MCP tool.
    pub(crate) const fn tool(&self) -> Option<&'m str> {
        match self {
            Self::Http { .. } | Self::Server { .. } | Self::Session { .. } => None,
            Self::Tool { tool, .. } => Some(tool),
        }
    }
}

/// Looks the request up in the contract's tables.
pub(super) fn map<'m>(
    request: &Request<'m>,
    route: &'m Route,
    policy: &'m Policy,
) -> Result<Mapped<'m>, Failure> {
    map_with(request, route, policy, true)
}

/// [`map`] for a request whose resources are not known yet.
pub(super) fn map_unknown<'m>(
    request: &Request<'m>,
    route: &'m Route,
    policy: &'m Policy,
) -> Result<Mapped<'m>, Failure> {
    map_with(request, route, policy, false)
}

fn map_with<'m>(
    request: &Request<'m>,
    route: &'m Route,
    policy: &'m Policy,
    is_whole: bool,
) -> Result<Mapped<'m>, Failure> {
    let action = policy
        .action(request.action)
        .ok_or_else(|| unmapped("the action is not in the contract's table"))?;
    if request.resources.len() > limits::RESOURCES {
        return Err(malformed("more resources than the limit"));
    }
    let session = action.on == ActionTarget::Session;
    let call = match (&route.protocol, request.tool) {
        (Protocol::Http { .. }, Some(_)) => {
            return Err(unmapped("a request of an HTTP route names no tool"));
        }
        (_, Some(_)) if session => return Err(unmapped("the action is no tool call")),
        (Protocol::Http { .. }, None) if session => Call::Session { server: None },
        (Protocol::Http { tool }, None) => Call::Http { tool: tool.as_deref() },
        (Protocol::Mcp { server }, None) if session => Call::Session { server: Some(server) },
        (Protocol::Mcp { server }, None) => Call::Server { server },
        (Protocol::Mcp { server }, Some(tool)) => Call::Tool { server, tool },
    };
    let resources = match call {
        Call::Tool { server, tool } => {
            let table = policy.server(server).and_then(|server| server.tools.get(tool));
            let table = table.ok_or_else(|| unmapped("the tool is not in the contract's table"))?;
            if table.action != request.action {
                return Err(unmapped("the contract gives this tool another action"));
            }
            if is_whole { of_tool(request.resources, table)? } else { Vec::new() }
        }
        Call::Http { .. } | Call::Server { .. } | Call::Session { .. } => {
            if is_whole {
                of_action(request.resources, action)?
            } else {
                Vec::new()
            }
        }
    };
    Ok(Mapped { action, action_name: request.action, call, resources })
}

/// Each argument of the table exactly once, and nothing else.
fn of_tool<'m>(
    resources: &[Resource<'m>],
    tool: &'m Tool,
) -> Result<Vec<(&'m str, Cow<'m, str>)>, Failure> {
    let stated = |wanted: &Argument| {
        let mut values = resources.iter().filter_map(|resource| match resource {
            Resource::Argument { pointer, value } if *pointer == wanted.pointer => Some(*value),
            Resource::Argument { .. } | Resource::Id { .. } | Resource::Text { .. } => None,
        });
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            (None, _) => Err(malformed("a mapped argument is missing")),
            (Some(_), Some(_)) => Err(malformed("a mapped argument is there twice")),
        }
    };
    let mapped = tool.arguments.iter().map(|argument| {
        let id = id_of(argument.form, stated(argument)?)?;
        Ok((argument.type_name.as_str(), id))
    });
    let mapped = mapped.collect::<Result<Vec<_>, Failure>>()?;
    if mapped.len() == resources.len() {
        Ok(mapped)
    } else {
        Err(unmapped("the tool has resources that the contract's table does not give it"))
    }
}

/// At least one, each of a type that the action is on; or none where it is on none.
fn of_action<'m>(
    resources: &[Resource<'m>],
    action: &'m Action,
) -> Result<Vec<(&'m str, Cow<'m, str>)>, Failure> {
    let types: &[String] = match &action.on {
        ActionTarget::Resources { types, .. } => types,
        ActionTarget::Nothing | ActionTarget::Session => &[],
    };
    if resources.is_empty() != types.is_empty() {
        return Err(unmapped("the action needs resources, or has none"));
    }
    let mapped = resources.iter().map(|resource| {
        let (type_name, form, text) = match *resource {
            Resource::Argument { .. } => {
                return Err(unmapped("only a tool has arguments"));
            }
            Resource::Id { type_name, id } => (type_name, Form::Id, id),
            Resource::Text { type_name, text } => (type_name, Form::Text, text),
        };
        let type_name = types.iter().find(|known| *known == type_name);
        let type_name =
            type_name.ok_or_else(|| unmapped("the action is not on a resource of this type"))?;
        Ok((type_name.as_str(), id_of(form, text)?))
    });
    mapped.collect()
}

fn id_of(form: Form, text: &str) -> Result<Cow<'_, str>, Failure> {
    match form {
        Form::Id if object_id::is_bare(text) => Ok(Cow::Borrowed(text)),
        Form::Id => Err(malformed("an id is empty, or has `%`, `:`, `#`, `*` or white space")),
        Form::Text if text.is_empty() => Err(malformed("a resource is empty")),
        Form::Text => Ok(Cow::Owned(object_id::encode(text))),
    }
}

fn unmapped(detail: &'static str) -> Failure {
    Failure::new(ReasonCode::Unmapped, detail)
}

/// The request is understood so far that a mapped part of it is wrong.
fn malformed(detail: &'static str) -> Failure {
    Failure::new(ReasonCode::Malformed, detail).at(mandate_authn::FailingLine::Mapping)
}
