//! Every model that the suites hold in both forms.

use mandate_authz::model::Model;
use serde_json::Value;

use crate::support::{folders, read, suite, table_row};

/// Objects of JSON have no order, so equal values are equal texts; relations are compared by name.
fn without_order(mut model: Model) -> Model {
    for definition in &mut model.types {
        definition.relations.sort_by(|left, right| left.name.cmp(&right.name));
    }
    model.conditions.sort_by(|left, right| left.name.cmp(&right.name));
    for condition in &mut model.conditions {
        condition.parameters.sort_by(|left, right| left.0.cmp(&right.0));
    }
    model
}

/// `metadata: null`, `metadata: {}` and no metadata say the same, as do a missing list of types and
/// an empty one; the suites use all of them.
fn without_emptiness(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().map(|(name, value)| (name, without_emptiness(value)));
            let kept = kept.filter(|(name, value)| {
                let optional =
                    ["metadata", "conditions", "relations", "directly_related_user_types"];
                let empty = value.is_null() || *value == Value::Object(serde_json::Map::new());
                !(empty && optional.contains(&name.as_str()))
            });
            Value::Object(kept.map(|(name, value)| (name.clone(), value)).collect())
        }
        Value::Array(values) => {
            Value::from(values.iter().map(without_emptiness).collect::<Vec<_>>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[test]
fn transformer_pairs_are_equal_in_both_directions() {
    let Some(folder) = suite("openfga-language", "transformer pairs") else { return };
    let pairs = folders(&folder.join("data/transformer"));
    for pair in &pairs {
        let name = pair.display();
        let dsl = read(&pair.join("authorization-model.fga"));
        let json = read(&pair.join("authorization-model.json"));
        let from_dsl = Model::parse_dsl(&dsl).unwrap();
        let from_json = Model::from_json(&json).unwrap();
        assert_eq!(without_order(from_dsl.clone()), without_order(from_json.clone()), "{name}");
        let expected: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(without_emptiness(&from_dsl.to_json()), without_emptiness(&expected), "{name}");
        assert_eq!(from_json.to_dsl().unwrap(), dsl, "{name}");
        assert_eq!(Model::parse_dsl(&from_dsl.to_dsl().unwrap()), Ok(from_dsl), "{name}");
    }
    table_row("transformer pairs, both directions", pairs.len(), pairs.len(), 0);
    assert_eq!(pairs.len(), 29);
}

#[test]
fn models_of_the_consolidated_suite_are_equal_in_both_forms_and_valid() {
    let Some(folder) = suite("openfga", "models of the consolidated suite") else { return };
    let text = read(&folder.join("consolidated_given.jsonl"));
    let mut stages = 0;
    for line in text.lines() {
        let stage: Value = serde_json::from_str(line).unwrap();
        let name = format!("{} {}", stage["test"], stage["stage"]);
        let from_dsl = Model::parse_dsl(stage["model_dsl"].as_str().unwrap()).unwrap();
        let from_json = Model::from_json(&stage["model_json"].to_string()).unwrap();
        assert_eq!(without_order(from_dsl.clone()), without_order(from_json.clone()), "{name}");
        assert_eq!(without_emptiness(&from_dsl.to_json()), without_emptiness(&stage["model_json"]));
        assert_eq!(Model::parse_dsl(&from_json.to_dsl().unwrap()), Ok(from_json), "{name}");
        assert_eq!(from_dsl.validate(), Ok(()), "{name}");
        stages += 1;
    }
    table_row("consolidated suite, both forms", stages, stages, 0);
    assert_eq!(stages, 119);
}
