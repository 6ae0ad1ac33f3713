//! An Envoy with the filter, a feed before it and an upstream behind it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustls::ServerConfig;
use serde_json::{Value, json};

use crate::bootstrap::{self, Ports};
use crate::client::{self, Answered};
use crate::feed::{Conduct, Feed};
use crate::scene::{Scene, scene};
use crate::server::{self, Received, Sent, answer};
use crate::skip::skip;
use crate::trap;

/// How the upstream answers.
pub(crate) type Upstream = Arc<dyn Fn(&Received) -> Sent + Send + Sync>;

/// What a test needs.
#[derive(Clone)]
pub(crate) struct Plan<'s> {
    /// What is skipped where there is no Envoy.
    pub(crate) part: &'s str,
    pub(crate) scene: &'s Scene,
    pub(crate) feed: Conduct,
    pub(crate) upstream: Upstream,
    /// A callback that traps: of all, but of the singleton alone where filters are to stand in for it.
    pub(crate) trap: Option<&'static str>,
    /// Where the issuer publishes its keys; otherwise they are in the configuration.
    pub(crate) keys: Option<u16>,
    pub(crate) supply: Supply,
    pub(crate) more: More,
}

/// What a test's Envoy has beside that of the others.
#[derive(Clone, Default)]
pub(crate) struct More {
    /// Members of the filter's configuration.
    pub(crate) gate: Vec<(&'static str, Value)>,
    /// Members of the connection manager.
    pub(crate) manager: Vec<(&'static str, Value)>,
    /// The transport socket of another listener, on [`Stage::tls_port`], which is the same otherwise.
    pub(crate) tls: Option<Value>,
    /// The certificate of the feed, which is plain without one.
    pub(crate) feed: Option<Arc<ServerConfig>>,
    /// Transport sockets of clusters, by their names.
    pub(crate) clusters: Vec<(&'static str, Value)>,
}

/// Who follows the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supply {
    /// The singleton alone.
    Singleton,
    /// The singleton alone, until the listener is replaced by one of `Both`.
    SingletonFirst,
    /// The singleton, and filters where it is gone.
    Both,
    /// The filters: there is no singleton.
    Filters,
}

/// Everything of one test.
pub(crate) struct Stage {
    envoy: Child,
    folder: PathBuf,
    filter: PathBuf,
    ports: Ports,
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
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

impl<'s> Plan<'s> {
    /// A good feed, and an upstream that answers a list.
    pub(crate) fn new(part: &'s str, scene: &'s Scene) -> Self {
        let upstream = |_: &Received| {
            answer("200 OK", &[("content-type", "application/json")], TOOLS.as_bytes())
        };
        let upstream: Upstream = Arc::new(upstream);
        let (feed, trap, keys, supply) = (Conduct::Good, None, None, Supply::Singleton);
        Self { part, scene, feed, upstream, trap, keys, supply, more: More::default() }
    }

    /// Starts all of it; `None` where there is no Envoy or no filter, which is said and counted.
    pub(crate) fn begin(&self) -> Option<Stage> {
        let program = variable("MANDATE_ENVOY", self.part)?;
        let folder = variable("MANDATE_GUESTS", self.part)?;
        let filter = PathBuf::from(folder).join("mandate-envoy.wasm");
        let Ok(module) = std::fs::read(&filter) else {
            skip(self.part, "MANDATE_GUESTS has no mandate-envoy.wasm (cargo xtask guests)");
            return None;
        };
        let folder = folder_of_its_own();
        let singleton = match self.trap {
            None => filter.clone(),
            Some(callback) => {
                let path = folder.join("trap.wasm");
                std::fs::write(&path, trap::with_trap(&module, callback)).expect("it is written");
                path
            }
        };
        let filter = match self.supply {
            Supply::Singleton | Supply::Filters => singleton.clone(),
            Supply::SingletonFirst | Supply::Both => filter,
        };
        let received = Arc::new(Mutex::new(Vec::new()));
        let (told, upstream) = (Arc::clone(&received), Arc::clone(&self.upstream));
        let upstream = server::serve(None, move |request: Received| {
            let sent = upstream(&request);
            told.lock().expect("not poisoned").push(request);
            sent
        });
        let feed = Feed::begin(self.scene, self.feed.clone(), self.more.feed.clone());
        let (port, tls_port, admin) = (free_port(), free_port(), free_port());
        let ports = Ports { listener: port, tls: tls_port, admin, feed: feed.port, upstream };
        let path = folder.join("envoy.json");
        let bootstrap = bootstrap::bootstrap(self, (&filter, &singleton), &folder, &ports);
        std::fs::write(&path, bootstrap.to_string()).expect("it is written");
        let log = std::fs::File::create(folder.join("envoy.log")).expect("a file");
        let envoy = Command::new(program)
            .args(["--concurrency", "2", "--disable-hot-restart", "-l", "warning", "-c"])
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Envoy starts");
        let stage = Stage { envoy, folder, filter, ports, port, tls_port, feed, received };
        stage.wait_until("Envoy listens", || client::send(port, &[get("/health", "")]).is_some());
        stage.received();
        Some(stage)
    }

    /// As [`Plan::begin`], once requests are decided.
    pub(crate) fn ready(&self) -> Option<Stage> {
        let stage = self.begin()?;
        stage.wait_for_state(self.scene);
        Some(stage)
    }
}

impl Stage {
    /// A stage with a good feed that decides requests.
    pub(crate) fn ready(part: &str, scene: &Scene) -> Option<Self> {
        Plan::new(part, scene).ready()
    }

    /// Waits until both workers decide.
    pub(crate) fn wait_for_state(&self, scene: &Scene) {
        self.wait_until("requests pass", || (0..8).all(|_| self.asks(scene, "roadmap") == 200));
        self.received();
    }

    /// The status for a scene's agent that reads a board; 0 where there is no answer.
    pub(crate) fn asks(&self, scene: &Scene, board: &str) -> u16 {
        let head = format!("authorization: Bearer {}\r\n", scene.token());
        self.send(&[get(&format!("/boards/{board}"), &head)]).map_or(0, |answered| answered.status)
    }

    pub(crate) fn send(&self, parts: &[Vec<u8>]) -> Option<Answered> {
        client::send(self.port, parts)
    }

    /// What the upstream has received since it was last asked.
    pub(crate) fn received(&self) -> Vec<Received> {
        std::mem::take(&mut *self.received.lock().expect("not poisoned"))
    }

    /// A counter or gauge, by the end of its name.
    pub(crate) fn statistic(&self, name: &str) -> Option<u64> {
        let answered =
            client::send(self.ports.admin, &[get(&format!("/stats?filter={name}$"), "")])?;
        let line = answered.body.lines().find(|line| line.contains(": "))?;
        line.rsplit(": ").next()?.trim().parse().ok()
    }

    /// A counter or gauge of the filter's.
    pub(crate) fn metric(&self, name: &str) -> Option<u64> {
        self.statistic(&format!("^wasmcustom.mandate.{name}"))
    }

    /// Gives Envoy its listener anew, under another name of its statistics.
    pub(crate) fn update(&self, plan: &Plan<'_>, version: &str) {
        let path = self.folder.join(bootstrap::LISTENERS);
        bootstrap::put_listener(&path, plan, &self.filter, &self.ports, version);
    }

    pub(crate) fn wait_until(&self, what: &str, is: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is() {
            let log = || std::fs::read_to_string(self.folder.join("envoy.log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(300), "never: {what}\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A `GET`, with more lines in its head.
pub(crate) fn get(target: &str, lines: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: boards.example\r\n{lines}\r\n").into_bytes()
}

fn folder_of_its_own() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("mandate-envoy-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A port that is freed at once, for Envoy to take.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn variable(name: &str, part: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    if value.is_none() {
        skip(part, &format!("{name} is not set"));
    }
    value
}

/// What the upstream answers: a list, of which an agent may see a part.
pub(crate) const TOOLS: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"get_board","inputSchema":{}},{"name":"edit_board","inputSchema":{}}]}}"#;
