//! Issuers: what their tokens may say about people and agents.

use mandate_authn::{Contract, LoadError};

use super::name::check_distinct;
use super::role_source::RoleSource;

/// What an issuer's tokens may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerRules {
    /// `iss`
    pub issuer: String,
    /// Whether a client id names an agent.
    pub client_id_names_agent: bool,
    /// Whether a client id is a credential.
    pub client_is_credential: bool,
    /// Clients through which people sign in.
    pub interactive_clients: Vec<String>,
    /// Where roles count from.
    pub role_sources: Vec<RoleSource>,
    /// The claim with scopes, where role sources may point as well.
    pub scope_claim: String,
    /// Tenants that it may speak for.
    pub tenants: Vec<String>,
}

pub(super) fn rules(
    contract: &Contract,
    client_credentials: &[String],
    sources: &[RoleSource],
) -> Result<Vec<IssuerRules>, LoadError> {
    check_distinct("client_credentials", client_credentials)?;
    let known = |name: &String| contract.issuers().iter().any(|issuer| issuer.issuer() == name);
    if let Some(position) = client_credentials.iter().position(|name| !known(name)) {
        let path = format!("client_credentials[{position}]");
        return Err(LoadError::new(&path, "is not an issuer of this contract"));
    }
    let rules = contract.issuers().iter().map(|issuer| IssuerRules {
        issuer: issuer.issuer().to_owned(),
        client_id_names_agent: issuer.client_id_names_agent(),
        client_is_credential: client_credentials.iter().any(|name| name == issuer.issuer()),
        interactive_clients: issuer.interactive_clients().to_vec(),
        role_sources: sources
            .iter()
            .filter(|source| source.issuer == issuer.issuer())
            .cloned()
            .collect(),
        scope_claim: issuer.scope_claim().to_owned(),
        tenants: issuer.tenants().to_vec(),
    });
    Ok(rules.collect())
}
