//! What these tests share: the outside suites and their cases.

#[path = "../../../../tests/src/skip.rs"]
#[expect(unreachable_pub, reason = "shared with a crate where it is public")]
pub(crate) mod skip;

use std::path::{Path, PathBuf};

use mandate_authz::model::ModelError;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// One suite; says aloud that `part` is skipped where there is none.
pub(crate) fn suite(name: &str, part: &str) -> Option<PathBuf> {
    let Some(suites) = std::env::var_os("MANDATE_SUITES") else {
        skip::skip(part, "MANDATE_SUITES names no folder of outside suites");
        return None;
    };
    let folder = PathBuf::from(suites).join(name);
    assert!(folder.is_dir(), "MANDATE_SUITES has no folder `{name}`");
    Some(folder)
}

/// The folders in a folder, sorted.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn read_yaml<T: DeserializeOwned>(path: &Path) -> T {
    serde_saphyr::from_str(&read(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An error as OpenFGA's data has it: lines and columns count from 0.
#[derive(Debug, Deserialize)]
pub(crate) struct ExpectedError {
    pub(crate) msg: String,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<Range>,
    pub(crate) column: Option<Range>,
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Range {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    #[serde(rename = "errorType")]
    pub(crate) error_type: Option<String>,
}

/// What is compared of an error: file, line, first and last column (from 0), kind and words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) file: Option<String>,
    pub(crate) place: Option<(u32, u32, u32)>,
    pub(crate) code: Option<String>,
    pub(crate) words: String,
}

impl From<&ExpectedError> for Told {
    fn from(error: &ExpectedError) -> Self {
        let place = error.line.as_ref().zip(error.column.as_ref());
        Self {
            file: error.file.clone(),
            place: place.map(|(line, column)| (line.start, column.start, column.end)),
            code: error.metadata.as_ref().and_then(|metadata| metadata.error_type.clone()),
            words: error.msg.trim_end_matches('.').to_owned(),
        }
    }
}

impl From<&ModelError> for Told {
    fn from(error: &ModelError) -> Self {
        let place =
            error.span.map(|span| (span.line - 1, span.column - 1, span.column - 1 + span.length));
        Self {
            file: error.file.clone(),
            place,
            code: Some(error.problem.code().to_owned()),
            words: error.problem.to_string(),
        }
    }
}

/// Both sides in one order, with the kind only where the data names one.
pub(crate) fn told(errors: &[ModelError], expected: &[ExpectedError]) -> (Vec<Told>, Vec<Told>) {
    let mut found: Vec<_> = errors.iter().map(Told::from).collect();
    let mut expected: Vec<_> = expected.iter().map(Told::from).collect();
    for list in [&mut found, &mut expected] {
        list.sort_by(|left, right| {
            (&left.file, left.place, &left.words).cmp(&(&right.file, right.place, &right.words))
        });
    }
    for (found, expected) in found.iter_mut().zip(&expected) {
        if expected.code.is_none() {
            found.code = None;
        }
    }
    (found, expected)
}

/// One line of the table that a test prints.
pub(crate) fn table_row(what: &str, cases: usize, agree: usize, exceptions: usize) {
    println!("{what:<44}{cases:>6} cases{agree:>6} agree{exceptions:>4} exceptions");
}
