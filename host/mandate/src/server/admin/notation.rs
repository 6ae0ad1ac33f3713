//! How bodies write what the registry keeps.

use axum::extract::Request;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::record::{DelegationMode, Grant, Holder, Scope, Status};
use mandate_registry::credential::{Material, SecretSource, thumbprint};
use mandate_registry::identity::External;
use mandate_registry::secret::Secret;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::server::answer::{Answer, malformed};
use crate::server::body;
use crate::server::query;
use crate::server::shared::Shared;

/// A body.
pub(super) async fn read<T: DeserializeOwned>(
    shared: &Shared,
    request: Request,
) -> Result<T, Answer> {
    let (_, value) = body::read_json(request, shared.settings.limits.body_bytes).await?;
    Ok(value)
}

/// No body: what somebody says there they mean, and nobody would read it.
pub(super) async fn read_nothing(shared: &Shared, request: Request) -> Result<(), Answer> {
    let bytes = body::read(request.into_body(), shared.settings.limits.body_bytes).await?;
    if bytes.is_empty() { Ok(()) } else { Err(malformed("the body must be empty")) }
}

/// The body of a change that has to be confirmed, and nothing else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meant {
    #[serde(default)]
    pub(super) confirm: bool,
}

/// `type:id`.
#[derive(Clone, Debug)]
pub(super) struct Object(pub(super) ObjectName);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let text = String::deserialize(reader)?;
        query::object(&text).map(Self).ok_or_else(|| D::Error::custom("must be `type:id`"))
    }
}

/// `type:id`, `type:id#relation` or `type:*`.
#[derive(Clone, Debug)]
pub(super) struct SubjectName(pub(super) Subject);

impl<'de> Deserialize<'de> for SubjectName {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let text = String::deserialize(reader)?;
        let subject = Subject::parse(&text).filter(Subject::is_well_formed);
        subject.map(Self).ok_or_else(|| D::Error::custom("must be `type:id` or `type:id#relation`"))
    }
}

/// A name at an issuer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HolderName {
    issuer: String,
    name: String,
}

impl From<HolderName> for Holder {
    fn from(HolderName { issuer, name }: HolderName) -> Self {
        Self { issuer, name }
    }
}

/// How tokens name an identity.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExternalNames {
    issuer: String,
    subject: Option<String>,
    client: Option<String>,
}

impl ExternalNames {
    pub(super) fn external(self) -> Result<External, Answer> {
        let Self { issuer, subject, client } = self;
        if subject.is_none() && client.is_none() {
            return Err(malformed("`external`: needs `subject` or `client`"));
        }
        Ok(External { issuer, subject, client })
    }
}

/// A scope: what is not given is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ScopeParts {
    workspaces: Names,
    boards: Names,
    modes: Names,
    actions: Names,
}

impl From<ScopeParts> for Scope {
    fn from(ScopeParts { workspaces, boards, modes, actions }: ScopeParts) -> Self {
        let [workspaces, boards, modes, actions] =
            [workspaces, boards, modes, actions].map(Names::grant);
        Self { workspaces, boards, modes, actions }
    }
}

/// `"*"`, or names.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "must be \"*\" or a list of names")]
enum Names {
    All(Star),
    Listed(Vec<String>),
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum Star {
    #[serde(rename = "*")]
    Star,
}

impl Default for Names {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl Names {
    fn grant(self) -> Grant {
        match self {
            Self::All(Star::Star) => Grant::All,
            Self::Listed(names) => Grant::Listed(names),
        }
    }
}

/// Where delegations come from.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Delegation {
    OnInvoke,
    #[default]
    Stored,
}

impl From<Delegation> for DelegationMode {
    fn from(delegation: Delegation) -> Self {
        match delegation {
            Delegation::OnInvoke => Self::OnInvoke,
            Delegation::Stored => Self::Stored,
        }
    }
}

/// Whether a person may act.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Standing {
    #[default]
    Active,
    Suspended,
}

impl From<Standing> for Status {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Active => Self::Active,
            Standing::Suspended => Self::Suspended,
        }
    }
}

/// What a credential is made of. A secret that is not imported is generated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub(super) enum Made {
    AppPassword { import_secret: Option<String> },
    Certificate { thumbprint: String },
    ContextKey { public_key: Map<String, Value> },
    OauthClient { client: HolderName },
    Opaque { import_secret: Option<String> },
}

impl Made {
    pub(super) fn material(self) -> Result<Material, Answer> {
        let source = |secret: Option<String>| {
            let imported = |secret| SecretSource::Imported(Secret::new(secret));
            secret.map_or(SecretSource::Generated, imported)
        };
        Ok(match self {
            Self::AppPassword { import_secret } => Material::AppPassword(source(import_secret)),
            Self::Certificate { thumbprint: text } => {
                let bytes = thumbprint(&text)
                    .map_err(|error| malformed(&format!("`thumbprint`: {error}")))?;
                Material::Certificate(bytes)
            }
            Self::ContextKey { public_key } => {
                Material::ContextKey(Value::Object(public_key).to_string())
            }
            Self::OauthClient { client } => Material::OauthClient(client.into()),
            Self::Opaque { import_secret } => Material::Opaque(source(import_secret)),
        })
    }
}
