//! Writing a snapshot's body: native only.

mod encode;
mod tenancy;

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::Object;
use super::block::{BlockLayout, Width};
use super::body::Section;
use super::names::{FREE, ID_BYTES, SAMPLE, place, position_bits, slot, split_key};
use super::rows::UNKNOWN;
use super::schema::local_bits;
use crate::condition;
use crate::model::{Model, RelationDefinition, RestrictionForm, TypeRestriction};
use crate::name::{ObjectName, Subject};
use crate::record::{Credential, Identity};
use crate::records::{Encoding, encode};
use crate::tuple::Tuple;

use self::encode::{Sections, push};

/// Everything that goes into a snapshot.
#[derive(Clone, Debug)]
pub struct World {
    /// The model; valid.
    pub model: Model,
    /// Relationships, in any order; identical ones count once.
    pub tuples: Vec<Tuple>,
    /// Identities.
    pub identities: Vec<Identity>,
    /// Credentials.
    pub credentials: Vec<Credential>,
    /// Objects that no relationship names.
    pub objects: Vec<ObjectName>,
    /// How objects find their tenant.
    pub tenancy: TenancyRules,
    /// Whether relationships that the model does not admit are left out, as OpenFGA ignores what
    /// an earlier model has admitted; they are errors otherwise.
    pub ignore_unfit: bool,
}

/// How objects find their tenant.
#[derive(Clone, Debug, Default)]
pub struct TenancyRules {
    /// The type whose objects are tenants; `None` for a snapshot without tenants, which serves raw
    /// evaluation only.
    pub tenant_type: Option<String>,
    /// Types that all tenants share.
    pub shared: Vec<String>,
    /// Relations that lead to the parent, by type. The parent may be the tenant.
    pub parents: BTreeMap<String, Vec<String>>,
    /// Types whose tenants the identity records say.
    pub principals: Vec<String>,
}

/// Why a world is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    /// What is wrong: a type, a relation, a relationship, an identity.
    pub item: String,
    /// What is wrong with it: one line, lower case.
    pub problem: String,
}

impl BuildError {
    pub(crate) fn new(item: impl fmt::Display, problem: impl Into<String>) -> Self {
        Self { item: item.to_string(), problem: problem.into() }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`: {}", self.item, self.problem)
    }
}

impl std::error::Error for BuildError {}

impl World {
    /// A world of relationships alone, without tenants and identities: for tests of models.
    #[must_use]
    pub fn raw(model: Model, tuples: Vec<Tuple>) -> Self {
        Self {
            model,
            tuples,
            identities: Vec::new(),
            credentials: Vec::new(),
            objects: Vec::new(),
            tenancy: TenancyRules::default(),
            ignore_unfit: true,
        }
    }

    /// Writes the body of a snapshot. `seed` keys the hash of the names: random in production, so
    /// that nobody can choose names that collide; equal worlds and seeds give equal bytes.
    ///
    /// # Errors
    /// The first relationship that the model does not admit or that joins two tenants, a name that
    /// is used twice with different conditions, an identity of an unknown type or tenant.
    pub fn build(&self, seed: [u8; 16]) -> Result<Vec<u8>, BuildError> {
        let plan = ModelPlan::new(&self.model)?;
        let tuples: Vec<&Tuple> =
            self.tuples.iter().filter(|tuple| !self.ignore_unfit || plan.admits(tuple)).collect();
        let census = Census::take(self, &tuples, &plan)?;
        let mut sections = Sections::default();
        let entries = Entries::sort(&plan, &census, &tuples)?;
        let widths = entries.widths(&census);
        plan.write(&mut sections, &census, &self.tenancy, &widths)?;
        census.write_runs(&mut sections);
        entries.write(&mut sections, &plan, &census, &widths)?;
        write_names(&mut sections, &census, seed)?;
        let resolve = |name: &ObjectName| census.find(name);
        let encoding = Encoding { seed, tenant_type: self.tenancy.tenant_type.as_deref() };
        let records = encode(&encoding, &self.identities, &self.credentials, &resolve)
            .map_err(|error| BuildError { item: error.item, problem: error.problem })?;
        sections.put(Section::Records, records);
        sections.finish()
    }
}

/// The model with every name numbered: types and relations sorted by name.
pub(super) struct ModelPlan<'m> {
    pub(super) types: Vec<TypePlan<'m>>,
    type_numbers: HashMap<&'m str, u32>,
    pub(super) conditions: Vec<(&'m str, Vec<u8>)>,
}

pub(super) struct TypePlan<'m> {
    pub(super) name: &'m str,
    pub(super) relations: Vec<&'m RelationDefinition>,
    /// The number of the first relation, counted over all types.
    pub(super) first_relation: u32,
}

impl<'m> ModelPlan<'m> {
    fn new(model: &'m Model) -> Result<Self, BuildError> {
        let mut types: Vec<TypePlan<'m>> = model.types.iter().map(TypePlan::new).collect();
        types.sort_by_key(|plan| plan.name);
        let mut first_relation = 0_u32;
        for plan in &mut types {
            plan.first_relation = first_relation;
            first_relation = first_relation.saturating_add(number(plan.relations.len()));
        }
        let type_numbers =
            types.iter().enumerate().map(|(at, plan)| (plan.name, number(at))).collect();
        let mut conditions = Vec::new();
        for definition in &model.conditions {
            let code = condition::compile(definition)
                .map_err(|error| BuildError::new(&definition.name, error.to_string()))?;
            conditions.push((definition.name.as_str(), code));
        }
        Ok(Self { types, type_numbers, conditions })
    }

    pub(super) fn type_number(&self, name: &str) -> Result<u32, BuildError> {
        let found = self.type_numbers.get(name).copied();
        found.ok_or_else(|| BuildError::new(name, "the model has no such type"))
    }

    pub(super) fn type_plan(&self, number: u32) -> Option<&TypePlan<'m>> {
        self.types.get(position(number))
    }

    pub(super) fn relation_number(&self, type_number: u32, name: &str) -> Option<u32> {
        let plan = self.type_plan(type_number)?;
        let at = plan.relations.iter().position(|relation| relation.name == name)?;
        plan.first_relation.checked_add(number(at))
    }

    pub(super) fn condition_number(&self, name: &str) -> Option<u32> {
        self.conditions.iter().position(|(known, _)| *known == name).map(number)
    }

    /// Whether the model has a place for the relationship.
    fn admits(&self, tuple: &Tuple) -> bool {
        let object = self.type_number(&tuple.object.type_name).ok();
        let column = object.and_then(|object| self.column(object, &tuple.relation));
        let place = column.is_some_and(|(_, relation)| {
            relation.restrictions.iter().any(|restriction| admits(restriction, tuple))
        });
        let context = tuple.condition.as_ref();
        place && context.is_none_or(|context| encode_context(self, tuple, context).is_ok())
    }

    /// The relation's column among the rows of its type, with its definition.
    fn column(&self, type_number: u32, name: &str) -> Option<(u32, &'m RelationDefinition)> {
        let relations = &self.type_plan(type_number)?.relations;
        let stores = relations.iter().filter(|relation| !relation.restrictions.is_empty());
        let found = stores.enumerate().find(|(_, relation)| relation.name == name);
        found.map(|(column, relation)| (number(column), *relation))
    }

    /// Columns of a type.
    fn columns(&self, type_number: u32) -> u32 {
        let relations = self.type_plan(type_number).map(|plan| plan.relations.iter());
        let stores = relations.into_iter().flatten();
        number(stores.filter(|relation| !relation.restrictions.is_empty()).count())
    }
}

impl<'m> TypePlan<'m> {
    fn new(definition: &'m crate::model::TypeDefinition) -> Self {
        let mut relations: Vec<_> = definition.relations.iter().collect();
        relations.sort_by_key(|relation| relation.name.as_str());
        Self { name: &definition.name, relations, first_relation: 0 }
    }
}

/// Every object, numbered: by type, tenant, and id.
pub(super) struct Census<'w> {
    /// Per type: (tenant value, id) of each object in order.
    pub(super) objects: Vec<Vec<(u32, &'w str)>>,
    numbers: HashMap<(u32, &'w str), u32>,
    type_numbers: HashMap<&'w str, u32>,
}

impl<'w> Census<'w> {
    fn take(
        world: &'w World,
        tuples: &[&'w Tuple],
        plan: &ModelPlan<'w>,
    ) -> Result<Self, BuildError> {
        let mut known: Vec<HashMap<&'w str, ()>> = vec![HashMap::new(); plan.types.len()];
        let mut add = |type_name: &'w str, id: &'w str| {
            let type_number = plan.type_number(type_name)?;
            if let Some(ids) = known.get_mut(position(type_number)) {
                ids.insert(id, ());
            }
            Ok::<(), BuildError>(())
        };
        for tuple in tuples {
            add(&tuple.object.type_name, &tuple.object.id)?;
            match &tuple.subject {
                Subject::Object(name) | Subject::Userset(name, _) => {
                    add(&name.type_name, &name.id)?
                }
                Subject::Wildcard(_) => {}
            }
        }
        for name in &world.objects {
            add(&name.type_name, &name.id)?;
        }
        for identity in &world.identities {
            add(&identity.object.type_name, &identity.object.id)?;
            if let Some(user) = &identity.sole_user {
                add(&user.type_name, &user.id)?;
            }
            if let Some(tenant_type) = &world.tenancy.tenant_type {
                for tenant in &identity.tenants {
                    add(tenant_type, tenant)?;
                }
            }
        }
        let mut objects: Vec<Vec<(u32, &'w str)>> = known
            .into_iter()
            .map(|ids| ids.into_keys().map(|id| (UNKNOWN, id)).collect())
            .collect();
        tenancy::assign(world, tuples, plan, &mut objects)?;
        let numbers = objects.iter().enumerate().flat_map(|(type_number, ids)| {
            let numbered = ids.iter().enumerate();
            numbered.map(move |(local, (_, id))| ((number(type_number), *id), number(local)))
        });
        let numbers = numbers.collect();
        Ok(Self { objects, numbers, type_numbers: plan.type_numbers.clone() })
    }

    pub(super) fn local(&self, type_number: u32, id: &str) -> Option<u32> {
        self.numbers.get(&(type_number, id)).copied()
    }

    fn find(&self, name: &ObjectName) -> Option<Object> {
        let type_index = *self.type_numbers.get(name.type_name.as_str())?;
        Some(Object { type_index, local: self.local(type_index, &name.id)? })
    }

    /// Where the tenant changes, per type.
    fn write_runs(&self, sections: &mut Sections) {
        let mut words = Vec::new();
        for ids in &self.objects {
            for (first, value) in runs(ids) {
                push(&mut words, first);
                push(&mut words, value);
            }
        }
        sections.put(Section::Runs, words);
    }
}

/// Runs of equal tenants.
pub(super) fn runs(ids: &[(u32, &str)]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for (local, (value, _)) in ids.iter().enumerate() {
        if runs.last().is_none_or(|(_, last)| last != value) {
            runs.push((number(local), *value));
        }
    }
    runs
}

/// A relationship, resolved: where it is stored, and as what.
struct Entry<'t> {
    /// The object, counted over those of all types that store something.
    object: usize,
    column: u32,
    word: u32,
    tuple: &'t Tuple,
}

impl Entry<'_> {
    const fn row(&self) -> (usize, u32) {
        (self.object, self.column)
    }
}

/// What is stored, in order.
struct Entries<'t> {
    entries: Vec<Entry<'t>>,
    /// The first object of each type among those of types that store something.
    first_objects: Vec<usize>,
}

impl<'t> Entries<'t> {
    fn sort(
        plan: &ModelPlan<'_>,
        census: &Census<'_>,
        tuples: &[&'t Tuple],
    ) -> Result<Self, BuildError> {
        let mut first_objects = Vec::with_capacity(plan.types.len());
        let mut objects = 0_usize;
        for (type_number, ids) in census.objects.iter().enumerate() {
            first_objects.push(objects);
            if plan.columns(number(type_number)) > 0 {
                objects = objects.saturating_add(ids.len());
            }
        }
        let mut entries = Vec::with_capacity(tuples.len());
        for tuple in tuples {
            entries.push(resolve(plan, census, &first_objects, tuple)?);
        }
        entries.sort_by_key(|entry| (entry.object, entry.column, entry.word));
        refuse_conflicts(&entries)?;
        entries.dedup_by(|one, other| (one.row(), one.word) == (other.row(), other.word));
        Ok(Self { entries, first_objects })
    }

    /// The entries of a type with so many objects.
    fn of_type(&self, type_number: usize, objects: usize) -> &[Entry<'t>] {
        let first = self.first_objects.get(type_number).copied().unwrap_or_default();
        let end = first.saturating_add(objects);
        let start = self.entries.partition_point(|entry| entry.object < first);
        let end = self.entries.partition_point(|entry| entry.object < end);
        self.entries.get(start..end).unwrap_or_default()
    }

    /// Bytes of an end in the blocks of each type: what its longest block needs.
    fn widths(&self, census: &Census<'_>) -> Vec<Width> {
        let types = census.objects.iter().enumerate();
        let widths = types.map(|(type_number, ids)| {
            let own = self.of_type(type_number, ids.len());
            let blocks = own.chunk_by(|one, other| one.object == other.object);
            Width::of(blocks.map(<[_]>::len).max().unwrap_or_default())
        });
        widths.collect()
    }

    fn write(
        &self,
        sections: &mut Sections,
        plan: &ModelPlan<'_>,
        census: &Census<'_>,
        widths: &[Width],
    ) -> Result<(), BuildError> {
        let mut written = Blocks::default();
        for (type_number, (ids, width)) in census.objects.iter().zip(widths).enumerate() {
            let layout = BlockLayout::new(plan.columns(number(type_number)), *width);
            if layout.columns == 0 {
                continue;
            }
            let first = self.first_objects.get(type_number).copied().unwrap_or_default();
            let mut rest = self.of_type(type_number, ids.len());
            for object in (first..).take(ids.len()) {
                let end = rest.partition_point(|entry| entry.object == object);
                let (own, others) = rest.split_at_checked(end).unwrap_or_default();
                written.block(plan, layout, own)?;
                rest = others;
            }
        }
        push(&mut written.offsets, number(written.rows.len() / 4));
        sections.put(Section::Offsets, written.offsets);
        sections.put(Section::Rows, written.rows);
        sections.put(Section::Conditioned, written.conditioned);
        sections.put(Section::Contexts, written.contexts);
        Ok(())
    }
}

/// What is written of the relationships.
#[derive(Default)]
struct Blocks {
    offsets: Vec<u8>,
    rows: Vec<u8>,
    conditioned: Vec<u8>,
    contexts: Vec<u8>,
}

impl Blocks {
    fn block(
        &mut self,
        plan: &ModelPlan<'_>,
        layout: BlockLayout,
        entries: &[Entry<'_>],
    ) -> Result<(), BuildError> {
        push(&mut self.offsets, number(self.rows.len() / 4));
        if entries.is_empty() {
            return Ok(());
        }
        for column in 0..layout.columns {
            let end = entries.partition_point(|entry| entry.column <= column);
            let bytes = number(end).to_le_bytes();
            self.rows.extend_from_slice(bytes.get(..layout.width.bytes()).unwrap_or_default());
        }
        self.rows.resize(self.rows.len().next_multiple_of(4), 0);
        for entry in entries {
            if let Some(condition) = &entry.tuple.condition {
                push(&mut self.conditioned, number(self.rows.len() / 4));
                push(&mut self.conditioned, number(self.contexts.len()));
                self.contexts.extend(encode_context(plan, entry.tuple, condition)?);
            }
            push(&mut self.rows, entry.word);
        }
        Ok(())
    }
}

fn encode_context(
    plan: &ModelPlan<'_>,
    tuple: &Tuple,
    condition: &crate::tuple::TupleCondition,
) -> Result<Vec<u8>, BuildError> {
    let code = plan.conditions.iter().find(|(name, _)| *name == condition.name);
    let (_, code) = code.ok_or_else(|| BuildError::new(tuple, "the condition is unknown"))?;
    condition::encode_context(code, &condition.context)
        .map_err(|error| BuildError::new(tuple, error.to_string()))
}

fn resolve<'t>(
    plan: &ModelPlan<'_>,
    census: &Census<'_>,
    first_objects: &[usize],
    tuple: &'t Tuple,
) -> Result<Entry<'t>, BuildError> {
    let error = |problem: &str| BuildError::new(tuple, problem);
    let object_type = plan.type_number(&tuple.object.type_name)?;
    let (column, relation) = plan
        .column(object_type, &tuple.relation)
        .ok_or_else(|| error("the type has no such relation that stores anything"))?;
    let at = relation
        .restrictions
        .iter()
        .position(|restriction| admits(restriction, tuple))
        .ok_or_else(|| error("the model does not admit this subject or condition here"))?;
    let local = match &tuple.subject {
        Subject::Wildcard(_) => Some(0),
        Subject::Object(name) | Subject::Userset(name, _) => {
            census.local(plan.type_number(&name.type_name)?, &name.id)
        }
    };
    let bits = local_bits(relation.restrictions.len());
    let word = local.and_then(|local| {
        let tagged = u64::from(number(at)).checked_shl(bits)? | u64::from(local);
        u32::try_from(tagged).ok().filter(|_| u64::from(local) >> bits == 0)
    });
    let object = census.local(object_type, &tuple.object.id);
    let first = first_objects.get(position(object_type)).copied();
    let object = first.zip(object);
    let object = object.and_then(|(first, object)| first.checked_add(position(object)));
    let (object, word) = object.zip(word).ok_or_else(|| error("there are too many objects"))?;
    Ok(Entry { object, column, word, tuple })
}

/// Whether a restriction admits the relationship's subject under its condition.
fn admits(restriction: &TypeRestriction, tuple: &Tuple) -> bool {
    let (type_name, form) = match &tuple.subject {
        Subject::Object(name) => (&name.type_name, RestrictionForm::Object),
        Subject::Userset(name, relation) => {
            (&name.type_name, RestrictionForm::Userset(relation.clone()))
        }
        Subject::Wildcard(type_name) => (type_name, RestrictionForm::Wildcard),
    };
    let condition = tuple.condition.as_ref().map(|condition| &condition.name);
    restriction.type_name == *type_name
        && restriction.form == form
        && restriction.condition.as_ref() == condition
}

/// (object, relation, subject) is one key: two conditions for it contradict each other.
fn refuse_conflicts(entries: &[Entry<'_>]) -> Result<(), BuildError> {
    let rows = entries.chunk_by(|one, other| one.row() == other.row());
    for row in rows.filter(|row| row.iter().any(|entry| entry.tuple.condition.is_some())) {
        let mut subjects: HashMap<&Subject, &Tuple> = HashMap::new();
        for entry in row {
            let other = subjects.insert(&entry.tuple.subject, entry.tuple);
            if other.is_some_and(|other| other.condition != entry.tuple.condition) {
                return Err(BuildError::new(entry.tuple, "is stored under two conditions"));
            }
        }
    }
    Ok(())
}

/// Names in the order of the objects, and the table that finds them.
fn write_names(
    sections: &mut Sections,
    census: &Census<'_>,
    seed: [u8; 16],
) -> Result<(), BuildError> {
    let (mut offsets, mut records) = (Vec::new(), Vec::new());
    let mut starts = Vec::new();
    let names = census.objects.iter().enumerate();
    let names = names.flat_map(|(at, ids)| ids.iter().map(move |(_, id)| (number(at), *id)));
    for (name, (type_number, id)) in (0_u32..).zip(names) {
        let length = u16::try_from(id.len()).ok().filter(|length| *length > 0);
        let length = length.ok_or_else(|| {
            BuildError::new("objects", format!("an id is empty or above {ID_BYTES} bytes"))
        })?;
        let start = number(records.len() / 4);
        if name.is_multiple_of(SAMPLE) {
            push(&mut offsets, start);
        }
        starts.push((start, type_number, id));
        push(&mut records, name);
        records.extend_from_slice(&length.to_le_bytes());
        records.extend_from_slice(id.as_bytes());
        records.resize(records.len().next_multiple_of(4), 0);
    }
    sections.put(Section::Slots, slots(&starts, records.len() / 4, seed));
    sections.put(Section::NameOffsets, offsets);
    sections.put(Section::Names, records);
    Ok(())
}

/// The key, and the hash table of the records: where each starts, and of which type its name is.
fn slots(starts: &[(u32, u32, &str)], record_words: usize, seed: [u8; 16]) -> Vec<u8> {
    let places = starts.len().saturating_mul(5).div_ceil(4).saturating_add(1);
    let bits = position_bits(record_words);
    let mut table = seed.to_vec();
    let (key, _) = split_key(table.as_chunks::<4>().0);
    let mut slots = vec![FREE; places];
    for (start, type_number, id) in starts {
        let (first, fingerprint) = place(key, *type_number, id.as_bytes(), places);
        let free = (first..places).chain(0..first);
        for at in free {
            if let Some(place) = slots.get_mut(at).filter(|place| **place == FREE) {
                *place = slot(*start, fingerprint, bits);
                break;
            }
        }
    }
    slots.into_iter().for_each(|word| push(&mut table, word));
    table
}

/// A count as a word; what does not fit is refused when the sections are joined.
pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A word as a position.
pub(super) fn position(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
