//! Strict JSON that borrows: a body is read once, and its texts are copied only where they are
//! escaped.
//!
//! As strict as [`mandate_authn::Json`], which owns what it reads: a member that occurs twice, too
//! much depth and trailing bytes are errors, because two readers of one body must never see two
//! values.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use mandate_authn::JsonError;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::limits::JSON_DEPTH;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'j> {
    Array(Vec<Self>),
    Bool(bool),
    Null,
    Number(Number),
    Object(Object<'j>),
    Text(Cow<'j, str>),
}

/// The members of an object in their order, each name once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object<'j>(Vec<(Cow<'j, str>, Value<'j>)>);

impl<'j> Value<'j> {
    /// Parses strict JSON of at most [`JSON_DEPTH`] levels.
    ///
    /// # Errors
    /// The first [`JsonError`] met.
    pub(crate) fn parse(bytes: &'j [u8]) -> Result<Self, JsonError> {
        let text = std::str::from_utf8(bytes).map_err(|_| JsonError::Utf8)?;
        let failure = Cell::new(None);
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = Read { levels_left: JSON_DEPTH, failure: &failure }
            .deserialize(&mut reader)
            .map_err(|_| failure.take().unwrap_or(JsonError::Syntax))?;
        reader.end().map_err(|_| JsonError::Syntax)?;
        Ok(value)
    }

    /// The text, if this is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The members, if this is an object.
    pub(crate) const fn as_object(&self) -> Option<&Object<'j>> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// The elements, if this is an array.
    pub(crate) fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }
}

impl<'j> Object<'j> {
    /// A member.
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'j>> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// Every member, in the order of the text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'j>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// Every member for good.
    pub(crate) fn into_members(self) -> impl Iterator<Item = (Cow<'j, str>, Value<'j>)> {
        self.0.into_iter()
    }

    fn has_duplicate(&self) -> bool {
        // Few members are compared pair by pair. Many are sorted: without randomness (a guest has
        // none) a hash table is a set whose collisions the caller chooses.
        if self.0.len() <= FEW_MEMBERS {
            let mut rest = self.0.as_slice();
            while let Some(((name, _), later)) = rest.split_first() {
                if later.iter().any(|(other, _)| other == name) {
                    return true;
                }
                rest = later;
            }
            return false;
        }
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair.first() == pair.last())
    }
}

/// Up to here comparing pair by pair is faster than sorting.
const FEW_MEMBERS: usize = 12;

/// Reads one value; `failure` tells a refusal of ours from a syntax error.
#[derive(Clone, Copy)]
struct Read<'f> {
    levels_left: usize,
    failure: &'f Cell<Option<JsonError>>,
}

impl Read<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let levels_left =
            self.levels_left.checked_sub(1).ok_or_else(|| self.refuse(JsonError::Depth))?;
        Ok(Self { levels_left, failure: self.failure })
    }

    fn refuse<E: Error>(self, error: JsonError) -> E {
        self.failure.set(Some(error));
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Read<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value<'de>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Read<'_> {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value<'de>, E> {
        let number = Number::from_f64(value);
        number.map(Value::Number).ok_or_else(|| self.refuse(JsonError::Syntax))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value<'de>, A::Error> {
        let inner = self.inner()?;
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(inner)? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value<'de>, A::Error> {
        let inner = self.inner()?;
        let mut object = Object::default();
        while let Some(name) = members.next_key_seed(Name)? {
            object.0.push((name, members.next_value_seed(inner)?));
        }
        if object.has_duplicate() {
            return Err(self.refuse(JsonError::Duplicate));
        }
        Ok(Value::Object(object))
    }
}

/// Reads a member's name.
pub(crate) struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Cow<'de, str>, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use mandate_authn::Json;
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<Value<'_>, JsonError> {
        Value::parse(text.as_bytes())
    }

    #[test]
    fn texts_are_copied_only_where_they_are_escaped() {
        let value = parsed(r#"{"plain":"a","esc\u0061ped":"\n"}"#).unwrap();
        let members: Vec<_> = value.as_object().unwrap().clone().into_members().collect();
        assert_eq!(
            members,
            [
                (Cow::Borrowed("plain"), Value::Text(Cow::Borrowed("a"))),
                (Cow::Borrowed("escaped"), Value::Text(Cow::Borrowed("\n"))),
            ]
        );
        let copied = |(name, value): &(Cow<'_, str>, Value<'_>)| {
            matches!(name, Cow::Owned(_)) && matches!(value, Value::Text(Cow::Owned(_)))
        };
        assert_eq!(members.iter().map(copied).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn duplicate_members_are_refused_among_few_and_among_many() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"b":{"a":1,"a":2}}]"#] {
            assert_eq!(parsed(text), Err(JsonError::Duplicate), "{text}");
        }
        let many = |last: usize| {
            let members: Vec<_> = (0..40).chain([last]).map(|n| format!(r#""m{n}":{n}"#)).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(parsed(&many(7)), Err(JsonError::Duplicate));
        assert_eq!(parsed(&many(40)).unwrap().as_object().unwrap().iter().count(), 41);
    }

    #[test]
    fn depth_counts_containers() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(matches!(parsed(&nested(JSON_DEPTH)), Ok(Value::Array(_))));
        assert_eq!(parsed(&nested(JSON_DEPTH + 1)), Err(JsonError::Depth));
    }

    #[test]
    fn anything_but_one_value_is_an_error() {
        for text in ["", "{", "{} {}", "\u{feff}{}", "1e400", "{\"a\":1,}", "\"\\ud800\"", "\"\n\""]
        {
            assert_eq!(parsed(text), Err(JsonError::Syntax), "{text}");
        }
        assert_eq!(Value::parse(b"\"\xff\""), Err(JsonError::Utf8));
    }

    /// JSON texts, right and wrong: by syntax rather than by chance.
    fn texts() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?",
            "\"[a-c\\\\\"u0061]{0,6}\"",
        ];
        leaf.prop_recursive(6, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5)
                    .prop_map(|elements| format!("[{}]", elements.join(","))),
                prop::collection::vec(("[a-d]", inner), 0..4).prop_map(|members| {
                    let members: Vec<_> =
                        members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                    format!("{{{}}}", members.join(" ,"))
                }),
            ]
        })
    }

    /// What the reader of tokens makes of it.
    fn owned(value: &Value<'_>) -> Json {
        match value {
            Value::Array(elements) => Json::Array(elements.iter().map(owned).collect()),
            Value::Bool(value) => Json::Bool(*value),
            Value::Null => Json::Null,
            Value::Number(number) => number
                .as_i64()
                .filter(|integer| integer.abs() < 1 << 53)
                .map_or(Json::OtherNumber, Json::Integer),
            Value::Object(members) => Json::Object(
                members.iter().map(|(name, value)| (name.to_owned(), owned(value))).collect(),
            ),
            Value::Text(text) => Json::from(text.as_ref()),
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_the_reader_of_tokens_reads(text in texts()) {
            let own = parsed(&text).ok().as_ref().map(owned);
            prop_assert_eq!(own, Json::parse(text.as_bytes(), JSON_DEPTH).ok());
        }

        #[test]
        fn it_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let own = Value::parse(&bytes).ok().as_ref().map(owned);
            prop_assert_eq!(own, Json::parse(&bytes, JSON_DEPTH).ok());
        }
    }
}
