//! What is wrong with a store file, and where.

use std::fmt;

use serde_saphyr::Location;

use crate::model::ModelError;

/// One thing that is wrong with a store file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreFileError {
    /// With the file itself, or one with relationships.
    File {
        /// The file, as the store file names it.
        file: String,
        /// Line and column, from 1.
        place: Option<(u64, u64)>,
        /// One line, lower case.
        message: String,
    },
    /// With the model. Places in a model that stands in the store file are those of the store file.
    Model(ModelError),
}

impl StoreFileError {
    pub(super) fn new(file: &str, place: Option<Location>, message: impl Into<String>) -> Self {
        let place = place.map(|place| (place.line(), place.column()));
        Self::File { file: file.to_owned(), place, message: message.into() }
    }

    pub(super) fn yaml(file: &str, error: &serde_saphyr::Error) -> Self {
        let text = error.without_snippet().to_string();
        let line = text.lines().next().unwrap_or("not YAML");
        let message = line.rsplit_once(" at line ").map_or(line, |(message, _)| message);
        Self::new(file, error.location(), message)
    }
}

impl fmt::Display for StoreFileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => error.fmt(formatter),
            Self::File { file, place, message } => {
                write!(formatter, "{}:", file.escape_debug())?;
                if let Some((line, column)) = place {
                    write!(formatter, "{line}:{column}:")?;
                }
                write!(formatter, " {}", message.escape_debug())
            }
        }
    }
}

impl std::error::Error for StoreFileError {}
