//! Many facts in one write: what a facts file says, taken over where it is not so already.
//!
//! What the file does not name stays as it is: facts add and change, they take nothing away.

use std::collections::BTreeSet;

use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::object_id;
use mandate_authz::record::{Credential as Facts, Identity, Kind, Scope, Status};
use mandate_authz::row::Row;
use mandate_authz::snapshot::World;

use crate::credential::{Credential, CredentialKind};
use crate::error::RegistryError;
use crate::identity::{External, MachineIdentity, NewIdentity, status_name};
use crate::look_up::{Matter, relation};
use crate::permission::Deed;
use crate::person::Person;
use crate::registry::{Act, Registry, Written};
use crate::scope;
use crate::text;
use crate::writing::{Deed as Note, Writing};

/// How many things of each sort were other than the facts say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Tenants, tools, and other objects without a record.
    pub objects: u64,
    /// People.
    pub people: u64,
    /// Machine identities.
    pub identities: u64,
    /// Credentials.
    pub credentials: u64,
    /// Relationships, beside those that people and identities bring with them.
    pub relationships: u64,
}

impl Applied {
    /// Whether everything was as the facts say.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Registry {
    /// Takes over what facts say, all or nothing. What is so already changes nothing.
    ///
    /// # Errors
    /// Anybody but an operator; what contradicts the registry, such as another tenant for an
    /// identity; what every other write refuses.
    pub fn apply_facts(
        &mut self,
        act: &Act,
        world: &World,
    ) -> Result<Written<Applied>, RegistryError> {
        self.write(act, |writing| {
            writing.require(Deed::Register, Matter::default())?;
            let tenants = count(&tenants(world, &writing.types().tenant), |tenant| {
                writing.apply_object(tenant)
            })?;
            let people = count(&of_people(world), |person| writing.apply_person(person))?;
            let machines: Vec<_> =
                world.identities.iter().filter(|identity| identity.kind != Kind::User).collect();
            let identities = count(&machines, |identity| writing.apply_identity(identity, world))?;
            let objects = count(&world.objects, |object| writing.apply_object(object))?;
            let objects = objects.saturating_add(tenants);
            let relationships = count(&world.tuples, |tuple| writing.store(tuple))?;
            let credentials = count(&world.credentials, |facts| writing.apply_credential(facts))?;
            Ok(Applied { objects, people, identities, credentials, relationships })
        })
    }
}

/// How many of these changed something.
fn count<T>(
    items: &[T],
    mut apply: impl FnMut(&T) -> Result<bool, RegistryError>,
) -> Result<u64, RegistryError> {
    let mut changed: u64 = 0;
    for item in items {
        if apply(item)? {
            changed = changed.saturating_add(1);
        }
    }
    Ok(changed)
}

/// The tenants that the facts name, which have to be there before anybody belongs to them.
fn tenants(world: &World, type_name: &str) -> Vec<ObjectName> {
    let records = world.identities.iter().flat_map(|identity| &identity.tenants);
    let of_records = records.map(|tenant| ObjectName::new(type_name, tenant));
    let objects = world.objects.iter().chain(world.tuples.iter().map(|tuple| &tuple.object));
    let named = objects.filter(|object| object.type_name == type_name).cloned();
    let subjects = world.tuples.iter().filter_map(|tuple| match &tuple.subject {
        Subject::Object(object) | Subject::Userset(object, _) => Some(object),
        Subject::Wildcard(_) => None,
    });
    let above = subjects.filter(|object| object.type_name == type_name).cloned();
    of_records.chain(named).chain(above).collect::<BTreeSet<_>>().into_iter().collect()
}

fn of_people(world: &World) -> Vec<Person> {
    let people = world.identities.iter().filter(|identity| identity.kind == Kind::User);
    let person = |identity: &Identity| Person {
        object: identity.object.clone(),
        tenants: sorted(&identity.tenants),
        subjects: sorted(&identity.subjects),
        status: identity.status,
        expires_at: identity.expires_at,
    };
    people.map(person).collect()
}

fn sorted<T: Clone + Ord>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort();
    items
}

/// The owner that the facts say.
fn owner(world: &World, object: &ObjectName, user_type: &str) -> Option<ObjectName> {
    let tuples = world.tuples.iter();
    let mut owners = tuples.filter(|tuple| {
        tuple.object == *object && tuple.relation == relation::OWNER && tuple.condition.is_none()
    });
    match owners.next().map(|tuple| &tuple.subject) {
        Some(Subject::Object(owner)) if owner.type_name == user_type => Some(owner.clone()),
        Some(Subject::Object(_) | Subject::Userset(..) | Subject::Wildcard(_)) | None => None,
    }
}

/// How tokens name a machine identity: one subject and one client, of one issuer.
fn external(identity: &Identity) -> Result<Option<External>, RegistryError> {
    let too_many = || {
        let object = &identity.object;
        let message = format!("`{object}` has more than one subject and one client of one issuer");
        Err(RegistryError::Invalid(message))
    };
    let (subject, client) = match (identity.subjects.as_slice(), identity.clients.as_slice()) {
        ([], []) => return Ok(None),
        ([subject], []) => (Some(subject), None),
        ([], [client]) => (None, Some(client)),
        ([subject], [client]) if subject.issuer == client.issuer => (Some(subject), Some(client)),
        (_, _) => return too_many(),
    };
    let issuer = subject.or(client).map(|holder| holder.issuer.clone()).unwrap_or_default();
    let name = |holder: &mandate_authz::record::Holder| holder.name.clone();
    Ok(Some(External { issuer, subject: subject.map(name), client: client.map(name) }))
}

impl Writing<'_> {
    fn apply_object(&mut self, object: &ObjectName) -> Result<bool, RegistryError> {
        self.rules.admission.check_object(object).map_err(RegistryError::Invalid)?;
        if self.types().is_principal(&object.type_name) || !self.introduce(object)? {
            return Ok(false);
        }
        let is_tenant = object.type_name == self.types().tenant;
        self.note(&Note {
            change: "object-register",
            tenant: is_tenant.then(|| object.id.clone()),
            item: Some(object.to_string()),
            ..Note::default()
        })?;
        Ok(true)
    }

    fn apply_person(&mut self, person: &Person) -> Result<bool, RegistryError> {
        if self.known_person(&person.object)?.as_ref() == Some(person) {
            return Ok(false);
        }
        self.put_person(person)?;
        Ok(true)
    }

    fn apply_identity(&mut self, facts: &Identity, world: &World) -> Result<bool, RegistryError> {
        let object = &facts.object;
        let known = "select 1 from machine_identity where object = $1";
        if self.finds(known, &[object.to_string().into()])? {
            let identity = self.identity(object)?;
            return self.update_identity(identity, facts);
        }
        let [tenant] = facts.tenants.as_slice() else {
            return Err(RegistryError::Invalid(format!("`{object}` must have one tenant")));
        };
        let new = NewIdentity {
            object: object.clone(),
            display_name: object.id.clone(),
            owner: owner(world, object, &self.types().user),
            tenant: tenant.clone(),
            scope: facts.scope.clone().unwrap_or_else(nothing),
            delegation: facts.delegation,
            sole_user: facts.sole_user.clone(),
            expires_at: facts.expires_at,
            external: external(facts)?,
        };
        let identity = self.create_from_facts(&new)?;
        self.update_identity(identity, facts)?;
        Ok(true)
    }

    /// What may change of an identity changes; what says who it is does not.
    fn update_identity(
        &mut self,
        mut identity: MachineIdentity,
        facts: &Identity,
    ) -> Result<bool, RegistryError> {
        let object = identity.object.clone();
        if facts.tenants != [identity.tenant.clone()] || external(facts)? != identity.external {
            let message =
                format!("`{object}` has another tenant, subject or client in the registry");
            return Err(RegistryError::Conflict(message));
        }
        if identity.status == Status::Retired && facts.status != Status::Retired {
            return Err(RegistryError::Conflict(format!("`{object}` is retired")));
        }
        let wanted = facts.scope.clone().unwrap_or_else(nothing);
        scope::check(&wanted, &self.rules.policy)?;
        let before = identity.clone();
        identity.scope = scope::read(&scope::write(&wanted))?;
        identity.delegation = facts.delegation;
        identity.sole_user.clone_from(&facts.sole_user);
        identity.status = facts.status;
        identity.expires_at = facts.expires_at;
        if identity == before {
            return Ok(false);
        }
        identity.expires_at.map_or(Ok(()), text::check_time)?;
        let sql = "update machine_identity set scope = $2, delegation = $3, sole_user = $4, \
            status = $5, expires_at = $6 where object = $1";
        let values = [
            object.to_string().into(),
            scope::write(&identity.scope).into(),
            identity.delegation.as_str().into(),
            identity.sole_user.as_ref().map(ToString::to_string).into(),
            status_name(identity.status).into(),
            identity.expires_at.into(),
        ];
        self.execute(sql, &values)?;
        self.log(Row::PutIdentity(identity.record()));
        self.note_identity("identity-apply", &identity)?;
        Ok(true)
    }

    fn apply_credential(&mut self, facts: &Facts) -> Result<bool, RegistryError> {
        let id = facts.id.as_str();
        text::check("the id of a credential", id)?;
        if !object_id::is_bare(id) {
            return Err(RegistryError::Invalid(format!("`{id}` is no id of a credential")));
        }
        self.refuse_tombstone(id)?;
        let identity = self.identity(&facts.identity)?;
        if let Some(known) = self.known_credential(id)? {
            let as_known = Facts { revoked_at: known.revoked_at, ..facts.clone() };
            if known.record() != as_known {
                let message = format!("the credential `{id}` is another one in the registry");
                return Err(RegistryError::Conflict(message));
            }
            // Who revoked it here does not have it revived by an older file.
            if known.revoked_at.is_some() || facts.revoked_at.is_none() {
                return Ok(false);
            }
            self.revoke(known, &identity)?;
            return Ok(true);
        }
        let context_key = facts.context_key.as_deref().map(crate::credential::public_key);
        let credential = Credential {
            id: id.to_owned(),
            identity: facts.identity.clone(),
            kind: match facts {
                Facts { thumbprint: Some(_), .. } => CredentialKind::Certificate,
                Facts { context_key: Some(_), .. } => CredentialKind::ContextKey,
                Facts { client: Some(_), .. } | Facts { subject: Some(_), .. } => {
                    CredentialKind::OauthClient
                }
                _ => CredentialKind::Opaque,
            },
            client: facts.client.clone(),
            subject: facts.subject.clone(),
            thumbprint: facts.thumbprint,
            token_ids: facts.token_ids.clone(),
            context_key: context_key.transpose()?,
            secret: None,
            created_at: self.act.now,
            expires_at: facts.expires_at,
            revoked_at: facts.revoked_at,
            replaces: None,
            last_used_at: None,
        };
        self.take_credential(&identity, &credential)?;
        Ok(true)
    }
}

/// Absent is empty, and denies.
fn nothing() -> Scope {
    let none = || mandate_authz::record::Grant::Listed(Vec::new());
    Scope { workspaces: none(), boards: none(), modes: none(), actions: none() }
}
