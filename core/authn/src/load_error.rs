//! Why a document could not be loaded.

use std::fmt;

use crate::text;

/// A configuration error: the member, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The member as a path, `contract.issuers[0].algorithms`; empty for the document as a whole.
    /// At most 256 characters, of each name at most 64.
    pub path: String,
    /// One line, lower case, at most 512 characters, of what it quotes at most 64.
    pub message: String,
}

impl LoadError {
    /// An error at a member.
    #[must_use]
    pub fn new(path: &str, message: impl Into<String>) -> Self {
        Self { path: text::path(path), message: text::message(&message.into()) }
    }

    /// The same error seen from outside: its path under `parent`.
    #[must_use]
    pub fn under(self, parent: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        let path = text::path(&format!("{parent}{separator}{}", self.path));
        Self { path, message: self.message }
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

#[cfg(test)]
mod tests {
    use super::LoadError;
    use crate::contract::Contract;

    #[test]
    fn an_error_is_one_line_whatever_a_member_is_called() {
        let error = Contract::parse("{\"a\\nb\":1}").unwrap_err();
        assert_eq!(error.to_string().lines().count(), 1);
        assert_eq!(error.path, "a\\nb");
        let inside = LoadError::new("b", "is wrong").under("a\nc");
        assert_eq!(inside.path, "a\\nc.b");
    }

    #[test]
    fn an_error_is_short_whatever_a_member_is_called() {
        let name = "n".repeat(1000);
        let shown = format!("{}…", "n".repeat(64));
        let error = Contract::parse(&format!("{{\"{name}\":1}}")).unwrap_err();
        assert_eq!(error.path, shown);
        let expected = "expected one of `contract`, `version`, `status`, `skew_seconds`, `issuers`, `apps`, `authz`, `gate`";
        let place = "at line 1 column 1003";
        assert_eq!(error.message, format!("unknown field `{shown}`, {expected} {place}"));
        let inside = LoadError::new("b", "is wrong").under(&name).under("authz");
        assert_eq!(inside.path, format!("authz.{shown}.b"));
    }
}
