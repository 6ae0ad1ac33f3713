//! From a revocation that is written into the folder that `mandate snapshot serve` serves, to the first
//! denial of every worker.
//!
//! `MANDATE_ENVOY_CHANGES` says how many: `cargo xtask campaign envoy-propagation`.

use std::io::Write as _;
use std::time::{Duration, Instant};

use mandate_authz::container::{Kind, Position, SigningKey, Statement, seal};
use mandate_authz::delta;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::row::Row;

use super::cli::token;
use super::client::{Answered, Connection};
use super::local_server::{Behaviour, LocalServer};
use super::stage::{RESULT, Stage, call, claims, facts, now, number};

#[test]
fn a_revocation_that_is_written_is_enforced_by_every_worker() {
    let changes = number("MANDATE_ENVOY_CHANGES", 5);
    // One more, which stays.
    let boards: String = (0..=changes).map(line).collect();
    let upstream = LocalServer::start(|_| |_: &str| Behaviour::json(RESULT));
    let Some(stage) = Stage::begin("envoy-propagation", &facts(&boards), &upstream.url, None)
    else {
        return;
    };
    let token = token(&claims("t-1"));
    let ask = |change| call(&token, "", &format!("p{change}"));
    let stays = ask(changes);
    stage.wait_for(&stays, passes);
    let mut workers = stage.one_connection_each(&stays);
    let mut took = Vec::new();
    for change in 0..changes {
        let request = ask(change);
        assert!(workers.iter_mut().all(|worker| passes(&worker.ask(&request).unwrap())));
        // The server looks every half second: what is written then comes at any moment in between.
        std::thread::sleep(Duration::from_millis(change * 137 % 500));
        revoke(&stage, change);
        took.push(enforced(&mut workers, &request));
        for worker in &mut workers {
            assert!(!passes(&worker.ask(&request).unwrap()));
            assert!(passes(&worker.ask(&stays).unwrap()));
        }
    }
    report(took);
}

fn line(change: u64) -> String {
    format!("  - {{id: p{change}, workspace: planning, relations: {{viewer: [alice]}}}}\n")
}

fn passes(answered: &Answered) -> bool {
    *answered == Answered { status: 200, body: RESULT.to_owned() }
}

/// How long until the last of the workers has denied.
fn enforced(workers: &mut [Connection], request: &[u8]) -> Duration {
    let written = Instant::now();
    let mut last = Duration::ZERO;
    let mut waiting: Vec<&mut Connection> = workers.iter_mut().collect();
    while !waiting.is_empty() {
        assert!(written.elapsed() < Duration::from_secs(60), "it is not enforced");
        waiting.retain_mut(|worker| {
            let passed = passes(&worker.ask(request).unwrap());
            if !passed {
                last = written.elapsed();
            }
            passed
        });
    }
    last
}

/// Writes a delta as docs/feed.md asks for it: under another name, and renamed.
fn revoke(stage: &Stage, change: u64) {
    let row = Row::DeleteTuple {
        object: ObjectName::new("board", format!("p{change}")),
        relation: "viewer".to_owned(),
        subject: Subject::Object(ObjectName::new("user", "alice")),
    };
    let from = FIRST_EPOCH + change;
    let statement = Statement {
        kind: Kind::Delta { base: FIRST_EPOCH, from },
        raw: false,
        deployment: "test".to_owned(),
        slice: "all".to_owned(),
        position: Position::new(1, from + 1),
        contract_version: [1, 0, 0],
        issued_at: now(),
    };
    let key = std::fs::read_to_string(&stage.set_up.world.key).unwrap();
    let key = SigningKey::from_jwk(&key).unwrap();
    let bytes = seal(&statement, &delta::encode(&[row]).unwrap(), &key).unwrap();
    let draft = format!("{}/draft", stage.feed.folder);
    std::fs::write(&draft, bytes).unwrap();
    let name = format!("{}/delta-1.{from}-{}.mandate", stage.feed.folder, from + 1);
    std::fs::rename(draft, name).unwrap();
}

fn report(mut took: Vec<Duration>) {
    took.sort();
    let part = |hundredths: usize| {
        let at = (took.len() * hundredths).div_ceil(100).max(1) - 1;
        took[at].as_secs_f64()
    };
    let line = format!(
        "| {} revocations, to the last of 2 workers | p50 {:.3} s | p90 {:.3} s | p99 {:.3} s | \
         most {:.3} s |\n",
        took.len(),
        part(50),
        part(90),
        part(99),
        part(100)
    );
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// What `snapshot build` gives the first snapshot of a folder.
const FIRST_EPOCH: u64 = 1;
