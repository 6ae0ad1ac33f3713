//! The Model Context Protocol, through the whole gate.

use mandate_authn::ReasonCode;
use mandate_gate::{EventStream, Gate, SessionDuty, StreamTicket, Verdict};
use serde_json::{Value, json};

use crate::scene::{NOW, Scene, scene};

fn call(tool: &str, arguments: &Value) -> Scene {
    let params = json!({"name": tool, "arguments": arguments});
    Scene::mcp(&json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}))
}

fn method(name: &str) -> Scene {
    Scene::mcp(&json!({"jsonrpc": "2.0", "id": 7, "method": name}))
}

fn body(scene: &Scene) -> (u16, Value) {
    let reply = scene.reply();
    (reply.status, serde_json::from_str(&reply.body).expect("JSON"))
}

fn error(code: i64, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "error": {"code": code, "message": message}})
}

#[test]
fn an_agent_calls_a_tool_on_its_users_board() {
    let scene = call("get_board", &json!({"board": "roadmap"}));
    let answer = scene.answer();
    assert_eq!(answer.reason, ReasonCode::Ok);
    let record: Value =
        serde_json::from_str(&answer.audit.expect("a record").to_json()).expect("JSON");
    let named = ["action", "resource", "server", "tool", "user", "machine_identity_id"];
    let named = named.map(|member| record[member].clone());
    let expected = [
        json!("view"),
        json!(["/board=roadmap"]),
        json!("tasks"),
        json!("get_board"),
        json!("user:anne"),
        json!("agent:helper"),
    ];
    assert_eq!(named, expected);
}

#[test]
fn a_denied_call_is_answered_within_the_protocol() {
    let scene = call("get_board", &json!({"board": "budget"}));
    assert_eq!(scene.reason(), ReasonCode::NoRelation);
    assert_eq!(body(&scene), (200, error(-32001, "Access denied.")));
}

#[test]
fn a_denied_call_is_a_403_where_the_route_says_so() {
    let mut scene = call("get_board", &json!({"board": "budget"}));
    scene.contract["gate"]["routes"]["mcp"]["denied"] = json!("status");
    assert_eq!(body(&scene), (403, error(-32001, "Access denied.")));
}

#[test]
fn a_tool_that_may_not_be_called_does_not_exist_where_the_route_hides_it() {
    for tool in ["edit_board", "rm_rf"] {
        let mut scene = call(tool, &json!({"board": "roadmap"}));
        scene.claims["scope"] = json!("boards.write");
        scene.contract["gate"]["routes"]["mcp"]["denied"] = json!("hide");
        assert_eq!(body(&scene), (200, error(-32602, "Unknown tool")), "{tool}");
    }
}

#[test]
fn a_tool_that_the_agent_was_not_given_is_denied() {
    let mut scene = call("edit_board", &json!({"board": "roadmap"}));
    scene.claims["scope"] = json!("boards.write");
    // The identity's modes come before its tools.
    assert_eq!(scene.reason(), ReasonCode::ScopeMode);
    scene.facts = scene.facts.replace("modes: [read]", "modes: '*'");
    scene.facts =
        scene.facts.replace("callers: [anne, 'agent:helper']}\ntools", "callers: [anne]}\ntools");
    assert_eq!(scene.reason(), ReasonCode::AgentTool);
}

#[test]
fn a_scope_too_small_stays_a_challenge() {
    let scene = call("edit_board", &json!({"board": "roadmap"}));
    let reply = scene.reply();
    assert_eq!(reply.status, 403);
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"boards.write\", resource_metadata=\"https://boards.example/.well-known/oauth-protected-resource/mcp\"";
    assert_eq!(reply.headers[0], ("www-authenticate", challenge.to_owned()));
}

#[test]
fn an_argument_that_names_a_resource_is_one_string() {
    for arguments in [
        json!({}),
        json!({"board": null}),
        json!({"board": ["roadmap"]}),
        json!({"board": {"id": "roadmap"}}),
        json!({"board": 1}),
        json!({"board": ""}),
        json!({"board": "a b"}),
        json!([]),
    ] {
        assert_eq!(call("get_board", &arguments).reason(), ReasonCode::Malformed, "{arguments}");
    }
}

#[test]
fn a_member_that_comes_twice_is_refused() {
    let mut scene = call("get_board", &json!({"board": "roadmap"}));
    scene.body =
        scene.body.replace(r#""board":"roadmap""#, r#""board":"roadmap","board":"budget""#);
    assert_eq!(scene.reason(), ReasonCode::Malformed);
}

#[test]
fn a_batch_is_refused() {
    let mut scene = call("get_board", &json!({"board": "roadmap"}));
    scene.body = format!("[{}]", scene.body);
    assert_eq!(scene.reason(), ReasonCode::Batch);
}

#[test]
fn a_method_that_is_not_in_the_table_is_unknown() {
    for name in ["tools/destroy", "tasks/get", "server/discover"] {
        let scene = method(name);
        assert_eq!(scene.reason(), ReasonCode::MethodUnknown, "{name}");
        assert_eq!(body(&scene), (200, error(-32601, "Access denied.")), "{name}");
    }
}

#[test]
fn the_session_itself_asks_for_no_tool() {
    for name in ["ping", "initialize"] {
        assert_eq!(method(name).reason(), ReasonCode::Ok, "{name}");
    }
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(Scene::mcp(&note).reason(), ReasonCode::Ok);
}

#[test]
fn a_denied_notification_is_told_by_status() {
    let mut scene = Scene::mcp(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    scene.facts = scene.facts.replace("  delegated_by: [anne]\n", "");
    assert_eq!(scene.reason(), ReasonCode::NotDelegate);
    assert_eq!(scene.reply().status, 403);
}

#[test]
fn a_resource_is_named_by_its_uri() {
    let read = |uri: &str| {
        let params = json!({"uri": uri});
        Scene::mcp(
            &json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": params}),
        )
    };
    assert_eq!(read("roadmap").reason(), ReasonCode::Ok);
    assert_eq!(read("budget").reason(), ReasonCode::NoRelation);
    // Nobody knows whose that would be.
    assert_eq!(read("file:///etc/passwd").reason(), ReasonCode::TenantUnknown);
}

#[test]
fn the_headers_are_compared_and_never_believed() {
    let mut scene = call("get_board", &json!({"board": "budget"}));
    scene.header("mcp-method", "ping");
    assert_eq!(scene.reason(), ReasonCode::HeaderMismatch);
    assert_eq!(body(&scene), (400, error(-32020, "The request was not understood.")));
}

#[test]
fn a_request_without_sessions_says_everything_in_each_request() {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    let params = json!({"name": "get_board", "arguments": {"board": "roadmap"}, "_meta": meta});
    let message = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params});
    let mut scene = Scene::mcp(&message);
    scene.headers.retain(|(name, _)| name != b"mcp-protocol-version");
    scene.header("mcp-protocol-version", "2026-07-28");
    scene.header("mcp-method", "tools/call");
    assert_eq!(scene.reason(), ReasonCode::HeaderMismatch);
    scene.header("mcp-name", "get_board");
    assert_eq!(scene.reason(), ReasonCode::Ok);
}

#[test]
fn a_version_that_is_not_spoken_is_told_which_are() {
    let mut scene = method("ping");
    scene.headers.retain(|(name, _)| name != b"mcp-protocol-version");
    scene.header("mcp-protocol-version", "2031-01-01");
    let (status, answer) = body(&scene);
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32022)));
    assert_eq!(answer["error"]["data"]["requested"], json!("2031-01-01"));
}

#[test]
fn a_body_that_is_not_plain_json_is_refused() {
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-type", "application/json; charset=utf-16"),
        ("content-type", "application/json-rpc"),
        ("content-encoding", "gzip"),
        ("upgrade", "websocket"),
    ] {
        let mut scene = method("ping");
        scene.headers.retain(|(known, _)| known != name.as_bytes());
        scene.header(name, value);
        assert_eq!(scene.reason(), ReasonCode::Malformed, "{name}: {value}");
    }
    let mut scene = method("ping");
    scene.headers.retain(|(known, _)| known != b"content-type");
    scene.header("content-type", "application/json; charset=UTF-8");
    assert_eq!(scene.reason(), ReasonCode::Ok);
}

#[test]
fn a_body_beyond_the_limit_is_too_large() {
    let mut scene = method("ping");
    scene.contract["gate"]["routes"]["mcp"]["body_bytes"] = json!(scene.body.len() - 1);
    assert_eq!(scene.reason(), ReasonCode::TooLarge);
    assert_eq!(scene.reply().status, 413);
    scene.contract["gate"]["routes"]["mcp"]["body_bytes"] = json!(scene.body.len());
    assert_eq!(scene.reason(), ReasonCode::Ok);
}

#[test]
fn an_empty_body_is_malformed() {
    let mut scene = method("ping");
    scene.body = String::new();
    assert_eq!(scene.reason(), ReasonCode::Malformed);
}

#[test]
fn a_session_opens_only_for_whom_it_was_sealed() {
    let scene = method("ping");
    let gate = scene.gate();
    let SessionDuty::Seal(scope) = scene.pass().response.session else { panic!("not sealed") };
    let sealed = gate.seal_session(&scope, b"s-1").expect("it is an id");

    let mut next = method("ping");
    next.header("mcp-session-id", &sealed);
    assert!(next.pass().set.contains(&("mcp-session-id", "s-1".to_owned())));
    next.headers.pop();
    next.header("mcp-session-id", "s-1");
    assert_eq!(next.reason(), ReasonCode::NoRelation);

    let mut other = method("ping");
    other.facts = other.facts.replace("delegated_by: [anne]", "delegated_by: [anne, bob]");
    other.facts = other.facts.replace("visibility: private", "visibility: global");
    other.claims["sub"] = json!("u-bob");
    assert_eq!(other.answer_of(&mut other.gate()).reason, ReasonCode::Ok);
    other.header("mcp-session-id", &sealed);
    assert_eq!(other.reason(), ReasonCode::NoRelation);
}

#[test]
fn without_a_secret_there_are_no_sessions() {
    let mut scene = method("ping");
    scene.with_secret = false;
    assert_eq!(scene.pass().response.session, SessionDuty::Remove);
    scene.header("mcp-session-id", "s-1");
    assert_eq!(scene.reason(), ReasonCode::Unmapped);
}

#[test]
fn a_stream_needs_a_session_and_ends_with_the_token() {
    let with_session = || {
        let scope = match method("ping").pass().response.session {
            SessionDuty::Seal(scope) => scope,
            other @ (SessionDuty::Remove | SessionDuty::Untouched) => panic!("{other:?}"),
        };
        let sealed = scene().gate().seal_session(&scope, b"s-1").expect("an id");
        let mut scene = scene();
        scene.target = "/mcp".to_owned();
        scene.header("mcp-protocol-version", "2025-11-25");
        scene.header("mcp-session-id", &sealed);
        scene
    };
    let mut stream = with_session();
    stream.claims["exp"] = json!(NOW + 100);
    assert_eq!(stream.pass().response.ends_at, Some(NOW + 100));
    stream.header("last-event-id", "9");
    assert_eq!(stream.reason(), ReasonCode::Ok);
    let mut end = with_session();
    end.method = "DELETE";
    assert_eq!(end.reason(), ReasonCode::Ok);
    let mut bare = with_session();
    bare.headers.retain(|(name, _)| name != b"mcp-session-id");
    assert_eq!(bare.reason(), ReasonCode::Unmapped);
}

#[test]
fn a_list_shows_what_could_be_called() {
    let scene = method("tools/list");
    let mut gate = scene.gate();
    let pass = match scene.answer_of(&mut gate).verdict {
        Verdict::Pass(pass) => pass,
        Verdict::Reply(reply) => panic!("{reply:?}"),
    };
    assert!(pass.remove.contains(&"accept-encoding".to_owned()));
    let ticket = pass.response.list.expect("a ticket");
    let tools = ["get_board", "edit_board", "rm_rf", "list_boards"];
    let tools: Vec<Value> = tools.iter().map(|name| json!({"name": name})).collect();
    let list = json!({"jsonrpc": "2.0", "id": 7, "result": {"tools": tools, "nextCursor": "c"}});
    let shown =
        gate.filter_list(&ticket, Some("application/json"), list.to_string().as_bytes(), NOW);
    let shown: Value = serde_json::from_slice(&shown.body).expect("JSON");
    let kept = json!([{"name": "get_board"}, {"name": "list_boards"}]);
    assert_eq!(shown["result"], json!({"tools": kept, "nextCursor": "c"}));
}

#[test]
fn a_list_that_cannot_be_read_shows_nothing() {
    let scene = method("tools/list");
    let mut gate = scene.gate();
    let Verdict::Pass(pass) = scene.answer_of(&mut gate).verdict else { panic!("it is denied") };
    let ticket = pass.response.list.expect("a ticket");
    for (content_type, body) in [
        (
            Some("application/json"),
            r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"rm_rf"}]"#,
        ),
        (Some("application/json"), r#"{"jsonrpc":"2.0","id":8,"result":{"tools":[]}}"#),
        (Some("text/html"), r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[]}}"#),
        (None, r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[]}}"#),
    ] {
        let shown = gate.filter_list(&ticket, content_type, body.as_bytes(), NOW);
        let shown: Value = serde_json::from_slice(&shown.body).expect("JSON");
        assert_eq!(shown["error"]["code"], json!(-32603), "{body}");
    }
}

#[test]
fn a_list_is_empty_for_whom_the_moment_has_passed() {
    let scene = method("tools/list");
    let mut gate = scene.gate();
    let Verdict::Pass(pass) = scene.answer_of(&mut gate).verdict else { panic!("it is denied") };
    let ticket = pass.response.list.expect("a ticket");
    let list = br#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"get_board"}]}}"#;
    let shown = gate.filter_list(&ticket, Some("application/json"), list, NOW + 1000);
    let shown: Value = serde_json::from_slice(&shown.body).expect("JSON");
    assert_eq!(shown["error"]["code"], json!(-32603));
}

/// The ticket of a stream that goes on.
fn resumed(gate: &mut Gate) -> StreamTicket {
    let SessionDuty::Seal(scope) = method("ping").pass().response.session else { panic!("open") };
    let sealed = gate.seal_session(&scope, b"s-1").expect("an id");
    let mut scene = scene();
    scene.target = "/mcp".to_owned();
    scene.header("mcp-protocol-version", "2025-11-25");
    scene.header("mcp-session-id", &sealed);
    scene.header("last-event-id", "9");
    let Verdict::Pass(pass) = scene.answer_of(gate).verdict else { panic!("it is denied") };
    pass.response.stream.expect("a ticket")
}

// Found by fuzzing: one entry without a name, and the others passed as they came.
#[test]
fn an_entry_without_a_name_does_not_make_a_stream_show_the_others() {
    let mut gate = scene().gate();
    let ticket = resumed(&mut gate);
    let event = |tools: &str| {
        format!("data: {{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{{\"tools\":[{tools}]}}}}\n\n")
    };
    let mixed = event(r#"{"naee":"get_board"},{"name":"edit_board"},{"name":"list_boards"}"#);
    let shown = gate
        .filter_stream(&mut EventStream::default(), &ticket, mixed.as_bytes(), true, NOW)
        .expect("it goes on");
    assert_eq!(String::from_utf8(shown), Ok(event(r#"{"name":"list_boards"}"#)));
}

#[test]
fn a_stream_that_repeats_a_list_shows_what_could_be_called() {
    let mut gate = scene().gate();
    let ticket = resumed(&mut gate);
    let list = r#"data: {"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"rm_rf"},{"name":"get_board"}]}}"#;
    let mut stream = EventStream::default();
    let mut seen = Vec::new();
    for chunk in format!("id: 9\n{list}\n\n").into_bytes().chunks(7) {
        seen.extend(
            gate.filter_stream(&mut stream, &ticket, chunk, false, NOW).expect("it goes on"),
        );
    }
    let seen = String::from_utf8(seen).expect("text");
    let expected = r#"data: {"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"get_board"}]}}"#;
    assert_eq!(seen, format!("id: 9\n{expected}\n\n"));
}

// The request passed, and its answer was an error: nobody could have observed a call.
#[test]
fn while_denials_are_observed_a_list_shows_what_would_pass() {
    let body = r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"get_board"},{"name":"edit_board"},{"name":"drop_board"}]}}"#;
    let mut scene = method("tools/list");
    scene.contract["gate"]["routes"]["mcp"]["observe_until"] = json!(NOW + 60);
    scene.facts = scene.facts.replace("delegated_by: [anne]", "delegated_by: [bob]");
    assert_eq!(scene.answer().reason, ReasonCode::NotDelegate);
    let ticket = scene.pass().response.list.expect("a ticket");
    let mut gate = scene.gate();
    let mut filter = |now| {
        let reply = gate.filter_list(&ticket, Some("application/json"), body.as_bytes(), now);
        (reply.removed, reply.failure)
    };
    assert_eq!(filter(NOW), (1, None));
    assert_eq!(filter(NOW + 60), (0, Some("is for somebody who may no longer have it")));
}
