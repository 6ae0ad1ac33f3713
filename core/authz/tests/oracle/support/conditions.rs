//! Conditions by the `cel` crate's own interpreter, with OpenFGA's conversions of parameters.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use cel::extractors::This;
use cel::objects::{Key, Map as CelMap};
use cel::{Context, Env, ExecutionError, Program};
use mandate_authz::condition::ParameterType;
use mandate_authz::model::{ConditionDefinition, Model};
use mandate_authz::tuple::Tuple;
use serde_json::{Map, Value};

/// Whether the relationship's condition holds; nothing where that cannot be said.
pub(crate) fn holds(model: &Model, tuple: &Tuple, context: &Map<String, Value>) -> Option<bool> {
    let Some(condition) = &tuple.condition else { return Some(true) };
    let definition = definition(model, &condition.name)?;
    let mut given = context.clone();
    given.extend(condition.context.clone());
    evaluate(definition, &given)
}

/// Whether what is stored beside the relationship fits its condition.
pub(crate) fn stored_context_fits(model: &Model, tuple: &Tuple) -> bool {
    let Some(condition) = &tuple.condition else { return true };
    let Some(definition) = definition(model, &condition.name) else { return false };
    condition.context.iter().all(|(name, value)| {
        let parameter = definition.parameters.iter().find(|(parameter, _)| parameter == name);
        parameter.is_some_and(|(_, kind)| convert(value, kind).is_some())
    })
}

fn definition<'m>(model: &'m Model, name: &str) -> Option<&'m ConditionDefinition> {
    model.conditions.iter().find(|definition| definition.name == name)
}

/// Evaluates a condition. Every declared parameter must be there, whether it is looked at or not.
pub(crate) fn evaluate(
    definition: &ConditionDefinition,
    given: &Map<String, Value>,
) -> Option<bool> {
    let mut context = Context::with_env(ENVIRONMENT.with(Arc::clone));
    context.add_function("in_cidr", in_cidr).ok()?;
    context.add_function("ipaddress", ipaddress).ok()?;
    for (name, kind) in &definition.parameters {
        let value = convert(given.get(name)?, kind)?;
        context.add_variable_from_value(name.as_str(), value);
    }
    match run(&definition.expression, &context) {
        Some(cel::Value::Bool(holds)) => Some(holds),
        _ => None,
    }
}

thread_local! {
    static ENVIRONMENT: Arc<Env> = Arc::new(Env::stdlib());
    /// Parsing takes longer than everything else here.
    static PROGRAMS: RefCell<HashMap<String, Option<Rc<Program>>>> = RefCell::default();
}

fn run(expression: &str, context: &Context<'_, '_>) -> Option<cel::Value> {
    let program = PROGRAMS.with_borrow_mut(|programs| {
        let parse = || Program::compile(expression).ok().map(Rc::new);
        programs.entry(expression.to_owned()).or_insert_with(parse).clone()
    });
    program?.execute(context).ok()
}

fn convert(value: &Value, kind: &ParameterType) -> Option<cel::Value> {
    Some(match (kind, value) {
        (ParameterType::Any, value) => any(value),
        (ParameterType::Bool, Value::Bool(value)) => cel::Value::Bool(*value),
        (ParameterType::Double, value) => cel::Value::Float(number(value)?),
        (ParameterType::Int, value) => cel::Value::Int(integer(value)?),
        (ParameterType::UInt, value) => cel::Value::UInt(u64::try_from(integer(value)?).ok()?),
        (ParameterType::String, Value::String(value)) => value.as_str().into(),
        (ParameterType::Duration, Value::String(value)) => called("duration(value)", value)?,
        (ParameterType::Timestamp, Value::String(value)) => called("timestamp(value)", value)?,
        (ParameterType::IpAddress, Value::String(value)) => {
            address(value)?.to_string().as_str().into()
        }
        (ParameterType::List(kind), Value::Array(values)) => {
            let values: Option<Vec<_>> = values.iter().map(|value| convert(value, kind)).collect();
            cel::Value::List(Arc::new(values?))
        }
        (ParameterType::Map(kind), Value::Object(members)) => {
            let members = members
                .iter()
                .map(|(name, value)| Some((Key::from(name.as_str()), convert(value, kind)?)));
            map(members.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// JSON as it stands: every number is a double.
fn any(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Number(value) => cel::Value::Float(value.as_f64().unwrap_or(f64::NAN)),
        Value::String(value) => value.as_str().into(),
        Value::Array(values) => cel::Value::List(Arc::new(values.iter().map(any).collect())),
        Value::Object(members) => map(members
            .iter()
            .map(|(name, value)| (Key::from(name.as_str()), any(value)))
            .collect()),
    }
}

fn map(members: HashMap<Key, cel::Value>) -> cel::Value {
    cel::Value::Map(CelMap { map: Arc::new(members) })
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// Whole numbers that a double holds exactly, or decimal text.
fn integer(value: &Value) -> Option<i64> {
    if let Value::String(text) = value
        && let Ok(integer) = text.parse()
    {
        return Some(integer);
    }
    let number = number(value)?;
    let exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    exact.then(|| format!("{number:.0}").parse().ok()).flatten()
}

/// What a constructor of CEL makes of a text.
fn called(constructor: &str, text: &str) -> Option<cel::Value> {
    let mut context = Context::with_env(ENVIRONMENT.with(Arc::clone));
    context.add_variable_from_value("value", text);
    run(constructor, &context)
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn ipaddress(text: Arc<String>) -> Result<Arc<String>, ExecutionError> {
    let address =
        address(&text).ok_or_else(|| ExecutionError::function_error("ipaddress", "text"))?;
    Ok(Arc::new(address.to_string()))
}

fn in_cidr(This(text): This<Arc<String>>, network: Arc<String>) -> Result<bool, ExecutionError> {
    contains(&network, &text).ok_or_else(|| ExecutionError::function_error("in_cidr", "network"))
}

/// Compares the leading bits; an IPv4 address in IPv6 form is that IPv4 address, on both sides.
fn contains(network: &str, text: &str) -> Option<bool> {
    let (prefix, length) = network.split_once('/')?;
    let prefix: IpAddr = prefix.parse().ok()?;
    let length: u32 = length.parse().ok()?;
    let (prefix, length) = match (prefix, prefix.to_canonical()) {
        (IpAddr::V6(_), mapped @ IpAddr::V4(_)) if length >= 96 => (mapped, length - 96),
        (prefix, _) => (prefix, length),
    };
    let (one, other, bits) = match (prefix, address(text)?) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            (u128::from(u32::from(one)), u128::from(u32::from(other)), 32)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => (u128::from(one), u128::from(other), 128),
        _ => return Some(false),
    };
    if length > bits {
        return None;
    }
    let rest = bits - length;
    Some(rest == 128 || one >> rest == other >> rest)
}
