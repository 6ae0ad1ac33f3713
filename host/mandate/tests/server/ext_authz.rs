//! A stock Envoy that asks the server, over gRPC, what to do with each request.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mandate_registry::audit::AuditFilter;
use serde_json::{Value, json};

use crate::cli::{Folder, skip};
use crate::world::{DECISIONS, ISSUER, World, now, sign, token_for};

/// Envoy before an upstream that answers with what it has received, and the server beside it.
pub(crate) struct Stage {
    envoy: Child,
    /// Headers as bytes; joined in a map; and with only the beginning of bodies.
    ports: [u16; 3],
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.envoy.kill();
        let _ = self.envoy.wait();
    }
}

const RAW: usize = 0;
const JOINED: usize = 1;
const PARTIAL: usize = 2;

impl Stage {
    /// Envoy, which asks at this port, by TLS where it is told how.
    pub(crate) fn before(folder: &Folder, door: u16, tls: Option<&Value>) -> Option<Self> {
        let Some(program) = std::env::var_os("MANDATE_ENVOY") else {
            skip("ext_authz: MANDATE_ENVOY is not set");
            return None;
        };
        let ports = [free_port(), free_port(), free_port()];
        let mut bootstrap = bootstrap(ports, door, upstream());
        if let Some(tls) = tls {
            bootstrap["static_resources"]["clusters"][0]["transport_socket"] = tls.clone();
        }
        let file = folder.write("envoy.json", bootstrap.to_string());
        let envoy = Command::new(program)
            .args(["--concurrency", "1", "--disable-hot-restart", "-l", "error", "-c", &file])
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while ports.iter().any(|port| TcpStream::connect(("127.0.0.1", *port)).is_err()) {
            assert!(begun.elapsed() < Duration::from_secs(60), "Envoy does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Self { envoy, ports })
    }

    /// Asks; the status, the head of the answer and its body.
    fn ask(&self, listener: usize, head: &[&str], body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.ports[listener])).unwrap();
        let mut text = format!("{} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n", head[0]);
        for field in &head[1..] {
            text += &format!("{field}\r\n");
        }
        text += &format!("content-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), body.to_owned())
    }

    pub(crate) fn status(&self, listener: usize, head: &[&str], body: &str) -> u16 {
        self.ask(listener, head, body).0
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Answers 200 with the head that it received as its body, and a session id.
fn upstream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map(Result::unwrap) {
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 {
            return;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\nmcp-session-id: s-1\r\ncontent-type: text/plain\r\n\
         content-length: {}\r\n\r\n{head}",
        head.len()
    );
    let _ = stream.write_all(answer.as_bytes());
}

fn bootstrap(ports: [u16; 3], server: u16, upstream: u16) -> Value {
    let listeners = [
        listener(ports[RAW], true, 262_144, false),
        listener(ports[JOINED], false, 262_144, false),
        listener(ports[PARTIAL], true, 16, true),
    ];
    let protocols = json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": { "http2_protocol_options": {} },
    } });
    let cluster = |name: &str, port: u16| {
        json!({
            "name": name, "type": "STATIC", "load_assignment": { "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(port) } }] }] },
        })
    };
    let mut mandate = cluster("mandate", server);
    mandate["typed_extension_protocol_options"] = protocols;
    let clusters = [mandate, cluster("upstream", upstream)];
    json!({ "static_resources": { "listeners": listeners, "clusters": clusters } })
}

fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}

fn listener(port: u16, raw: bool, bytes: u32, partial: bool) -> Value {
    let of = |name: &str| format!("type.googleapis.com/envoy.extensions.filters.{name}");
    let route = |prefix: &str, name: Option<&str>| {
        let mut route =
            json!({ "match": { "prefix": prefix }, "route": { "cluster": "upstream" } });
        if let Some(name) = name {
            route["typed_per_filter_config"] = json!({ "envoy.filters.http.ext_authz": {
                "@type": of("http.ext_authz.v3.ExtAuthzPerRoute"),
                "check_settings": { "context_extensions": { "mandate_route": name } },
            } });
        }
        route
    };
    let routes = [route("/mcp", Some("mcp")), route("/unnamed", None), route("/", Some("web"))];
    let check = json!({
        "@type": of("http.ext_authz.v3.ExtAuthz"), "transport_api_version": "V3",
        "grpc_service": { "envoy_grpc": { "cluster_name": "mandate" }, "timeout": "5s" },
        "encode_raw_headers": raw,
        "with_request_body": {
            "max_request_bytes": bytes, "allow_partial_message": partial, "pack_as_bytes": true,
        },
    });
    let manager = json!({
        "@type": of("network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "in", "normalize_path": true, "merge_slashes": true,
        "route_config": { "virtual_hosts": [{ "name": "a", "domains": ["*"], "routes": routes }] },
        "http_filters": [
            { "name": "envoy.filters.http.ext_authz", "typed_config": check },
            { "name": "envoy.filters.http.router",
              "typed_config": { "@type": of("http.router.v3.Router") } },
        ],
    });
    let filter =
        json!({ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager });
    json!({
        "name": port.to_string(), "address": address(port),
        "filter_chains": [{ "filters": [filter] }],
    })
}

#[test]
fn a_stock_envoy_does_what_the_server_says() {
    let door = free_port();
    let listen = format!("127.0.0.1:{door}");
    let world = World::start("ext-authz", &json!({ "ext_authz": { "listen": listen } }));
    let Some(stage) = Stage::before(&world.folder, door, None) else { return };
    let web = |subject, client| {
        format!("authorization: Bearer {}", token_for(DECISIONS, subject, client))
    };
    let anne = web("u-anne", "helper");
    let bob = web("u-bob", "helper");
    let expired = format!(
        "authorization: Bearer {}",
        sign(&json!({
            "iss": ISSUER, "sub": "u-anne", "aud": DECISIONS, "client_id": "helper",
            "iat": now() - 600, "exp": now() - 300, "scope": "board:read",
        }))
    );
    let twice = token_for(DECISIONS, "u-anne", "helper");
    let joined = format!("authorization: Bearer {twice}, Bearer {twice}");
    let roadmap = "GET /boards/roadmap";
    // Each allowed request, and those that differ from it by one fact.
    let table: &[(&[&str], u16)] = &[
        (&[roadmap, &anne], 200),
        (&["GET /boards/plan", &anne], 403),
        (&["GET /boards/genome", &anne], 403),
        (&["GET /boards/roadmap%2f", &anne], 400),
        (&["DELETE /boards/roadmap", &anne], 403),
        (&["GET /unnamed/roadmap", &anne], 403),
        (&[roadmap], 401),
        (&[roadmap, &bob], 403),
        (&[roadmap, &expired], 401),
        (&[roadmap, "authorization: Basic YTpi"], 401),
        (&[roadmap, &anne, &anne], 401),
        (&[roadmap, &joined], 401),
        (&[roadmap, &anne, "x-http-method-override: DELETE"], 400),
        (&[roadmap, &anne, "mandate-minimum-epoch: 9.9"], 503),
        (&["GET /health"], 200),
    ];
    let (mut answered, mut stated) = (Vec::new(), Vec::new());
    for listener in [RAW, JOINED] {
        for (head, expected) in table {
            let status = stage.status(listener, head, "");
            answered.push((listener, *head, status));
            stated.push((listener, *head, *expected));
        }
    }
    assert_eq!(answered, stated);
    identity_is_the_servers(&stage, &anne);
    mcp(&stage);
    recorded(&world);
}

fn identity_is_the_servers(stage: &Stage, anne: &str) {
    let forged = ["x-mandate-user: mallory", "X-Mandate-User: mallory", "x_mandate_user: mallory"];
    let agents = ["x-mandate-service: mallory", "x-mandate-other: mallory"];
    let head: Vec<&str> =
        ["GET /boards/roadmap", anne].into_iter().chain(forged).chain(agents).collect();
    for listener in [RAW, JOINED] {
        let (status, _, seen) = stage.ask(listener, &head, "");
        assert_eq!(status, 200);
        assert!(!seen.contains("mallory") && !seen.contains("Bearer"), "{seen}");
        let named = |line: &str| seen.lines().filter(|seen| *seen == line).count();
        assert_eq!(
            (named("x-mandate-user: user:anne"), named("x-mandate-agent: agent:helper")),
            (1, 1)
        );
    }
    let (_, _, seen) = stage.ask(RAW, &["GET /health", forged[0], agents[0]], "");
    assert!(!seen.contains("mallory"), "{seen}");
}

fn mcp(stage: &Stage) {
    let bearer =
        format!("authorization: Bearer {}", token_for("https://board.example", "u-anne", "helper"));
    let head = [
        "POST /mcp",
        &bearer,
        "content-type: application/json",
        "accept: application/json, text/event-stream",
        "mcp-protocol-version: 2025-11-25",
    ];
    let call = |tool: &str, board: &str| {
        json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call",
            "params": { "name": tool, "arguments": { "board": board } } })
        .to_string()
    };
    for listener in [RAW, JOINED] {
        let (status, answer, _) = stage.ask(listener, &head, &call("get_board", "roadmap"));
        assert_eq!((status, answer.contains("s-1")), (200, false), "{answer}");
        let denied = json!({ "jsonrpc": "2.0", "id": 7,
            "error": { "code": -32001, "message": "Access denied." } });
        for (tool, board) in
            [("get_board", "plan"), ("get_board", "genome"), ("draw_board", "roadmap")]
        {
            let (status, _, body) = stage.ask(listener, &head, &call(tool, board));
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((status, &body), (200, &denied), "{tool} {board}");
        }
        let list = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" }).to_string();
        let (status, _, body) = stage.ask(listener, &head, &list);
        assert_eq!((status, body.as_str()), (403, "Access denied.\n"));
        assert_eq!(stage.status(listener, &head, ""), 400);
    }
    let (status, _, body) = stage.ask(PARTIAL, &head, &call("get_board", "roadmap"));
    assert_eq!((status, body.as_str()), (413, "The request is too large.\n"));
}

/// Every decision is in the chain, with the reason that it had, and no number is missing.
fn recorded(world: &World) {
    let mut registry = world.registry();
    let denied = |registry: &mut mandate_registry::Registry, reason: &str| {
        let filter =
            AuditFilter { reason: Some(reason.to_owned()), most: 1000, ..AuditFilter::default() };
        registry.audit(&filter).unwrap().len()
    };
    // They are written beside the decisions: the last was that of a part of a body.
    let begun = Instant::now();
    while denied(&mut registry, "too-large") == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the last record is not written");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(registry.audit_gaps(10).unwrap(), Vec::new());
    // For each of two listeners; `unmapped` are a method, a route without a name, a list.
    let counts = ["ok", "no-relation", "unmapped", "token-missing", "not-delegate", "agent-tool"]
        .map(|reason| denied(&mut registry, reason));
    assert_eq!(counts, [6, 4, 6, 4, 2, 2]);
}
