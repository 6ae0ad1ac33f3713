//! Roles in tokens: where a role counts from, and which roles open the use of an agent.

use mandate_authn::{Contract, LoadError};
use serde::Deserialize;

use super::name::{check_distinct, require_some};

/// A role that opens the use of one agent: `agent_user:<id>`, for example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentRole {
    /// `agent_admin:<id>`
    AgentAdmin,
    /// `agent_user:<id>`
    AgentUser,
    /// `invoke:<id>`: the resource scope.
    Invoke,
}

/// Where roles count from. Elsewhere the same text means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSource {
    /// The token's issuer.
    pub issuer: String,
    /// The claim: a JSON Pointer without `*`.
    pub claim: String,
    /// The token's client; any where absent.
    pub client: Option<String>,
    /// The roles that count.
    pub roles: Vec<AgentRole>,
    /// Whether `agent_admin:*` and its like stand for every agent of the tenant.
    pub wildcards: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleMappingFile {
    #[serde(default)]
    wildcard_roles: bool,
    #[serde(default)]
    sources: Vec<RoleSourceFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleSourceFile {
    issuer: String,
    claim: String,
    client: Option<String>,
    roles: Vec<AgentRole>,
}

impl AgentRole {
    /// What stands before the colon.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::AgentAdmin => "agent_admin",
            Self::AgentUser => "agent_user",
            Self::Invoke => "invoke",
        }
    }
}

impl RoleSource {
    /// Whether a role of this source opens the use of the agent with this id.
    #[must_use]
    pub fn opens(&self, role: &str, agent: &str) -> bool {
        let Some((prefix, id)) = role.split_once(':') else { return false };
        let counted = self.roles.iter().any(|counted| counted.prefix() == prefix);
        counted && if id == "*" { self.wildcards } else { id == agent }
    }
}

pub(super) fn check(
    file: RoleMappingFile,
    contract: &Contract,
) -> Result<Vec<RoleSource>, LoadError> {
    let mut sources: Vec<RoleSource> = Vec::with_capacity(file.sources.len());
    for (position, source) in file.sources.into_iter().enumerate() {
        let path = format!("role_mapping.sources[{position}]");
        let source = check_source(source, file.wildcard_roles, contract)
            .map_err(|error| error.under(&path))?;
        if sources.iter().any(|earlier| overlap(earlier, &source)) {
            let message =
                "another source has the same issuer and claim, and the same or any client";
            return Err(LoadError::new(&path, message));
        }
        sources.push(source);
    }
    if file.wildcard_roles && sources.is_empty() {
        return Err(LoadError::new("role_mapping.wildcard_roles", "no source has roles"));
    }
    Ok(sources)
}

fn check_source(
    file: RoleSourceFile,
    wildcards: bool,
    contract: &Contract,
) -> Result<RoleSource, LoadError> {
    let issuer = contract.issuers().iter().find(|issuer| issuer.issuer() == file.issuer);
    let issuer =
        issuer.ok_or_else(|| LoadError::new("issuer", "is not an issuer of this contract"))?;
    if issuer.scope_claim() != file.claim && !issuer.reads_roles_from(&file.claim) {
        let message =
            "is neither the issuer's `scope_claim` nor one of its `role_claims`, without `*`";
        return Err(LoadError::new("claim", message));
    }
    if file.client.as_deref() == Some("") {
        return Err(LoadError::new("client", "is empty"));
    }
    require_some("roles", &file.roles)?;
    let names: Vec<String> = file.roles.iter().map(|role| role.prefix().to_owned()).collect();
    check_distinct("roles", &names)?;
    Ok(RoleSource {
        issuer: file.issuer,
        claim: file.claim,
        client: file.client,
        roles: file.roles,
        wildcards,
    })
}

/// Whether two sources could count one role: then it would not be clear by which.
fn overlap(one: &RoleSource, other: &RoleSource) -> bool {
    one.issuer == other.issuer
        && one.claim == other.claim
        && (one.client.is_none() || other.client.is_none() || one.client == other.client)
}
