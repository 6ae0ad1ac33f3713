//! An issuer: whom it is, how its access tokens look, and what it may speak for.

use serde::Deserialize;

use super::claim_test::{ClaimTest, ClaimTestFile, refuse_id_tokens};
use super::preset::Preset;
use super::{check_names, require_some, url};
use crate::algorithm::Algorithm;
use crate::load_error::LoadError;
use crate::pointer::Pointer;

/// An issuer that the contract trusts, within what it lists.
#[derive(Clone, Debug)]
pub struct Issuer {
    pub(crate) act_issuers: Vec<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) claim_tests: Vec<ClaimTest>,
    pub(crate) maximum_lifetime: Option<u64>,
    pub(crate) role_claims: Vec<Pointer>,
    pub(crate) scope_claim: Pointer,
    pub(crate) subject_claim: Pointer,
    pub(crate) tenant_claim: Option<Pointer>,
    pub(crate) tenants: Vec<String>,
    pub(crate) type_absent: bool,
    pub(crate) types: Vec<String>,
    client_id_names_agent: bool,
    interactive_clients: Vec<String>,
    issuer: String,
    jwks_uri: Option<String>,
}

impl Issuer {
    /// The `iss` of its tokens, exactly.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where its key set is; by OpenID Connect Discovery where absent.
    #[must_use]
    pub fn jwks_uri(&self) -> Option<&str> {
        self.jwks_uri.as_deref()
    }

    /// Clients through which people sign in.
    #[must_use]
    pub fn interactive_clients(&self) -> &[String] {
        &self.interactive_clients
    }

    /// Whether a token's client id names an agent.
    #[must_use]
    pub const fn client_id_names_agent(&self) -> bool {
        self.client_id_names_agent
    }

    /// Tenants that it may speak for.
    #[must_use]
    pub fn tenants(&self) -> &[String] {
        &self.tenants
    }

    /// The claim with its scopes: a JSON Pointer.
    #[must_use]
    pub fn scope_claim(&self) -> &str {
        self.scope_claim.as_str()
    }

    /// Whether roles are read from the claim that this JSON Pointer names.
    #[must_use]
    pub fn reads_roles_from(&self, claim: &str) -> bool {
        let Some(claim) = Pointer::parse(claim).filter(|claim| !claim.has_wildcard()) else {
            return false;
        };
        self.role_claims.iter().any(|pattern| pattern.covers(&claim))
    }
}

/// An issuer as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IssuerFile {
    issuer: String,
    preset: Option<Preset>,
    jwks_uri: Option<String>,
    algorithms: Vec<String>,
    types: Option<Vec<String>>,
    #[serde(default)]
    type_absent: bool,
    #[serde(default)]
    claim_tests: Vec<ClaimTestFile>,
    subject_claim: Option<String>,
    tenant_claim: Option<String>,
    scope_claim: Option<String>,
    role_claims: Option<Vec<String>>,
    tenants: Vec<String>,
    #[serde(default)]
    act_issuers: Vec<String>,
    #[serde(default)]
    interactive_clients: Vec<String>,
    #[serde(default)]
    client_id_names_agent: bool,
    maximum_lifetime_seconds: Option<u64>,
}

pub(super) fn check_all(files: Vec<IssuerFile>) -> Result<Vec<Issuer>, LoadError> {
    require_some("issuers", &files)?;
    let names: Vec<String> = files.iter().map(|file| file.issuer.clone()).collect();
    check_names("issuers", &names)?;
    let numbered = files.into_iter().enumerate();
    numbered
        .map(|(position, file)| {
            check(file).map_err(|error| error.under(&format!("issuers[{position}]")))
        })
        .collect()
}

fn check(file: IssuerFile) -> Result<Issuer, LoadError> {
    url::check(&file.issuer).map_err(|message| LoadError::new("issuer", message))?;
    if let Some(uri) = &file.jwks_uri {
        url::check(uri).map_err(|message| LoadError::new("jwks_uri", message))?;
    }
    require_some("tenants", &file.tenants)?;
    check_names("tenants", &file.tenants)?;
    check_names("act_issuers", &file.act_issuers)?;
    check_names("interactive_clients", &file.interactive_clients)?;
    if file.maximum_lifetime_seconds == Some(0) {
        return Err(LoadError::new("maximum_lifetime_seconds", "must be at least 1"));
    }
    let claim_tests = claim_tests(file.preset, file.claim_tests)?;
    let types = types(file.preset, file.types, file.type_absent, &claim_tests)?;
    Ok(Issuer {
        algorithms: algorithms(&file.algorithms)?,
        claim_tests,
        types,
        role_claims: role_claims(file.preset, file.role_claims)?,
        scope_claim: pointer("scope_claim", file.scope_claim.as_deref().unwrap_or("/scope"))?,
        subject_claim: subject_claim(file.subject_claim.as_deref().unwrap_or("/sub"))?,
        tenant_claim: file.tenant_claim.map(|claim| pointer("tenant_claim", &claim)).transpose()?,
        act_issuers: file.act_issuers,
        client_id_names_agent: file.client_id_names_agent,
        interactive_clients: file.interactive_clients,
        issuer: file.issuer,
        jwks_uri: file.jwks_uri,
        maximum_lifetime: file.maximum_lifetime_seconds,
        tenants: file.tenants,
        type_absent: file.type_absent,
    })
}

fn algorithms(names: &[String]) -> Result<Vec<Algorithm>, LoadError> {
    require_some("algorithms", names)?;
    check_names("algorithms", names)?;
    let numbered = names.iter().enumerate();
    let parse = |(position, name): (usize, &String)| {
        let problem = || {
            LoadError::new(
                &format!("algorithms[{position}]"),
                "is not a supported asymmetric algorithm",
            )
        };
        Algorithm::parse(name).ok_or_else(problem)
    };
    numbered.map(parse).collect()
}

fn claim_tests(
    preset: Option<Preset>,
    own: Vec<ClaimTestFile>,
) -> Result<Vec<ClaimTest>, LoadError> {
    let mut tests = Vec::new();
    for file in preset.map(Preset::claim_tests).unwrap_or_default() {
        tests.push(ClaimTest::from_file(file)?);
    }
    for (position, file) in own.into_iter().enumerate() {
        tests.push(
            ClaimTest::from_file(file)
                .map_err(|error| error.under(&format!("claim_tests[{position}]")))?,
        );
    }
    Ok(tests)
}

/// RFC 9068 section 2.1: the types by which an access token tells itself apart.
const ACCESS_TOKEN_TYPES: [&str; 2] = ["at+jwt", "application/at+jwt"];

fn types(
    preset: Option<Preset>,
    own: Option<Vec<String>>,
    absent: bool,
    tests: &[ClaimTest],
) -> Result<Vec<String>, LoadError> {
    let default =
        if preset.is_some() { Preset::TYPES.as_slice() } else { ACCESS_TOKEN_TYPES.as_slice() };
    let types = own.unwrap_or_else(|| default.iter().map(|typ| (*typ).to_owned()).collect());
    check_names("types", &types)?;
    if types.is_empty() && !absent {
        return Err(LoadError::new("types", "must not be empty"));
    }
    let telling = types.iter().all(|typ| ACCESS_TOKEN_TYPES.contains(&typ.as_str())) && !absent;
    if !telling && !refuse_id_tokens(tests) {
        let message = "an issuer that accepts tokens without an access-token type needs `claim_tests` that refuse its ID tokens";
        return Err(LoadError::new("claim_tests", message));
    }
    Ok(types)
}

fn role_claims(
    preset: Option<Preset>,
    own: Option<Vec<String>>,
) -> Result<Vec<Pointer>, LoadError> {
    let of_preset = || preset.map(|preset| preset.role_claims().map(str::to_owned).to_vec());
    let claims = own.or_else(of_preset).unwrap_or_default();
    check_names("role_claims", &claims)?;
    let parse = |(position, claim): (usize, &String)| {
        let problem =
            || LoadError::new(&format!("role_claims[{position}]"), "must be a JSON Pointer");
        Pointer::parse(claim).ok_or_else(problem)
    };
    claims.iter().enumerate().map(parse).collect()
}

fn pointer(path: &str, text: &str) -> Result<Pointer, LoadError> {
    Pointer::parse(text)
        .filter(|pointer| !pointer.has_wildcard())
        .ok_or_else(|| LoadError::new(path, "must be a JSON Pointer to one claim"))
}

/// Only claims that issuers never hand to a second person: an e-mail address, a user name or a
/// display name can be changed or given again, and then it names somebody else.
fn subject_claim(text: &str) -> Result<Pointer, LoadError> {
    if !["/sub", "/oid", "/uid"].contains(&text) {
        return Err(LoadError::new(
            "subject_claim",
            "must be `/sub`, `/oid` or `/uid`: other claims can change hands",
        ));
    }
    pointer("subject_claim", text)
}
