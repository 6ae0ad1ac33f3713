//! What OpenFGA's validator checks, in its order: each step runs only when those before found
//! nothing, because the later ones would report what follows from the earlier.

mod conditions;
mod cycles;
mod duplicates;
mod entry_points;
mod modules;
mod names;
mod references;

use super::error::{ModelError, Problem, Span};
use super::index::Index;
use super::source::{Places, RelationPlaces};
use super::{ConditionDefinition, Model, RelationDefinition, TypeDefinition};
use crate::limits::{MODEL_ERRORS, MODEL_TYPES};

/// Everything that is wrong with a model; nothing if it is sound.
pub(super) fn validate(model: &Model, places: &Places) -> Vec<ModelError> {
    let mut report = Report { places, errors: Vec::new() };
    if model.types.len() > MODEL_TYPES {
        return vec![ModelError::new(Problem::TooManyTypes { limit: MODEL_TYPES })];
    }
    names::check(model, &mut report);
    if report.errors.is_empty() {
        check_meaning(model, &mut report);
    }
    modules::check(model, &mut report);
    report.errors.truncate(MODEL_ERRORS);
    report.errors
}

/// Only the names: all that can be said about a model that lacks files.
pub(super) fn validate_names(model: &Model, places: &Places) -> Vec<ModelError> {
    let mut report = Report { places, errors: Vec::new() };
    names::check(model, &mut report);
    report.errors
}

fn check_meaning(model: &Model, report: &mut Report<'_>) {
    let index = Index::new(model);
    let steps = [references::check, duplicates::check, entry_points::check, cycles::check];
    for step in steps {
        step(model, &index, report);
        if !report.errors.is_empty() {
            break;
        }
    }
    conditions::check_use(model, report);
    if report.errors.is_empty() {
        conditions::check_expressions(model, report);
    }
}

/// Where errors are gathered.
struct Report<'p> {
    places: &'p Places,
    errors: Vec<ModelError>,
}

/// A relation under examination, and where it stands in the model.
#[derive(Clone, Copy)]
pub(super) struct Site<'m> {
    pub(super) definition: &'m TypeDefinition,
    pub(super) relation: &'m RelationDefinition,
    pub(super) type_position: usize,
    pub(super) relation_position: usize,
}

/// Every relation of a model, in order.
pub(super) fn sites(model: &Model) -> impl Iterator<Item = Site<'_>> {
    model.types.iter().enumerate().flat_map(|(type_position, definition)| {
        let relations = definition.relations.iter().enumerate();
        relations.map(move |(relation_position, relation)| Site {
            definition,
            relation,
            type_position,
            relation_position,
        })
    })
}

impl Report<'_> {
    fn type_error(&mut self, definition: &TypeDefinition, position: usize, problem: Problem) {
        let span = self.places.types.get(position).map(|places| places.name);
        self.errors.push(ModelError { file: definition.file.clone(), span, problem });
    }

    fn condition_error(
        &mut self,
        condition: &ConditionDefinition,
        position: usize,
        problem: Problem,
    ) {
        let span = self.places.conditions.get(position).map(|places| places.name);
        self.errors.push(ModelError { file: condition.file.clone(), span, problem });
    }

    fn relation_error(
        &mut self,
        site: Site<'_>,
        problem: Problem,
        place: impl FnOnce(&RelationPlaces) -> Option<Span>,
    ) {
        let span = self
            .places
            .types
            .get(site.type_position)
            .and_then(|places| places.relations.get(site.relation_position))
            .and_then(place);
        let file = site.relation.file.clone().or_else(|| site.definition.file.clone());
        self.errors.push(ModelError { file, span, problem });
    }
}
