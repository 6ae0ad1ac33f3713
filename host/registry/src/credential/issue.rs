//! Giving an identity a credential.

use mandate_authn::{Json, PublicKey};
use mandate_authz::name::ObjectName;
use mandate_authz::record::{Holder, Status};
use mandate_authz::row::Row;

use super::{COLUMNS, Credential, CredentialKind};
use crate::confirm::Confirm;
use crate::database::Value;
use crate::error::RegistryError;
use crate::identity::MachineIdentity;
use crate::permission::Deed;
use crate::person::taken;
use crate::registry::{Act, Registry, Written};
use crate::secret::{Secret, Stored, public_id};
use crate::text;
use crate::writing::{Deed as Note, Writing};

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// 256 bits from the system.
    Generated,
    /// One that exists already: perhaps a word.
    Imported(Secret),
}

/// What a credential is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// See [`CredentialKind::AppPassword`].
    AppPassword(SecretSource),
    /// SHA-256 of the certificate.
    Certificate([u8; 32]),
    /// A public JWK.
    ContextKey(String),
    /// The client.
    OauthClient(Holder),
    /// See [`CredentialKind::Opaque`].
    Opaque(SecretSource),
}

/// A credential to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCredential {
    /// What it is made of.
    pub material: Material,
    /// The subject at an issuer that it is as well.
    pub subject: Option<Holder>,
    /// `jti`s of tokens that were issued for it.
    pub token_ids: Vec<String>,
    /// From when on it is void.
    pub expires_at: Option<u64>,
}

/// What issuing gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The credential.
    pub credential: Credential,
    /// The generated secret, `mnd_<public id>_<secret>`: shown this once, and by no dry run.
    pub secret: Option<Secret>,
}

impl Registry {
    /// Gives an identity one more credential.
    ///
    /// # Errors
    /// A retired identity, a holder or certificate of another one, a key that is private or unfit.
    pub fn add_credential(
        &mut self,
        act: &Act,
        identity: &ObjectName,
        new: &NewCredential,
    ) -> Result<Written<Issued>, RegistryError> {
        self.write(act, |writing| {
            let identity = writing.identity(identity)?;
            writing.require(Deed::AddCredential, identity.matter())?;
            writing.issue(&identity, new, None)
        })
    }
}

impl Writing<'_> {
    /// Makes a credential, in place of another one perhaps. Who may is asked before.
    pub(crate) fn issue(
        &mut self,
        identity: &MachineIdentity,
        new: &NewCredential,
        replaces: Option<&Credential>,
    ) -> Result<Issued, RegistryError> {
        if identity.status == Status::Retired {
            return Err(RegistryError::Conflict(format!("`{}` is retired", identity.object)));
        }
        let mut credential = self.blank(identity, new, replaces)?;
        let (source, kind) = evidence(&mut credential, &new.material)?;
        credential.kind = kind;
        self.check_credential(&credential)?;
        let (stored, secret) = self.secret(&credential.id, source)?;
        credential.secret = stored.as_ref().map(|stored| stored.algorithm);
        self.keep(identity, &credential, stored)?;
        let secret = secret.filter(|_| self.act.confirm == Confirm::Confirmed);
        Ok(Issued { credential, secret })
    }

    /// Takes over a credential that has an id already, and no secret.
    pub(crate) fn take_credential(
        &mut self,
        identity: &MachineIdentity,
        credential: &Credential,
    ) -> Result<(), RegistryError> {
        for holder in [&credential.client, &credential.subject].into_iter().flatten() {
            self.check_holder(holder)?;
            self.refuse_other_holder(&credential.identity, holder)?;
        }
        self.refuse_other_certificate(credential)?;
        self.keep(identity, credential, None)
    }

    fn keep(
        &mut self,
        identity: &MachineIdentity,
        credential: &Credential,
        stored: Option<Stored>,
    ) -> Result<(), RegistryError> {
        self.insert_credential(credential, stored)?;
        self.log(Row::PutCredential(credential.record()));
        self.note_credential("credential-add", &identity.tenant, credential)
    }

    fn blank(
        &mut self,
        identity: &MachineIdentity,
        new: &NewCredential,
        replaces: Option<&Credential>,
    ) -> Result<Credential, RegistryError> {
        Ok(Credential {
            id: public_id(self.randomness)?,
            identity: identity.object.clone(),
            kind: CredentialKind::Opaque,
            client: None,
            subject: new.subject.clone(),
            thumbprint: None,
            token_ids: new.token_ids.clone(),
            context_key: None,
            secret: None,
            created_at: self.act.now,
            expires_at: new.expires_at,
            revoked_at: None,
            replaces: replaces.map(|replaced| replaced.id.clone()),
            last_used_at: None,
        })
    }

    fn check_credential(&mut self, credential: &Credential) -> Result<(), RegistryError> {
        credential.expires_at.map_or(Ok(()), text::check_time)?;
        if credential.expires_at.is_some_and(|expires| expires <= self.act.now) {
            let message = "the credential would be expired already".to_owned();
            return Err(RegistryError::Invalid(message));
        }
        for id in &credential.token_ids {
            text::check("the id of a token", id)?;
        }
        for holder in [&credential.client, &credential.subject].into_iter().flatten() {
            self.check_holder(holder)?;
            self.refuse_other_holder(&credential.identity, holder)?;
        }
        self.refuse_other_certificate(credential)
    }

    fn refuse_other_certificate(&mut self, credential: &Credential) -> Result<(), RegistryError> {
        if let Some(thumbprint) = credential.thumbprint {
            let sql = "select 1 from machine_identity_credential \
                where thumbprint = $1 and identity <> $2";
            let values = [thumbprint.to_vec().into(), credential.identity.to_string().into()];
            if self.finds(sql, &values)? {
                let message = "this certificate belongs to another identity".to_owned();
                return Err(RegistryError::Conflict(message));
            }
        }
        Ok(())
    }

    fn refuse_other_holder(
        &mut self,
        identity: &ObjectName,
        holder: &Holder,
    ) -> Result<(), RegistryError> {
        let sql = "select object from principal_link where issuer = $1 and name = $2 \
            and object <> $3 union all \
            select identity from machine_identity_credential where identity <> $3 and \
            ((client_issuer = $1 and client_name = $2) or (subject_issuer = $1 and subject_name = $2))";
        let Holder { issuer, name } = holder;
        let values = [issuer.into(), name.into(), identity.to_string().into()];
        if self.finds(sql, &values)? { Err(taken(holder)) } else { Ok(()) }
    }

    /// The secret as it is stored, and, of a generated one, as its holder keeps it.
    fn secret(
        &mut self,
        id: &str,
        source: Option<&SecretSource>,
    ) -> Result<(Option<Stored>, Option<Secret>), RegistryError> {
        Ok(match source {
            None => (None, None),
            Some(SecretSource::Generated) => {
                let secret = Secret::generate(self.randomness)?;
                (Some(Stored::of_generated(id, &secret)), Some(secret.under(id)))
            }
            Some(SecretSource::Imported(secret)) => {
                text::check("a secret", secret.reveal())?;
                (Some(Stored::of_imported(secret, self.randomness)?), None)
            }
        })
    }

    fn insert_credential(
        &mut self,
        credential: &Credential,
        stored: Option<Stored>,
    ) -> Result<(), RegistryError> {
        let Credential { client, subject, .. } = credential;
        let issuer = |holder: &Option<Holder>| holder.as_ref().map(|holder| holder.issuer.clone());
        let name = |holder: &Option<Holder>| holder.as_ref().map(|holder| holder.name.clone());
        let token_ids = credential.token_ids.iter().map(|id| Json::from(id.as_str())).collect();
        let sql = format!(
            "insert into machine_identity_credential ({COLUMNS}, secret_hash) values \
            ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        );
        let values: [Value; 17] = [
            credential.id.as_str().into(),
            credential.identity.to_string().into(),
            credential.kind.as_str().into(),
            issuer(client).into(),
            name(client).into(),
            issuer(subject).into(),
            name(subject).into(),
            credential.thumbprint.map(|thumbprint| thumbprint.to_vec()).into(),
            Json::Array(token_ids).to_canonical().into(),
            credential.context_key.clone().into(),
            credential.secret.map(|algorithm| algorithm.as_str().to_owned()).into(),
            credential.created_at.into(),
            credential.expires_at.into(),
            credential.revoked_at.into(),
            credential.replaces.clone().into(),
            credential.last_used_at.into(),
            stored.map(|stored| stored.hash).into(),
        ];
        self.execute(&sql, &values).map(drop)
    }

    /// Notes what became of a credential, with its identity.
    pub(super) fn note_credential(
        &mut self,
        change: &'static str,
        tenant: &str,
        credential: &Credential,
    ) -> Result<(), RegistryError> {
        self.note(&Note {
            change,
            tenant: Some(tenant.to_owned()),
            identity: Some(credential.identity.clone()),
            credential: Some(credential.id.clone()),
            ..Note::default()
        })
    }
}

/// Puts the evidence into the credential; what is left is the source of a secret.
fn evidence<'m>(
    credential: &mut Credential,
    material: &'m Material,
) -> Result<(Option<&'m SecretSource>, CredentialKind), RegistryError> {
    Ok(match material {
        Material::AppPassword(source) => (Some(source), CredentialKind::AppPassword),
        Material::Certificate(thumbprint) => {
            credential.thumbprint = Some(*thumbprint);
            (None, CredentialKind::Certificate)
        }
        Material::ContextKey(jwk) => {
            credential.context_key = Some(public_key(jwk)?);
            (None, CredentialKind::ContextKey)
        }
        Material::OauthClient(client) => {
            credential.client = Some(client.clone());
            (None, CredentialKind::OauthClient)
        }
        Material::Opaque(source) => (Some(source), CredentialKind::Opaque),
    })
}

/// Only public keys are stored: whoever reads the database could sign with another.
pub(crate) fn public_key(text: &str) -> Result<String, RegistryError> {
    let invalid = |message: &str| RegistryError::Invalid(format!("the key {message}"));
    let json = Json::parse(text.as_bytes(), 4).map_err(|error| invalid(error.describe()))?;
    let members = json.as_object().ok_or_else(|| invalid("is no JWK"))?;
    if PRIVATE.iter().any(|member| members.contains_key(*member)) {
        return Err(invalid("is a private one: give its public half"));
    }
    PublicKey::from_jwk(members).map_err(|unfit| invalid(unfit.describe()))?;
    Ok(json.to_canonical())
}

/// RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
