//! Where a fact stands.

use serde_saphyr::Spanned;

use super::file::List;
use super::{FactsError, Note};

/// A member's path and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    path: String,
    line: Option<u64>,
}

impl Place {
    /// A member of the file itself.
    pub(super) fn of_file(member: &str) -> Self {
        Self { path: member.to_owned(), line: None }
    }

    /// A member of this entry.
    pub(super) fn member(&self, name: &str) -> Self {
        Self { path: format!("{}.{name}", self.path), line: self.line }
    }

    /// The entries of a list in this entry, each with its place.
    pub(super) fn each<'l, T>(
        &self,
        member: &str,
        list: &'l List<T>,
    ) -> impl Iterator<Item = (Self, &'l T)> + use<'l, T> {
        entries(format!("{}.{member}", self.path), list)
    }

    pub(super) fn error(&self, message: impl Into<String>) -> FactsError {
        FactsError::new(self.path.as_str(), self.line, message)
    }

    pub(super) fn note(&self, message: impl Into<String>) -> Note {
        Note { path: self.path.clone(), line: self.line, message: message.into() }
    }
}

/// The entries of a list, each with its place.
pub(super) fn entries<T>(path: String, list: &List<T>) -> impl Iterator<Item = (Place, &T)> {
    list.iter().enumerate().map(move |(position, entry)| {
        let place = Place { path: format!("{path}[{position}]"), line: line(entry) };
        (place, &entry.value)
    })
}

/// A line of 0 means that nobody knows.
fn line<T>(entry: &Spanned<T>) -> Option<u64> {
    Some(entry.referenced.line()).filter(|line| *line > 0)
}
