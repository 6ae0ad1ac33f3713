//! What consumers get: everything of a slice at a position, and what changed since an earlier one.
//!
//! Both are read in one transaction, so that they are of one position. What changed is told by how
//! things stand now, not by how they came to be so: the log says which ones to look at.

mod changes;
mod sight;

use std::collections::BTreeSet;

use mandate_authz::container::Position;
use mandate_authz::name::ObjectName;
use mandate_authz::record::Identity;
use mandate_authz::snapshot::World;

pub use self::changes::Changes;
use self::sight::Sight;
use crate::database::Transaction;
use crate::error::RegistryError;
use crate::registry::{Registry, Rules, uninitialized};
use crate::{credential, identity, person, relationship, text};

/// A part of the registry that a consumer gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    name: String,
    tenants: Option<BTreeSet<String>>,
}

impl Slice {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self::everything("all")
    }

    /// Everything, under a name.
    #[must_use]
    pub fn everything(name: &str) -> Self {
        Self { name: name.to_owned(), tenants: None }
    }

    /// What these tenants have, and what all share. Objects whose tenant nobody knows are in none.
    #[must_use]
    pub fn of_tenants(name: &str, tenants: impl IntoIterator<Item = String>) -> Self {
        Self { name: name.to_owned(), tenants: Some(tenants.into_iter().collect()) }
    }

    /// Its name, as containers carry it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn has(&self, tenant: &str) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.contains(tenant))
    }

    /// The record as the slice has it: of people without the tenants that are none of its business.
    fn trim(&self, mut identity: Identity) -> Identity {
        identity.tenants.retain(|tenant| self.has(tenant));
        identity
    }
}

/// Everything of a slice.
#[derive(Clone, Debug)]
pub struct Content {
    /// The deployment whose registry it is.
    pub deployment: String,
    /// The position that it is of.
    pub position: Position,
    /// What a snapshot is built from.
    pub world: World,
}

impl Registry {
    /// Everything of a slice, at the position of the last write.
    ///
    /// # Errors
    /// What the database says.
    pub fn content(&mut self, slice: &Slice) -> Result<Content, RegistryError> {
        self.read(|transaction, rules| {
            let (deployment, position) = standing(transaction)?;
            let world = world(transaction, rules, slice)?;
            Ok(Content { deployment, position, world })
        })
    }

    /// The name of the deployment, and the position of the last write.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] before [`Registry::initialize`].
    pub fn standing(&mut self) -> Result<(String, Position), RegistryError> {
        self.read(|transaction, _| standing(transaction))
    }
}

/// The deployment and the position of the last write.
fn standing(transaction: &mut dyn Transaction) -> Result<(String, Position), RegistryError> {
    let rows = transaction.query("select deployment, era, epoch from registry", &[])?;
    let row = rows.first().ok_or_else(uninitialized)?;
    Ok((row.text(0)?, Position { era: row.number(1)?, epoch: row.number(2)? }))
}

fn world(
    transaction: &mut dyn Transaction,
    rules: &Rules,
    slice: &Slice,
) -> Result<World, RegistryError> {
    let types = rules.policy.types();
    let mut sight = Sight::new(slice, types);
    sight.preload(transaction)?;
    let machines = identity::stored(transaction, "1 = 1", &[])?;
    let people = person::stored(transaction, None)?;
    let records = people.iter().map(person::record);
    let mut identities = Vec::new();
    for record in records.chain(machines.iter().map(identity::MachineIdentity::record)) {
        if sight.sees(transaction, &record.object)? {
            identities.push(slice.trim(record));
        }
    }
    let mut credentials = Vec::new();
    for credential in credential::stored(transaction, "1 = 1", &[])? {
        if sight.sees(transaction, &credential.identity)? {
            credentials.push(credential.record());
        }
    }
    let mut tuples = Vec::new();
    for tuple in relationship::stored(transaction, "1 = 1", &[])? {
        if sight.sees_both(transaction, &tuple.object, &tuple.subject)? {
            tuples.push(tuple);
        }
    }
    let mut objects: Vec<ObjectName> = Vec::new();
    for row in transaction.query("select name from object order by name", &[])? {
        let object = text::object(&row.text(0)?)?;
        if !types.is_principal(&object.type_name) && sight.sees(transaction, &object)? {
            objects.push(object);
        }
    }
    Ok(World {
        model: rules.admission.model().clone(),
        tuples,
        identities,
        credentials,
        objects,
        tenancy: types.tenancy_rules(),
        ignore_unfit: false,
    })
}
