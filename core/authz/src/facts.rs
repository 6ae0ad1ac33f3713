//! Facts: who and what there is, written down in YAML, as relationships and records.
//!
//! One file holds organizations with their people, teams, agents, tools and places. It is read
//! strictly: what is not known is refused with its line, and a file with an error gives nothing.
//! The format is docs/facts.md.

mod agents;
mod assembly;
mod callers;
mod credentials;
mod file;
mod moment;
mod names;
mod people;
mod place;
mod places;
mod reading;
mod scalar;
mod services;
mod tools;
mod world;

pub use self::moment::parse as parse_moment;

use std::fmt;

use crate::model::Model;
use crate::policy::Policy;

use self::file::File;
pub use self::world::Loaded;

/// A facts file, well formed.
///
/// # Example
/// ```
/// use mandate_authz::facts::Facts;
///
/// let facts = Facts::parse("organization: acme\nusers:\n- id: anne\n").unwrap();
/// let error = Facts::parse("users:\n- id: anne\n  colour: red\n").unwrap_err();
/// assert_eq!(error.path, "users[0].colour");
/// assert_eq!(error.line, Some(3));
/// # drop(facts);
/// ```
#[derive(Clone, Debug)]
pub struct Facts {
    file: File,
}

/// The first thing that is wrong with a facts file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsError {
    /// The member, `agents[0].visibility`; empty for the file as a whole.
    pub path: String,
    /// Its line, counted from 1, where it has one.
    pub line: Option<u64>,
    /// One line, lower case.
    pub message: String,
}

/// Something that was loaded as it stands and probably lacks something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The member.
    pub path: String,
    /// Its line, counted from 1, where it has one.
    pub line: Option<u64>,
    /// One line, lower case.
    pub message: String,
}

impl Facts {
    /// Reads a facts file.
    ///
    /// # Errors
    /// The first member that is unknown, missing, twice there, or not of its form.
    pub fn parse(text: &str) -> Result<Self, FactsError> {
        reading::read(text).map(|file| Self { file })
    }

    /// Gives the file a tenant and an owner of its agents where it states none itself.
    #[must_use]
    pub fn with_defaults(mut self, organization: Option<&str>, owner: Option<&str>) -> Self {
        let File { organization: own_organization, owner: own_owner, .. } = &mut self.file;
        if own_organization.is_none() {
            *own_organization = organization.map(str::to_owned);
        }
        if own_owner.is_none() {
            *own_owner = owner.map(str::to_owned);
        }
        self
    }

    /// Turns the facts into everything that a snapshot holds, under the policy's types.
    ///
    /// # Errors
    /// The first fact that the model or the policy has no place for, or that contradicts another.
    pub fn into_world(self, model: Model, policy: &Policy) -> Result<Loaded, FactsError> {
        world::assemble(&self.file, model, policy)
    }

    /// Turns relationships alone into a snapshot without tenants and records, which serves raw
    /// evaluation only.
    ///
    /// # Errors
    /// Any other section, and the first relationship that the model has no place for.
    pub fn into_raw_world(self, model: Model) -> Result<Loaded, FactsError> {
        world::assemble_raw(&self.file, model)
    }
}

impl FactsError {
    fn new(path: impl Into<String>, line: Option<u64>, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }
}

impl fmt::Display for FactsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(formatter, self.line, &self.path, &self.message)
    }
}

impl std::error::Error for FactsError {}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(formatter, self.line, &self.path, &self.message)
    }
}

fn write_line(
    formatter: &mut fmt::Formatter<'_>,
    line: Option<u64>,
    path: &str,
    message: &str,
) -> fmt::Result {
    if let Some(line) = line {
        write!(formatter, "line {line}: ")?;
    }
    if !path.is_empty() {
        write!(formatter, "`{path}`: ")?;
    }
    // Names in a file may hold any character; a line stays a line.
    message.chars().try_for_each(|character| {
        if character.is_control() {
            write!(formatter, "{}", character.escape_default())
        } else {
            write!(formatter, "{character}")
        }
    })
}
