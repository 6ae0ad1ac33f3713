//! A real Envoy with what `mandate envoy config` has written: the module, a feed, and requests.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::authz_world::FACTS;
use super::cli::{ISSUER, claims_with, jwks, mandate, token};
use super::local_server::{Behaviour, LocalServer};
use super::running::{Feed, Running, free_port, programs};
use super::set_up::SetUp;

/// Sends one request; the answer, if there is one.
fn send(port: u16, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    (!answer.is_empty()).then(|| String::from_utf8_lossy(&answer).into_owned())
}

/// A call of a tool by agent helper for alice.
fn call(port: u16, tool: &str, board: &str) -> Option<(u16, Value)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let token = token(&claims_with(&json!({"iat": now, "exp": now + 300})));
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": tool, "arguments": {"board": board}}})
    .to_string();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nhost: board.example\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         mcp-protocol-version: 2025-11-25\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = send(port, &request)?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let body = answer.split_once("\r\n\r\n")?.1;
    Some((status, serde_json::from_str(body).unwrap_or_default()))
}

fn wait_until(what: &str, said: impl Fn() -> String, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(90), "never: {what}\n{}", said());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_real_envoy_decides_with_a_singleton_and_fetched_keys() {
    let issuer = LocalServer::issuer(Behaviour::json(jwks().to_string()));
    let key_set = format!("{ISSUER}={}/jwks", issuer.url);
    let ran = decides("envoy-real-singleton", "127.0.0.1:0", &["--key-set", &key_set]);
    assert_eq!(ran.is_some(), issuer.hits() > 0);
}

#[test]
fn a_real_envoy_decides_without_a_singleton_by_a_socket_and_written_keys() {
    // The path of a socket has at most a hundred bytes.
    let socket = std::env::temp_dir().join(format!("mandate-real-{}.sock", std::process::id()));
    let listen = format!("unix:{}", socket.display());
    decides("envoy-real-static", &listen, &["--without-singleton"]);
    let _ = std::fs::remove_file(socket);
}

/// Runs what `envoy config` writes with these arguments; written keys, unless they say otherwise.
/// `None` where Envoy or the module is not there.
fn decides(test: &str, feed_at: &str, more: &[&str]) -> Option<()> {
    let (envoy, module) = programs(test)?;
    let set_up = SetUp::with_module(test, &module);
    let feed = Feed::begin(&set_up, FACTS, feed_at);
    const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let upstream = LocalServer::start(|_| |_: &str| Behaviour::json(RESULT));
    let (port, admin) = (free_port(), free_port());
    let (listen, admin_at) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{admin}"));
    let file = set_up.folder().path("envoy.yaml");
    let mut arguments = set_up.bare();
    arguments.extend(["--listen", &listen, "--upstream", &upstream.url, "--feed", &feed.url]);
    arguments.extend(["--admin", &*admin_at, "-o", &*file]);
    arguments.extend(more);
    if !more.contains(&"--key-set") {
        arguments.extend(["--keys", &*set_up.keys]);
    }
    let written = mandate(&arguments);
    assert_eq!((written.code, written.stderr.as_str()), (0, ""));
    let log = set_up.folder().path("envoy.log");
    let access = set_up.folder().path("access.log");
    let process = Command::new(envoy)
        .args(["--concurrency", "2", "--disable-hot-restart", "-l", "warning", "-c", &file])
        .stdout(std::fs::File::create(&access).unwrap())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let _envoy = Running(process);
    let said = || std::fs::read_to_string(&log).unwrap();
    // Each worker has its state for itself: a row of answers is both of them.
    let status = || call(port, "get_board", "roadmap").map(|(status, _)| status);
    wait_until("an allowed call passes", said, || (0..8).all(|_| status() == Some(200)));
    let asked = upstream.posted().len();
    let allowed = call(port, "get_board", "roadmap").unwrap();
    assert_eq!(allowed, (200, serde_json::from_str(RESULT).unwrap()));
    let (status, denied) = call(port, "get_board", "salaries").unwrap();
    assert_eq!((status, denied["error"]["code"].is_i64()), (200, true), "{denied}");
    assert_eq!(upstream.posted().len(), asked + 1);
    let reason =
        || std::fs::read_to_string(&access).unwrap().contains("mandate_denied{no-relation}");
    wait_until("the denial is in the log", said, reason);
    check_dump(&set_up, admin);
    Some(())
}

/// What runs is what was written: the lint finds nothing in `/config_dump` either.
fn check_dump(set_up: &SetUp, admin: u16) {
    let request = "GET /config_dump?include_eds HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = send(admin, request).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let body = if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        unchunked(body)
    } else {
        body.to_owned()
    };
    let dump = set_up.folder().write("dump.json", body);
    let linted = mandate(&["envoy", "lint", &dump, "--module-digest", &set_up.digest]);
    assert_eq!(
        (linted.code, linted.stdout),
        (0, format!("`{dump}` (config-dump): nothing was found\n"))
    );
}

fn unchunked(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        let (chunk, next) = after.split_at(size);
        body.push_str(chunk);
        rest = next.trim_start_matches("\r\n");
    }
    panic!("the answer has no end");
}
