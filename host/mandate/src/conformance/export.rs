//! Fixtures as concrete files, for those who have no Rust: tokens, key sets and snapshots written
//! out.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::suite::Questions;
use crate::mint::sorted_text;

/// Writes `ID.json` for every fixture, and `requests.jsonl` with all requests, a line each. The id
/// of a decision is `FIXTURE/CASE`: a folder for each fixture.
///
/// # Errors
/// When a file cannot be written.
pub fn export(questions: &Questions, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut lines = String::new();
    for super::Concrete { fixture, request } in &questions.tokens {
        let document = json!({
            "id": fixture.id,
            "why": fixture.why,
            "request": request,
            "expect": fixture.expect,
            "twin": fixture.twin,
        });
        write_document(folder, &fixture.id, document)?;
        lines.push_str(&sorted_text(request));
        lines.push('\n');
    }
    for decision in questions.decisions.iter().filter(|decision| decision.skip.is_none()) {
        let document = json!({
            "id": decision.id,
            "why": decision.why,
            "request": decision.line,
            "expect": decision.expect,
            "twin": decision.twin,
        });
        write_document(folder, &decision.id, document)?;
        lines.push_str(&sorted_text(&decision.line));
        lines.push('\n');
    }
    write(&folder.join("requests.jsonl"), &lines)
}

fn write_document(folder: &Path, id: &str, mut document: Value) -> Result<()> {
    if let Some(members) = document.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    let path = folder.join(format!("{id}.json"));
    if let Some(inside) = path.parent() {
        fs::create_dir_all(inside).with_context(|| format!("cannot make {}", inside.display()))?;
    }
    write(&path, &format!("{}\n", serde_json::to_string_pretty(&document)?))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
