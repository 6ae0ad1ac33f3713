//! A tool that cannot be had here: exit code 2, with what to install by hand.

use std::fmt;

/// Says what is missing and what a person can do about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Unavailable {
    what: String,
    remedy: String,
}

impl Unavailable {
    /// `what` is missing; `remedy` is what to install or set.
    pub(crate) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is missing: {}", self.what, self.remedy)
    }
}

impl std::error::Error for Unavailable {}
