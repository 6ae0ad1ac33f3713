//! The verified-token cache: what it must look at again on every hit, and what empties it.

use mandate_authn::{KeysState, Refusal, Request, Validator};
use serde_json::json;

use crate::support::*;

fn code(validator: &mut Validator, token: &str, request: &Request<'_>) -> &'static str {
    validator.validate(token.as_bytes(), request).reason().as_str()
}

fn at(now: u64) -> Request<'static> {
    Request { now, ..request() }
}

#[test]
fn a_remembered_token_is_the_same_token() {
    let mut validator = validator(&trust());
    let first = validator.validate(token().as_bytes(), &request());
    assert_eq!(validator.validate(token().as_bytes(), &request()), first);
}

#[test]
fn times_are_looked_at_on_every_hit() {
    let mut validator = validator(&trust());
    let token = sign(&header(), &with(&claims(), "/nbf", json!(NOW)));
    assert_eq!(code(&mut validator, &token, &at(NOW)), "ok");
    assert_eq!(code(&mut validator, &token, &at(NOW + 359)), "ok");
    assert_eq!(code(&mut validator, &token, &at(NOW + 360)), "token-expired");
    assert_eq!(code(&mut validator, &token, &at(NOW - 61)), "token-not-yet-valid");
}

#[test]
fn times_are_looked_at_while_the_entry_is_young() {
    let mut validator = validator(&trust());
    let short = sign(&header(), &with(&claims(), "/exp", json!(NOW + 1)));
    assert_eq!(code(&mut validator, &short, &at(NOW)), "ok");
    assert_eq!(code(&mut validator, &short, &at(NOW + 61)), "token-expired");
}

#[test]
fn the_certificate_is_looked_at_on_every_hit() {
    let mut validator = validator(&trust());
    let bound = sign(&header(), &with(&claims(), "/cnf", json!({"x5t#S256": encode([3; 32])})));
    let presenting = |certificate_sha256| Request { certificate_sha256, ..request() };
    assert_eq!(code(&mut validator, &bound, &presenting(Some([3; 32]))), "ok");
    assert_eq!(code(&mut validator, &bound, &presenting(None)), "token-binding");
    assert_eq!(code(&mut validator, &bound, &presenting(Some([4; 32]))), "token-binding");
}

#[test]
fn the_age_of_the_key_set_is_looked_at_on_every_hit() {
    let mut validator = validator(&with(&trust(), "/key_sets/0/fetched_at", json!(NOW - 3500)));
    assert_eq!(code(&mut validator, &token(), &at(NOW)), "ok");
    let stale = validator.validate(token().as_bytes(), &at(NOW + 101));
    assert_eq!(
        stale.outcome(),
        Err(&Refusal::KeysMissing { issuer: ISSUER.to_owned(), state: KeysState::Stale })
    );
}

#[test]
fn an_entry_is_for_one_audience() {
    let two =
        with(&trust(), "/contract/apps/-", json!({"name": "vault", "audience": OTHER_AUDIENCE}));
    let mut validator = validator(&two);
    assert_eq!(code(&mut validator, &token(), &request()), "ok");
    let other = Request { audience: Some(OTHER_AUDIENCE), ..request() };
    assert_eq!(code(&mut validator, &token(), &other), "token-audience");
}

#[test]
fn an_app_accepts_only_its_issuers() {
    let trust =
        with(&trust(), "/contract/issuers/-", with(&issuer(), "/issuer", json!(OTHER_ISSUER)));
    let app = json!({"name": "vault", "audience": OTHER_AUDIENCE, "issuers": [OTHER_ISSUER]});
    let mut validator = validator(&with(&trust, "/contract/apps/-", app));
    let both = sign(&header(), &with(&claims(), "/aud", json!([AUDIENCE, OTHER_AUDIENCE])));
    assert_eq!(code(&mut validator, &both, &request()), "ok");
    let other = Request { audience: Some(OTHER_AUDIENCE), ..request() };
    assert_eq!(code(&mut validator, &both, &other), "token-issuer");
}

#[test]
fn an_entry_is_for_the_whole_token() {
    let mut validator = validator(&trust());
    let token = token();
    assert_eq!(code(&mut validator, &token, &request()), "ok");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let changed =
        format!("{signed}.{}", signature.replacen(|_| true, "A", 1).replacen('A', "B", 1));
    assert_eq!(code(&mut validator, &changed, &request()), "token-signature");
}

#[test]
fn a_new_trust_forgets_every_token() {
    let mut validator = validator(&trust());
    assert_eq!(code(&mut validator, &token(), &request()), "ok");
    let withdrawn = with(&trust(), "/key_sets/0/keys/keys/0/kid", json!("k2"));
    let status = validator.load_trust(&withdrawn.to_string()).unwrap();
    assert_eq!(
        (status.generation, status.contract_version, status.issuers_without_keys),
        (2, [1, 2, 3], vec![])
    );
    assert_eq!(code(&mut validator, &token(), &request()), "token-key-unknown");
}

#[test]
fn a_trust_that_does_not_load_changes_nothing() {
    let mut validator = validator(&trust());
    validator.load_trust("{}").unwrap_err();
    assert_eq!(code(&mut validator, &token(), &request()), "ok");
    let status = validator.load_trust(&trust().to_string()).unwrap();
    assert_eq!(status.generation, 2);
}

// A stream of made-up tokens must not take the thread that answers everybody else.
#[test]
fn no_more_signatures_are_checked_than_the_host_allows() {
    let mut validator = validator(&trust());
    let other = sign(&header(), &with(&claims(), "/jti", json!("another")));
    let (signed, _) = other.rsplit_once('.').unwrap();
    let spoilt = format!("{signed}.AAAA");
    validator.allow_verifications(Some(2));
    assert_eq!(code(&mut validator, &token(), &request()), "ok");
    assert_eq!(code(&mut validator, &spoilt, &request()), "token-signature");
    // What is remembered, and what is refused for less, costs none.
    assert_eq!(code(&mut validator, &token(), &request()), "ok");
    assert_eq!(code(&mut validator, "a.b.c", &request()), "token-malformed");
    assert_eq!(validator.verifications_left(), Some(0));
    let refused = validator.validate(other.as_bytes(), &request());
    assert_eq!(refused.outcome(), Err(&Refusal::VerificationBudget));
    assert_eq!(refused.reason().as_str(), "budget");
    validator.allow_verifications(None);
    assert_eq!(code(&mut validator, &other, &request()), "ok");
}
