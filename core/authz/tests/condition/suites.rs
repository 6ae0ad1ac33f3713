//! Every condition of OpenFGA's own suites compiles, but for those that are wrong on purpose.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mandate_authz::condition::{ParameterType, compile, validate};
use mandate_authz::model::ConditionDefinition;
use serde_json::Value;

use super::skip::skip;
use super::support::{definition, parameter_type};

/// The suites' folder, or a loud line.
fn suites() -> Option<PathBuf> {
    let folder = std::env::var_os("MANDATE_SUITES").map(PathBuf::from);
    if folder.is_none() {
        skip("conditions of OpenFGA's suites", "MANDATE_SUITES names no folder of outside suites");
    }
    folder
}

/// All conditions of OpenFGA's JSON within a value.
fn collect(value: &Value, into: &mut Vec<ConditionDefinition>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(expression)) = members.get("expression") {
                let parameters = members.get("parameters").and_then(Value::as_object);
                let parameters = parameters.into_iter().flatten();
                into.push(ConditionDefinition {
                    name: members["name"].as_str().unwrap_or("c").to_owned(),
                    parameters: parameters
                        .map(|(name, of)| (name.clone(), json_type(of)))
                        .collect(),
                    expression: expression.clone(),
                    module: None,
                    file: None,
                });
            }
            members.values().for_each(|value| collect(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn json_type(of: &Value) -> ParameterType {
    let name = of["type_name"].as_str().unwrap().trim_start_matches("TYPE_NAME_").to_lowercase();
    match of["generic_types"].get(0) {
        Some(inner) if name == "list" => ParameterType::List(Box::new(json_type(inner))),
        Some(inner) if name == "map" => ParameterType::Map(Box::new(json_type(inner))),
        _ => parameter_type(&name),
    }
}

fn files(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, into);
        } else if path.to_string_lossy().ends_with(ending) {
            into.push(path);
        }
    }
}

/// The conditions of a model's text, read as simply as can be: a name, parameters, a body.
fn of_text(text: &str) -> Vec<ConditionDefinition> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, condition)) = rest.split_once("condition ") {
        rest = condition;
        let Some((head, after)) = rest.split_once('{') else { break };
        let Some((_, parameters)) = head.split_once('(') else { continue };
        let body = after.split_once("\n  }").or_else(|| after.split_once('}'));
        let Some((body, _)) = body else { break };
        let parameters = parameters.trim_end().trim_end_matches(')').split(',').map(|parameter| {
            let (name, of) = parameter.split_once(':').unwrap();
            format!("{}: {}", name.trim(), of.trim())
        });
        found.push(definition(&parameters.collect::<Vec<_>>().join(", "), body));
    }
    found
}

#[test]
fn every_condition_of_the_suites_compiles() {
    let Some(folder) = suites() else { return };
    let mut conditions = Vec::new();
    let consolidated = std::fs::read_to_string(folder.join("openfga/consolidated_given.jsonl"));
    for line in consolidated.unwrap().lines() {
        collect(&serde_json::from_str(line).unwrap(), &mut conditions);
    }
    let mut paths = Vec::new();
    files(&folder.join("openfga-language/data/transformer"), ".json", &mut paths);
    for path in &paths {
        collect(&serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap(), &mut conditions);
    }
    let mut stores = Vec::new();
    files(&folder.join("sample-stores"), ".fga.yaml", &mut stores);
    files(&folder.join("sample-stores"), ".fga", &mut stores);
    for path in &stores {
        conditions.extend(of_text(&std::fs::read_to_string(path).unwrap()));
    }
    let mut refused = BTreeMap::new();
    let mut compiled = 0;
    for condition in &conditions {
        match compile(condition) {
            Ok(code) => {
                assert_eq!(validate(&code), Ok(()), "{}", condition.expression);
                compiled += 1;
            }
            Err(error) => {
                refused.insert(condition.expression.trim().to_owned(), error.to_string());
            }
        }
    }
    // The language's suite transforms it, and OpenFGA would not take it: it names what it does not
    // declare.
    let expected = BTreeMap::from([(
        r#"document_attributes["state"] in allowed_states"#.to_owned(),
        "1:1: undeclared reference to `document_attributes`".to_owned(),
    )]);
    assert_eq!(refused, expected);
    assert!(compiled >= 42, "{compiled} conditions compile");
}
