//! A working folder, as `mandate init` makes it.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::indexing_slicing,
    reason = "each test file uses its part"
)]

use serde_json::Value;

use crate::cli::{Folder, Ran, mandate, mandate_with};

/// The moment of the tests.
pub(crate) const NOW: u64 = 1_767_225_600;

/// A working folder of one test.
pub(crate) struct Workplace {
    pub(crate) folder: Folder,
}

impl Workplace {
    /// What `init` makes.
    pub(crate) fn new(test: &str) -> Self {
        let folder = Folder::new(&format!("registry-{test}"));
        let at = folder.path("acme");
        let now = NOW.to_string();
        let ran = mandate(&["init", &at, "--deployment", "acme", "--now", &now]);
        assert_eq!(ran.code, 0, "{ran:?}");
        Self { folder }
    }

    /// With the organizations, people, agents and boards of docs/examples/boards.
    pub(crate) fn of_boards(test: &str) -> Self {
        let workplace = Self::new(test);
        workplace.json(&["facts", "apply", BOARDS]);
        workplace
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path(&format!("acme/{name}"))
    }

    fn arguments(&self, words: &[&str]) -> Vec<String> {
        let mut arguments: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        arguments.extend(["--config".to_owned(), self.path("mandate.yaml")]);
        arguments
    }

    /// Runs a verb on it.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        mandate(&self.arguments(words))
    }

    /// Runs a verb on it that reads.
    pub(crate) fn run_with(&self, words: &[&str], stdin: &[u8]) -> Ran {
        mandate_with(&self.arguments(words), stdin)
    }

    /// Runs a verb on it that has to work; its page.
    pub(crate) fn page(&self, words: &[&str]) -> String {
        let ran = self.run(words);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{words:?} {ran:?}");
        ran.stdout
    }

    /// Runs a verb on it that has to work; its JSON.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let ran = self.run(&[words, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{words:?} {ran:?}");
        ran.json()
    }

    /// Runs a verb on it that has to be refused; its one line.
    pub(crate) fn refused(&self, words: &[&str]) -> String {
        self.run(words).one_line().to_owned()
    }
}

pub(crate) const BOARDS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/boards/facts.yaml");
