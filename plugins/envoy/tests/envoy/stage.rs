//! An Envoy with the filter, a feed before it and an upstream behind it.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mandate_authn::base64url;
use serde_json::{Value, json};

use crate::client::{self, Answered};
use crate::feed::{Conduct, Feed};
use crate::scene::{SECRET, Scene, scene, state_config};
use crate::server::{self, Received, answer};

/// Everything of one test.
pub(crate) struct Stage {
    envoy: Child,
    folder: PathBuf,
    pub(crate) port: u16,
    admin: u16,
    pub(crate) feed: Feed,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.envoy.kill();
        let _ = self.envoy.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A scene of now.
pub(crate) fn scene_of_now() -> Scene {
    let now = now();
    let mut scene = scene();
    scene.issued_at = now;
    scene.claims["iat"] = json!(now);
    scene.claims["exp"] = json!(now + 3000);
    scene
}

/// Seconds since the epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

impl Stage {
    /// Starts all of it; `None` where there is no Envoy or no filter, which is said and counted.
    pub(crate) fn begin(part: &str, scene: &Scene, conduct: Conduct) -> Option<Self> {
        let program = variable("MANDATE_ENVOY", part)?;
        let filter = PathBuf::from(variable("MANDATE_GUESTS", part)?).join("mandate-envoy.wasm");
        if !filter.exists() {
            skip(part, "MANDATE_GUESTS has no mandate-envoy.wasm (cargo xtask guests)");
            return None;
        }
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("mandate-envoy-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let received = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&received);
        let upstream = server::serve(move |request: Received| {
            told.lock().expect("not poisoned").push(request);
            answer("200 OK", &[("content-type", "application/json")], TOOLS.as_bytes())
        });
        let feed = Feed::begin(scene, conduct);
        let (port, admin) = (free_port(), free_port());
        let mut bootstrap = bootstrap(scene, &filter, port, feed.port, upstream);
        bootstrap["admin"] = json!({"address": address(admin)});
        let path = folder.join("envoy.json");
        std::fs::write(&path, bootstrap.to_string()).expect("it is written");
        let log = std::fs::File::create(folder.join("envoy.log")).expect("a file");
        let envoy = Command::new(program)
            .args(["--concurrency", "2", "--disable-hot-restart", "-l", "warning", "-c"])
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Envoy starts");
        let stage = Self { envoy, folder, port, admin, feed, received };
        stage.wait_until("Envoy listens", || client::send(port, &[get("/health", "")]).is_some());
        Some(stage)
    }

    /// As [`Stage::begin`] with a good feed, once requests are decided.
    pub(crate) fn ready(part: &str, scene: &Scene) -> Option<Self> {
        let stage = Self::begin(part, scene, Conduct::Good)?;
        stage.wait_for_state(scene);
        Some(stage)
    }

    /// Waits until both workers decide.
    pub(crate) fn wait_for_state(&self, scene: &Scene) {
        let head = format!("authorization: Bearer {}\r\n", scene.token());
        let asked = || self.send(&[get("/boards/roadmap", &head)]).map(|it| it.status);
        self.wait_until("requests pass", || (0..8).all(|_| asked() == Some(200)));
        self.received();
    }

    pub(crate) fn send(&self, parts: &[Vec<u8>]) -> Option<Answered> {
        client::send(self.port, parts)
    }

    /// What the upstream has received since it was last asked.
    pub(crate) fn received(&self) -> Vec<Received> {
        std::mem::take(&mut *self.received.lock().expect("not poisoned"))
    }

    /// A counter or gauge of the filter's.
    pub(crate) fn metric(&self, name: &str) -> Option<u64> {
        let target = format!("/stats?filter=^wasmcustom.mandate.{name}$");
        let answered = client::send(self.admin, &[get(&target, "")])?;
        let line = answered.body.lines().find(|line| line.contains(": "))?;
        line.rsplit(": ").next()?.trim().parse().ok()
    }

    fn wait_until(&self, what: &str, is: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is() {
            let log = || std::fs::read_to_string(self.folder.join("envoy.log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A `GET`, with more lines in its head.
pub(crate) fn get(target: &str, lines: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: boards.example\r\n{lines}\r\n").into_bytes()
}

fn bootstrap(
    scene: &Scene,
    filter: &std::path::Path,
    port: u16,
    feed: u16,
    upstream: u16,
) -> Value {
    let text = |value: Value| json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": value.to_string()});
    let vm = json!({"vm_id": "mandate", "runtime": "envoy.wasm.runtime.v8",
        "code": {"local": {"filename": filter}}});
    let sync = json!({"role": "sync", "emitter": "edge-1-sync", "state": state_config(),
        "feed": {"cluster": "feed", "authority": "feed.example"}});
    let gate = json!({"emitter": "edge-1", "trust": scene.trust(), "state": state_config(),
        "session_secret": base64url::encode(&SECRET)});
    let cluster = |name: &str, port: u16| {
        json!({"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]}})
    };
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "http_protocol_options": {"enable_trailers": true},
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"name": "all", "match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]}]},
        "http_filters": [
            {"name": "envoy.filters.http.wasm", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                "config": {"name": "mandate", "root_id": "gate", "failure_policy": "FAIL_RELOAD",
                    "allow_on_headers_stop_iteration": true,
                    "configuration": text(gate), "vm_config": vm}}},
            {"name": "envoy.filters.http.router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
    });
    json!({
        "bootstrap_extensions": [{"name": "envoy.bootstrap.wasm", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.wasm.v3.WasmService", "singleton": true,
            "config": {"name": "mandate_sync", "root_id": "sync", "configuration": text(sync),
                "vm_config": vm}}}],
        "static_resources": {
            "clusters": [cluster("feed", feed), cluster("upstream", upstream)],
            "listeners": [{"address": address(port), "filter_chains": [{"filters": [
                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
        },
    })
}

/// A port that is freed at once, for Envoy to take.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

fn variable(name: &str, part: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    if value.is_none() {
        skip(part, &format!("{name} is not set"));
    }
    value
}

/// Says that a part did not run, and counts it.
fn skip(part: &str, reason: &str) {
    let line = format!("skipped: {part}: {reason}\n");
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
    let Some(path) = std::env::var_os("MANDATE_SKIPS") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    if let Ok(mut file) = file {
        let _ = file.write_all(line.as_bytes());
    }
}

/// What the upstream answers: a list, of which an agent may see a part.
const TOOLS: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"get_board","inputSchema":{}},{"name":"edit_board","inputSchema":{}}]}}"#;
