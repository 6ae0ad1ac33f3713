//! The bytecode against the `cel` crate's interpreter: random conditions, random contexts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write as _;
use std::sync::Arc;

use cel::objects::{Key, Map as CelMap};
use cel::{Context, ExecutionError, Program, Value as Cel};
use mandate_authz::condition::{ConditionFailure, compile, encode_context, evaluate};
use serde_json::{Map, Value};

use super::generator::{Case, Scope, Type, case};
use super::random::Random;
use super::support::{definition, failed, plain};

const SCOPE: Scope =
    Scope { addresses: false, broken_contexts: true, ill_typed: true, repeated_keys: false };

/// Contexts of one condition.
const CONTEXTS: usize = 50;

/// The value that a parameter has, read apart from the code under test; `None` where it has none.
fn cel_value(json: &Value, of: &Type) -> Option<Cel> {
    Some(match (of, json) {
        (Type::Any, Value::Null) => Cel::Null,
        (Type::Any, Value::Number(number)) => Cel::Float(number.as_f64()?),
        (Type::Any, Value::Array(items)) => list(items, of)?,
        (Type::Any, Value::Object(members)) => map(members, of)?,
        (Type::Any | Type::Bool, Value::Bool(value)) => Cel::Bool(*value),
        (Type::Any | Type::String, Value::String(text)) => Cel::String(Arc::new(text.clone())),
        (Type::Double, _) => Cel::Float(number(json, true)?),
        (Type::Int, _) => Cel::Int(integer(json)?),
        (Type::UInt, _) => Cel::UInt(u64::try_from(integer(json)?).ok()?),
        (Type::Duration, Value::String(text)) => called("duration", text)?,
        (Type::Timestamp, Value::String(text)) => called("timestamp", text)?,
        (Type::List(inner), Value::Array(items)) => list(items, inner)?,
        (Type::Map(inner), Value::Object(members)) => map(members, inner)?,
        _ => return None,
    })
}

fn list(items: &[Value], of: &Type) -> Option<Cel> {
    let items: Option<Vec<_>> = items.iter().map(|item| cel_value(item, of)).collect();
    Some(Cel::List(Arc::new(items?)))
}

fn map(members: &Map<String, Value>, of: &Type) -> Option<Cel> {
    let mut entries = HashMap::new();
    for (name, member) in members {
        entries.insert(Key::String(Arc::new(name.clone())), cel_value(member, of)?);
    }
    Some(Cel::Map(CelMap { map: Arc::new(entries) }))
}

/// `exact` asks for a text that is exactly a double: of the generator's, not `0.1` and not integers
/// that a double rounds.
#[expect(clippy::as_conversions, reason = "whether the way back gives the same")]
fn number(json: &Value, exact: bool) -> Option<f64> {
    let text = match json {
        Value::Number(number) => return number.as_f64(),
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let number: f64 = text.parse().ok()?;
    let is_rounded = text.parse::<i128>().is_ok_and(|whole| number as i128 != whole);
    (!exact || (text != "0.1" && !is_rounded)).then_some(number)
}

/// Whole, and the nearest bound where it does not fit.
#[expect(clippy::as_conversions, reason = "saturates, as OpenFGA does")]
fn integer(json: &Value) -> Option<i64> {
    if let Some(Ok(number)) = json.as_str().map(str::parse::<i128>) {
        let number = number.clamp(i64::MIN.into(), i64::MAX.into());
        return i64::try_from(number).ok();
    }
    let number = number(json, false)?;
    (number.fract() == 0.0).then_some(number as i64)
}

/// A text as the crate's own function reads it.
fn called(function: &str, text: &str) -> Option<Cel> {
    let program = Program::compile(&format!("{function}('{text}')")).ok()?;
    program.execute(&Context::default()).ok()
}

/// What was seen of the two together.
#[derive(Debug, Default)]
struct Tally {
    evaluations: u64,
    true_and_true: u64,
    false_and_false: u64,
    errors: u64,
    ill_typed: u64,
    missing: u64,
    refused: u64,
    /// Disagreements with a written reason.
    known: BTreeMap<&'static str, u64>,
    unknown: Vec<String>,
}

impl Tally {
    fn case(&mut self, case: &Case) {
        let Ok(code) = compile(&definition(&case.signature(), &case.expression)) else {
            // The crate has no types: it may well evaluate what is refused here.
            self.refused += 1;
            return;
        };
        let program = Program::compile(&case.expression_in_utc).expect("the same parser");
        for (stored, request) in &case.runs {
            self.evaluations += 1;
            let Ok(encoded) = encode_context(&code, stored) else {
                self.ill_typed += 1;
                assert_eq!(typed(case, stored), None, "{case:?}");
                continue;
            };
            let ours = evaluate(&code, &encoded, request, &mut { 1_000_000 });
            let mut merged = request.clone();
            merged.extend(stored.clone());
            self.compare(case, &program, &merged, &ours);
        }
    }

    fn compare(
        &mut self,
        case: &Case,
        program: &Program,
        merged: &Map<String, Value>,
        ours: &Result<bool, ConditionFailure>,
    ) {
        let Some(parameters) = typed(case, merged) else {
            assert!(matches!(ours, Err(ConditionFailure::Type { .. })), "{ours:?} {case:?}");
            self.ill_typed += 1;
            return;
        };
        if let Some((name, _)) = case.parameters.iter().find(|(name, _)| !merged.contains_key(name))
        {
            // The crate asks only for what it needs; OpenFGA, and so we, for all.
            assert_eq!(*ours, Err(ConditionFailure::Missing { parameter: name.clone() }));
            self.missing += 1;
            return;
        }
        let mut context = Context::default();
        for (name, value) in parameters {
            context.add_variable_from_value(name, value);
        }
        let theirs = program.execute(&context);
        match (ours, &theirs) {
            (Ok(true), Ok(Cel::Bool(true))) => self.true_and_true += 1,
            (Ok(false), Ok(Cel::Bool(false))) => self.false_and_false += 1,
            (Err(ConditionFailure::Expression { .. }), Err(_)) => self.errors += 1,
            _ => match reason(case, ours, &theirs) {
                Some(reason) => *self.known.entry(reason).or_default() += 1,
                None => self.unknown.push(format!(
                    "{}\n  ({})\n  {}\n  ours {ours:?}\n  cel {theirs:?}",
                    case.expression,
                    case.signature(),
                    Value::Object(merged.clone())
                )),
            },
        }
    }
}

/// The parameters that are given, `None` where one is ill typed.
fn typed(case: &Case, merged: &Map<String, Value>) -> Option<Vec<(String, Cel)>> {
    let given = case.parameters.iter().filter_map(|(name, of)| Some((name, of, merged.get(name)?)));
    given.map(|(name, of, json)| Some((name.clone(), cel_value(json, of)?))).collect()
}

/// Why the crate differs from cel-go, whose answers ours are; the last test here shows each.
fn reason(
    case: &Case,
    ours: &Result<bool, ConditionFailure>,
    theirs: &Result<Cel, ExecutionError>,
) -> Option<&'static str> {
    let expression = case.expression.as_str();
    let problem = match ours {
        Ok(_) => None,
        Err(ConditionFailure::Expression { problem }) => Some(*problem),
        Err(_) => return None,
    };
    match (problem, theirs) {
        (None, Err(_)) if expression.contains(" in [])") => Some(IN_NOTHING),
        // The error may be another one's: `a in {} && b` is false, whatever becomes of b.
        (None, Err(_)) if expression.contains(" in dyn({") => Some(IN_MAP),
        (None, Err(ExecutionError::NoSuchOverload(error))) => {
            let types = error.argument_types();
            let is_double = |of: &String| of == "double";
            match error.function() {
                "@in" if types.last().is_some_and(|of| of == "map") => Some(IN_MAP),
                "_<_" | "_<=_" | "_>_" | "_>=_" if types.iter().any(is_double) => Some(NAN),
                "_._" if expression.contains("has(") => Some(HAS_OF_NO_MAP),
                "int" if types[0] == "google.protobuf.Duration" => Some(INT_OF_DURATION),
                // As with maps: what is told may be the error of the other operand.
                _ if expression.contains("int(") && case.has_durations() => Some(INT_OF_DURATION),
                _ => None,
            }
        }
        (None, Ok(_)) if expression.contains(r"'\\b") => Some(WORDS),
        (Some("overflow"), Ok(_)) if expression.contains(" - ") => Some(SECONDS_FIRST),
        (Some("a text is no duration"), Ok(_)) => Some(TRAILING_TEXT),
        _ => None,
    }
}

const HAS_OF_NO_MAP: &str = "`has(x.key)` with an x that is no map is an error, in cel-go false";
const IN_MAP: &str = "`x in map` with an x that is no key is an error, in cel-go it is false";
const IN_NOTHING: &str = "`x in []` is an error with x, in OpenFGA it is false without looking";
const INT_OF_DURATION: &str = "`int(duration)` does not exist";
const NAN: &str = "NaN has no order, in cel-go all four orders are false";
const REPEATED_KEY: &str = "a key twice in a map is an error, in cel-go the last value counts";
const TRAILING_TEXT: &str = "`duration(text)` ignores what follows the duration";
const WORDS: &str = "`\\b` knows words of all scripts, in RE2 of ASCII alone";
const SECONDS_FIRST: &str =
    "cel-go checks the whole seconds of a difference of times by themselves";

/// How many evaluations: a short form, or what the environment asks for.
fn evaluations() -> u64 {
    let asked = std::env::var("MANDATE_CAMPAIGN_CASES").ok();
    asked.map_or(20_000, |count| count.parse().expect("MANDATE_CAMPAIGN_CASES is a number"))
}

#[test]
fn the_bytecode_agrees_with_the_interpreter() {
    let mut random = Random::new(2_026);
    let mut tally = Tally::default();
    while tally.evaluations < evaluations() {
        tally.case(&case(&mut random, SCOPE, CONTEXTS));
    }
    let unknown = std::mem::take(&mut tally.unknown);
    writeln!(std::io::stderr(), "{tally:#?}").unwrap();
    // One of each condition: its contexts mostly differ alike.
    let mut conditions = BTreeSet::new();
    let first = unknown.iter().filter(|text| conditions.insert(text.lines().next()));
    let first = first.take(10).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(unknown.is_empty(), "{} disagreements, the first are\n{first}", unknown.len());
    assert!(tally.true_and_true > tally.evaluations / 10, "{tally:?}");
    assert!(tally.false_and_false > tally.evaluations / 10, "{tally:?}");
}

#[test]
fn the_interpreters_known_differences_are_still_there() {
    let cases = [
        ("has(dyn(1).key)", Ok(false), HAS_OF_NO_MAP),
        ("null in {}", Ok(false), IN_MAP),
        ("(1 / 0) in []", Ok(false), IN_NOTHING),
        ("int(duration('1s')) == 1000000000", Ok(true), INT_OF_DURATION),
        ("0.0 / 0.0 < 1.0", Ok(false), NAN),
        (
            "duration('1' + 'h and more') == duration('1h')",
            Err("a text is no duration"),
            TRAILING_TEXT,
        ),
        (
            "timestamp('2024-02-29T23:59:59.5Z') - (duration('2562047h47m16.854775807s') + \
             timestamp('2024-02-29T23:59:59.5Z')) < duration('0s')",
            Err("overflow"),
            SECONDS_FIRST,
        ),
        ("{'a': 1, 'a': 2}.a == 2", Ok(true), REPEATED_KEY),
    ];
    let word = r"'éab'.matches('\\bab')";
    assert_eq!((plain(word), interpreted(word)), (Ok(true), Some(false)), "{WORDS}");
    for (expression, expected, why) in cases {
        let theirs = interpreted(expression);
        let ours = plain(expression);
        match expected {
            Ok(answer) => assert_eq!((ours, theirs), (Ok(answer), None), "{expression}: {why}"),
            Err(problem) => {
                assert_eq!((ours, theirs), (failed(problem), Some(true)), "{expression}: {why}");
            }
        }
    }
    // Why the interpreter is given `Case::expression_in_utc`.
    let weekday = "timestamp('2000-12-31T00:30:00+14:00').getDayOfWeek() == 6";
    assert_eq!((plain(weekday), interpreted(weekday)), (Ok(true), Some(false)));
}

/// The interpreter's answer, none where it fails.
fn interpreted(expression: &str) -> Option<bool> {
    let answer = Program::compile(expression).unwrap().execute(&Context::default());
    answer.map(|answer| matches!(answer, Cel::Bool(true))).ok()
}
