//! Everything together.

use std::collections::{HashMap, HashSet};

use super::assembly::{Assembly, Relationships};
use super::file::File;
use super::place::Place;
use super::{FactsError, Note, agents, callers, credentials, people, places, services, tools};
use crate::model::{Admission, Model};
use crate::name::{ObjectName, Subject};
use crate::policy::Policy;
use crate::snapshot::{BuildError, TenancyRules, World};

/// What a facts file gave.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What a snapshot is built from.
    pub world: World,
    /// What is probably missing.
    pub notes: Vec<Note>,
    origins: HashMap<String, Place>,
}

impl Loaded {
    /// Writes the body of a snapshot: [`World::build`], whose errors name their facts.
    ///
    /// # Errors
    /// The first fact that contradicts another, such as a relationship that joins two tenants.
    pub fn build(&self, seed: [u8; 16]) -> Result<Vec<u8>, FactsError> {
        self.world.build(seed).map_err(|error| self.locate(&error))
    }

    /// The fact that an error of the builder is about.
    #[must_use]
    pub fn locate(&self, error: &BuildError) -> FactsError {
        let BuildError { item, problem } = error;
        let message = format!("`{item}` {problem}");
        match self.origins.get(item) {
            Some(place) => place.error(message),
            None => FactsError::new("", None, message),
        }
    }
}

/// A world with tenants and records.
pub(super) fn assemble(file: &File, model: Model, policy: &Policy) -> Result<Loaded, FactsError> {
    let admission = Admission::new(&model).map_err(|message| FactsError::new("", None, message))?;
    let mut assembly = Assembly::new(file, policy, &admission);
    people::organizations(&mut assembly)?;
    people::users(&mut assembly)?;
    people::teams(&mut assembly)?;
    services::services(&mut assembly)?;
    tools::servers(&mut assembly)?;
    tools::tools(&mut assembly)?;
    agents::agents(&mut assembly)?;
    places::workspaces(&mut assembly)?;
    places::boards(&mut assembly)?;
    places::objects(&mut assembly)?;
    places::relationships(file, &mut assembly.relationships)?;
    credentials::credentials(&mut assembly)?;
    callers::callers(&mut assembly)?;
    note_strangers(&mut assembly);
    let Assembly { relationships, identities, credentials, notes, .. } = assembly;
    let mut origins = Origins::of(relationships.tuples.iter(), relationships.objects.iter());
    origins.extend(identities.iter().map(|(identity, place)| (identity.object.to_string(), place)));
    origins.extend(credentials.iter().map(|(credential, place)| (credential.id.clone(), place)));
    let origins = origins.0;
    let (tuples, objects) = (values(relationships.tuples), values(relationships.objects));
    let world = World {
        tuples,
        identities: values(identities),
        credentials: values(credentials),
        objects,
        tenancy: policy.types().tenancy_rules(),
        ignore_unfit: false,
        model,
    };
    Ok(Loaded { world, notes, origins })
}

/// A world of relationships alone.
pub(super) fn assemble_raw(file: &File, model: Model) -> Result<Loaded, FactsError> {
    refuse_sections(file)?;
    let admission = Admission::new(&model).map_err(|message| FactsError::new("", None, message))?;
    let mut relationships = Relationships::new(&admission);
    places::raw_objects(file, &mut relationships)?;
    places::relationships(file, &mut relationships)?;
    let origins = Origins::of(relationships.tuples.iter(), relationships.objects.iter()).0;
    let (tuples, objects) = (values(relationships.tuples), values(relationships.objects));
    let world = World {
        tuples,
        identities: Vec::new(),
        credentials: Vec::new(),
        objects,
        tenancy: TenancyRules::default(),
        ignore_unfit: false,
        model,
    };
    Ok(Loaded { world, notes: Vec::new(), origins })
}

fn refuse_sections(file: &File) -> Result<(), FactsError> {
    let sections = [
        ("organization", file.organization.is_some()),
        ("owner", file.owner.is_some()),
        ("issuer", file.issuer.is_some()),
        ("grant_callers", file.grant_callers),
        ("organizations", !file.organizations.is_empty()),
        ("users", !file.users.is_empty()),
        ("teams", !file.teams.is_empty()),
        ("agents", !file.agents.is_empty()),
        ("services", !file.services.is_empty()),
        ("servers", !file.servers.is_empty()),
        ("tools", !file.tools.is_empty()),
        ("workspaces", !file.workspaces.is_empty()),
        ("boards", !file.boards.is_empty()),
        ("credentials", !file.credentials.is_empty()),
    ];
    match sections.iter().find(|(_, present)| *present) {
        Some((section, _)) => Err(Place::of_file(section).error("needs a contract")),
        None => Ok(()),
    }
}

/// Where the things came from that the builder may complain of, by the words in which it does.
struct Origins(HashMap<String, Place>);

impl Origins {
    fn of<'i, T: ToString + 'i>(
        tuples: impl Iterator<Item = &'i (T, Place)>,
        objects: impl Iterator<Item = &'i (ObjectName, Place)>,
    ) -> Self {
        let mut origins = Self(HashMap::new());
        origins.extend(objects.map(|(object, place)| (object.to_string(), place)));
        origins.extend(tuples.map(|(tuple, place)| (tuple.to_string(), place)));
        origins
    }

    /// The first place stays: the builder complains of what came second in no particular order.
    fn extend<'i>(&mut self, more: impl Iterator<Item = (String, &'i Place)>) {
        for (item, place) in more {
            self.0.entry(item).or_insert_with(|| place.clone());
        }
    }
}

fn values<T>(placed: Vec<(T, Place)>) -> Vec<T> {
    placed.into_iter().map(|(value, _)| value).collect()
}

/// Principals that are named and have no record can do nothing: mostly a slip of the pen.
fn note_strangers(assembly: &mut Assembly<'_>) {
    let types = assembly.types();
    let mut known: HashSet<&ObjectName> =
        assembly.identities.iter().map(|(identity, _)| &identity.object).collect();
    let mut notes = Vec::new();
    for (tuple, place) in &assembly.relationships.tuples {
        let subject = match &tuple.subject {
            Subject::Object(object) | Subject::Userset(object, _) => Some(object),
            Subject::Wildcard(_) => None,
        };
        for object in [Some(&tuple.object), subject].into_iter().flatten() {
            if types.is_principal(&object.type_name) && known.insert(object) {
                let message = format!("`{object}` has no entry of its own, and can do nothing");
                notes.push(place.note(message));
            }
        }
    }
    assembly.notes.extend(notes);
}
