//! `mandate credential import-legacy`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::Args;
use mandate_registry::credential::NewLegacyToken;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::commands::input_file;
use crate::commands::registry_option::{ActOptions, ConfirmOption, finish, object};
use crate::output::Page;
use crate::registry_json;

/// Import the rows of a table of hashed tokens, so that they can be recognised. Nothing decides by
/// them.
///
/// The file has one JSON object a line: `algorithm`, `hash`, and perhaps `identity`. All rows are
/// imported or none; a hash that is there already is passed over.
#[derive(Args, Clone, Debug)]
pub(super) struct ImportCommand {
    /// The file; `-` for stdin.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    confirm: ConfirmOption,
    #[command(flatten)]
    act: ActOptions,
}

/// A line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    algorithm: String,
    hash: String,
    identity: Option<String>,
}

/// Rows of a large table.
const LONGEST: u64 = 64 * 1024 * 1024;

impl ImportCommand {
    pub(super) fn import(&self) -> anyhow::Result<ExitCode> {
        let text = input_file::read_text_within("tokens", &self.file, LONGEST)?;
        let mut tokens = Vec::new();
        for (number, line) in (1_u64..).zip(text.lines()) {
            let wrong = || anyhow!("tokens `{}`: line {number}", self.file.display());
            // serde's message could repeat a hash.
            let parsed: Result<Line, _> = serde_json::from_str(line);
            let Line { algorithm, hash, identity } = parsed.map_err(|_| {
                wrong().context("must be an object of `algorithm`, `hash`, and perhaps `identity`")
            })?;
            let identity = identity.map(|identity| object("identity", &identity));
            let identity = identity.transpose().with_context(|| wrong().to_string())?;
            tokens.push(NewLegacyToken { algorithm, hash, identity });
        }
        let (mut registry, act) = self.act.open_as(self.confirm.confirm())?;
        let written = registry.import_legacy_tokens(&act, &tokens)?;
        let (rows, imported) = (tokens.len(), written.outcome.len());
        let linked = written.outcome.iter().filter(|token| token.identity.is_some()).count();
        let mut page = Page::new();
        page.line(&format!(
            "{imported} of {rows} tokens are new, {linked} of these have an identity"
        ));
        self.confirm.explain(&mut page);
        let values: Vec<Value> = written.outcome.iter().map(registry_json::legacy_token).collect();
        let value = json!({"rows": rows, "imported": values});
        Ok(finish(self.act.json, &act, page, value, written.position))
    }
}
