//! Conditions in one line: parameters as the language writes them, an expression, a context.

use mandate_authz::condition::{
    ConditionError, ConditionFailure, ParameterType, compile, encode_context, evaluate, validate,
    validate_context,
};
use mandate_authz::limits::CONDITION_STEPS;
use mandate_authz::model::ConditionDefinition;
use serde_json::{Map, Value};

/// A condition with parameters as in `x: int, tags: list<string>`.
pub(crate) fn definition(parameters: &str, expression: &str) -> ConditionDefinition {
    let parameters = parameters.split(", ").filter(|text| !text.is_empty()).map(|text| {
        let (name, of) = text.split_once(": ").expect("a name and a type");
        (name.to_owned(), parameter_type(of))
    });
    ConditionDefinition {
        name: "c".to_owned(),
        parameters: parameters.collect(),
        expression: expression.to_owned(),
        module: None,
        file: None,
    }
}

/// A type as the language writes it.
pub(crate) fn parameter_type(text: &str) -> ParameterType {
    if let Some((outer, inner)) = text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        let inner = Box::new(parameter_type(inner));
        return match outer {
            "list" => ParameterType::List(inner),
            "map" => ParameterType::Map(inner),
            _ => panic!("{text}"),
        };
    }
    match text {
        "any" => ParameterType::Any,
        "bool" => ParameterType::Bool,
        "double" => ParameterType::Double,
        "duration" => ParameterType::Duration,
        "int" => ParameterType::Int,
        "ipaddress" => ParameterType::IpAddress,
        "string" => ParameterType::String,
        "timestamp" => ParameterType::Timestamp,
        "uint" => ParameterType::UInt,
        _ => panic!("{text}"),
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        Value::Null => Map::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => panic!("{value}"),
    }
}

pub(crate) fn compiled(parameters: &str, expression: &str) -> Vec<u8> {
    let code = compile(&definition(parameters, expression));
    let code = code.unwrap_or_else(|error| panic!("{expression}: {error}"));
    assert_eq!(validate(&code), Ok(()), "{expression}");
    code
}

pub(crate) fn refused(parameters: &str, expression: &str) -> ConditionError {
    match compile(&definition(parameters, expression)) {
        Ok(_) => panic!("{expression} compiles"),
        Err(error) => error,
    }
}

/// What the condition says: `stored` and `request` are JSON objects, or null for none.
pub(crate) fn answer(
    parameters: &str,
    expression: &str,
    stored: Value,
    request: Value,
) -> Result<bool, ConditionFailure> {
    let code = compiled(parameters, expression);
    let stored = encode_context(&code, &object(stored)).expect("a context that can be stored");
    assert_eq!(validate_context(&code, &stored), Ok(()));
    evaluate(&code, &stored, &object(request), &mut { CONDITION_STEPS })
}

/// What an expression without parameters says.
pub(crate) fn plain(expression: &str) -> Result<bool, ConditionFailure> {
    answer("", expression, Value::Null, Value::Null)
}

pub(crate) fn failed<T>(problem: &'static str) -> Result<T, ConditionFailure> {
    Err(ConditionFailure::Expression { problem })
}

/// Parameters `a: any`, `b: list<int>`, `c: map<string>`, four local variables, a stack of eight.
pub(crate) fn framed(instructions: &[u8]) -> Vec<u8> {
    let table =
        [b"\x01\x00a\x01\x00".as_slice(), b"\x01\x00b\x02\x06\x04", b"\x01\x00c\x02\x07\x08"]
            .concat();
    let mut code = Vec::new();
    for word in [1_u16, 3, 4, 8] {
        code.extend(word.to_le_bytes());
    }
    for length in [table.len(), instructions.len()] {
        code.extend(u32::try_from(length).unwrap().to_le_bytes());
    }
    code.extend(table);
    code.extend(instructions);
    code
}
