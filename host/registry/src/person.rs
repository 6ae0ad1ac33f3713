//! People: which tokens they are, and to which tenants they belong.

use std::collections::{BTreeMap, BTreeSet};

use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::record::{DelegationMode, Holder, Identity, Kind, Status};
use mandate_authz::row::Row;
use mandate_authz::tuple::Tuple;

use crate::database::{Transaction, Value};
use crate::error::RegistryError;
use crate::identity::{self, status_name};
use crate::look_up::{Matter, relation};
use crate::permission::Deed;
use crate::registry::{Act, Registry, Written};
use crate::relationship::Key;
use crate::text;
use crate::writing::{Deed as Note, Writing};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The object in the model: `user:anne`.
    pub object: ObjectName,
    /// Tenants.
    pub tenants: Vec<String>,
    /// Subjects of tokens that are this person.
    pub subjects: Vec<Holder>,
    /// Whether they may act.
    pub status: Status,
    /// From when on they may not.
    pub expires_at: Option<u64>,
}

/// How a token names a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkKind {
    Client,
    Subject,
}

impl LinkKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Subject => "subject",
        }
    }
}

impl Registry {
    /// Registers a person, or replaces the record whole. Joining a tenant stores `member` of it where
    /// the model has that; leaving one ends every relationship that would join two tenants.
    ///
    /// # Errors
    /// Unknown tenants and issuers, a holder that is somebody else.
    pub fn put_person(&mut self, act: &Act, person: &Person) -> Result<Written<()>, RegistryError> {
        self.write(act, |writing| {
            writing.require(Deed::Register, Matter::default())?;
            writing.put_person(person)
        })
    }
}

impl Registry {
    /// One person.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] when there is none of that name.
    pub fn person(&mut self, object: &ObjectName) -> Result<Person, RegistryError> {
        let found = self.read(|transaction, _| stored(transaction, Some(object)))?;
        let unknown = || RegistryError::NotFound(format!("person `{object}`"));
        found.into_iter().next().ok_or_else(unknown)
    }

    /// Everybody, in the order of their objects.
    ///
    /// # Errors
    /// What the database says.
    pub fn people(&mut self) -> Result<Vec<Person>, RegistryError> {
        self.read(|transaction, _| stored(transaction, None))
    }

    /// Whether somebody is registered: a person or a machine identity.
    ///
    /// # Errors
    /// What the database says.
    pub fn has_principal(&mut self, object: &ObjectName) -> Result<bool, RegistryError> {
        let sql = "select 1 from principal where object = $1 union all \
            select 1 from machine_identity where object = $1";
        self.read(|transaction, _| {
            Ok(!transaction.query(sql, &[object.to_string().into()])?.is_empty())
        })
    }

    /// People of a tenant, in the order of their ids: `most` of them after the id `after`.
    ///
    /// # Errors
    /// What the database says.
    pub fn people_of(
        &mut self,
        tenant: &str,
        after: Option<&str>,
        most: u64,
    ) -> Result<Vec<ObjectName>, RegistryError> {
        let sql = "select object from membership where tenant = $1 and object > $2 \
            order by object limit $3";
        self.read(|transaction, rules| {
            let prefix = format!("{}:{}", rules.policy.types().user, after.unwrap_or_default());
            let rows = transaction.query(sql, &[tenant.into(), prefix.into(), most.into()])?;
            rows.iter().map(|row| text::object(&row.text(0)?)).collect()
        })
    }
}

/// People, all or one, in the order of their objects.
pub(crate) fn stored(
    transaction: &mut dyn Transaction,
    one: Option<&ObjectName>,
) -> Result<Vec<Person>, RegistryError> {
    let condition = if one.is_some() { "object = $1" } else { "1 = 1" };
    let values: Vec<Value> = one.iter().map(|one| one.to_string().into()).collect();
    let sql = format!(
        "select object, status, expires_at from principal where {condition} order by object"
    );
    let mut people = BTreeMap::new();
    for row in transaction.query(&sql, &values)? {
        let person = Person {
            object: text::object(&row.text(0)?)?,
            tenants: Vec::new(),
            subjects: Vec::new(),
            status: identity::status(&row.text(1)?)?,
            expires_at: row.optional_number(2)?,
        };
        people.insert(row.text(0)?, person);
    }
    let sql =
        format!("select object, tenant from membership where {condition} order by object, tenant");
    for row in transaction.query(&sql, &values)? {
        if let Some(person) = people.get_mut(&row.text(0)?) {
            person.tenants.push(row.text(1)?);
        }
    }
    let sql = format!(
        "select object, issuer, name from principal_link where {condition} and kind = 'subject' \
        order by object, issuer, name"
    );
    for row in transaction.query(&sql, &values)? {
        // Machine identities have links as well.
        if let Some(person) = people.get_mut(&row.text(0)?) {
            person.subjects.push(Holder { issuer: row.text(1)?, name: row.text(2)? });
        }
    }
    Ok(people.into_values().collect())
}

/// The record that goes into a snapshot.
pub(crate) fn record(person: &Person) -> Identity {
    Identity {
        object: person.object.clone(),
        kind: Kind::User,
        subjects: person.subjects.clone(),
        clients: Vec::new(),
        tenants: person.tenants.clone(),
        status: person.status,
        expires_at: person.expires_at,
        scope: None,
        delegation: DelegationMode::Stored,
        sole_user: None,
    }
}

impl Writing<'_> {
    /// Registers a person, or replaces the record. Who may is asked before.
    pub(crate) fn put_person(&mut self, person: &Person) -> Result<(), RegistryError> {
        text::check_object(&person.object, &self.types().user)?;
        self.store_person(person)?;
        self.log(Row::PutIdentity(record(person)));
        self.leave_and_join(person)?;
        self.note(&Note {
            change: "person-put",
            tenant: person.tenants.first().cloned(),
            user: Some(person.object.clone()),
            ..Note::default()
        })
    }

    /// A person, where there is one of that name.
    pub(crate) fn known_person(
        &mut self,
        object: &ObjectName,
    ) -> Result<Option<Person>, RegistryError> {
        Ok(stored(self.transaction(), Some(object))?.into_iter().next())
    }

    fn store_person(&mut self, person: &Person) -> Result<(), RegistryError> {
        let name = person.object.to_string();
        self.refuse_tombstone(&name)?;
        person.expires_at.map_or(Ok(()), text::check_time)?;
        let sql = "insert into principal (object, status, expires_at, created_at) \
            values ($1, $2, $3, $4) on conflict (object) do update \
            set status = excluded.status, expires_at = excluded.expires_at";
        let now = self.act.now;
        let values = [
            name.as_str().into(),
            status_name(person.status).into(),
            person.expires_at.into(),
            now.into(),
        ];
        self.execute(sql, &values)?;
        self.execute("delete from membership where object = $1", &[name.as_str().into()])?;
        let tenants: BTreeSet<&String> = person.tenants.iter().collect();
        if tenants.len() != person.tenants.len() {
            return Err(RegistryError::Invalid(format!("`{name}` lists a tenant twice")));
        }
        for tenant in tenants {
            self.require_tenant(tenant)?;
            let sql = "insert into membership (object, tenant) values ($1, $2)";
            self.execute(sql, &[name.as_str().into(), tenant.into()])?;
        }
        self.execute("delete from principal_link where object = $1", &[name.as_str().into()])?;
        for subject in &person.subjects {
            self.link(&person.object, LinkKind::Subject, subject)?;
        }
        Ok(())
    }

    fn leave_and_join(&mut self, person: &Person) -> Result<(), RegistryError> {
        self.introduce(&person.object)?;
        let subject = Subject::Object(person.object.clone());
        for (object, relation, subject) in self.joined(&person.object)? {
            self.erase(&Key { object, relation, subject })?;
        }
        let tenant_type = self.types().tenant.clone();
        if self.rules.admission.takes(&tenant_type, relation::MEMBER, &subject) {
            for tenant in &person.tenants {
                let tenant = ObjectName::new(&tenant_type, tenant);
                self.store(&Tuple::new(tenant, relation::MEMBER, subject.clone()))?;
            }
        }
        Ok(())
    }

    /// Requires that there is a tenant.
    pub(crate) fn require_tenant(&mut self, tenant: &str) -> Result<(), RegistryError> {
        let object = ObjectName::new(&self.types().tenant, tenant);
        if self.is_known(&object)? {
            return Ok(());
        }
        Err(RegistryError::NotFound(format!("tenant `{object}`: register it first")))
    }

    /// Links tokens to a principal: whatever kind of name it is, one holder is one principal.
    pub(crate) fn link(
        &mut self,
        object: &ObjectName,
        kind: LinkKind,
        holder: &Holder,
    ) -> Result<(), RegistryError> {
        self.check_holder(holder)?;
        let Holder { issuer, name } = holder;
        let others = "select object from principal_link where issuer = $1 and name = $2 \
            and object <> $3 union all \
            select identity from machine_identity_credential where identity <> $3 and \
            ((client_issuer = $1 and client_name = $2) or (subject_issuer = $1 and subject_name = $2))";
        let values = [issuer.into(), name.into(), object.to_string().into()];
        if self.finds(others, &values)? {
            return Err(taken(holder));
        }
        let sql = "insert into principal_link (issuer, name, object, kind) \
            values ($1, $2, $3, $4) on conflict (issuer, name, kind) do nothing";
        let [issuer, name, object] = values;
        self.execute(sql, &[issuer, name, object, kind.as_str().into()]).map(drop)
    }

    /// Requires an issuer of the contract, and a name.
    pub(crate) fn check_holder(&self, holder: &Holder) -> Result<(), RegistryError> {
        let Holder { issuer, name } = holder;
        text::check("the name of a subject or client", name)?;
        if self.rules.policy.issuer(issuer).is_none() {
            let message = format!("`{issuer}` is not an issuer of the contract");
            return Err(RegistryError::Invalid(message));
        }
        Ok(())
    }

    /// A name that was given once is not given again.
    pub(crate) fn refuse_tombstone(&mut self, name: &str) -> Result<(), RegistryError> {
        if self.finds("select 1 from tombstone where name = $1", &[name.into()])? {
            let message = format!("`{name}` was deleted, and names are never given again");
            return Err(RegistryError::Conflict(message));
        }
        Ok(())
    }
}

/// The refusal of a holder that is somebody else.
pub(crate) fn taken(holder: &Holder) -> RegistryError {
    let Holder { issuer, name } = holder;
    RegistryError::Conflict(format!("`{name}` of `{issuer}` belongs to another principal"))
}
