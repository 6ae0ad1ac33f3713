//! The operations of the probe protocol that are about relationships, decisions and the gate.

mod decisions;
mod gate;
mod relations;

use anyhow::Result;
use mandate_authn::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use self::decisions::Decisions;
use self::gate::GateLine;
use self::relations::Relations;
use crate::engine::Engine;
use crate::mint::sorted_text;

/// The longest line that is read, its end not counted, in bytes.
pub(crate) const LONGEST_LINE: usize = 4 * 1024 * 1024;

/// As deep as the JSON form of a model may be, and the line around it.
const DEPTH: usize = 120;

/// Makes an engine with nothing loaded.
type MakeEngine = dyn Fn() -> Result<Box<dyn Engine>>;

/// What answers questions about relationships.
pub(super) struct Questions {
    make: Box<MakeEngine>,
    decisions: Decisions,
    relations: Relations,
    /// For [`Relations`].
    engine: Option<Box<dyn Engine>>,
}

impl Questions {
    /// Nothing is loaded.
    pub(super) fn new(make: Box<MakeEngine>) -> Self {
        let (decisions, relations) = (Decisions::default(), Relations::default());
        Self { make, decisions, relations, engine: None }
    }

    /// The answer to a line about relationships; `None` for any other line.
    pub(super) fn answer(&mut self, line: &str) -> Option<String> {
        // Of two members of a name this is the last; the strict reader refuses both.
        let known: Value = serde_json::from_str(line).ok()?;
        let operation = known.get("op")?.as_str()?;
        if !matches!(operation, "check" | "decide" | "filter-list" | "gate" | "list-objects") {
            return None;
        }
        let answered = self.asked(operation, line).unwrap_or_else(|error| {
            let (path, message) = match error.downcast_ref::<Misread>() {
                Some(Misread { path, message }) => (path.as_str(), message.clone()),
                None => ("", format!("{error:#}")),
            };
            json!({ "id": known.get("id"), "error": { "path": path, "message": message } })
        });
        Some(sorted_text(&answered))
    }

    fn asked(&mut self, operation: &str, line: &str) -> Result<Value> {
        match operation {
            "check" => {
                let line = read(line)?;
                let engine = engine(&mut self.engine, &self.make)?;
                self.relations.check(line, engine)
            }
            "list-objects" => {
                let line = read(line)?;
                let engine = engine(&mut self.engine, &self.make)?;
                self.relations.list(line, engine)
            }
            "filter-list" | "gate" => {
                read::<GateLine>(line)?.answer(&mut self.decisions, &self.make)
            }
            _ => self.decisions.decide(read(line)?, &self.make),
        }
    }
}

fn engine<'e>(
    engine: &'e mut Option<Box<dyn Engine>>,
    make: &MakeEngine,
) -> Result<&'e mut dyn Engine> {
    let made = match engine.take() {
        Some(made) => made,
        None => make()?,
    };
    Ok(engine.insert(made).as_mut())
}

/// What is wrong with a line.
#[derive(Debug)]
struct Misread {
    path: String,
    message: String,
}

impl std::fmt::Display for Misread {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Misread {}

/// Reads a line strictly: serde_json would keep the last of two members of a name.
fn read<T: for<'de> Deserialize<'de>>(line: &str) -> Result<T, Misread> {
    Json::parse(line.as_bytes(), DEPTH).map_err(|problem| Misread {
        path: String::new(),
        message: format!("the document {}", problem.describe()),
    })?;
    let mut reader = serde_json::Deserializer::from_str(line);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        Misread { path, message: error.into_inner().to_string() }
    })
}
