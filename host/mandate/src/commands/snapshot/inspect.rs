//! `mandate snapshot inspect`: what is in a snapshot or delta.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use mandate_authz::container::Kind;
use mandate_authz::delta;
use serde_json::{Value, json};

use super::census::Census;
use super::container_file::ContainerFile;
use super::key_file::PinnedKeys;
use super::row_text;
use crate::commands::session::now;
use crate::output::{self, Page};

/// Show the header of a snapshot or delta, and count what it holds.
///
/// Without --key nothing is verified, and it says so. Exit codes: 0 shown, 1 the keys that were
/// given did not sign it, 2 it cannot be read.
#[derive(Args, Clone, Debug)]
pub(super) struct InspectCommand {
    /// The snapshot or delta.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Public key (JWK) that may have signed; twice while keys rotate.
    #[arg(long, value_name = "PUBLIC")]
    key: Vec<PathBuf>,
    /// Show the sections of a snapshot's body.
    #[arg(long)]
    sections: bool,
    /// The moment to look from, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl InspectCommand {
    /// Shows: 0 shown, 1 not verified by the keys that were given, 2 unreadable.
    pub(super) fn run(self) -> ExitCode {
        self.inspect().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }

    fn inspect(&self) -> anyhow::Result<ExitCode> {
        let now = now(self.now)?;
        let keys = PinnedKeys::read(&self.key)?.keys;
        let file = ContainerFile::read(&self.file)?;
        let problem = match keys.as_slice() {
            [] => None,
            keys => file.verify(keys).err().map(|problem| problem.to_string()),
        };
        let verified = !keys.is_empty() && problem.is_none();
        let mut page = Page::new();
        let standing = match &problem {
            _ if verified => "verified".to_owned(),
            Some(problem) => format!("NOT VERIFIED: {problem}"),
            None => "not verified: give `--key PUBLIC`".to_owned(),
        };
        page.line(&format!("{} `{}`: {standing}", file.kind(), self.file.display()));
        page.rows(&file.rows(now));
        let mut value = json!({
            "file": self.file,
            "verified": verified,
            "header": file.to_json(),
        });
        if let Some(members) = value.as_object_mut() {
            members.extend(problem.clone().map(|text| ("problem".to_owned(), Value::from(text))));
            members.extend([self.content(&file, now, &mut page)?]);
        }
        let printed = output::print_either(self.json, &value, &page);
        let denied = problem.is_some() && printed == ExitCode::SUCCESS;
        Ok(if denied { ExitCode::from(output::DENY) } else { printed })
    }

    fn content(
        &self,
        file: &ContainerFile,
        now: u64,
        page: &mut Page,
    ) -> anyhow::Result<(String, Value)> {
        page.line("");
        if let Kind::Delta { .. } = file.header.statement.kind {
            let rows = delta::decode(file.body())?;
            page.line(&format!("rows: {}", rows.len()));
            let lines: Vec<String> = rows.iter().map(row_text::row).collect();
            lines.iter().for_each(|line| page.line(&format!("  {line}")));
            return Ok(("rows".to_owned(), json!(lines)));
        }
        let snapshot = file.snapshot()?;
        let census = Census::take(&snapshot, now);
        census.write(page);
        let mut value = census.to_json();
        if self.sections {
            page.line("");
            page.line("sections");
            let mut rows = vec![vec!["section".to_owned(), "bytes".to_owned()]];
            for (name, bytes) in snapshot.section_bytes() {
                rows.push(vec![name.to_owned(), bytes.to_string()]);
            }
            page.table(&rows);
            let sections: serde_json::Map<_, _> = snapshot
                .section_bytes()
                .map(|(name, bytes)| (name.to_owned(), Value::from(bytes)))
                .collect();
            if let Some(members) = value.as_object_mut() {
                members.insert("sections".to_owned(), Value::from(sections));
            }
        }
        Ok(("content".to_owned(), value))
    }
}
