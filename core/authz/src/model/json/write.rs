//! A model to JSON, with the members and the `null`s of the official transformer, in the order of
//! the model.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::condition::ParameterType;
use crate::model::{
    ConditionDefinition, Model, RelationDefinition, RestrictionForm, Rewrite, TypeDefinition,
    TypeRestriction,
};

/// A model as it is written.
pub(in crate::model) struct Written<'m>(pub(in crate::model) &'m Model);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let mut members = writer.serialize_map(None)?;
        members.serialize_entry("schema_version", self.0.schema.as_str())?;
        if !self.0.types.is_empty() {
            let types: Vec<_> = self.0.types.iter().map(WrittenType).collect();
            members.serialize_entry("type_definitions", &types)?;
        }
        if !self.0.conditions.is_empty() {
            let conditions = self.0.conditions.iter();
            let conditions =
                conditions.map(|condition| (condition.name.as_str(), WrittenCondition(condition)));
            members.serialize_entry("conditions", &Members(conditions.collect()))?;
        }
        members.end()
    }
}

/// An object with names of the model's choice.
struct Members<'m, T>(Vec<(&'m str, T)>);

impl<T: Serialize> Serialize for Members<'_, T> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

struct WrittenType<'m>(&'m TypeDefinition);

impl Serialize for WrittenType<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let relations = &self.0.relations;
        let mut members = writer.serialize_map(None)?;
        members.serialize_entry("type", &self.0.name)?;
        let rewrites = relations.iter();
        let rewrites =
            rewrites.map(|relation| (relation.name.as_str(), WrittenRewrite(&relation.rewrite)));
        members.serialize_entry("relations", &Members(rewrites.collect()))?;
        let described = !relations.is_empty() || self.0.module.is_some() || self.0.file.is_some();
        members.serialize_entry("metadata", &described.then_some(TypeMetadata(self.0)))?;
        members.end()
    }
}

struct TypeMetadata<'m>(&'m TypeDefinition);

impl Serialize for TypeMetadata<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let mut members = writer.serialize_map(None)?;
        if !self.0.relations.is_empty() {
            let relations = self.0.relations.iter();
            let relations =
                relations.map(|relation| (relation.name.as_str(), RelationMetadata(relation)));
            members.serialize_entry("relations", &Members(relations.collect()))?;
        }
        write_source(self.0.module.as_deref(), self.0.file.as_deref(), &mut members)?;
        members.end()
    }
}

fn write_source<M: SerializeMap>(
    module: Option<&str>,
    file: Option<&str>,
    members: &mut M,
) -> Result<(), M::Error> {
    if let Some(module) = module {
        members.serialize_entry("module", module)?;
    }
    if let Some(file) = file {
        members.serialize_entry("source_info", &Members(vec![("file", file)]))?;
    }
    Ok(())
}

struct RelationMetadata<'m>(&'m RelationDefinition);

impl Serialize for RelationMetadata<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let restrictions: Vec<_> = self.0.restrictions.iter().map(WrittenRestriction).collect();
        let mut members = writer.serialize_map(None)?;
        members.serialize_entry("directly_related_user_types", &restrictions)?;
        write_source(self.0.module.as_deref(), self.0.file.as_deref(), &mut members)?;
        members.end()
    }
}

struct WrittenRestriction<'m>(&'m TypeRestriction);

impl Serialize for WrittenRestriction<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let mut members = writer.serialize_map(None)?;
        members.serialize_entry("type", &self.0.type_name)?;
        match &self.0.form {
            RestrictionForm::Object => {}
            RestrictionForm::Userset(relation) => members.serialize_entry("relation", relation)?,
            RestrictionForm::Wildcard => members.serialize_entry("wildcard", &EMPTY)?,
        }
        if let Some(condition) = &self.0.condition {
            members.serialize_entry("condition", condition)?;
        }
        members.end()
    }
}

struct WrittenRewrite<'m>(&'m Rewrite);

impl Serialize for WrittenRewrite<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let mut members = writer.serialize_map(Some(1))?;
        match self.0 {
            Rewrite::Direct => members.serialize_entry("this", &EMPTY)?,
            Rewrite::Computed(relation) => {
                members.serialize_entry("computedUserset", &reference(relation))?;
            }
            Rewrite::From { relation, tupleset } => {
                let parts = vec![
                    ("computedUserset", reference(relation)),
                    ("tupleset", reference(tupleset)),
                ];
                members.serialize_entry("tupleToUserset", &Members(parts))?;
            }
            Rewrite::Union(operands) => members.serialize_entry("union", &child(operands))?,
            Rewrite::Intersection(operands) => {
                members.serialize_entry("intersection", &child(operands))?;
            }
            Rewrite::Difference(base, subtract) => {
                let parts =
                    vec![("base", WrittenRewrite(base)), ("subtract", WrittenRewrite(subtract))];
                members.serialize_entry("difference", &Members(parts))?;
            }
        }
        members.end()
    }
}

fn reference(relation: &str) -> Members<'_, &str> {
    Members(vec![("relation", relation)])
}

fn child(operands: &[Rewrite]) -> Members<'_, Vec<WrittenRewrite<'_>>> {
    Members(vec![("child", operands.iter().map(WrittenRewrite).collect())])
}

struct WrittenCondition<'m>(&'m ConditionDefinition);

impl Serialize for WrittenCondition<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let parameters = self.0.parameters.iter();
        let parameters = parameters.map(|(name, kind)| (name.as_str(), WrittenParameter(kind)));
        let mut members = writer.serialize_map(None)?;
        members.serialize_entry("name", &self.0.name)?;
        members.serialize_entry("expression", &self.0.expression)?;
        members.serialize_entry("parameters", &Members(parameters.collect()))?;
        if self.0.module.is_some() || self.0.file.is_some() {
            members.serialize_entry("metadata", &ConditionMetadata(self.0))?;
        }
        members.end()
    }
}

struct ConditionMetadata<'m>(&'m ConditionDefinition);

impl Serialize for ConditionMetadata<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let mut members = writer.serialize_map(None)?;
        write_source(self.0.module.as_deref(), self.0.file.as_deref(), &mut members)?;
        members.end()
    }
}

struct WrittenParameter<'m>(&'m ParameterType);

impl Serialize for WrittenParameter<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let (name, element) = match self.0 {
            ParameterType::Any => ("TYPE_NAME_ANY", None),
            ParameterType::Bool => ("TYPE_NAME_BOOL", None),
            ParameterType::Double => ("TYPE_NAME_DOUBLE", None),
            ParameterType::Duration => ("TYPE_NAME_DURATION", None),
            ParameterType::Int => ("TYPE_NAME_INT", None),
            ParameterType::IpAddress => ("TYPE_NAME_IPADDRESS", None),
            ParameterType::List(element) => ("TYPE_NAME_LIST", Some(element)),
            ParameterType::Map(element) => ("TYPE_NAME_MAP", Some(element)),
            ParameterType::String => ("TYPE_NAME_STRING", None),
            ParameterType::Timestamp => ("TYPE_NAME_TIMESTAMP", None),
            ParameterType::UInt => ("TYPE_NAME_UINT", None),
        };
        let mut members = writer.serialize_map(None)?;
        members.serialize_entry("type_name", name)?;
        if let Some(element) = element {
            members.serialize_entry("generic_types", &[WrittenParameter(element)])?;
        }
        members.end()
    }
}

/// `{}`
const EMPTY: Members<'static, &str> = Members(Vec::new());
