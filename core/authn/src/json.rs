//! Strict JSON: duplicate members, excess depth and trailing bytes are errors; output is canonical.
//!
//! Two readers of one token must never see two values, so a member that occurs twice is refused
//! rather than resolved (RFC 8725 section 2.4, RFC 8259 section 4).

mod canonical;
mod parse;

use std::collections::BTreeMap;

pub use self::canonical::CanonicalObject;

/// The members of an object, each name once.
pub type Object = BTreeMap<String, Json>;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `[…]`
    Array(Vec<Self>),
    /// `true` or `false`
    Bool(bool),
    /// An integer within ±(2^53 - 1).
    Integer(i64),
    /// `null`
    Null,
    /// `{…}`
    Object(Object),
    /// A fraction, an exponent, or an integer beyond 2^53 - 1: never a value that decides.
    OtherNumber,
    /// `"…"`
    String(String),
}

/// Why a text is not strict JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// Deeper than the limit.
    Depth,
    /// A member occurs twice.
    Duplicate,
    /// No JSON, trailing bytes, a byte-order mark, a number out of range.
    Syntax,
    /// Bytes that are not UTF-8.
    Utf8,
}

impl JsonError {
    /// One phrase for an operator.
    #[must_use]
    pub const fn describe(&self) -> &'static str {
        match self {
            Self::Depth => "is nested too deep",
            Self::Duplicate => "has a duplicate member",
            Self::Syntax => "is not strict JSON",
            Self::Utf8 => "is not UTF-8",
        }
    }
}

impl Json {
    /// Parses strict JSON of at most `depth` levels.
    ///
    /// # Errors
    /// The first [`JsonError`] met.
    pub fn parse(bytes: &[u8], depth: usize) -> Result<Self, JsonError> {
        parse::parse(bytes, depth)
    }

    /// Renders canonical JSON (RFC 8785). Numbers that are no integer of at most 2^53 - 1 render as
    /// `null`: nothing that this crate writes has any.
    #[must_use]
    pub fn to_canonical(&self) -> String {
        canonical::render(self)
    }

    /// The text, if this is a string.
    #[must_use]
    pub const fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text.as_str()) } else { None }
    }

    /// The members, if this is an object.
    #[must_use]
    pub const fn as_object(&self) -> Option<&Object> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// The elements, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// The integer, if this is one that is not negative.
    #[must_use]
    pub fn as_seconds(&self) -> Option<u64> {
        if let Self::Integer(integer) = self { u64::try_from(*integer).ok() } else { None }
    }

    /// The elements, if this is an array of strings only.
    #[must_use]
    pub fn as_strings(&self) -> Option<Vec<&str>> {
        self.as_array()?.iter().map(Self::as_str).collect()
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        i64::try_from(number)
            .ok()
            .filter(|integer| *integer <= crate::limits::LARGEST_INTEGER)
            .map_or(Self::OtherNumber, Self::Integer)
    }
}

/// Builds an object from the members that have a value.
#[must_use]
pub fn object<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    let present = |(name, value): (&str, Option<Json>)| value.map(|value| (name.to_owned(), value));
    Json::Object(members.into_iter().filter_map(present).collect())
}
