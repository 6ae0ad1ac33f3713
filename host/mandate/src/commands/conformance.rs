//! `mandate conformance`: does an implementation answer as the contract's fixtures say?

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::json;

use crate::commands::runner::Runner;
use crate::conformance::{
    Comparison, EnvoyRunner, Exceptions, Protocol, Report, Suite, Worlds, export, measure,
    write_table,
};
use crate::output;
use crate::plugin::PluginChoice;

/// Run the contract's fixtures on an implementation; print how far it agrees.
///
/// Exit codes: 0 every fixture agrees or is a listed exception, 1 something disagrees, 2 usage.
#[derive(Args, Clone, Debug)]
pub struct ConformanceCommand {
    /// `native`, `component`, `module`, `envoy` (the filter in a real Envoy),
    /// `ext-authz` (a real Envoy that asks the server), or `exec:CMD`: a program that speaks the protocol of docs/conformance.md on stdin and stdout.
    #[arg(long, default_value = "component")]
    runner: Runner,
    /// A folder of fixtures to use instead of those inside this binary: of tokens, of decisions
    /// (it has `_worlds`), or one with both, `authn` and `authz`.
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    /// Only fixtures whose id matches; `*` stands for any text. Of decisions the id is
    /// FIXTURE/CASE, and FIXTURE names all of its cases.
    #[arg(long, value_name = "GLOB")]
    only: Option<String>,
    /// What decisions are made on.
    #[arg(long, value_enum, default_value_t)]
    worlds: Worlds,
    /// How much has to agree. Default: `full`, and `decision` for `exec:`.
    #[arg(long, value_enum)]
    compare: Option<Comparison>,
    /// Known disagreements, as in contract/exceptions/RUNNER.json.
    #[arg(long, value_name = "FILE")]
    exceptions: Option<PathBuf>,
    /// The name of an `exec:` runner. Default: the file name of its last word.
    #[arg(long)]
    name: Option<String>,
    /// The longest wait for one answer of an `exec:` runner, in seconds.
    #[arg(long, default_value_t = 20, value_name = "SECONDS")]
    timeout: u64,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    /// Print the fuel of each class of token fixtures, as JSON, instead (`--runner component`).
    #[arg(long)]
    fuel: bool,
    /// Write the fixtures with token bytes and key sets into this folder, and run nothing.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    #[command(flatten)]
    plugin: PluginChoice,
    #[command(flatten)]
    envoy: EnvoyOptions,
}

/// What `--runner envoy` and `ext-authz` need.
#[derive(Args, Clone, Debug)]
struct EnvoyOptions {
    /// Envoy's program (`--runner envoy`, `ext-authz`).
    #[arg(long, value_name = "FILE", default_value = "envoy")]
    envoy: PathBuf,
    /// The filter: mandate-envoy.wasm (`--runner envoy`).
    #[arg(long, value_name = "FILE")]
    filter: Option<PathBuf>,
    /// Only over this protocol (`--runner envoy`, `ext-authz`).
    #[arg(long, value_enum)]
    protocol: Option<Protocol>,
}

impl ConformanceCommand {
    /// Runs the command.
    #[must_use]
    pub fn run(self) -> ExitCode {
        self.answer().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }

    fn answer(&self) -> Result<ExitCode> {
        let suite = self.suite()?;
        let name = self.name.clone().unwrap_or_else(|| self.runner.name());
        let timeout = Duration::from_secs(self.timeout);
        if self.fuel {
            let mut implementation = self.runner.start(&name, &self.plugin, timeout, true)?;
            let classes = measure(implementation.as_mut(), &suite.tokens()?.tokens)?;
            return Ok(output::print(&format!("{}\n", serde_json::to_string_pretty(&classes)?)));
        }
        if matches!(self.runner, Runner::Envoy | Runner::ExtAuthz) && self.export.is_none() {
            return self.ask_envoy(&suite);
        }
        let questions = suite.questions(self.worlds)?;
        if let Some(folder) = &self.export {
            export(&questions, folder)?;
            let written = questions.len();
            return Ok(output::print(&format!("{written} fixtures in {}\n", folder.display())));
        }
        let mut implementation = self.runner.start(&name, &self.plugin, timeout, false)?;
        let exceptions = self.exceptions(&name, questions.ids())?;
        let report = questions.ask(implementation.as_mut(), &exceptions, self.comparison());
        self.print(&report)
    }

    /// A report for each protocol; the exit code is the worse one.
    fn ask_envoy(&self, suite: &Suite) -> Result<ExitCode> {
        let EnvoyOptions { envoy, filter, protocol } = &self.envoy;
        let runner = if self.runner == Runner::ExtAuthz {
            EnvoyRunner::of_ext_authz(envoy.clone(), self.plugin.load()?)
        } else {
            let filter = filter.clone().context("`--runner envoy` needs `--filter`")?;
            EnvoyRunner::new(envoy.clone(), filter)?
        };
        let protocols =
            protocol.map_or_else(|| vec![Protocol::Http1, Protocol::Http2], |one| vec![one]);
        let known = suite.gate_ids();
        let exceptions = protocols
            .into_iter()
            .map(|protocol| {
                let known = known.iter().map(String::as_str);
                Ok((protocol, self.exceptions(&runner.name(protocol), known)?))
            })
            .collect::<Result<Vec<_>>>()?;
        let mut code = ExitCode::SUCCESS;
        for report in runner.reports(suite, &exceptions)? {
            let printed = self.print(&report)?;
            if printed != ExitCode::SUCCESS {
                code = printed;
            }
        }
        Ok(code)
    }

    fn suite(&self) -> Result<Suite> {
        let suite = match &self.fixtures {
            Some(folder) => Suite::from_folder(folder)?,
            None => Suite::embedded()?,
        };
        match &self.only {
            Some(pattern) => suite.only(pattern),
            None => Ok(suite),
        }
    }

    /// The exceptions; one for a fixture that does not exist is an error, unless only some
    /// fixtures run.
    fn exceptions<'i>(&self, name: &str, ids: impl Iterator<Item = &'i str>) -> Result<Exceptions> {
        let exceptions = match &self.exceptions {
            Some(file) => Exceptions::from_file(file)?,
            None => Exceptions::embedded(name)?,
        };
        let unknown = exceptions.unknown(ids);
        let all = self.only.is_none() && self.fixtures.is_none();
        if (all || self.exceptions.is_some() && self.only.is_none()) && !unknown.is_empty() {
            bail!("exceptions for fixtures that do not exist: {}", unknown.join(", "));
        }
        Ok(exceptions)
    }

    fn comparison(&self) -> Comparison {
        self.compare.unwrap_or(match self.runner {
            Runner::Exec(_) => Comparison::Decision,
            Runner::Component
            | Runner::Envoy
            | Runner::ExtAuthz
            | Runner::Module
            | Runner::Native => Comparison::Full,
        })
    }

    fn print(&self, report: &Report) -> Result<ExitCode> {
        let agrees = report.agrees();
        let text = if self.json {
            let mut document = serde_json::to_value(report)?;
            let members = document.as_object_mut().context("report")?;
            members.insert("agrees".to_owned(), json!(agrees));
            members.insert("fixtures".to_owned(), json!(report.runs.len()));
            format!("{document}\n")
        } else {
            let mut table = Vec::new();
            write_table(report, &mut table)?;
            String::from_utf8(table)?
        };
        let printed = output::print(&text);
        Ok(if agrees { printed } else { ExitCode::from(output::DENY) })
    }
}
