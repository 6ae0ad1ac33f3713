use serde_json::{Value, json};

use crate::client;
use crate::scene::Scene;
use crate::server::chunk;
use crate::stage::{Stage, get, scene_of_now};

pub(crate) const ALLOWED: &str = "roadmap";
pub(crate) const FORBIDDEN: &str = "budget";

pub(crate) fn call(board: &str) -> Vec<u8> {
    let params = json!({"name": "get_board", "arguments": {"board": board}});
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params})
        .to_string()
        .into_bytes()
}

pub(crate) fn bearer(scene: &Scene) -> String {
    format!("authorization: Bearer {}\r\n", scene.token())
}

/// The head of a POST to the MCP endpoint.
pub(crate) fn post(scene: &Scene, lines: &str) -> Vec<u8> {
    format!(
        "POST /mcp HTTP/1.1\r\nhost: boards.example\r\n{}content-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: 2025-11-25\r\n{lines}\r\n",
        bearer(scene)
    )
    .into_bytes()
}

pub(crate) fn length(body: &[u8]) -> String {
    format!("content-length: {}\r\n", body.len())
}

#[test]
fn a_denied_call_leaves_nothing_at_the_upstream_however_its_body_comes() {
    let scene = scene_of_now();
    let Some(stage) = Stage::ready("envoy: bodies", &scene) else { return };
    for (board, denied) in [(FORBIDDEN, true), (ALLOWED, false)] {
        let body = call(board);
        let (first, second) = body.split_at(20);
        let chunked = "transfer-encoding: chunked\r\n";
        let end = b"0\r\n\r\n".to_vec();
        // One byte after the other, with a moment in between each.
        let slow = body.chunks(1).take(20).map(chunk);
        let slow = slow.chain([chunk(&body[20..]), end.clone()]);
        let trailer = b"0\r\nx-mandate-user: root\r\n\r\n".to_vec();
        for parts in [
            vec![[post(&scene, &length(&body)), body.clone()].concat()],
            vec![post(&scene, &length(&body)), first.to_vec(), second.to_vec()],
            vec![post(&scene, chunked), chunk(first), chunk(second), end],
            vec![post(&scene, chunked), chunk(&body), trailer],
            [post(&scene, chunked)].into_iter().chain(slow).collect(),
            vec![post(&scene, &format!("expect: 100-continue\r\n{}", length(&body))), body.clone()],
        ] {
            let answered = stage.send(&parts).expect("an answer");
            let received = stage.received();
            assert_eq!(answered.body.contains("-32001"), denied, "{answered:?}");
            assert_eq!(received.len(), usize::from(!denied), "{received:?}");
            if let [request] = received.as_slice() {
                assert_eq!(request.body, body);
                assert_eq!(request.values("x-mandate-user"), ["user:anne"]);
                assert_eq!(request.values("authorization"), [""; 0]);
            }
        }
    }
}

#[test]
fn trailers_over_http_2_end_a_body_like_anything_else() {
    let scene = scene_of_now();
    let Some(stage) = Stage::ready("envoy: HTTP/2 trailers", &scene) else { return };
    let token = format!("Bearer {}", scene.token());
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/mcp"),
        (":authority", "boards.example"),
        ("authorization", token.as_str()),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", "2025-11-25"),
    ];
    for (board, denied) in [(FORBIDDEN, true), (ALLOWED, false)] {
        let trailers = [("x-mandate-user", "root"), ("x-checksum", "1")];
        let answered = client::send_h2(stage.port, &fields, &call(board), &trailers);
        assert_eq!(answered.contains("-32001"), denied, "{answered}");
        let received = stage.received();
        assert_eq!(received.len(), usize::from(!denied));
        for request in received {
            assert_eq!(request.values("x-mandate-user"), ["user:anne"]);
        }
    }
}

#[test]
fn an_empty_or_endless_body_is_refused() {
    let scene = scene_of_now();
    let Some(stage) = Stage::ready("envoy: empty and endless bodies", &scene) else { return };
    let empty = stage.send(&[post(&scene, &length(b""))]).expect("an answer");
    assert_eq!(empty.status, 400);
    let mut parts = vec![post(&scene, "transfer-encoding: chunked\r\n")];
    parts.extend(vec![chunk(&[b' '; 65536]); 6]);
    assert_eq!(stage.send(&parts).expect("an answer").status, 413);
    assert_eq!(stage.received().len(), 0);
}

// A filter that read a value as text ended its VM here, and every later request was answered 503.
#[test]
fn a_value_that_is_not_utf_8_harms_nobody() {
    let scene = scene_of_now();
    let Some(stage) = Stage::ready("envoy: values that are not UTF-8", &scene) else { return };
    let head = |value: &[u8]| {
        [b"GET /boards/roadmap HTTP/1.1\r\nhost: a\r\n".as_slice(), value, b"\r\n\r\n"].concat()
    };
    for _ in 0..4 {
        let answered = stage.send(&[head(b"authorization: Bearer \xff\xfe")]).expect("an answer");
        assert_eq!(answered.status, 401);
    }
    let good = stage.send(&[get("/boards/roadmap", &bearer(&scene))]).expect("an answer");
    assert_eq!((good.status, stage.received().len()), (200, 1));
}

#[test]
fn fields_of_ours_are_the_filters_alone_in_every_spelling() {
    let scene = scene_of_now();
    let Some(stage) = Stage::ready("envoy: identity fields", &scene) else { return };
    let spoofed = "x-mandate-user: root\r\nX-Mandate-User: root\r\nx_mandate_user: root\r\n\
                   x-mandate_admin: yes\r\n";
    let lines = format!("{}{spoofed}", bearer(&scene));
    assert_eq!(stage.send(&[get("/boards/roadmap", &lines)]).expect("an answer").status, 200);
    let received = stage.received();
    let [request] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!(request.values("x-mandate-user"), ["user:anne"]);
    for name in ["x_mandate_user", "x-mandate_admin", "authorization"] {
        assert_eq!(request.values(name), [""; 0], "{name}");
    }
    let twice = format!("{0}{0}", bearer(&scene));
    assert_eq!(stage.send(&[get("/boards/roadmap", &twice)]).expect("an answer").status, 401);
}

#[test]
fn a_list_shows_what_may_be_called() {
    let scene = scene_of_now();
    let Some(stage) = Stage::ready("envoy: lists", &scene) else { return };
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"}).to_string();
    let request = [post(&scene, &length(body.as_bytes())), body.into_bytes()].concat();
    let answered = stage.send(&[request]).expect("an answer");
    let start = answered.body.find('{').expect("JSON");
    let end = answered.body.rfind('}').expect("JSON");
    let shown: Value = serde_json::from_str(&answered.body[start..=end]).expect("JSON");
    assert_eq!(shown["result"]["tools"], json!([{"name": "get_board", "inputSchema": {}}]));
}

// The arguments are a protobuf message of Envoy's own: with one number wrong, everything would still
// work, fifteen times slower.
#[test]
fn envoy_verifies_the_signatures_that_it_can() {
    let scene = scene_of_now();
    let Some(stage) = Stage::ready("envoy: verify_signature", &scene) else { return };
    for algorithm in ["ES256", "ES384", "RS256", "RS384", "RS512"] {
        let vms = stage.metric(&format!("verify_signature.{algorithm}"));
        assert!(vms.is_some_and(|vms| vms >= 2), "{algorithm}: {vms:?}");
    }
    for algorithm in ["EdDSA", "PS256"] {
        assert_eq!(stage.metric(&format!("verify_signature.{algorithm}")), None, "{algorithm}");
    }
}

#[test]
fn a_grpc_request_is_denied_in_its_own_way() {
    let scene = scene_of_now();
    let Some(stage) = Stage::ready("envoy: gRPC", &scene) else { return };
    let request = b"POST /boards/budget HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc\r\n\
        content-length: 0\r\n\r\n";
    let answered = stage.send(&[request.to_vec()]).expect("an answer");
    assert!(answered.head.contains("grpc-status: 7"), "{}", answered.head);
    assert_eq!(stage.received().len(), 0);
}
