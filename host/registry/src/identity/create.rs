//! Making identities, and the short way for one agent thread.

use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::record::{DelegationMode, Holder, Kind, Scope, Status};
use mandate_authz::row::Row;
use mandate_authz::tuple::Tuple;

use super::{External, MachineIdentity, status_name};
use crate::credential::{Issued, Material, NewCredential, SecretSource};
use crate::error::RegistryError;
use crate::look_up::relation;
use crate::permission::Deed;
use crate::person::LinkKind;
use crate::registry::{Act, Registry, Written};
use crate::writing::{Deed as Note, Writing};
use crate::{scope, text};

/// What an identity is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIdentity {
    /// Its object: `agent:…` or `service:…`.
    pub object: ObjectName,
    /// For people.
    pub display_name: String,
    /// The user whose it is.
    pub owner: Option<ObjectName>,
    /// Its tenant.
    pub tenant: String,
    /// What it is limited to.
    pub scope: Scope,
    /// Where its delegations come from.
    pub delegation: DelegationMode,
    /// The one user it acts for.
    pub sole_user: Option<ObjectName>,
    /// From when on it may not act.
    pub expires_at: Option<u64>,
    /// How tokens name it.
    pub external: Option<External>,
}

/// What an identity for one thread is made of. It is called `codex-<thread>`, and ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewThread {
    /// The thread's id.
    pub thread: String,
    /// The user whose thread it is.
    pub owner: ObjectName,
    /// The tenant.
    pub tenant: String,
    /// What it is limited to.
    pub scope: Scope,
    /// Where its delegations come from.
    pub delegation: DelegationMode,
    /// The subject of tokens that are the identity.
    pub subject: Option<Holder>,
    /// The client at an issuer that the credential is; without one it is a generated secret.
    pub client: Option<Holder>,
    /// From when on neither identity nor credential are good.
    pub expires_at: u64,
}

impl Registry {
    /// Makes an identity.
    ///
    /// # Errors
    /// A name that was given before, an unknown tenant or owner, a scope that names what the contract
    /// lacks, an actor who is no administrator of the tenant.
    pub fn create_identity(
        &mut self,
        act: &Act,
        new: &NewIdentity,
    ) -> Result<Written<MachineIdentity>, RegistryError> {
        self.write(act, |writing| writing.create(new, None))
    }

    /// Makes an identity and its credential for one thread.
    ///
    /// # Errors
    /// As [`Registry::create_identity`].
    pub fn create_thread(
        &mut self,
        act: &Act,
        new: &NewThread,
    ) -> Result<Written<(MachineIdentity, Issued)>, RegistryError> {
        self.write(act, |writing| {
            let identity = NewIdentity {
                object: ObjectName::new(&writing.types().agent, format!("codex-{}", new.thread)),
                display_name: format!("thread {}", new.thread),
                owner: Some(new.owner.clone()),
                tenant: new.tenant.clone(),
                scope: new.scope.clone(),
                delegation: new.delegation,
                sole_user: None,
                expires_at: Some(new.expires_at),
                external: new.subject.clone().map(|Holder { issuer, name }| External {
                    issuer,
                    subject: Some(name),
                    client: None,
                }),
            };
            let identity = writing.create(&identity, Some(&new.thread))?;
            let credential = NewCredential {
                material: match &new.client {
                    Some(client) => Material::OauthClient(client.clone()),
                    None => Material::Opaque(SecretSource::Generated),
                },
                subject: None,
                token_ids: Vec::new(),
                expires_at: Some(new.expires_at),
            };
            let issued = writing.issue(&identity, &credential, None)?;
            Ok((identity, issued))
        })
    }
}

impl Writing<'_> {
    fn create(
        &mut self,
        new: &NewIdentity,
        thread: Option<&str>,
    ) -> Result<MachineIdentity, RegistryError> {
        let identity = self.active(new, thread)?;
        // An owner of what is not there yet would be whoever says so.
        let matter = crate::look_up::Matter { identity: None, owner: None, ..identity.matter() };
        self.require(Deed::CreateIdentity, matter)?;
        if identity.expires_at.is_some_and(|expires| expires <= self.act.now) {
            let object = &identity.object;
            return Err(RegistryError::Invalid(format!("`{object}` would be expired already")));
        }
        self.enter(identity)
    }

    /// Takes over an identity that facts name, which may have ended already.
    pub(crate) fn create_from_facts(
        &mut self,
        new: &NewIdentity,
    ) -> Result<MachineIdentity, RegistryError> {
        let identity = self.active(new, None)?;
        self.enter(identity)
    }

    fn active(
        &self,
        new: &NewIdentity,
        thread: Option<&str>,
    ) -> Result<MachineIdentity, RegistryError> {
        Ok(MachineIdentity {
            object: new.object.clone(),
            kind: self.kind(&new.object)?,
            display_name: new.display_name.clone(),
            thread: thread.map(str::to_owned),
            owner: new.owner.clone(),
            tenant: new.tenant.clone(),
            scope: scope::read(&scope::write(&new.scope))?,
            delegation: new.delegation,
            sole_user: new.sole_user.clone(),
            status: Status::Active,
            expires_at: new.expires_at,
            created_at: self.act.now,
            last_used_at: None,
            last_rotated_at: None,
            external: new.external.clone(),
        })
    }

    fn enter(&mut self, identity: MachineIdentity) -> Result<MachineIdentity, RegistryError> {
        self.check(&identity)?;
        self.insert(&identity)?;
        for (kind, holder) in links(&identity) {
            self.link(&identity.object, kind, &holder)?;
        }
        self.log(Row::PutIdentity(identity.record()));
        self.introduce(&identity.object)?;
        self.relate(&identity)?;
        self.note_identity("identity-create", &identity)?;
        Ok(identity)
    }

    fn kind(&self, object: &ObjectName) -> Result<Kind, RegistryError> {
        let types = self.types();
        let kind = if object.type_name == types.agent { Kind::Agent } else { Kind::Service };
        let expected = match kind {
            Kind::Service => types.service.as_deref().unwrap_or(&types.agent),
            Kind::Agent | Kind::User => &types.agent,
        };
        text::check_object(object, expected).map(|()| kind)
    }

    fn check(&mut self, identity: &MachineIdentity) -> Result<(), RegistryError> {
        let MachineIdentity { object, owner, tenant, sole_user, .. } = identity;
        text::check("a display name", &identity.display_name)?;
        identity.expires_at.map_or(Ok(()), text::check_time)?;
        if sole_user.is_some() && identity.kind != Kind::Agent {
            return Err(RegistryError::Invalid("only agents have a sole user".to_owned()));
        }
        scope::check(&identity.scope, &self.rules.policy)?;
        self.require_tenant(tenant)?;
        for person in [owner, sole_user].into_iter().flatten() {
            let sql = "select 1 from membership where object = $1 and tenant = $2";
            if !self.finds(sql, &[person.to_string().into(), tenant.into()])? {
                let message = format!("`{person}` is no member of the tenant `{tenant}`");
                return Err(RegistryError::Invalid(message));
            }
        }
        self.refuse_tombstone(&object.to_string())?;
        let known = "select 1 from machine_identity where object = $1";
        if self.finds(known, &[object.to_string().into()])? {
            return Err(RegistryError::Conflict(format!(
                "there is an identity `{object}` already"
            )));
        }
        Ok(())
    }

    fn insert(&mut self, identity: &MachineIdentity) -> Result<(), RegistryError> {
        let external = |part: fn(&External) -> Option<String>| {
            identity.external.as_ref().and_then(part).into()
        };
        let sql = format!(
            "insert into machine_identity ({}) values \
            ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, null, null, $13, $14, $15)",
            super::COLUMNS
        );
        let values = [
            identity.object.to_string().into(),
            identity.kind.as_str().into(),
            identity.display_name.as_str().into(),
            identity.thread.clone().into(),
            identity.owner.as_ref().map(ToString::to_string).into(),
            identity.tenant.as_str().into(),
            scope::write(&identity.scope).into(),
            identity.delegation.as_str().into(),
            identity.sole_user.as_ref().map(ToString::to_string).into(),
            status_name(identity.status).into(),
            identity.expires_at.into(),
            identity.created_at.into(),
            external(|external| Some(external.issuer.clone())),
            external(|external| external.subject.clone()),
            external(|external| external.client.clone()),
        ];
        self.execute(&sql, &values).map(drop)
    }

    /// Stores what the model says of owners and tenants, where it says it.
    fn relate(&mut self, identity: &MachineIdentity) -> Result<(), RegistryError> {
        let MachineIdentity { object, owner, tenant, .. } = identity;
        let tenant = Subject::Object(ObjectName::new(&self.types().tenant, tenant));
        let owner = owner.clone().map(Subject::Object);
        let stored = [(relation::ORGANIZATION, Some(tenant)), (relation::OWNER, owner)];
        for (relation, subject) in stored {
            if let Some(subject) = subject
                && self.rules.admission.takes(&object.type_name, relation, &subject)
            {
                self.store(&Tuple::new(object.clone(), relation, subject))?;
            }
        }
        Ok(())
    }

    /// Notes what became of an identity.
    pub(crate) fn note_identity(
        &mut self,
        change: &'static str,
        identity: &MachineIdentity,
    ) -> Result<(), RegistryError> {
        self.note(&Note {
            change,
            tenant: Some(identity.tenant.clone()),
            identity: Some(identity.object.clone()),
            ..Note::default()
        })
    }
}

fn links(identity: &MachineIdentity) -> Vec<(LinkKind, Holder)> {
    let record = identity.record();
    let subjects = record.subjects.into_iter().map(|holder| (LinkKind::Subject, holder));
    let clients = record.clients.into_iter().map(|holder| (LinkKind::Client, holder));
    subjects.chain(clients).collect()
}
