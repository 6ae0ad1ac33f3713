//! The same agent behind Envoy: a real MCP client calls a real MCP server, and the gate is between.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::commands::demo::child::Child;
use crate::commands::demo::issuers::{AGENT, Issuers};
use crate::commands::demo::now;
use crate::commands::demo::organization::facts;
use crate::commands::demo::proxy::{Call, EnvoyPrograms, Guarded, Proxy};
use crate::commands::demo::verifier::contract;

/// What the MCP part runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpPrograms {
    /// Envoy and the filter.
    pub envoy: EnvoyPrograms,
    /// A Python with PyPI `mcp`.
    pub python: PathBuf,
    /// `tests/mcp` of the checkout: a server and a client.
    pub scripts: PathBuf,
}

/// Something that the agent asked of the server, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What was asked.
    pub what: &'static str,
    /// What the client reports: a result, or its error.
    pub reported: String,
    /// The reason in Envoy's access log.
    pub reason: String,
    /// What should have been reported, and the reason that should have been logged.
    pub expected: (&'static str, &'static str),
}

/// What was shown behind Envoy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BehindEnvoy {
    /// What was asked, in order.
    pub asked: Vec<Asked>,
    /// The line of Envoy's access log for a call that was refused.
    pub logged: String,
}

/// One step of the client: in our words, in its words, and what is expected.
struct Step {
    what: &'static str,
    words: &'static [&'static str],
    expected: (&'static str, &'static str),
}

/// Starts server and Envoy, lets the agent work for alice, revokes its credential, and lets it come
/// again.
pub(super) fn play(programs: &McpPrograms, issuers: &Issuers<'_>) -> Result<BehindEnvoy> {
    let mut python = Command::new(&programs.python);
    let (_server, ready) = Child::start(python.arg(programs.scripts.join("server.py")), None)?;
    let upstream = ready.get("url").and_then(Value::as_str).context("the MCP server has no URL")?;
    let issuer = issuers.own_url();
    let (contract, known) = (contract(&[(issuer, None)]), facts(&[issuer.to_owned()], None));
    let guarded = Guarded { contract: &contract, facts: &known, issuer, upstream };
    let mut proxy = Proxy::start(&programs.envoy, &guarded)?;
    let token = issuers.exchange(AGENT, "alice")?;
    let call = |tool| Call { path: "/mcp", token: &token, tool, board: "roadmap" };
    proxy.wait_until_denied(&call("draw_board"))?;

    let words: Vec<&[&str]> = STEPS.iter().map(|step| step.words).collect();
    let answers = client(programs, &proxy, &token, &json!(words))?;
    // The first answer says what was connected to.
    let answers = answers.get(1..).unwrap_or_default();
    ensure!(answers.len() == STEPS.len(), "the client did not play every step");
    let log = proxy.log(|log| STEPS.iter().all(|step| step.line(log).is_some()))?;
    let steps = STEPS.iter().zip(answers);
    let mut asked: Vec<Asked> = steps.map(|(step, answer)| step.came_of(answer, &log)).collect();
    let logged =
        STEPS.iter().find(|step| step.expected.1 == SHOWN).and_then(|step| step.line(&log));
    let logged = logged.unwrap_or_default().to_owned();

    proxy.change(&facts(&[issuer.to_owned()], Some(now())))?;
    proxy.wait_until_denied(&call("get_board"))?;
    let answers = client(programs, &proxy, &token, &json!([]))?;
    let refused = answers.first().context("the client says nothing")?;
    let before = log.len();
    // The streams of the session before are logged as they end, which may be after it.
    let is_denied = |line: &&String| record(line).get("verdict") == Some(&json!("deny"));
    let since = |log: &[String]| -> Vec<String> {
        log.get(before..).unwrap_or_default().iter().filter(is_denied).cloned().collect()
    };
    let log = proxy.log(|log| REVOKED.line(&since(log)).is_some())?;
    asked.push(REVOKED.came_of(refused, &since(&log)));
    Ok(BehindEnvoy { asked, logged })
}

impl Step {
    /// The newest line of the access log about this step: about its tool and board, or about none.
    fn line<'log>(&self, log: &'log [String]) -> Option<&'log str> {
        let named = match self.words {
            ["call", tool, board, ..] => Some((*tool, format!("/board={board}"))),
            _ => None,
        };
        let is_about = |line: &&String| {
            let record = record(line);
            let tool = record.get("tool").and_then(Value::as_str);
            let board = record.pointer("/resource/0").and_then(Value::as_str);
            tool.zip(board) == named.as_ref().map(|(tool, board)| (*tool, board.as_str()))
        };
        log.iter().rfind(is_about).map(String::as_str)
    }

    fn came_of(&self, answer: &Value, log: &[String]) -> Asked {
        let record = self.line(log).map(record).unwrap_or_default();
        let reason = record.get("reason").and_then(Value::as_str).unwrap_or("-").to_owned();
        Asked { what: self.what, reported: reported(answer), reason, expected: self.expected }
    }
}

impl Asked {
    /// Whether client and log say what they should.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        (self.reported.as_str(), self.reason.as_str()) == self.expected
    }
}

/// Lets PyPI `mcp` play steps as a client of the agent: one answer each, after that of connecting.
fn client(programs: &McpPrograms, proxy: &Proxy, token: &str, steps: &Value) -> Result<Vec<Value>> {
    let mut python = Command::new(&programs.python);
    python.arg(programs.scripts.join("client.py"));
    let play = json!({"url": format!("{}/mcp", proxy.url()), "token": token,
        "generation": "2025-11-25", "steps": steps});
    let answered = ask(&mut python, &json!([play]))?;
    let answers = answered.get(0).and_then(Value::as_array);
    answers.cloned().context("the client gives no list")
}

/// Gives a program all it is to read, and reads the line that it answers.
///
/// # Errors
/// When it does not start, or fails.
pub fn ask(command: &mut Command, asked: &Value) -> Result<Value> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut program = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{name}` does not start"))?;
    if let Some(mut stdin) = program.stdin.take() {
        stdin.write_all(asked.to_string().as_bytes())?;
    }
    let output = program.wait_with_output()?;
    serde_json::from_slice(&output.stdout).with_context(|| {
        format!("`{name}` ({}): {}", output.status, String::from_utf8_lossy(&output.stderr))
    })
}

/// The record at the end of a line of the access log.
fn record(line: &str) -> Value {
    // A reason stands in braces too, right after its word.
    let record = line.split_once(" {").map(|(_, record)| format!("{{{record}"));
    record.and_then(|record| serde_json::from_str(&record).ok()).unwrap_or_default()
}

/// What the client reports: names of a list, the text of a result, or its error.
fn reported(answer: &Value) -> String {
    if let Some(error) = answer.get("error") {
        let text = |name: &str| match error.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        return format!("{} {}: {}", text("type"), text("code"), text("message"));
    }
    let names = answer.pointer("/ok/tools").and_then(Value::as_array).map(|tools| {
        let names = tools.iter().filter_map(|tool| tool.get("name")?.as_str());
        names.collect::<Vec<_>>().join(" ")
    });
    let text = || answer.pointer("/ok/content/0/text").and_then(Value::as_str).map(str::to_owned);
    names.or_else(text).unwrap_or_else(|| answer.to_string())
}

const DENIED: &str = "MCPError -32001: Access denied.";

const BEYOND_SCOPE: &str =
    "MCPError -32001: The access token lacks a scope that this action needs.";

/// The reason of the denial whose line is shown.
const SHOWN: &str = "no-relation";

const STEPS: [Step; 7] = [
    Step {
        what: "tools/list: the server has six",
        words: &["tools"],
        expected: ("get_board", "ok"),
    },
    Step {
        what: "get_board, alice's own",
        words: &["call", "get_board", "roadmap"],
        expected: ("roadmap: ship it", "ok"),
    },
    Step {
        what: "get_board, bob's",
        words: &["call", "get_board", "bobs-plan"],
        expected: (DENIED, SHOWN),
    },
    Step {
        what: "get_board, of another organization",
        words: &["call", "get_board", "genome"],
        expected: (DENIED, "cross-tenant"),
    },
    Step {
        what: "draw_board, not for this agent",
        words: &["call", "draw_board", "roadmap"],
        expected: (DENIED, "agent-tool"),
    },
    Step {
        what: "export_board, not for alice",
        words: &["call", "export_board", "roadmap"],
        expected: (DENIED, "caller-tool"),
    },
    Step {
        what: "edit_board, beyond the token's scope",
        words: &["call", "edit_board", "roadmap", "ship nothing"],
        expected: (BEYOND_SCOPE, "scope-token"),
    },
];

const REVOKED: Step = Step {
    what: "to connect, its credential revoked",
    words: &[],
    expected: (DENIED, "credential-revoked"),
};
