//! The SDKs of Permit as they are published, pointed at the server.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::world::{SHARED, gateway};

/// Agent and board, always for anne, and what is answered.
const CHECKS: [(&str, &str, bool); 5] = [
    ("agent:helper", "board:roadmap", true),
    ("agent:helper", "board:plan", false),
    ("agent:helper", "board:genome", false),
    ("agent:unknown", "board:roadmap", false),
    ("agent:helper", "board", false),
];

fn asked(token: &str) -> Value {
    let check = |(agent, board, _): (&str, &str, bool)| {
        json!({
            "user": agent, "action": "view", "resource": board,
            "context": { "on_behalf_of": "user:anne" },
        })
    };
    json!({ "pdp": SHARED.address, "token": token, "checks": CHECKS.map(check) })
}

fn run(mut command: Command, asked: &Value) -> (bool, Value) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // Beside the answers one of the SDKs writes a log, in JSON as well.
    let answers = text.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
    let answers = answers.filter(|answers| answers.get("check").is_some());
    (output.status.success(), answers.unwrap_or(Value::Null))
}

fn python() -> Option<Command> {
    let interpreter = std::env::var_os("MANDATE_PYTHON")?;
    let has = Command::new(&interpreter).args(["-c", "import permit"]).output().ok()?;
    let mut command = Command::new(interpreter);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/permit_check.py"));
    has.status.success().then_some(command)
}

fn node() -> Option<Command> {
    let modules = std::env::var_os("MANDATE_NODE_MODULES")?;
    let mut command = Command::new("node");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/permit_check.mjs"));
    Path::new(&modules).join("permitio").is_dir().then_some(command)
}

fn answers_as_the_rule_does(name: &str, command: impl Fn() -> Option<Command>) {
    let Some(first) = command() else {
        crate::cli::skip(&format!("{name} is not installed: `cargo xtask setup`"));
        return;
    };
    let expected: Vec<bool> = CHECKS.iter().map(|(_, _, allowed)| *allowed).collect();
    let answered = run(first, &asked(&gateway()));
    assert_eq!(answered, (true, json!({ "check": expected, "bulk": expected })), "{name}");
    // A caller that may not ask gets an error of the SDK, and no answer.
    let refused = run(command().unwrap(), &asked("garbage"));
    assert_eq!(refused, (false, Value::Null), "{name}");
}

#[test]
fn pypi_permit_is_answered_as_the_rule_does() {
    answers_as_the_rule_does("PyPI permit", python);
}

#[test]
fn npm_permitio_is_answered_as_the_rule_does() {
    answers_as_the_rule_does("npm permitio", node);
}
