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
        ObjectText::parse(text).map(ObjectText::to_name)
    }

    /// Whether OpenFGA takes the object in a request: it has no more characters than the limit, and
    /// nothing in it has another meaning there, or is white space or a control character.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.text().is_well_formed()
    }

    pub(crate) fn text(&self) -> ObjectText<'_> {
        ObjectText { type_name: &self.type_name, id: &self.id }
    }
}

impl Subject {
    /// Parses `type:id`, `type:id#relation` or `type:*`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        SubjectText::parse(text).map(SubjectText::to_name)
    }

    /// Whether OpenFGA takes the subject in a request. No userset is of everybody.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let text = match self {
            Self::Object(object) => SubjectText::Object(object.text()),
            Self::Userset(object, relation) => SubjectText::Userset(object.text(), relation),
            Self::Wildcard(type_name) => SubjectText::Wildcard(type_name),
        };
        text.is_well_formed()
    }
}

/// The parts of an object's name where they stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ObjectText<'t> {
    pub(crate) type_name: &'t str,
    pub(crate) id: &'t str,
}

impl<'t> ObjectText<'t> {
    /// As [`ObjectName::parse`].
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        let (type_name, id) = text.split_once(':')?;
        (!type_name.is_empty() && !id.is_empty()).then_some(Self { type_name, id })
    }

    /// As [`ObjectName::is_well_formed`].
    pub(crate) fn is_well_formed(&self) -> bool {
        self.is_plain() && self.id != "*" && self.has_at_most(limits::OBJECT_CHARACTERS, 0)
    }

    fn is_plain(self) -> bool {
        is_plain(self.type_name) && is_plain(self.id)
    }

    /// Whether the name as it is written, with its colon and what follows, is no longer than that.
    fn has_at_most(self, characters: usize, following: usize) -> bool {
        let of = |length: fn(&str) -> usize| {
            length(self.type_name)
                .saturating_add(length(self.id))
                .saturating_add(1)
                .saturating_add(following)
        };
        // No text has more characters than bytes, which nobody has to count.
        of(str::len) <= characters || of(|part| part.chars().count()) <= characters
    }

    pub(crate) fn to_name(self) -> ObjectName {
        ObjectName::new(self.type_name, self.id)
    }

    /// Writes it out.
    pub(crate) fn write(self, text: &mut String) {
        text.push_str(self.type_name);
        text.push(':');
        text.push_str(self.id);
    }
}

/// The parts of a subject where they stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubjectText<'t> {
    /// See [`Subject::Object`].
    Object(ObjectText<'t>),
    /// See [`Subject::Userset`].
    Userset(ObjectText<'t>, &'t str),
    /// See [`Subject::Wildcard`].
    Wildcard(&'t str),
}

impl<'t> SubjectText<'t> {
    /// As [`Subject::parse`].
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        let Some((object, relation)) = text.rsplit_once('#') else {
            let object = ObjectText::parse(text)?;
            let everybody = object.id == "*";
            return Some(if everybody {
                Self::Wildcard(object.type_name)
            } else {
                Self::Object(object)
            });
        };
        let object = ObjectText::parse(object)?;
        let named = !relation.is_empty() && object.id != "*";
        named.then_some(Self::Userset(object, relation))
    }

    pub(crate) fn to_name(self) -> Subject {
        match self {
            Self::Object(object) => Subject::Object(object.to_name()),
            Self::Userset(object, relation) => {
                Subject::Userset(object.to_name(), relation.to_owned())
            }
            Self::Wildcard(type_name) => Subject::Wildcard(type_name.to_owned()),
        }
    }

    /// Writes it out.
    pub(crate) fn write(self, text: &mut String) {
        match self {
            Self::Object(object) => object.write(text),
            Self::Userset(object, relation) => {
                object.write(text);
                text.push('#');
                text.push_str(relation);
            }
            Self::Wildcard(type_name) => {
                text.push_str(type_name);
                text.push_str(":*");
            }
        }
    }

    /// As [`Subject::is_well_formed`].
    pub(crate) fn is_well_formed(&self) -> bool {
        let most = limits::USER_CHARACTERS;
        match self {
            Self::Object(object) => {
                object.is_plain() && object.id != "*" && object.has_at_most(most, 0)
            }
            Self::Userset(object, relation) => {
                let following = relation.chars().count().saturating_add(1);
                let one = !object.id.contains('*');
                one && object.is_plain() && object.has_at_most(most, following)
            }
            Self::Wildcard(type_name) => type_name.chars().count().saturating_add(2) <= most,
        }
    }
}

/// Whether nothing in a part of a name has another meaning, or is white space or a control character.
fn is_plain(part: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b':' | b'#');
    let strange = |letter: char| letter.is_control() || matches!(letter, ':' | '#' | ' ');
    // Nearly all names are ASCII, where there is nothing to decode.
    !part.is_empty() && (part.bytes().all(plain) || !part.contains(strange))
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
