//! The official lexer by hand: the longest match wins, and among equals the first rule.
//!
//! Spaces and line ends are tokens, because the grammar asks for them in places; indentation means
//! nothing. Source: `OpenFGALexer.g4` of openfga/language.

use super::error::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    And,
    ButNot,
    Colon,
    Comma,
    Condition,
    Define,
    End,
    Extend,
    /// An identifier with `/` or `.`.
    ExtendedIdentifier,
    From,
    Greater,
    Hash,
    Identifier,
    LeftBrace,
    LeftBracket,
    LeftParenthesis,
    Less,
    Model,
    Module,
    /// Any white space with a line end in it.
    Newline,
    Or,
    /// A token of CEL that the model itself does not use.
    Other,
    /// `list`, `map`, between `condition` and its `)`.
    ParameterContainer,
    /// `int` and so on, between `condition` and its `)`.
    ParameterType,
    Relation,
    Relations,
    RightBrace,
    RightBracket,
    RightParenthesis,
    Schema,
    SchemaVersion,
    Star,
    Type,
    /// What no rule begins with.
    Unknown,
    Whitespace,
    With,
}

/// A piece of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: TokenKind,
    pub(super) text: &'t str,
    pub(super) span: Span,
}

/// Takes comments out, as the official transformer does before its lexer: a line that begins with
/// `#`, and the rest of a line from ` #` on, wherever that stands. Places stay as they are.
pub(super) fn without_comments(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        if line.trim_start().starts_with('#') {
            return "";
        }
        line.split_once(" #").map_or(line, |(before, _)| before).trim_end()
    });
    let mut clean = String::with_capacity(text.len());
    for (index, line) in lines.enumerate() {
        if index > 0 {
            clean.push('\n');
        }
        clean.push_str(line);
    }
    clean
}

/// All tokens of a text without comments; the last is [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { rest: text, line: 1, column: 1, in_parameters: false };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token() {
        tokens.extend(token);
    }
    let span = Span { line: lexer.line, column: lexer.column, length: 0 };
    tokens.push(Token { kind: TokenKind::End, text: "", span });
    tokens
}

struct Lexer<'t> {
    rest: &'t str,
    line: u32,
    column: u32,
    /// Between `condition` and the first `)`, where the names of parameter types are tokens.
    in_parameters: bool,
}

impl<'t> Lexer<'t> {
    /// `None` at the end; `Some(None)` for a comment of CEL, which no rule sees.
    fn next_token(&mut self) -> Option<Option<Token<'t>>> {
        let first = self.rest.chars().next()?;
        let comment = !self.in_parameters && self.rest.starts_with("//");
        let (kind, bytes) = if comment {
            (TokenKind::Other, self.rest.find('\n').unwrap_or(self.rest.len()))
        } else if self.in_parameters {
            self.parameter_token(first)
        } else {
            self.model_token(first)
        };
        let token = self.take(kind, bytes);
        if token.kind == TokenKind::Condition {
            self.in_parameters = true;
        } else if token.kind == TokenKind::RightParenthesis {
            self.in_parameters = false;
        }
        Some((!comment).then_some(token))
    }

    fn take(&mut self, kind: TokenKind, bytes: usize) -> Token<'t> {
        let (text, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let span = Span { line: self.line, column: self.column, length };
        self.rest = rest;
        for character in text.chars() {
            if character == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        Token { kind, text, span }
    }

    fn parameter_token(&self, first: char) -> (TokenKind, usize) {
        let one = |kind| (kind, first.len_utf8());
        match first {
            ' ' | '\t' | '\u{c}' => (TokenKind::Whitespace, blanks(self.rest)),
            'A'..='Z' | 'a'..='z' | '_' => {
                let bytes = plain_identifier(self.rest);
                (parameter_word(self.rest.get(..bytes).unwrap_or("")), bytes)
            }
            '(' => one(TokenKind::LeftParenthesis),
            ')' => one(TokenKind::RightParenthesis),
            ':' => one(TokenKind::Colon),
            ',' => one(TokenKind::Comma),
            '<' => one(TokenKind::Less),
            '>' => one(TokenKind::Greater),
            _ => one(TokenKind::Unknown),
        }
    }

    fn model_token(&self, first: char) -> (TokenKind, usize) {
        match first {
            ' ' | '\t' | '\u{c}' | '\r' | '\n' => self.space(),
            'A'..='Z' | 'a'..='z' | '_' => self.word(),
            '0'..='9' => self.number(),
            '"' | '\'' => string_literal(self.rest)
                .map_or((TokenKind::Unknown, 1), |bytes| (TokenKind::Other, bytes)),
            _ => self.symbol(first),
        }
    }

    fn symbol(&self, first: char) -> (TokenKind, usize) {
        if ["==", "!=", "<=", ">=", "&&", "||"].iter().any(|two| self.rest.starts_with(two)) {
            return (TokenKind::Other, 2);
        }
        let kind = match first {
            '#' => TokenKind::Hash,
            ':' => TokenKind::Colon,
            ',' => TokenKind::Comma,
            '[' => TokenKind::LeftBracket,
            ']' => TokenKind::RightBracket,
            '{' => TokenKind::LeftBrace,
            '}' => TokenKind::RightBrace,
            '(' => TokenKind::LeftParenthesis,
            ')' => TokenKind::RightParenthesis,
            '*' => TokenKind::Star,
            '<' => TokenKind::Less,
            '>' => TokenKind::Greater,
            '.' | '-' | '!' | '?' | '+' | '/' | '%' => TokenKind::Other,
            _ => TokenKind::Unknown,
        };
        (kind, first.len_utf8())
    }

    fn space(&self) -> (TokenKind, usize) {
        let space = |character| matches!(character, ' ' | '\t' | '\u{c}' | '\r' | '\n');
        let bytes = self.rest.find(|character| !space(character)).unwrap_or(self.rest.len());
        let text = self.rest.get(..bytes).unwrap_or("");
        let ends_line = text.contains(['\n', '\r']);
        (if ends_line { TokenKind::Newline } else { TokenKind::Whitespace }, bytes)
    }

    fn word(&self) -> (TokenKind, usize) {
        let plain = plain_identifier(self.rest);
        let extended = extended_identifier(self.rest);
        if let Some(bytes) = prefixed_string(self.rest).filter(|bytes| *bytes > plain) {
            return (TokenKind::Other, bytes);
        }
        if self.rest.starts_with("but not") {
            return (TokenKind::ButNot, "but not".len());
        }
        if extended > plain {
            return (TokenKind::ExtendedIdentifier, extended);
        }
        (model_word(self.rest.get(..plain).unwrap_or("")), plain)
    }

    /// Only the grammar's `1.1` needs its exact shape: elsewhere numbers stand in CEL, which is kept
    /// as text.
    fn number(&self) -> (TokenKind, usize) {
        let whole = digits(self.rest);
        let fraction =
            self.rest.get(whole..).and_then(|rest| rest.strip_prefix('.')).map_or(0, digits);
        if fraction == 0 {
            return (TokenKind::Other, whole);
        }
        (TokenKind::SchemaVersion, whole.saturating_add(fraction).saturating_add(1))
    }
}

/// The official lexer knows no line end between `condition` and its `)`.
fn blanks(text: &str) -> usize {
    text.find(|character| !matches!(character, ' ' | '\t' | '\u{c}')).unwrap_or(text.len())
}

fn digits(text: &str) -> usize {
    text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len())
}

const fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn plain_identifier(text: &str) -> usize {
    text.find(|character| !is_word(character) && character != '-').unwrap_or(text.len())
}

/// Words joined by single `/`, `.` or `-`.
fn extended_identifier(text: &str) -> usize {
    let mut end = 0_usize;
    let mut joined = true;
    for (at, character) in text.char_indices() {
        if is_word(character) {
            joined = false;
            end = at.saturating_add(1);
        } else if matches!(character, '/' | '.' | '-') && !joined {
            joined = true;
        } else {
            break;
        }
    }
    end
}

/// `r"…"`, `b"…"`, `br"…"`.
fn prefixed_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix(['b', 'B']).unwrap_or(text);
    let raw = after.strip_prefix(['r', 'R']);
    let body = raw.unwrap_or(after);
    let prefix = text.len().saturating_sub(body.len());
    let bytes = if raw.is_some() { raw_string(body)? } else { string_literal(body)? };
    prefix.checked_add(bytes)
}

/// The bytes of a string literal with escapes; three quotes let it span lines.
fn string_literal(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    triple_string(text, quote, true).or_else(|| single_string(text, quote, true))
}

fn raw_string(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    triple_string(text, quote, false).or_else(|| single_string(text, quote, false))
}

fn triple_string(text: &str, quote: char, escapes: bool) -> Option<usize> {
    let quotes = String::from_iter([quote; 3]);
    let mut rest = text.strip_prefix(&quotes)?;
    while !rest.starts_with(&quotes) {
        rest = after_character(rest, escapes)?;
    }
    text.len().checked_sub(rest.len())?.checked_add(3)
}

fn single_string(text: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut rest = text.strip_prefix(quote)?;
    while !rest.starts_with(quote) {
        if rest.starts_with(['\n', '\r']) {
            return None;
        }
        rest = after_character(rest, escapes)?;
    }
    text.len().checked_sub(rest.len())?.checked_add(1)
}

/// What follows one character, or one escape, of a string.
fn after_character(text: &str, escapes: bool) -> Option<&str> {
    let Some(escape) = text.strip_prefix('\\').filter(|_| escapes) else {
        let mut characters = text.chars();
        characters.next()?;
        return Some(characters.as_str());
    };
    let mut characters = escape.chars();
    match characters.next()? {
        'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '"' | '\'' | '\\' | '?' | '`' => {
            Some(characters.as_str())
        }
        'x' | 'X' => after_digits(characters.as_str(), 2, 16),
        'u' => after_digits(characters.as_str(), 4, 16),
        'U' => after_digits(characters.as_str(), 8, 16),
        '0'..='3' => after_digits(characters.as_str(), 2, 8),
        _ => None,
    }
}

fn after_digits(text: &str, count: usize, radix: u32) -> Option<&str> {
    let (digits, rest) = text.split_at_checked(count)?;
    digits.chars().all(|digit| digit.is_digit(radix)).then_some(rest)
}

fn parameter_word(word: &str) -> TokenKind {
    match word {
        "list" | "map" => TokenKind::ParameterContainer,
        "bool" | "string" | "int" | "uint" | "double" | "duration" | "timestamp" | "ipaddress" => {
            TokenKind::ParameterType
        }
        _ => TokenKind::Identifier,
    }
}

fn model_word(word: &str) -> TokenKind {
    match word {
        "and" => TokenKind::And,
        "or" => TokenKind::Or,
        "from" => TokenKind::From,
        "module" => TokenKind::Module,
        "model" => TokenKind::Model,
        "schema" => TokenKind::Schema,
        "extend" => TokenKind::Extend,
        "type" => TokenKind::Type,
        "condition" => TokenKind::Condition,
        "relations" => TokenKind::Relations,
        "relation" => TokenKind::Relation,
        "define" => TokenKind::Define,
        "with" => TokenKind::With,
        "in" | "true" | "false" | "null" => TokenKind::Other,
        _ => TokenKind::Identifier,
    }
}
