//! One fixture's outcome: does the answer agree with the fixture?

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use super::fixture::{Expectation, Verdict};

/// How much of an answer has to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Comparison {
    /// Allow or deny.
    Decision,
    /// Allow or deny, and the reason code.
    Code,
    /// Everything that the fixture states: the verified token and the refresh request too.
    Full,
}

/// One fixture's outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "outcome")]
pub enum Outcome {
    /// The answer is the fixture's.
    Agree,
    /// It is not, or there was none.
    Disagree {
        /// What the fixture expects.
        expected: String,
        /// What came.
        actual: String,
    },
    /// It is not, and `contract/exceptions` says so, with the reason.
    Exception {
        /// Why that is accepted.
        reason: String,
    },
    /// The implementation said that it cannot answer, and why.
    Skipped {
        /// Its reason.
        reason: String,
    },
}

impl Outcome {
    /// Compares an answer with what the fixture expects.
    #[must_use]
    pub fn of(expect: &Expectation, id: &str, answer: &Value, comparison: Comparison) -> Self {
        let disagree = |actual: String| Self::Disagree { expected: expected(expect), actual };
        if answer.get("id").and_then(Value::as_str) != Some(id) {
            return disagree(format!("an answer with another id: {}", brief(answer)));
        }
        if let Some(skip) = answer.get("skip") {
            return match skip.as_str() {
                Some(reason) if !reason.trim().is_empty() => {
                    Self::Skipped { reason: reason.to_owned() }
                }
                _ => disagree("skipped without a reason".to_owned()),
            };
        }
        match difference(expect, answer, comparison) {
            None => Self::Agree,
            Some(actual) => disagree(actual),
        }
    }
}

impl Outcome {
    /// The outcome where no answer came.
    #[must_use]
    pub fn failed(expect: &Expectation, error: &str) -> Self {
        Self::Disagree { expected: expected(expect), actual: error.to_owned() }
    }
}

/// The first difference, in words; nothing when the answer agrees.
fn difference(expect: &Expectation, answer: &Value, comparison: Comparison) -> Option<String> {
    let verdict = answer.get("verdict").and_then(Value::as_str);
    let Some(verdict @ ("allow" | "deny")) = verdict else {
        return Some(format!("no verdict: {}", brief(answer)));
    };
    let reason = answer.get("reason").and_then(Value::as_str).unwrap_or_default();
    let actual = format!("{verdict} {reason}").trim_end().to_owned();
    if verdict != verdict_word(expect.verdict) {
        return Some(actual);
    }
    if comparison >= Comparison::Code && reason != expect.reason {
        return Some(actual);
    }
    if comparison < Comparison::Full {
        return None;
    }
    if let Some(other) = token_difference(expect.token.as_ref(), answer.get("token")) {
        return Some(format!("{actual}, {other}"));
    }
    let refresh = answer.get("refresh").and_then(Value::as_str);
    if refresh != expect.refresh.as_deref() {
        return Some(format!("{actual}, refresh {refresh:?}"));
    }
    let detail = answer.get("detail").and_then(Value::as_str).unwrap_or_default();
    // In backticks, so that one path is not taken for the start of a longer one.
    let names = |path: &String| detail.contains(&format!("`{path}`"));
    (!expect.path.iter().all(names)).then(|| format!("{actual}, detail: {detail}"))
}

fn token_difference(expected: Option<&Value>, actual: Option<&Value>) -> Option<String> {
    if expected == actual {
        return None;
    }
    let members =
        |token: Option<&Value>| token.and_then(Value::as_object).cloned().unwrap_or_default();
    let (expected, actual) = (members(expected), members(actual));
    let name =
        expected.keys().chain(actual.keys()).find(|name| expected.get(*name) != actual.get(*name));
    let name = name.map_or("", String::as_str);
    let show = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), brief);
    Some(format!(
        "token.{name} is {}, expected {}",
        show(actual.get(name)),
        show(expected.get(name))
    ))
}

fn expected(expect: &Expectation) -> String {
    format!("{} {}", verdict_word(expect.verdict), expect.reason)
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Deny => "deny",
        Verdict::Allow => "allow",
    }
}

/// JSON, cut to a line that fits a table.
fn brief(value: &Value) -> String {
    value.to_string().chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Comparison, Outcome};
    use crate::conformance::{Expectation, Verdict};

    fn outcome(answer: &Value, comparison: Comparison) -> Outcome {
        let expect = Expectation {
            verdict: Verdict::Allow,
            reason: "ok".to_owned(),
            token: Some(json!({"issuer": "i", "subject": "s"})),
            refresh: None,
            path: None,
        };
        Outcome::of(&expect, "x", answer, comparison)
    }

    fn disagree(actual: &str) -> Outcome {
        Outcome::Disagree { expected: "allow ok".to_owned(), actual: actual.to_owned() }
    }

    #[test]
    fn another_token_is_a_disagreement_only_in_full() {
        let answer = json!({"id": "x", "verdict": "allow", "reason": "ok", "token": {"issuer": "i", "subject": "t"}});
        assert_eq!(outcome(&answer, Comparison::Code), Outcome::Agree);
        assert_eq!(
            outcome(&answer, Comparison::Full),
            disagree("allow ok, token.subject is \"t\", expected \"s\"")
        );
    }

    #[test]
    fn an_answer_without_a_verdict_or_with_another_id_is_a_disagreement() {
        let answer = json!({"id": "x", "error": {"path": "", "message": "m"}});
        let text = r#"no verdict: {"error":{"message":"m","path":""},"id":"x"}"#;
        let outcome_of = |answer: &Value| outcome(answer, Comparison::Decision);
        assert!(
            matches!(outcome_of(&answer), Outcome::Disagree { actual, .. } if actual.len() == text.len())
        );
        assert_eq!(
            outcome_of(&json!({"id": "y"})),
            disagree(r#"an answer with another id: {"id":"y"}"#)
        );
    }

    #[test]
    fn a_skip_counts_only_with_a_reason() {
        assert_eq!(
            outcome(&json!({"id": "x", "skip": "no PS256"}), Comparison::Full),
            Outcome::Skipped { reason: "no PS256".to_owned() }
        );
        assert_eq!(
            outcome(&json!({"id": "x", "skip": " "}), Comparison::Full),
            disagree("skipped without a reason")
        );
    }
}
