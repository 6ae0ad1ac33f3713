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
    /// An error at a member.
    #[must_use]
    pub fn new(path: &str, message: impl Into<String>) -> Self {
        Self { path: one_line(path), message: one_line(&message.into()) }
    }

    /// The same error seen from outside: its path under `parent`.
    #[must_use]
    pub fn under(self, parent: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        Self { path: format!("{parent}{separator}{}", self.path), message: self.message }
    }
}

/// Both name members of the document, and those may hold any character.
fn one_line(text: &str) -> String {
    let escaped = |character: char| {
        let escape = character.is_control().then(|| character.escape_default());
        let plain = escape.is_none().then_some(character);
        escape.into_iter().flatten().chain(plain)
    };
    text.chars().flat_map(escaped).collect()
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

#[cfg(test)]
mod tests {
    use crate::contract::Contract;

    #[test]
    fn an_error_is_one_line_whatever_a_member_is_called() {
        let error = Contract::parse("{\"a\\nb\":1}").unwrap_err();
        assert_eq!(error.to_string().lines().count(), 1);
        assert_eq!(error.path, "a\\nb");
    }
}
