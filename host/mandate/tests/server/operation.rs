//! How the server starts, what it says when it cannot, and how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};

use mandate_registry::audit::AuditFilter;

use serde_json::{Value, json};

use crate::cli::{Folder, mandate};
use crate::world::{SHARED, World, agent, command, deploy, gateway, registry, spawn};

#[test]
fn a_server_says_that_it_is_alive_and_ready_and_counts() {
    let (status, body) = SHARED.get("/healthz", None);
    assert_eq!((status, body.as_str()), (200, r#"{"status":"ok"}"#));
    let (status, body) = SHARED.get("/readyz", None);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["status"]), (200, &json!("ready")));
    assert_eq!(body["contract"], "1.0.0");
    let (status, text) = SHARED.get("/metrics", None);
    assert_eq!(status, 200);
    assert!(
        text.contains("mandate_requests_total{endpoint=\"/healthz\",status=\"200\"} "),
        "{text}"
    );
}

#[test]
fn a_log_that_nobody_reads_holds_nothing_up() {
    // A pipe holds 64 KiB; each of these is a line of about a hundred bytes.
    const REQUESTS: usize = 3000;
    let (mut child, address) = spawn(&deploy("unread-log", &json!({})));
    let (agent, url) = (agent(), format!("{address}/healthz"));
    for _ in 0..REQUESTS {
        assert_eq!(agent.get(&url).call().unwrap().status().as_u16(), 200);
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    // What the pipe held is still there, in whole lines.
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let lines: Vec<Value> =
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(lines.len() > 100 && lines.len() < REQUESTS, "{}", lines.len());
}

/// The one line of a server that does not start.
pub(crate) fn refused(folder: &Folder) -> String {
    let output = command(folder).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim_end().to_owned()
}

#[test]
fn a_door_for_proxies_is_open_to_no_others() {
    let table = [
        (
            json!({ "ext_authz": { "listen": "0.0.0.0:0" } }),
            "error: `serve.ext_authz.tls`: is missing, and 0.0.0.0:0 is not loopback",
        ),
        (
            json!({ "ext_authz": { "listen": "127.0.0.1:0", "proxies": ["00"] } }),
            "error: `serve.ext_authz.proxies`: nobody has a certificate without `tls`",
        ),
        (
            json!({ "ext_authz": {
                "listen": "127.0.0.1:0", "tls": { "certificate": "a", "key": "b" },
            } }),
            "error: `serve.ext_authz.tls.client_authorities`: is missing",
        ),
        (
            json!({ "ext_authz": {
                "listen": "127.0.0.1:0",
                "tls": { "certificate": "a", "key": "b", "client_authorities": "c" },
            } }),
            "error: `serve.ext_authz.proxies`: must list the certificates of the proxies",
        ),
    ];
    for (at, (settings, expected)) in table.into_iter().enumerate() {
        let line = refused(&deploy(&format!("proxies-{at}"), &settings));
        assert!(line.starts_with(expected), "{line}");
    }
}

#[test]
fn a_fresh_working_folder_is_served_as_it_stands() {
    let folder = Folder::new("server-fresh");
    let ran = mandate(&["init", &folder.path("acme"), "--deployment", "acme"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let file = std::fs::read_to_string(folder.path("acme/mandate.yaml")).unwrap();
    // Another one may listen there.
    folder
        .write("acme/mandate.yaml", file.replace("listen: 127.0.0.1:8443", "listen: 127.0.0.1:0"));
    let world = World::serve(folder);
    assert_eq!(world.get("/healthz", None).0, 200);
    let (status, body) = world.get("/.well-known/authzen-configuration", None);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["policy_decision_point"]), (200, &json!("http://127.0.0.1:8443")));
    // The issuer of the example does not exist: nobody's token can be checked.
    let (status, body) = world.get("/readyz", None);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["status"]), (503, &json!("no issuer's keys are known")));
    assert_eq!(world.stop().0, Some(0));
}

#[test]
fn what_keeps_it_from_starting_is_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap();
    let folder = deploy("taken", &json!({ "listen": port.to_string() }));
    assert_eq!(
        refused(&folder),
        format!("error: `serve.listen` {port}: Address already in use (os error 98)")
    );
    let table = [
        (json!({ "lissten": 1 }), "error: `serve.lissten`: unknown field `lissten`"),
        (
            json!({ "listen": "0.0.0.0:0" }),
            "error: `serve.tls`: is missing, and 0.0.0.0:0 is not loopback",
        ),
        (
            json!({ "base_url": "http://pdp.example" }),
            "error: `serve.base_url`: must be an https URL",
        ),
        (
            json!({ "audience": "https://x.example" }),
            "error: `serve.audience`: the contract lists no audience",
        ),
        (
            json!({ "action": "view" }),
            "error: `serve.action`: the contract has no action `view` on `none`",
        ),
        (
            json!({ "limits": { "requests": 0 } }),
            "error: `serve.limits.requests`: must be at least 1",
        ),
        (
            json!({ "tls": { "certificate": "contract.json", "key": "contract.json" } }),
            "error: `serve.tls.certificate`",
        ),
        (
            json!({ "key_sets": { "https://login.example/realms/acme": "none.json" } }),
            "error: `serve.key_sets`",
        ),
    ];
    for (at, (settings, expected)) in table.into_iter().enumerate() {
        let folder = deploy(&format!("refused-{at}"), &settings);
        let line = refused(&folder);
        assert!(line.starts_with(expected), "{line}");
    }
}

#[test]
fn the_configuration_is_checked_without_serving() {
    let folder = deploy("config", &json!({}));
    let path = folder.path("acme/mandate.yaml");
    let ran = mandate(&["config", "check", "--json", "--config", &path]);
    let value = ran.json();
    assert_eq!(
        (ran.code, &value["deployment"], &value["serves"]),
        (0, &json!("acme"), &json!(true))
    );
    let folder = deploy("config-wrong", &json!({ "decisions": "https://x.example" }));
    let ran = mandate(&["config", "check", "--config", &folder.path("acme/mandate.yaml")]);
    assert_eq!(
        ran.one_line(),
        "`serve.decisions`: the contract lists no audience `https://x.example`"
    );
}

#[test]
fn what_was_accepted_before_a_stop_is_answered() {
    let world = World::start("stop", &json!({}));
    let address = world.address.strip_prefix("http://").unwrap().to_owned();
    // The head is there, the body is not: the request is accepted, and cannot be answered yet.
    let body = r#"{"subject":{"type":"user","id":"anne"},"action":{"name":"view"},"resource":{"type":"board","id":"roadmap"}}"#;
    let token = gateway();
    let mut streams: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).unwrap();
            let head = format!(
                "POST /access/v1/evaluation HTTP/1.1\r\nhost: pdp\r\nauthorization: Bearer {token}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            // It has been read when the server asks for the body.
            let mut line = String::new();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line.trim_end(), "HTTP/1.1 100 Continue");
            stream
        })
        .collect();
    let stopping = std::thread::spawn(move || world.stop());
    for stream in &mut streams {
        stream.write_all(body.as_bytes()).unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let status = lines.map(Result::unwrap).find(|line| line.starts_with("HTTP/1.1"));
        assert_eq!(status.as_deref(), Some("HTTP/1.1 200 OK"));
    }
    drop(streams);
    let (code, log) = stopping.join().unwrap();
    assert_eq!(code, Some(0));
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
    assert!(!log.contains(&token));
}

/// What became of one request on a connection of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// 200, whole.
    Answered,
    /// Nothing came back: no server took it.
    Refused,
    /// Anything else.
    Lost,
}

fn sent(address: &str, request: &str) -> Fate {
    let Ok(mut stream) = TcpStream::connect(address) else { return Fate::Refused };
    let mut answer = Vec::new();
    let _ = stream
        .write_all(request.as_bytes())
        .and_then(|()| stream.read_to_end(&mut answer).map(drop));
    let text = String::from_utf8(answer).unwrap();
    match text.split_once("\r\n\r\n") {
        None if text.is_empty() => Fate::Refused,
        Some((head, body)) if head.starts_with("HTTP/1.1 200 OK\r\n") && body.ends_with('}') => {
            Fate::Answered
        }
        _ => Fate::Lost,
    }
}

/// Each decision is in the chain before it is answered: as many records as answers means that none
/// that was decided got lost on its way.
#[test]
fn a_stop_under_load_loses_nothing() {
    let world = World::start("load", &json!({}));
    let folder = world.folder.clone();
    let address = world.address.strip_prefix("http://").unwrap().to_owned();
    let body = r#"{"subject":{"type":"user","id":"anne"},"action":{"name":"view"},"resource":{"type":"board","id":"roadmap"}}"#;
    let request = format!(
        "POST /access/v1/evaluation HTTP/1.1\r\nhost: pdp\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        gateway(),
        body.len()
    );
    let answered = AtomicU64::new(0);
    let (fates, code) = std::thread::scope(|scope| {
        let load = || {
            let mut fates = Vec::new();
            // Until nobody listens any more.
            while fates.last() != Some(&Fate::Refused) {
                fates.push(sent(&address, &request));
                answered.fetch_add(1, Ordering::Relaxed);
            }
            fates
        };
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
        while answered.load(Ordering::Relaxed) < 200 {
            std::thread::yield_now();
        }
        let (code, _) = world.stop();
        let fates: Vec<Fate> = clients.into_iter().flat_map(|it| it.join().unwrap()).collect();
        (fates, code)
    });
    assert_eq!(code, Some(0));
    let count = |fate: Fate| fates.iter().filter(|it| **it == fate).count();
    assert_eq!((count(Fate::Lost), count(Fate::Refused)), (0, 8));
    let filter =
        AuditFilter { verdict: Some("allow".to_owned()), most: 1000, ..AuditFilter::default() };
    let mut registry = registry(&folder);
    let mut records = 0;
    let mut page = registry.audit(&filter).unwrap();
    while let Some(last) = page.last() {
        records += page.len();
        let after = Some(last.place.clone());
        page = registry.audit(&AuditFilter { after, ..filter.clone() }).unwrap();
    }
    assert_eq!(records, count(Fate::Answered));
}

/// A server starts without them, says so, and lets nobody in.
#[test]
fn an_issuer_that_cannot_be_reached_is_named() {
    let world = World::start("issuer", &json!({ "key_sets": {} }));
    let (status, body) = world.post("/access/v1/evaluation", Some(&gateway()), &json!({}));
    assert_eq!((status, &body["error"]["code"]), (503, &json!("keys-missing")));
    let (code, log) = world.stop();
    assert_eq!(code, Some(0));
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let named = events.filter(|event| event["event"] == "keys").map(|it| it["issuer"].clone());
    let named: Vec<Value> = named.collect();
    assert!(named.contains(&json!(crate::world::ISSUER)), "{log}");
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let world = World::start("long", &json!({ "limits": { "body_bytes": 1024 } }));
    let long = json!({ "subject": "x".repeat(2000) });
    let (status, body) = world.post("/access/v1/evaluation", Some(&gateway()), &long);
    assert_eq!((status, &body["error"]["code"]), (413, &json!("too-large")));
}

#[test]
fn nothing_of_the_server_decides_but_the_plugin() {
    // What of core decides, by the names under which it could be called.
    const DECIDES: [&str; 6] =
        ["mandate_gate", "Authorizer", "Validator", "evaluate::", "authorize::", "crate::engine"];
    let mut folders = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/src/server").into()];
    let mut files = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/src/server.rs").into()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir::<std::path::PathBuf>(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let found: Vec<&&str> = DECIDES.iter().filter(|name| text.contains(**name)).collect();
        assert_eq!(found, Vec::<&&str>::new(), "{}", file.display());
    }
}
