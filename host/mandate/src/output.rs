//! What people and programs read: results on stdout, one-line errors on stderr, exit codes.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use serde_json::Value;

/// Exit code of a denial.
pub const DENY: u8 = 1;
/// Exit code of a mistake in usage or configuration.
pub const USAGE: u8 = 2;

/// Writes a result to stdout; success, unless it cannot be written.
#[must_use]
pub fn print(text: &str) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough: `mandate … | head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(&format!("stdout cannot be written: {error}")),
    }
}

/// Writes a value as one line of JSON, or the page for people.
#[must_use]
pub fn print_either(json: bool, value: &Value, page: &Page) -> ExitCode {
    if json { print(&format!("{value}\n")) } else { print(page.as_str()) }
}

/// Writes one line to stderr; the exit code for usage and configuration.
#[must_use]
pub fn fail(message: &str) -> ExitCode {
    // Nobody reads a failure to write to stderr.
    let _ = writeln!(std::io::stderr(), "error: {}", printable(&without_tokens(message)));
    ExitCode::from(USAGE)
}

/// Writes one line to stderr and goes on.
pub fn warn(message: &str) {
    let _ = writeln!(std::io::stderr(), "warning: {}", printable(&without_tokens(message)));
}

/// The message without words in the form of a JWS: a token that was given as a file's name or in
/// another wrong place is not repeated.
fn without_tokens(message: &str) -> String {
    let shown = |word| if str::contains(word, JOSE_HEADER) { "(withheld)" } else { word };
    message.split(' ').map(shown).collect::<Vec<_>>().join(" ")
}

/// `{"` in base64url: how every compact JWS of a usual header begins.
const JOSE_HEADER: &str = "eyJ";

/// Text that others wrote, fit for a terminal: control characters and those that reorder a line
/// are written as escapes.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A page of headings, aligned rows and lines.
#[derive(Clone, Debug, Default)]
pub struct Page {
    text: String,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One line.
    pub fn line(&mut self, text: &str) {
        self.text.push_str(printable(text).trim_end());
        self.text.push('\n');
    }

    /// Rows of a name and a value, indented, values aligned.
    pub fn rows(&mut self, rows: &[(&str, String)]) {
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in rows {
            self.line(&format!("  {name:width$}  {value}"));
        }
    }

    /// A table: the first row is its head.
    pub fn table(&mut self, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| printable(cell).chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                // Writing to a string cannot fail.
                let _ = write!(line, "  {:width$}", printable(cell), width = *width);
            }
            self.line(&line);
        }
    }

    /// The page's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_move_the_cursor_or_reorder_a_line() {
        assert_eq!(printable("a\u{1b}[2Jb\n\u{202e}c\u{e9}"), r"a\u{1b}[2Jb\u{a}\u{202e}cé");
    }

    #[test]
    fn a_token_in_a_message_is_withheld() {
        assert_eq!(
            without_tokens("contract `eyJhbGciOi.e30.AA` cannot be read: no file"),
            "contract (withheld) cannot be read: no file"
        );
    }

    #[test]
    fn rows_and_tables_are_aligned() {
        let mut page = Page::new();
        page.line("head");
        page.rows(&[("a", "1".to_owned()), ("long", "2".to_owned())]);
        page.table(&[
            vec!["x".to_owned(), "y".to_owned()],
            vec!["1234".to_owned(), "\u{7}".to_owned()],
        ]);
        assert_eq!(page.as_str(), "head\n  a     1\n  long  2\n  x     y\n  1234  \\u{7}\n");
    }
}
