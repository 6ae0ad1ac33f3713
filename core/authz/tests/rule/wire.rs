//! Decisions over JSON: strict questions, canonical answers.

use mandate_authz::wire;
use serde_json::{Value, json};

use crate::scene::{MCP, NOW, OPEN, Scene, scene, set};

fn question(scene: &Scene) -> Value {
    json!({
        "now": NOW, "token": scene.token(),
        "request": {"audience": scene.audience, "action": "read_board", "tool": "read_board",
            "resources": [{"argument": "/board", "value": "roadmap"}]},
    })
}

fn authorize(scene: &Scene, question: &Value) -> Value {
    let (mut validator, policy, state) = (scene.validator(), scene.policy(), scene.state());
    let answer = wire::authorize(&mut validator, policy.as_ref(), &state, &question.to_string());
    serde_json::from_str(&answer).unwrap()
}

fn decide(scene: &Scene, question: &Value) -> Value {
    let answer = wire::decide(scene.policy().as_ref(), &scene.state(), &question.to_string());
    serde_json::from_str(&answer).unwrap()
}

#[test]
fn an_allowed_request_is_answered_whole() {
    let scene = scene();
    assert_eq!(
        authorize(&scene, &question(&scene)),
        json!({
            "agent": "agent:helper", "binding_mode": "claim+relation", "contract_version": "1.0.0",
            "credential": "c-helper", "delegation": "stored", "detail": "", "epoch": 7, "era": 1,
            "reason": "ok",
            "relation_path": [
                "user:anne#delegate_of@agent:helper", "agent:helper#owner@user:anne",
                "tool:boards/read_board#can_call@agent:helper",
                "tool:boards/read_board#can_call@user:anne", "board:roadmap#viewer@user:anne",
            ],
            "tenant": "acme", "user": "user:anne", "verdict": "allow",
        })
    );
}

#[test]
fn a_denied_request_says_where_and_why() {
    let mut scene = scene();
    scene.remove("board:roadmap#viewer@user:anne");
    assert_eq!(
        authorize(&scene, &question(&scene)),
        json!({
            "agent": "agent:helper", "binding_mode": "claim+relation", "contract_version": "1.0.0",
            "credential": "c-helper", "delegation": "stored",
            "detail": "no relation that allows the action", "epoch": 7, "era": 1,
            "failing_line": "8", "reason": "no-relation", "tenant": "acme", "user": "user:anne",
            "verdict": "deny",
        })
    );
}

#[test]
fn a_refused_token_names_what_could_help() {
    let scene = scene();
    let mut expired = question(&scene);
    expired["now"] = json!(NOW + 3600);
    assert_eq!(
        authorize(&scene, &expired),
        json!({
            "contract_version": "1.0.0", "detail": format!("`exp` is {}, now is {}", NOW + 300, NOW + 3600),
            "failing_line": "token", "reason": "token-expired", "verdict": "deny",
        })
    );
    let mut without_keys = mandate_authn::Validator::new();
    let trust = json!({"contract": scene.contract, "key_sets": []});
    without_keys.load_trust(&trust.to_string()).unwrap();
    let question = question(&scene).to_string();
    let answer =
        wire::authorize(&mut without_keys, scene.policy().as_ref(), &scene.state(), &question);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["reason"], "keys-missing");
    assert_eq!(answer["refresh"], "https://login.example");
}

#[test]
fn a_missing_scope_names_those_that_would_do() {
    let mut scene = scene();
    scene.claims["scope"] = json!("openid");
    let answer = authorize(&scene, &question(&scene));
    assert_eq!(answer["reason"], "scope-token");
    assert_eq!(answer["required_scopes"], json!(["boards.all", "boards.read"]));
}

#[test]
fn an_explanation_shows_every_line() {
    let mut scene = scene();
    scene.remove("user:anne#delegate_of@agent:helper");
    let mut question = question(&scene);
    question["explain"] = json!(true);
    let answer = authorize(&scene, &question);
    assert_eq!(answer["reason"], "not-delegate");
    let lines = answer["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 8);
    assert_eq!(
        lines[3],
        json!({"line": "4", "verdict": "fails", "reason": "not-delegate",
            "detail": "the user has not delegated to this agent"})
    );
    assert_eq!(
        lines[7],
        json!({"line": "8", "verdict": "holds", "relation_path": ["board:roadmap#viewer@user:anne"]})
    );
}

#[test]
fn a_question_that_is_not_understood_is_denied() {
    let scene = scene();
    let good = question(&scene);
    for (pointer, value, detail) in [
        ("/now", json!("now"), "`now`: expected u64"),
        ("/now", json!(9_007_199_254_740_992_u64), "`now`: is above 2^53 - 1"),
        ("/verdict", json!("allow"), "`verdict`: unknown field"),
        ("/request/user", json!("user:anne"), "`request.user`: unknown field"),
        ("/request/resources", json!([{"type": "board"}]), "`request.resources[0]`: "),
        (
            "/request/resources",
            json!([{"type": "board", "id": "a", "text": "b"}]),
            "`request.resources[0]`: ",
        ),
        ("/request/minimum_epoch", json!("7"), "`request.minimum_epoch`: must be `era.epoch`"),
        ("/certificate_sha256", json!("AA"), "`certificate_sha256`: is no SHA-256 in base64url"),
        ("/request", Value::Null, "missing field `request`"),
    ] {
        let mut asked = good.clone();
        set(&mut asked, pointer, value.clone());
        let answer = authorize(&scene, &asked);
        assert_eq!(answer["reason"], "malformed", "{pointer} {value}");
        assert_eq!(answer["verdict"], "deny", "{pointer} {value}");
        let said = answer["detail"].as_str().unwrap();
        assert!(said.starts_with(detail), "{pointer} {value}: {said}");
    }
    let twice = r#"{"now":1,"now":2}"#;
    let answer = wire::decide(None, &scene.state(), twice);
    assert_eq!(
        answer,
        "{\"detail\":\"the document has a duplicate member\",\"failing_line\":\"framing\",\"reason\":\"malformed\",\"verdict\":\"deny\"}"
    );
}

#[test]
fn an_assertion_is_decided_for_the_names_in_it() {
    let scene = scene();
    let mut question = json!({
        "now": NOW,
        "assertion": {"asserter": "offline", "subject": "user:anne", "agent": "agent:helper"},
        "request": {"audience": MCP, "action": "read_board", "tool": "read_board",
            "resources": [{"argument": "/board", "value": "roadmap"}],
            "minimum_epoch": "1.7", "on_behalf_of": "user:anne"},
    });
    let answer = decide(&scene, &question);
    assert_eq!(
        (&answer["verdict"], &answer["binding_mode"]),
        (&json!("allow"), &json!("asserted"))
    );
    question["assertion"]["asserter"] = json!("service:pep");
    assert_eq!(decide(&scene, &question)["reason"], "binding-unmatched");
    question["assertion"]["asserter"] = Value::Null;
    assert_eq!(decide(&scene, &question)["reason"], "malformed");
    question["assertion"].as_object_mut().unwrap().remove("asserter");
    assert_eq!(decide(&scene, &question)["reason"], "malformed");
}

#[test]
fn the_principal_at_fault_and_the_revoked_token_are_named() {
    let mut scene = scene();
    scene.audience = OPEN;
    scene.credential("c-helper").token_ids = vec!["t-1".to_owned()];
    scene.credential("c-helper").revoked_at = Some(NOW);
    let answer = authorize(&scene, &question(&scene));
    assert_eq!(answer["reason"], "token-revoked");
    assert_eq!(answer["principal"], "agent");
    assert_eq!(answer["failing_line"], "2");
}
