//! The policy: `contract.json#authz`, what the contract says about decisions.
//!
//! A policy that would weaken a line of the rule, or that could be read in two ways, does not load.
//! What it may say is in `contract/CONTRACT.md#authz`.

mod action;
mod issuer;
mod name;
mod role_source;
mod route;
mod server;
mod types;

use std::collections::BTreeMap;

use mandate_authn::{Contract, LoadError, read_document};
use serde::Deserialize;

pub use self::action::{Action, ActionTarget, Mode};
pub use self::issuer::IssuerRules;
pub use self::role_source::{AgentRole, RoleSource};
pub use self::route::{Agents, Chain, Protocol, Route};
pub use self::server::{Argument, Form, Server, Tool};
pub use self::types::Types;

use self::action::{ActionFile, ScopeFile};
use self::role_source::RoleMappingFile;
use self::route::RouteFile;
use self::server::ServerFile;
use self::types::TypesFile;
use crate::limits;

/// What the contract says about decisions.
#[derive(Clone, Debug)]
pub struct Policy {
    actions: BTreeMap<String, Action>,
    can_assert: bool,
    contract_version: [u32; 3],
    issuers: Vec<IssuerRules>,
    max_age: MaxAge,
    on_invoke_seconds: u64,
    routes: BTreeMap<String, Route>,
    scopes: BTreeMap<String, ScopeFile>,
    servers: BTreeMap<String, Server>,
    skew: u64,
    types: Types,
}

/// Seconds that the state may be old, by the mode of the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MaxAge {
    read: u64,
    write: u64,
    admin: u64,
}

/// `authz` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    types: TypesFile,
    actions: BTreeMap<String, ActionFile>,
    #[serde(default)]
    scopes: BTreeMap<String, ScopeFile>,
    #[serde(default)]
    servers: BTreeMap<String, ServerFile>,
    routes: BTreeMap<String, RouteFile>,
    #[serde(default)]
    role_mapping: RoleMappingFile,
    #[serde(default)]
    client_credentials: Vec<String>,
    #[serde(default)]
    max_age_seconds: MaxAgeFile,
    #[serde(default = "default_on_invoke")]
    on_invoke_seconds: u64,
    #[serde(default)]
    can_assert: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MaxAgeFile {
    read: Option<u64>,
    write: Option<u64>,
    admin: Option<u64>,
}

const fn default_on_invoke() -> u64 {
    limits::ON_INVOKE_SECONDS
}

impl Policy {
    /// Reads and checks the contract's member `authz`; `None` where it has none, and then every
    /// request is `policy-missing`.
    ///
    /// # Errors
    /// The first member that is missing, unknown, malformed, ambiguous, or would weaken a line.
    pub fn from_contract(contract: &Contract) -> Result<Option<Self>, LoadError> {
        let Some(text) = contract.authz() else { return Ok(None) };
        read_document(text)
            .and_then(|file| Self::from_file(file, contract))
            .map(Some)
            .map_err(|error| error.under("authz"))
    }

    fn from_file(file: PolicyFile, contract: &Contract) -> Result<Self, LoadError> {
        let types = types::check_types(file.types)?;
        let actions = action::check_all(file.actions)?;
        action::check_scopes(&file.scopes, &actions)?;
        let servers = server::check_all(file.servers, &types, &actions)?;
        let context = route::Context { contract, servers: &servers, types: &types };
        let routes = route::check_all(file.routes, context)?;
        require_passable(&routes, &file.scopes)?;
        let sources = role_source::check(file.role_mapping, contract)?;
        let issuers = issuer::rules(contract, &file.client_credentials, &sources)?;
        if !(1..=limits::ON_INVOKE_SECONDS).contains(&file.on_invoke_seconds) {
            let message = format!("must be 1 to {} s", limits::ON_INVOKE_SECONDS);
            return Err(LoadError::new("on_invoke_seconds", message));
        }
        Ok(Self {
            actions,
            can_assert: file.can_assert,
            contract_version: contract.version(),
            issuers,
            max_age: MaxAge::check(&file.max_age_seconds)
                .map_err(|error| error.under("max_age_seconds"))?,
            on_invoke_seconds: file.on_invoke_seconds,
            routes,
            scopes: file.scopes,
            servers,
            skew: contract.skew(),
            types,
        })
    }

    /// What the contract says about the routes of an audience.
    #[must_use]
    pub fn route(&self, audience: &str) -> Option<&Route> {
        self.routes.get(audience)
    }

    /// An action of the table.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.get(name)
    }

    /// Every action, by name.
    #[must_use]
    pub const fn actions(&self) -> &BTreeMap<String, Action> {
        &self.actions
    }

    /// An MCP server.
    #[must_use]
    pub fn server(&self, id: &str) -> Option<&Server> {
        self.servers.get(id)
    }

    /// What an issuer's tokens may say.
    #[must_use]
    pub fn issuer(&self, issuer: &str) -> Option<&IssuerRules> {
        self.issuers.iter().find(|rules| rules.issuer == issuer)
    }

    /// The types that the rule knows.
    #[must_use]
    pub const fn types(&self) -> &Types {
        &self.types
    }

    /// Whether a token's scope covers an action.
    #[must_use]
    pub fn scope_covers(&self, scope: &str, action: &str) -> bool {
        self.scopes.get(scope).is_some_and(|covered| covered.covers(action))
    }

    /// Every scope of the map, by name.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.keys().map(String::as_str)
    }

    /// Scopes that cover an action: what a challenge names.
    pub fn scopes_for(&self, action: &str) -> impl Iterator<Item = &str> {
        let covering = self.scopes.iter().filter(move |(_, covered)| covered.covers(action));
        covering.map(|(scope, _)| scope.as_str())
    }

    /// Seconds that the state may be old for an action of this mode.
    #[must_use]
    pub const fn max_age(&self, mode: Mode) -> u64 {
        match mode {
            Mode::Read => self.max_age.read,
            Mode::Write => self.max_age.write,
            Mode::Admin => self.max_age.admin,
        }
    }

    /// Seconds that evidence may be old that stands for a stored delegation.
    #[must_use]
    pub const fn on_invoke_seconds(&self) -> u64 {
        self.on_invoke_seconds
    }

    /// Whether a service with `can_assert` on a tenant may name subjects without their tokens.
    #[must_use]
    pub const fn can_assert(&self) -> bool {
        self.can_assert
    }

    /// Seconds of clock skew.
    #[must_use]
    pub const fn skew(&self) -> u64 {
        self.skew
    }

    /// The contract's version: major, minor, patch.
    #[must_use]
    pub const fn contract_version(&self) -> [u32; 3] {
        self.contract_version
    }
}

impl MaxAge {
    /// Only what `read`s may be answered from an older state (design, section 3).
    fn check(file: &MaxAgeFile) -> Result<Self, LoadError> {
        let usual = limits::STATE_AGE_SECONDS;
        let check = |member: &str, stated: Option<u64>, most: u64| {
            let seconds = stated.unwrap_or(usual);
            if (1..=most).contains(&seconds) {
                Ok(seconds)
            } else {
                Err(LoadError::new(member, format!("must be 1 to {most} s")))
            }
        };
        Ok(Self {
            read: check("read", file.read, limits::STATE_AGE_READ_SECONDS)?,
            write: check("write", file.write, usual)?,
            admin: check("admin", file.admin, usual)?,
        })
    }
}

/// A route that needs a scope, where no scope covers anything, would refuse everybody: somebody
/// forgot the map, or `scopes = "none"`.
fn require_passable(
    routes: &BTreeMap<String, Route>,
    scopes: &BTreeMap<String, ScopeFile>,
) -> Result<(), LoadError> {
    if scopes.is_empty() && routes.values().any(Route::needs_scope) {
        let message = "is empty, and a route does not say `\"scopes\": \"none\"`";
        return Err(LoadError::new("scopes", message));
    }
    Ok(())
}

/// The path of a member by its name.
fn at(parent: &str, name: &str) -> String {
    format!("{parent}.{name}")
}
