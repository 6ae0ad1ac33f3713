//! Responses: lists are held and filtered, everything else goes on as it comes.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use mandate_authn::base64url;
use serde_json::{Value, json};

use crate::client::{Answered, Open};
use crate::scene::Scene;
use crate::server::{Received, Sent, answer, stream};
use crate::stage::{Plan, Stage, TOOLS, get, scene_of_now};
use crate::traps::{ALLOWED, bearer, length, post};

const EVENTS: (&str, &str) = ("content-type", "text/event-stream");
const JSON: (&str, &str) = ("content-type", "application/json");

/// What the test sends through the upstream.
struct Upstream {
    chunks: Sender<Vec<u8>>,
    sent: Arc<Mutex<Receiver<Vec<u8>>>>,
}

impl Upstream {
    fn new() -> Self {
        let (chunks, sent) = channel();
        Self { chunks, sent: Arc::new(Mutex::new(sent)) }
    }

    /// Lists by their ids, and everything else as a stream of events.
    fn answers(&self) -> crate::stage::Upstream {
        let sent = Arc::clone(&self.sent);
        Arc::new(move |received: &Received| {
            let body: Value = serde_json::from_slice(&received.body).unwrap_or_default();
            match body["id"].as_str() {
                Some("initialize") => {
                    answer("200 OK", &[JSON, ("mcp-session-id", "s-1")], initialized().as_bytes())
                }
                Some("zipped") => {
                    let zipped = base64url::decode(ZIPPED.as_bytes()).expect("base64url");
                    answer("200 OK", &[JSON, ("content-encoding", "gzip")], &zipped)
                }
                Some("events") => {
                    let events = format!("event: message\ndata: {}\n\n", list("events"));
                    answer("200 OK", &[EVENTS], events.as_bytes())
                }
                Some("json") => answer("200 OK", &[JSON], list("json").as_bytes()),
                _ if received.target == "/mcp" => stream(&[EVENTS], &sent),
                _ => Sent::Cut,
            }
        })
    }

    fn say(&self, event: &str) {
        let event = format!("id: 9\nevent: message\ndata: {event}\n\n");
        self.chunks.send(event.into_bytes()).expect("the upstream takes it");
    }
}

fn initialized() -> String {
    json!({"jsonrpc": "2.0", "id": "initialize", "result": {"protocolVersion": "2025-11-25",
        "capabilities": {}, "serverInfo": {"name": "boards", "version": "1"}}})
    .to_string()
}

fn list(id: &str) -> String {
    TOOLS.replacen("7", &format!("\"{id}\""), 1)
}

fn message(id: &str, method: &str, params: &Value) -> Vec<u8> {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string().into_bytes()
}

fn ask(stage: &Stage, scene: &Scene, body: &[u8], lines: &str) -> Answered {
    let head = post(scene, &format!("{lines}{}", length(body)));
    stage.send(&[[head.as_slice(), body].concat()]).expect("an answer")
}

fn initialize(stage: &Stage, scene: &Scene) -> String {
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "a", "version": "1"}});
    let answered = ask(stage, scene, &message("initialize", "initialize", &params), "");
    let session = answered.head.lines().find_map(|line| line.strip_prefix("mcp-session-id: "));
    session.unwrap_or_else(|| panic!("{answered:?}")).to_owned()
}

#[test]
fn a_list_is_filtered_as_json_and_as_events_and_never_passes_compressed() {
    let scene = scene_of_now();
    let upstream = Upstream::new();
    let plan = Plan { upstream: upstream.answers(), ..Plan::new("envoy: lists", &scene) };
    let Some(stage) = begin(&plan) else { return };
    for id in ["json", "events"] {
        let body = message(id, "tools/list", &json!({}));
        let answered = ask(&stage, &scene, &body, "accept-encoding: gzip\r\n");
        assert_eq!(answered.status, 200);
        assert!(answered.body.contains("get_board"), "{answered:?}");
        assert!(!answered.body.contains("edit_board"), "{answered:?}");
        let received = stage.received();
        assert_eq!(received[0].values("accept-encoding"), [""; 0]);
    }
    // A server that compresses without having been asked to.
    let answered = ask(&stage, &scene, &message("zipped", "tools/list", &json!({})), "");
    assert!(answered.body.contains("-32603"), "{answered:?}");
    assert!(!answered.head.contains("gzip") && !answered.body.contains("board"), "{answered:?}");
}

// A filter that held every response would show nothing of a stream until its end.
#[test]
fn events_go_on_as_they_come_and_only_lists_in_them_are_held() {
    let scene = scene_of_now();
    let upstream = Upstream::new();
    let plan = Plan { upstream: upstream.answers(), ..Plan::new("envoy: events", &scene) };
    let Some(stage) = begin(&plan) else { return };
    let session = initialize(&stage, &scene);
    assert_ne!(session, "s-1");
    stage.received();
    let params = json!({"name": "get_board", "arguments": {"board": ALLOWED}});
    let body = message("call", "tools/call", &params);
    let lines = format!("mcp-session-id: {session}\r\n{}", length(&body));
    let mut open = Open::send(stage.port, &[post(&scene, &lines), body].concat());
    for step in ["first", "second"] {
        upstream.say(
            &json!({"jsonrpc": "2.0", "method": "notifications/message",
            "params": {"level": "info", "data": step}})
            .to_string(),
        );
        let shown = open.until(step);
        assert!(shown.contains(step), "{shown}");
    }
    drop(open);
    assert_eq!(stage.received()[0].values("mcp-session-id"), ["s-1"]);
}

#[test]
fn a_stream_that_is_resumed_is_its_owners_and_shows_what_may_be_seen() {
    let scene = scene_of_now();
    let upstream = Upstream::new();
    let plan =
        Plan { upstream: upstream.answers(), ..Plan::new("envoy: a resumed stream", &scene) };
    let Some(stage) = begin(&plan) else { return };
    let session = initialize(&stage, &scene);
    stage.received();
    let head = |session: &str| {
        let lines = format!(
            "{}accept: text/event-stream\r\nmcp-protocol-version: 2025-11-25\r\n\
             last-event-id: 8\r\nmcp-session-id: {session}\r\n",
            bearer(&scene)
        );
        get("/mcp", &lines)
    };
    let foreign = stage.send(&[head("s-1")]).expect("an answer");
    assert_eq!((foreign.status, stage.received().len()), (403, 0), "{foreign:?}");

    let mut open = Open::send(stage.port, &head(&session));
    upstream.say(
        &json!({"jsonrpc": "2.0", "method": "notifications/message",
        "params": {"level": "info", "data": "first"}})
        .to_string(),
    );
    let shown = open.until("first");
    assert!(shown.contains("first"), "{shown}");
    // What answers a list is replayed too.
    upstream.say(&list("json"));
    let shown = open.until("get_board");
    assert!(shown.contains("get_board") && !shown.contains("edit_board"), "{shown}");
    let received = stage.received();
    assert_eq!(received[0].values("mcp-session-id"), ["s-1"]);
    assert_eq!(received[0].values("last-event-id"), ["8"]);
}

/// The upstream answers nothing that could say that the filter is ready, but initialization.
fn begin(plan: &Plan<'_>) -> Option<Stage> {
    let stage = plan.begin()?;
    stage.wait_until("requests are decided", || {
        (0..8).all(|_| stage.asks(plan.scene, "budget") == 403)
    });
    stage.received();
    Some(stage)
}

/// `{"jsonrpc":"2.0","id":"zipped","result":{"tools":[{"name":"get_board","inputSchema":{}}]}}`.
const ZIPPED: &str = "H4sIAAAAAAACAxXKOwqAMBBF0b28WkQssw1LEYlx0Eh-JJPGMHs3dvfCaXhKDDkZKMzjhAH27PnalOjsl6lUx1ANHKMrUGtD0J66uYj3I-r8MxtS5cXc5HW3IpvIBwYXpmlaAAAA";
