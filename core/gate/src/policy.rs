//! The gate policy: `contract.json#gate`, what the contract says about requests on their way.
//!
//! A policy that can be read in two ways, or names what does not exist, does not load. What it may
//! say is in `contract/CONTRACT.md#gate`.

mod method;
mod open;
mod route;
mod rule;
mod template;

use std::collections::BTreeMap;

use mandate_authn::{Contract, LoadError, read_document};
use mandate_authz::policy::Policy;
use serde::Deserialize;

pub(crate) use self::method::MethodRule;
use self::method::MethodsFile;
use self::route::RouteFile;
pub(crate) use self::route::{Denied, Enforcement, McpRoute, Route, RouteKind};
pub(crate) use self::rule::{Rule, Source, SourceKind};

/// What the contract says about requests on their way.
#[derive(Clone, Debug)]
pub struct GatePolicy {
    routes: BTreeMap<String, Route>,
}

/// `gate` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GateFile {
    routes: BTreeMap<String, RouteFile>,
    #[serde(default)]
    methods: BTreeMap<String, MethodsFile>,
}

/// What the gate's tables refer to.
#[derive(Clone, Copy)]
struct Context<'c> {
    contract: &'c Contract,
    policy: &'c Policy,
}

impl GatePolicy {
    /// Reads and checks the contract's member `gate`; `None` where it has none, and then every
    /// request is `policy-missing`.
    ///
    /// # Errors
    /// The first member that is missing, unknown, malformed or ambiguous.
    pub fn from_contract(
        contract: &Contract,
        policy: Option<&Policy>,
    ) -> Result<Option<Self>, LoadError> {
        let Some(text) = contract.gate() else { return Ok(None) };
        let Some(policy) = policy else {
            return Err(LoadError::new("gate", "needs the member `authz`"));
        };
        let context = Context { contract, policy };
        read_document(text)
            .and_then(|file| Self::from_file(file, context))
            .map(Some)
            .map_err(|error| error.under("gate"))
    }

    fn from_file(file: GateFile, context: Context<'_>) -> Result<Self, LoadError> {
        let methods = method::check_all(file.methods, context)?;
        let routes = route::check_all(file.routes, &methods, context)?;
        Ok(Self { routes })
    }

    /// A route by the name that the host configured.
    pub(crate) fn route(&self, name: &str) -> Option<(&str, &Route)> {
        self.routes.get_key_value(name).map(|(name, route)| (name.as_str(), route))
    }

    /// Every route, by name.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (&str, &Route)> {
        self.routes.iter().map(|(name, route)| (name.as_str(), route))
    }
}

/// The path of a member by its name.
fn at(parent: &str, name: &str) -> String {
    format!("{parent}.{name}")
}

/// A request method as rules write it: upper-case letters, as RFC 9110 section 9.1 registers them.
fn check_method(method: &str) -> Result<(), LoadError> {
    let registered = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    if !registered {
        return Err(LoadError::new("method", "must be upper-case letters"));
    }
    if method == "CONNECT" || method == "TRACE" {
        return Err(LoadError::new("method", "`CONNECT` and `TRACE` never pass"));
    }
    Ok(())
}
