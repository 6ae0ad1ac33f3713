//! The JSON form of every call: the same answers, and nothing passes by a question that is wrong.

use mandate_authn::base64url;
use mandate_gate::{Answer, Gate, Verdict};
use serde_json::{Value, json};

use crate::scene::{NOW, SECRET, Scene, scene};

fn question(scene: &Scene) -> Value {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let mut headers: Vec<Value> =
        scene.headers.iter().map(|(name, value)| json!([text(name), text(value)])).collect();
    headers.push(json!(["authorization", format!("Bearer {}", scene.token())]));
    json!({
        "now": scene.now,
        "emission": {"decision_id": "gate-1:boot:1", "source": "gate-1", "sequence": 1},
        "request": {
            "method": scene.method, "target": scene.target, "headers": headers,
            "body": scene.body,
        },
    })
}

fn asked(gate: &mut Gate, question: &Value) -> Value {
    serde_json::from_str(&gate.decide_json(&question.to_string())).expect("JSON")
}

fn list() -> Scene {
    Scene::mcp(&json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"}))
}

const TOOLS: &str =
    r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"get_board"},{"name":"edit_board"}]}}"#;

#[test]
fn the_json_form_passes_what_the_typed_one_passes() {
    let scene = scene();
    let Answer { verdict: Verdict::Pass(pass), audit, .. } = scene.answer() else {
        panic!("passes");
    };
    let set: Vec<Value> = pass.set.iter().map(|(name, value)| json!([name, value])).collect();
    let expected = json!({
        "verdict": "pass", "reason": "ok", "detail": "",
        "audit": audit.expect("a record").to_json(),
        "pass": {
            "remove": ["authorization"], "remove_trailers": [], "set": set, "response": {},
        },
    });
    assert_eq!(asked(&mut scene.gate(), &question(&scene)), expected);
}

#[test]
fn the_json_form_answers_what_the_typed_one_answers() {
    let mut scene = scene();
    scene.target = "/boards/budget".to_owned();
    let Answer { verdict: Verdict::Reply(reply), detail, audit, .. } = scene.answer() else {
        panic!("is denied");
    };
    let headers: Vec<Value> =
        reply.headers.iter().map(|(name, value)| json!([name, value])).collect();
    let expected = json!({
        "verdict": "reply", "reason": "no-relation", "detail": detail,
        "audit": audit.expect("a record").to_json(),
        "reply": {"status": 403, "headers": headers, "body": reply.body},
    });
    assert_eq!(asked(&mut scene.gate(), &question(&scene)), expected);
}

#[test]
fn a_question_that_is_wrong_lets_nothing_through() {
    let scene = scene();
    let mut gate = scene.gate();
    let good = question(&scene);
    let changed = |pointer: &str, value: Value| {
        let mut question = good.clone();
        *question.pointer_mut(pointer).expect("a place") = value;
        question
    };
    for question in [
        json!({}),
        json!([]),
        changed("/now", json!(1_u64 << 54)),
        changed("/now", json!(-1)),
        changed("/request/method", Value::Null),
        changed("/request/body", json!({"base64url": "="})),
        changed("/request/body", json!({"base64": "YQ"})),
        changed("/request/headers/0", json!(["authorization"])),
        changed("/emission", json!({"decision_id": "a"})),
    ] {
        let answer = asked(&mut gate, &question);
        let got = (&answer["verdict"], &answer["reason"], &answer["reply"]["status"]);
        assert_eq!(got, (&json!("reply"), &json!("malformed"), &json!(400)), "{question}");
        assert_eq!((&answer["audit"], &answer["pass"]), (&Value::Null, &Value::Null));
    }
}

#[test]
fn bytes_that_are_no_text_have_a_form() {
    let scene = scene();
    let mut question = question(&scene);
    let headers = question["request"]["headers"].as_array_mut().expect("headers");
    headers.push(json!(["x-note", {"base64url": base64url::encode(b"\xff")}]));
    assert_eq!(asked(&mut scene.gate(), &question)["verdict"], json!("pass"));
    question["request"]["target"] = json!({"base64url": base64url::encode(b"/\xff")});
    assert_eq!(asked(&mut scene.gate(), &question)["reason"], json!("path"));
}

#[test]
fn a_ticket_that_was_written_out_filters_as_before() {
    let scene = list();
    let mut gate = scene.gate();
    let answer = asked(&mut gate, &question(&scene));
    let ticket = answer["pass"]["response"]["list_ticket"].as_str().expect("a ticket").to_owned();
    let mut filter = |ticket: &str, now: u64| -> Value {
        let question = json!({
            "now": now, "ticket": ticket, "content_type": "application/json", "body": TOOLS,
        });
        serde_json::from_str(&gate.filter_list_json(&question.to_string())).expect("JSON")
    };
    let shown = r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"get_board"}]}}"#;
    let expected = json!({"body": shown, "content_type": "application/json", "removed": 1});
    assert_eq!(filter(&ticket, NOW), expected);
    let error = r#"{"error":{"code":-32603,"message":"The decision is not available. Try again."},"id":7,"jsonrpc":"2.0"}"#;
    let late = filter(&ticket, NOW + 400);
    assert_eq!(
        (&late["body"], &late["failure"]),
        (&json!(error), &json!("is for a token that is no longer valid"))
    );
    for ticket in ["", "{}", &ticket.replace("tools", "tolls"), &ticket.replace("\"7\"", "\"[7]\"")]
    {
        let none = filter(ticket, NOW);
        assert_eq!((&none["failure"], &none["removed"]), (&json!("has no ticket"), &json!(0)));
    }
}

#[test]
fn a_stream_that_the_host_holds_goes_on_as_one_that_the_gate_holds() {
    let opened = Scene::mcp(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
    let mut gate = opened.gate();
    let first = asked(&mut gate, &question(&opened));
    let scope = first["pass"]["response"]["session_scope"]
        .as_str()
        .unwrap_or_else(|| panic!("{first}"))
        .to_owned();
    let sealed = gate.seal_session_json(&json!({"scope": scope, "id": "server-1"}).to_string());
    let sealed: Value = serde_json::from_str(&sealed).expect("JSON");
    let mut stream = scene();
    stream.target = "/mcp".to_owned();
    stream.header("mcp-protocol-version", "2025-11-25");
    stream.header("mcp-session-id", sealed["sealed"].as_str().expect("sealed"));
    let answer = asked(&mut gate, &question(&stream));
    assert_eq!(answer["reason"], json!("ok"), "{answer}");
    let ticket = answer["pass"]["response"]["stream_ticket"].as_str().expect("a ticket").to_owned();
    let events = format!(": hello\n\ndata: {TOOLS}\n\n: bye");
    let (mut held, mut out) = (json!(""), String::new());
    for (at, byte) in events.bytes().enumerate() {
        let question = json!({
            "now": NOW, "ticket": ticket, "held": held,
            "chunk": char::from(byte).to_string(), "last": at + 1 == events.len(),
        });
        let piece = gate.filter_stream_json(&question.to_string());
        let piece: Value = serde_json::from_str(&piece).expect("JSON");
        out.push_str(piece["out"].as_str().expect("text"));
        held = piece["held"].clone();
    }
    let shown = r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"get_board"}]}}"#;
    assert_eq!((out, held), (format!(": hello\n\ndata: {shown}\n\n: bye"), json!("")));
    let made_up = json!({"now": NOW, "ticket": "{}", "chunk": "", "last": true});
    assert_eq!(gate.filter_stream_json(&made_up.to_string()), r#"{"error":"has no ticket"}"#);
}

#[test]
fn the_seal_wants_a_secret_and_a_scope() {
    let mut gate = Gate::new();
    let short = gate.configure_sealing_json(r#"{"secret":"short"}"#);
    assert_eq!(short, r#"{"error":{"message":"must have at least 32 bytes","path":"secret"}}"#);
    let secret = json!({"secret": {"base64url": base64url::encode(&SECRET)}});
    let seal = r#"{"scope":"{\"server\":\"tasks\",\"tenant\":\"acme\"}","id":"s"}"#;
    assert_eq!(gate.seal_session_json(seal), "{}");
    assert_eq!(gate.configure_sealing_json(&secret.to_string()), "{}");
    assert!(gate.seal_session_json(seal).starts_with(r#"{"sealed":""#));
    assert_eq!(gate.seal_session_json(r#"{"scope":"{}","id":"s"}"#), "{}");
}

#[test]
fn the_limit_of_a_body_is_that_of_its_route() {
    let gate = scene().gate();
    let limit = |question: Value| gate.body_limit_json(&question.to_string());
    assert_eq!(limit(json!({"method": "POST", "target": "/mcp"})), r#"{"bytes":262144}"#);
    assert_eq!(limit(json!({"method": "GET", "target": "/mcp"})), "{}");
    assert!(limit(json!({"method": "GET"})).starts_with(r#"{"error":"#));
}
