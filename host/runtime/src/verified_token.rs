//! The token that a plugin verified, as plain Rust values.

use serde::Serialize;

use crate::bindings::types;

/// A token whose every check has passed.
///
/// Only a [`Policy`](crate::Policy) makes one. It states no kind (user, agent, service): kind is
/// the registry's to say. Absent members are left out of its JSON form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VerifiedToken {
    /// `iss`, exactly as configured.
    pub issuer: String,
    /// The subject: `sub`, or the claim that the contract maps.
    pub subject: String,
    /// The tenant claim, where the contract maps one and the token has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// `aud`, as a list.
    pub audiences: Vec<String>,
    /// `client_id`, else `azp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// `jti`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    /// `iat`, seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<u64>,
    /// `exp`, seconds since the epoch.
    pub expires_at: u64,
    /// `scope`, split at spaces.
    pub scopes: Vec<String>,
    /// Roles from the claims that the contract lists.
    pub roles: Vec<Role>,
    /// The outermost `act`: who acts now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Nested `act`, nearest first: history, recorded, never granting.
    pub actor_history: Vec<Actor>,
    /// `may_act`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_act: Option<MayAct>,
    /// `cnf` `x5t#S256`: base64url SHA-256 of the certificate that was verified on this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<String>,
    /// Room for growth: names that the embedder does not know are to be ignored.
    #[serde(skip)]
    pub extra: Vec<(String, String)>,
}

/// An (issuer, subject) pair that acts for somebody: RFC 8693 section 4.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Actor {
    /// The actor's issuer; the token's own where `act.iss` is absent.
    pub issuer: String,
    /// `act.sub`.
    pub subject: String,
    /// `act.client_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

/// A role that the token states, with the place that it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Role {
    /// The claim's JSON Pointer (RFC 6901), for example `/realm_access/roles`.
    pub path: String,
    /// The role's name.
    pub name: String,
}

/// `may_act` (RFC 8693 section 4.4): who may become the actor. Recorded, never granting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MayAct {
    /// `may_act.iss`, else the token's issuer.
    pub issuer: String,
    /// `may_act.sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `may_act.client_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

impl From<types::VerifiedToken> for VerifiedToken {
    fn from(token: types::VerifiedToken) -> Self {
        Self {
            issuer: token.issuer,
            subject: token.subject,
            tenant: token.tenant,
            audiences: token.audiences,
            client_id: token.client_id,
            token_id: token.token_id,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            scopes: token.scopes,
            roles: token.roles.into_iter().map(Role::from).collect(),
            actor: token.actor.map(Actor::from),
            actor_history: token.actor_history.into_iter().map(Actor::from).collect(),
            may_act: token.may_act.map(MayAct::from),
            confirmation: token.confirmation,
            extra: token.extra,
        }
    }
}

impl From<types::Actor> for Actor {
    fn from(actor: types::Actor) -> Self {
        Self { issuer: actor.issuer, subject: actor.subject, client_id: actor.client_id }
    }
}

impl From<types::Role> for Role {
    fn from(role: types::Role) -> Self {
        Self { path: role.path, name: role.name }
    }
}

impl From<types::MayAct> for MayAct {
    fn from(may: types::MayAct) -> Self {
        Self { issuer: may.issuer, subject: may.subject, client_id: may.client_id }
    }
}
