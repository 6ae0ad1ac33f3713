//! `mandate snapshot serve`: the feed of docs/feed.md, from a folder, over a socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mandate_authz::container::{Kind, PinnedKey, Position};
use mandate_authz::state::{State, StateConfig};
use serde_json::{Value, json};

use super::authz_world::{FACTS, World};
use super::cli::mandate;

/// A feed that ends with the test.
struct Feed {
    process: Child,
    address: String,
}

impl Feed {
    fn start(folder: &str, more: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_mandate"))
            .args(["snapshot", "serve", folder, "--stop-with-stdin"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let address = ready.trim().strip_prefix("feed http://").unwrap().to_owned();
        Self { process, address }
    }

    fn get(&self, target: &str) -> Answer {
        self.ask(&format!("GET {target} HTTP/1.1\r\nHost: x\r\n"))
    }

    /// Sends a request without its empty line, on a connection of its own.
    fn ask(&self, head: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&bytes)
    }

    /// Stops it; what it said on stderr.
    fn stop(mut self) -> String {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&prefix))
    }

    fn code(&self) -> Value {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        body["error"]["code"].clone()
    }
}

/// A world whose folder `pub` is served.
fn published(test: &str) -> (World, String) {
    let world = World::new(test);
    let folder = world.folder.path("pub");
    std::fs::create_dir(&folder).unwrap();
    build(&world, FACTS, &folder);
    (world, folder)
}

fn build(world: &World, facts: &str, folder: &str) {
    let built = world.build_into(folder, facts, &[]);
    assert_eq!(built.code, 0, "{built:?}");
}

/// The delta from epoch 1 to 2, in which alice leaves the team, outside the served folder.
fn delta(world: &World, folder: &str) -> Vec<u8> {
    let aside = world.folder.path("aside");
    std::fs::create_dir(&aside).unwrap();
    let first = format!("{folder}/snapshot-1.1.mandate");
    std::fs::copy(&first, format!("{aside}/snapshot-1.1.mandate")).unwrap();
    build(world, &FACTS.replace("members: [alice, carol]", "members: [carol]"), &aside);
    let second = format!("{aside}/snapshot-1.2.mandate");
    let output = format!("{aside}/delta");
    let told = mandate(&["snapshot", "diff", &first, &second, "-o", &output, "--key", &world.key]);
    assert_eq!(told.code, 0, "{told:?}");
    std::fs::read(output).unwrap()
}

/// A consumer's state.
fn consumer(world: &World) -> State {
    let key: Value = serde_json::from_slice(&std::fs::read(&world.public).unwrap()).unwrap();
    let config = json!({ "deployment": "test", "slice": "all", "keys": [key] });
    State::new(StateConfig::parse(&config.to_string()).unwrap())
}

/// Splits containers that were joined, by the lengths that they state.
fn split(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut containers = Vec::new();
    while !bytes.is_empty() {
        let (first, rest) = mandate_authz::container::split_first(bytes).unwrap();
        containers.push(first);
        bytes = rest;
    }
    containers
}

#[test]
fn a_consumer_follows_the_feed() {
    let (world, folder) = published("snapshot-serve");
    let delta = delta(&world, &folder);
    let feed = Feed::start(&folder, &["--key", &world.key]);
    let mut state = consumer(&world);
    let snapshot = feed.get("/v1/snapshot");
    assert_eq!(
        (snapshot.status, snapshot.header("Content-Type"), snapshot.header("Mandate-Position")),
        (200, Some("application/vnd.mandate.container"), Some("1.1"))
    );
    let file = std::fs::read(format!("{folder}/snapshot-1.1.mandate")).unwrap();
    assert_eq!(snapshot.body, file);
    state.load(&snapshot.body).unwrap();
    // A heartbeat is there from the start.
    let news = feed.get("/v1/deltas?from=1.1");
    assert_eq!(
        (news.status, news.header("Content-Type")),
        (200, Some("application/vnd.mandate.containers"))
    );
    let beats = split(&news.body);
    assert_eq!(beats.len(), 1);
    state.apply_delta(beats[0]).unwrap();
    // Whoever waits has the delta as soon as it is published.
    let asked = Instant::now();
    let published = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| feed.get("/v1/deltas?from=1.1&wait=30"));
        std::thread::sleep(Duration::from_millis(300));
        std::fs::write(format!("{folder}/.part"), &delta).unwrap();
        std::fs::rename(format!("{folder}/.part"), format!("{folder}/delta.mandate")).unwrap();
        waiting.join().unwrap()
    });
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
    assert_eq!((published.status, published.header("Mandate-Position")), (200, Some("1.2")));
    let containers = split(&published.body);
    assert_eq!((containers.len(), containers[0]), (2, delta.as_slice()));
    for container in containers {
        state.apply_delta(container).unwrap();
    }
    assert_eq!(state.meta().unwrap().position, Position::new(1, 2));
    assert_eq!(feed.stop(), "");
}

#[test]
fn a_heartbeat_comes_to_whoever_waits() {
    let (world, folder) = published("snapshot-heartbeat");
    let feed = Feed::start(&folder, &["--key", &world.key]);
    let asked = Instant::now();
    let answer = feed.get("/v1/deltas?from=1.1&wait=30");
    // The first was signed at the start, the next comes ten seconds later.
    let waited = asked.elapsed().as_secs();
    assert!((8..=12).contains(&waited), "{waited}");
    let key = std::fs::read_to_string(&world.public).unwrap();
    let keys = [PinnedKey::parse(&key).unwrap()];
    let (header, body) = mandate_authz::container::open(&answer.body, &keys).unwrap();
    assert_eq!(
        (header.header().statement.kind, body),
        (Kind::Delta { base: 0, from: 1 }, &b""[..])
    );
}

#[test]
fn what_a_consumer_has_is_not_sent_again() {
    let (world, folder) = published("snapshot-etag");
    let feed = Feed::start(&folder, &["--key", &world.key]);
    let etag = feed.get("/v1/snapshot").header("ETag").unwrap().to_owned();
    let ask = |tag: &str| {
        feed.ask(&format!("GET /v1/snapshot HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\n"))
    };
    let again = ask(&etag);
    assert_eq!(
        (again.status, again.body.len(), again.header("ETag")),
        (304, 0, Some(etag.as_str()))
    );
    assert_eq!(ask("\"other\"").status, 200);
    let head = feed.ask("HEAD /v1/snapshot HTTP/1.1\r\nHost: x\r\n");
    let length = std::fs::metadata(format!("{folder}/snapshot-1.1.mandate")).unwrap().len();
    assert_eq!(
        (head.status, head.body.len(), head.header("Content-Length")),
        (200, 0, Some(length.to_string().as_str()))
    );
}

#[test]
fn a_question_that_cannot_be_answered_has_its_code() {
    let (world, folder) = published("snapshot-questions");
    let feed = Feed::start(&folder, &["--key", &world.key]);
    for (target, status, code) in [
        ("/v1/deltas?from=1.9", 409, "position-ahead"),
        ("/v1/deltas?from=2.0", 409, "position-ahead"),
        ("/v1/deltas?from=1.0", 410, "history-gone"),
        ("/v1/deltas?from=0.9&wait=30", 410, "history-gone"),
        ("/v1/deltas", 400, "query"),
        ("/v1/deltas?from=1.1&from=1.1", 400, "query"),
        ("/v1/deltas?from=01.1", 400, "query"),
        ("/v1/snapshots", 404, "path"),
        ("/", 404, "path"),
    ] {
        let answer = feed.get(target);
        assert_eq!((answer.status, answer.code()), (status, json!(code)), "{target}");
    }
    let post = feed.ask("POST /v1/snapshot HTTP/1.1\r\nHost: x\r\n");
    assert_eq!((post.status, post.header("Allow")), (405, Some("GET, HEAD")));
    let body = feed.ask("GET /v1/snapshot HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n");
    assert_eq!(body.status, 400);
    let long = format!("GET /v1/snapshot HTTP/1.1\r\nX-Long: {}\r\n", "x".repeat(9000));
    assert_eq!(feed.ask(&long).status, 431);
}

#[test]
fn what_is_not_served_is_named_once() {
    let (world, folder) = published("snapshot-rejected");
    let stranger = world.folder.path("stranger.jwk");
    mandate(&["snapshot", "keygen", "-o", &stranger]);
    std::fs::write(format!("{folder}/garbage.mandate"), "no snapshot at all").unwrap();
    std::fs::write(format!("{folder}/notes.txt"), "not looked at").unwrap();
    let feed = Feed::start(&folder, &["--key", &world.key]);
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(feed.get("/v1/snapshot").status, 200);
    assert_eq!(
        feed.stop().replace(&folder, "DIR"),
        "warning: `DIR/garbage.mandate` is not served: this is no snapshot or delta\n"
    );
    let foreign = Feed::start(&folder, &["--key", &stranger]);
    let answer = foreign.get("/v1/snapshot");
    assert_eq!((answer.status, answer.code()), (404, json!("no-snapshot")));
    assert!(foreign.stop().contains("is not pinned"));
}

#[test]
fn a_feed_stays_on_loopback_unless_told_otherwise() {
    let (world, folder) = published("snapshot-listen");
    let refused = |more: &[&str]| {
        let usual = ["snapshot", "serve", &folder, "--stop-with-stdin"];
        mandate(&[&usual, more].concat()).one_line().replace(&folder, "DIR")
    };
    assert_eq!(
        refused(&["--key", &world.key, "--listen", "0.0.0.0:0"]),
        "`--listen` 0.0.0.0:0 is not loopback: the feed has no TLS and no authentication; give \
         `--exposed` if that is meant"
    );
    assert_eq!(
        refused(&[]),
        "the following required arguments were not provided: --key <FILE>; see `--help`"
    );
    let absent = world.folder.path("absent");
    assert_eq!(
        mandate(&["snapshot", "serve", &absent, "--key", &world.key]).one_line(),
        format!("folder `{absent}` cannot be read: No such file or directory (os error 2)")
    );
}

#[cfg(unix)]
#[test]
fn a_feed_may_stand_on_a_unix_socket() {
    use std::os::unix::net::UnixStream;
    let (world, folder) = published("snapshot-socket");
    // The path of a socket has at most a hundred bytes.
    let socket = std::env::temp_dir().join(format!("mandate-feed-{}.sock", std::process::id()));
    let path = socket.to_str().unwrap();
    let start = || {
        let listen = format!("unix:{path}");
        let mut process = Command::new(env!("CARGO_BIN_EXE_mandate"))
            .args(["snapshot", "serve", &folder, "--stop-with-stdin", "--key", &world.key])
            .args(["--listen", &listen])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, format!("feed {listen}\n"));
        process
    };
    let asked = || {
        let mut stream = UnixStream::connect(&socket).unwrap();
        let request = b"GET /v1/snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&bytes).status
    };
    let mut killed = start();
    assert_eq!(asked(), 200);
    // What a server leaves behind that was ended without notice does not keep the next from serving.
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(socket.exists());
    let mut stopped = start();
    assert_eq!(asked(), 200);
    drop(stopped.stdin.take());
    assert!(stopped.wait().unwrap().success());
    assert!(!socket.exists());
    // A file that is no socket is not taken away.
    std::fs::write(&socket, "mine").unwrap();
    let listen = format!("unix:{path}");
    let refused =
        mandate(&["snapshot", "serve", &folder, "--key", &world.key, "--listen", &listen]);
    assert!(refused.one_line().starts_with(&format!("`--listen` {listen}: ")), "{refused:?}");
    assert_eq!(std::fs::read(&socket).unwrap(), b"mine");
    std::fs::remove_file(&socket).unwrap();
}
