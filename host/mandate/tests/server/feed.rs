//! The feed, and how soon a write of another process is decided by.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::{World, act, agent, authorization, gateway, tuple};

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
    let get = |path: &str, fields: &[(&str, &str)]| {
        let mut request = agent().get(format!("{}{path}", world.address));
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
    };
    let (status, etag, position, snapshot) = get("/feeds/default/v1/snapshot", &[]);
    assert_eq!((status, snapshot.is_empty()), (200, false));
    let (etag, position) = (etag.unwrap(), position.unwrap());
    let (status, _, _, body) = get("/feeds/default/v1/snapshot", &[("if-none-match", &etag)]);
    assert_eq!((status, body.len()), (304, 0));
    let written =
        world.registry().write_relationships(&act(), &[tuple("board:plan#viewer@user:anne")]);
    let reached = written.unwrap().position.to_string();
    // A long poll is answered by the write.
    let path = format!("/feeds/default/v1/deltas?from={position}&wait=30");
    let (status, _, found, deltas) = get(&path, &[]);
    assert_eq!((status, found.as_deref()), (200, Some(reached.as_str())));
    assert!(!deltas.is_empty());
    let (status, _, _, _) = get("/feeds/default/v1/deltas?from=1.999999", &[]);
    assert_eq!(status, 409);
    let (status, _, _, _) = get("/feeds/default/v1/deltas?from=x", &[]);
    assert_eq!(status, 400);
}
