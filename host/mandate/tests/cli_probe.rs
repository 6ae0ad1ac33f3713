//! `mandate probe`, end to end.

#![expect(clippy::unwrap_used, reason = "tests")]

mod cli;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use cli::{AUDIENCE, NOW, claims, contract, jwks, mandate, mandate_with, token};
use serde_json::{Value, json};

fn validate(id: &Value, token: &str) -> Value {
    json!({
        "id": id, "op": "validate", "token": token, "now": NOW,
        "trust": {
            "contract": contract(),
            "key_sets": [{"issuer": cli::ISSUER, "keys": jwks()}],
        },
    })
}

fn ask(lines: &[String]) -> Vec<Value> {
    let input = lines.join("\n");
    let ran = mandate_with(&["probe", "--runner", "native"], input.as_bytes());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn answers_come_in_order_with_their_ids() {
    let good = token(&claims());
    let answers = ask(&[
        json!({"id": 1, "op": "jws", "keys": jwks(), "token": good}).to_string(),
        validate(&json!("two"), &good).to_string(),
        "no request".to_owned(),
        validate(&json!(4), "a.b").to_string(),
    ]);
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[0], json!({"id": 1, "valid": true, "reason": "ok"}));
    assert_eq!(answers[1]["id"], "two");
    assert_eq!(answers[1]["verdict"], "allow");
    assert_eq!(answers[1]["token"]["subject"], "alice");
    assert_eq!(answers[1]["token"]["audiences"], json!([AUDIENCE]));
    assert_eq!(answers[2]["id"], Value::Null);
    assert!(answers[2]["error"]["message"].is_string());
    assert_eq!(
        (&answers[3]["id"], &answers[3]["verdict"], &answers[3]["reason"]),
        (&json!(4), &json!("deny"), &json!("token-malformed"))
    );
}

#[test]
fn an_answer_comes_before_the_next_question() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mandate"))
        .args(["probe", "--runner", "native"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for id in 0..3 {
        writeln!(stdin, "{}", validate(&json!(id), &token(&claims()))).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["id"], json!(id));
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_program_is_no_probe() {
    let ran = mandate(&["probe", "--runner", "exec:cat"]);
    assert_eq!(
        ran.one_line(),
        "`probe` answers by itself: `--runner` is `native`, `component` or `module`"
    );
}
