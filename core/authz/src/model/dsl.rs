//! A model to OpenFGA's language, in the official layout.

use std::fmt::Write as _;

use super::error::{ModelError, Problem};
use super::lexer::tokens;
use super::parser::expression_text;
use super::{ConditionDefinition, Model, RelationDefinition, Rewrite, TypeDefinition};
use crate::condition::ParameterType;

/// Writes a model, and reads it back: names and expressions that came as JSON may hold anything, and
/// what the text would say then is not this model.
pub(super) fn write(model: &Model, with_sources: bool) -> Result<String, Vec<ModelError>> {
    let written = in_order(model);
    let mut text = format!("model\n  schema {}\n", written.schema.as_str());
    for definition in &written.types {
        write_type(definition, with_sources, &mut text);
    }
    for condition in &written.conditions {
        write_condition(condition, with_sources, &mut text);
    }
    let expected = as_read_back(written);
    let found = Model::parse_dsl(&text).unwrap_or_else(|_| Model {
        schema: expected.schema,
        types: Vec::new(),
        conditions: Vec::new(),
    });
    if found == expected { Ok(text) } else { Err(differences(&expected, &found)) }
}

/// The definitions as the language has them: `[…]` first among the operands of `or` and `and`, no
/// operator around one operand, and a model of modules sorted by module, file and name.
fn in_order(model: &Model) -> Model {
    let mut model = model.clone();
    let relations = model.types.iter_mut().flat_map(|definition| &mut definition.relations);
    for relation in relations {
        relation.rewrite = plain(&relation.rewrite);
    }
    if model.types.iter().any(|definition| definition.module.is_some()) {
        model.types.sort_by(|left, right| {
            let key = |definition: &TypeDefinition| {
                (definition.module.clone(), definition.file.clone(), definition.name.clone())
            };
            key(left).cmp(&key(right))
        });
        for definition in &mut model.types {
            definition.relations.sort_by(|left, right| {
                let key = |relation: &RelationDefinition| {
                    (relation.module.clone(), relation.file.clone(), relation.name.clone())
                };
                key(left).cmp(&key(right))
            });
        }
        model.conditions.sort_by(|left, right| {
            let key = |condition: &ConditionDefinition| {
                (condition.module.clone(), condition.file.clone(), condition.name.clone())
            };
            key(left).cmp(&key(right))
        });
    }
    model
}

fn plain(rewrite: &Rewrite) -> Rewrite {
    match rewrite {
        Rewrite::Direct | Rewrite::Computed(_) | Rewrite::From { .. } => rewrite.clone(),
        Rewrite::Union(children) => joined(children, Rewrite::Union),
        Rewrite::Intersection(children) => joined(children, Rewrite::Intersection),
        Rewrite::Difference(base, subtract) => {
            Rewrite::Difference(Box::new(plain(base)), Box::new(plain(subtract)))
        }
    }
}

fn joined(children: &[Rewrite], join: fn(Vec<Rewrite>) -> Rewrite) -> Rewrite {
    let mut children: Vec<_> = children.iter().map(plain).collect();
    if children.len() == 1 {
        return children.remove(0);
    }
    if let Some(direct) = children.iter().position(|child| *child == Rewrite::Direct) {
        let direct = children.remove(direct);
        children.insert(0, direct);
    }
    join(children)
}

/// Modules are gone, and the comments of expressions.
fn as_read_back(mut model: Model) -> Model {
    for definition in &mut model.types {
        (definition.module, definition.file) = (None, None);
        for relation in &mut definition.relations {
            (relation.module, relation.file) = (None, None);
        }
    }
    for condition in &mut model.conditions {
        (condition.module, condition.file) = (None, None);
        condition.expression = expression_text(&tokens(&condition.expression));
    }
    model
}

fn write_type(definition: &TypeDefinition, with_sources: bool, text: &mut String) {
    let _ = write!(text, "\ntype {}", definition.name);
    if with_sources {
        write_source("", definition.module.as_deref(), definition.file.as_deref(), text);
    }
    if !definition.relations.is_empty() {
        text.push_str("\n  relations");
    }
    for relation in &definition.relations {
        let _ = write!(text, "\n    define {}: ", relation.name);
        write_rewrite(relation, &relation.rewrite, Place::Whole, text);
        if with_sources {
            let (module, file) = (relation.module.as_deref(), relation.file.as_deref());
            write_source(" extended by:", module, file, text);
        }
    }
    text.push('\n');
}

fn write_source(lead: &str, module: Option<&str>, file: Option<&str>, text: &mut String) {
    if let Some(module) = module {
        let file = file.unwrap_or("undefined");
        let _ = write!(text, " #{lead} module: {module}, file: {file}");
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Operand,
    Whole,
}

fn write_rewrite(
    relation: &RelationDefinition,
    rewrite: &Rewrite,
    place: Place,
    text: &mut String,
) {
    let (operands, operator): (Vec<_>, _) = match rewrite {
        Rewrite::Direct => return write_restrictions(relation, text),
        Rewrite::Computed(relation) => return text.push_str(relation),
        Rewrite::From { relation, tupleset } => {
            let _ = write!(text, "{relation} from {tupleset}");
            return;
        }
        Rewrite::Union(children) => (children.iter().collect(), " or "),
        Rewrite::Intersection(children) => (children.iter().collect(), " and "),
        Rewrite::Difference(base, subtract) => (vec![&**base, &**subtract], " but not "),
    };
    let parentheses = place == Place::Operand;
    text.push_str(if parentheses { "(" } else { "" });
    for (position, operand) in operands.into_iter().enumerate() {
        text.push_str(if position > 0 { operator } else { "" });
        write_rewrite(relation, operand, Place::Operand, text);
    }
    text.push_str(if parentheses { ")" } else { "" });
}

fn write_restrictions(relation: &RelationDefinition, text: &mut String) {
    text.push('[');
    for (position, restriction) in relation.restrictions.iter().enumerate() {
        text.push_str(if position > 0 { ", " } else { "" });
        let _ = write!(text, "{restriction}");
    }
    text.push(']');
}

fn write_condition(condition: &ConditionDefinition, with_sources: bool, text: &mut String) {
    let _ = write!(text, "\ncondition {}(", condition.name);
    for (position, (name, parameter)) in condition.parameters.iter().enumerate() {
        text.push_str(if position > 0 { ", " } else { "" });
        let _ = write!(text, "{name}: ");
        write_parameter_type(parameter, text);
    }
    // White space around it would not be read back, nor a line that begins like a comment.
    let expression = condition.expression.trim();
    let gap = if expression.starts_with('#') { "" } else { "\n  " };
    let _ = write!(text, ") {{{gap}{expression}\n}}");
    if with_sources {
        write_source("", condition.module.as_deref(), condition.file.as_deref(), text);
    }
    text.push('\n');
}

fn write_parameter_type(parameter: &ParameterType, text: &mut String) {
    let (name, element) = match parameter {
        ParameterType::Any => ("any", None),
        ParameterType::Bool => ("bool", None),
        ParameterType::Double => ("double", None),
        ParameterType::Duration => ("duration", None),
        ParameterType::Int => ("int", None),
        ParameterType::IpAddress => ("ipaddress", None),
        ParameterType::List(element) => ("list", Some(element)),
        ParameterType::Map(element) => ("map", Some(element)),
        ParameterType::String => ("string", None),
        ParameterType::Timestamp => ("timestamp", None),
        ParameterType::UInt => ("uint", None),
    };
    text.push_str(name);
    if let Some(element) = element {
        text.push('<');
        write_parameter_type(element, text);
        text.push('>');
    }
}

/// What cannot be written: each part is tried alone, so that one does not hide behind another.
fn differences(expected: &Model, found: &Model) -> Vec<ModelError> {
    let mut errors = Vec::new();
    for definition in &expected.types {
        for relation in &definition.relations {
            if !relation_survives(expected, definition, relation) {
                let name = format!(
                    "'{}' relation definition under the '{}' type",
                    relation.name, definition.name
                );
                errors.push(not_in_dsl(format!("the {name}")));
            }
        }
    }
    for condition in &expected.conditions {
        if !condition_survives(expected, condition) {
            errors.push(not_in_dsl(format!("the condition '{}'", condition.name)));
        }
    }
    if errors.is_empty() {
        let lost = expected.types.iter().find(|definition| !found.types.contains(definition));
        let name = lost.map_or_else(String::new, |definition| format!(" '{}'", definition.name));
        errors.push(not_in_dsl(format!("the type{name}")));
    }
    errors
}

const fn not_in_dsl(what: String) -> ModelError {
    ModelError::new(Problem::NotInDsl { what })
}

fn relation_survives(
    model: &Model,
    definition: &TypeDefinition,
    relation: &RelationDefinition,
) -> bool {
    let alone = TypeDefinition { relations: vec![relation.clone()], ..definition.clone() };
    survives(Model { types: vec![alone], conditions: Vec::new(), schema: model.schema })
}

fn condition_survives(model: &Model, condition: &ConditionDefinition) -> bool {
    let conditions = vec![condition.clone()];
    survives(Model { types: Vec::new(), conditions, schema: model.schema })
}

fn survives(model: Model) -> bool {
    let mut text = format!("model\n  schema {}\n", model.schema.as_str());
    model.types.iter().for_each(|definition| write_type(definition, false, &mut text));
    model.conditions.iter().for_each(|condition| write_condition(condition, false, &mut text));
    Model::parse_dsl(&text) == Ok(model)
}
