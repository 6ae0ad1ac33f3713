//! Disagreements that are known and accepted, each with its reason.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};
use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::outcome::Outcome;

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../contract/exceptions");

/// One runner's exceptions: `contract/exceptions/<runner>.json`.
#[derive(Debug, Clone, Default)]
pub struct Exceptions(BTreeMap<String, Exception>);

/// One accepted disagreement.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The fixture.
    pub id: String,
    /// What the fixture expects, as the table prints it: `deny token-claim`.
    pub expected: String,
    /// What the runner answers, as the table prints it: `allow`, `deny token-malformed`.
    pub actual: String,
    /// Why that is accepted.
    pub reason: String,
}

impl Exceptions {
    /// The exceptions that travel in the binary; none for a runner without a file.
    ///
    /// # Errors
    /// When the file is malformed.
    pub fn embedded(runner: &str) -> Result<Self> {
        let path = format!("{runner}.json");
        match EMBEDDED.get_file(&path) {
            None => Ok(Self::default()),
            Some(file) => {
                Self::parse(file.contents_utf8().context("not UTF-8")?).with_context(|| path)
            }
        }
    }

    /// The exceptions in a file.
    ///
    /// # Errors
    /// When the file cannot be read or is malformed.
    pub fn from_file(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        Self::parse(&text).with_context(|| shown.to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let list: Vec<Exception> = serde_json::from_str(text)?;
        let mut exceptions = BTreeMap::new();
        for exception in list {
            let id = exception.id.clone();
            ensure!(!exception.reason.trim().is_empty(), "exception `{id}` has no reason");
            ensure!(exceptions.insert(id.clone(), exception).is_none(), "exception `{id}` twice");
        }
        Ok(Self(exceptions))
    }

    /// Ids that no fixture has.
    #[must_use]
    pub fn unknown<'id>(&self, known: impl Iterator<Item = &'id str>) -> Vec<String> {
        let known: std::collections::BTreeSet<&str> = known.collect();
        self.0.keys().filter(|id| !known.contains(id.as_str())).cloned().collect()
    }

    /// The outcome, with the exceptions taken into account: a listed disagreement is an exception,
    /// and a listed fixture that agrees after all is a disagreement, so that the list cannot rot.
    #[must_use]
    pub fn apply(&self, id: &str, outcome: Outcome) -> Outcome {
        let Some(exception) = self.0.get(id) else { return outcome };
        match outcome {
            Outcome::Disagree { expected, actual } => {
                let word = actual.split_whitespace().next().unwrap_or_default();
                let same = exception.actual == actual || exception.actual == word;
                if same && exception.expected == expected {
                    Outcome::Exception { reason: exception.reason.clone() }
                } else {
                    Outcome::Disagree { expected, actual }
                }
            }
            Outcome::Agree => Outcome::Disagree {
                expected: format!("the exception `{}`", exception.actual),
                actual: "an unexpected pass: remove the exception".to_owned(),
            },
            other @ (Outcome::Exception { .. } | Outcome::Skipped { .. }) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exceptions, Outcome};

    fn exceptions() -> Exceptions {
        Exceptions::parse(
            r#"[{"id": "a", "expected": "deny token-claim", "actual": "allow", "reason": "r"}]"#,
        )
        .unwrap()
    }

    fn disagree(actual: &str) -> Outcome {
        Outcome::Disagree { expected: "deny token-claim".to_owned(), actual: actual.to_owned() }
    }

    #[test]
    fn a_listed_disagreement_is_an_exception_and_another_is_not() {
        let exceptions = exceptions();
        assert_eq!(
            exceptions.apply("a", disagree("allow ok")),
            Outcome::Exception { reason: "r".to_owned() }
        );
        assert_eq!(exceptions.apply("a", disagree("deny x")), disagree("deny x"));
        assert_eq!(exceptions.apply("b", disagree("allow ok")), disagree("allow ok"));
    }

    #[test]
    fn an_unexpected_pass_fails() {
        assert_eq!(
            exceptions().apply("a", Outcome::Agree),
            Outcome::Disagree {
                expected: "the exception `allow`".to_owned(),
                actual: "an unexpected pass: remove the exception".to_owned()
            }
        );
    }

    #[test]
    fn an_exception_without_a_reason_does_not_load() {
        let text = r#"[{"id": "a", "expected": "x", "actual": "y", "reason": " "}]"#;
        assert_eq!(Exceptions::parse(text).unwrap_err().to_string(), "exception `a` has no reason");
    }
}
