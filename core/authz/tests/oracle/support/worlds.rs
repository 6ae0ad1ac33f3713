//! Random worlds: a small model with every operator, relationships and questions. A world is its
//! seed, which every disagreement names.

mod inputs;
mod models;
mod questions;

use std::fmt;

use mandate_authz::model::{Model, RestrictionForm, TypeRestriction};
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::tuple::{Tuple, TupleCondition};

use super::random::Random;
use super::validity;

/// A model, and relationships under it.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// What it was made from.
    pub(crate) seed: u64,
    /// A sound model.
    pub(crate) model: Model,
    /// Relationships that the model allows: no two of a name, none that is true by itself.
    pub(crate) tuples: Vec<Tuple>,
    /// Relationships that only an earlier model allowed.
    pub(crate) leftovers: Vec<Tuple>,
    /// Whether every request brings every parameter.
    pub(crate) complete: bool,
}

impl World {
    /// The world of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let model = models::sound(&mut random);
        let complete = random.percent(85);
        let world = Self { seed, model, tuples: Vec::new(), leftovers: Vec::new(), complete };
        let wanted = 6 + random.below(30);
        let tuples = (0..wanted).fold(Vec::new(), |mut tuples, _| {
            add(&mut tuples, world.stored_tuple(&world.model, &mut random));
            tuples
        });
        let mut leftovers = Vec::new();
        if random.percent(15) {
            let earlier = models::permissive(&world.model);
            for _ in 0..4 {
                let tuple = world.stored_tuple(&earlier, &mut random);
                let left = |tuple: &Tuple| !validity::is_readable(&world.model, tuple);
                let free = |tuple: &Tuple| !tuples.iter().any(|other| is_alike(other, tuple));
                add(&mut leftovers, tuple.filter(|tuple| left(tuple) && free(tuple)));
            }
        }
        Self { tuples, leftovers, ..world }
    }

    /// Other relationships that the model allows.
    pub(crate) fn sibling(&self, seed: u64) -> Vec<Tuple> {
        let mut random = Random::new(seed);
        (0..10).fold(Vec::new(), |mut tuples, _| {
            add(&mut tuples, self.stored_tuple(&self.model, &mut random));
            tuples
        })
    }

    /// The model under which the leftovers were written.
    pub(crate) fn earlier_model(&self) -> Model {
        models::permissive(&self.model)
    }

    /// Everything that is stored.
    pub(crate) fn stored(&self) -> Vec<Tuple> {
        [self.tuples.clone(), self.leftovers.clone()].concat()
    }

    /// A relationship of this world that the model allows and that says something.
    fn stored_tuple(&self, model: &Model, random: &mut Random) -> Option<Tuple> {
        let tuple = self.tuple(model, random)?;
        let reflexive = Subject::Userset(tuple.object.clone(), tuple.relation.clone());
        (tuple.subject != reflexive).then_some(tuple)
    }

    fn tuple(&self, model: &Model, random: &mut Random) -> Option<Tuple> {
        let assignable = model
            .types
            .iter()
            .flat_map(|of| of.relations.iter().map(move |relation| (of, relation)));
        let assignable: Vec<_> =
            assignable.filter(|(_, relation)| !relation.restrictions.is_empty()).collect();
        let (of, relation) = random.pick(&assignable);
        let restriction = random.pick(&relation.restrictions);
        let subject = subject(&restriction, random);
        let condition = restriction.condition.map(|name| {
            let context = inputs::stored(&self.model, &name, random);
            TupleCondition { name, context }
        });
        let object = object(&of.name, random);
        Some(Tuple { object, relation: relation.name.clone(), subject, condition })
    }
}

impl fmt::Display for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.model.to_dsl().unwrap_or_else(|_| self.model.to_json().to_string());
        writeln!(formatter, "world {}\n{model}", self.seed)?;
        for tuple in self.stored() {
            let condition = tuple.condition.as_ref();
            let condition = condition.map(|of| format!(" with {} {:?}", of.name, of.context));
            writeln!(formatter, "{tuple}{}", condition.unwrap_or_default())?;
        }
        Ok(())
    }
}

/// Whether OpenFGA would take them for the same relationship.
pub(crate) fn is_alike(one: &Tuple, other: &Tuple) -> bool {
    (&one.object, &one.relation, &one.subject) == (&other.object, &other.relation, &other.subject)
}

fn add(tuples: &mut Vec<Tuple>, tuple: Option<Tuple>) {
    tuples.extend(tuple.filter(|tuple| !tuples.iter().any(|other| is_alike(other, tuple))));
}

fn subject(restriction: &TypeRestriction, random: &mut Random) -> Subject {
    let object = object(&restriction.type_name, random);
    match &restriction.form {
        RestrictionForm::Object => Subject::Object(object),
        RestrictionForm::Wildcard => Subject::Wildcard(object.type_name),
        RestrictionForm::Userset(relation) => Subject::Userset(object, relation.clone()),
    }
}

fn object(type_name: &str, random: &mut Random) -> ObjectName {
    ObjectName::new(type_name, random.pick(&["1", "2", "3"]))
}
