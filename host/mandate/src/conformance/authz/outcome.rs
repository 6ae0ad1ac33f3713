//! Whether an answer is the expected one.

use serde_json::{Map, Value};

use crate::conformance::{Comparison, Outcome};

/// Compares an answer of the probe protocol with the members that a fixture expects.
#[must_use]
pub fn outcome(
    expect: &Map<String, Value>,
    id: &str,
    answer: &Value,
    comparison: Comparison,
) -> Outcome {
    if let Some(reason) = answer.get("skip").and_then(Value::as_str)
        && !reason.trim().is_empty()
    {
        return Outcome::Skipped { reason: reason.to_owned() };
    }
    let same_id = answer.get("id").and_then(Value::as_str) == Some(id);
    let differs = |member: &&String| answer.get(*member) != expect.get(*member);
    let looked_at = expect.keys().filter(|member| compared(member, comparison));
    match looked_at.clone().find(differs) {
        None if same_id && expect.keys().any(|member| compared(member, Comparison::Decision)) => {
            Outcome::Agree
        }
        None => Outcome::Disagree {
            expected: shown(expect, comparison),
            actual: "an answer with another id".to_owned(),
        },
        Some(_) => Outcome::Disagree {
            expected: shown(expect, comparison),
            actual: shown_answer(expect, answer, comparison),
        },
    }
}

/// Which members count.
fn compared(member: &str, comparison: Comparison) -> bool {
    let decision = matches!(member, "allowed" | "error" | "verdict");
    match comparison {
        Comparison::Decision => decision,
        Comparison::Code => decision || member == "reason",
        Comparison::Full => true,
    }
}

fn shown(members: &Map<String, Value>, comparison: Comparison) -> String {
    let counted = members.iter().filter(|(name, _)| compared(name, comparison));
    let counted: Map<String, Value> =
        counted.map(|(name, value)| (name.clone(), value.clone())).collect();
    Value::Object(counted).to_string()
}

/// The members of the answer that the fixture speaks of; all, where it has no verdict.
fn shown_answer(expect: &Map<String, Value>, answer: &Value, comparison: Comparison) -> String {
    let Some(members) = answer.as_object() else { return answer.to_string() };
    let wanted = |name: &str| {
        expect.contains_key(name) || name == "reason" || name == "error" || name == "failing_line"
    };
    let counted = members.iter().filter(|(name, _)| wanted(name) && compared(name, comparison));
    let counted: Map<String, Value> =
        counted.map(|(name, value)| (name.clone(), value.clone())).collect();
    let detail = answer.get("detail").and_then(Value::as_str).unwrap_or_default();
    format!("{} {detail}", Value::Object(counted))
}
