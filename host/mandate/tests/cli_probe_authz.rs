//! `mandate probe` about relationships, end to end.

#![expect(clippy::unwrap_used, reason = "tests")]

mod authz_world;
mod cli;

use authz_world::{FACTS, MODEL, World, authz_contract};
use cli::{AUDIENCE, ISSUER, NOW, claims, has_plugin, jwks, mandate_with, token};
use serde_json::{Value, json};

const BOARDS: &str = "model
  schema 1.1
type user
type team
  relations
    define member: [user]
type board
  relations
    define viewer: [user, user:*, team#member, user with early]
    define can_view: viewer
condition early(now: timestamp, until: timestamp) {
  now < until
}
";

fn ask(lines: &[Value]) -> Vec<Value> {
    ask_of("native", lines)
}

fn ask_of(runner: &str, lines: &[Value]) -> Vec<Value> {
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let ran = mandate_with(&["probe", "--runner", runner], input.as_bytes());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn check(id: u64, more: &Value) -> Value {
    let usual = json!({
        "id": id, "op": "check", "model": BOARDS,
        "tuples": [
            { "user": "team:blue#member", "relation": "viewer", "object": "board:a" },
            { "user": "user:anne", "relation": "member", "object": "team:blue" },
            { "user": "user:*", "relation": "viewer", "object": "board:public" },
            {
                "user": "user:carl", "relation": "viewer", "object": "board:a",
                "condition": { "name": "early", "context": { "until": "2026-01-01T00:00:00Z" } },
            },
        ],
        "user": "user:anne", "relation": "can_view", "object": "board:a",
    });
    mandate::mint::merge_patch(&usual, more)
}

fn list(id: u64, more: &Value) -> Value {
    let patch = json!({ "op": "list-objects", "object": null, "type": "board" });
    mandate::mint::merge_patch(&mandate::mint::merge_patch(&check(id, &json!({})), &patch), more)
}

#[test]
fn probe_authz() {
    let answers = ask(&[
        check(1, &json!({})),
        check(2, &json!({ "user": "user:bob" })),
        check(
            3,
            &json!({
                "user": "user:bob",
                "contextual_tuples": [{ "user": "user:bob", "relation": "member", "object": "team:blue" }],
            }),
        ),
        check(4, &json!({ "user": "user:carl", "context": { "now": "2025-06-01T00:00:00Z" } })),
        check(5, &json!({ "user": "user:carl" })),
        list(6, &json!({})),
        list(7, &json!({ "user": "user:bob" })),
        check(8, &json!({ "object": "board:unheard-of" })),
    ]);
    let failed = |answer: &Value| (answer["allowed"].clone(), answer["error"]["code"].clone());
    assert_eq!(answers[0], json!({ "id": 1, "allowed": true, "error": null }));
    assert_eq!(answers[1], json!({ "id": 2, "allowed": false, "error": null }));
    assert_eq!(answers[2], json!({ "id": 3, "allowed": true, "error": null }));
    assert_eq!(answers[3], json!({ "id": 4, "allowed": true, "error": null }));
    assert_eq!(failed(&answers[4]), (Value::Null, json!(2000)));
    assert_eq!(
        answers[5],
        json!({ "id": 6, "objects": ["board:a", "board:public"], "error": null })
    );
    assert_eq!(answers[6], json!({ "id": 7, "objects": ["board:public"], "error": null }));
    assert_eq!(answers[7], json!({ "id": 8, "allowed": false, "error": null }));
}

#[test]
fn component_and_module_answer_as_core_does() {
    if !has_plugin("probe through the component and the module") {
        return;
    }
    let lines = [
        check(1, &json!({})),
        check(2, &json!({ "user": "user:bob" })),
        check(3, &json!({ "user": "user:carl", "context": { "now": "2025-06-01T00:00:00Z" } })),
        check(4, &json!({ "user": "user:carl" })),
        check(5, &json!({ "relation": "owner" })),
        list(6, &json!({})),
        list(7, &json!({ "type": "spaceship" })),
        decide(8, &question(&json!({ "token": token(&claims()) }), NOW)),
    ];
    let shown = |answer: &Value| {
        let members = ["id", "allowed", "objects", "verdict", "reason", "relation_path"];
        (members.map(|member| answer[member].clone()), answer["error"]["code"].clone())
    };
    let all = |runner| ask_of(runner, &lines).iter().map(shown).collect::<Vec<_>>();
    let expected = all("native");
    assert_eq!(all("component"), expected);
    assert_eq!(all("module"), expected);
}

#[test]
fn a_model_as_json_answers_the_same() {
    let model = mandate_authz::model::Model::parse_dsl(BOARDS).unwrap().to_json();
    let answers = ask(&[
        check(1, &json!({ "model": model })),
        check(2, &json!({ "model": BOARDS.replace("define viewer", "defin viewer") })),
        check(3, &json!({ "model": { "schema_version": "9.9", "type_definitions": [] } })),
    ]);
    assert_eq!(answers[0], json!({ "id": 1, "allowed": true, "error": null }));
    assert_eq!(
        answers[1],
        json!({
            "id": 2, "allowed": null,
            "error": { "code": 2056, "message": "9:5: found `defin`, expected `define`" },
        })
    );
    assert_eq!(answers[2]["error"]["code"], json!(2056), "{:?}", answers[2]);
}

#[test]
fn errors_have_the_codes_of_openfga() {
    let code = |more: Value| {
        let answer = &ask(&[check(1, &more)])[0];
        assert_eq!(answer["allowed"], Value::Null, "{answer}");
        answer["error"]["code"].as_u64().unwrap()
    };
    assert_eq!(code(json!({ "relation": "owner" })), 2000);
    assert_eq!(code(json!({ "user": "anne" })), 2000);
    assert_eq!(code(json!({ "object": "spaceship:x" })), 2000);
    let wrong = json!([{ "user": "board:a", "relation": "viewer", "object": "board:a" }]);
    assert_eq!(code(json!({ "contextual_tuples": wrong })), 2027);
    assert_eq!(
        code(json!({ "tuples": [{ "user": "x", "relation": "viewer", "object": "board:a" }] })),
        2027
    );
    let many: Vec<Value> = (0..1001)
        .map(|id| json!({ "user": format!("user:u{id}"), "relation": "viewer", "object": "board:a" }))
        .collect();
    assert_eq!(code(json!({ "contextual_tuples": many })), 2000);
    let list_code = |more: Value| ask(&[list(1, &more)])[0]["error"]["code"].clone();
    assert_eq!(list_code(json!({ "type": "spaceship" })), json!(2021));
    assert_eq!(list_code(json!({ "relation": "owner" })), json!(2022));
}

#[test]
fn a_line_that_is_no_question_is_answered_with_its_path() {
    let answers = ask(&[
        check(1, &json!({ "colour": "red" })),
        check(2, &json!({ "user": 7 })),
        check(3, &json!({ "object": null })),
    ]);
    assert_eq!((&answers[0]["id"], &answers[0]["error"]["path"]), (&json!(1), &json!("colour")));
    assert_eq!(answers[1]["error"]["path"], json!("user"));
    let message = answers[2]["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("missing field `object`"), "{message}");
    assert!(answers.iter().all(|answer| answer.get("allowed").is_none()));
    let twice = r#"{"id":4,"op":"check","op":"check"}"#;
    let ran = mandate_with(&["probe", "--runner", "native"], twice.as_bytes());
    let said: Value = serde_json::from_str(ran.stdout.trim()).unwrap();
    assert!(said["error"]["message"].as_str().unwrap().starts_with("the document"), "{said}");
}

fn decide(id: u64, question: &Value) -> Value {
    json!({
        "id": id, "op": "decide", "model": MODEL, "facts": FACTS, "question": question,
        "trust": {
            "contract": authz_contract(),
            "key_sets": [{ "issuer": ISSUER, "keys": jwks() }],
        },
    })
}

fn question(who: &Value, now: u64) -> Value {
    let usual = json!({
        "now": now,
        "request": {
            "audience": AUDIENCE, "action": "view", "tool": "get_board",
            "resources": [{ "argument": "/board", "value": "roadmap" }],
        },
    });
    mandate::mint::merge_patch(&usual, who)
}

#[test]
fn a_decision_is_made_on_facts() {
    let by_token = json!({ "token": token(&claims()) });
    let by_name = json!({ "assertion": { "asserter": "offline", "subject": "user:carol", "agent": "agent:helper" } });
    let answers = ask(&[
        decide(1, &question(&by_token, NOW)),
        decide(2, &question(&by_name, NOW + 5)),
        // Back in time: a new state is begun.
        decide(3, &question(&by_token, NOW - 30)),
        decide(4, &question(&json!({ "token": "x" }), NOW)),
    ]);
    let said = |answer: &Value| ["id", "verdict", "reason"].map(|member| answer[member].clone());
    assert_eq!(said(&answers[0]), [json!(1), json!("allow"), json!("ok")]);
    assert_eq!(said(&answers[1]), [json!(2), json!("deny"), json!("not-delegate")]);
    assert_eq!(said(&answers[2]), [json!(3), json!("allow"), json!("ok")]);
    assert_eq!(said(&answers[3]), [json!(4), json!("deny"), json!("token-malformed")]);
}

#[test]
fn a_decision_is_made_on_containers() {
    use base64::Engine as _;
    let world = World::new("probe-containers");
    let snapshot = std::fs::read(world.snapshot("one.mandate", FACTS)).unwrap();
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let key: Value = serde_json::from_slice(&std::fs::read(&world.public).unwrap()).unwrap();
    let line = |id: u64, container: &str, now: u64| {
        let who = json!({ "token": token(&claims()) });
        let patch = json!({
            "model": null, "facts": null, "containers": [container],
            "state": { "deployment": "test", "slice": "all", "keys": [key] },
        });
        mandate::mint::merge_patch(&decide(id, &question(&who, now)), &patch)
    };
    let mut altered = snapshot.clone();
    *altered.last_mut().unwrap() ^= 1;
    let answers = ask(&[
        line(1, &encode(&snapshot), NOW),
        line(2, &encode(&snapshot), NOW + 121),
        line(3, &encode(&altered), NOW),
        line(4, "*", NOW),
    ]);
    assert_eq!(answers[0]["verdict"], json!("allow"), "{}", answers[0]);
    assert_eq!(answers[1]["reason"], json!("snapshot-stale"));
    assert_eq!(answers[2]["reason"], json!("snapshot-signature"));
    assert_eq!(answers[3]["error"]["path"], json!("containers[0]"));
}

#[test]
fn a_ground_that_cannot_be_laid_is_told() {
    let by_name = json!({ "assertion": { "asserter": "offline", "subject": "user:alice" } });
    let with =
        |patch: Value| mandate::mint::merge_patch(&decide(1, &question(&by_name, NOW)), &patch);
    let answers = ask(&[
        with(json!({ "facts": "wizards: []" })),
        with(json!({ "model": "model\n  schema 1.1\ntype user\n" })),
        with(json!({ "facts": null })),
        with(json!({ "trust": { "contract": { "authz": { "actions": null } } } })),
    ]);
    let path = |answer: &Value| answer["error"]["path"].clone();
    assert_eq!(path(&answers[0]), json!("facts"));
    assert_eq!(path(&answers[1]), json!("facts"));
    assert_eq!(
        answers[2]["error"],
        json!({ "path": "", "message": "either `model` and `facts`, or `state` and `containers`" })
    );
    assert!(path(&answers[3]).as_str().unwrap().starts_with("trust"), "{}", answers[3]);
}
