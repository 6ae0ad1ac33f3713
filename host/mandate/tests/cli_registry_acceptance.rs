//! The users' acceptance, as docs/acceptance.md tells it: its commands, run as they stand there.

#![cfg(unix)]
#![allow(
    clippy::allow_attributes,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod cli;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cli::{Folder, has_plugin, jwks, mandate_with, token};
use serde_json::{Value, json};

const ISSUER: &str = "https://login.example/realms/acme";

fn blocks() -> Vec<&'static str> {
    let page = include_str!("../../../docs/acceptance.md");
    let blocks = page.split("```sh\n").skip(1);
    blocks.map(|rest| rest.split_once("\n```").unwrap().0).collect()
}

/// Runs commands in the folder; what they print. Nothing goes to stderr but warnings.
fn shell(folder: &Folder, script: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_mandate")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let ran = Command::new("sh")
        .args(["-c", script])
        .current_dir(folder.path(""))
        .env("PATH", format!("{}:{path}", program.display()))
        .env_remove("MANDATE_DATABASE_URL")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert!(stderr.lines().all(|line| line.starts_with("warning: ")), "{stderr}");
    String::from_utf8(ran.stdout).unwrap()
}

/// What the gate in the component does with a call of `get_board` for anne: its record.
fn decided(folder: &Folder, number: u64, client: &str, snapshot: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut contract: Value =
        serde_json::from_slice(&fs::read(folder.path("acme/contract.json")).unwrap()).unwrap();
    contract["gate"] = json!({"routes": {"board": {
        "audience": "https://board.example", "path": "/mcp",
        "metadata": "https://board.example/.well-known/oauth-protected-resource",
    }}});
    let claims = json!({
        "iss": ISSUER, "aud": "https://board.example", "sub": "u-anne", "client_id": client,
        "act": {"sub": "codex-42"}, "scope": "board:read", "iat": now - 1, "exp": now + 240,
        "jti": format!("token-{number}"),
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "get_board", "arguments": {"board": "roadmap"}}});
    let public: Value =
        serde_json::from_slice(&fs::read(folder.path("acme/keys/feed.public.json")).unwrap())
            .unwrap();
    let question = json!({
        "id": client, "op": "gate",
        "containers": [STANDARD.encode(fs::read(snapshot).unwrap())],
        "state": {"deployment": "acme", "slice": "default", "keys": [public]},
        "trust": {"contract": contract, "key_sets": [{"issuer": ISSUER, "keys": jwks()}]},
        "question": {
            "now": now,
            "emission": {
                "decision_id": format!("gate-1:boot:{number}"), "source": "gate-1:boot",
                "sequence": number,
            },
            "request": {"method": "POST", "target": "/mcp", "trailers": [],
                "headers": [["authorization", format!("Bearer {}", token(&claims))],
                    ["content-type", "application/json"],
                    ["accept", "application/json, text/event-stream"],
                    ["mcp-protocol-version", "2025-11-25"]],
                "body": body.to_string()},
        },
    });
    let line = format!("{question}\n");
    let ran = mandate_with(&["probe", "--runner", "component"], line.as_bytes());
    let answer = ran.json();
    let record = answer["audit"].as_str().unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(record).unwrap()
}

#[test]
fn one_thread_one_identity_one_credential_and_what_it_did() {
    if !has_plugin("the acceptance of the registry") {
        return;
    }
    let folder = Folder::new("acceptance");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::os::unix::fs::symlink(root.join("docs"), folder.path("docs")).unwrap();
    let blocks = blocks();
    let [set_up, thread, decisions, audit] = blocks.as_slice() else { panic!("{blocks:?}") };

    let script = format!("{set_up}\n{thread}\n{decisions}\necho \"ids $first $second\"\n");
    let printed = shell(&folder, &script);
    assert!(printed.contains("dry run: nothing was changed"), "{printed}");
    let verdicts: Vec<&str> = printed
        .lines()
        .filter(|line| line.starts_with("allow") || line.starts_with("deny"))
        .collect();
    assert_eq!(verdicts, ["allow", "deny credential-revoked", "allow"], "{printed}");
    assert!(printed.contains("  status        active\n"), "{printed}");
    let ids = printed.lines().find_map(|line| line.strip_prefix("ids ")).unwrap();
    let (first, second) = ids.split_once(' ').unwrap();
    assert_ne!(first, second);

    let records = gate_records(&folder, first, second);
    audit_answers(&folder, audit, first, &records);
}

/// By identity, and by credential.
fn audit_answers(folder: &Folder, audit: &str, first: &str, records: &[Value]) {
    // As Envoy writes them.
    let log: String =
        records.iter().map(|record| format!("2026-01-01T00:00:00Z 200 - {record}\n")).collect();
    fs::write(folder.path("access.log"), log).unwrap();
    let answers = shell(
        folder,
        &format!(
            "export MANDATE_CONFIG=acme/mandate.yaml\nfirst={first}\n{audit}\n\
            mandate audit query --identity agent:codex-42 --json\n\
            mandate audit query --credential {first} --json"
        ),
    );
    assert!(answers.contains("intact; the checkpoint vouches for those up to"), "{answers}");
    let queries: Vec<Value> = answers
        .lines()
        .filter(|line| line.starts_with("{\"records\""))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // Everything of the identity, and what the one credential was in: decided and changed.
    let of = |value: &Value| -> Vec<Value> {
        let all = value["records"].as_array().unwrap();
        all.iter().map(|one| one["record"].clone()).collect()
    };
    let (by_identity, by_credential) = (of(&queries[0]), of(&queries[1]));
    for record in records {
        assert!(by_identity.contains(record), "{by_identity:?}");
        let is_first = record["credential_id"] == json!(first);
        assert_eq!(by_credential.contains(record), is_first, "{by_credential:?}");
    }
    let changes: Vec<&Value> =
        by_credential.iter().map(|record| &record["change"]).filter(|one| !one.is_null()).collect();
    assert_eq!(changes, ["credential-add", "credential-rotate", "credential-revoke"]);
}

/// What the gate decides of the thread's calls before and after the revocation.
fn gate_records(folder: &Folder, first: &str, second: &str) -> [Value; 3] {
    // The gate decides, with tokens, on what was published before and after the revocation.
    let mut published: Vec<_> = fs::read_dir(folder.path("published"))
        .unwrap()
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        .filter(|path| path.contains("/snapshot-"))
        .collect();
    published.sort_by_key(|path| (path.len(), path.clone()));
    let (before, after) = (&published[0], published.last().unwrap());
    let records = [
        decided(folder, 1, "codex-42-a", before),
        decided(folder, 2, "codex-42-a", after),
        decided(folder, 3, "codex-42-b", after),
    ];
    let told = records.each_ref().map(|record| {
        json!([
            record["reason"],
            record["credential_id"],
            record["user"],
            record["machine_identity_id"],
            record["tool"]
        ])
    });
    let expected = |reason: &str, credential: Value| {
        json!([reason, credential, "user:anne", "agent:codex-42", "get_board"])
    };
    assert_eq!(told[0], expected("ok", json!(first)), "{records:?}");
    assert_eq!(told[1], expected("credential-revoked", json!(first)), "{records:?}");
    assert_eq!(told[2], expected("ok", json!(second)), "{records:?}");
    let relations = records[0]["relation_path"].as_array().unwrap();
    let delegation = json!("user:anne#delegate_of@agent:codex-42");
    assert!(relations.contains(&delegation), "{relations:?}");
    assert!(relations.contains(&json!("board:roadmap#editor@user:anne")), "{relations:?}");
    records
}
