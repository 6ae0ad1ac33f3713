//! From YAML to members, strictly.

use serde::Deserialize as _;
use serde_path_to_error::{Path, Segment};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{DuplicateKeyPolicy, Error, MergeKeyPolicy, Options};

use super::FactsError;
use super::file::File;
use crate::limits;

/// Reads a file: one document, plain data, every member known.
pub(super) fn read(text: &str) -> Result<File, FactsError> {
    if text.len() > limits::FACTS_BYTES {
        let message = format!("has more than {} bytes", limits::FACTS_BYTES);
        return Err(FactsError::new("", None, message));
    }
    let mut path = String::new();
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options(text), |yaml| {
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(yaml, &mut track);
        File::deserialize(tracked).inspect_err(|_| path = written(&track.path()))
    });
    read.map_err(|error| described(path, &error))
}

/// No anchors, no merges, no tags: what stands there is what is meant.
fn options(text: &str) -> Options {
    let bytes = text.len();
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_anchors: 0,
            max_aliases: 0,
            // One, and the second that is refused.
            max_documents: 2,
            // Without aliases nothing is larger than the text.
            max_events: bytes.saturating_mul(4).saturating_add(16),
            max_nodes: bytes.saturating_mul(4).saturating_add(16),
            max_total_scalar_bytes: bytes,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        reject_tagged_field_names: true,
        with_snippet: false,
    }
}

/// The path as the rest of the loader writes it: an entry that knows its line counts as itself.
fn written(path: &Path) -> String {
    let mut text = String::new();
    let mut after_entry = false;
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } if after_entry && key == "value" => {}
            Segment::Map { key } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
        after_entry = matches!(segment, Segment::Seq { .. });
    }
    text
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser's errors are many; those that need our words are named"
)]
fn described(mut path: String, error: &Error) -> FactsError {
    let error = error.without_snippet();
    let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
    let message = match error {
        Error::SerdeUnknownField { field, .. } => {
            if !path.ends_with(field) {
                path = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
            }
            "is not known here".to_owned()
        }
        Error::SerdeMissingField { field, .. } => format!("`{field}` is missing"),
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("`{key}` is there twice"),
        Error::NullIntoString { .. } => "a text is missing".to_owned(),
        Error::MergeKeyNotAllowed { .. } => "merge keys are not read".to_owned(),
        Error::MultipleDocuments { .. } => "there are several documents".to_owned(),
        Error::Budget {
            breach: BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. },
            ..
        } => "anchors and aliases are not read".to_owned(),
        _ => plain(&error.to_string()),
    };
    FactsError::new(path, line, message)
}

/// The parser's own words: their first line, without the place.
fn plain(text: &str) -> String {
    let line = text.lines().next().unwrap_or("is not YAML");
    line.rsplit_once(" at line ").map_or(line, |(message, _)| message).to_owned()
}
