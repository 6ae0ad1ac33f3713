//! An Envoy of two workers as the command configures it, with `mandate snapshot serve` before it.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::cli::{AUDIENCE, mandate};
use super::client::{Answered, Connection};
use super::running::{Feed, Running, free_port, programs};
use super::set_up::SetUp;

/// The audience of what is asked with GET.
pub(crate) const WEB: &str = "https://web.example";
/// What is running.
pub(crate) struct Stage {
    pub(crate) set_up: SetUp,
    pub(crate) feed: Feed,
    pub(crate) port: u16,
    admin: u16,
    envoy: Running,
}

impl Stage {
    /// Starts it with a snapshot of these facts; `None` where there is no Envoy or no filter, which is
    /// said and counted. Keys are in the configuration, unless a URL says where they are fetched.
    pub(crate) fn begin(
        test: &str,
        facts: &str,
        upstream: &str,
        keys: Option<&str>,
    ) -> Option<Self> {
        let (program, module) = programs(test)?;
        let set_up = SetUp::with_module(test, &module);
        let text = std::fs::read_to_string(&set_up.world.contract).unwrap();
        let contract = with_web(serde_json::from_str(&text).unwrap());
        set_up.folder().write("contract.json", contract.to_string());
        let feed = Feed::begin(&set_up, facts, "127.0.0.1:0");
        let (port, admin) = (free_port(), free_port());
        let (listen, admin_at) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{admin}"));
        let file = set_up.folder().path("envoy.yaml");
        let mut arguments = set_up.bare();
        arguments.extend(["--listen", &listen, "--upstream", upstream, "--feed", &feed.url]);
        arguments.extend(["--admin", &*admin_at, "-o", &*file]);
        match keys {
            Some(url) => arguments.extend(["--key-set", url]),
            None => arguments.extend(["--keys", &*set_up.keys]),
        }
        let written = mandate(&arguments);
        assert_eq!((written.code, written.stderr.as_str()), (0, ""));
        let log = std::fs::File::create(set_up.folder().path(LOG)).unwrap();
        let envoy = Command::new(program)
            .args(["--concurrency", "2", "--disable-hot-restart", "-l", "warning", "-c", &file])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Some(Self { set_up, feed, port, admin, envoy: Running(envoy) })
    }

    /// Waits until every one of many connections is answered like this.
    pub(crate) fn wait_for(&self, request: &[u8], is: impl Fn(&Answered) -> bool) {
        let begun = Instant::now();
        let asked = || Connection::open(self.port)?.ask(request);
        while !(0..16).all(|_| asked().is_ok_and(|answered| is(&answered))) {
            let log = || std::fs::read_to_string(self.set_up.folder().path(LOG)).unwrap();
            assert!(begun.elapsed() < Duration::from_secs(120), "{:?}\n{}", asked(), log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// One connection to each of the two workers.
    pub(crate) fn one_connection_each(&self, request: &[u8]) -> [Connection; 2] {
        // The connections that the wait has opened are gone a moment later.
        while self.connections() != [0, 0] {
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut kept: [Option<Connection>; 2] = [None, None];
        loop {
            let before = self.connections();
            let mut connection = Connection::open(self.port).unwrap();
            connection.ask(request).unwrap();
            let after = self.connections();
            // Of several to one worker the last is kept.
            kept[usize::from(after[1] > before[1])] = Some(connection);
            match kept {
                [Some(first), Some(second)] => return [first, second],
                one => kept = one,
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Connections that each worker has.
    fn connections(&self) -> [u64; 2] {
        let request =
            b"GET /stats?filter=worker_.*downstream_cx_active HTTP/1.1\r\nhost: a\r\n\r\n";
        let answered = Connection::open(self.admin).unwrap().ask(request).unwrap();
        [0, 1].map(|worker| {
            let name = format!("127.0.0.1_{}.worker_{worker}.downstream_cx_active: ", self.port);
            let line = answered.body.lines().find_map(|line| line.split_once(&name));
            line.unwrap_or_else(|| panic!("{}", answered.body)).1.trim().parse().unwrap()
        })
    }

    /// Resident memory of Envoy, in KiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = format!("/proc/{}/status", self.envoy.0.id());
        let text = std::fs::read_to_string(status).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    /// Publishes the next snapshot of the folder, and takes those before the last away.
    pub(crate) fn publish(&self, facts: &str) {
        let built = self.set_up.world.build_into(&self.feed.folder, facts, &[]);
        assert_eq!(built.code, 0, "{built:?}");
        let mut files: Vec<(SystemTime, PathBuf)> = std::fs::read_dir(&self.feed.folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.metadata().unwrap().modified().unwrap(), entry.path()))
            .collect();
        files.sort();
        for (_, old) in files.iter().rev().skip(2) {
            std::fs::remove_file(old).unwrap();
        }
    }
}

/// The contract with an application beside the MCP server.
fn with_web(mut contract: Value) -> Value {
    contract["apps"].as_array_mut().unwrap().push(json!({"name": "web", "audience": WEB}));
    contract["authz"]["routes"][WEB] =
        json!({"protocol": "http", "agents": "optional", "tool": "web/page"});
    contract["gate"]["routes"]["web"] = json!({
        "audience": WEB,
        "metadata": "https://web.example/.well-known/oauth-protected-resource",
        "rules": [{"method": "GET", "path": "/boards/{board}", "action": "view",
            "resources": [{"path": "board", "type": "board"}]}],
    });
    contract
}

/// Seconds since the epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The usual facts with more boards and a tool that stands for the web application.
pub(crate) fn facts(boards: &str) -> String {
    const TOOL: &str = r#"  - {id: web/page, callers: ["team:platform#member", "agent:helper"]}"#;
    super::authz_world::FACTS
        .replace("\nboards:\n", &format!("\nboards:\n{boards}"))
        .replace("\ntools:\n", &format!("\ntools:\n{TOOL}\n"))
}

/// A number that a campaign gives, or the usual one.
pub(crate) fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// Claims of now, for both audiences.
pub(crate) fn claims(token_id: &str) -> Value {
    let now = now();
    super::cli::claims_with(&json!({"iat": now, "exp": now + 1800, "aud": [AUDIENCE, WEB],
        "jti": token_id}))
}

/// A call of a tool.
pub(crate) fn call(token: &str, lines: &str, board: &str) -> Vec<u8> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "get_board", "arguments": {"board": board}}})
    .to_string();
    format!(
        "POST /mcp HTTP/1.1\r\nhost: board.example\r\nauthorization: Bearer {token}\r\n{lines}\
         content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         mcp-protocol-version: 2025-11-25\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What the upstream answers.
pub(crate) const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
const LOG: &str = "envoy.log";
