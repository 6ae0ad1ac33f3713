//! `mandate envoy lint`: what in a configuration of Envoy opens the door.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};

use super::module_option::ModuleDigestOption;
use crate::commands::input_file;
use crate::envoy::{Document, Finding, Form, LONGEST, LintOptions, lint};
use crate::output::{self, Page};

/// Say everything in a configuration of Envoy that opens the door, or closes it for everybody.
///
/// Exit codes: 0 nothing, 1 findings, 2 it cannot be read. docs/envoy.md#lint has the rules. The
/// module is read too: Envoy checks no digest of a file.
#[derive(Args, Clone, Debug)]
pub(super) struct LintCommand {
    /// A bootstrap (YAML or JSON), a dump (`/config_dump?include_eds`), or the filter's entry; `-` is stdin.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A copy of the module, where the configuration names a path of another machine.
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    #[command(flatten)]
    digest: ModuleDigestOption,
    /// A listener that guards nothing, such as one for probes; may be repeated.
    #[arg(long, value_name = "LISTENER")]
    unguarded: Vec<String>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl LintCommand {
    /// Checks: 0 nothing was found, 1 something was, 2 there is nothing to check.
    pub(super) fn run(self) -> ExitCode {
        match self.document() {
            Ok(document) => {
                let options = LintOptions {
                    module: self.module.clone(),
                    expected: self.digest.expected(),
                    unguarded: self.unguarded.clone(),
                };
                self.report(document.form(), &lint(&document, &options))
            }
            Err(error) => output::fail(&format!("{error:#}")),
        }
    }

    fn document(&self) -> anyhow::Result<Document> {
        let text = input_file::read_text_within("configuration", &self.file, LONGEST)?;
        Document::parse(&text)
            .map_err(|error| anyhow!("configuration `{}`: {error}", self.file.display()))
    }

    fn report(&self, form: Form, findings: &[Finding]) -> ExitCode {
        let listed: Vec<Value> = findings.iter().map(value).collect();
        let value = json!({
            "file": self.file,
            "form": form.as_str(),
            "sound": findings.is_empty(),
            "findings": listed,
        });
        let printed = output::print_either(self.json, &value, &self.page(form, findings));
        if printed == ExitCode::SUCCESS && !findings.is_empty() {
            return ExitCode::from(output::DENY);
        }
        printed
    }

    fn page(&self, form: Form, findings: &[Finding]) -> Page {
        let name = self.file.display();
        let mut page = Page::new();
        for finding in findings {
            page.line(&line(&name.to_string(), finding));
            page.line(&format!("  {}", finding.rule.remedy()));
        }
        let form = form.as_str();
        match findings.len() {
            0 => page.line(&format!("`{name}` ({form}): nothing was found")),
            1 => page.line(&format!("`{name}` ({form}): 1 finding")),
            many => page.line(&format!("`{name}` ({form}): {many} findings")),
        }
        page
    }
}

/// One line: where, what, and the rule.
pub(super) fn line(name: &str, finding: &Finding) -> String {
    format!("{name}: {}: {} [{}]", finding.pointer, finding.reason, finding.rule.id())
}

fn value(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule.id(),
        "pointer": finding.pointer,
        "reason": finding.reason,
        "remedy": finding.rule.remedy(),
    })
}
