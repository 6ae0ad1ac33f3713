//! Values that may be written in two ways: as a text, or in full.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::record::Grant;

/// A subject or client: a text of the file's `issuer`, or with its issuer.
pub(super) type HolderFile = TextOr<HolderInFull>;

/// A relationship: `object#relation@subject`, or in full.
pub(super) type RelationshipFile = TextOr<RelationshipInFull>;

#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HolderInFull {
    pub(super) issuer: String,
    pub(super) name: String,
}

/// OpenFGA's own words.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RelationshipInFull {
    pub(super) user: String,
    pub(super) relation: String,
    pub(super) object: String,
    pub(super) condition: Option<ConditionFile>,
}

#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionFile {
    pub(super) name: String,
    #[serde(default)]
    pub(super) context: Map<String, Value>,
}

/// A text, or members.
#[derive(Clone, Debug)]
pub(super) enum TextOr<T> {
    InFull(T),
    Text(String),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrVisitor(PhantomData))
    }
}

struct TextOrVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for TextOrVisitor<T> {
    type Value = TextOr<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text (in quotes where it looks like a number) or members")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TextOr<T>, E> {
        Ok(TextOr::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<TextOr<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(TextOr::InFull)
    }
}

/// `"*"`, written out, or a list; nothing where it is absent.
#[derive(Clone, Debug)]
pub(super) struct Names(pub(super) Grant);

impl Default for Names {
    fn default() -> Self {
        Self(Grant::Listed(Vec::new()))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("`\"*\"` or a list of names")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Names, E> {
        if text == "*" {
            Ok(Names(Grant::All))
        } else {
            Err(E::custom("must be `\"*\"` or a list"))
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<Names, A::Error> {
        let names = Vec::deserialize(SeqAccessDeserializer::new(names))?;
        Ok(Names(Grant::Listed(names)))
    }
}
