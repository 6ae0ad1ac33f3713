//! Secrets and tokens from files, standard input or a prompt: never from a flag, where every
//! process of the machine could read them.

use std::fmt;
use std::io::{IsTerminal as _, Read};
use std::path::Path;

use crate::commands::token::failure::Failure;

/// A secret: it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::commands) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Secret {
    /// Reads a file, or standard input for `-`. One line end at the end is not part of the secret.
    pub(super) fn read(flag: &'static str, file: &Path) -> Result<Self, Failure> {
        let unreadable = |error: std::io::Error| Failure::file(flag, file, &error.to_string());
        let mut text = String::new();
        let read = if file == Path::new("-") {
            std::io::stdin().take(LONGEST).read_to_string(&mut text)
        } else {
            let opened = std::fs::File::open(file).map_err(unreadable)?;
            opened.take(LONGEST).read_to_string(&mut text)
        };
        read.map_err(unreadable)?;
        let trimmed = text.strip_suffix('\n').unwrap_or(&text);
        let trimmed = trimmed.strip_suffix('\r').unwrap_or(trimmed);
        if trimmed.is_empty() {
            return Err(Failure::file(flag, file, "it is empty"));
        }
        if trimmed.chars().any(char::is_control) {
            return Err(Failure::file(flag, file, "it holds more than one line"));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// Asks on the terminal, without echo.
    pub(super) fn prompt(what: &str, flag: &'static str) -> Result<Self, Failure> {
        if !std::io::stdin().is_terminal() {
            return Err(Failure::usage(format!(
                "no {what}: give {flag} FILE (`-` reads standard input), or run on a terminal"
            )));
        }
        let secret = rpassword::prompt_password(format!("{what}: "))
            .map_err(|error| Failure::usage(format!("the {what} cannot be read: {error}")))?;
        if secret.is_empty() { Err(Failure::usage(format!("no {what}"))) } else { Ok(Self(secret)) }
    }

    /// The secret itself, to be sent to the provider.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

/// Longer than any token that may be validated.
const LONGEST: u64 = 64 * 1024;
