//! Routes: what the operator says about the requests for one audience.

use std::collections::BTreeMap;

use mandate_authn::{Contract, LoadError};
use serde::Deserialize;

use super::at;
use super::name::check_id;
use super::server::Server;
use super::types::Types;

/// What holds for requests of one audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Who may come.
    pub agents: Agents,
    /// What an actor chain is for.
    pub chain: Chain,
    /// MCP or plain HTTP.
    pub protocol: Protocol,
    /// Whether an agent may act for its sole user without evidence that names the user.
    pub relation_binding: bool,
    /// The tenant of this route.
    pub tenant: Option<String>,
    scopes: Scopes,
}

/// Whether requests need an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Agents {
    /// People and services may come by themselves.
    Optional,
    /// Every request is an agent's.
    Required,
}

/// What the actors before the last are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Chain {
    /// History, of which no disabled or revoked actor may be a part.
    #[default]
    Record,
    /// Each must be delegated by the bound user as well.
    Restrict,
}

/// What is spoken on a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Plain HTTP.
    Http {
        /// The id of the object that stands for a tool; without it no agent passes.
        tool: Option<String>,
    },
    /// The Model Context Protocol.
    Mcp {
        /// The server's id.
        server: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scopes {
    Mapped,
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteFile {
    protocol: ProtocolFile,
    server: Option<String>,
    tool: Option<String>,
    agents: Option<Agents>,
    #[serde(default)]
    chain: Chain,
    #[serde(default)]
    relation_binding: bool,
    scopes: Option<NoScopes>,
    tenant: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ProtocolFile {
    Http,
    Mcp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum NoScopes {
    None,
}

/// What routes refer to.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) contract: &'c Contract,
    pub(super) servers: &'c BTreeMap<String, Server>,
    pub(super) types: &'c Types,
}

impl Route {
    /// Whether a token needs a scope that covers the action.
    #[must_use]
    pub fn needs_scope(&self) -> bool {
        self.scopes == Scopes::Mapped
    }
}

pub(super) fn check_all(
    files: BTreeMap<String, RouteFile>,
    context: Context<'_>,
) -> Result<BTreeMap<String, Route>, LoadError> {
    if files.is_empty() {
        return Err(LoadError::new("routes", "must not be empty"));
    }
    let checked = files.into_iter().map(|(audience, file)| {
        let path = at("routes", &audience);
        if !context.contract.audiences().any(|(known, _)| known == audience) {
            return Err(LoadError::new(&path, "is no audience of this contract"));
        }
        let route = check(file, context).map_err(|error| error.under(&path))?;
        Ok((audience, route))
    });
    checked.collect()
}

fn check(file: RouteFile, context: Context<'_>) -> Result<Route, LoadError> {
    let protocol = protocol(file.protocol, file.server, file.tool, context)?;
    let agents = match (&protocol, file.agents) {
        (_, Some(agents)) => agents,
        (Protocol::Mcp { .. }, None) => Agents::Required,
        (Protocol::Http { .. }, None) => {
            return Err(LoadError::new("agents", "must be `required` or `optional` here"));
        }
    };
    if let Some(tenant) = &file.tenant {
        let mut issuers = context.contract.issuers().iter();
        if !issuers.any(|issuer| issuer.tenants().contains(tenant)) {
            return Err(LoadError::new("tenant", "is a tenant that no issuer may speak for"));
        }
    }
    let scopes = match file.scopes {
        None => Scopes::Mapped,
        Some(NoScopes::None) => Scopes::None,
    };
    Ok(Route {
        agents,
        chain: file.chain,
        protocol,
        relation_binding: file.relation_binding,
        tenant: file.tenant,
        scopes,
    })
}

fn protocol(
    protocol: ProtocolFile,
    server: Option<String>,
    tool: Option<String>,
    context: Context<'_>,
) -> Result<Protocol, LoadError> {
    match (protocol, server, tool) {
        (ProtocolFile::Mcp, Some(server), None) => {
            if context.servers.contains_key(&server) {
                Ok(Protocol::Mcp { server })
            } else {
                Err(LoadError::new("server", "is not one of `servers`"))
            }
        }
        (ProtocolFile::Mcp, None, _) => Err(LoadError::new("server", "an MCP route names one")),
        (ProtocolFile::Mcp, Some(_), Some(_)) => {
            Err(LoadError::new("tool", "the requests of an MCP route name their tools"))
        }
        (ProtocolFile::Http, Some(_), _) => {
            Err(LoadError::new("server", "an HTTP route has no MCP server"))
        }
        (ProtocolFile::Http, None, tool) => {
            if let Some(tool) = &tool {
                check_id("tool", tool)?;
                if context.types.tool.is_none() {
                    return Err(LoadError::new("tool", "needs the type `tool`"));
                }
            }
            Ok(Protocol::Http { tool })
        }
    }
}
