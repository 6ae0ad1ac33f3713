//! The gate with a plugin that misbehaves: nothing passes.

use std::time::Duration;

use super::*;
use crate::fixture;
use crate::gate::{Header, Reply, Verdict};

const NOW: u64 = 1_780_000_000;

fn request(method: &str) -> Request {
    let head = Head { method: method.into(), target: b"/".to_vec(), ..Head::default() };
    Request::new(head)
}

fn emission() -> Emission {
    let (decision_id, source) = ("gate-1:boot:3".to_owned(), "gate-1".to_owned());
    Emission { decision_id, source, sequence: 3 }
}

fn policy() -> Policy {
    fixture::policy(Limits { deadline: Duration::from_millis(50), ..Limits::default() })
}

#[test]
fn a_failure_at_the_gate_is_a_503_with_a_record() {
    let policy = policy();
    let header =
        |name: &str, value: &str| Header { name: name.to_owned(), value: value.to_owned() };
    let unavailable = Reply {
        status: 503,
        headers: vec![
            header("retry-after", "1"),
            header("cache-control", "no-store"),
            header("content-type", "text/plain; charset=utf-8"),
        ],
        body: "The decision is not available. Try again.\n".to_owned(),
    };
    let record = r#"{"decision_id":"gate-1:boot:3","enforced":true,"failing_line":"framing","reason":"internal","source":"gate-1","source_sequence":3,"time":1780000000,"verdict":"deny"}"#;
    for (method, detail) in [
        ("trap", "the plugin trapped: wasm trap: wasm `unreachable` instruction executed"),
        ("loop", "the plugin exceeded its deadline of 50ms"),
        ("memory", "the plugin exceeded its memory limit of 67108864 bytes"),
    ] {
        let answer = policy.decide(&request(method), &emission(), NOW);
        assert_eq!(answer.verdict, Verdict::Reply(unavailable.clone()), "{method}");
        assert_eq!((answer.reason.as_str(), answer.detail.as_str()), ("internal", detail));
        assert_eq!(answer.audit.as_deref(), Some(record));
        let next = policy.decide(&request("GET"), &emission(), NOW);
        let refused = Reply { status: 403, headers: Vec::new(), body: String::new() };
        assert_eq!(next.verdict, Verdict::Reply(refused), "after {method}");
    }
}

#[test]
fn a_failure_with_a_response_shows_nothing_of_it() {
    let policy = policy();
    assert_eq!(policy.body_limit(&request("GET").head), Some(9));
    assert_eq!(policy.body_limit(&request("trap").head), None);
    let list = policy.filter_list("trap", None, b"secret", NOW);
    let error = r#"{"error":{"code":-32603,"message":"The decision is not available. Try again."},"jsonrpc":"2.0"}"#;
    assert_eq!(String::from_utf8(list.body).unwrap(), error);
    let trapped = "the plugin trapped: wasm trap: wasm `unreachable` instruction executed";
    assert_eq!(list.failure.as_deref(), Some(trapped));
    let piece = policy.filter_stream("trap", b"", b"secret", true, NOW);
    assert_eq!(piece, Err(trapped.to_owned()));
    assert_eq!(policy.seal_session("trap", b"id"), None);
}

#[test]
fn the_secret_outlives_the_instance_and_is_replaced_whole() {
    let policy = policy();
    let sealed = || policy.seal_session("scope", b"id");
    assert_eq!(sealed(), None);
    policy.configure_sealing(b"one").unwrap();
    assert_eq!(sealed().as_deref(), Some("o"));
    let trapped = policy.seal_session("trap", b"id");
    assert_eq!((trapped, sealed().as_deref()), (None, Some("o")));
    assert!(policy.configure_sealing(b"e").is_err());
    assert_eq!(sealed().as_deref(), Some("o"));
    policy.configure_sealing(b"second").unwrap();
    assert_eq!(sealed().as_deref(), Some("s"));
    policy.load_trust("good").unwrap();
    assert_eq!(sealed().as_deref(), Some("s"));
}
