//! `mandate replay`: past requests, decided on two snapshots.

mod past_request;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use self::past_request::PastRequest;
use self::report::{Flip, Report};
use crate::commands::check::decider::Decider;
use crate::commands::input_file;
use crate::commands::runner::Runner;
use crate::commands::session::KeyOptions;
use crate::commands::snapshot::container_file::ContainerFile;
use crate::commands::snapshot::key_file::PinnedKeys;
use crate::engine::LocalState;
use crate::output;
use crate::plugin::PluginChoice;

/// Decide past requests on two snapshots, and list what would be decided otherwise.
///
/// A line of REQUESTS is one question of docs/authorize.md, as JSON, with an `id` if wanted. Each
/// is decided at its own `now`, on either snapshot as if that had been issued then. Exit codes: 0
/// the same verdicts, 1 some differ, 2 a mistake.
#[derive(Args, Clone, Debug)]
pub struct ReplayCommand {
    /// The requests, one JSON object a line; `-` is stdin.
    #[arg(value_name = "REQUESTS.jsonl")]
    requests: PathBuf,
    /// The earlier snapshot.
    #[arg(long, value_name = "A.mandate")]
    before: PathBuf,
    /// The later snapshot.
    #[arg(long, value_name = "B.mandate")]
    after: PathBuf,
    /// Public key (JWK) that has signed both; twice while keys rotate.
    #[arg(long, value_name = "PUBLIC", required = true)]
    pin: Vec<PathBuf>,
    /// The contract: contract/CONTRACT.md.
    #[arg(long, value_name = "FILE")]
    contract: PathBuf,
    /// Another contract for the later snapshot.
    #[arg(long, value_name = "FILE")]
    contract_after: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyOptions,
    /// List requests that are denied both times for another reason, too.
    #[arg(long)]
    reasons: bool,
    /// What decides: `native`, or the plugin as `component` or `module`.
    #[arg(long, default_value = "native")]
    runner: Runner,
    #[command(flatten)]
    plugin: PluginChoice,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Bytes of the longest file of requests.
const LONGEST: u64 = 256 * 1024 * 1024;

impl ReplayCommand {
    /// Replays: 0 the same verdicts, 1 some differ, 2 nothing could be decided.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.replay() {
            Ok(report) => report.print(self.json, self.reasons),
            Err(error) => output::fail(&format!("{error:#}")),
        }
    }

    fn replay(&self) -> anyhow::Result<Report> {
        let pins = PinnedKeys::read(&self.pin)?;
        let contract_after = self.contract_after.as_ref().unwrap_or(&self.contract);
        let mut before = Side::open(self, &self.before, &self.contract, &pins)?;
        let mut after = Side::open(self, &self.after, contract_after, &pins)?;
        let text = input_file::read_within("requests", &self.requests, LONGEST)?;
        let mut requests = PastRequest::read_all(&self.requests, &text)?;
        // A snapshot can be said to be current at a later moment, never at an earlier one.
        requests.sort_by_key(|request| request.now);
        let mut report = Report::default();
        for request in requests {
            let (earlier, later) = (before.decide(&request)?, after.decide(&request)?);
            report.add(Flip { request, before: earlier, after: later });
        }
        report.sort();
        Ok(report)
    }
}

/// One of the two snapshots.
struct Side {
    decider: Decider,
    state: LocalState,
    now: u64,
}

impl Side {
    fn open(
        command: &ReplayCommand,
        path: &Path,
        contract: &Path,
        pins: &PinnedKeys,
    ) -> anyhow::Result<Self> {
        let snapshot = ContainerFile::read(path)?;
        snapshot.require_verified(&pins.keys)?;
        // Key files do not age, and nothing is fetched for the past.
        let mut decider =
            Decider::open((&command.runner, &command.plugin), contract, &command.keys, 0)?;
        let state = decider.load_for_any_time(&snapshot)?;
        Ok(Self { decider, state, now: 0 })
    }

    fn decide(&mut self, request: &PastRequest) -> anyhow::Result<Value> {
        if request.now > self.now {
            self.decider.apply(&self.state.heartbeat(request.now)?)?;
            self.now = request.now;
        }
        self.decider.ask(&request.question)
    }
}
