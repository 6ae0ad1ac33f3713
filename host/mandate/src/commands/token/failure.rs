//! Why no token was got, with its exit code.

use std::fmt;
use std::path::Path;

use crate::keys::{FetchError, plain, quoted};

/// One line, and whether the provider said no (1) or it never came to that (2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Failure {
    pub(super) message: String,
    pub(super) refused: bool,
}

impl Failure {
    /// The command line or a file is wrong.
    pub(super) fn usage(message: String) -> Self {
        Self { message, refused: false }
    }

    /// A file that a flag names cannot be used.
    pub(super) fn file(flag: &str, file: &Path, problem: &str) -> Self {
        let file = quoted(&file.display().to_string());
        Self::usage(format!("{flag}: {file} cannot be used: {}", plain(problem)))
    }

    /// The provider refused, with an OAuth error (RFC 6749 section 5.2).
    pub(super) fn refused(code: &str, description: Option<&str>) -> Self {
        let description = description.map(|text| format!(" ({})", plain(text))).unwrap_or_default();
        let message = format!("the provider refused: {}{description}", plain(code));
        Self { message, refused: true }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        Self::usage(error.to_string())
    }
}
