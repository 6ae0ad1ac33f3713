//! Credentials of machine identities: several live ones each, replaced with an overlap, revoked
//! without touching the identity.

mod issue;
mod legacy;
mod life;
mod verify;

use mandate_authn::{Json, base64url};
use mandate_authz::name::ObjectName;
use mandate_authz::record::{self, Holder};

pub(crate) use self::issue::public_key;
pub use self::issue::{Issued, Material, NewCredential, SecretSource};
pub use self::legacy::{LegacyToken, NewLegacyToken};
pub use self::life::Rotation;
pub use self::verify::{SecretRefusal, Verified};
use crate::database::{Row, Transaction, Value, unreadable};
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::secret::Algorithm;
use crate::text;
use crate::writing::Writing;

/// What a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A secret that a person set up, or an application keeps.
    AppPassword,
    /// A client certificate, by its SHA-256.
    Certificate,
    /// A key that signs agent contexts, and assertions of the client (`private_key_jwt`).
    ContextKey,
    /// A client at an issuer.
    OauthClient,
    /// A secret that is a token by itself, for the way from tables of hashed tokens.
    Opaque,
}

impl CredentialKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::AppPassword, Self::Certificate, Self::ContextKey, Self::OauthClient, Self::Opaque];

    /// As the database and the command write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AppPassword => "app-password",
            Self::Certificate => "certificate",
            Self::ContextKey => "context-key",
            Self::OauthClient => "oauth-client",
            Self::Opaque => "opaque",
        }
    }

    fn parse(text: &str) -> Result<Self, RegistryError> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(unreadable)
    }
}

/// A credential as the registry has it, without its secret and the secret's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its public id.
    pub id: String,
    /// Whose it is.
    pub identity: ObjectName,
    /// What it is.
    pub kind: CredentialKind,
    /// The client at an issuer that it is.
    pub client: Option<Holder>,
    /// The subject at an issuer that it is.
    pub subject: Option<Holder>,
    /// SHA-256 of the certificate.
    pub thumbprint: Option<[u8; 32]>,
    /// `jti`s of tokens that were issued for it.
    pub token_ids: Vec<String>,
    /// A public JWK.
    pub context_key: Option<String>,
    /// How its secret is stored, where it has one.
    pub secret: Option<Algorithm>,
    /// When it was made.
    pub created_at: u64,
    /// From when on it is void.
    pub expires_at: Option<u64>,
    /// When it was revoked.
    pub revoked_at: Option<u64>,
    /// The credential that it replaces.
    pub replaces: Option<String>,
    /// When it was used last, as far as audit records have come in.
    pub last_used_at: Option<u64>,
}

impl Credential {
    /// The record that goes into a snapshot: no secret, no hash.
    #[must_use]
    pub fn record(&self) -> record::Credential {
        record::Credential {
            id: self.id.clone(),
            identity: self.identity.clone(),
            thumbprint: self.thumbprint,
            token_ids: self.token_ids.clone(),
            client: self.client.clone(),
            subject: self.subject.clone(),
            context_key: self.context_key.clone(),
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
        }
    }
}

/// The columns, in the order of [`read`]. The hash is not among them.
const COLUMNS: &str = "id, identity, kind, client_issuer, client_name, subject_issuer, \
    subject_name, thumbprint, token_ids, context_key, secret_algorithm, created_at, expires_at, \
    revoked_at, replaces, last_used_at";

/// Credentials that fit a condition, in the order of their ids.
pub(crate) fn stored(
    transaction: &mut dyn Transaction,
    condition: &str,
    values: &[Value],
) -> Result<Vec<Credential>, RegistryError> {
    let sql =
        format!("select {COLUMNS} from machine_identity_credential where {condition} order by id");
    transaction.query(&sql, values)?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Credential, RegistryError> {
    let holder = |issuer, name| {
        let issuer = row.optional_text(issuer)?;
        Ok(issuer.zip(row.optional_text(name)?).map(|(issuer, name)| Holder { issuer, name }))
    };
    let thumbprint = row.optional_bytes(7)?.map(<[u8; 32]>::try_from);
    let token_ids = row.text(8)?;
    let token_ids = Json::parse(token_ids.as_bytes(), 2).map_err(|_| unreadable())?;
    let token_ids = token_ids.as_strings().ok_or_else(unreadable)?;
    Ok(Credential {
        id: row.text(0)?,
        identity: text::object(&row.text(1)?)?,
        kind: CredentialKind::parse(&row.text(2)?)?,
        client: holder(3, 4)?,
        subject: holder(5, 6)?,
        thumbprint: thumbprint.transpose().map_err(|_| unreadable())?,
        token_ids: token_ids.into_iter().map(str::to_owned).collect(),
        context_key: row.optional_text(9)?,
        secret: row.optional_text(10)?.map(|text| Algorithm::parse(&text)).transpose()?,
        created_at: row.number(11)?,
        expires_at: row.optional_number(12)?,
        revoked_at: row.optional_number(13)?,
        replaces: row.optional_text(14)?,
        last_used_at: row.optional_number(15)?,
    })
}

impl Registry {
    /// One credential.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] when there is none of that id.
    pub fn credential(&mut self, id: &str) -> Result<Credential, RegistryError> {
        let found = self.read(|transaction, _| stored(transaction, "id = $1", &[id.into()]))?;
        let unknown = || RegistryError::NotFound(format!("credential `{id}`"));
        found.into_iter().next().ok_or_else(unknown)
    }

    /// The credentials of an identity, in the order of their ids: `most` of them after `after`.
    ///
    /// # Errors
    /// What the database says.
    pub fn credentials(
        &mut self,
        identity: &ObjectName,
        after: Option<&str>,
        most: u64,
    ) -> Result<Vec<Credential>, RegistryError> {
        let sql = format!(
            "select {COLUMNS} from machine_identity_credential where identity = $1 and id > $2 \
            order by id limit $3"
        );
        let values = [identity.to_string().into(), after.unwrap_or_default().into(), most.into()];
        self.read(|transaction, _| transaction.query(&sql, &values)?.iter().map(read).collect())
    }
}

impl Writing<'_> {
    /// A credential, where there is one of that id.
    pub(crate) fn known_credential(
        &mut self,
        id: &str,
    ) -> Result<Option<Credential>, RegistryError> {
        Ok(stored(self.transaction(), "id = $1", &[id.into()])?.into_iter().next())
    }

    /// A credential.
    fn credential(&mut self, id: &str) -> Result<Credential, RegistryError> {
        let sql = format!("select {COLUMNS} from machine_identity_credential where id = $1");
        let rows = self.query(&sql, &[id.into()])?;
        let unknown = || Err(RegistryError::NotFound(format!("credential `{id}`")));
        rows.first().map_or_else(unknown, read)
    }
}

/// A thumbprint as `x5t#S256` writes it.
///
/// # Errors
/// [`RegistryError::Invalid`] for what is no SHA-256 in base64url.
pub fn thumbprint(text: &str) -> Result<[u8; 32], RegistryError> {
    let bytes = base64url::decode(text.as_bytes()).and_then(|bytes| bytes.try_into().ok());
    let wrong = || RegistryError::Invalid("a thumbprint must be a SHA-256 in base64url".to_owned());
    bytes.ok_or_else(wrong)
}
