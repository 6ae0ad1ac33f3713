//! Records of the registry, as they go into a snapshot: identities and credentials.

use crate::name::ObjectName;

/// What a principal is. Only the registry says so; no token does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Software that acts for a user.
    Agent,
    /// Software that acts for itself.
    Service,
    /// A person.
    User,
}

impl Kind {
    /// The kind as decisions and audit records write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Service => "service",
            Self::User => "user",
        }
    }
}

/// Whether a principal may act at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It may.
    Active,
    /// Ended for good.
    Retired,
    /// Stopped for now.
    Suspended,
}

/// Where a delegation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DelegationMode {
    /// Also from signed evidence issued at most 10 min ago.
    OnInvoke,
    /// Only from a stored `delegate_of`.
    Stored,
}

impl DelegationMode {
    /// The mode as decisions and audit records write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnInvoke => "on-invoke",
            Self::Stored => "stored",
        }
    }
}

/// A set that an administrator wrote down. Absent is empty and denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// `*`, written out.
    All,
    /// These and no others.
    Listed(Vec<String>),
}

/// What an identity is limited to: rule, line 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Ids of workspaces.
    pub workspaces: Grant,
    /// Ids of boards.
    pub boards: Grant,
    /// `read`, `write`, `admin`.
    pub modes: Grant,
    /// Names of actions.
    pub actions: Grant,
}

/// A principal as a token names it: an issuer's subject or client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Holder {
    /// `iss`.
    pub issuer: String,
    /// `sub`, or the client id.
    pub name: String,
}

/// A machine identity, a service or a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its object in the model: `agent:devops-helper`. Immutable, never reused.
    pub object: ObjectName,
    /// What it is.
    pub kind: Kind,
    /// Subjects of tokens that are this principal.
    pub subjects: Vec<Holder>,
    /// Client ids of tokens that name this agent.
    pub clients: Vec<Holder>,
    /// Tenants: ids of the tenant type; several only for people.
    pub tenants: Vec<String>,
    /// Whether it may act.
    pub status: Status,
    /// Seconds since the epoch, from which on it may not.
    pub expires_at: Option<u64>,
    /// What it is limited to; people are not limited here.
    pub scope: Option<Scope>,
    /// Where its delegations come from.
    pub delegation: DelegationMode,
    /// The one user it acts for, for the binding mode `relation`.
    pub sole_user: Option<ObjectName>,
}

/// Something that an identity authenticates with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its public id: `iss` and `kid` of an agent context that it signs.
    pub id: String,
    /// Whose it is.
    pub identity: ObjectName,
    /// SHA-256 of the client certificate.
    pub thumbprint: Option<[u8; 32]>,
    /// `jti`s registered for it.
    pub token_ids: Vec<String>,
    /// The (issuer, client id) that it is, where the contract says so.
    pub client: Option<Holder>,
    /// The (issuer, subject) that it is.
    pub subject: Option<Holder>,
    /// A public key (JWK as JSON) that signs agent contexts.
    pub context_key: Option<String>,
    /// Seconds since the epoch, from which on it is void.
    pub expires_at: Option<u64>,
    /// When it was revoked: tokens issued until then are void.
    pub revoked_at: Option<u64>,
}
