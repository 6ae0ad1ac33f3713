//! Framing and header: what a token must be before any key is looked at, and in which order.

use mandate_authn::{Algorithm, JsonError, Malformation, Part, Refusal, Request, UnverifiedToken};
use serde_json::{Value, json};

use crate::support::*;

fn malformed(malformation: Malformation) -> Refusal {
    Refusal::Malformed(malformation)
}

fn with_header(pointer: &str, value: Value) -> Result<String, Refusal> {
    validate(&sign(&with(&header(), pointer, value), &claims()))
        .map(|token| token.subject().to_owned())
}

#[test]
fn a_token_has_three_parts() {
    let token = token();
    let (two, _) = token.rsplit_once('.').unwrap();
    for parts in [
        two,
        &format!("{token}.a"),
        &format!("{token}.a.b"),
        "a",
        ".",
        "....",
        r#"{"payload":"a"}"#,
    ] {
        assert_eq!(validate(parts), Err(malformed(Malformation::Parts)), "{parts}");
    }
    assert_eq!(validate(""), Err(Refusal::TokenMissing));
}

#[test]
fn a_token_is_at_most_16_kib() {
    let claims = |padding: usize| with(&claims(), "/padding", json!("x".repeat(padding)));
    let shortest = sign(&header(), &claims(0)).len();
    let lengths: Vec<_> =
        (0..4).map(|more| sign(&header(), &claims((16_384 - shortest) * 3 / 4 + more))).collect();
    let longest = lengths
        .iter()
        .filter(|token| token.len() <= 16_384)
        .max_by_key(|token| token.len())
        .unwrap();
    assert!(longest.len() >= 16_382);
    validate(longest).unwrap();
    let too_long = format!("{longest}{}", "A".repeat(16_385 - longest.len()));
    assert_eq!(validate(&too_long), Err(Refusal::TooLarge { bytes: 16_385 }));
    // A token of the very limit is measured, decoded, and fails for what it is.
    assert_eq!(validate(&"A".repeat(16_384)), Err(malformed(Malformation::Parts)));
}

#[test]
fn every_part_is_strict_base64url() {
    let token = token();
    let parts: Vec<&str> = token.split('.').collect();
    for (position, part) in [Part::Header, Part::Payload, Part::Signature].into_iter().enumerate() {
        for change in [
            format!("{}=", parts[position]),
            format!("{} ", parts[position]),
            format!("{}+", parts[position]),
        ] {
            let mut changed = parts.clone();
            changed[position] = &change;
            assert_eq!(
                validate(&changed.join(".")),
                Err(malformed(Malformation::Base64(part))),
                "{change}"
            );
        }
    }
}

#[test]
fn header_and_payload_are_strict_json_objects() {
    let cases = [
        ("\u{feff}{}", JsonError::Syntax),
        (r#"{"a":1,"a":2}"#, JsonError::Duplicate),
        (r#"{"a":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"#, JsonError::Depth),
    ];
    for (text, error) in cases {
        assert_eq!(
            validate(&sign_bytes(text, claims().to_string())),
            Err(malformed(Malformation::Json(Part::Header, error))),
            "{text}"
        );
        assert_eq!(
            validate(&sign_bytes(header().to_string(), text)),
            Err(malformed(Malformation::Json(Part::Payload, error))),
            "{text}"
        );
    }
    assert_eq!(
        validate(&sign_bytes(header().to_string(), b"\"\xff\"")),
        Err(malformed(Malformation::Json(Part::Payload, JsonError::Utf8)))
    );
    assert_eq!(
        validate(&sign_bytes("[]", claims().to_string())),
        Err(malformed(Malformation::NotObject(Part::Header)))
    );
    assert_eq!(
        validate(&sign_bytes(header().to_string(), "7")),
        Err(malformed(Malformation::NotObject(Part::Payload)))
    );
    let deepest = with(
        &claims(),
        "/deep",
        serde_json::from_str(&format!("{}1{}", "[".repeat(15), "]".repeat(15))).unwrap(),
    );
    validate_claims(&deepest).unwrap();
}

#[test]
fn the_issuer_is_exactly_a_configured_one() {
    for iss in [
        "https://idp.example/",
        "https://IDP.example",
        "https://idp.example.evil.example",
        "",
        OTHER_ISSUER,
    ] {
        assert_eq!(
            with_claim("/iss", json!(iss)),
            Err(Refusal::Issuer { issuer: Some(iss.to_owned()) })
        );
    }
    for iss in [json!([ISSUER]), json!(1), Value::Null] {
        assert_eq!(with_claim("/iss", iss), Err(Refusal::Issuer { issuer: None }));
    }
    assert_eq!(validate_claims(&without(&claims(), "/iss")), Err(Refusal::Issuer { issuer: None }));
}

#[test]
fn the_algorithm_is_one_of_the_issuers() {
    assert_eq!(
        with_header("/alg", json!("RS256")),
        Err(Refusal::AlgorithmNotAllowed { algorithm: Algorithm::Rs256 })
    );
    for alg in ["none", "None", "NONE", "HS256", "eddsa", "ES512", ""] {
        assert_eq!(
            with_header("/alg", json!(alg)),
            Err(Refusal::AlgorithmUnsupported { algorithm: Some(alg.to_owned()) })
        );
    }
    for alg in [json!(["EdDSA"]), Value::Null] {
        assert_eq!(
            with_header("/alg", alg),
            Err(Refusal::AlgorithmUnsupported { algorithm: None })
        );
    }
    assert_eq!(
        validate(&sign(&without(&header(), "/alg"), &claims())),
        Err(Refusal::AlgorithmUnsupported { algorithm: None })
    );
}

#[test]
fn extensions_are_refused() {
    for crit in [json!(["exp"]), json!([]), Value::Null] {
        assert_eq!(with_header("/crit", crit), Err(Refusal::Critical { parameter: "crit" }));
    }
    for b64 in [json!(false), json!(true)] {
        assert_eq!(with_header("/b64", b64), Err(Refusal::Critical { parameter: "b64" }));
    }
}

#[test]
fn the_type_is_exactly_one_of_the_issuers() {
    with_header("/typ", json!("application/at+jwt")).unwrap();
    for typ in ["JWT", "at+JWT", "AT+JWT", "", "agent-context+jwt"] {
        assert_eq!(
            with_header("/typ", json!(typ)),
            Err(Refusal::Type { typ: Some(typ.to_owned()) })
        );
    }
    assert_eq!(with_header("/typ", json!(["at+jwt"])), Err(Refusal::Type { typ: None }));
    let untyped = sign(&without(&header(), "/typ"), &claims());
    assert_eq!(validate(&untyped), Err(Refusal::Type { typ: None }));
    let accepting = with(&trust(), "/contract/issuers/0/type_absent", json!(true));
    let accepting = with(
        &accepting,
        "/contract/issuers/0/claim_tests",
        json!([{"claim": "/scope", "present": true}]),
    );
    validate_with(&accepting, &untyped, &request()).unwrap();
    validate_with(&accepting, &token(), &request()).unwrap();
}

#[test]
fn keys_in_the_header_are_never_read() {
    let mut header = header();
    for name in ["jku", "x5u", "jwk", "x5c", "x5t"] {
        header = with(&header, &format!("/{name}"), json!("https://evil.example/keys"));
    }
    validate(&sign(&header, &claims())).unwrap();
}

/// Each token fails in two ways; the earlier check of the contract's order names the reason.
#[test]
fn the_first_failing_check_names_the_reason() {
    let expired = |header: &Value| sign(header, &with(&claims(), "/exp", json!(1)));
    let foreign = with(&claims(), "/iss", json!("x"));
    assert_eq!(
        validate(&sign(&with(&header(), "/alg", json!("none")), &foreign))
            .unwrap_err()
            .code()
            .as_str(),
        "token-issuer"
    );
    let bad = with(&with(&header(), "/alg", json!("none")), "/crit", json!([]));
    assert_eq!(validate(&sign(&bad, &claims())).unwrap_err().code().as_str(), "token-algorithm");
    let bad = with(&with(&header(), "/typ", json!("x")), "/crit", json!([]));
    assert_eq!(validate(&sign(&bad, &claims())).unwrap_err().code().as_str(), "token-critical");
    let bad = with(&with(&header(), "/typ", json!("x")), "/kid", json!("k2"));
    assert_eq!(validate(&sign(&bad, &claims())).unwrap_err().code().as_str(), "token-type");
    let unknown = with(&header(), "/kid", json!("k2"));
    assert_eq!(
        validate(&resigned(&expired(&unknown))).unwrap_err().code().as_str(),
        "token-key-unknown"
    );
    assert_eq!(validate(&resigned(&expired(&header()))), Err(Refusal::Signature));
    let both = with(&with(&claims(), "/exp", json!(1)), "/aud", json!("x"));
    assert_eq!(validate_claims(&both).unwrap_err().code().as_str(), "token-expired");
    let both = with(&with(&claims(), "/sub", json!("")), "/aud", json!("x"));
    assert_eq!(validate_claims(&both).unwrap_err().code().as_str(), "token-audience");
    let both = with(&with(&claims(), "/sub", json!("")), "/tenant", json!("x"));
    assert_eq!(validate_claims(&both).unwrap_err().code().as_str(), "token-subject");
}

#[test]
fn no_changed_byte_of_a_token_passes() {
    let token = token();
    for position in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        validate(&changed).expect_err("{position}");
    }
}

#[test]
fn without_trust_nothing_is_valid() {
    let mut validator = mandate_authn::Validator::default();
    let validation = validator.validate(token().as_bytes(), &request());
    assert_eq!(validation.outcome(), Err(&Refusal::TrustMissing));
    assert_eq!(validation.reason().as_str(), "keys-missing");
}

#[test]
fn the_audience_of_the_request_is_one_of_the_contract() {
    let asking = |audience| validate_with(&trust(), &token(), &Request { audience, ..request() });
    asking(None).unwrap();
    assert_eq!(asking(Some("x")), Err(Refusal::PolicyMissing { audience: Some("x".to_owned()) }));
    let two =
        with(&trust(), "/contract/apps/-", json!({"name": "vault", "audience": OTHER_AUDIENCE}));
    assert_eq!(
        validate_with(&two, &token(), &Request { audience: None, ..request() }),
        Err(Refusal::PolicyMissing { audience: None })
    );
    validate_with(&two, &token(), &request()).unwrap();
    let other = Request { audience: Some(OTHER_AUDIENCE), ..request() };
    assert_eq!(
        validate_with(&two, &token(), &other).unwrap_err().code().as_str(),
        "token-audience"
    );
}

#[test]
fn an_unverified_look_decodes_and_decides_nothing() {
    let broken = resigned(&token());
    let decoded = UnverifiedToken::decode(broken.as_bytes()).unwrap();
    assert_eq!(decoded.text("sub"), Some("alice"));
    assert_eq!(decoded.text("exp"), None);
    assert_eq!(decoded.header().get("alg").and_then(mandate_authn::Json::as_str), Some("EdDSA"));
    assert_eq!(decoded.payload().len(), 9);
    assert_eq!(UnverifiedToken::decode(b"a.b"), Err(malformed(Malformation::Parts)));
    assert_eq!(
        UnverifiedToken::decode(b"a.b.c"),
        Err(malformed(Malformation::Base64(Part::Header)))
    );
}

#[test]
fn refusals_name_what_an_operator_needs_in_one_line() {
    let shown = |refusal: Result<_, Refusal>| {
        refusal.map(|_: mandate_authn::VerifiedToken| ()).unwrap_err().to_string()
    };
    assert_eq!(shown(with_claim("/iss", json!("a\nb"))), "`iss` is `a\\nb`");
    assert_eq!(shown(with_claim("/exp", json!(1))), "`exp` is 1, now is 1767225600");
    assert_eq!(shown(with_claim("/aud", json!("x"))), "`aud` is not what is required");
    assert_eq!(shown(with_claim("/sub", json!(""))), "the subject is malformed");
    assert_eq!(shown(with_claim("/tenant", json!("x"))), "`x` is not in this issuer's `tenants`");
    assert_eq!(
        shown(with_claim("/cnf", json!({"jkt": "a"}))),
        "`cnf` `jkt` was not verified on this request"
    );
    assert_eq!(
        shown(with_claim("/nbf", json!(NOW + 100))),
        "`nbf` is 1767225700, now is 1767225600"
    );
    assert_eq!(shown(with_claim("/act", nested_too_deep())), "`act` is above its limit");
    assert_eq!(shown(validate("a.b")), "not three parts");
    assert_eq!(shown(validate("a.b.c")), "the header is not strict base64url");
    assert_eq!(shown(validate("")), "no token came");
    assert_eq!(shown(validate(&"a".repeat(20_000))), "20000 bytes, above the limit of 16384");
    let header_error =
        |pointer: &str, value: Value| with_header(pointer, value).unwrap_err().to_string();
    assert_eq!(header_error("/alg", json!("none")), "`alg` is `none`");
    assert_eq!(header_error("/alg", json!(1)), "`alg` is missing or no string");
    assert_eq!(
        header_error("/alg", json!("RS256")),
        "`alg` RS256 is not in this issuer's `algorithms`"
    );
    assert_eq!(header_error("/crit", json!([])), "the header has `crit`");
    assert_eq!(header_error("/typ", json!("JWT")), "`typ` is `JWT`");
    assert_eq!(header_error("/kid", json!("k2")), "no key has `kid` `k2`");
    assert_eq!(header_error("/kid", json!(2)), "the header's `kid` is not a string");
    assert_eq!(shown(validate(&sign_bytes("[]", "{}"))), "the header is not a JSON object");
    assert_eq!(
        shown(validate(&sign_bytes("{}", "{\"a\":1,\"a\":1}"))),
        "the payload has a duplicate member"
    );
    assert_eq!(shown(validate(&sign_bytes("{}", "{"))), "the payload is not strict JSON");
    assert_eq!(shown(validate(&sign_bytes("{}", [0xff]))), "the payload is not UTF-8");
    assert_eq!(
        Refusal::KeyUnknown { kid: None }.to_string(),
        "no `kid`, and not exactly one key fits"
    );
    assert_eq!(Refusal::Signature.to_string(), "the signature does not verify");
    assert_eq!(Refusal::TrustMissing.to_string(), "no trust is loaded");
    assert_eq!(
        Refusal::PolicyMissing { audience: None }.to_string(),
        "the contract does not list the audience: missing or no string"
    );
}

fn nested_too_deep() -> Value {
    (0..10).fold(json!({"sub": "a"}), |inner, _| json!({"sub": "a", "act": inner}))
}
