//! Claims: what each must be, one fact changed at a time.

use crate::support::*;
use mandate_authn::{Actor, ClaimProblem, MayAct, Refusal, Request, Role};
use serde_json::{Value, json};

fn claim(claim: &str, problem: ClaimProblem) -> Refusal {
    Refusal::Claim { claim: claim.to_owned(), problem }
}

#[test]
fn a_good_token_states_what_its_claims_say() {
    let token = validate(&token()).unwrap();
    assert_eq!(token.issuer(), ISSUER);
    assert_eq!(token.subject(), "alice");
    assert_eq!(token.tenant(), Some("acme"));
    assert_eq!(token.audiences(), [AUDIENCE]);
    assert_eq!(token.client_id(), Some("board-web"));
    assert_eq!(token.token_id(), Some("t-1"));
    assert_eq!(token.issued_at(), Some(NOW));
    assert_eq!(token.expires_at(), NOW + 300);
    assert_eq!(token.scopes(), ["read", "write"]);
    assert_eq!(token.roles(), []);
    assert_eq!(
        (token.actor(), token.actor_history(), token.may_act(), token.confirmation()),
        (None, [].as_slice(), None, None)
    );
}

#[test]
fn a_token_lives_until_its_expiry_and_skew() {
    let at = |now| validate_with(&trust(), &token(), &Request { now, ..request() });
    let expires = NOW + 300;
    at(expires + 59).unwrap();
    assert_eq!(at(expires + 60), Err(Refusal::Expired { now: expires + 60, expires }));
    assert_eq!(at(u64::MAX), Err(Refusal::Expired { now: u64::MAX, expires }));
}

#[test]
fn a_token_starts_within_the_skew() {
    for name in ["nbf", "iat"] {
        let starting = |starts: u64| with_claim(&format!("/{name}"), json!(starts));
        starting(NOW + 60).unwrap();
        let starts = NOW + 61;
        assert_eq!(
            starting(starts),
            Err(Refusal::NotYetValid {
                claim: if name == "nbf" { "nbf" } else { "iat" },
                now: NOW,
                starts
            })
        );
    }
}

#[test]
fn times_are_integers_of_at_most_53_bits() {
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!("1767225900"),
            json!(1_767_225_900.5),
            json!(-1),
            Value::Null,
            json!([NOW]),
            json!(true),
            json!(9_007_199_254_740_992_u64),
        ] {
            assert_eq!(
                with_claim(&format!("/{name}"), value.clone()),
                Err(claim(name, ClaimProblem::Malformed)),
                "{name} {value}"
            );
        }
    }
    assert_eq!(
        validate_claims(&without(&claims(), "/exp")),
        Err(claim("exp", ClaimProblem::Missing))
    );
    assert_eq!(
        with_claim("/exp", json!(9_007_199_254_740_991_u64)).unwrap().expires_at(),
        9_007_199_254_740_991
    );
    assert_eq!(validate_claims(&without(&claims(), "/iat")).unwrap().issued_at(), None);
}

#[test]
fn a_maximum_lifetime_needs_iat_and_bounds_it() {
    let trust = with(&trust(), "/contract/issuers/0/maximum_lifetime_seconds", json!(300));
    let validate = |claims: &Value| validate_with(&trust, &sign(&header(), claims), &request());
    validate(&claims()).unwrap();
    assert_eq!(
        validate(&with(&claims(), "/exp", json!(NOW + 301))),
        Err(claim("exp", ClaimProblem::Limit))
    );
    assert_eq!(validate(&without(&claims(), "/iat")), Err(claim("iat", ClaimProblem::Missing)));
    let backwards = with(&with(&claims(), "/exp", json!(NOW - 30)), "/iat", json!(NOW));
    assert_eq!(validate(&backwards), Err(claim("exp", ClaimProblem::Mismatch)));
}

#[test]
fn the_audience_is_always_required() {
    for aud in [json!([AUDIENCE]), json!(["https://x.example", AUDIENCE])] {
        with_claim("/aud", aud).unwrap();
    }
    for aud in [
        json!([AUDIENCE, 1]),
        json!({"aud": AUDIENCE}),
        json!(""),
        json!([]),
        json!([AUDIENCE, ""]),
        Value::Null,
        json!(1),
    ] {
        assert_eq!(
            with_claim("/aud", aud.clone()),
            Err(Refusal::Audience(ClaimProblem::Malformed)),
            "{aud}"
        );
    }
    for aud in [
        json!("https://board.example/"),
        json!("https://BOARD.example"),
        json!(["https://x.example"]),
    ] {
        assert_eq!(
            with_claim("/aud", aud.clone()),
            Err(Refusal::Audience(ClaimProblem::Mismatch)),
            "{aud}"
        );
    }
    assert_eq!(
        validate_claims(&without(&claims(), "/aud")),
        Err(Refusal::Audience(ClaimProblem::Missing))
    );
}

#[test]
fn the_subject_is_a_non_empty_string() {
    for sub in [json!(""), json!(7), Value::Null, json!(["alice"])] {
        assert_eq!(
            with_claim("/sub", sub.clone()),
            Err(Refusal::Subject(ClaimProblem::Malformed)),
            "{sub}"
        );
    }
    assert_eq!(
        validate_claims(&without(&claims(), "/sub")),
        Err(Refusal::Subject(ClaimProblem::Missing))
    );
}

#[test]
fn a_mapped_subject_is_required_beside_sub() {
    let trust = with(&trust(), "/contract/issuers/0/subject_claim", json!("/oid"));
    let validate = |claims: &Value| validate_with(&trust, &sign(&header(), claims), &request());
    let claims = with(&claims(), "/oid", json!("o-1"));
    assert_eq!(validate(&claims).unwrap().subject(), "o-1");
    assert_eq!(
        validate(&with(&claims, "/oid", json!(""))),
        Err(Refusal::Subject(ClaimProblem::Malformed))
    );
    assert_eq!(validate(&without(&claims, "/oid")), Err(Refusal::Subject(ClaimProblem::Missing)));
    assert_eq!(validate(&without(&claims, "/sub")), Err(Refusal::Subject(ClaimProblem::Missing)));
}

#[test]
fn claim_tests_are_required() {
    let trust = with(
        &trust(),
        "/contract/issuers/0/claim_tests",
        json!([{"claim": "/token_use", "equals": "access"}]),
    );
    let validate = |claims: &Value| validate_with(&trust, &sign(&header(), claims), &request());
    validate(&with(&claims(), "/token_use", json!("access"))).unwrap();
    assert_eq!(
        validate(&with(&claims(), "/token_use", json!("id"))),
        Err(claim("/token_use", ClaimProblem::Mismatch))
    );
    assert_eq!(validate(&claims()), Err(claim("/token_use", ClaimProblem::Missing)));
}

#[test]
fn the_tenant_is_one_that_the_issuer_may_speak_for() {
    assert_eq!(with_claim("/tenant", json!("globex")).unwrap().tenant(), Some("globex"));
    assert_eq!(
        with_claim("/tenant", json!("initech")),
        Err(Refusal::Tenant { tenant: "initech".to_owned() })
    );
    assert_eq!(
        with_claim("/tenant", json!(["acme"])),
        Err(claim("/tenant", ClaimProblem::Malformed))
    );
    assert_eq!(validate_claims(&without(&claims(), "/tenant")).unwrap().tenant(), None);
    let unmapped = without(&trust(), "/contract/issuers/0/tenant_claim");
    assert_eq!(validate_with(&unmapped, &token(), &request()).unwrap().tenant(), None);
}

#[test]
fn the_client_is_client_id_else_azp() {
    let client =
        |claims: &Value| validate_claims(claims).map(|token| token.client_id().map(str::to_owned));
    let both = with(&claims(), "/azp", json!("other"));
    assert_eq!(client(&both), Ok(Some("board-web".to_owned())));
    assert_eq!(client(&without(&both, "/client_id")), Ok(Some("other".to_owned())));
    assert_eq!(client(&without(&claims(), "/client_id")), Ok(None));
    assert_eq!(client(&with(&both, "/azp", json!(1))), Err(claim("azp", ClaimProblem::Malformed)));
    assert_eq!(
        client(&with(&both, "/client_id", json!(""))),
        Err(claim("client_id", ClaimProblem::Malformed))
    );
    assert_eq!(with_claim("/jti", json!(4)), Err(claim("jti", ClaimProblem::Malformed)));
}

#[test]
fn scope_is_one_string() {
    assert_eq!(with_claim("/scope", json!("  a  b ")).unwrap().scopes(), ["a", "b"]);
    assert_eq!(validate_claims(&without(&claims(), "/scope")).unwrap().scopes().len(), 0);
    assert_eq!(with_claim("/scope", json!(["a"])), Err(claim("/scope", ClaimProblem::Malformed)));
}

#[test]
fn roles_come_with_their_claim() {
    let claims = with(&claims(), "/realm_access", json!({"roles": ["user"]}));
    let claims = with(
        &claims,
        "/resource_access",
        json!({"a/b": {"roles": ["x"]}, "z": {"roles": ["y", "z"]}}),
    );
    let role = |path: &str, name: &str| Role { path: path.to_owned(), name: name.to_owned() };
    assert_eq!(
        validate_claims(&claims).unwrap().roles(),
        [
            role("/realm_access/roles", "user"),
            role("/resource_access/a~1b/roles", "x"),
            role("/resource_access/z/roles", "y"),
            role("/resource_access/z/roles", "z"),
        ]
    );
    let malformed = with(&claims, "/resource_access/z/roles", json!("y"));
    assert_eq!(
        validate_claims(&malformed),
        Err(claim("/resource_access/z/roles", ClaimProblem::Malformed))
    );
}

fn nested(depth: usize) -> Value {
    (1..depth).rev().fold(
        json!({"sub": format!("agent-{depth}")}),
        |inner, number| json!({"sub": format!("agent-{number}"), "act": inner}),
    )
}

#[test]
fn act_is_a_chain_of_at_most_ten() {
    let token = with_claim("/act", nested(10)).unwrap();
    let actor = |number: usize| Actor {
        issuer: ISSUER.to_owned(),
        subject: format!("agent-{number}"),
        client_id: None,
    };
    assert_eq!(token.actor(), Some(&actor(1)));
    assert_eq!(token.actor_history(), (2..=10).map(actor).collect::<Vec<_>>());
    assert_eq!(with_claim("/act", nested(11)), Err(claim("act", ClaimProblem::Limit)));
}

#[test]
fn every_actor_is_named_by_an_issuer_that_may() {
    let full = json!({"sub": "a", "client_id": "c", "iss": ISSUER});
    let actor = Actor {
        issuer: ISSUER.to_owned(),
        subject: "a".to_owned(),
        client_id: Some("c".to_owned()),
    };
    assert_eq!(with_claim("/act", full.clone()).unwrap().actor(), Some(&actor));
    let act = |pointer: &str, value: Value| with_claim("/act", with(&full, pointer, value));
    assert_eq!(act("/iss", json!(OTHER_ISSUER)), Err(claim("act.iss", ClaimProblem::Mismatch)));
    assert_eq!(act("/iss", json!("")), Err(claim("act.iss", ClaimProblem::Malformed)));
    assert_eq!(act("/sub", json!(1)), Err(claim("act.sub", ClaimProblem::Malformed)));
    assert_eq!(act("/client_id", json!(1)), Err(claim("act.client_id", ClaimProblem::Malformed)));
    assert_eq!(act("/act", json!("b")), Err(claim("act", ClaimProblem::Malformed)));
    assert_eq!(
        act("/act", json!({"iss": OTHER_ISSUER, "sub": "b"})),
        Err(claim("act.iss", ClaimProblem::Mismatch))
    );
    assert_eq!(
        with_claim("/act", json!({"client_id": "c"})),
        Err(claim("act.sub", ClaimProblem::Missing))
    );
    assert_eq!(with_claim("/act", Value::Null), Err(claim("act", ClaimProblem::Malformed)));
}

#[test]
fn a_listed_foreign_actor_issuer_is_accepted() {
    let trust = with(&trust(), "/contract/issuers/0/act_issuers", json!([OTHER_ISSUER]));
    let claims = with(&claims(), "/act", json!({"iss": OTHER_ISSUER, "sub": "a"}));
    let token = validate_with(&trust, &sign(&header(), &claims), &request()).unwrap();
    assert_eq!(token.actor().map(|actor| actor.issuer.as_str()), Some(OTHER_ISSUER));
}

#[test]
fn may_act_is_recorded() {
    let may_act = |issuer: &str, subject: Option<&str>, client: Option<&str>| MayAct {
        issuer: issuer.to_owned(),
        subject: subject.map(str::to_owned),
        client_id: client.map(str::to_owned),
    };
    assert_eq!(
        with_claim("/may_act", json!({"sub": "a"})).unwrap().may_act(),
        Some(&may_act(ISSUER, Some("a"), None))
    );
    assert_eq!(
        with_claim("/may_act", json!({"client_id": "c"})).unwrap().may_act(),
        Some(&may_act(ISSUER, None, Some("c")))
    );
    assert_eq!(with_claim("/may_act", json!({})), Err(claim("may_act.sub", ClaimProblem::Missing)));
    assert_eq!(
        with_claim("/may_act", json!({"sub": 1})),
        Err(claim("may_act.sub", ClaimProblem::Malformed))
    );
    assert_eq!(
        with_claim("/may_act", json!({"client_id": 1})),
        Err(claim("may_act.client_id", ClaimProblem::Malformed))
    );
    assert_eq!(
        with_claim("/may_act", json!({"sub": "a", "iss": OTHER_ISSUER})),
        Err(claim("may_act.iss", ClaimProblem::Mismatch))
    );
    assert_eq!(with_claim("/may_act", json!("a")), Err(claim("may_act", ClaimProblem::Malformed)));
}

#[test]
fn a_bound_token_needs_its_certificate() {
    let thumbprint = [3_u8; 32];
    let bound = sign(&header(), &with(&claims(), "/cnf", json!({"x5t#S256": encode(thumbprint)})));
    let presenting = |certificate_sha256| {
        validate_with(&trust(), &bound, &Request { certificate_sha256, ..request() })
    };
    let unproven = |method: &str| Err(Refusal::Binding { method: method.to_owned() });
    let token = presenting(Some(thumbprint)).unwrap();
    let confirmation = token.confirmation().unwrap();
    assert_eq!(
        (confirmation.thumbprint(), confirmation.to_base64url()),
        (&thumbprint, encode(thumbprint))
    );
    assert_eq!(presenting(None), unproven("x5t#S256"));
    assert_eq!(presenting(Some([4; 32])), unproven("x5t#S256"));
    assert_eq!(with_claim("/cnf", json!({})), unproven("without a method"));
    assert_eq!(with_claim("/cnf", json!({"jkt": "a"})), unproven("jkt"));
    assert_eq!(
        with_claim("/cnf", json!({"x5t#S256": encode(thumbprint), "jkt": "a"})),
        unproven("jkt")
    );
    assert_eq!(with_claim("/cnf", json!("a")), Err(claim("cnf", ClaimProblem::Malformed)));
    for malformed in [json!(1), json!("AA"), json!("=")] {
        assert_eq!(
            with_claim("/cnf", json!({"x5t#S256": malformed})),
            Err(claim("cnf.x5t#S256", ClaimProblem::Malformed))
        );
    }
    let unbound = validate_with(
        &trust(),
        &crate::support::token(),
        &Request { certificate_sha256: Some(thumbprint), ..request() },
    );
    unbound.unwrap();
}
