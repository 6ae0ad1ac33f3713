//! JSON to a model.

use std::collections::BTreeMap;

use super::shape::{
    ChildrenShape, ConditionShape, FromShape, Members, ModelShape, ParameterShape,
    RelationMetadata, RelationShape, RestrictionShape, RewriteShape, SourceInfo, TypeShape,
};
use crate::condition::ParameterType;
use crate::limits::{MODEL_BYTES, MODEL_NESTING};
use crate::model::error::{ModelError, Problem};
use crate::model::{
    ConditionDefinition, Model, RelationDefinition, RestrictionForm, Rewrite, Schema,
    TypeDefinition, TypeRestriction,
};

type Read<T> = Result<T, Box<ModelError>>;

/// Reads a model. Conditions and parameters come in the order of their names, everything else in
/// the order of the text.
pub(in crate::model) fn read(text: &str) -> Read<Model> {
    if text.len() > MODEL_BYTES {
        return Err(boxed(Problem::TooLarge { limit: MODEL_BYTES }));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let shape: ModelShape = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        refusal(if path == "." { "" } else { &path }, &error.inner().to_string())
    })?;
    reader.end().map_err(|error| refusal("", &error.to_string()))?;
    model(shape)
}

fn boxed(problem: Problem) -> Box<ModelError> {
    Box::new(ModelError::new(problem))
}

fn refusal(path: &str, message: &str) -> Box<ModelError> {
    boxed(Problem::Json { path: path.to_owned(), message: message.to_owned() })
}

fn model(shape: ModelShape) -> Read<Model> {
    let schema = match shape.schema_version.as_deref() {
        None | Some("") => return Err(boxed(Problem::SchemaMissing)),
        Some(version) => Schema::parse(version)
            .ok_or_else(|| boxed(Problem::Schema { found: version.to_owned() }))?,
    };
    let types = shape.type_definitions.unwrap_or_default();
    let types = types.into_iter().enumerate().map(|(index, definition)| {
        type_definition(definition, &format!("type_definitions[{index}]"))
    });
    let mut conditions = shape
        .conditions
        .map_or_else(Vec::new, |members| members.0)
        .into_iter()
        .map(|(key, condition)| condition_definition(key, condition))
        .collect::<Read<Vec<_>>>()?;
    conditions.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(Model { schema, types: types.collect::<Read<_>>()?, conditions })
}

/// Protobuf's writer shows what is not there as an empty string.
fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn file(source: Option<SourceInfo>) -> Option<String> {
    present(source.and_then(|source| source.file))
}

fn type_definition(shape: TypeShape, path: &str) -> Read<TypeDefinition> {
    let metadata = shape.metadata.unwrap_or_default();
    let described = metadata.relations.map_or_else(Vec::new, |members| members.0);
    let mut described: BTreeMap<_, _> = described.into_iter().collect();
    let relations = shape.relations.map_or_else(Vec::new, |members| members.0);
    let relations = relations
        .into_iter()
        .map(|(name, rewrite)| {
            let about = described.remove(&name);
            relation_definition(name, rewrite, about, path)
        })
        .collect::<Read<Vec<_>>>()?;
    if let Some(name) = described.keys().next() {
        let path = format!("{path}.metadata.relations.{name}");
        return Err(refusal(&path, "describes a relation that is not there"));
    }
    Ok(TypeDefinition {
        name: shape.name,
        relations,
        module: present(metadata.module),
        file: file(metadata.source_info),
    })
}

fn relation_definition(
    name: String,
    shape: RewriteShape,
    about: Option<RelationMetadata>,
    path: &str,
) -> Read<RelationDefinition> {
    let path = format!("{path}.relations.{name}");
    let rewrite = rewrite(shape, &path, MODEL_NESTING)?;
    let Some(about) = about else {
        return Ok(RelationDefinition {
            name,
            rewrite,
            restrictions: Vec::new(),
            module: None,
            file: None,
        });
    };
    let restrictions = about.directly_related_user_types.unwrap_or_default();
    Ok(RelationDefinition {
        name,
        rewrite,
        restrictions: restrictions.into_iter().map(restriction).collect::<Read<_>>()?,
        module: present(about.module),
        file: file(about.source_info),
    })
}

fn restriction(shape: RestrictionShape) -> Read<TypeRestriction> {
    let form = match (present(shape.relation), shape.wildcard) {
        (None, None) => RestrictionForm::Object,
        (Some(relation), None) => RestrictionForm::Userset(relation),
        (None, Some(_)) => RestrictionForm::Wildcard,
        (Some(relation), Some(_)) => {
            let restriction = format!("{}:*#{relation}", shape.type_name);
            return Err(boxed(Problem::WildcardWithRelation { restriction }));
        }
    };
    Ok(TypeRestriction { type_name: shape.type_name, form, condition: present(shape.condition) })
}

fn rewrite(shape: RewriteShape, path: &str, levels_left: usize) -> Read<Rewrite> {
    let inner = || {
        let problem = Problem::Nesting { limit: MODEL_NESTING };
        levels_left.checked_sub(1).ok_or_else(|| boxed(problem))
    };
    let RewriteShape { this, computed, from, union, intersection, difference } = shape;
    match (this, computed, from, union, intersection, difference) {
        (Some(_), None, None, None, None, None) => Ok(Rewrite::Direct),
        (None, Some(computed), None, None, None, None) => {
            Ok(Rewrite::Computed(relation_name(computed, path)?))
        }
        (None, None, Some(FromShape { tupleset, computed }), None, None, None) => {
            Ok(Rewrite::From {
                relation: relation_name(computed, path)?,
                tupleset: relation_name(tupleset, path)?,
            })
        }
        (None, None, None, Some(union), None, None) => {
            Ok(Rewrite::Union(children(union, path, inner()?)?))
        }
        (None, None, None, None, Some(intersection), None) => {
            Ok(Rewrite::Intersection(children(intersection, path, inner()?)?))
        }
        (None, None, None, None, None, Some(difference)) => {
            let levels_left = inner()?;
            let base = rewrite(*difference.base, path, levels_left)?;
            let subtract = rewrite(*difference.subtract, path, levels_left)?;
            Ok(Rewrite::Difference(Box::new(base), Box::new(subtract)))
        }
        _ => Err(refusal(path, "a rewrite has exactly one member")),
    }
}

fn children(shape: ChildrenShape, path: &str, levels_left: usize) -> Read<Vec<Rewrite>> {
    if shape.child.is_empty() {
        return Err(refusal(path, "`child` is empty"));
    }
    shape.child.into_iter().map(|child| rewrite(child, path, levels_left)).collect()
}

fn relation_name(shape: RelationShape, path: &str) -> Read<String> {
    if present(shape.object).is_some() {
        return Err(refusal(path, "`object` beside a relation is not known"));
    }
    present(Some(shape.relation)).ok_or_else(|| refusal(path, "`relation` is empty"))
}

fn condition_definition(key: String, shape: ConditionShape) -> Read<ConditionDefinition> {
    if key != shape.name {
        return Err(boxed(Problem::ConditionNameDiffers { key, name: shape.name }));
    }
    let Members(parameters) = shape.parameters.unwrap_or_else(|| Members(Vec::new()));
    let mut parameters = parameters
        .into_iter()
        .map(|(name, shape)| {
            let path = format!("conditions.{key}.parameters.{name}");
            Ok((name, parameter_type(shape, &path)?))
        })
        .collect::<Read<Vec<_>>>()?;
    parameters.sort_by(|left, right| left.0.cmp(&right.0));
    let metadata = shape.metadata.unwrap_or_default();
    Ok(ConditionDefinition {
        name: key,
        parameters,
        expression: shape.expression,
        module: present(metadata.module),
        file: file(metadata.source_info),
    })
}

fn parameter_type(shape: ParameterShape, path: &str) -> Read<ParameterType> {
    let mut elements = shape.generic_types.unwrap_or_default().into_iter();
    let element = elements.next();
    let container = matches!(shape.type_name.as_str(), "TYPE_NAME_LIST" | "TYPE_NAME_MAP");
    if element.is_some() != container || elements.next().is_some() {
        return Err(refusal(
            path,
            "a list or map, and nothing else, has one element of `generic_types`",
        ));
    }
    let element = element.map(|shape| parameter_type(shape, path)).transpose()?;
    match (shape.type_name.as_str(), element.map(Box::new)) {
        ("TYPE_NAME_ANY", None) => Ok(ParameterType::Any),
        ("TYPE_NAME_BOOL", None) => Ok(ParameterType::Bool),
        ("TYPE_NAME_DOUBLE", None) => Ok(ParameterType::Double),
        ("TYPE_NAME_DURATION", None) => Ok(ParameterType::Duration),
        ("TYPE_NAME_INT", None) => Ok(ParameterType::Int),
        ("TYPE_NAME_IPADDRESS", None) => Ok(ParameterType::IpAddress),
        ("TYPE_NAME_LIST", Some(element)) => Ok(ParameterType::List(element)),
        ("TYPE_NAME_MAP", Some(element)) => Ok(ParameterType::Map(element)),
        ("TYPE_NAME_STRING", None) => Ok(ParameterType::String),
        ("TYPE_NAME_TIMESTAMP", None) => Ok(ParameterType::Timestamp),
        ("TYPE_NAME_UINT", None) => Ok(ParameterType::UInt),
        _ => Err(refusal(path, "`type_name` is not known")),
    }
}
