//! The feed, and what is shared, on a scripted host.

use mandate_authn::RingBackend;
use mandate_authz::container::{Kind, Position};
use serde_json::json;

use super::shared::PIECE_BYTES;
use crate::host::{Buffer, Host as _, Map};
use crate::scene::{NOW, scene, state_config};
use crate::scripted::Scripted;
use crate::worker::Worker;

const CONTAINER: &str = "application/vnd.mandate.container";
const CONTAINERS: &str = "application/vnd.mandate.containers";

fn singleton(host: &Scripted) -> Worker {
    let feed = json!({"cluster": "feed", "authority": "feed.example"});
    let configuration =
        json!({"role": "sync", "emitter": "edge-1", "state": state_config(), "feed": feed});
    Worker::configure(host, &configuration.to_string(), Box::new(RingBackend)).unwrap()
}

fn filter(host: &Scripted) -> Worker {
    let trust = scene().trust();
    let configuration = json!({"emitter": "edge-1", "state": state_config(), "trust": trust});
    Worker::configure(host, &configuration.to_string(), Box::new(RingBackend)).unwrap()
}

/// A filter that can ask the feed where nobody else does.
fn standby(host: &Scripted) -> Worker {
    let feed = json!({"cluster": "feed", "authority": "feed.example"});
    let trust = scene().trust();
    let configuration =
        json!({"emitter": "edge-1", "state": state_config(), "trust": trust, "feed": feed});
    Worker::configure(host, &configuration.to_string(), Box::new(RingBackend)).unwrap()
}

/// What is in force: the epoch, and the newest signed moment.
fn in_force(worker: &Worker) -> Option<(Position, u64)> {
    worker.gate.authorizer().state().meta().map(|meta| (meta.position, meta.issued_at))
}

/// Answers the last request of a worker.
fn answer(host: &Scripted, worker: &mut Worker, status: &str, kind: &str, body: &[u8]) {
    let fields = [(":status", status), ("content-type", kind), ("etag", "\"a\"")];
    host.set_map(Map::CallResponse, &fields);
    host.buffers.borrow_mut().insert(Buffer::CallResponse, body.to_vec());
    worker.on_call_response(host, last_call(host), 3, body.len());
}

fn last_call(host: &Scripted) -> u32 {
    u32::try_from(host.gets.borrow().len()).unwrap()
}

fn last_asked(host: &Scripted) -> Option<String> {
    host.gets.borrow().last().map(|get| get.path.clone())
}

/// A delta from 7 on, or a heartbeat.
fn delta(from: u64, to: u64, issued_at: u64) -> Vec<u8> {
    let mut scene = scene();
    scene.issued_at = issued_at;
    scene.container(Kind::Delta { base: 7, from }, to, b"")
}

const fn epoch(epoch: u64) -> Position {
    Position::new(1, epoch)
}

#[test]
fn what_the_singleton_is_given_reaches_every_worker_and_every_vm_that_is_loaded_anew() {
    let host = Scripted::at_seconds(NOW);
    let (mut sync, mut one) = (singleton(&host), filter(&host));
    assert_eq!(last_asked(&host).as_deref(), Some("/v1/snapshot"));
    assert_eq!(in_force(&one), None);
    answer(&host, &mut sync, "200", CONTAINER, &scene().sealed(7));
    assert_eq!(last_asked(&host).as_deref(), Some("/v1/deltas?from=1.7&wait=30"));
    one.on_tick(&host);
    assert_eq!(in_force(&one), Some((epoch(7), NOW)));

    let news = [delta(7, 8, NOW + 1), delta(8, 8, NOW + 2)].concat();
    answer(&host, &mut sync, "200", CONTAINERS, &news);
    assert_eq!(last_asked(&host).as_deref(), Some("/v1/deltas?from=1.8&wait=30"));
    one.on_tick(&host);
    assert_eq!(in_force(&one), Some((epoch(8), NOW + 2)));

    // FAIL_RELOAD: nothing is asked, and everything is there before the first request.
    let asked = last_call(&host);
    assert_eq!(in_force(&filter(&host)), Some((epoch(8), NOW + 2)));
    assert_eq!(last_call(&host), asked);

    // The singleton too. It asks when the lease of the one before has run out, and goes on; a feed that
    // knows less does not take it back.
    let mut again = singleton(&host);
    assert_eq!((in_force(&again), last_call(&host)), (Some((epoch(8), NOW + 2)), asked));
    host.set_seconds(NOW + 11);
    again.on_tick(&host);
    assert_eq!(last_asked(&host).as_deref(), Some("/v1/deltas?from=1.8&wait=30"));
    answer(&host, &mut again, "410", CONTAINERS, b"");
    answer(&host, &mut again, "200", CONTAINER, &scene().sealed(7));
    assert_eq!(in_force(&again), Some((epoch(8), NOW + 2)));
    host.set_seconds(NOW + 13);
    again.on_tick(&host);
    assert_eq!(last_asked(&host).as_deref(), Some("/v1/deltas?from=1.8&wait=30"));
    answer(&host, &mut again, "200", CONTAINERS, &delta(8, 9, NOW + 3));
    one.on_tick(&host);
    assert_eq!(in_force(&one), Some((epoch(9), NOW + 3)));
    assert_eq!(in_force(&filter(&host)), Some((epoch(9), NOW + 3)));
}

// A singleton that had trapped stayed away, and every state grew too old.
#[test]
fn a_filter_that_knows_the_feed_takes_over_from_a_singleton_that_is_gone() {
    let host = Scripted::at_seconds(NOW);
    let (mut sync, mut one, mut other) = (singleton(&host), standby(&host), standby(&host));
    answer(&host, &mut sync, "200", CONTAINER, &scene().sealed(7));
    answer(&host, &mut sync, "200", CONTAINERS, &delta(7, 8, NOW + 1));
    let asked = last_call(&host);
    for second in 1..=20 {
        host.set_seconds(NOW + second);
        for worker in [&mut sync, &mut one, &mut other] {
            worker.on_tick(&host);
        }
    }
    assert_eq!((in_force(&one), last_call(&host)), (Some((epoch(8), NOW + 1)), asked));

    drop(sync);
    for second in 21..=30 {
        host.set_seconds(NOW + second);
        one.on_tick(&host);
        other.on_tick(&host);
    }
    // One of them asks, from where the singleton had come to, and shares with the other.
    assert_eq!(last_call(&host), asked + 1);
    assert_eq!(last_asked(&host).as_deref(), Some("/v1/deltas?from=1.8&wait=30"));
    answer(&host, &mut one, "200", CONTAINERS, &delta(8, 9, NOW + 29));
    other.on_tick(&host);
    assert_eq!([&one, &other].map(in_force), [Some((epoch(9), NOW + 29)); 2]);
    assert_eq!(in_force(&filter(&host)), Some((epoch(9), NOW + 29)));
}

// Its first piece was read twice.
#[test]
fn a_vm_that_shares_nothing_reads_a_snapshot_once() {
    let host = Scripted::at_seconds(NOW);
    host.properties.borrow_mut().remove("plugin_vm_id");
    let mut alone = standby(&host);
    host.calls();
    answer(&host, &mut alone, "200", CONTAINER, &scene().sealed(7));
    assert_eq!(host.calls().get("buffer"), Some(&1));
    alone.on_tick(&host);
    assert_eq!(in_force(&alone), Some((epoch(7), NOW)));
}

#[test]
fn who_has_lost_the_lease_neither_asks_nor_shares() {
    let host = Scripted::at_seconds(NOW);
    let (mut one, mut other) = (standby(&host), standby(&host));
    // It was away for longer than it holds the lease, and its answer came meanwhile.
    host.set_seconds(NOW + 10);
    other.on_tick(&host);
    assert_eq!(last_call(&host), 2);
    host.set_map(Map::CallResponse, &[(":status", "200"), ("content-type", CONTAINER)]);
    host.buffers.borrow_mut().insert(Buffer::CallResponse, scene().sealed(7));
    one.on_call_response(&host, 1, 2, 10);
    assert_eq!((in_force(&one), last_call(&host)), (None, 2));
    assert_eq!(host.shared("mandate/boards\0all\0version"), Ok(None));
}

#[test]
fn a_lease_of_another_clock_or_in_another_form_binds_nobody() {
    for until in [u64::MAX, 0] {
        let host = Scripted::at_seconds(NOW);
        let lease = [&until.to_le_bytes()[..], b"somebody"].concat();
        host.share("mandate/boards\0all\0lease", &lease, 0).unwrap();
        standby(&host);
        assert_eq!(last_call(&host), 1, "{until}");
    }
    let host = Scripted::at_seconds(NOW);
    host.share("mandate/boards\0all\0lease", b"short", 0).unwrap();
    standby(&host);
    assert_eq!(last_call(&host), 1);
}

#[test]
fn a_filter_that_asks_loads_a_later_snapshot_in_steps() {
    let host = Scripted::at_seconds(NOW);
    let mut one = standby(&host);
    answer(&host, &mut one, "200", CONTAINER, &scene().sealed(7));
    assert_eq!(in_force(&one), Some((epoch(7), NOW)));
    answer(&host, &mut one, "410", CONTAINERS, b"");
    let large = large(9);
    let asked = last_call(&host);
    answer(&host, &mut one, "200", CONTAINER, &large);
    let mut ticks = 0;
    while in_force(&one) != Some((epoch(9), NOW)) {
        assert_eq!(last_call(&host), asked);
        ticks += 1;
        one.on_tick(&host);
    }
    // 4 MiB at the answer, the rest at the first tick, its validation with the others.
    assert_eq!((large.len() >> 20, ticks, last_call(&host)), (5, 2, asked + 1));
    assert_eq!(in_force(&filter(&host)), Some((epoch(9), NOW)));
}

/// A snapshot of 5 MiB and a little.
fn large(epoch: u64) -> Vec<u8> {
    let mut large = scene();
    for number in 0..20_000 {
        let name = "x".repeat(240);
        let board = format!("board:{name}-{number}");
        large.facts +=
            &format!("- {{user: 'workspace:planning', relation: workspace, object: '{board}'}}\n");
    }
    large.sealed(epoch)
}

#[test]
fn who_takes_up_a_snapshot_in_steps_is_not_disturbed_by_the_next_one() {
    let host = Scripted::at_seconds(NOW);
    let mut sync = singleton(&host);
    answer(&host, &mut sync, "200", CONTAINER, &scene().sealed(7));
    let mut one = filter(&host);
    for (epoch, container) in [(9, large(9)), (10, scene().sealed(10))] {
        answer(&host, &mut sync, "410", CONTAINERS, b"");
        answer(&host, &mut sync, "200", CONTAINER, &container);
        while in_force(&sync) != Some((self::epoch(epoch), NOW)) {
            sync.on_tick(&host);
        }
        // It has begun, and has not come to the end.
        if epoch == 9 {
            one.on_tick(&host);
            assert_eq!(in_force(&one), Some((self::epoch(7), NOW)));
        }
    }
    let mut seen = Vec::new();
    for _ in 0..10 {
        one.on_tick(&host);
        seen.extend(in_force(&one).map(|(position, _)| position.epoch));
    }
    seen.dedup();
    assert_eq!(seen, [7, 9, 10]);
    assert_eq!(host.metric("mandate.state.refused.snapshot-signature"), 0);
}

#[test]
fn a_snapshot_of_another_length_than_its_header_says_is_refused() {
    for shared in [true, false] {
        for (more, whole) in [(0, 1), (PIECE_BYTES, 0), (1, 0)] {
            let host = Scripted::at_seconds(NOW);
            if !shared {
                host.properties.borrow_mut().clear();
            }
            let mut one = standby(&host);
            let mut bytes = scene().sealed(7);
            bytes.truncate(bytes.len() - whole);
            bytes.resize(bytes.len() + more, 0);
            answer(&host, &mut one, "200", CONTAINER, &bytes);
            assert_eq!(in_force(&one), None, "{shared} {more}");
            assert_eq!(host.metric("mandate.feed.snapshot-refused"), 1, "{shared} {more}");
        }
    }
}

#[test]
fn a_feed_that_fails_is_asked_again_after_ever_longer_waits() {
    for (status, kind, body) in [
        ("200", "text/html", &b"<html>"[..]),
        ("500", CONTAINER, b"x"),
        ("404", CONTAINER, b""),
        ("200", CONTAINER, b""),
        ("200", CONTAINER, b"x"),
        ("twice", CONTAINER, b"x"),
        ("302", CONTAINER, b""),
    ] {
        let host = Scripted::at_seconds(NOW);
        let mut sync = singleton(&host);
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            let (from, asked) = (host.now.get(), last_call(&host));
            answer(&host, &mut sync, status, kind, body);
            while last_call(&host) == asked {
                host.now.set(host.now.get() + TENTH);
                sync.on_tick(&host);
            }
            let tenths = (host.now.get() - from) / TENTH;
            let expected = seconds * 10..=seconds * 11 + 1;
            assert!(expected.contains(&tenths), "{status} {kind}: {tenths} of {expected:?}");
        }
        assert_eq!(in_force(&sync), None);
        assert_eq!(host.shared("mandate/boards\0all\0version"), Ok(None));
    }
}

// Asking for the fields of an answer that never came ended the VM.
#[test]
fn an_answer_that_never_came_is_asked_for_nothing() {
    let host = Scripted::at_seconds(NOW);
    let mut sync = singleton(&host);
    host.broken.borrow_mut().extend(["fields", "buffer"]);
    sync.on_call_response(&host, last_call(&host), 0, 0);
    assert_eq!(host.metric("mandate.feed.broken"), 1);
    // Nor is an answer to something else taken for one.
    sync.on_call_response(&host, 99, 3, 10);
    assert_eq!(host.metric("mandate.feed.host"), 0);
    host.broken.borrow_mut().clear();
    host.set_seconds(NOW + 2);
    sync.on_tick(&host);
    answer(&host, &mut sync, "200", CONTAINER, &scene().sealed(7));
    assert_eq!(in_force(&sync), Some((epoch(7), NOW)));
}

#[test]
fn a_cluster_that_is_unknown_is_tried_again() {
    let host = Scripted::at_seconds(NOW);
    host.broken.borrow_mut().insert("get");
    let mut sync = singleton(&host);
    assert_eq!(host.metric("mandate.feed.host"), 1);
    host.broken.borrow_mut().clear();
    sync.on_tick(&host);
    assert_eq!(last_call(&host), 0);
    host.set_seconds(NOW + 2);
    sync.on_tick(&host);
    assert_eq!(last_asked(&host).as_deref(), Some("/v1/snapshot"));
}

#[test]
fn a_heartbeat_that_comes_again_is_not_asked_for_without_a_pause() {
    let host = Scripted::at_seconds(NOW);
    let mut sync = singleton(&host);
    answer(&host, &mut sync, "200", CONTAINER, &scene().sealed(7));
    answer(&host, &mut sync, "200", CONTAINERS, &delta(7, 7, NOW + 1));
    let asked = last_call(&host);
    answer(&host, &mut sync, "200", CONTAINERS, &delta(7, 7, NOW + 1));
    sync.on_tick(&host);
    assert_eq!(last_call(&host), asked);
}

#[test]
fn a_gap_in_the_deltas_leads_to_the_snapshot() {
    let host = Scripted::at_seconds(NOW);
    let mut sync = singleton(&host);
    answer(&host, &mut sync, "200", CONTAINER, &scene().sealed(7));
    let mut one = filter(&host);
    assert_eq!(in_force(&one), Some((epoch(7), NOW)));
    answer(&host, &mut sync, "200", CONTAINERS, &delta(9, 10, NOW + 1));
    assert_eq!(in_force(&sync), Some((epoch(7), NOW)));
    host.set_seconds(NOW + 2);
    sync.on_tick(&host);
    assert_eq!(last_asked(&host).as_deref(), Some("/v1/snapshot"));
    answer(&host, &mut sync, "200", CONTAINER, &scene().sealed(10));
    assert_eq!(in_force(&sync), Some((epoch(10), NOW)));
    assert_eq!(in_force(&filter(&host)), Some((epoch(10), NOW)));
    // Who has something in force loads in steps, and answers requests in between.
    for _ in 0..100 {
        one.on_tick(&host);
    }
    assert_eq!(in_force(&one), Some((epoch(10), NOW)));
}

// The answers came at once, and so did the questions: the main thread did nothing else.
#[test]
fn a_feed_that_has_nothing_later_and_nothing_that_follows_is_asked_with_pauses() {
    let host = Scripted::at_seconds(NOW);
    let mut sync = singleton(&host);
    answer(&host, &mut sync, "200", CONTAINER, &scene().sealed(7));
    for _ in 0..3 {
        answer(&host, &mut sync, "410", CONTAINER, b"");
        assert_eq!(last_asked(&host).as_deref(), Some("/v1/snapshot"));
        let asked = last_call(&host);
        answer(&host, &mut sync, "200", CONTAINER, &scene().sealed(7));
        sync.on_tick(&host);
        assert_eq!(last_call(&host), asked);
        host.now.set(host.now.get() + 60 * 10 * TENTH);
        sync.on_tick(&host);
        assert_eq!(last_asked(&host).as_deref(), Some("/v1/deltas?from=1.7&wait=30"));
    }
    assert_eq!(host.metric("mandate.feed.unchanged"), 3);
}

#[test]
fn what_is_shared_is_verified_by_each_and_tried_again_after_a_second() {
    let host = Scripted::at_seconds(NOW);
    let mut spoilt = scene().sealed(7);
    if let Some(last) = spoilt.last_mut() {
        *last ^= 1;
    }
    let version = [1_u64, 0, 0].map(u64::to_le_bytes).concat();
    host.share("mandate/boards\0all\0snapshot/1/0", &spoilt, 0).unwrap();
    host.share("mandate/boards\0all\0version", &version, 0).unwrap();
    let refused = || host.metric("mandate.state.refused.snapshot-signature");
    let mut one = filter(&host);
    one.on_tick(&host);
    assert_eq!((in_force(&one), refused()), (None, 1));
    host.set_seconds(NOW + 1);
    one.on_tick(&host);
    assert_eq!((in_force(&one), refused()), (None, 2));
    host.share("mandate/boards\0all\0snapshot/1/0", &scene().sealed(7), 0).unwrap();
    host.set_seconds(NOW + 3);
    one.on_tick(&host);
    assert_eq!(in_force(&one), Some((epoch(7), NOW)));
}

/// Nanoseconds.
const TENTH: u64 = 100_000_000;
