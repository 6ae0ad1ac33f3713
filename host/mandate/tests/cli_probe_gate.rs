//! `mandate probe` and `mandate conformance` at the gate, end to end.

#![expect(clippy::unwrap_used, reason = "tests")]

mod cli;

use std::fs;

use cli::{Folder, has_plugin, mandate, mandate_with};
use serde_json::{Value, json};

fn ask(runner: &str, lines: &[Value]) -> Vec<Value> {
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let ran = mandate_with(&["probe", "--runner", runner], input.as_bytes());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines of one fixture, written out by the command itself.
fn exported(only: &str) -> Vec<Value> {
    let folder = Folder::new(&format!("gate-{}", only.replace('/', "-")));
    let place = folder.path("out");
    let ran = mandate(&["conformance", "--only", only, "--export", &place]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let text = fs::read_to_string(format!("{place}/requests.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn done(answer: &Value) -> Value {
    let status = answer.pointer("/reply/status");
    json!([answer["id"], answer["verdict"], answer["reason"], status])
}

#[test]
fn probe_gate() {
    let lines = exported("order-at-the-gate");
    let expected = json!([
        ["order-at-the-gate/all-right", "pass", "ok", null],
        ["order-at-the-gate/path-only", "pass", "ok", null],
        ["order-at-the-gate/framing-before-path", "reply", "malformed", 400],
        ["order-at-the-gate/path-before-policy", "reply", "path", 400],
        ["order-at-the-gate/policy-before-route", "reply", "policy-missing", 503],
        ["order-at-the-gate/route-before-token", "reply", "unmapped", 403],
        ["order-at-the-gate/content-type-before-token", "reply", "malformed", 400],
        ["order-at-the-gate/token-before-message", "reply", "token-missing", 401],
        ["order-at-the-gate/message-before-headers", "reply", "malformed", 400],
        ["order-at-the-gate/headers-before-mapping", "reply", "header-mismatch", 400],
        ["order-at-the-gate/mapping-before-state", "reply", "method-unknown", 200],
        ["order-at-the-gate/token-before-state", "reply", "token-missing", 401],
    ]);
    let native = ask("native", &lines);
    assert_eq!(native.iter().map(done).collect::<Value>(), expected);
    if has_plugin("probe of the gate through the component and the module") {
        assert_eq!(ask("component", &lines), native);
        assert_eq!(ask("module", &lines), native);
    }
}

#[test]
fn a_list_is_filtered_by_the_ticket_of_its_request() {
    let lines = exported("list-tools/in-the-middle");
    let line = lines.first().unwrap();
    let answer = ask("native", std::slice::from_ref(line)).remove(0);
    assert_eq!(answer["list"]["removed"], json!(1));
    let mut later = line.clone();
    later["response"]["now"] = json!(1_800_000_000);
    let mut bare = line.clone();
    bare.as_object_mut().unwrap().remove("response");
    let mut gate = line.clone();
    gate["op"] = json!("gate");
    let answers = ask("native", &[later, bare, gate]);
    let failure = json!("is for a token that is no longer valid");
    assert_eq!(answers[0]["list"]["failure"], failure);
    assert_eq!(answers[1]["error"], json!({"path": "response", "message": "is missing"}));
    assert_eq!(answers[2]["error"]["path"], json!("response"));
}

#[test]
fn a_ground_that_cannot_be_laid_is_named() {
    let lines = exported("session-sealed/opened");
    let line = lines.first().unwrap();
    let mut short = line.clone();
    short["sealing"] = json!("short");
    let mut torn = line.clone();
    torn["trust"]["contract"]["gate"]["routes"]["mcp"]["path"] = json!("mcp");
    let mut groundless = line.clone();
    groundless.as_object_mut().unwrap().remove("state");
    let answers = ask("native", &[short, torn, groundless]);
    let path = |answer: &Value| answer["error"]["path"].clone();
    assert_eq!(answers.iter().map(path).collect::<Value>(), json!(["sealing", "trust", ""]));
}

#[test]
fn a_program_is_compared_byte_for_byte() {
    let program = format!("exec:{} probe --runner native", env!("CARGO_BIN_EXE_mandate"));
    let asked = |program: &str| {
        mandate(&["conformance", "--runner", program, "--compare", "full", "--only", "session-*"])
    };
    let ran = asked(&program);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.ends_with("0 disagree, 0 exceptions, 0 skipped\n"), "{ran:?}");
}
