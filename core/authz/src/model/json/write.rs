//! A model to JSON, with the members and the `null`s of the official transformer.

use serde_json::{Map, Value, json};

use crate::condition::ParameterType;
use crate::model::{
    ConditionDefinition, Model, RelationDefinition, RestrictionForm, Rewrite, TypeDefinition,
    TypeRestriction,
};

/// Writes a model; where several definitions have one name, the last.
pub(in crate::model) fn write(model: &Model) -> Value {
    let mut object = Map::new();
    object.insert("schema_version".to_owned(), Value::from(model.schema.as_str()));
    if !model.types.is_empty() {
        let types: Vec<_> = model.types.iter().map(type_definition).collect();
        object.insert("type_definitions".to_owned(), Value::from(types));
    }
    if !model.conditions.is_empty() {
        let conditions = model
            .conditions
            .iter()
            .map(|condition| (condition.name.clone(), condition_definition(condition)));
        object.insert("conditions".to_owned(), Value::Object(conditions.collect()));
    }
    Value::Object(object)
}

fn type_definition(definition: &TypeDefinition) -> Value {
    let relations: Map<_, _> = definition
        .relations
        .iter()
        .map(|relation| (relation.name.clone(), rewrite(&relation.rewrite)))
        .collect();
    let mut metadata = source(definition.module.as_deref(), definition.file.as_deref());
    if !definition.relations.is_empty() {
        let relations = definition
            .relations
            .iter()
            .map(|relation| (relation.name.clone(), relation_metadata(relation)));
        metadata.insert("relations".to_owned(), Value::Object(relations.collect()));
    }
    let metadata = if metadata.is_empty() { Value::Null } else { Value::Object(metadata) };
    json!({ "type": definition.name, "relations": relations, "metadata": metadata })
}

fn source(module: Option<&str>, file: Option<&str>) -> Map<String, Value> {
    let mut members = Map::new();
    if let Some(module) = module {
        members.insert("module".to_owned(), Value::from(module));
    }
    if let Some(file) = file {
        members.insert("source_info".to_owned(), json!({ "file": file }));
    }
    members
}

fn relation_metadata(relation: &RelationDefinition) -> Value {
    let mut members = source(relation.module.as_deref(), relation.file.as_deref());
    let restrictions: Vec<_> = relation.restrictions.iter().map(restriction).collect();
    members.insert("directly_related_user_types".to_owned(), Value::from(restrictions));
    Value::Object(members)
}

fn restriction(restriction: &TypeRestriction) -> Value {
    let mut members = Map::new();
    members.insert("type".to_owned(), Value::from(restriction.type_name.as_str()));
    match &restriction.form {
        RestrictionForm::Object => {}
        RestrictionForm::Userset(relation) => {
            members.insert("relation".to_owned(), Value::from(relation.as_str()));
        }
        RestrictionForm::Wildcard => {
            members.insert("wildcard".to_owned(), json!({}));
        }
    }
    if let Some(condition) = &restriction.condition {
        members.insert("condition".to_owned(), Value::from(condition.as_str()));
    }
    Value::Object(members)
}

fn rewrite(value: &Rewrite) -> Value {
    match value {
        Rewrite::Direct => json!({ "this": {} }),
        Rewrite::Computed(relation) => json!({ "computedUserset": { "relation": relation } }),
        Rewrite::From { relation, tupleset } => json!({ "tupleToUserset": {
            "computedUserset": { "relation": relation },
            "tupleset": { "relation": tupleset },
        } }),
        Rewrite::Union(children) => json!({ "union": { "child": list(children) } }),
        Rewrite::Intersection(children) => json!({ "intersection": { "child": list(children) } }),
        Rewrite::Difference(base, subtract) => json!({ "difference": {
            "base": rewrite(base),
            "subtract": rewrite(subtract),
        } }),
    }
}

fn list(children: &[Rewrite]) -> Vec<Value> {
    children.iter().map(rewrite).collect()
}

fn condition_definition(condition: &ConditionDefinition) -> Value {
    let parameters: Map<_, _> = condition
        .parameters
        .iter()
        .map(|(name, parameter)| (name.clone(), parameter_type(parameter)))
        .collect();
    let mut members = Map::new();
    members.insert("name".to_owned(), Value::from(condition.name.as_str()));
    members.insert("expression".to_owned(), Value::from(condition.expression.as_str()));
    members.insert("parameters".to_owned(), Value::Object(parameters));
    let metadata = source(condition.module.as_deref(), condition.file.as_deref());
    if !metadata.is_empty() {
        members.insert("metadata".to_owned(), Value::Object(metadata));
    }
    Value::Object(members)
}

fn parameter_type(parameter: &ParameterType) -> Value {
    let (name, element) = match parameter {
        ParameterType::Any => ("ANY", None),
        ParameterType::Bool => ("BOOL", None),
        ParameterType::Double => ("DOUBLE", None),
        ParameterType::Duration => ("DURATION", None),
        ParameterType::Int => ("INT", None),
        ParameterType::IpAddress => ("IPADDRESS", None),
        ParameterType::List(element) => ("LIST", Some(element)),
        ParameterType::Map(element) => ("MAP", Some(element)),
        ParameterType::String => ("STRING", None),
        ParameterType::Timestamp => ("TIMESTAMP", None),
        ParameterType::UInt => ("UINT", None),
    };
    let type_name = format!("TYPE_NAME_{name}");
    element.map_or_else(
        || json!({ "type_name": type_name }),
        |element| json!({ "type_name": type_name, "generic_types": [parameter_type(element)] }),
    )
}
