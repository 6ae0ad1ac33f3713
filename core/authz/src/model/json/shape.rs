//! The members of the JSON form, as they stand there.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelShape {
    #[serde(default, rename = "id")]
    pub(super) _id: Option<String>,
    #[serde(default, alias = "schemaVersion")]
    pub(super) schema_version: Option<String>,
    #[serde(default, alias = "typeDefinitions")]
    pub(super) type_definitions: Option<Vec<TypeShape>>,
    #[serde(default)]
    pub(super) conditions: Option<Members<ConditionShape>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypeShape {
    #[serde(rename = "type")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) relations: Option<Members<RewriteShape>>,
    #[serde(default)]
    pub(super) metadata: Option<TypeMetadata>,
}

#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct TypeMetadata {
    #[serde(default)]
    pub(super) relations: Option<Members<RelationMetadata>>,
    #[serde(default)]
    pub(super) module: Option<String>,
    #[serde(default, alias = "sourceInfo")]
    pub(super) source_info: Option<SourceInfo>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RelationMetadata {
    #[serde(default, alias = "directlyRelatedUserTypes")]
    pub(super) directly_related_user_types: Option<Vec<RestrictionShape>>,
    #[serde(default)]
    pub(super) module: Option<String>,
    #[serde(default, alias = "sourceInfo")]
    pub(super) source_info: Option<SourceInfo>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceInfo {
    #[serde(default)]
    pub(super) file: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RestrictionShape {
    #[serde(rename = "type")]
    pub(super) type_name: String,
    #[serde(default)]
    pub(super) relation: Option<String>,
    #[serde(default)]
    pub(super) wildcard: Option<Empty>,
    #[serde(default)]
    pub(super) condition: Option<String>,
}

/// Exactly one member is there.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RewriteShape {
    #[serde(default)]
    pub(super) this: Option<Empty>,
    #[serde(default, rename = "computedUserset", alias = "computed_userset")]
    pub(super) computed: Option<RelationShape>,
    #[serde(default, rename = "tupleToUserset", alias = "tuple_to_userset")]
    pub(super) from: Option<FromShape>,
    #[serde(default)]
    pub(super) union: Option<ChildrenShape>,
    #[serde(default)]
    pub(super) intersection: Option<ChildrenShape>,
    #[serde(default)]
    pub(super) difference: Option<DifferenceShape>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RelationShape {
    /// Always empty: protobuf's writer shows it, and OpenFGA has no use for another value.
    #[serde(default)]
    pub(super) object: Option<String>,
    pub(super) relation: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FromShape {
    pub(super) tupleset: RelationShape,
    #[serde(rename = "computedUserset", alias = "computed_userset")]
    pub(super) computed: RelationShape,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChildrenShape {
    pub(super) child: Vec<RewriteShape>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DifferenceShape {
    pub(super) base: Box<RewriteShape>,
    pub(super) subtract: Box<RewriteShape>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionShape {
    pub(super) name: String,
    #[serde(default)]
    pub(super) expression: String,
    #[serde(default)]
    pub(super) parameters: Option<Members<ParameterShape>>,
    #[serde(default)]
    pub(super) metadata: Option<ConditionMetadata>,
}

#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionMetadata {
    #[serde(default)]
    pub(super) module: Option<String>,
    #[serde(default, alias = "sourceInfo")]
    pub(super) source_info: Option<SourceInfo>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParameterShape {
    #[serde(alias = "typeName")]
    pub(super) type_name: String,
    #[serde(default, alias = "genericTypes")]
    pub(super) generic_types: Option<Vec<Self>>,
}

/// `{}`
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Empty {}

/// An object with names of the writer's choice, in the order of the text; a name given twice is
/// refused.
pub(super) struct Members<T>(pub(super) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(MembersVisitor(PhantomData))
    }
}

struct MembersVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for MembersVisitor<T> {
    type Value = Members<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<T>, A::Error> {
        let mut names = BTreeSet::new();
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("the member is there twice"));
            }
            members.push((name, map.next_value()?));
        }
        Ok(Members(members))
    }
}
