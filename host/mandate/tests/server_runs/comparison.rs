//! The server beside an OpenFGA server, on one machine in one run, in turns.
//!
//! Both have the same model and relationships, and are asked whether anne may view the board. OpenFGA
//! answers that alone, out of memory; the server also checks who asks, looks at every line of the rule
//! and records the decision in SQLite.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::load::{Protocol, Question, check_request, drive, post, read_log_of};
use crate::openfga::OpenFga;
use crate::processor;
use crate::world::{DECISIONS, World, deploy, gateway, token_for, tuples};

/// What somebody needed.
#[derive(Default)]
struct Used {
    requests: usize,
    processor: f64,
    /// Of it, the thread that writes records.
    audit: f64,
    times: Vec<Duration>,
}

impl Used {
    fn per_second(&self) -> f64 {
        self.requests as f64 / self.processor
    }

    fn p99(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        times[times.len() * 99 / 100]
    }
}

#[test]
fn the_server_beside_openfga() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let door = free.local_addr().unwrap().to_string();
    drop(free);
    // Nothing waits for the writer of records here: what it costs is measured, and stated.
    let settings =
        json!({ "ext_authz": { "listen": door }, "limits": { "audit_records": 1_000_000 } });
    let mut world = World::start("comparison", &settings);
    read_log_of(&mut world);
    let Some(openfga) = OpenFga::start(&world, &tuples()) else { return };
    let [authzen, ext_authz, check] = questions(&world, door, &openfga);
    let (server, other) = (world.process.id(), openfga.process.id());
    let contestants = [
        ("AuthZEN /access/v1/evaluation", &authzen, server),
        ("ext_authz, gRPC", &ext_authz, server),
        ("OpenFGA /check", &check, other),
    ];
    let (rounds, each) = match std::env::var("MANDATE_SERVER_BENCH") {
        Ok(_) => (5, 1_000),
        Err(_) => (1, 5),
    };
    let mut used = [(); 3].map(|()| Used::default());
    // The first turn warms up, and does not count.
    for round in 0..=rounds {
        for ((_, question, process), used) in contestants.iter().zip(&mut used) {
            let before = (processor::seconds(*process), processor::seconds_of(*process, "audit"));
            let times = drive(question, CONNECTIONS, each);
            if *process == server {
                written(&world);
            }
            if round > 0 {
                used.requests += times.len();
                used.times.extend(times);
                used.processor += processor::seconds(*process) - before.0;
                used.audit += processor::seconds_of(*process, "audit") - before.1;
            }
        }
    }
    let [.., last] = &used;
    for ((name, ..), one) in contestants.iter().zip(&used) {
        eprintln!(
            "| {name} | {} | {:.0} | {:.2} | {:.2} ms | {:.2} | {:.0} % |",
            one.requests,
            one.per_second(),
            one.per_second() / last.per_second(),
            one.p99().as_secs_f64() * 1000.0,
            one.p99().as_secs_f64() / last.p99().as_secs_f64(),
            one.audit / one.processor * 100.0,
        );
    }
    assert!(used.iter().all(|one| one.requests == rounds * each * CONNECTIONS));
}

/// The same, asked of each.
fn questions(world: &World, door: String, openfga: &OpenFga) -> [Question; 3] {
    let address = world.address.strip_prefix("http://").unwrap().to_owned();
    let body = json!({ "subject": { "type": "user", "id": "anne" }, "action": { "name": "view" },
        "resource": { "type": "board", "id": "roadmap" } });
    let authzen = Question {
        bytes: post(&address, "/access/v1/evaluation", Some(&gateway()), &body.to_string()),
        address,
        protocol: Protocol::Http,
        expected: br#""decision":true"#.to_vec(),
    };
    let bearer = format!("Bearer {}", token_for(DECISIONS, "u-anne", "helper"));
    let fields = [
        (":method", "GET"),
        (":path", "/boards/roadmap"),
        (":authority", "boards.example"),
        ("authorization", bearer.as_str()),
    ];
    let ext_authz = Question {
        address: door,
        bytes: check_request("web", "/boards/roadmap", &fields),
        protocol: Protocol::Grpc,
        // Of what goes upstream where it is allowed.
        expected: b"agent:helper".to_vec(),
    };
    let (path, body) = openfga.check("user:anne", "can_view", "board:roadmap");
    let check = Question {
        bytes: post(&openfga.address, &path, None, &body),
        address: openfga.address.clone(),
        protocol: Protocol::Http,
        expected: br#""allowed":true"#.to_vec(),
    };
    [authzen, ext_authz, check]
}

/// Waits until no record waits, so that each turn pays for its own.
fn written(world: &World) {
    let begun = Instant::now();
    loop {
        let (_, text) = world.get("/metrics", None);
        if text.contains("mandate_audit_waiting 0\n") {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "records are not written: {text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_fresh_folder_is_soon_served() {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("server-cache");
    for (what, cold) in [("with nothing kept", true), ("with the plugin compiled", false)] {
        let folder = deploy("soon", &json!({}));
        if cold {
            let _ = std::fs::remove_dir_all(&cache);
        }
        let begun = Instant::now();
        let world = World::serve(folder);
        let question = json!({ "subject": { "type": "user", "id": "anne" },
            "action": { "name": "view" }, "resource": { "type": "board", "id": "roadmap" } });
        assert_eq!(world.evaluate(&gateway(), &question), (true, "ok".to_owned()));
        eprintln!("| start to first decision, {what} | {:.2} s |", begun.elapsed().as_secs_f64());
    }
}

const CONNECTIONS: usize = 8;
