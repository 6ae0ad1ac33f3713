//! Statements: compact JWS that are no access tokens, and the member `authz` that is carried along.

use mandate_authn::{Contract, Json, Malformation, Refusal, SignedStatement, json_object};
use serde_json::{Value, json};

use crate::support::{contract, jwk, sign, token, validate, with};

const TYPE: &str = "agent-context+jwt";

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": TYPE, "kid": "c-1"})
}

fn verified(text: &str, key: &Value) -> Result<Json, Refusal> {
    SignedStatement::parse(text.as_bytes(), TYPE)?.verify(&key.to_string()).map(Json::Object)
}

#[test]
fn a_statement_gives_its_claims_with_its_key() {
    let text = sign(&header(), &json!({"a": 1}));
    let statement = SignedStatement::parse(text.as_bytes(), TYPE).expect("it is well-formed");
    assert_eq!(statement.key_id(), Some("c-1"));
    assert_eq!(verified(&text, &jwk()), Ok(json_object([("a", Some(Json::Integer(1)))])));
}

#[test]
fn a_statement_is_no_token_and_a_token_no_statement() {
    let statement = sign(&header(), &crate::support::claims());
    assert_eq!(validate(&statement), Err(Refusal::Type { typ: Some(TYPE.to_owned()) }));
    let refused = SignedStatement::parse(token().as_bytes(), TYPE).map(|_| ());
    assert_eq!(refused, Err(Refusal::Type { typ: Some("at+jwt".to_owned()) }));
    let untyped = sign(&json!({"alg": "EdDSA"}), &json!({}));
    let refused = SignedStatement::parse(untyped.as_bytes(), TYPE).map(|_| ());
    assert_eq!(refused, Err(Refusal::Type { typ: None }));
}

#[test]
fn a_statement_of_another_key_or_algorithm_is_refused() {
    let text = sign(&header(), &json!({}));
    let other = json!({"kty": "OKP", "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    assert_eq!(verified(&text, &other), Err(Refusal::Signature));
    let unfit = with(&jwk(), "/use", json!("enc"));
    assert_eq!(verified(&text, &unfit), Err(Refusal::KeyUnknown { kid: None }));
    let algorithm = sign(&with(&header(), "/alg", json!("ES256")), &json!({}));
    assert_eq!(verified(&algorithm, &jwk()), Err(Refusal::KeyUnknown { kid: None }));
    let none = sign(&with(&header(), "/alg", json!("none")), &json!({}));
    let refused = SignedStatement::parse(none.as_bytes(), TYPE).map(|_| ());
    assert_eq!(refused, Err(Refusal::AlgorithmUnsupported { algorithm: Some("none".to_owned()) }));
}

#[test]
fn a_statement_follows_the_strict_rules_for_tokens() {
    let critical = sign(&with(&header(), "/crit", json!(["x"])), &json!({}));
    let refused = SignedStatement::parse(critical.as_bytes(), TYPE).map(|_| ());
    assert_eq!(refused, Err(Refusal::Critical { parameter: "crit" }));
    let refused = SignedStatement::parse(b"a.b", TYPE).map(|_| ());
    assert_eq!(refused, Err(Refusal::Malformed(Malformation::Parts)));
}

#[test]
fn the_member_authz_is_carried_and_not_read() {
    let parsed = Contract::parse(&contract().to_string()).unwrap();
    assert_eq!(parsed.authz(), None);
    let carried = with(&contract(), "/authz", json!({"b": [1, "x"], "a": {}}));
    let parsed = Contract::parse(&carried.to_string()).unwrap();
    assert_eq!(parsed.authz(), Some(r#"{"a":{},"b":[1,"x"]}"#));
    let null = with(&contract(), "/authz", json!({"a": null}));
    assert_eq!(Contract::parse(&null.to_string()).unwrap_err().path, "authz.a");
}

#[test]
fn an_issuer_says_which_claims_it_reads() {
    let parsed = Contract::parse(&contract().to_string()).unwrap();
    let issuer = &parsed.issuers()[0];
    assert_eq!(issuer.tenants(), ["acme", "globex"]);
    assert_eq!(issuer.scope_claim(), "/scope");
    assert!(issuer.reads_roles_from("/resource_access/board/roles"));
    for other in ["/resource_access/*/roles", "/groups", "groups", ""] {
        assert!(!issuer.reads_roles_from(other), "{other}");
    }
}
