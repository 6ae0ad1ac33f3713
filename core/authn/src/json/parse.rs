//! The strict reader, on `serde_json`'s scanner.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Json, JsonError, Object};
use crate::limits::LARGEST_INTEGER;

pub(super) fn parse(bytes: &[u8], depth: usize) -> Result<Json, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError::Utf8)?;
    let failure = Cell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Value { levels_left: depth, failure: &failure }
        .deserialize(&mut reader)
        .map_err(|_| failure.take().unwrap_or(JsonError::Syntax))?;
    reader.end().map_err(|_| JsonError::Syntax)?;
    Ok(value)
}

/// Reads one value; `failure` tells a refusal of ours from a syntax error.
#[derive(Clone, Copy)]
struct Value<'f> {
    levels_left: usize,
    failure: &'f Cell<Option<JsonError>>,
}

impl Value<'_> {
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

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        let exact = (-LARGEST_INTEGER..=LARGEST_INTEGER).contains(&value);
        Ok(if exact { Json::Integer(value) } else { Json::OtherNumber })
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let inner = self.inner()?;
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(inner)? {
            array.push(element);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let inner = self.inner()?;
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(inner)?;
            if object.insert(name, value).is_some() {
                return Err(self.refuse(JsonError::Duplicate));
            }
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Json, JsonError> {
        parse(text.as_bytes(), 3)
    }

    #[test]
    fn values_keep_their_kind() {
        assert_eq!(
            parsed(r#"[null,true,-7,"a",{"b":1}]"#),
            Ok(Json::Array(vec![
                Json::Null,
                Json::Bool(true),
                Json::Integer(-7),
                Json::from("a"),
                Json::Object(Object::from([("b".to_owned(), Json::Integer(1))])),
            ]))
        );
    }

    #[test]
    fn numbers_beyond_exact_integers_are_set_apart() {
        for text in
            ["1.0", "1e3", "-0", "9007199254740992", "-9007199254740992", "18446744073709551616"]
        {
            assert_eq!(parsed(text), Ok(Json::OtherNumber), "{text}");
        }
        for (text, value) in
            [("9007199254740991", LARGEST_INTEGER), ("-9007199254740991", -LARGEST_INTEGER)]
        {
            assert_eq!(parsed(text), Ok(Json::Integer(value)));
        }
    }

    #[test]
    fn duplicate_members_are_refused_at_every_level() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"b":{"a":1,"a":2}}]"#] {
            assert_eq!(parsed(text), Err(JsonError::Duplicate), "{text}");
        }
    }

    #[test]
    fn depth_counts_containers() {
        assert_eq!(
            parsed("[[[1]]]"),
            Ok(Json::Array(vec![Json::Array(vec![Json::Array(vec![Json::Integer(1)])])]))
        );
        assert_eq!(parsed("[[[[]]]]"), Err(JsonError::Depth));
        assert_eq!(parsed(r#"{"a":{"b":{"c":{}}}}"#), Err(JsonError::Depth));
    }

    #[test]
    fn anything_but_one_value_is_a_syntax_error() {
        for text in [
            "",
            " ",
            "{",
            "{} {}",
            "\u{feff}{}",
            "1e400",
            "'a'",
            "{\"a\":1,}",
            "NaN",
            "\"\\ud800\"",
            "\"\n\"",
        ] {
            assert_eq!(parsed(text), Err(JsonError::Syntax), "{text}");
        }
        assert_eq!(parse(b"\"\xff\"", 3), Err(JsonError::Utf8));
    }
}
