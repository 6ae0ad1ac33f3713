//! Relationships: written against the model and the contract's types, never across tenants.

use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::policy::Types;
use mandate_authz::row::Row;
use mandate_authz::snapshot::Home;
use mandate_authz::tuple::{Tuple, TupleCondition};
use serde_json::Value as Json;

use crate::database::{Row as Found, Transaction, Value, unreadable};
use crate::error::RegistryError;
use crate::look_up::{Matter, elsewhere, relation};
use crate::permission::Deed;
use crate::registry::{Act, Registry, Written};
use crate::tenancy::joins;
use crate::text;
use crate::writing::{Deed as Note, Writing};

/// A relationship without its condition: what identifies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The object.
    pub object: ObjectName,
    /// The relation.
    pub relation: String,
    /// Who has it.
    pub subject: Subject,
}

/// Which relationships to list, a page at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelationshipFilter {
    /// Of this object.
    pub object: Option<ObjectName>,
    /// Of objects of this type.
    pub object_type: Option<String>,
    /// Of this relation.
    pub relation: Option<String>,
    /// Whose subject is this object, or a userset of it.
    pub subject: Option<ObjectName>,
    /// Of this tenant: neither end is of another one, and one end is of this one.
    pub tenant: Option<String>,
    /// After this one.
    pub after: Option<Key>,
    /// As many as that.
    pub most: u64,
}

impl Registry {
    /// Stores relationships, all or none. One that is stored with another condition is replaced, one
    /// that is stored as it is changes nothing. Gives the number of those that changed.
    ///
    /// # Errors
    /// What the model has no place for, what joins two tenants, what the actor may not write.
    pub fn write_relationships(
        &mut self,
        act: &Act,
        tuples: &[Tuple],
    ) -> Result<Written<u64>, RegistryError> {
        self.write(act, |writing| {
            let mut changed: u64 = 0;
            for tuple in tuples {
                let key = Key {
                    object: tuple.object.clone(),
                    relation: tuple.relation.clone(),
                    subject: tuple.subject.clone(),
                };
                // Before it is stored: what somebody writes must not be why they may.
                writing.may_relate(&key)?;
                if writing.store(tuple)? {
                    changed = changed.saturating_add(1);
                }
            }
            Ok(changed)
        })
    }

    /// Ends relationships, all or none. Gives the number of those that were stored.
    ///
    /// # Errors
    /// What the actor may not end.
    pub fn delete_relationships(
        &mut self,
        act: &Act,
        keys: &[Key],
    ) -> Result<Written<u64>, RegistryError> {
        self.write(act, |writing| {
            let mut changed: u64 = 0;
            for key in keys {
                writing.may_relate(key)?;
                if writing.erase(key)? {
                    changed = changed.saturating_add(1);
                }
            }
            Ok(changed)
        })
    }

    /// Makes an object known that perhaps no relationship names: a tenant, a tool.
    ///
    /// # Errors
    /// A type that the model lacks, an id that has to be encoded, a principal.
    pub fn register_object(
        &mut self,
        act: &Act,
        object: &ObjectName,
    ) -> Result<Written<bool>, RegistryError> {
        self.write(act, |writing| {
            writing.require(Deed::Register, Matter::default())?;
            text::check_object(object, &object.type_name)?;
            writing.rules.admission.check_object(object).map_err(RegistryError::Invalid)?;
            if writing.types().is_principal(&object.type_name) {
                let message = format!("`{object}` is a principal, which has a record");
                return Err(RegistryError::Invalid(message));
            }
            let is_new = writing.introduce(object)?;
            if is_new {
                let is_tenant = object.type_name == writing.types().tenant;
                writing.note(&Note {
                    change: "object-register",
                    tenant: is_tenant.then(|| object.id.clone()),
                    item: Some(object.to_string()),
                    ..Note::default()
                })?;
            }
            Ok(is_new)
        })
    }

    /// Stored relationships in the order of object, relation and subject.
    ///
    /// # Errors
    /// What the database says.
    pub fn relationships(
        &mut self,
        filter: &RelationshipFilter,
    ) -> Result<Vec<Tuple>, RegistryError> {
        let mut sql =
            "select object, relation, subject, condition_name, context from relationship \
            where 1 = 1"
                .to_owned();
        let mut values: Vec<Value> = Vec::new();
        let mut given = |condition: &str, given: &[Option<String>]| {
            if given.iter().any(Option::is_none) {
                return;
            }
            let mut condition = condition.to_owned();
            for value in given.iter().flatten() {
                values.push(value.into());
                condition = condition.replacen('?', &format!("${}", values.len()), 1);
            }
            sql.push_str(&condition);
        };
        let RelationshipFilter { object, object_type, relation, subject, tenant, after, most } =
            filter;
        given(" and object = ?", &[object.as_ref().map(ToString::to_string)]);
        given(" and object_type = ?", std::slice::from_ref(object_type));
        given(" and relation = ?", std::slice::from_ref(relation));
        given(" and subject_object = ?", &[subject.as_ref().map(ToString::to_string)]);
        let after = |part: fn(&Key) -> String| after.as_ref().map(part);
        given(
            " and (object, relation, subject) > (?, ?, ?)",
            &[
                after(|key| key.object.to_string()),
                after(|key| key.relation.clone()),
                after(|key| key.subject.to_string()),
            ],
        );
        self.read(|transaction, rules| {
            if let Some(tenant) = tenant {
                sql.push_str(&within(tenant, rules.policy.types(), &mut values));
            }
            values.push((*most).into());
            sql.push_str(&format!(" order by object, relation, subject limit ${}", values.len()));
            transaction.query(&sql, &values)?.iter().map(read).collect()
        })
    }
}

/// The condition that a relationship is of a tenant; its parameters come after those that are there.
fn within(tenant: &str, types: &Types, values: &mut Vec<Value>) -> String {
    let mut parameter = |value: String| {
        values.push(value.into());
        values.len()
    };
    let (id, name) = (parameter(tenant.to_owned()), format!("{}:{tenant}", types.tenant));
    let name = parameter(name);
    let prefixes: Vec<(usize, usize)> = types
        .shared
        .iter()
        .map(|shared| format!("{shared}:"))
        .map(|prefix| (prefix.chars().count(), parameter(prefix)))
        .collect();
    let here = |column: &str| {
        format!(
            "({column} = ${name} \
            or exists (select 1 from object where name = {column} and tenant = ${id}) \
            or exists (select 1 from membership where object = {column} and tenant = ${id}) \
            or exists (select 1 from machine_identity where object = {column} and tenant = ${id}))"
        )
    };
    let shared = |column: &str| {
        let of_type =
            prefixes.iter().map(|(length, at)| format!("substr({column}, 1, {length}) = ${at}"));
        of_type.chain(["1 = 0".to_owned()]).collect::<Vec<_>>().join(" or ")
    };
    let ends = ["relationship.object", "relationship.subject_object"];
    let ([object, subject], [of_all, by_all]) = (ends.map(here), ends.map(shared));
    format!(" and ({object} or {of_all}) and ({subject} or {by_all}) and ({object} or {subject})")
}

/// Stored relationships that fit a condition, in the order of their keys.
pub(crate) fn stored(
    transaction: &mut dyn Transaction,
    condition: &str,
    values: &[Value],
) -> Result<Vec<Tuple>, RegistryError> {
    let sql = format!(
        "select object, relation, subject, condition_name, context from relationship \
        where {condition} order by object, relation, subject"
    );
    transaction.query(&sql, values)?.iter().map(read).collect()
}

fn read(row: &Found) -> Result<Tuple, RegistryError> {
    let subject = Subject::parse(&row.text(2)?).ok_or_else(unreadable)?;
    let mut tuple = Tuple::new(text::object(&row.text(0)?)?, row.text(1)?, subject);
    if let Some(name) = row.optional_text(3)? {
        let context = row.optional_text(4)?.unwrap_or_else(|| "{}".to_owned());
        let Ok(Json::Object(context)) = serde_json::from_str(&context) else {
            return Err(unreadable());
        };
        tuple.condition = Some(TupleCondition { name, context });
    }
    Ok(tuple)
}

/// The object that a subject is, or is a userset of; `type:*` for everybody.
fn object_of(subject: &Subject) -> String {
    match subject {
        Subject::Object(object) | Subject::Userset(object, _) => object.to_string(),
        Subject::Wildcard(_) => subject.to_string(),
    }
}

impl Writing<'_> {
    /// Stores a relationship that fits; whether that changed anything. Who may is asked beside it.
    pub(crate) fn store(&mut self, tuple: &Tuple) -> Result<bool, RegistryError> {
        if !tuple.object.is_well_formed() || !tuple.subject.is_well_formed() {
            let message = format!("`{tuple}` is no relationship that a request could name");
            return Err(RegistryError::Invalid(message));
        }
        let stored = self.rules.admission.store(tuple).map_err(RegistryError::Invalid)?;
        self.require_record(&tuple.object)?;
        if let Subject::Object(object) | Subject::Userset(object, _) = &tuple.subject {
            self.require_record(object)?;
        }
        let context = tuple.condition.as_ref();
        let context = context.map(|condition| Json::Object(condition.context.clone()).to_string());
        if !self.put(tuple, context)? {
            return Ok(false);
        }
        self.introduce(&tuple.object)?;
        if let Subject::Object(object) | Subject::Userset(object, _) = &tuple.subject {
            self.introduce(object)?;
        }
        if tuple.relation == relation::ADMIN && tuple.object.type_name == self.types().tenant {
            self.end_bootstrap(&tuple.object.id)?;
        }
        if self.leads_upwards(&tuple.object.type_name, &tuple.relation) {
            self.settle(&tuple.object)?;
        }
        if self.would_join(&tuple.object, &tuple.subject)? {
            return Err(joins(&tuple.object, &tuple.relation, &tuple.subject));
        }
        self.log(Row::WriteTuple(stored));
        self.note_relationship(
            "relationship-write",
            &tuple.object,
            &tuple.relation,
            &tuple.subject,
        )?;
        Ok(true)
    }

    /// Into the table; whether anything is other than before.
    fn put(&mut self, tuple: &Tuple, context: Option<String>) -> Result<bool, RegistryError> {
        let sql = "insert into relationship \
            (object, object_type, relation, subject, subject_object, condition_name, context) \
            values ($1, $2, $3, $4, $5, $6, $7) on conflict (object, relation, subject) do update \
            set condition_name = excluded.condition_name, context = excluded.context \
            where relationship.condition_name is distinct from excluded.condition_name \
            or relationship.context is distinct from excluded.context";
        let values = [
            tuple.object.to_string().into(),
            tuple.object.type_name.as_str().into(),
            tuple.relation.as_str().into(),
            tuple.subject.to_string().into(),
            object_of(&tuple.subject).into(),
            tuple.condition.as_ref().map(|condition| condition.name.clone()).into(),
            context.into(),
        ];
        Ok(self.execute(sql, &values)? > 0)
    }

    /// Ends a relationship; whether it was stored.
    pub(crate) fn erase(&mut self, key: &Key) -> Result<bool, RegistryError> {
        let Key { object, relation, subject } = key;
        let sql = "delete from relationship where object = $1 and relation = $2 and subject = $3";
        let values = [object.to_string().into(), relation.into(), subject.to_string().into()];
        if self.execute(sql, &values)? == 0 {
            return Ok(false);
        }
        // In whose chain it stands is the tenant of before.
        self.note_relationship("relationship-delete", object, relation, subject)?;
        self.log(Row::DeleteTuple {
            object: object.clone(),
            relation: relation.clone(),
            subject: subject.clone(),
        });
        if self.leads_upwards(&object.type_name, relation) {
            self.settle(object)?;
        }
        Ok(true)
    }

    fn note_relationship(
        &mut self,
        change: &'static str,
        object: &ObjectName,
        relation: &str,
        subject: &Subject,
    ) -> Result<(), RegistryError> {
        let (Subject::Object(named) | Subject::Userset(named, _)) = subject else {
            return self.note_between(
                change,
                object,
                object,
                format!("{object}#{relation}@{subject}"),
            );
        };
        self.note_between(change, object, named, format!("{object}#{relation}@{subject}"))
    }

    fn note_between(
        &mut self,
        change: &'static str,
        object: &ObjectName,
        subject: &ObjectName,
        item: String,
    ) -> Result<(), RegistryError> {
        let types = self.types();
        let is_machine = |name: &&ObjectName| {
            types.is_principal(&name.type_name) && name.type_name != types.user
        };
        let identity = [subject, object].into_iter().find(is_machine).cloned();
        let user = [object, subject].into_iter().find(|name| name.type_name == types.user).cloned();
        let tenant = match (self.home(object)?, self.home(subject)?) {
            (Home::Tenants(one), Home::Tenants(other)) => {
                one.into_iter().find(|tenant| other.contains(tenant))
            }
            (Home::Tenants(one), _) | (_, Home::Tenants(one)) => one.into_iter().next(),
            _ => None,
        };
        self.note(&Note { change, tenant, identity, user, item: Some(item), credential: None })
    }

    /// Requires that the actor may store or end a relationship.
    ///
    /// The rules, in order: `delegate_of` is the user's own matter, or an administrator's of a tenant
    /// that user and agent share. What has a tenant is its administrators'. What is shared is for
    /// administrators of the subject's tenant who hold the relation themselves: nobody grants what
    /// they lack. `can_assert`, which no person can hold, and what has no tenant are the local
    /// operator's.
    fn may_relate(&mut self, key: &Key) -> Result<(), RegistryError> {
        let Some(actor) = self.act.actor.principal().cloned() else { return Ok(()) };
        let subject = match &key.subject {
            Subject::Object(name) | Subject::Userset(name, _) => self.home(name)?,
            Subject::Wildcard(_) => Home::Unknown,
        };
        let object = match self.home(&key.object)? {
            // It will be where the object above it is.
            Home::Unknown if self.leads_upwards(&key.object.type_name, &key.relation) => {
                subject.clone()
            }
            home @ (Home::Shared | Home::Tenants(_) | Home::Unknown) => home,
        };
        if let Some(tenant) = self.act.actor.bound()
            && !(is_in(&object, tenant) && is_in(&subject, tenant))
        {
            return Err(elsewhere());
        }
        if key.relation == relation::DELEGATE_OF && key.object.type_name == self.types().user {
            let shared = both(&object, &subject);
            let matter = Matter { tenants: &shared, user: Some(&key.object), ..Matter::default() };
            return self.require(Deed::Delegate, matter);
        }
        let denied = Err(self.denied(Deed::Relate));
        let tenants = match (object, subject) {
            _ if key.relation == relation::CAN_ASSERT => return denied,
            (Home::Tenants(tenants), Home::Tenants(_) | Home::Shared) => tenants,
            (Home::Shared, Home::Tenants(tenants)) => {
                if !self.has(&actor, &key.relation, &key.object)? {
                    return denied;
                }
                tenants
            }
            _ => return denied,
        };
        self.require(Deed::Relate, Matter { tenants: &tenants, ..Matter::default() })
    }
}

/// Whether something is of a tenant, or of all.
fn is_in(home: &Home<String>, tenant: &str) -> bool {
    match home {
        Home::Shared => true,
        Home::Tenants(tenants) => tenants.iter().any(|one| one == tenant),
        Home::Unknown => false,
    }
}

fn both(one: &Home<String>, other: &Home<String>) -> Vec<String> {
    match (one, other) {
        (Home::Tenants(one), Home::Tenants(other)) => {
            one.iter().filter(|tenant| other.contains(tenant)).take(1).cloned().collect()
        }
        _ => Vec::new(),
    }
}
