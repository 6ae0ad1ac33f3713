//! Values as both databases have them.

use crate::error::RegistryError;

/// A value of a column or a parameter.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A blob.
    Bytes(Vec<u8>),
    /// A whole number.
    Integer(i64),
    /// Nothing.
    Null,
    /// A text.
    Text(String),
}

/// What a query gave: one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(Vec<Value>);

impl std::fmt::Debug for Value {
    /// Shows the form alone: hashes and contexts have no place in logs.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Bytes(_) => "Bytes",
            Self::Integer(_) => "Integer",
            Self::Null => "Null",
            Self::Text(_) => "Text",
        })
    }
}

impl Row {
    pub(crate) const fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    /// The values, in the order of the query.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.0
    }

    /// A column that may be null.
    pub(crate) fn optional(&self, column: usize) -> Option<&Value> {
        self.0.get(column).filter(|value| **value != Value::Null)
    }

    /// A text.
    pub(crate) fn text(&self, column: usize) -> Result<String, RegistryError> {
        self.optional_text(column)?.ok_or_else(unreadable)
    }

    /// A text that may be null.
    pub(crate) fn optional_text(&self, column: usize) -> Result<Option<String>, RegistryError> {
        match self.optional(column) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(unreadable()),
        }
    }

    /// A number.
    pub(crate) fn number(&self, column: usize) -> Result<u64, RegistryError> {
        self.optional_number(column)?.ok_or_else(unreadable)
    }

    /// A number that may be null.
    pub(crate) fn optional_number(&self, column: usize) -> Result<Option<u64>, RegistryError> {
        match self.optional(column) {
            None => Ok(None),
            Some(Value::Integer(number)) => {
                u64::try_from(*number).map(Some).map_err(|_| unreadable())
            }
            Some(_) => Err(unreadable()),
        }
    }

    /// A blob that may be null.
    pub(crate) fn optional_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        match self.optional(column) {
            None => Ok(None),
            Some(Value::Bytes(bytes)) => Ok(Some(bytes.clone())),
            Some(_) => Err(unreadable()),
        }
    }

    /// A blob.
    pub(crate) fn bytes(&self, column: usize) -> Result<Vec<u8>, RegistryError> {
        self.optional_bytes(column)?.ok_or_else(unreadable)
    }
}

/// A value that this program never writes there.
pub(crate) fn unreadable() -> RegistryError {
    RegistryError::Database("a row holds what this program does not write".to_owned())
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Integer(i64::from(truth))
    }
}

impl From<u64> for Value {
    /// Saturates: no time or count that the registry takes is above 2^53 - 1.
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
