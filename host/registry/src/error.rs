//! Why the registry did not do something: one line for an operator each.

use std::fmt;

/// A failure of the database, or a refusal. Nothing was written, except where it says otherwise.
///
/// Neither a secret nor a connection's password is in any of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryError {
    /// The database does not accept the user name or the password.
    Authentication,
    /// Another writer held the database for longer than the time-out.
    Busy,
    /// The connection was lost while a commit was under way.
    CommitUnknown,
    /// Something contradicts what is stored, such as a name that is taken.
    Conflict(String),
    /// The database failed in another way; its own words.
    Database(String),
    /// The actor may not do this.
    Denied(String),
    /// The disk is full, or the database may not grow.
    Full,
    /// What was given has no place in the model, the contract, or the registry.
    Invalid(String),
    /// There is no such thing.
    NotFound(String),
    /// The system gave no randomness.
    Randomness,
    /// A migration that was applied is not the one that this program knows.
    SchemaChecksum {
        /// The migration's number.
        number: u32,
    },
    /// The database is of a later release.
    SchemaNewer {
        /// The number of its last migration.
        found: u32,
        /// The last one that this program knows.
        known: u32,
    },
    /// The database lacks migrations.
    SchemaOlder {
        /// The number of its last migration; 0 for none.
        found: u32,
        /// The last one that this program knows.
        known: u32,
    },
    /// The server is not on this machine, and the connection would not be encrypted.
    TlsNeeded,
    /// The database cannot be opened or reached, or the connection was lost.
    Unreachable(String),
}

impl fmt::Display for RegistryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authentication => {
                formatter.write_str("the database does not accept this user name and password")
            }
            Self::Busy => formatter.write_str("the database is locked by another writer"),
            Self::CommitUnknown => formatter.write_str(
                "the connection was lost during the commit: unknown whether it was written",
            ),
            Self::Conflict(text) | Self::Denied(text) | Self::Invalid(text) => {
                formatter.write_str(&one_line(text))
            }
            Self::Database(text) => write!(formatter, "the database failed: {}", one_line(text)),
            Self::Full => formatter.write_str("no space is left for the database"),
            Self::NotFound(text) => write!(formatter, "there is no {}", one_line(text)),
            Self::Randomness => formatter.write_str("the system gave no randomness"),
            Self::SchemaChecksum { number } => {
                write!(formatter, "migration {number} of the database is not the one of this program")
            }
            Self::SchemaNewer { found, known } => write!(
                formatter,
                "the database has migration {found}, this program knows {known}: use a newer program"
            ),
            Self::SchemaOlder { found, known } => write!(
                formatter,
                "the database has migration {found} of {known}: migrate it first"
            ),
            Self::TlsNeeded => formatter.write_str(
                "this Postgres is on another machine: name the certificate authorities that its TLS is verified by",
            ),
            Self::Unreachable(text) => {
                write!(formatter, "the database cannot be reached: {}", one_line(text))
            }
        }
    }
}

impl std::error::Error for RegistryError {}

/// Names in messages may hold any character; a line stays a line.
fn one_line(text: &str) -> String {
    let escaped = |character: char| {
        if character.is_control() {
            character.escape_default().to_string()
        } else {
            character.into()
        }
    };
    text.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        let error = RegistryError::NotFound("identity `agent:a\nb`".to_owned());
        assert_eq!(error.to_string(), "there is no identity `agent:a\\nb`");
    }
}
