//! A facts file as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::moment::Moment;
use super::scalar::{HolderFile, Names, RelationshipFile};

/// A list whose entries know their lines.
pub(super) type List<T> = Vec<Spanned<T>>;

/// A name for people, which decides nothing and is not kept.
type Label = Option<String>;

/// Subjects by relation.
pub(super) type Relations = BTreeMap<String, List<String>>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    /// The tenant of every entry that states none.
    pub(super) organization: Option<String>,
    /// The owner of every agent that states none.
    pub(super) owner: Option<String>,
    /// The issuer of subjects and clients that are stated as text.
    pub(super) issuer: Option<String>,
    /// Whether those who may use an agent may call its tools.
    pub(super) grant_callers: bool,
    pub(super) organizations: List<OrganizationFile>,
    pub(super) users: List<UserFile>,
    pub(super) teams: List<TeamFile>,
    pub(super) agents: List<AgentFile>,
    pub(super) services: List<ServiceFile>,
    pub(super) servers: List<ServerFile>,
    pub(super) tools: List<ToolFile>,
    pub(super) workspaces: List<WorkspaceFile>,
    pub(super) boards: List<BoardFile>,
    pub(super) objects: List<ObjectFile>,
    pub(super) relationships: List<RelationshipFile>,
    pub(super) credentials: List<CredentialFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganizationFile {
    pub(super) id: String,
    #[serde(default, rename = "name")]
    _name: Label,
    #[serde(default)]
    pub(super) admins: List<String>,
    #[serde(default)]
    pub(super) evaluators: List<String>,
    #[serde(default)]
    pub(super) can_assert: List<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserFile {
    pub(super) id: String,
    #[serde(default, rename = "name")]
    _name: Label,
    pub(super) organizations: Option<List<String>>,
    #[serde(default)]
    pub(super) subjects: List<HolderFile>,
    #[serde(default)]
    pub(super) status: StatusFile,
    pub(super) expires_at: Option<Moment>,
    #[serde(default)]
    pub(super) credentials: List<CredentialFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TeamFile {
    pub(super) id: String,
    #[serde(default, rename = "name")]
    _name: Label,
    pub(super) organization: Option<String>,
    #[serde(default)]
    pub(super) members: List<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentFile {
    pub(super) id: String,
    #[serde(default, rename = "name")]
    _name: Label,
    pub(super) organization: Option<String>,
    pub(super) owner: Option<String>,
    #[serde(default)]
    pub(super) visibility: Visibility,
    #[serde(default)]
    pub(super) shared_with_teams: List<String>,
    #[serde(default)]
    pub(super) agent_users: List<String>,
    #[serde(default)]
    pub(super) agent_admins: List<String>,
    #[serde(default)]
    pub(super) denied: List<String>,
    /// Tools by server.
    #[serde(default)]
    pub(super) allowed_tools: BTreeMap<String, List<String>>,
    pub(super) grant_callers: Option<bool>,
    #[serde(default)]
    pub(super) delegation: DelegationFile,
    #[serde(default)]
    pub(super) delegated_by: List<String>,
    pub(super) sole_user: Option<String>,
    #[serde(default)]
    pub(super) subjects: List<HolderFile>,
    #[serde(default)]
    pub(super) clients: List<HolderFile>,
    #[serde(default)]
    pub(super) status: StatusFile,
    pub(super) expires_at: Option<Moment>,
    pub(super) scope: Option<ScopeFile>,
    #[serde(default)]
    pub(super) credentials: List<CredentialFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceFile {
    pub(super) id: String,
    #[serde(default, rename = "name")]
    _name: Label,
    pub(super) organization: Option<String>,
    #[serde(default)]
    pub(super) subjects: List<HolderFile>,
    #[serde(default)]
    pub(super) clients: List<HolderFile>,
    #[serde(default)]
    pub(super) status: StatusFile,
    pub(super) expires_at: Option<Moment>,
    pub(super) scope: Option<ScopeFile>,
    #[serde(default)]
    pub(super) credentials: List<CredentialFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerFile {
    pub(super) id: String,
    #[serde(default, rename = "name")]
    _name: Label,
    /// Registered tools.
    #[serde(default)]
    pub(super) tools: List<String>,
    /// Who may call every one of them, and the server's methods without a tool.
    #[serde(default)]
    pub(super) callers: List<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolFile {
    pub(super) id: String,
    #[serde(default, rename = "name")]
    _name: Label,
    #[serde(default)]
    pub(super) callers: List<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkspaceFile {
    pub(super) id: String,
    #[serde(default, rename = "name")]
    _name: Label,
    pub(super) organization: Option<String>,
    #[serde(default)]
    pub(super) relations: Relations,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BoardFile {
    pub(super) id: String,
    #[serde(default, rename = "name")]
    _name: Label,
    pub(super) workspace: String,
    #[serde(default)]
    pub(super) relations: Relations,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObjectFile {
    pub(super) object: String,
    #[serde(default)]
    pub(super) relations: Relations,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CredentialFile {
    pub(super) id: String,
    /// Whose it is, where it does not stand within its identity.
    pub(super) identity: Option<String>,
    /// SHA-256 of the certificate, base64url, as in `x5t#S256`.
    pub(super) thumbprint: Option<String>,
    #[serde(default)]
    pub(super) token_ids: Vec<String>,
    pub(super) client: Option<HolderFile>,
    pub(super) subject: Option<HolderFile>,
    /// A public JWK.
    pub(super) context_key: Option<Map<String, Value>>,
    pub(super) expires_at: Option<Moment>,
    pub(super) revoked_at: Option<Moment>,
}

/// What is absent is empty, and covers nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ScopeFile {
    pub(super) workspaces: Names,
    pub(super) boards: Names,
    pub(super) modes: Names,
    pub(super) actions: Names,
}

/// Who may use an agent without being named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Visibility {
    /// Everybody of its organization.
    Global,
    /// Its owner.
    #[default]
    Private,
    /// The teams with which it is shared.
    Team,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StatusFile {
    #[default]
    Active,
    Retired,
    Suspended,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DelegationFile {
    OnInvoke,
    #[default]
    Stored,
}
