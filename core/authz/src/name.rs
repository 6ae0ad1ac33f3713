//! Names of objects and subjects, as OpenFGA writes them.

use std::fmt;

/// An object: `type:id`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    /// The type, `document`.
    pub type_name: String,
    /// The id within the type; may contain any character that OpenFGA allows.
    pub id: String,
}

/// Who stands on the left of a relationship.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// `user:anne`
    Object(ObjectName),
    /// `team:blue#member`: everybody who has that relation.
    Userset(ObjectName, String),
    /// `user:*`: everybody of the type.
    Wildcard(String),
}

impl ObjectName {
    /// An object of a type.
    pub fn new(type_name: impl Into<String>, id: impl Into<String>) -> Self {
        Self { type_name: type_name.into(), id: id.into() }
    }

    /// Parses `type:id`: split at the first colon, neither side empty. Further rules (characters,
    /// lengths) are the caller's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (type_name, id) = text.split_once(':')?;
        (!type_name.is_empty() && !id.is_empty()).then(|| Self::new(type_name, id))
    }
}

impl Subject {
    /// Parses `type:id`, `type:id#relation` or `type:*`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let object = match text.rsplit_once('#') {
            None => ObjectName::parse(text)?,
            Some((object, relation)) => {
                let object = ObjectName::parse(object)?;
                let named = !relation.is_empty() && object.id != "*";
                return named.then(|| Self::Userset(object, relation.to_owned()));
            }
        };
        Some(if object.id == "*" { Self::Wildcard(object.type_name) } else { Self::Object(object) })
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.type_name, self.id)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(object) => write!(formatter, "{object}"),
            Self::Userset(object, relation) => write!(formatter, "{object}#{relation}"),
            Self::Wildcard(type_name) => write!(formatter, "{type_name}:*"),
        }
    }
}
