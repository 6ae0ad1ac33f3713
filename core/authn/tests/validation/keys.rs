//! Key sets: which key may verify which token, and for how long.

use mandate_authn::{
    KeySet, KeyUnfit, KeysState, LoadError, PublicKey, Refusal, Request, Validator, verify_jws,
};
use serde_json::{Value, json};

use crate::support::*;

fn trusting(keys: &[Value]) -> Value {
    with(&trust(), "/key_sets/0/keys", json!({"keys": keys}))
}

fn code(keys: &[Value], token: &str) -> Result<String, String> {
    let outcome = validate_with(&trusting(keys), token, &request());
    outcome
        .map(|token| token.subject().to_owned())
        .map_err(|refusal| refusal.code().as_str().to_owned())
}

fn without_kid() -> String {
    sign(&without(&header(), "/kid"), &claims())
}

/// A second Ed25519 key: the base point of RFC 8032, whose private key nobody here uses.
fn other(kid: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

const EC_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;

fn ec_key() -> Value {
    serde_json::from_str(EC_KEY).unwrap()
}

fn read(jwk: &Value) -> Result<PublicKey, KeyUnfit> {
    let json = mandate_authn::Json::parse(jwk.to_string().as_bytes(), 9).unwrap();
    PublicKey::from_jwk(json.as_object().unwrap())
}

#[test]
fn a_kid_names_its_key() {
    assert_eq!(code(&[other("k2"), jwk()], &token()), Ok("alice".to_owned()));
    assert_eq!(code(&[other("k2")], &token()), Err("token-key-unknown".to_owned()));
    assert_eq!(code(&[without(&jwk(), "/kid")], &token()), Err("token-key-unknown".to_owned()));
    assert_eq!(code(&[other("k1")], &token()), Err("token-signature".to_owned()));
}

#[test]
fn without_a_kid_exactly_one_key_must_fit() {
    assert_eq!(code(&[jwk()], &without_kid()), Ok("alice".to_owned()));
    assert_eq!(
        code(&[with(&ec_key(), "/kid", json!("e")), without(&jwk(), "/kid")], &without_kid()),
        Ok("alice".to_owned())
    );
    assert_eq!(code(&[jwk(), other("k2")], &without_kid()), Err("token-key-unknown".to_owned()));
    assert_eq!(
        code(&[with(&jwk(), "/use", json!("enc"))], &without_kid()),
        Err("token-key-unknown".to_owned())
    );
}

#[test]
fn a_named_key_must_fit_the_token() {
    let cases = [
        ("/use", json!("enc")),
        ("/use", json!(1)),
        ("/key_ops", json!(["sign"])),
        ("/key_ops", json!("verify")),
        ("/key_ops", json!([1, "verify"])),
        ("/alg", json!("ES256")),
        ("/kty", json!("RSA")),
        ("/kty", json!("oct")),
        ("/crv", json!("X25519")),
        ("/x", json!("AA")),
        ("/x", json!("=")),
        ("/x", json!(1)),
    ];
    for (member, value) in cases {
        assert_eq!(
            code(&[with(&jwk(), member, value.clone())], &token()),
            Err("token-key-unfit".to_owned()),
            "{member} {value}"
        );
    }
    for (member, value) in [
        ("/use", json!("sig")),
        ("/key_ops", json!(["verify"])),
        ("/key_ops", json!(["sign", "verify"])),
        ("/alg", json!("EdDSA")),
        ("/x5c", json!(["x"])),
    ] {
        assert_eq!(
            code(&[with(&jwk(), member, value)], &token()),
            Ok("alice".to_owned()),
            "{member}"
        );
    }
    assert_eq!(
        code(&[with(&ec_key(), "/kid", json!("k1"))], &token()),
        Err("token-key-unfit".to_owned())
    );
}

#[test]
fn keys_of_one_kid_are_told_apart_by_algorithm() {
    let stated = with(&jwk(), "/alg", json!("EdDSA"));
    let elliptic = with(&with(&ec_key(), "/kid", json!("k1")), "/alg", json!("ES256"));
    assert_eq!(code(&[elliptic, stated.clone()], &token()), Ok("alice".to_owned()));
    let ambiguous = validate_with(&trusting(&[stated, other("k1")]), &token(), &request());
    assert_eq!(ambiguous, Err(Refusal::KeyUnfit(KeyUnfit::Ambiguous)));
}

#[test]
fn a_set_is_a_non_empty_list_of_at_most_64_distinct_keys() {
    let path =
        |text: &str| KeySet::parse(text).map(|_| ()).map_err(|error| (error.path, error.message));
    let problem = |path: &str, message: &str| Err((path.to_owned(), message.to_owned()));
    let no_set = "not a JWK set: an array `keys` is required";
    assert_eq!(path("<html>"), problem("", "is not strict JSON"));
    assert_eq!(path("[]"), problem("keys", no_set));
    assert_eq!(path("{}"), problem("keys", no_set));
    assert_eq!(path(r#"{"keys":{}}"#), problem("keys", no_set));
    assert_eq!(path(r#"{"keys":[]}"#), problem("keys", "the set is empty"));
    assert_eq!(path(r#"{"keys":[1]}"#), problem("keys[0]", "not an object"));
    assert_eq!(path(r#"{"keys":[{"kid":1}]}"#), problem("keys[0]", "`kid` is not a string"));
    assert_eq!(path(r#"{"keys":[{"alg":1}]}"#), problem("keys[0]", "`alg` is not a string"));
    assert_eq!(
        path(r#"{"keys":[{"kid":"a"},{"kid":"b"},{"kid":"a"}]}"#),
        problem("keys[2]", "another key has the same `kid` and `alg`")
    );
    assert_eq!(
        path(r#"{"keys":[{"kid":"a","alg":"x"},{"kid":"a","alg":"x"}]}"#),
        problem("keys[1]", "another key has the same `kid` and `alg`")
    );
    assert_eq!(path(r#"{"keys":[{"kid":"a","alg":"x"},{"kid":"a"},{},{}]}"#), Ok(()));
    let many = |count: usize| {
        json!({"keys": (0..count).map(|number| json!({"kid": number.to_string()})).collect::<Vec<_>>()}).to_string()
    };
    assert_eq!(path(&many(64)), Ok(()));
    assert_eq!(path(&many(65)), problem("keys", "more than 64 keys"));
}

#[test]
fn a_fetched_set_replaces_the_one_of_its_issuer_whole() {
    let mut validator = Validator::new();
    let refused = |problem: Result<(), LoadError>| problem.unwrap_err().to_string();
    let set = trust()["key_sets"][0]["keys"].clone();
    assert_eq!(refused(validator.load_keys(ISSUER, "{}", NOW)), "no trust is loaded");
    assert_eq!(refused(validator.confirm_keys(ISSUER, NOW)), "no trust is loaded");
    let contract_alone = with(&trust(), "/key_sets", json!([]));
    validator.load_trust(&contract_alone.to_string()).unwrap();
    let reason_at = |validator: &mut Validator, now| {
        validator.validate(token().as_bytes(), &Request { now, ..request() }).reason().as_str()
    };
    assert_eq!(reason_at(&mut validator, NOW), "keys-missing");
    let unknown = "`issuer`: is not an issuer of the contract";
    assert_eq!(refused(validator.load_keys("https://else", &set.to_string(), NOW)), unknown);
    assert_eq!(refused(validator.confirm_keys("https://else", NOW)), unknown);
    let unfetched = "`issuer`: has no key set that was fetched";
    assert_eq!(refused(validator.confirm_keys(ISSUER, NOW)), unfetched);

    validator.load_keys(ISSUER, &set.to_string(), NOW - 3600).unwrap();
    assert_eq!(reason_at(&mut validator, NOW), "ok");
    // What is no set changes nothing, and keeps nothing young.
    for keys in ["<html>", "{}", r#"{"keys":[]}"#, r#"{"keys":[1]}"#] {
        assert!(refused(validator.load_keys(ISSUER, keys, NOW)).starts_with("`keys"), "{keys}");
    }
    assert_eq!(reason_at(&mut validator, NOW), "ok");
    assert_eq!(reason_at(&mut validator, NOW + 1), "keys-missing");
    // The same set, confirmed, is young again; what it has verified stays remembered.
    validator.confirm_keys(ISSUER, NOW + 1).unwrap();
    validator.allow_verifications(Some(0));
    assert_eq!(reason_at(&mut validator, NOW + 1), "ok");
    // A newer one forgets it.
    validator.load_keys(ISSUER, &set.to_string(), NOW + 1).unwrap();
    assert_eq!(reason_at(&mut validator, NOW + 1), "budget");
    validator.allow_verifications(None);
    validator.load_keys(ISSUER, r#"{"keys":[{"kid":"k9"}]}"#, NOW + 1).unwrap();
    assert_eq!(reason_at(&mut validator, NOW + 1), "token-key-unknown");
    // A set of the configuration does not age, and nobody confirms it.
    validator.load_trust(&trust().to_string()).unwrap();
    assert_eq!(refused(validator.confirm_keys(ISSUER, NOW)), unfetched);
}

#[test]
fn a_fetched_set_ages() {
    let fetched = |age: u64| with(&trust(), "/key_sets/0/fetched_at", json!(NOW - age));
    let missing = |state| Err(Refusal::KeysMissing { issuer: ISSUER.to_owned(), state });
    validate_with(&fetched(3600), &token(), &request()).unwrap();
    assert_eq!(validate_with(&fetched(3601), &token(), &request()), missing(KeysState::Stale));
    let unknown = sign(&with(&header(), "/kid", json!("k2")), &claims());
    assert_eq!(
        validate_with(&fetched(30), &unknown, &request()),
        Err(Refusal::KeyUnknown { kid: Some("k2".to_owned()) })
    );
    assert_eq!(validate_with(&fetched(31), &unknown, &request()), missing(KeysState::Behind));
    assert_eq!(
        validate_with(&trust(), &unknown, &request()),
        Err(Refusal::KeyUnknown { kid: Some("k2".to_owned()) })
    );
    // A clock behind the fetch's gives no age.
    validate_with(&fetched(0), &token(), &Request { now: NOW - 30, ..request() }).unwrap();
    let none = with(&trust(), "/key_sets", json!([]));
    let refusal = validate_with(&none, &token(), &request()).unwrap_err();
    assert_eq!(refusal, missing(KeysState::Absent).unwrap_err());
    assert_eq!(
        (refusal.refresh(), refusal.to_string()),
        (Some(ISSUER), format!("the key set of `{ISSUER}` is not loaded"))
    );
    assert_eq!(
        missing(KeysState::Stale).unwrap_err().to_string(),
        format!("the key set of `{ISSUER}` was fetched too long ago")
    );
    assert_eq!(
        missing(KeysState::Behind).unwrap_err().to_string(),
        format!("the key set of `{ISSUER}` lacks the token's key and may be behind")
    );
    assert_eq!(Refusal::Signature.refresh(), None);
}

#[test]
fn an_issuers_key_verifies_only_its_own_tokens() {
    let second = with(&issuer(), "/issuer", json!(OTHER_ISSUER));
    let trust = with(&trust(), "/contract/issuers/-", second);
    let trust = with(
        &trust,
        "/key_sets/-",
        json!({"issuer": OTHER_ISSUER, "keys": {"keys": [other("k1")]}}),
    );
    validate_with(&trust, &token(), &request()).unwrap();
    let foreign = sign(&header(), &with(&claims(), "/iss", json!(OTHER_ISSUER)));
    assert_eq!(validate_with(&trust, &foreign, &request()), Err(Refusal::Signature));
}

#[test]
fn rsa_keys_have_2048_to_8192_bits_and_an_odd_exponent() {
    let key = |bytes: usize, first: u8, last: u8, exponent: &[u8]| {
        let mut modulus = vec![0x55; bytes];
        modulus[0] = first;
        modulus[bytes - 1] = last;
        read(&json!({"kty": "RSA", "n": encode(modulus), "e": encode(exponent)})).map(|_| ())
    };
    let e = [1, 0, 1];
    assert_eq!(key(256, 0x80, 1, &e), Ok(()));
    assert_eq!(key(256, 0x80, 1, &[3]), Ok(()));
    assert_eq!(key(1024, 0x80, 1, &[1, 0, 0, 0, 1]), Ok(()));
    for (bytes, first, last, exponent) in [
        (256, 0x7f, 1, &e[..]),
        (255, 0xff, 1, &e),
        (1025, 1, 1, &e),
        (256, 0x80, 2, &e),
        (256, 0x80, 1, &[1]),
        (256, 0x80, 1, &[4]),
        (256, 0x80, 1, &[2, 0, 0, 0, 1]),
    ] {
        assert_eq!(
            key(bytes, first, last, exponent),
            Err(KeyUnfit::Size),
            "{bytes} {first} {last} {exponent:?}"
        );
    }
    for (first, exponent) in [(0, &e[..]), (0x80, &[0, 1, 0, 1]), (0x80, &[])] {
        assert_eq!(key(257, first, 1, exponent), Err(KeyUnfit::Malformed));
    }
    assert_eq!(read(&json!({"kty": "RSA", "n": "AQAB"})), Err(KeyUnfit::Malformed));
}

#[test]
fn points_lie_on_their_curve() {
    read(&ec_key()).unwrap();
    let y = ec_key()["y"].clone();
    assert_eq!(read(&with(&ec_key(), "/x", y)), Err(KeyUnfit::Point));
    assert_eq!(read(&with(&ec_key(), "/x", json!(encode([0; 33])))), Err(KeyUnfit::Malformed));
    assert_eq!(read(&with(&ec_key(), "/y", json!(encode([0; 31])))), Err(KeyUnfit::Malformed));
    assert_eq!(read(&with(&ec_key(), "/crv", json!("P-384"))), Err(KeyUnfit::Malformed));
    assert_eq!(read(&with(&ec_key(), "/crv", json!("P-521"))), Err(KeyUnfit::Type));
    let off = json!({"kty": "EC", "crv": "P-384", "x": encode([1; 48]), "y": encode([1; 48])});
    assert_eq!(read(&off), Err(KeyUnfit::Point));
    assert_eq!(read(&without(&ec_key(), "/crv")), Err(KeyUnfit::Malformed));
    assert_eq!(read(&without(&ec_key(), "/kty")), Err(KeyUnfit::Malformed));
}

#[test]
fn edwards_points_are_canonical_and_of_large_order() {
    let key = |bytes: [u8; 32]| read(&json!({"kty": "OKP", "crv": "Ed25519", "x": encode(bytes)}));
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(key(identity), Err(KeyUnfit::Point));
    assert_eq!(key([0; 32]), Err(KeyUnfit::Point));
    let mut no_point = [0; 32];
    no_point[0] = 2;
    assert_eq!(key(no_point), Err(KeyUnfit::Point));
    // y = 3 has a point, and p + 3 is a second encoding of it.
    let mut three = [0; 32];
    three[0] = 3;
    assert_eq!(key(three), Ok(PublicKey::Ed25519(three)));
    let mut second_encoding = [0xff; 32];
    second_encoding[0] = 0xf0;
    second_encoding[31] = 0x7f;
    assert_eq!(key(second_encoding), Err(KeyUnfit::Point));
}

#[test]
fn unfit_keys_say_why() {
    let refusal = |unfit| Refusal::KeyUnfit(unfit).to_string();
    assert_eq!(
        refusal(KeyUnfit::Algorithm),
        "the key may not verify: its `kty`, `crv` or `alg` does not fit the token's `alg`"
    );
    assert_eq!(
        refusal(KeyUnfit::Size),
        "the key may not verify: its RSA modulus or exponent is out of range"
    );
}

#[test]
fn the_signature_layer_takes_a_key_or_a_set() {
    let token = sign_bytes(header().to_string(), "not JSON");
    assert_eq!(verify_jws(&jwk().to_string(), token.as_bytes()), Ok(()));
    assert_eq!(
        verify_jws(&json!({"keys": [other("k2"), jwk()]}).to_string(), token.as_bytes()),
        Ok(())
    );
    assert_eq!(verify_jws(&other("k1").to_string(), token.as_bytes()), Err(Refusal::Signature));
    assert_eq!(
        verify_jws(&other("k2").to_string(), token.as_bytes()),
        Err(Refusal::KeyUnknown { kid: Some("k1".to_owned()) })
    );
    for keys in ["", "[]", "1", r#"{"kid":1}"#, r#"{"keys":[]}"#] {
        assert_eq!(
            verify_jws(keys, token.as_bytes()),
            Err(Refusal::Request { member: "keys".to_owned() }),
            "{keys}"
        );
    }
    let critical = sign(&with(&header(), "/crit", json!([])), &claims());
    assert_eq!(
        verify_jws(&jwk().to_string(), critical.as_bytes()),
        Err(Refusal::Critical { parameter: "crit" })
    );
}
