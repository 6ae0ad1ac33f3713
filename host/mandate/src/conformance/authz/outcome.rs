//! Whether an answer is the expected one.

use serde_json::{Map, Value};

use super::agreement::{fits, view};
use crate::conformance::{Comparison, Outcome};

/// Compares an answer of the probe protocol with the members that a case expects.
#[must_use]
pub(super) fn outcome(
    expect: &Map<String, Value>,
    id: &str,
    answer: &Value,
    comparison: Comparison,
) -> Outcome {
    let disagree =
        |actual: String| Outcome::Disagree { expected: expected(expect, comparison), actual };
    if answer.get("id").and_then(Value::as_str) != Some(id) {
        return disagree(format!("an answer with another id: {}", cut(&answer.to_string())));
    }
    if let Some(skip) = answer.get("skip") {
        return match skip.as_str() {
            Some(reason) if !reason.trim().is_empty() => {
                Outcome::Skipped { reason: reason.to_owned() }
            }
            _ => disagree("skipped without a reason".to_owned()),
        };
    }
    let same = |(name, value): (&String, &Value)| fits(value, member(answer, name));
    if expect.iter().filter(|(name, _)| counts(name, comparison)).all(same) {
        return Outcome::Agree;
    }
    let names = expect.keys().filter(|name| counts(name, comparison));
    let mut members: Map<String, Value> = names
        .map(|name| (name.clone(), member(answer, name).cloned().unwrap_or_default()))
        .collect();
    // Why it was refused helps whoever reads the table, compared or not.
    for name in ["reason", "error", "failing_line", "detail"] {
        let more = answer.get(name).filter(|value| !value.is_null());
        members.extend(more.map(|value| (name.to_owned(), value.clone())));
    }
    disagree(cut(&shown(&members)))
}

/// Whether an answer of the gate says all that a case states.
pub(in crate::conformance) fn states(
    expect: &Map<String, Value>,
    id: &str,
    answer: &Value,
) -> bool {
    outcome(expect, id, &view(answer), Comparison::Full) == Outcome::Agree
}

/// The expected answer, as the table prints it.
pub(super) fn expected(expect: &Map<String, Value>, comparison: Comparison) -> String {
    let counted = expect.iter().filter(|(name, _)| counts(name, comparison));
    shown(&counted.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Of an error of relationships, the code counts: its words are no part of the protocol.
fn member<'a>(answer: &'a Value, name: &str) -> Option<&'a Value> {
    match name {
        "error" => answer.pointer("/error/code"),
        _ => answer.get(name),
    }
}

/// Which members count.
fn counts(member: &str, comparison: Comparison) -> bool {
    let decision = matches!(member, "allowed" | "objects" | "verdict");
    match comparison {
        Comparison::Decision => decision,
        Comparison::Code => decision || matches!(member, "error" | "reason" | "status"),
        Comparison::Full => true,
    }
}

/// `deny no-relation, failing_line "8"`: the decision first, and the same members in one order.
fn shown(members: &Map<String, Value>) -> String {
    let mut text = String::new();
    for name in ["verdict", "reason"] {
        if let Some(word) = members.get(name).and_then(Value::as_str) {
            text.push_str(if text.is_empty() { "" } else { " " });
            text.push_str(word);
        }
    }
    for (name, value) in members {
        if name != "verdict" && name != "reason" {
            text.push_str(if text.is_empty() { "" } else { ", " });
            text.push_str(&format!("{name} {value}"));
        }
    }
    text
}

/// A line that fits a table.
fn cut(text: &str) -> String {
    text.chars().take(240).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::outcome;
    use crate::conformance::{Comparison, Outcome};

    fn expect() -> Map<String, Value> {
        let expect = json!({"verdict": "deny", "reason": "agent-use", "failing_line": "6"});
        expect.as_object().cloned().unwrap()
    }

    fn compared(answer: &Value, comparison: Comparison) -> Outcome {
        outcome(&expect(), "a/b", answer, comparison)
    }

    #[test]
    fn each_comparison_looks_at_what_the_one_before_leaves_out() {
        let answer = |reason: &str, line: &str| json!({"id": "a/b", "verdict": "deny", "reason": reason, "failing_line": line});
        let disagree = |expected: &str, actual: &str| Outcome::Disagree {
            expected: expected.to_owned(),
            actual: actual.to_owned(),
        };
        assert_eq!(compared(&answer("agent-use", "6"), Comparison::Full), Outcome::Agree);
        assert_eq!(compared(&answer("not-delegate", "4"), Comparison::Decision), Outcome::Agree);
        assert_eq!(compared(&answer("agent-use", "7"), Comparison::Code), Outcome::Agree);
        assert_eq!(
            compared(&answer("agent-use", "7"), Comparison::Full),
            disagree(r#"deny agent-use, failing_line "6""#, r#"deny agent-use, failing_line "7""#)
        );
        assert_eq!(
            compared(&answer("agent-tool", "7"), Comparison::Code),
            disagree("deny agent-use", r#"deny agent-tool, failing_line "7""#)
        );
        let allowed = json!({"id": "a/b", "verdict": "allow", "reason": "ok"});
        assert_eq!(compared(&allowed, Comparison::Decision), disagree("deny", "allow ok"));
    }

    #[test]
    fn an_answer_to_another_question_or_a_skip_without_a_reason_is_a_disagreement() {
        let right =
            json!({"id": "other", "verdict": "deny", "reason": "agent-use", "failing_line": "6"});
        assert!(matches!(compared(&right, Comparison::Decision), Outcome::Disagree { .. }));
        let silent = json!({"id": "a/b", "skip": " "});
        assert!(matches!(compared(&silent, Comparison::Decision), Outcome::Disagree { .. }));
        let skipped = json!({"id": "a/b", "skip": "no snapshots"});
        let reason = "no snapshots".to_owned();
        assert_eq!(compared(&skipped, Comparison::Decision), Outcome::Skipped { reason });
    }

    #[test]
    fn of_an_error_the_code_counts() {
        let expect = json!({"error": 2000}).as_object().cloned().unwrap();
        let answer = json!({"id": "x", "allowed": null, "error": {"code": 2000, "message": "m"}});
        assert_eq!(outcome(&expect, "x", &answer, Comparison::Code), Outcome::Agree);
        let answer = json!({"id": "x", "allowed": false, "error": null});
        assert!(matches!(
            outcome(&expect, "x", &answer, Comparison::Code),
            Outcome::Disagree { .. }
        ));
    }
}
