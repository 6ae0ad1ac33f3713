//! `mandate replay`, end to end.

#![expect(clippy::unwrap_used, reason = "tests")]

mod authz_world;
mod cli;

use authz_world::{FACTS, World};
use cli::{AUDIENCE, ISSUER, NOW, Ran, claims, jwks, mandate, mandate_with, token};
use serde_json::{Value, json};

struct Replayed {
    world: World,
    before: String,
    after: String,
}

impl Replayed {
    /// In the later snapshot carol has delegated to the helper, and alice has left the team.
    fn new(test: &str) -> Self {
        let world = World::new(test);
        let later = FACTS
            .replace("delegated_by: [alice]", "delegated_by: [alice, carol]")
            .replace("members: [alice, carol]", "members: [carol]");
        let before = world.snapshot("before.mandate", FACTS);
        let after = world.snapshot("after.mandate", &later);
        Self { world, before, after }
    }

    fn replay(&self, requests: &str, more: &[&str]) -> Ran {
        let file = self.world.folder.write("requests.jsonl", requests);
        mandate(&[&self.arguments(&file)[..], more].concat())
    }

    fn arguments<'a>(&'a self, file: &'a str) -> [&'a str; 10] {
        [
            "replay",
            file,
            "--before",
            &self.before,
            "--after",
            &self.after,
            "--pin",
            &self.world.public,
            "--contract",
            &self.world.contract,
        ]
    }
}

fn request(user: &str, board: &str) -> Value {
    json!({
        "id": format!("{user}/{board}"),
        "now": NOW,
        "assertion": { "asserter": "offline", "subject": format!("user:{user}"), "agent": "agent:helper" },
        "request": call(board),
    })
}

fn call(board: &str) -> Value {
    json!({
        "audience": AUDIENCE, "action": "view", "tool": "get_board",
        "resources": [{ "argument": "/board", "value": board }],
    })
}

fn lines(requests: &[Value]) -> String {
    requests.iter().map(|request| format!("{request}\n")).collect()
}

#[test]
fn replay() {
    let replayed = Replayed::new("replay");
    let requests = lines(&[
        request("alice", "roadmap"),
        request("carol", "roadmap"),
        request("bob", "roadmap"),
        request("alice", "salaries"),
    ]);
    let ran = replayed.replay(&requests, &[]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (
            1,
            "alice/roadmap: allow -> deny agent-use: user:alice through agent:helper view with \
             get_board /board=roadmap
    after  nothing lets the user use this agent
carol/roadmap: deny not-delegate -> allow: user:carol through agent:helper view with get_board \
             /board=roadmap
    before  the user has not delegated to this agent
4 requests: 2 flips (1 now allowed, 1 now denied), 1 denied for another reason
"
        )
    );
    let said = replayed.replay(&requests, &["--json"]).json();
    assert_eq!(
        (&said["requests"], &said["now_allowed"], &said["now_denied"]),
        (&json!(4), &json!(1), &json!(1))
    );
    let flips: Vec<_> = said["flips"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flip| (&flip["id"], &flip["before"]["verdict"], &flip["after"]["verdict"]))
        .collect();
    assert_eq!(
        flips,
        [
            (&json!("alice/roadmap"), &json!("allow"), &json!("deny")),
            (&json!("carol/roadmap"), &json!("deny"), &json!("allow")),
        ]
    );
    assert_eq!(said["reasons"][0]["after"]["reason"], "agent-use");
}

#[test]
fn the_same_verdicts_are_a_success() {
    let replayed = Replayed::new("replay-same");
    let requests = lines(&[request("bob", "roadmap"), request("alice", "salaries")]);
    let ran = replayed.replay(&requests, &[]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "2 requests: 0 flips (0 now allowed, 0 now denied), 1 denied for another reason\n")
    );
    let ran = replayed.replay(&requests, &["--reasons"]);
    assert!(
        ran.stdout.starts_with("alice/salaries: deny no-relation -> deny agent-use: "),
        "{ran:?}"
    );
}

#[test]
fn each_request_is_decided_at_its_own_moment() {
    let replayed = Replayed::new("replay-moments");
    let keys = replayed.world.folder.write("jwks.json", jwks().to_string());
    let keys = format!("{ISSUER}={keys}");
    let by_token = |id: u64, now: u64| json!({ "id": id, "now": now, "token": token(&claims()), "request": call("roadmap") });
    // The last first: the token has expired in it.
    let requests = lines(&[by_token(1, NOW + 1000), by_token(2, NOW), by_token(3, NOW + 60)]);
    let said = replayed.replay(&requests, &["--keys", &keys, "--json"]).json();
    let ids: Vec<_> =
        said["flips"].as_array().unwrap().iter().map(|flip| flip["id"].clone()).collect();
    assert_eq!(ids, [json!(2), json!(3)]);
}

#[test]
fn bad_input_is_one_clear_line() {
    let replayed = Replayed::new("replay-bad-input");
    let folder = replayed.world.folder.path("");
    let line = |requests: &str, more: &[&str]| {
        replayed.replay(requests, more).one_line().replace(&folder, "")
    };
    let good = lines(&[request("alice", "roadmap")]);
    assert_eq!(line("", &[]), "requests `requests.jsonl` has no requests");
    assert_eq!(
        line(&format!("{good}no request\n"), &[]),
        "requests `requests.jsonl`: line 2: the document is not strict JSON"
    );
    assert_eq!(
        line(r#"{"token":"a","request":{}}"#, &[]),
        "requests `requests.jsonl`: line 1: `now`: is missing"
    );
    assert_eq!(line(&good, &["--befor", "x"]), "unexpected argument '--befor' found; see `--help`");
    let absent = replayed.world.folder.path("absent");
    assert_eq!(
        mandate(&replayed.arguments(&absent)).one_line(),
        format!("requests `{absent}` cannot be read: No such file or directory (os error 2)")
    );
    let piped = mandate_with(&replayed.arguments("-"), good.as_bytes());
    assert_eq!(piped.code, 1);
    let bytes = std::fs::read(&replayed.after).unwrap();
    std::fs::write(&replayed.after, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(line(&good, &[]), "snapshot `after.mandate`: the bytes end too early");
}
