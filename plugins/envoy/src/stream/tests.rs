//! Requests and responses on a scripted host.

use std::collections::{BTreeMap, BTreeSet};

use mandate_authn::{RingBackend, base64url};
use serde_json::{Value, json};

use super::*;
use crate::scene::{MCP, NOW, SECRET, Scene, scene, state_config};
use crate::scripted::{Replied, Scripted};

/// A host with the state of a scene on its shelf, and the plugin that took it up.
pub(super) struct Stage {
    pub(super) host: Scripted,
    pub(super) worker: Rc<RefCell<Worker>>,
}

impl Stage {
    pub(super) fn of(scene: &Scene) -> Self {
        Self::configured(scene, &json!({}))
    }

    /// With more members of the configuration.
    fn configured(scene: &Scene, more: &Value) -> Self {
        let host = Scripted::at_seconds(scene.now);
        share(&host, &scene.sealed(7));
        let worker = configure(&host, scene, more).unwrap();
        Self { host, worker: Rc::new(RefCell::new(worker)) }
    }

    fn stream(&self) -> Stream {
        Stream::new(Some(Rc::clone(&self.worker)))
    }

    /// Puts the head of a scene's request before the filter.
    fn head(&self, scene: &Scene) {
        let text = |bytes: &[u8]| bytes.to_vec();
        let mut fields = vec![
            (text(b":method"), text(scene.method.as_bytes())),
            (text(b":path"), text(scene.target.as_bytes())),
            (text(b":authority"), text(b"boards.example")),
            (text(b":scheme"), text(b"http")),
        ];
        if scene.with_token {
            let value = format!("Bearer {}", scene.token());
            fields.push((text(b"authorization"), value.into_bytes()));
        }
        fields.extend(scene.headers.clone());
        self.host.maps.borrow_mut().insert(Map::Request, fields);
    }

    fn body(&self, buffer: Buffer, body: &[u8]) {
        self.host.buffers.borrow_mut().insert(buffer, body.to_vec());
    }

    /// Sends a scene's request, and how the filter leaves it.
    fn send(&self, scene: &Scene) -> (Stream, Step) {
        self.head(scene);
        let mut stream = self.stream();
        let step = stream.on_request_headers(&self.host, scene.body.is_empty());
        if scene.body.is_empty() {
            return (stream, step);
        }
        self.body(Buffer::Request, scene.body.as_bytes());
        let step = stream.on_request_body(&self.host, scene.body.len(), true);
        (stream, step)
    }

    /// The only answer that was given.
    fn replied(&self) -> Replied {
        let replies = self.host.replies.borrow();
        assert_eq!(replies.len(), 1, "{replies:?}");
        replies[0].clone()
    }

    fn record(&self) -> Value {
        serde_json::from_slice(&self.host.filter_state.borrow()["mandate"]).unwrap()
    }
}

/// Shares a snapshot, as the singleton does.
pub(super) fn share(host: &Scripted, snapshot: &[u8]) {
    let numbers = [1_u64, 0, 0].map(u64::to_le_bytes).concat();
    for (key, value) in [("snapshot/1/0", snapshot), ("version", &numbers)] {
        host.share(&format!("mandate/boards\0all\0{key}"), value, 0).unwrap();
    }
}

pub(super) fn configure(
    host: &Scripted,
    scene: &Scene,
    more: &Value,
) -> Result<Worker, crate::worker::Unconfigured> {
    let mut configuration = json!({
        "emitter": "edge-1", "trust": scene.trust(), "state": state_config(),
        "session_secret": base64url::encode(&SECRET),
    });
    for (name, value) in more.as_object().unwrap() {
        configuration[name] = value.clone();
    }
    Worker::configure(host, &configuration.to_string(), Box::new(RingBackend))
}

fn call(tool: &str, board: &str) -> Scene {
    let params = json!({"name": tool, "arguments": {"board": board}});
    Scene::mcp(&json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}))
}

fn list() -> Scene {
    Scene::mcp(&json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"}))
}

const DETAILS: &str = "mandate_denied{no-relation}";

#[test]
fn an_allowed_request_goes_upstream_with_its_identity_and_without_its_token() {
    let stage = Stage::of(&scene());
    let mut asked = scene();
    for name in ["x-mandate-user", "x_mandate_user", "x-mandate-anything"] {
        asked.header(name, "root");
        asked.header(name, "root again");
    }
    let (_, step) = stage.send(&asked);
    assert_eq!((step, stage.host.replies.borrow().len()), (Step::Continue, 0));
    let values = |name| stage.host.values(Map::Request, name);
    assert_eq!(values("x-mandate-user"), ["user:anne"]);
    assert_eq!(values("x-mandate-agent"), ["agent:helper"]);
    for name in ["authorization", "x_mandate_user", "x-mandate-anything"] {
        assert_eq!(values(name), [""; 0], "{name}");
    }
    let record = stage.record();
    assert_eq!((&record["verdict"], &record["user"]), (&json!("allow"), &json!("user:anne")));
    assert_eq!(json!(values("x-mandate-decision-id")[0]), record["decision_id"]);
    assert_eq!(stage.host.metric("mandate.allowed.ok"), 1);
}

#[test]
fn a_denied_request_is_answered_here_and_its_reason_is_logged() {
    let mut asked = scene();
    asked.target = "/boards/budget".to_owned();
    let stage = Stage::of(&asked);
    let (_, step) = stage.send(&asked);
    assert_eq!(step, Step::Pause);
    let replied = stage.replied();
    assert_eq!((replied.status, replied.details.as_str()), (403, DETAILS));
    assert_eq!(stage.record()["reason"], json!("no-relation"));
    assert_eq!(stage.host.metric("mandate.denied.no-relation"), 1);
}

#[test]
fn decisions_are_counted_without_gaps() {
    let stage = Stage::of(&scene());
    let mut health = scene();
    health.target = "/health".to_owned();
    let mut numbers = Vec::new();
    for asked in [&scene(), &health, &scene()] {
        assert_eq!(stage.send(asked).1, Step::Continue);
        numbers.push(stage.record()["source_sequence"].clone());
    }
    // What is open to everybody leaves no record, and takes no number.
    assert_eq!(numbers, [json!(1), json!(1), json!(2)]);
    let stages = [Stage::of(&scene()), Stage::of(&scene())];
    let sources = stages.map(|stage| {
        stage.send(&scene());
        stage.record()["source"].clone()
    });
    assert_eq!(sources[0], json!(format!("edge-1.{:x}.1", NOW * 1_000_000_000)));
}

// Envoy tells of the end in three ways, and a filter that knew one of them let the others pass.
#[test]
fn a_body_ends_with_the_headers_with_a_chunk_or_with_trailers() {
    let forbidden = call("get_board", "budget");
    let allowed = call("get_board", "roadmap");
    for (asked, expected) in [(&forbidden, Step::Pause), (&allowed, Step::Continue)] {
        for trailers in [false, true] {
            let stage = Stage::of(asked);
            stage.head(asked);
            let mut stream = stage.stream();
            assert_eq!(stream.on_request_headers(&stage.host, false), Step::Pause);
            let half = asked.body.len() / 2;
            stage.body(Buffer::Request, &asked.body.as_bytes()[..half]);
            assert_eq!(stream.on_request_body(&stage.host, half, false), Step::Pause);
            assert_eq!(stage.host.filter_state.borrow().len(), 0);
            stage.body(Buffer::Request, asked.body.as_bytes());
            let whole = asked.body.len();
            let step = if trailers {
                assert_eq!(stream.on_request_body(&stage.host, whole, false), Step::Pause);
                stage.host.set_map(Map::RequestTrailers, &[("x_mandate_user", "root"), ("a", "b")]);
                stream.on_request_trailers(&stage.host)
            } else {
                stream.on_request_body(&stage.host, whole, true)
            };
            assert_eq!(step, expected, "{trailers}");
            if trailers && expected == Step::Continue {
                let left = |name| stage.host.values(Map::RequestTrailers, name);
                assert_eq!((left("x_mandate_user"), left("a")), (vec![], vec!["b".to_owned()]));
            }
        }
    }
    let mut empty = forbidden;
    empty.body = String::new();
    let stage = Stage::of(&empty);
    assert_eq!(stage.send(&empty).1, Step::Pause);
    assert_eq!(stage.replied().status, 400);
}

#[test]
fn a_body_that_is_too_long_is_refused_as_soon_as_it_is() {
    let mut asked = call("get_board", "roadmap");
    asked.contract["gate"]["routes"]["mcp"]["body_bytes"] = json!(1024);
    let stage = Stage::of(&asked);
    stage.head(&asked);
    let mut stream = stage.stream();
    assert_eq!(stream.on_request_headers(&stage.host, false), Step::Pause);
    stage.body(Buffer::Request, &[b' '; 5000]);
    assert_eq!(stream.on_request_body(&stage.host, 1024, false), Step::Pause);
    assert_eq!(stage.host.replies.borrow().len(), 0);
    assert_eq!(stream.on_request_body(&stage.host, 5000, false), Step::Pause);
    assert_eq!((stage.replied().status, stage.host.replies.borrow().len()), (413, 1));
    assert_eq!(stream.on_request_body(&stage.host, 9000, true), Step::Pause);
    assert_eq!(stage.host.replies.borrow().len(), 1);
}

#[test]
fn a_value_that_is_not_utf_8_is_refused_like_any_other() {
    let mut asked = scene();
    asked.with_token = false;
    asked.headers.push((b"authorization".to_vec(), b"Bearer \xff\xfe".to_vec()));
    let stage = Stage::of(&asked);
    assert_eq!(stage.send(&asked).1, Step::Pause);
    assert_eq!(stage.replied().details, "mandate_denied{token-malformed}");
}

#[test]
fn a_pseudo_header_field_that_is_unknown_or_comes_twice_is_malformed() {
    for name in [":protocol", ":path"] {
        let mut asked = scene();
        asked.header(name, "/health");
        let stage = Stage::of(&asked);
        assert_eq!(stage.send(&asked).1, Step::Pause);
        assert_eq!(stage.replied().details, "mandate_denied{malformed}", "{name}");
    }
}

// Every call that the filter makes for a request, broken in turn.
#[test]
fn a_host_call_that_fails_denies() {
    let with_trailers = |stage: &Stage| {
        let asked = call("get_board", "roadmap");
        stage.head(&asked);
        stage.host.set_map(Map::Request, &[]);
        stage.head(&asked);
        stage.host.set_map(Map::RequestTrailers, &[("x-mandate-user", "root")]);
        let mut stream = stage.stream();
        stream.on_request_headers(&stage.host, false);
        stage.body(Buffer::Request, asked.body.as_bytes());
        stream.on_request_trailers(&stage.host)
    };
    let more = json!({"client_certificate": true, "peer_address": true, "route": "mcp"});
    let whole = Stage::configured(&scene(), &more);
    assert_eq!(with_trailers(&whole), Step::Continue);
    let harmless =
        BTreeSet::from(["add_metric", "define_metric", "record_metric", "share", "shared"]);
    let calls = whole.host.calls().into_keys().filter(|call| !harmless.contains(call));
    let calls: Vec<_> = calls.collect();
    assert_eq!(
        calls,
        ["buffer", "fields", "now", "property", "remove_field", "set_field", "set_filter_state"]
    );
    for broken in calls {
        let stage = Stage::configured(&scene(), &more);
        stage.host.broken.borrow_mut().insert(broken);
        assert_eq!(with_trailers(&stage), Step::Pause, "{broken}");
        let replied = stage.replied();
        assert_eq!((replied.status, replied.details.as_str()), (503, "mandate_denied{internal}"));
    }
    for broken in harmless {
        let stage = Stage::configured(&scene(), &more);
        stage.host.broken.borrow_mut().insert(broken);
        assert_eq!(with_trailers(&stage), Step::Continue, "{broken}");
    }
}

// What a request costs beside the decision: each call is a way out of the module and back.
#[test]
fn a_request_that_passes_takes_this_many_host_calls() {
    let counted = |asked: &Scene| {
        let stage = Stage::of(asked);
        // The first of its reason also defines the metrics.
        assert_eq!(stage.send(asked).1, Step::Continue);
        stage.host.calls();
        assert_eq!(stage.send(asked).1, Step::Continue);
        stage.host.calls()
    };
    let read = counted(&scene());
    let expected = [
        ("add_metric", 1),
        ("fields", 1),
        ("now", 2),
        ("record_metric", 1),
        ("remove_field", 1),
        ("set_field", 5),
        ("set_filter_state", 1),
    ];
    assert_eq!(read, BTreeMap::from(expected));
    // The headers are read again once the body is there: what goes upstream is what is decided.
    let mut with_body = read;
    with_body.extend([("buffer", 1), ("fields", 2)]);
    assert_eq!(counted(&call("get_board", "roadmap")), with_body);
}

#[test]
fn an_answer_that_the_host_does_not_take_leaves_the_stream_held() {
    let mut asked = scene();
    asked.target = "/boards/budget".to_owned();
    let stage = Stage::of(&asked);
    stage.host.broken.borrow_mut().insert("reply");
    let (mut stream, step) = stage.send(&asked);
    assert_eq!(step, Step::Pause);
    assert_eq!(stream.on_request_body(&stage.host, 1, true), Step::Pause);
    assert_eq!(stream.on_request_trailers(&stage.host), Step::Pause);
    assert_eq!(stream.on_response_headers(&stage.host, false), Step::Pause);
    assert_eq!(stream.on_response_body(&stage.host, 1, true), Step::Pause);
}

#[test]
fn a_plugin_without_configuration_or_state_passes_nothing() {
    let host = Scripted::at_seconds(NOW);
    let mut stream = Stream::new(None);
    assert_eq!(stream.on_request_headers(&host, true), Step::Pause);
    assert_eq!(host.replies.borrow()[0].status, 503);

    let worker = configure(&host, &scene(), &json!({})).unwrap();
    let stage = Stage { host, worker: Rc::new(RefCell::new(worker)) };
    stage.host.replies.borrow_mut().clear();
    assert_eq!(stage.send(&scene()).1, Step::Pause);
    let replied = stage.replied();
    assert_eq!(
        (replied.status, replied.details.as_str()),
        (503, "mandate_denied{snapshot-missing}")
    );
}

#[test]
fn a_flood_of_tokens_is_answered_busy_until_the_next_tick() {
    let asked = |number: u64| {
        let mut asked = scene();
        asked.claims["jti"] = json!(format!("t-{number}"));
        asked
    };
    let stage = Stage::configured(&scene(), &json!({"verifications_per_tick": 2}));
    let steps: Vec<_> = (0..4).map(|number| stage.send(&asked(number)).1).collect();
    assert_eq!(steps, [Step::Continue, Step::Continue, Step::Pause, Step::Pause]);
    let busy = stage.host.replies.borrow()[0].clone();
    assert_eq!((busy.status, busy.details.as_str()), (503, "mandate_denied{budget}"));
    // Tokens that were verified before cost nothing.
    assert_eq!(stage.send(&asked(1)).1, Step::Continue);
    stage.worker.borrow_mut().on_tick(&stage.host);
    assert_eq!(stage.send(&asked(3)).1, Step::Continue);
    assert_eq!(stage.host.metric("mandate.signatures.checked"), 2);
}

#[test]
fn the_route_is_named_by_the_operator_and_never_by_the_request() {
    let asked = call("get_board", "roadmap");
    for (more, name, step) in [
        (json!({"route": "mcp"}), None, Step::Continue),
        (json!({"route": "web"}), None, Step::Pause),
        (json!({"route_from_envoy": true}), Some("mcp"), Step::Continue),
        (json!({"route_from_envoy": true}), Some("web"), Step::Pause),
        (json!({"route_from_envoy": true}), None, Step::Pause),
    ] {
        let stage = Stage::configured(&asked, &more);
        if let Some(name) = name {
            let key = "xds.route_name".to_owned();
            stage.host.properties.borrow_mut().insert(key, name.as_bytes().to_vec());
        }
        assert_eq!(stage.send(&asked).1, step, "{more} {name:?}");
    }
}

#[test]
fn trailers_of_a_body_that_streams_lose_what_is_ours() {
    let mut asked = scene();
    asked.body = "streams".to_owned();
    let stage = Stage::of(&asked);
    stage.head(&asked);
    let mut stream = stage.stream();
    assert_eq!(stream.on_request_headers(&stage.host, false), Step::Continue);
    assert_eq!(stream.on_request_body(&stage.host, 7, false), Step::Continue);
    stage.host.set_map(Map::RequestTrailers, &[("X-Mandate-User", "root"), ("a", "b")]);
    stage.host.set_map(Map::RequestTrailers, &[("x-mandate-user", "root"), ("a", "b")]);
    assert_eq!(stream.on_request_trailers(&stage.host), Step::Continue);
    assert_eq!(stage.host.values(Map::RequestTrailers, "x-mandate-user"), [""; 0]);
    stage.host.set_map(Map::RequestTrailers, &[("x-mandate user", "root")]);
    assert_eq!(stream.on_request_trailers(&stage.host), Step::Pause);
}

fn tools(names: &[&str]) -> Value {
    let tools: Vec<_> = names.iter().map(|name| json!({"name": name, "inputSchema": {}})).collect();
    json!({"jsonrpc": "2.0", "id": 7, "result": {"tools": tools}})
}

/// What the client gets of a response, in chunks.
fn list_response(stage: &Stage, headers: &[(&str, &str)], body: &[u8]) -> (Step, Vec<u8>) {
    let (mut stream, step) = stage.send(&list());
    assert_eq!(step, Step::Continue);
    stage.host.set_map(Map::Response, headers);
    if stream.on_response_headers(&stage.host, body.is_empty()) == Step::Continue {
        return (Step::Continue, body.to_vec());
    }
    stage.body(Buffer::Response, body);
    assert_eq!(stream.on_response_body(&stage.host, body.len() / 2, false), Step::Pause);
    let step = stream.on_response_body(&stage.host, body.len(), true);
    (step, stage.host.buffers.borrow()[&Buffer::Response].clone())
}

#[test]
fn a_list_shows_what_its_reader_may_call() {
    let stage = Stage::of(&list());
    let all = tools(&["get_board", "edit_board", "list_boards", "unknown"]).to_string();
    let length = all.len().to_string();
    let headers =
        [(":status", "200"), ("content-type", "application/json"), ("content-length", &length)];
    let (step, shown) = list_response(&stage, &headers, all.as_bytes());
    assert_eq!(step, Step::Continue);
    let shown: Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!(shown["result"]["tools"], tools(&["get_board", "list_boards"])["result"]["tools"]);
    assert_eq!(stage.host.values(Map::Response, "content-length"), [""; 0]);
    assert_eq!(stage.host.metric("mandate.list.hidden"), 2);

    let events = format!("event: message\ndata: {all}\n\n");
    let headers = [(":status", "200"), ("content-type", "text/event-stream")];
    let (step, shown) = list_response(&stage, &headers, events.as_bytes());
    assert_eq!(step, Step::Continue);
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("get_board") && !shown.contains("edit_board"), "{shown}");
}

#[test]
fn a_list_that_cannot_be_read_is_an_error_instead() {
    let all = tools(&["get_board", "edit_board"]).to_string();
    let json = ("content-type", "application/json");
    let long = format!("{all}{}", " ".repeat(limits_list_bytes()));
    for (status, headers, body) in [
        (200, vec![json, ("content-encoding", "gzip")], all.as_bytes()),
        (200, vec![("content-type", "text/html")], all.as_bytes()),
        (200, vec![json], b"{"),
        (200, vec![json], long.as_bytes()),
        (500, vec![json], b"broken"),
    ] {
        let stage = Stage::of(&list());
        let text = status.to_string();
        let headers = [vec![(":status", text.as_str())], headers].concat();
        let (step, _) = list_response(&stage, &headers, body);
        assert_eq!(step, Step::Pause, "{headers:?}");
        let replied = stage.replied();
        assert_eq!(replied.status, status);
        assert_eq!(replied.details, "mandate_list{unreadable}");
        assert!(replied.body.contains("-32603") && !replied.body.contains("board"));
    }
    // An empty answer shows nothing, and its status says something to the client.
    let stage = Stage::of(&list());
    assert_eq!(list_response(&stage, &[(":status", "404")], b"").0, Step::Continue);
}

fn limits_list_bytes() -> usize {
    mandate_gate::limits::LIST_BYTES
}

#[test]
fn a_session_id_leaves_sealed_and_one_that_cannot_be_sealed_does_not_leave() {
    let initialize = Scene::mcp(&json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "a", "version": "1"}},
    }));
    let stage = Stage::of(&initialize);
    let (mut stream, step) = stage.send(&initialize);
    assert_eq!(step, Step::Continue);
    stage.host.set_map(Map::Response, &[(":status", "200"), ("mcp-session-id", "s-1")]);
    assert_eq!(stream.on_response_headers(&stage.host, false), Step::Continue);
    let sealed = stage.host.values(Map::Response, "mcp-session-id");
    assert_eq!(sealed.len(), 1);
    assert_ne!(sealed, ["s-1"]);

    let (mut stream, _) = stage.send(&initialize);
    let twice = [(":status", "200"), ("mcp-session-id", "a"), ("mcp-session-id", "b")];
    stage.host.set_map(Map::Response, &twice);
    assert_eq!(stream.on_response_headers(&stage.host, false), Step::Pause);
    let replied = stage.replied();
    assert_eq!((replied.status, replied.details.as_str()), (502, "mandate_response{session}"));
    assert!(!MCP.is_empty());
}

/// The stream of a session that the server has just given.
fn event_stream(stage: &Stage) -> Scene {
    let (mut stream, _) = stage.send(&list());
    stage.host.set_map(Map::Response, &[(":status", "200"), ("mcp-session-id", "s-1")]);
    assert_eq!(stream.on_response_headers(&stage.host, false), Step::Pause);
    let sealed = stage.host.values(Map::Response, "mcp-session-id").remove(0);
    let mut asked = scene();
    asked.target = "/mcp".to_owned();
    asked.header("mcp-protocol-version", "2025-11-25");
    asked.header("mcp-session-id", &sealed);
    asked.header("last-event-id", "9");
    asked
}

#[test]
fn a_stream_goes_on_event_by_event_until_its_token_ends() {
    let stage = Stage::of(&scene());
    let (mut stream, step) = stage.send(&event_stream(&stage));
    assert_eq!(step, Step::Continue);
    let headers = [
        (":status", "200"),
        ("content-type", "text/event-stream; charset=utf-8"),
        ("content-length", "9"),
    ];
    stage.host.set_map(Map::Response, &headers);
    assert_eq!(stream.on_response_headers(&stage.host, false), Step::Continue);
    assert_eq!(stage.host.values(Map::Response, "content-length"), [""; 0]);
    let events = format!("id: 9\ndata: {}\n\n", tools(&["edit_board", "get_board"]));
    let mut seen = Vec::new();
    for chunk in events.as_bytes().chunks(7) {
        stage.body(Buffer::Response, chunk);
        assert_eq!(stream.on_response_body(&stage.host, chunk.len(), false), Step::Continue);
        seen.extend(stage.host.buffers.borrow()[&Buffer::Response].clone());
    }
    let seen = String::from_utf8(seen).unwrap();
    assert!(seen.contains("get_board") && !seen.contains("edit_board"), "{seen}");
    assert_eq!(stage.host.replies.borrow().len(), 0);

    stage.host.set_seconds(NOW + 301);
    stage.body(Buffer::Response, b": still here\n\n");
    assert_eq!(stream.on_response_body(&stage.host, 14, false), Step::Pause);
    assert_eq!(stage.replied().details, "mandate_response{ended}");
}

#[test]
fn a_stream_that_is_compressed_is_not_passed() {
    let stage = Stage::of(&scene());
    let (mut stream, _) = stage.send(&event_stream(&stage));
    let headers =
        [(":status", "200"), ("content-type", "text/event-stream"), ("content-encoding", "gzip")];
    stage.host.set_map(Map::Response, &headers);
    assert_eq!(stream.on_response_headers(&stage.host, false), Step::Pause);
    let replied = stage.replied();
    assert_eq!((replied.status, replied.details.as_str()), (502, "mandate_response{compressed}"));
}

#[test]
fn a_list_may_end_with_trailers() {
    let stage = Stage::of(&list());
    let (mut stream, _) = stage.send(&list());
    stage.host.set_map(Map::Response, &[(":status", "200"), ("content-type", "application/json")]);
    assert_eq!(stream.on_response_headers(&stage.host, false), Step::Pause);
    let all = tools(&["get_board", "edit_board"]).to_string();
    stage.body(Buffer::Response, all.as_bytes());
    assert_eq!(stream.on_response_body(&stage.host, all.len(), false), Step::Pause);
    assert_eq!(stream.on_response_trailers(&stage.host), Step::Continue);
    let shown = String::from_utf8(stage.host.buffers.borrow()[&Buffer::Response].clone()).unwrap();
    assert!(shown.contains("get_board") && !shown.contains("edit_board"), "{shown}");
}
