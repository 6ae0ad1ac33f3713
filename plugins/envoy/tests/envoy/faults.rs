//! Faults, each under a stream of requests: nothing passes that should not, and what should passes
//! again afterwards.
//!
//! `MANDATE_ENVOY_FAULT_REQUESTS` says how many requests a fault: `cargo xtask campaign envoy-faults`.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::feed::Conduct;
use crate::keys::{KeyServer, html, rotated, set};
use crate::scene::Scene;
use crate::server::{Received, Sent, chunk};
use crate::stage::{Plan, Stage, get, scene_of_now};
use crate::traps::{ALLOWED, FORBIDDEN, bearer, call, length, post};

/// What goes wrong, and when.
struct Fault {
    name: &'static str,
    scene: Scene,
    /// What the feed does, if it fails.
    feed: Option<Conduct>,
    /// What the server of the key set does, if it fails.
    keys: Option<Sent>,
    when: When,
    /// Something that happens again and again meanwhile.
    again: Option<Again>,
    /// Whether what is allowed may pass meanwhile.
    passes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// When what was in force has become too old.
    Aged,
    AtStart,
    Later,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// The VM of a worker traps.
    Trap,
    /// The listener is replaced.
    Update,
}

/// What came of a fault.
#[derive(Debug, Default, PartialEq, Eq)]
struct Row {
    /// Requests that were answered, by what became of them.
    passed: usize,
    denied: usize,
    unavailable: usize,
    /// Without an answer, or with another one.
    other: usize,
    /// Requests that the upstream saw and should not have.
    wrong: usize,
}

impl Fault {
    /// At the start, so that nothing has ever been in force.
    fn at_start(name: &'static str) -> Self {
        let scene = scene_of_now();
        let (feed, keys, again) = (None, None, None);
        Self { name, scene, feed, keys, when: When::AtStart, again, passes: false }
    }

    /// While everything is in force.
    fn later(name: &'static str) -> Self {
        Self { when: When::Later, passes: true, ..Self::at_start(name) }
    }

    fn run(self) {
        let server = KeyServer::begin(set(&self.scene));
        let part = format!("envoy: fault: {}", self.name);
        let trap = (self.again == Some(Again::Trap)).then_some("proxy_on_request_trailers");
        let mut plan = Plan { trap, keys: Some(server.port), ..Plan::new(&part, &self.scene) };
        if self.when != When::Later {
            plan.feed = self.feed.clone().unwrap_or(Conduct::Good);
            self.keys.iter().for_each(|sent| server.becomes(sent.clone()));
        }
        let begun = if self.when == When::AtStart { plan.begin() } else { plan.ready() };
        let Some(stage) = begun else { return };
        let requests = requests();
        match self.when {
            When::Aged => stage.wait_until("it is too old", || {
                (0..8).all(|_| stage.asks(&self.scene, ALLOWED) == 503)
            }),
            When::AtStart => {}
            When::Later => self.fails_later(&stage, &server, requests),
        }
        let row = self.drive(&stage, &plan, requests);
        let begun = Instant::now();
        stage.feed.becomes(Conduct::Good);
        server.becomes(set(&self.scene));
        stage.wait_for_state(&self.scene);
        self.report(&row, begun.elapsed());
        let answered = row.passed + row.denied + row.unavailable + row.other;
        assert_eq!((answered, row.wrong), (requests, 0), "{}: {row:?}", self.name);
        assert_eq!(row.passed > 0, self.passes, "{}: {row:?}", self.name);
    }

    /// Lets it fail, and waits until Envoy has noticed.
    fn fails_later(&self, stage: &Stage, server: &KeyServer, requests: usize) {
        if let Some(conduct) = &self.feed {
            stage.feed.becomes(conduct.clone());
            let before = stage.feed.asked();
            stage.wait_until("the feed is asked again", || stage.feed.asked() >= before + 2);
        }
        let Some(sent) = &self.keys else { return };
        server.becomes(sent.clone());
        // Half a minute; the short form leaves it to the tests of key sets.
        let next = rotated(&self.scene);
        let before = server.asked();
        if requests >= 1000 {
            stage.wait_until("the key set is asked for again", || {
                stage.asks(&next, ALLOWED);
                server.asked() > before
            });
        }
    }

    fn drive(&self, stage: &Stage, plan: &Plan<'_>, count: usize) -> Row {
        let mut row = Row::default();
        let requests = kinds(&self.scene);
        stage.received();
        for number in 0..count {
            if number % 100 == 20 && self.again == Some(Again::Trap) {
                stage.send(&[trapping(&self.scene)]);
            }
            if number % (count / 10).max(20) == 10 && self.again == Some(Again::Update) {
                stage.update(plan, &format!("v{number}"));
            }
            let answered = stage.send(&[requests[number % requests.len()].clone()]);
            let answered = answered.map(|it| (it.status, it.body.contains("-32001")));
            match answered {
                Some((200, false)) => row.passed += 1,
                Some((200, true) | (401 | 403, _)) => row.denied += 1,
                Some((503, _)) => row.unavailable += 1,
                Some(_) | None => row.other += 1,
            }
            if number % 100 == 99 {
                row.wrong += self.wrong(&stage.received());
            }
        }
        row.wrong += self.wrong(&stage.received());
        row
    }

    fn wrong(&self, received: &[Received]) -> usize {
        let may = |request: &&Received| self.passes && request.values("x-kind") == ["allowed"];
        received.len() - received.iter().filter(may).count()
    }

    fn report(&self, row: &Row, recovery: Duration) {
        let line = format!(
            "| {} | {} | {} | {} | {} | {} | {:.1} s |\n",
            self.name,
            row.passed,
            row.denied,
            row.unavailable,
            row.other,
            row.wrong,
            recovery.as_secs_f64()
        );
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

fn requests() -> usize {
    let stated = std::env::var("MANDATE_ENVOY_FAULT_REQUESTS").ok();
    stated.map_or(60, |text| text.parse().expect("a number"))
}

/// Requests of every kind; the upstream sees which one it was.
fn kinds(scene: &Scene) -> Vec<Vec<u8>> {
    let read = |board: &str, lines: &str| get(&format!("/boards/{board}"), lines);
    let token = bearer(scene);
    let tool = |board: &str, kind: &str| {
        let body = call(board);
        let lines = format!("x-kind: {kind}\r\n{}", length(&body));
        [post(scene, &lines), body].concat()
    };
    vec![
        read(ALLOWED, &format!("{token}x-kind: allowed\r\n")),
        read(FORBIDDEN, &format!("{token}x-kind: forbidden\r\n")),
        tool(ALLOWED, "allowed"),
        tool(FORBIDDEN, "forbidden"),
        read(ALLOWED, "x-kind: anonymous\r\n"),
        read(ALLOWED, &format!("{}x-kind: unknown-key\r\n", bearer(&rotated(scene)))),
        read(ALLOWED, "authorization: Bearer a.b.c\r\nx-kind: forged\r\nx-mandate-user: anne\r\n"),
    ]
}

/// A request whose trailers are the trap; nothing of it may go upstream either.
fn trapping(scene: &Scene) -> Vec<u8> {
    let head = post(scene, "x-kind: trap\r\ntransfer-encoding: chunked\r\n");
    [head, chunk(&call(ALLOWED)), b"0\r\nx-checksum: 1\r\n\r\n".to_vec()].concat()
}

const KIND: &str = "application/vnd.mandate.container";

fn says(status: &'static str, kind: &'static str, body: Vec<u8>) -> Option<Conduct> {
    Some(Conduct::Says(status, kind, body))
}

#[test]
fn keys_that_are_not_to_be_had_at_the_start() {
    Fault { keys: Some(Sent::Cut), ..Fault::at_start("key-set server down at start") }.run();
}

#[test]
fn keys_that_are_html_at_the_start() {
    Fault { keys: Some(html()), ..Fault::at_start("key-set server answers HTML at start") }.run();
}

#[test]
fn keys_that_are_not_to_be_had_later() {
    Fault { keys: Some(Sent::Cut), ..Fault::later("key-set server down later") }.run();
}

#[test]
fn keys_that_are_html_later() {
    Fault { keys: Some(html()), ..Fault::later("key-set server answers HTML later") }.run();
}

#[test]
fn a_feed_that_is_down_at_the_start() {
    Fault { feed: Some(Conduct::Cut), ..Fault::at_start("feed down at start") }.run();
}

#[test]
fn a_feed_that_is_down_later() {
    Fault { feed: Some(Conduct::Cut), ..Fault::later("feed down later") }.run();
}

#[test]
fn a_feed_that_is_html_an_error_or_empty() {
    let whole = scene_of_now().sealed(7);
    let html = says("200 OK", "text/html", b"<html>sign in</html>".to_vec());
    Fault { feed: html, ..Fault::at_start("feed answers HTML") }.run();
    let error = says("500 Broken", KIND, whole);
    Fault { feed: error, ..Fault::at_start("feed answers an error") }.run();
    let empty = says("200 OK", KIND, Vec::new());
    Fault { feed: empty, ..Fault::at_start("feed answers nothing") }.run();
}

#[test]
fn a_feed_that_is_stale() {
    let mut stale = scene_of_now();
    stale.issued_at -= 1000;
    let feed = says("200 OK", KIND, stale.sealed(7));
    Fault { feed, ..Fault::at_start("feed stale") }.run();
}

#[test]
fn a_feed_that_is_truncated() {
    let mut bytes = scene_of_now().sealed(7);
    bytes.pop();
    let feed = says("200 OK", KIND, bytes);
    Fault { feed, ..Fault::at_start("feed truncated") }.run();
}

#[test]
fn a_feed_with_a_wrong_signature() {
    let mut bytes = scene_of_now().sealed(7);
    // INVARIANT: the body ends a container; its header, which is signed, has the digest.
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let feed = says("200 OK", KIND, bytes);
    Fault { feed, ..Fault::at_start("feed with a wrong signature") }.run();
}

// Above Envoy's own limit, 32 MiB, there is no answer at all, and asking for it ended the VM.
#[test]
fn a_feed_of_64_mib() {
    let feed = says("200 OK", KIND, vec![0; 64 * 1024 * 1024]);
    Fault { feed, ..Fault::at_start("feed of 64 MiB") }.run();
}

#[test]
fn a_feed_that_is_rolled_back() {
    let mut before = scene_of_now();
    // What has been withdrawn since.
    before.facts += "- {user: 'user:anne', relation: viewer, object: 'board:budget'}\n";
    let feed = Some(Conduct::Back(before.sealed(5)));
    Fault { feed, ..Fault::later("feed rolled back") }.run();
}

#[test]
fn a_clock_past_the_maximum_age() {
    let mut scene = scene_of_now();
    // The long form lets what is in force become too old; the short one begins when it is.
    let (when, age) = if requests() >= 1000 { (When::Aged, 0) } else { (When::AtStart, 130) };
    scene.issued_at -= age;
    let feed = Some(Conduct::Back(scene.sealed(7)));
    Fault { feed, scene, when, ..Fault::at_start("clock past max-age") }.run();
}

#[test]
fn a_vm_that_traps_every_hundred_requests() {
    Fault { again: Some(Again::Trap), ..Fault::later("VM trap every 100 requests") }.run();
}

#[test]
fn a_listener_that_is_replaced_ten_times() {
    Fault { again: Some(Again::Update), ..Fault::later("LDS update while serving") }.run();
}
