//! `fga.mod`: the schema and the files of a model of modules.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::{Location, Spanned};

use crate::limits::MODEL_BYTES;
use crate::model::error::{ModelError, Problem, Span};

/// The files of a model, in the order in which they are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Paths relative to the manifest, none of which leads out of its directory.
    pub files: Vec<String>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Everything that is wrong, with line and column: a schema that is not `'1.2'`, a file that
    /// could lie elsewhere or is no `.fga` file.
    pub fn parse(text: &str) -> Result<Self, Vec<ModelError>> {
        if text.len() > MODEL_BYTES {
            return Err(vec![ModelError::new(Problem::TooLarge { limit: MODEL_BYTES })]);
        }
        let shape: Shape =
            serde_saphyr::from_str(text).map_err(|error| vec![yaml_error(&error)])?;
        let mut errors = Vec::new();
        check_schema(shape.schema.as_ref(), &mut errors);
        let files = read_contents(shape.contents.as_ref(), &mut errors);
        if errors.is_empty() { Ok(Self { files }) } else { Err(errors) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(default)]
    schema: Option<Spanned<Value>>,
    #[serde(default)]
    contents: Option<Spanned<Contents>>,
}

/// A list whose entries know their place, or whatever else stands there.
enum Contents {
    List(Vec<Spanned<Value>>),
    Other(String),
}

impl<'de> Deserialize<'de> for Contents {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(ContentsVisitor)
    }
}

struct ContentsVisitor;

impl<'de> Visitor<'de> for ContentsVisitor {
    type Value = Contents;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of files")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Contents, E> {
        Ok(Contents::Other(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Contents, E> {
        Ok(Contents::Other(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Contents, E> {
        Ok(Contents::Other(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Contents, E> {
        Ok(Contents::Other(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Contents, E> {
        Ok(Contents::Other(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Contents, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        Ok(Contents::List(list))
    }
}

fn check_schema(schema: Option<&Spanned<Value>>, errors: &mut Vec<ModelError>) {
    let Some(schema) = schema else {
        errors.push(manifest_error(None, "missing schema field"));
        return;
    };
    let Some(version) = schema.value.as_str() else {
        let message = format!("unexpected schema type, expected string got value {}", schema.value);
        errors.push(manifest_error(Some(schema.referenced), &message));
        return;
    };
    if version != "1.2" {
        let message = "unsupported schema version, fga.mod only supported in version `1.2`";
        errors.push(manifest_error(Some(schema.referenced), message));
    }
}

fn read_contents(
    contents: Option<&Spanned<Contents>>,
    errors: &mut Vec<ModelError>,
) -> Vec<String> {
    let Some(contents) = contents else {
        errors.push(manifest_error(None, "missing contents field"));
        return Vec::new();
    };
    let entries = match &contents.value {
        Contents::List(entries) => entries,
        Contents::Other(value) => {
            let message =
                format!("unexpected contents type, expected list of strings got value {value}");
            errors.push(manifest_error(Some(contents.referenced), &message));
            return Vec::new();
        }
    };
    let mut files = Vec::new();
    let mut known = BTreeSet::new();
    for entry in entries {
        match read_entry(&entry.value, &mut known) {
            Ok(file) => files.push(file),
            Err(message) => errors.push(manifest_error(Some(entry.referenced), &message)),
        }
    }
    files
}

fn read_entry(entry: &Value, known: &mut BTreeSet<String>) -> Result<String, String> {
    let Some(entry) = entry.as_str() else {
        return Err(format!("unexpected contents item type, expected string got value {entry}"));
    };
    let file = decoded(entry);
    if leads_out(&file) {
        return Err(format!("invalid contents item {entry}"));
    }
    if !file.ends_with(".fga") {
        return Err(format!("contents items should use fga file extension, got {entry}"));
    }
    if !known.insert(file.clone()) {
        return Err(format!("contents item {entry} is listed twice"));
    }
    Ok(file)
}

/// As the official reader: what hides a path's parts is written out before they are looked at.
fn decoded(entry: &str) -> String {
    [("%2e", "."), ("%2E", "."), ("%2f", "/"), ("%2F", "/"), ("%5c", "\\"), ("%5C", "\\")]
        .into_iter()
        .fold(entry.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

/// Above OpenFGA's own rules also what is absolute on Windows, and control characters.
fn leads_out(file: &str) -> bool {
    file.contains("../")
        || file.contains("..\\")
        || file.starts_with(['/', '\\'])
        || file.contains(|character: char| character.is_control() || character == ':')
}

fn yaml_error(error: &serde_saphyr::Error) -> ModelError {
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or("not YAML");
    let message = line.rsplit_once(" at line ").map_or(line, |(message, _)| message);
    manifest_error(error.location(), message)
}

fn manifest_error(location: Option<Location>, message: &str) -> ModelError {
    let problem = Problem::Manifest { message: message.to_owned() };
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let span = location.map_or(Span { line: 1, column: 1, length: 0 }, |location| Span {
        line: number(location.line()),
        column: number(location.column()),
        length: number(location.span().len()),
    });
    ModelError::at(span, problem)
}
