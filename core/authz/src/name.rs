//! Names of objects and subjects, as OpenFGA writes them.

use std::fmt;

use crate::limits;

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

    /// Whether OpenFGA takes the object in a request: it has no more characters than the limit, and
    /// nothing in it has another meaning there, or is white space or a control character.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.is_plain() && self.id != "*" && self.characters() <= limits::OBJECT_CHARACTERS
    }

    fn is_plain(&self) -> bool {
        let strange = |letter: char| letter.is_control() || matches!(letter, ':' | '#' | ' ');
        let fine = |part: &str| !part.is_empty() && !part.contains(strange);
        fine(&self.type_name) && fine(&self.id)
    }

    /// Of the name as it is written, with its colon.
    fn characters(&self) -> usize {
        let characters = |part: &str| part.chars().count();
        characters(&self.type_name).saturating_add(characters(&self.id)).saturating_add(1)
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

    /// Whether OpenFGA takes the subject in a request. No userset is of everybody.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let characters = match self {
            Self::Object(object) if object.is_plain() && object.id != "*" => object.characters(),
            Self::Userset(object, relation) if object.is_plain() && !object.id.contains('*') => {
                let relation = relation.chars().count();
                object.characters().saturating_add(relation).saturating_add(1)
            }
            Self::Object(_) | Self::Userset(..) => return false,
            Self::Wildcard(type_name) => type_name.chars().count().saturating_add(2),
        };
        characters <= limits::USER_CHARACTERS
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

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(text: &str) -> Subject {
        Subject::parse(text).unwrap_or_else(|| panic!("no subject: {text}"))
    }

    #[test]
    fn what_has_another_meaning_is_not_well_formed() {
        for text in ["user:a", "user:é", "user:a*", "user:*", "team:a#member", "a/b:c@d"] {
            assert!(subject(text).is_well_formed(), "{text}");
        }
        let odd = ["user:a:b", "user:a b", "us er:a", "user:a\tb", "user:\u{1}", "user:\u{85}"];
        let usersets = ["team:a:b#member", "team:a*#member", "team:a#b#member", "team:a##member"];
        for text in odd.into_iter().chain(usersets) {
            assert!(!subject(text).is_well_formed(), "{text}");
        }
        for object in [("user", "*"), ("", "a"), ("user", ""), ("user", "a#b"), ("u:s", "a")] {
            let object = ObjectName::new(object.0, object.1);
            assert!(!object.is_well_formed(), "{object}");
            assert!(!Subject::Object(object.clone()).is_well_formed(), "{object}");
        }
        assert!(ObjectName::new("user", "a").is_well_formed());
    }

    #[test]
    fn a_long_name_is_not_well_formed() {
        let object = |letters: usize| ObjectName::new("doc", "é".repeat(letters));
        assert!(object(252).is_well_formed());
        assert!(!object(253).is_well_formed());
        assert!(Subject::Object(object(508)).is_well_formed());
        assert!(!Subject::Object(object(509)).is_well_formed());
        let userset = |letters| Subject::Userset(object(letters), "viewer".to_owned());
        assert!(userset(501).is_well_formed());
        assert!(!userset(502).is_well_formed());
        assert!(Subject::Wildcard("é".repeat(510)).is_well_formed());
        assert!(!Subject::Wildcard("é".repeat(511)).is_well_formed());
    }
}
