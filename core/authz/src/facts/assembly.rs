//! What the sections have given so far.

use std::collections::{BTreeMap, HashMap};

use super::file::{File, StatusFile};
use super::names::{self, relation};
use super::place::Place;
use super::scalar::{HolderFile, HolderInFull, TextOr};
use super::{FactsError, Note};
use crate::model::Admission;
use crate::name::{ObjectName, Subject};
use crate::policy::{Policy, Types};
use crate::record::{Credential, Holder, Identity, Status};
use crate::tuple::Tuple;

/// Relationships and objects, each with the place that it came from.
#[derive(Debug)]
pub(super) struct Relationships<'a> {
    pub(super) admission: &'a Admission<'a>,
    pub(super) tuples: Vec<(Tuple, Place)>,
    pub(super) objects: Vec<(ObjectName, Place)>,
}

impl<'a> Relationships<'a> {
    pub(super) const fn new(admission: &'a Admission<'a>) -> Self {
        Self { admission, tuples: Vec::new(), objects: Vec::new() }
    }

    /// Adds a relationship that the model has a place for.
    pub(super) fn write(&mut self, tuple: Tuple, place: &Place) -> Result<(), FactsError> {
        self.admission.check(&tuple).map_err(|message| place.error(message))?;
        self.tuples.push((tuple, place.clone()));
        Ok(())
    }

    /// Adds an object that perhaps no relationship names.
    pub(super) fn register(&mut self, object: ObjectName, place: &Place) -> Result<(), FactsError> {
        self.admission.check_object(&object).map_err(|message| place.error(message))?;
        self.objects.push((object, place.clone()));
        Ok(())
    }

    /// Adds one relationship for every subject of a list, whose usual type is `usual`.
    pub(super) fn write_each<'l>(
        &mut self,
        object: &ObjectName,
        relation: &str,
        usual: &str,
        subjects: impl Iterator<Item = (Place, &'l String)>,
    ) -> Result<(), FactsError> {
        for (place, text) in subjects {
            let subject = names::subject(usual, text).map_err(|message| place.error(message))?;
            self.write(Tuple::new(object.clone(), relation, subject), &place)?;
        }
        Ok(())
    }
}

/// A world with tenants, as far as it is known.
#[derive(Debug)]
pub(super) struct Assembly<'a> {
    pub(super) file: &'a File,
    pub(super) policy: &'a Policy,
    pub(super) relationships: Relationships<'a>,
    pub(super) identities: Vec<(Identity, Place)>,
    pub(super) credentials: Vec<(Credential, Place)>,
    pub(super) notes: Vec<Note>,
    /// Which entry introduced an object: none is introduced twice.
    entries: HashMap<ObjectName, Place>,
    /// The tenant of objects that need one, by object.
    homes: BTreeMap<ObjectName, String>,
}

impl<'a> Assembly<'a> {
    pub(super) fn new(file: &'a File, policy: &'a Policy, admission: &'a Admission<'a>) -> Self {
        Self {
            file,
            policy,
            relationships: Relationships::new(admission),
            identities: Vec::new(),
            credentials: Vec::new(),
            notes: Vec::new(),
            entries: HashMap::new(),
            homes: BTreeMap::new(),
        }
    }

    /// The types that the contract names.
    pub(super) const fn types(&self) -> &'a Types {
        self.policy.types()
    }

    /// The object of an entry, which must be the only one of its name.
    pub(super) fn introduce(
        &mut self,
        type_name: &str,
        id: &str,
        place: &Place,
    ) -> Result<ObjectName, FactsError> {
        let object = names::object(type_name, id).map_err(|message| place.error(message))?;
        self.introduce_object(object, place)
    }

    /// As [`Assembly::introduce`], for a name that was checked.
    pub(super) fn introduce_object(
        &mut self,
        object: ObjectName,
        place: &Place,
    ) -> Result<ObjectName, FactsError> {
        if self.entries.insert(object.clone(), place.clone()).is_some() {
            return Err(place.error(format!("there is another entry for `{object}`")));
        }
        self.relationships.register(object.clone(), place)?;
        Ok(object)
    }

    /// Whether an entry introduced this object.
    pub(super) fn has_entry(&self, object: &ObjectName) -> bool {
        self.entries.contains_key(object)
    }

    /// The tenant that an entry states, or else the file's.
    pub(super) fn organization(
        &self,
        stated: Option<&str>,
        place: &Place,
    ) -> Result<String, FactsError> {
        let organization = stated.or(self.file.organization.as_deref());
        let organization = organization.ok_or_else(|| {
            place.error("`organization` is missing, here and at the top of the file")
        })?;
        let listed = &self.file.organizations;
        if !listed.is_empty() && !listed.iter().any(|entry| entry.value.id == organization) {
            return Err(place.error(format!("`organizations` has no `{organization}`")));
        }
        names::object(&self.types().tenant, organization)
            .map(|object| object.id)
            .map_err(|message| place.error(message))
    }

    /// Puts an object into a tenant by a relationship, for types whose tenant no record says.
    pub(super) fn settle(
        &mut self,
        object: &ObjectName,
        organization: &str,
        place: &Place,
    ) -> Result<(), FactsError> {
        self.homes.insert(object.clone(), organization.to_owned());
        let tenant = ObjectName::new(&self.types().tenant, organization);
        let tuple = Tuple::new(object.clone(), relation::ORGANIZATION, Subject::Object(tenant));
        self.relationships.write(tuple, place)
    }

    /// The tenant that an object was settled in.
    pub(super) fn home(&self, object: &ObjectName) -> Option<&str> {
        self.homes.get(object).map(String::as_str)
    }

    /// A subject or client, whose issuer may be the file's.
    pub(super) fn holder(&self, stated: &HolderFile, place: &Place) -> Result<Holder, FactsError> {
        let (issuer, name) = match stated {
            TextOr::InFull(HolderInFull { issuer, name }) => (issuer.clone(), name.clone()),
            TextOr::Text(name) => {
                let issuer = self.file.issuer.clone();
                let missing = || place.error("has no issuer, and the file no `issuer`");
                (issuer.ok_or_else(missing)?, name.clone())
            }
        };
        if name.is_empty() {
            return Err(place.error("is empty"));
        }
        if self.policy.issuer(&issuer).is_none() {
            return Err(place.error(format!("`{issuer}` is not an issuer of the contract")));
        }
        Ok(Holder { issuer, name })
    }

    /// Every entry of a list of subjects or clients.
    pub(super) fn holders<'l>(
        &self,
        stated: impl Iterator<Item = (Place, &'l HolderFile)>,
    ) -> Result<Vec<Holder>, FactsError> {
        stated.map(|(place, holder)| self.holder(holder, &place)).collect()
    }
}

impl From<StatusFile> for Status {
    fn from(status: StatusFile) -> Self {
        match status {
            StatusFile::Active => Self::Active,
            StatusFile::Retired => Self::Retired,
            StatusFile::Suspended => Self::Suspended,
        }
    }
}
