//! The feed, and how soon a write of another process is decided by.

use std::fs;
use std::time::{Duration, Instant};

use mandate::plugin::PluginChoice;
use mandate_host::{Limits, Policy};
use serde_json::{Value, json};

use crate::cli::mandate;
use crate::world::{World, act, agent, authorization, deploy, gateway, tuple};

#[test]
fn a_write_of_another_process_counts_within_a_second() {
    let world = World::start("write", &json!({}));
    let question = json!({
        "subject": { "type": "user", "id": "anne" }, "action": { "name": "view" },
        "resource": { "type": "board", "id": "plan" },
    });
    assert!(!world.evaluate(&gateway(), &question).0);
    let written =
        world.registry().write_relationships(&act(), &[tuple("board:plan#viewer@user:anne")]);
    let position = written.unwrap().position;
    // The position makes the wait exact: an older state answers 503, never the old decision.
    let mut asked = question;
    asked["context"] = json!({ "minimum_epoch": position.to_string() });
    let begun = Instant::now();
    loop {
        let (status, body) = world.post("/access/v1/evaluation", Some(&gateway()), &asked);
        if status == 200 {
            assert_eq!(body["decision"], json!(true), "{body}");
            return;
        }
        assert_eq!(status, 503, "{body}");
        assert!(begun.elapsed() < Duration::from_secs(5), "the write never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_snapshot_and_the_deltas_after_it_lead_to_the_registry() {
    let world = World::start("feed", &json!({}));
    let (status, etag, position, snapshot) = get(&world, "snapshot", &[]);
    assert_eq!((status, snapshot.is_empty()), (200, false));
    let (etag, position) = (etag.unwrap(), position.unwrap());
    let (status, _, _, body) = get(&world, "snapshot", &[("if-none-match", &etag)]);
    assert_eq!((status, body.len()), (304, 0));
    let written =
        world.registry().write_relationships(&act(), &[tuple("board:plan#viewer@user:anne")]);
    let reached = written.unwrap().position.to_string();
    // A long poll is answered by the write.
    let path = format!("deltas?from={position}&wait=30");
    let (status, _, found, deltas) = get(&world, &path, &[]);
    assert_eq!((status, found.as_deref()), (200, Some(reached.as_str())));
    assert!(!deltas.is_empty());
    let (status, _, _, _) = get(&world, "deltas?from=1.999999", &[]);
    assert_eq!(status, 409);
    let (status, _, _, _) = get(&world, "deltas?from=x", &[]);
    assert_eq!(status, 400);
}

/// A consumer of the slice, which pins these keys.
fn consumer(keys: &[&Value]) -> Policy {
    let policy = Policy::new(PluginChoice::default().load().unwrap(), Limits::default()).unwrap();
    let config = json!({ "deployment": "acme", "slice": "default", "keys": keys });
    policy.configure_state(&config.to_string()).unwrap();
    policy
}

/// Status, `ETag`, position and body that the feed has at a path.
fn get(
    world: &World,
    path: &str,
    fields: &[(&str, &str)],
) -> (u16, Option<String>, Option<String>, Vec<u8>) {
    let mut request = agent().get(format!("{}/feeds/default/v1/{path}", world.address));
    for (name, value) in authorization(Some(&gateway())) {
        request = request.header(name, value);
    }
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let mut answer = request.call().unwrap();
    let header =
        |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (etag, position) = (header("etag"), header("mandate-position"));
    let status = answer.status().as_u16();
    (status, etag, position, answer.body_mut().read_to_vec().unwrap())
}

/// What the feed has at a path where it has something.
fn fetch(world: &World, path: &str) -> Vec<u8> {
    let (status, _, _, body) = get(world, path, &[]);
    assert_eq!(status, 200, "{path}");
    body
}

/// Containers, one after the other: docs/feed.md#deltas-and-heartbeats.
fn apart(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let number = |at: usize, width: usize| {
            let digits = bytes[at..at + width].iter().rev();
            digits.fold(0, |number, byte| number << 8 | usize::from(*byte))
        };
        let (one, rest) = bytes.split_at(64 + number(12, 4) + number(100, 8));
        found.push(one);
        bytes = rest;
    }
    found
}

#[test]
fn who_pins_both_keys_follows_a_server_whose_key_is_another() {
    let folder = deploy("feed-key", &json!({}));
    let path = |name: &str| folder.path(&format!("acme/keys/{name}"));
    let ran = mandate(&[
        "snapshot",
        "keygen",
        "-o",
        &path("next.private.json"),
        "--public",
        &path("next.public.json"),
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let public = |name: &str| {
        serde_json::from_str::<Value>(&fs::read_to_string(path(name)).unwrap()).unwrap()
    };
    let (old, new) = (public("feed.public.json"), public("next.public.json"));
    let (both, late) = (consumer(&[&old, &new]), consumer(&[&old]));
    let world = World::serve(folder.clone());
    let snapshot = fetch(&world, "snapshot");
    let at = both.load_state(&snapshot).unwrap().position;
    assert_eq!(late.load_state(&snapshot).unwrap().position, at);
    assert_eq!(world.stop().0, Some(0));
    for half in ["private", "public"] {
        fs::rename(path(&format!("next.{half}.json")), path(&format!("feed.{half}.json"))).unwrap();
    }
    let world = World::serve(folder.clone());
    let written =
        world.registry().write_relationships(&act(), &[tuple("board:plan#viewer@user:anne")]);
    let reached = written.unwrap().position.to_string();
    world.follow();
    let deltas = fetch(&world, &format!("deltas?from={}.{}&wait=10", at.era, at.epoch));
    for delta in apart(&deltas) {
        both.apply_delta(delta).unwrap();
        assert!(late.apply_delta(delta).unwrap_err().detail.ends_with("is not pinned"));
    }
    let standing = |consumer: &Policy| {
        let position = consumer.state().unwrap().position;
        format!("{}.{}", position.era, position.epoch)
    };
    assert_eq!(standing(&both), reached);
    assert_eq!(standing(&late), format!("{}.{}", at.era, at.epoch));
    // Who comes later needs the new key alone.
    let refused = late.load_state(&fetch(&world, "snapshot")).unwrap_err();
    assert!(refused.detail.ends_with("is not pinned"), "{refused:?}");
    consumer(&[&new]).load_state(&fetch(&world, "snapshot")).unwrap();
}
