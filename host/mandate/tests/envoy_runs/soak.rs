//! Mixed traffic for a while, with keys that rotate and a snapshot every few seconds: nothing is
//! answered otherwise than it should be, nothing passes that may not, and memory stands still.
//!
//! `MANDATE_ENVOY_SOAK_SECONDS` says how long: `cargo xtask campaign envoy-soak`.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::cli::ISSUER;
use super::client::Answered;
use super::local_server::{Behaviour, LocalServer};
use super::stage::{RESULT, Stage, call, facts, number};
use super::traffic::{Client, PASSING, Tally, key_set};
use super::upstream::Upstream;

#[test]
fn nothing_breaks_or_grows_while_keys_and_snapshots_change() {
    let seconds = number("MANDATE_ENVOY_SOAK_SECONDS", 12);
    let length = Duration::from_secs(seconds);
    // A minute each, and two in the short form. Each key is published a period before it signs.
    let period = (seconds / 2).min(60);
    let periods = seconds / period;
    let (upstream, issuer) = (Upstream::begin(), LocalServer::issuer(published(0)));
    let keys = format!("{ISSUER}={}/jwks", issuer.url);
    let begun = Stage::begin("envoy-soak", &world(0), &upstream.url, Some(&keys));
    let Some(stage) = begun else { return };
    ready(&stage, periods);
    let (now, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let clients = (0..CLIENTS).map(|name| {
        let (now, done, port) = (Arc::clone(&now), Arc::clone(&done), stage.port);
        std::thread::spawn(move || {
            let mut client = Client::new(port, name, periods);
            while !done.load(Ordering::Relaxed) {
                client.step(now.load(Ordering::Relaxed));
                std::thread::sleep(Duration::from_millis(1));
            }
            client.tally
        })
    });
    let clients: Vec<_> = clients.collect();
    let (begun, mut rotated, mut resident) = (Instant::now(), Instant::now(), Vec::new());
    for turn in 1.. {
        std::thread::sleep(SNAPSHOT_EVERY);
        resident.push(stage.resident());
        if begun.elapsed() >= length {
            break;
        }
        stage.publish(&world(turn));
        let next = now.load(Ordering::Relaxed) + 1;
        if rotated.elapsed() >= Duration::from_secs(period) && next < periods {
            rotated = Instant::now();
            now.store(next, Ordering::Relaxed);
            // Whatever was signed before is answered by then.
            std::thread::sleep(Duration::from_secs(1));
            issuer.set_jwks(published(next));
        }
    }
    done.store(true, Ordering::Relaxed);
    let mut tally = Tally::default();
    clients.into_iter().for_each(|client| tally.add(client.join().unwrap()));
    report(&tally, &resident);
    let seen: Vec<String> = upstream.seen().into_keys().collect();
    assert!(seen.iter().all(|kind| PASSING.contains(&kind.as_str())), "{seen:?}");
    let shown: Vec<&String> = tally.wrong.iter().take(5).collect();
    assert!(shown.is_empty(), "{} of {:?}: {shown:?}", tally.wrong.len(), tally.statuses);
    assert!(is_flat(&resident), "{resident:?}");
}

/// Waits until both workers have state and keys, and knows the first key.
fn ready(stage: &Stage, periods: u64) {
    let token = Client::new(stage.port, CLIENTS, periods).first_token();
    let expected = Answered { status: 200, body: RESULT.to_owned() };
    stage.wait_for(&call(&token, "x-kind: call\r\n", "roadmap"), |answered| *answered == expected);
}

/// What the issuer publishes in a period, to be asked for again after half a minute.
fn published(period: u64) -> Behaviour {
    let fields = "Content-Type: application/json\r\nCache-Control: max-age=30\r\n".to_owned();
    Behaviour::Reply(200, fields, key_set(period).to_string())
}

/// A world of a few thousand relationships, in which one right comes and goes.
fn world(turn: u64) -> String {
    let viewer = if turn.is_multiple_of(2) { "alice" } else { "olga" };
    let flip =
        format!("  - {{id: flip, workspace: planning, relations: {{viewer: [{viewer}]}}}}\n");
    let board = |number: u64| {
        let viewers = "alice, carol, olga";
        format!("  - {{id: b{number}, workspace: planning, relations: {{viewer: [{viewers}]}}}}\n")
    };
    let boards: String = (turn..turn + BOARDS).map(board).collect();
    facts(&(flip + &boards))
}

fn report(tally: &Tally, resident: &[u64]) {
    let mut text = String::new();
    for ((kind, status), count) in &tally.statuses {
        text += &format!("| {kind} | {status} | {count} |\n");
    }
    let minutes = resident.chunks(PER_MINUTE).map(|minute| minute.iter().max().unwrap() / 1024);
    let minutes: Vec<String> = minutes.map(|most| most.to_string()).collect();
    text += &format!(
        "| wrong | | {} |\n| resident, most of each minute, MiB | | {} |\n",
        tally.wrong.len(),
        minutes.join(", ")
    );
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Whether the last minute takes hardly more than the second: it can be said of a long run only.
fn is_flat(resident: &[u64]) -> bool {
    let mut minutes = resident.chunks_exact(PER_MINUTE).skip(1);
    let most = |minute: &[u64]| minute.iter().max().copied().unwrap_or_default();
    match (minutes.next().map(most), minutes.next_back().map(most)) {
        (Some(second), Some(last)) => last <= second + second / 20,
        _ => true,
    }
}

const CLIENTS: u64 = 2;
const SNAPSHOT_EVERY: Duration = Duration::from_secs(5);
/// Samples: one a snapshot.
const PER_MINUTE: usize = 12;
const BOARDS: u64 = 1000;
