//! Bodies of MCP requests through the whole gate: what passes is read alike by another reader, and
//! is something that this user may do.
//!
//! The first byte chooses the generation, the rest is the body.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use mandate_fuzz::gate::{BOARD, RESOURCE, TOOLS, decide, has_duplicates};
use mandate_fuzz::mutate_from;
use mandate_gate::Verdict;
use serde_json::{Value, json};

const VERSIONS: [&str; 3] = ["2025-11-25", "2026-07-28", "2025-03-26"];

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let request = |method: &str, params: Value| {
        json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string()
    };
    let call = |tool: &str, board: &str| {
        request("tools/call", json!({"name": tool, "arguments": {"board": board, "n": [1, null]}}))
    };
    let bodies = [
        call("get_board", BOARD),
        call("get_board", "budget"),
        call("edit_board", BOARD),
        request("tools/call", json!({"name": "list_boards"})),
        request("resources/read", json!({"uri": RESOURCE})),
        request("resources/subscribe", json!({"uri": "mem://pay"})),
        request("completion/complete", json!({"ref": {"type": "ref/resource", "uri": RESOURCE}})),
        request("tools/list", json!({"cursor": "c"})),
        request("ping", json!({})),
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#
            .to_owned(),
        r#"{"jsonrpc":"2.0","id":"a\u0062","result":{}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1.5e3,"message":"\ud83d\ude00"}}"#.to_owned(),
    ];
    bodies.iter().map(|body| [b"\0", body.as_bytes()].concat()).collect()
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_from(&SEEDS, data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    let answer = decide(VERSIONS[usize::from(*first) % VERSIONS.len()], body);
    let read = serde_json::from_slice::<Value>(body);
    match &answer.verdict {
        Verdict::Pass(_) => may(&read.expect("what passes is JSON"), body),
        Verdict::Reply(reply) => {
            let error: Value = serde_json::from_str(&reply.body).expect("an error is JSON");
            assert_eq!(error["jsonrpc"], json!("2.0"));
            assert!(error["error"]["code"].is_i64(), "{error}");
            // 200 without an id would be an answer to nothing.
            assert!(reply.status != 200 || error.get("id").is_some(), "{error}");
            if let (Some(id), Ok(read)) = (error.get("id"), &read) {
                assert_eq!(Some(id), read.get("id"), "{error}");
            }
        }
    }
});

/// Fails where a reader sees something that this user may not do.
fn may(message: &Value, body: &[u8]) {
    assert!(!has_duplicates(body), "two readings");
    assert_eq!(message["jsonrpc"], json!("2.0"));
    let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str);
    match text("/method") {
        None => assert!(message.get("result").is_some() != message.get("error").is_some()),
        Some("tools/call") => {
            let tool = text("/params/name").expect("a tool");
            assert!(TOOLS.contains(&tool), "{tool}");
            assert!(tool != "get_board" || text("/params/arguments/board") == Some(BOARD));
        }
        Some("resources/read" | "resources/subscribe" | "resources/unsubscribe") => {
            assert_eq!(text("/params/uri"), Some(RESOURCE));
        }
        Some("completion/complete") => assert_eq!(text("/params/ref/uri"), Some(RESOURCE)),
        Some("prompts/get") => panic!("prompts are not mapped"),
        Some(method) => {
            let known = ["initialize", "logging/setLevel", "ping", "server/discover"];
            let listed = method.ends_with("/list") || method == "subscriptions/listen";
            let told = method.starts_with("notifications/");
            assert!(known.contains(&method) || listed || told, "{method}");
            assert!(!method.starts_with("tasks/"), "{method}");
            assert_eq!(told, message.get("id").is_none(), "{method}");
        }
    }
}
