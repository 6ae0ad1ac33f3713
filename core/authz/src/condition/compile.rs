//! From the text of a condition to its code: parsed by the `cel` crate, typed as cel-go types it,
//! written as instructions.

mod assembler;
mod check;
mod declarations;
mod emit;
mod fold;
mod pattern;
mod types;

use std::fmt;

use cel::common::ast::SourceInfo;
use cel::parser::{ParseErrors, Parser};

use super::{ParameterType, validate};
use crate::model::ConditionDefinition;

/// Compiles a condition.
///
/// What does not type is refused, and so is what a guest does not evaluate: a condition that compiles
/// means what it means in OpenFGA.
///
/// # Errors
/// [`ConditionError`] with the first thing that is wrong or not supported, and its place.
pub fn compile(definition: &ConditionDefinition) -> Result<Vec<u8>, ConditionError> {
    // The parser recurses with wide frames: deep expressions must meet its limit, not the end of
    // whatever stack the caller runs on.
    let failed = |_: Box<dyn std::any::Any + Send>| ConditionError {
        message: "the compiler failed".to_owned(),
        place: None,
    };
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
        let compiler = builder.spawn_scoped(scope, || compile_here(definition));
        compiler.map_err(|error| failed(Box::new(error)))?.join().map_err(failed)?
    })
}

/// Stack of the compiler. Source: four times what 96 nested levels took unoptimised.
const STACK_BYTES: usize = 16 * 1024 * 1024;

fn compile_here(definition: &ConditionDefinition) -> Result<Vec<u8>, ConditionError> {
    let expression = definition.expression.as_str();
    if expression.len() > EXPRESSION_BYTES {
        let message = format!("the expression is longer than {EXPRESSION_BYTES} bytes");
        return Err(ConditionError { message, place: None });
    }
    let mut parameters: Vec<_> = definition.parameters.iter().collect();
    parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
    check_parameters(&parameters)?;
    let parser = Parser::new().max_recursion_depth(EXPRESSION_LEVELS);
    let (expression, source) =
        parser.parse_with_source_info(expression).map_err(|errors| first_of(&errors))?;
    let placed = |error: Refused| error.place_in(&source);
    check::check(&expression, &parameters).map_err(placed)?;
    let code = emit::emit(&expression, &parameters).map_err(placed)?;
    // The compiler's own mistake would be found here, not in a guest.
    validate(&code).map_err(|error| ConditionError { message: error.to_string(), place: None })?;
    Ok(code)
}

/// Why a condition does not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionError {
    /// One line, lower case.
    pub message: String,
    /// Where in the expression.
    pub place: Option<Place>,
}

/// A place in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl fmt::Display for ConditionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(Place { line, column }) => write!(formatter, "{line}:{column}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

impl std::error::Error for ConditionError {}

/// An error at a node of the parsed expression.
#[derive(Debug)]
struct Refused {
    message: String,
    node: u64,
}

type Checked<T> = Result<T, Refused>;

impl Refused {
    fn new(node: u64, message: impl Into<String>) -> Self {
        Self { message: message.into(), node }
    }

    fn place_in(self, source: &SourceInfo) -> ConditionError {
        let start = source.offset_for(self.node).map(|(start, _)| start);
        let start = start.and_then(|start| usize::try_from(start).ok());
        let place = start.and_then(|start| Place::of(source.source.get(..start)?));
        ConditionError { message: self.message, place }
    }
}

impl Place {
    /// The place after a text.
    fn of(before: &str) -> Option<Self> {
        let lines = before.split('\n').count();
        let column = before.rsplit('\n').next()?.chars().count().checked_add(1)?;
        Some(Self { line: lines, column })
    }
}

fn first_of(errors: &ParseErrors) -> ConditionError {
    let first = errors.errors.first();
    let place = first.and_then(|error| {
        let (line, column) = error.pos;
        Some(Place { line: usize::try_from(line).ok()?, column: usize::try_from(column).ok()? })
    });
    let message = first.map_or("the expression cannot be read", |error| &error.msg);
    if message.contains("Recursion limit") {
        return ConditionError { message: "the expression is nested too deep".to_owned(), place };
    }
    let message = message.lines().next().unwrap_or(message).to_owned();
    ConditionError { message, place: place.filter(|place| place.line > 0) }
}

fn check_parameters(parameters: &[&(String, ParameterType)]) -> Result<(), ConditionError> {
    let error = |message| Err(ConditionError { message, place: None });
    for (name, of) in parameters {
        if levels_of(of) > super::kind::TYPE_LEVELS {
            return error(format!("the type of parameter `{name}` is nested too deep"));
        }
    }
    for pair in parameters.windows(2) {
        if let [(a, _), (b, _)] = pair
            && a == b
        {
            return error(format!("parameter `{a}` is declared twice"));
        }
    }
    Ok(())
}

fn levels_of(of: &ParameterType) -> usize {
    match of {
        ParameterType::List(inner) | ParameterType::Map(inner) => {
            levels_of(inner).saturating_add(1)
        }
        ParameterType::Any
        | ParameterType::Bool
        | ParameterType::Double
        | ParameterType::Duration
        | ParameterType::Int
        | ParameterType::IpAddress
        | ParameterType::String
        | ParameterType::Timestamp
        | ParameterType::UInt => 1,
    }
}

/// Bytes of an expression.
const EXPRESSION_BYTES: usize = 32 * 1024;

/// Levels of an expression: the parser's own default.
const EXPRESSION_LEVELS: u16 = 96;
