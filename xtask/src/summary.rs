//! What a run did not do, with reasons: printed last, so that a green run hides nothing.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::checkout::Checkout;

/// Collects skipped parts from this process and, through a file, from the tests it starts.
#[derive(Debug)]
pub(crate) struct Summary {
    file: PathBuf,
    skipped: Vec<String>,
}

impl Summary {
    /// An empty summary.
    ///
    /// # Errors
    /// When the file for the tests' lines cannot be made.
    pub(crate) fn new(checkout: &Checkout) -> anyhow::Result<Self> {
        let file = checkout.path("target/skipped.txt");
        std::fs::create_dir_all(checkout.path("target")).context("cannot make target/")?;
        std::fs::write(&file, "").context("cannot write target/skipped.txt")?;
        Ok(Self { file, skipped: Vec::new() })
    }

    /// The file to which tests append: `MANDATE_SKIPS`.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Records a part that did not run.
    pub(crate) fn skip(&mut self, part: &str, reason: &str) {
        crate::say!("skipped: {part}: {reason}");
        self.skipped.push(format!("{part}: {reason}"));
    }

    /// Prints every skipped part once, with its count.
    pub(crate) fn print(&self) {
        let from_tests = std::fs::read_to_string(&self.file).unwrap_or_default();
        let lines = merge(&self.skipped, &from_tests);
        let parts = if lines.len() == 1 { "part" } else { "parts" };
        crate::say!("summary: {} {parts} skipped", lines.len());
        for line in lines {
            crate::say!("  skipped: {line}");
        }
    }
}

fn merge(own: &[String], from_tests: &str) -> Vec<String> {
    let tests = from_tests.lines().map(|line| line.trim_start_matches("skipped: ").to_owned());
    let mut lines: Vec<_> = own.iter().cloned().chain(tests).collect();
    lines.sort();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_was_skipped_twice_is_listed_once() {
        let own = ["deny: no database".to_owned()];
        let merged =
            merge(&own, "skipped: wycheproof: no suites\nskipped: wycheproof: no suites\n");
        assert_eq!(merged, ["deny: no database", "wycheproof: no suites"]);
    }
}
