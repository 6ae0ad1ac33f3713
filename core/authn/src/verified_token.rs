//! A token whose every check has passed.

use crate::json::{Json, object};

/// What a token states, after everything about it was checked. Only verification makes one.
///
/// It has no kind (user, agent, service): kind is the registry's to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) tenant: Option<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) token_id: Option<String>,
    pub(crate) issued_at: Option<u64>,
    pub(crate) not_before: Option<u64>,
    pub(crate) expires_at: u64,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: Vec<Role>,
    pub(crate) actor: Option<Actor>,
    pub(crate) actor_history: Vec<Actor>,
    pub(crate) may_act: Option<MayAct>,
    pub(crate) confirmation: Option<Confirmation>,
}

/// Who acts: RFC 8693 section 4.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `act.iss`, else the token's issuer.
    pub issuer: String,
    /// `act.sub`.
    pub subject: String,
    /// `act.client_id`.
    pub client_id: Option<String>,
}

/// Who may become the actor: RFC 8693 section 4.4. It grants nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MayAct {
    /// `may_act.iss`, else the token's issuer.
    pub issuer: String,
    /// `may_act.sub`.
    pub subject: Option<String>,
    /// `may_act.client_id`.
    pub client_id: Option<String>,
}

/// A role, and the claim that stated it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// JSON Pointer of the claim.
    pub path: String,
    /// The role's name.
    pub name: String,
}

/// SHA-256 of the client certificate that the token is bound to: RFC 8705 section 3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    pub(crate) thumbprint: [u8; 32],
}

impl Confirmation {
    /// The thumbprint, verified on this request.
    #[must_use]
    pub const fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    /// `x5t#S256`: base64url.
    #[must_use]
    pub fn to_base64url(&self) -> String {
        crate::base64url::encode(&self.thumbprint)
    }
}

impl VerifiedToken {
    /// `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`, or the claim that the contract maps.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The tenant claim, one of the issuer's tenants.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// `aud`.
    #[must_use]
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// `client_id`, else `azp`.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// `jti`.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.as_deref()
    }

    /// `iat`, seconds since the epoch.
    #[must_use]
    pub const fn issued_at(&self) -> Option<u64> {
        self.issued_at
    }

    /// `exp`, seconds since the epoch.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// `scope`, split at spaces.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Roles from the claims that the contract lists.
    #[must_use]
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The outermost `act`.
    #[must_use]
    pub const fn actor(&self) -> Option<&Actor> {
        self.actor.as_ref()
    }

    /// Nested `act`, nearest first.
    #[must_use]
    pub fn actor_history(&self) -> &[Actor] {
        &self.actor_history
    }

    /// `may_act`.
    #[must_use]
    pub const fn may_act(&self) -> Option<&MayAct> {
        self.may_act.as_ref()
    }

    /// The confirmation, verified on this request.
    #[must_use]
    pub const fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_ref()
    }

    /// The wire form: docs/abi.md#token. Absent members are left out.
    #[must_use]
    pub fn to_json(&self) -> Json {
        object([
            ("actor", self.actor.as_ref().map(Actor::to_json)),
            ("actor_history", list(&self.actor_history, Actor::to_json)),
            ("audiences", list(&self.audiences, |text| text.as_str().into())),
            ("client_id", self.client_id.as_deref().map(Json::from)),
            (
                "confirmation",
                self.confirmation.as_ref().map(|confirmation| confirmation.to_base64url().into()),
            ),
            ("expires_at", Some(self.expires_at.into())),
            ("issued_at", self.issued_at.map(Json::from)),
            ("issuer", Some(self.issuer.as_str().into())),
            ("may_act", self.may_act.as_ref().map(MayAct::to_json)),
            ("roles", list(&self.roles, Role::to_json)),
            ("scopes", list(&self.scopes, |text| text.as_str().into())),
            ("subject", Some(self.subject.as_str().into())),
            ("tenant", self.tenant.as_deref().map(Json::from)),
            ("token_id", self.token_id.as_deref().map(Json::from)),
        ])
    }
}

impl Actor {
    fn to_json(&self) -> Json {
        object([
            ("client_id", self.client_id.as_deref().map(Json::from)),
            ("issuer", Some(self.issuer.as_str().into())),
            ("subject", Some(self.subject.as_str().into())),
        ])
    }
}

impl MayAct {
    fn to_json(&self) -> Json {
        object([
            ("client_id", self.client_id.as_deref().map(Json::from)),
            ("issuer", Some(self.issuer.as_str().into())),
            ("subject", self.subject.as_deref().map(Json::from)),
        ])
    }
}

impl Role {
    fn to_json(&self) -> Json {
        object([
            ("name", Some(self.name.as_str().into())),
            ("path", Some(self.path.as_str().into())),
        ])
    }
}

fn list<T>(items: &[T], render: impl Fn(&T) -> Json) -> Option<Json> {
    Some(Json::Array(items.iter().map(render).collect()))
}
