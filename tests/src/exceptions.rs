//! Rows of an outside suite on which we answer otherwise, each with its reason.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The exceptions of one suite: `contract/exceptions/<suite>.json`.
#[derive(Clone, Debug)]
pub struct Exceptions {
    listed: BTreeMap<String, Exception>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    id: String,
    expected: String,
    actual: String,
    reason: String,
}

impl Exceptions {
    /// Reads a list; an exception without a reason, or listed twice, does not load.
    ///
    /// # Panics
    /// When the list is malformed.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let list: Vec<Exception> = serde_json::from_str(text).expect("a list of exceptions");
        let mut listed = BTreeMap::new();
        for exception in list {
            assert!(!exception.reason.trim().is_empty(), "`{}` has no reason", exception.id);
            let twice = listed.insert(exception.id.clone(), exception);
            assert_eq!(twice, None, "listed twice");
        }
        Self { listed }
    }

    /// Compares every row (id, expected, actual). What disagrees without being listed, is listed
    /// otherwise, or is listed although it agrees or does not exist, comes back as a line.
    #[must_use]
    pub fn problems<'r>(
        &self,
        rows: impl IntoIterator<Item = (&'r str, &'r str, &'r str)>,
    ) -> Vec<String> {
        let mut unused = self.listed.clone();
        let mut problems = Vec::new();
        for (id, expected, actual) in rows {
            let found = format!("{id}: expected {expected}, got {actual}");
            match unused.remove(id) {
                None if expected == actual => {}
                None => problems.push(found),
                Some(_) if expected == actual => {
                    problems.push(format!("{id}: passes now, remove its exception"));
                }
                Some(listed) if listed.expected == expected && listed.actual == actual => {}
                Some(listed) => {
                    problems.push(format!("{found}, but `{}` is listed", listed.actual));
                }
            }
        }
        problems.extend(unused.keys().map(|id| format!("{id}: no such row")));
        problems
    }

    /// How many are listed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.listed.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(rows: &[(&str, &str, &str)]) -> Vec<String> {
        let listed = r#"[{"id":"a","expected":"valid","actual":"invalid","reason":"r"}]"#;
        Exceptions::parse(listed).problems(rows.iter().copied())
    }

    #[test]
    fn only_the_listed_disagreement_passes() {
        assert_eq!(problems(&[("a", "valid", "invalid"), ("b", "x", "x")]), Vec::<String>::new());
        assert_eq!(
            problems(&[("a", "valid", "valid"), ("b", "valid", "invalid")]),
            ["a: passes now, remove its exception", "b: expected valid, got invalid"]
        );
        assert_eq!(
            problems(&[("a", "valid", "trap")]),
            ["a: expected valid, got trap, but `invalid` is listed"]
        );
        assert_eq!(problems(&[]), ["a: no such row"]);
    }
}
