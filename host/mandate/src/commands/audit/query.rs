//! `mandate audit query`.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use mandate_registry::audit::{AuditEntry, AuditFilter, Place};
use serde_json::{Value, json};

use super::named;
use crate::commands::instant::Instant;
use crate::commands::registry_option::ConfigOption;
use crate::moment::utc;
use crate::output::{self, Page};
use crate::registry_json;

/// Look for records: what did this identity do, with this credential, for this user?
///
/// Everything that is given has to fit. The order is that of the chains: by tenant, then by number.
#[derive(Args, Clone, Debug)]
pub(super) struct QueryCommand {
    /// Of this tenant; an empty one for what has none.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// About this machine identity, `agent:ID`.
    #[arg(long, value_name = "IDENTITY")]
    identity: Option<String>,
    /// About this credential.
    #[arg(long, value_name = "CREDENTIAL")]
    credential: Option<String>,
    /// About this user, `user:ID`.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// About this tool.
    #[arg(long, value_name = "TOOL")]
    tool: Option<String>,
    /// `allow` or `deny`: decisions alone.
    #[arg(long, value_name = "VERDICT", value_parser = ["allow", "deny"])]
    verdict: Option<String>,
    /// For this reason: decisions alone.
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// The record with this id.
    #[arg(long, value_name = "ID")]
    decision: Option<String>,
    /// From this moment on: seconds since 1970, or 2027-01-31T00:00:00Z.
    #[arg(long, value_name = "WHEN")]
    from: Option<Instant>,
    /// Before this moment.
    #[arg(long, value_name = "WHEN")]
    until: Option<Instant>,
    /// After this record: the last of the page before.
    #[arg(long, value_name = "TENANT/NUMBER")]
    after: Option<String>,
    /// As many as that.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    limit: u64,
    /// How they are written.
    #[arg(long, value_name = "FORM", default_value = "table")]
    format: Form,
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON: `--format json`.
    #[arg(long)]
    json: bool,
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Csv,
    Json,
    Table,
}

/// The members that a table has, beside where the record stands.
const COLUMNS: [&str; 11] = [
    "time",
    "user",
    "machine_identity_id",
    "credential_id",
    "action",
    "tool",
    "resource",
    "verdict",
    "reason",
    "relation_path",
    "change",
];

impl QueryCommand {
    pub(super) fn query(&self) -> anyhow::Result<ExitCode> {
        let now = crate::commands::session::now(None)?;
        let filter = AuditFilter {
            tenant: self.tenant.clone(),
            machine_identity_id: self.identity.clone(),
            credential_id: self.credential.clone(),
            user: self.user.clone(),
            tool: self.tool.clone(),
            verdict: self.verdict.clone(),
            reason: self.reason.clone(),
            decision_id: self.decision.clone(),
            from: self.from.map(|from| from.at(now)),
            until: self.until.map(|until| until.at(now)),
            after: self.after.as_deref().map(place).transpose()?,
            most: self.limit,
        };
        let entries = self.config.open()?.audit(&filter)?;
        let form = if self.json { Form::Json } else { self.format };
        Ok(match form {
            Form::Csv => output::print(&csv(&entries)?),
            Form::Json => {
                let records: Option<Vec<Value>> =
                    entries.iter().map(registry_json::audit_entry).collect();
                let records = records.context("a record is no JSON")?;
                output::print(&format!("{}\n", json!({"records": records})))
            }
            Form::Table => {
                let mut rows = vec![head()];
                for entry in &entries {
                    rows.push(row(entry)?);
                }
                let mut page = Page::new();
                page.table(&rows);
                output::print(page.as_str())
            }
        })
    }
}

fn place(text: &str) -> anyhow::Result<Place> {
    let parsed = text.rsplit_once('/').and_then(|(tenant, sequence)| {
        Some(Place { tenant: tenant.to_owned(), sequence: sequence.parse().ok()? })
    });
    parsed.with_context(|| format!("`--after`: `{text}` is no TENANT/NUMBER"))
}

fn head() -> Vec<String> {
    let names = COLUMNS.map(|name| name.replace('_', " "));
    ["tenant".to_owned(), "number".to_owned()].into_iter().chain(names).collect()
}

fn row(entry: &AuditEntry) -> anyhow::Result<Vec<String>> {
    let record: Value = serde_json::from_str(&entry.record).context("a record is no JSON")?;
    let mut row = vec![named(&entry.place.tenant), entry.place.sequence.to_string()];
    row.extend(COLUMNS.map(|name| match record.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::Number(time)) if name == "time" => time.as_u64().map(utc).unwrap_or_default(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let text = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            items.iter().map(text).collect::<Vec<_>>().join(" ")
        }
        Some(value) => value.to_string(),
    }));
    Ok(row)
}

/// RFC 4180. A cell that a spreadsheet would take for a formula begins with a quote.
fn csv(entries: &[AuditEntry]) -> anyhow::Result<String> {
    let mut text = line(&head());
    for entry in entries {
        text.push_str(&line(&row(entry)?));
    }
    Ok(text)
}

fn line(cells: &[String]) -> String {
    let cell = |cell: &String| {
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        format!("\"{guard}{}\"", cell.replace('"', "\"\""))
    };
    let cells: Vec<String> = cells.iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_no_formula_and_ends_where_it_ends() {
        let cells = ["=1+1".to_owned(), "a \"b\", c\n".to_owned(), String::new()];
        assert_eq!(line(&cells), "\"'=1+1\",\"a \"\"b\"\", c\n\",\"\"\r\n");
    }
}
