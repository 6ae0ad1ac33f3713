//! `mandate check`: one request, decided on a snapshot.

pub(super) mod decider;
mod report;
mod request;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use serde_json::{Map, Value, json};

use self::decider::Decider;
use self::request::RequestOptions;
use crate::commands::certificate;
use crate::commands::contract_file::{AudienceChoice, ContractOption};
use crate::commands::runner::Runner;
use crate::commands::session::{KeyOptions, now};
use crate::commands::snapshot::container_file::ContainerFile;
use crate::commands::snapshot::key_file::PinnedKeys;
use crate::commands::token_input::{self, TokenInput};
use crate::output;
use crate::plugin::PluginChoice;

/// Decide one request on a snapshot: 0 allow, 1 deny, 2 a mistake.
///
/// Who asks is proven by a token (a pipe, --token-file or --token), or named with --as. The
/// decision is the one that a door would make with this contract and snapshot, at this moment.
#[derive(Args, Clone, Debug)]
pub struct CheckCommand {
    /// The snapshot.
    #[arg(long, value_name = "FILE")]
    snapshot: PathBuf,
    /// A delta that follows on the snapshot; may be repeated.
    #[arg(long, value_name = "FILE")]
    delta: Vec<PathBuf>,
    /// Public key (JWK) that has signed the snapshot; twice while keys rotate.
    #[arg(long, value_name = "PUBLIC", required = true)]
    pin: Vec<PathBuf>,
    /// Decide as if the snapshot had been issued now.
    #[arg(long, conflicts_with = "delta")]
    any_age: bool,
    #[command(flatten)]
    contract: ContractOption,
    #[command(flatten)]
    audience: AudienceChoice,
    #[command(flatten)]
    token: TokenInput,
    #[command(flatten)]
    keys: KeyOptions,
    /// File with the agent context of the request (`Mandate-Agent-Context`); may be repeated.
    #[arg(long, value_name = "FILE")]
    agent_context: Vec<PathBuf>,
    /// The client certificate (PEM or DER) of the connection that the token came on.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    #[command(flatten)]
    assertion: AssertionOptions,
    #[command(flatten)]
    request: RequestOptions,
    /// Say how each line of the rule goes by itself.
    #[arg(long)]
    explain: bool,
    /// The moment to decide for, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// What decides: `native`, or the plugin as `component` or `module`.
    #[arg(long, default_value = "native")]
    runner: Runner,
    #[command(flatten)]
    plugin: PluginChoice,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// The options that name who asks.
#[derive(Args, Clone, Debug)]
struct AssertionOptions {
    /// Decide for this subject instead of a token's: `user:ID`, or an agent with one user.
    #[arg(long = "as", value_name = "TYPE:ID", conflicts_with_all = ["token", "token_file", "agent_context", "certificate"])]
    subject: Option<String>,
    /// The agent that acts for the subject.
    #[arg(long, value_name = "agent:ID", requires = "subject")]
    agent: Option<String>,
    /// The public id of the credential that the agent has.
    #[arg(long, value_name = "ID", requires = "subject")]
    credential: Option<String>,
    /// The tenant, of people with several.
    #[arg(long, value_name = "ID", requires = "subject")]
    tenant: Option<String>,
    /// Who says so: a service that needs `can_assert`. Default: nobody, this is a look from outside.
    #[arg(long, value_name = "TYPE:ID", requires = "subject")]
    asserter: Option<String>,
}

impl CheckCommand {
    /// Decides: 0 allow, 1 deny, 2 when nothing could be decided.
    #[must_use]
    pub fn run(self) -> ExitCode {
        self.check().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }

    fn check(&self) -> anyhow::Result<ExitCode> {
        let now = now(self.now)?;
        let mut decider =
            Decider::open((&self.runner, &self.plugin), &self.contract.contract, &self.keys, now)?;
        let pins = PinnedKeys::read(&self.pin)?;
        let snapshot = ContainerFile::read(&self.snapshot)?;
        let audience = self.audience.resolve(&decider.contract.checked)?;
        let request = self.request.to_json(&audience)?;
        if self.any_age {
            snapshot.require_verified(&pins.keys)?;
            let state = decider.load_for_any_time(&snapshot)?;
            decider.apply(&state.heartbeat(now)?)?;
        } else {
            let deltas: anyhow::Result<Vec<_>> =
                self.delta.iter().map(|path| ContainerFile::read(path)).collect();
            decider.load(&snapshot, &deltas?, &pins)?;
        }
        let question = self.question(request, now)?;
        let answer = decider.decide(&question, now)?;
        Ok(self.print(answer, now, &snapshot))
    }

    /// The question of docs/authorize.md.
    fn question(&self, request: Value, now: u64) -> anyhow::Result<Value> {
        let mut question = Map::new();
        question.insert("now".to_owned(), json!(now));
        question.insert("request".to_owned(), request);
        if self.explain {
            question.insert("explain".to_owned(), Value::Bool(true));
        }
        if let Some(subject) = &self.assertion.subject {
            question.insert("assertion".to_owned(), self.assertion.to_json(subject));
            return Ok(Value::Object(question));
        }
        question.insert("token".to_owned(), json!(self.token.read()?));
        let contexts: anyhow::Result<Vec<String>> =
            self.agent_context.iter().map(|path| token_input::read_file(path)).collect();
        let contexts = contexts?;
        if !contexts.is_empty() {
            question.insert("agent_contexts".to_owned(), json!(contexts));
        }
        if let Some(path) = &self.certificate {
            let digest = URL_SAFE_NO_PAD.encode(certificate::thumbprint(path)?);
            question.insert("certificate_sha256".to_owned(), json!(digest));
        }
        Ok(Value::Object(question))
    }

    fn print(&self, mut answer: Value, now: u64, snapshot: &ContainerFile) -> ExitCode {
        let issued_at = if self.any_age { now } else { snapshot.header.statement.issued_at };
        let page = report::page(&answer, now, issued_at);
        let allowed = answer.get("verdict").and_then(Value::as_str) == Some("allow");
        if let Some(members) = answer.as_object_mut() {
            members.insert("now".to_owned(), json!(now));
            members.insert("runner".to_owned(), json!(self.runner.name()));
            members.insert(
                "snapshot".to_owned(),
                json!({
                    "file": snapshot.path,
                    "issued_at": snapshot.header.statement.issued_at,
                    "any_age": self.any_age,
                }),
            );
        }
        let printed = output::print_either(self.json, &answer, &page);
        let denied = !allowed && printed == ExitCode::SUCCESS;
        if denied { ExitCode::from(output::DENY) } else { printed }
    }
}

impl AssertionOptions {
    fn to_json(&self, subject: &str) -> Value {
        let mut assertion = Map::new();
        let asserter = self.asserter.as_deref().unwrap_or("offline");
        assertion.insert("asserter".to_owned(), json!(asserter));
        assertion.insert("subject".to_owned(), json!(subject));
        let optional =
            [("agent", &self.agent), ("credential", &self.credential), ("tenant", &self.tenant)];
        for (name, value) in optional {
            assertion.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
        }
        Value::Object(assertion)
    }
}
