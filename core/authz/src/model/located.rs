//! A model together with where its parts stand in their texts.

use super::error::{ModelError, Problem, Span};
use super::parser::{self, Document, Header};
use super::source::Places;
use super::{Model, Schema, Warning, lint, validator};

/// A model and the lines it was read from, so that what is wrong can be shown where it is.
#[derive(Clone, Debug)]
pub struct LocatedModel {
    pub(super) model: Model,
    pub(super) places: Places,
}

impl LocatedModel {
    /// Reads OpenFGA's language.
    ///
    /// # Errors
    /// Everything that is wrong up to the first syntax error, with line and column.
    pub fn parse_dsl(text: &str) -> Result<Self, Vec<ModelError>> {
        let Document { header, types, conditions, places } = parser::parse(text)?;
        let Header::Model { schema, place } = header else {
            let start = Span { line: 1, column: 1, length: 0 };
            return Err(vec![ModelError::at(start, Problem::SchemaMissing)]);
        };
        let schema = Schema::parse(&schema)
            .ok_or_else(|| vec![ModelError::at(place, Problem::Schema { found: schema })])?;
        let types = types.into_iter().map(|section| section.definition).collect();
        Ok(Self { model: Model { schema, types, conditions }, places })
    }

    /// The model.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The model alone.
    #[must_use]
    pub fn into_model(self) -> Model {
        self.model
    }

    /// Checks what OpenFGA's validator checks.
    ///
    /// # Errors
    /// Everything that is wrong, with file, line and column where they are known.
    pub fn validate(&self) -> Result<(), Vec<ModelError>> {
        let errors = validator::validate(&self.model, &self.places);
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// What is allowed in a valid model and still looks like a mistake.
    #[must_use]
    pub fn lint(&self) -> Vec<Warning> {
        lint::lint(&self.model, &self.places)
    }
}

/// A model without text: errors name what is wrong, but no line.
impl From<Model> for LocatedModel {
    fn from(model: Model) -> Self {
        Self { model, places: Places::default() }
    }
}
