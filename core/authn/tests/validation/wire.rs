//! The JSON forms: strict requests, canonical answers.

use mandate_authn::{Validator, wire};
use serde_json::{Value, json};

use crate::support::*;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn call() -> Value {
    json!({"token": token(), "audience": AUDIENCE, "now": NOW})
}

fn answer(call: &Value) -> Value {
    parsed(&wire::validate(&mut validator(&trust()), &call.to_string()))
}

#[test]
fn a_trust_answers_its_status_or_its_error() {
    let mut validator = Validator::new();
    let two =
        with(&trust(), "/contract/issuers/-", with(&issuer(), "/issuer", json!(OTHER_ISSUER)));
    assert_eq!(
        wire::load_trust(&mut validator, &two.to_string()),
        r#"{"contract_version":"1.2.3","generation":1,"issuers_without_keys":["https://other.example"]}"#
    );
    assert_eq!(
        wire::load_trust(
            &mut validator,
            &with(&trust(), "/contract/skew_seconds", json!(61)).to_string()
        ),
        r#"{"error":{"message":"above the limit of 60 s","path":"contract.skew_seconds"}}"#
    );
    let error = validator.load_trust("[").unwrap_err();
    assert_eq!(
        parsed(&wire::load_error(&error)),
        json!({"error": {"message": error.message, "path": error.path}})
    );
}

#[test]
fn an_allowed_token_is_answered_whole() {
    let act = json!({"sub": "agent", "client_id": "c", "act": {"sub": "earlier"}});
    let claims = with(&claims(), "/act", act);
    let claims = with(&claims, "/may_act", json!({"sub": "next", "client_id": "n"}));
    let claims = with(&claims, "/realm_access", json!({"roles": ["user"]}));
    let claims = with(&claims, "/cnf", json!({"x5t#S256": encode([3; 32])}));
    let call = with(&call(), "/token", json!(sign(&header(), &claims)));
    let call = with(&call, "/certificate_sha256", json!(encode([3; 32])));
    let expected = json!({
        "verdict": "allow", "reason": "ok", "detail": "",
        "token": {
            "issuer": ISSUER, "subject": "alice", "tenant": "acme", "audiences": [AUDIENCE], "client_id": "board-web",
            "token_id": "t-1", "issued_at": NOW, "expires_at": NOW + 300, "scopes": ["read", "write"],
            "roles": [{"path": "/realm_access/roles", "name": "user"}],
            "actor": {"issuer": ISSUER, "subject": "agent", "client_id": "c"},
            "actor_history": [{"issuer": ISSUER, "subject": "earlier"}],
            "may_act": {"issuer": ISSUER, "subject": "next", "client_id": "n"},
            "confirmation": encode([3; 32]),
        },
    });
    assert_eq!(answer(&call), expected);
}

#[test]
fn absent_members_are_left_out() {
    let bare = json!({"iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "exp": NOW + 300});
    let expected = json!({
        "issuer": ISSUER, "subject": "alice", "audiences": [AUDIENCE], "expires_at": NOW + 300, "scopes": [], "roles": [], "actor_history": [],
    });
    assert_eq!(answer(&with(&call(), "/token", json!(sign(&header(), &bare))))["token"], expected);
}

#[test]
fn a_refusal_is_answered_with_reason_and_detail() {
    let late = with(&call(), "/now", json!(NOW + 1000));
    let detail = format!("`exp` is {}, now is {}", NOW + 300, NOW + 1000);
    assert_eq!(
        answer(&late),
        json!({"verdict": "deny", "reason": "token-expired", "detail": detail})
    );
    let mut empty = validator(&with(&trust(), "/key_sets", json!([])));
    let missing = parsed(&wire::validate(&mut empty, &call().to_string()));
    assert_eq!((&missing["reason"], &missing["refresh"]), (&json!("keys-missing"), &json!(ISSUER)));
}

#[test]
fn a_malformed_call_is_denied() {
    let cases = [
        with(&call(), "/extra", json!(1)),
        with(&call(), "/now", json!(-1)),
        with(&call(), "/now", json!("1")),
        with(&call(), "/now", json!(9_007_199_254_740_992_u64)),
        with(&call(), "/audience", Value::Null),
        with(&call(), "/certificate_sha256", json!("AA")),
        with(&call(), "/certificate_sha256", json!("=")),
        without(&call(), "/token"),
        without(&call(), "/now"),
        json!([]),
    ];
    for case in cases {
        let answer = answer(&case);
        assert_eq!(
            (&answer["verdict"], &answer["reason"]),
            (&json!("deny"), &json!("malformed")),
            "{case}"
        );
    }
    let misplaced = with(&call(), "/now", json!("a secret"));
    assert_eq!(answer(&misplaced)["detail"], "the request's `now` is malformed");
    let twice = call().to_string().replacen('{', r#"{"now":1,"#, 1);
    assert_eq!(parsed(&wire::validate(&mut validator(&trust()), &twice))["reason"], "malformed");
    assert_eq!(parsed(&wire::validate(&mut validator(&trust()), ""))["reason"], "malformed");
    let longest = with(&call(), "/now", json!(9_007_199_254_740_991_u64));
    assert_eq!(answer(&longest)["reason"], "token-expired");
}

#[test]
fn the_signature_layer_answers_alone() {
    let call = json!({"keys": jwk(), "token": token()});
    assert_eq!(
        wire::verify_jws(&call.to_string()),
        r#"{"detail":"","reason":"ok","verdict":"allow"}"#
    );
    let foreign = with(&call, "/keys/kid", json!("k2"));
    assert_eq!(
        wire::verify_jws(&foreign.to_string()),
        r#"{"detail":"no key has `kid` `k1`","reason":"token-key-unknown","verdict":"deny"}"#
    );
    assert_eq!(parsed(&wire::verify_jws("{}"))["reason"], "malformed");
}

#[test]
fn a_key_that_may_not_verify_is_refused_for_what_is_wrong_with_it() {
    let call = json!({"keys": jwk(), "token": token()});
    let detail = |change: &str, value: Value| {
        let answer = parsed(&wire::verify_jws(&with(&call, change, value).to_string()));
        assert_eq!(answer["reason"], "token-key-unfit", "{answer}");
        answer["detail"].as_str().unwrap().to_owned()
    };
    let encrypts = detail("/keys/use", json!("enc"));
    assert!(encrypts.ends_with("its `use` is not `sig`"), "{encrypts}");
    let signs = detail("/keys/key_ops", json!(["sign"]));
    assert!(signs.ends_with("its `key_ops` does not contain `verify`"), "{signs}");
}

#[test]
fn probe_lines_are_answered_with_their_id() {
    let mut probe = wire::Probe::default();
    let mut ask = |line: &Value| parsed(&probe.answer(&line.to_string()));
    let validate =
        json!({"id": 7, "op": "validate", "trust": trust(), "token": token(), "now": NOW});
    let allowed = ask(&validate);
    assert_eq!(
        (&allowed["id"], &allowed["verdict"], &allowed["token"]["subject"]),
        (&json!(7), &json!("allow"), &json!("alice"))
    );
    assert_eq!(ask(&with(&validate, "/audience", json!("x")))["reason"], "policy-missing");
    let other = with(&validate, "/trust/key_sets", json!([]));
    assert_eq!(ask(&other)["reason"], "keys-missing");
    assert_eq!(ask(&validate)["verdict"], "allow");
    let jws = json!({"id": "a", "op": "jws", "keys": jwk(), "token": token()});
    assert_eq!(ask(&jws), json!({"id": "a", "valid": true, "reason": "ok"}));
    assert_eq!(
        ask(&with(&jws, "/keys/kid", json!("k2"))),
        json!({"id": "a", "valid": false, "reason": "token-key-unknown"})
    );
}

#[test]
fn a_probe_that_does_not_load_is_denied_and_a_line_that_is_none_is_an_error() {
    let mut probe = wire::Probe::default();
    let validate =
        json!({"id": 7, "op": "validate", "trust": trust(), "token": token(), "now": NOW});
    let mut ask = |line: &str| parsed(&probe.answer(line));
    let unusable = with(&validate, "/trust/contract/skew_seconds", json!(61));
    for _ in 0..2 {
        assert_eq!(
            ask(&unusable.to_string()),
            json!({"id": 7, "verdict": "deny", "reason": "keys-missing", "detail": "the trust does not load: `contract.skew_seconds`: above the limit of 60 s"})
        );
    }
    assert_eq!(
        ask(&with(&validate, "/now", json!(9_007_199_254_740_992_u64)).to_string())["reason"],
        "malformed"
    );
    assert_eq!(
        ask("{}"),
        json!({"id": null, "error": {"path": "op", "message": "must be `jws` or `validate`"}})
    );
    assert_eq!(ask("x")["error"]["path"], "op");
    let extra = ask(&with(&validate, "/extra", json!(1)).to_string());
    assert_eq!((&extra["id"], &extra["error"]["path"]), (&json!(7), &json!("extra")));
    assert_eq!(
        ask(r#"{"id":1,"op":"jws","token":""}"#)["error"]["message"],
        "missing field `keys` at line 1 column 30"
    );
}
