//! Models in several files: `fga.mod` lists them, each file is one module.

mod manifest;

use std::collections::{BTreeMap, BTreeSet};

pub use manifest::Manifest;

use super::error::{Duplicate, ModelError, Problem, Reference, Span};
use super::located::LocatedModel;
use super::parser::{self, Document, Header};
use super::source::{Places, TypePlaces};
use super::{ConditionDefinition, Model, RelationDefinition, Schema, TypeDefinition, validator};
use crate::limits::MODEL_BYTES;

/// One file of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleFile {
    /// Its path as the manifest has it.
    pub name: String,
    /// What it says.
    pub text: String,
}

impl LocatedModel {
    /// Joins the files of a model of modules, in the order of the manifest.
    ///
    /// # Errors
    /// Everything that is wrong in the files and between them, with file, line and column.
    pub fn from_modules(files: &[ModuleFile]) -> Result<Self, Vec<ModelError>> {
        let bytes = files.iter().map(|file| file.text.len()).fold(0, usize::saturating_add);
        if bytes > MODEL_BYTES {
            return Err(vec![ModelError::new(Problem::TooLarge { limit: MODEL_BYTES })]);
        }
        let mut join = Join::default();
        for file in files {
            match parser::parse(&file.text) {
                Ok(document) => join.add(document, &file.name),
                Err(errors) => {
                    join.errors.extend(errors.into_iter().map(|error| error.in_file(&file.name)));
                }
            }
        }
        join.finish()
    }
}

/// What the files said so far.
#[derive(Default)]
struct Join {
    types: Vec<TypeDefinition>,
    /// The first type of each name.
    type_positions: BTreeMap<String, usize>,
    conditions: Vec<ConditionDefinition>,
    condition_names: BTreeSet<String>,
    places: Places,
    extensions: Vec<(String, TypeDefinition, TypePlaces)>,
    errors: Vec<ModelError>,
}

impl Join {
    fn add(&mut self, document: Document, file: &str) {
        if matches!(document.header, Header::Model { .. }) {
            let start = Span { line: 1, column: 1, length: 0 };
            self.errors.push(ModelError::at(start, Problem::NotModule).in_file(file));
            return;
        }
        for (section, places) in document.types.into_iter().zip(document.places.types) {
            let mut definition = section.definition;
            if section.extends {
                self.extensions.push((file.to_owned(), definition, places));
            } else {
                definition.file = Some(file.to_owned());
                let position = self.types.len();
                self.type_positions.entry(definition.name.clone()).or_insert(position);
                self.types.push(definition);
                self.places.types.push(places);
            }
        }
        for (mut condition, places) in
            document.conditions.into_iter().zip(document.places.conditions)
        {
            if !self.condition_names.insert(condition.name.clone()) {
                let condition = condition.name;
                let duplicate = Duplicate::Condition { condition, across_files: true };
                let error = ModelError::at(places.name, Problem::Duplicate(duplicate));
                self.errors.push(error.in_file(file));
            } else {
                condition.file = Some(file.to_owned());
                self.conditions.push(condition);
                self.places.conditions.push(places);
            }
        }
    }

    fn finish(mut self) -> Result<LocatedModel, Vec<ModelError>> {
        for (file, extension, places) in std::mem::take(&mut self.extensions) {
            self.extend(&file, extension, places);
        }
        let model = Model { schema: Schema::V1_2, types: self.types, conditions: self.conditions };
        if self.errors.is_empty() {
            return Ok(LocatedModel { model, places: self.places });
        }
        // Other steps would report what only follows from a missing file.
        self.errors.extend(validator::validate_names(&model, &self.places));
        Err(self.errors)
    }

    fn extend(&mut self, file: &str, extension: TypeDefinition, places: TypePlaces) {
        let position = self.type_positions.get(&extension.name).copied();
        let Some((original, original_places)) = position.and_then(|position| {
            Some((self.types.get_mut(position)?, self.places.types.get_mut(position)?))
        }) else {
            let type_name = extension.name;
            let problem = Problem::Reference(Reference::ExtendedTypeMissing { type_name });
            self.errors.push(ModelError::at(places.name, problem).in_file(file));
            return;
        };
        let known: BTreeSet<_> =
            original.relations.iter().map(|relation| relation.name.clone()).collect();
        for (relation, places) in extension.relations.into_iter().zip(places.relations) {
            if known.contains(&relation.name) {
                let duplicate = Duplicate::Relation {
                    relation: relation.name,
                    type_name: extension.name.clone(),
                    across_files: true,
                };
                let error = ModelError::at(places.name, Problem::Duplicate(duplicate));
                self.errors.push(error.in_file(file));
            } else {
                let file = Some(file.to_owned());
                original.relations.push(RelationDefinition { file, ..relation });
                original_places.relations.push(places);
            }
        }
    }
}
