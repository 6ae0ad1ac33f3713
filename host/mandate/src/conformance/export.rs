//! Fixtures as concrete files, for those who have no Rust: token bytes and key sets written out.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::fixture_set::Concrete;
use crate::mint::sorted_text;

/// Writes `ID.json` for every fixture, and `requests.jsonl` with all requests, a line each.
///
/// # Errors
/// When a file cannot be written.
pub fn export(fixtures: &[Concrete], folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    let mut lines = String::new();
    for Concrete { fixture, request } in fixtures {
        let mut document = json!({
            "id": fixture.id,
            "why": fixture.why,
            "request": request,
            "expect": fixture.expect,
        });
        if let (Some(twin), Some(members)) = (&fixture.twin, document.as_object_mut()) {
            members.insert("twin".to_owned(), Value::String(twin.clone()));
        }
        let text = format!("{}\n", serde_json::to_string_pretty(&document)?);
        write(&format!("{}.json", fixture.id), &text)?;
        lines.push_str(&sorted_text(request));
        lines.push('\n');
    }
    write("requests.jsonl", &lines)
}
