//! Where the token comes from: a file, a pipe, or the command line.

use std::fmt;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::bail;
use clap::Args;

use crate::commands::input_file;

/// A token on the command line. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct TokenText(pub(super) String);

impl fmt::Debug for TokenText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenText(…)")
    }
}

impl FromStr for TokenText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// The options that name a token.
#[derive(Args, Clone, Debug)]
pub(super) struct TokenInput {
    /// File with the token; `-` is stdin, which is also read when a pipe and no token is given.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The token itself: other users of this machine see it in the list of processes.
    #[arg(long, value_name = "TEXT", conflicts_with = "token_file")]
    token: Option<TokenText>,
}

impl TokenInput {
    /// The token, without the line end that files and pipes close with.
    ///
    /// # Errors
    /// When it cannot be read, or nobody gave one.
    pub(super) fn read(&self) -> anyhow::Result<String> {
        match (&self.token, &self.token_file) {
            (Some(TokenText(token)), _) => Ok(token.clone()),
            (None, Some(path)) => read_file(path),
            (None, None) => from_pipe(),
        }
    }
}

/// The token in a file; `-` is stdin.
pub(super) fn read_file(path: &Path) -> anyhow::Result<String> {
    Ok(text(input_file::read("token file", path)?))
}

/// The token that is piped in.
pub(super) fn from_pipe() -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        bail!("no token: pipe it in, or give `--token-file FILE`");
    }
    Ok(text(input_file::read_all("the token on stdin", stdin.lock())?))
}

/// Bytes as the token that the plugin is asked about. What is not UTF-8 becomes characters that no
/// token has, so that the plugin refuses it as malformed.
fn text(bytes: Vec<u8>) -> String {
    let mut token = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    let length = token.trim_end_matches(['\r', '\n']).len();
    token.truncate(length);
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_closing_line_end_is_taken_off() {
        assert_eq!(text(b"a.b.c\r\n".to_vec()), "a.b.c");
        assert_eq!(text(b" a.b.c \n".to_vec()), " a.b.c ");
        assert_eq!(text(b"a.b\xff".to_vec()), "a.b\u{fffd}");
    }

    #[test]
    fn debug_output_has_no_token() {
        assert_eq!(format!("{:?}", TokenText("secret".to_owned())), "TokenText(…)");
    }
}
