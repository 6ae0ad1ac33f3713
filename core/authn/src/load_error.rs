//! Why a document could not be loaded.

use std::fmt;

/// A configuration error: the member, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The member as a path, `contract.issuers[0].algorithms`; empty for the document as a whole.
    pub path: String,
    /// One line, lower case.
    pub message: String,
}

impl LoadError {
    pub(crate) fn new(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), message: message.into() }
    }

    /// The same error seen from outside: its path under `parent`.
    pub(crate) fn under(self, parent: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        Self { path: format!("{parent}{separator}{}", self.path), message: self.message }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            formatter.write_str(&self.message)
        } else {
            write!(formatter, "`{}`: {}", self.path, self.message)
        }
    }
}

impl std::error::Error for LoadError {}
