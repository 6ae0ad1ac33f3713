//! Key sets as an issuer could publish them, and strict JSON beside another reader.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use mandate_authn::{
    Algorithm, Json, JsonError, KeySet, PublicKey, RingBackend, SignatureBackend as _, verify_jws,
};
use mandate_fuzz::{TOKENS, TRUST, mutate_from};
use serde_json::Value;

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let trust: Value = serde_json::from_str(TRUST).expect("the trust is JSON");
    let sets = trust["key_sets"].as_array().expect("key sets");
    sets.iter().map(|set| set["keys"].to_string().into_bytes()).collect()
});

const DEPTH: usize = 16;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_from(&SEEDS, data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    json(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(_) = KeySet::parse(text) else { return };
    for key in keys(text) {
        prepared(&key);
    }
    for token in TOKENS.lines() {
        // Whatever the answer, a token that differs in one claim has another.
        if verify_jws(text, token.as_bytes()).is_ok() {
            assert_eq!(verify_jws(text, altered(token).as_bytes()).is_ok(), false);
        }
    }
});

/// A key that may verify is of its size, has one form, and never verifies nonsense.
fn prepared(jwk: &mandate_authn::Object) {
    let Ok(key) = PublicKey::from_jwk(jwk) else { return };
    match &key {
        PublicKey::Ed25519(_) => {}
        PublicKey::P256(point) => assert_eq!(point.len(), 65),
        PublicKey::P384(point) => assert_eq!(point.len(), 97),
        PublicKey::Rsa { modulus, exponent } => {
            assert!((256..=1024).contains(&modulus.len()) && modulus[0] != 0);
            assert!(exponent.len() <= 5 && exponent != &[1]);
        }
    }
    let verifying = RingBackend.prepare(&key).expect("a valid key is prepared");
    for algorithm in Algorithm::ALL {
        for signature in [&[][..], &[0; 64], &[0; 96], &[0; 256], &[255; 64]] {
            assert!(verifying.verify(algorithm, b"message", signature).is_err());
        }
    }
}

/// Whatever we read, others read alike; what we refuse and they read has a name.
fn json(data: &[u8]) {
    let other: Result<Value, _> = serde_json::from_slice(data);
    match Json::parse(data, DEPTH) {
        Ok(ours) => {
            assert!(other.is_ok());
            let canonical = ours.to_canonical();
            let again = Json::parse(canonical.as_bytes(), DEPTH).expect("canonical JSON is JSON");
            assert_eq!(again.to_canonical(), canonical);
            if !has_other_number(&ours) {
                assert_eq!(again, ours);
                let theirs: Value = serde_json::from_str(&canonical).expect("JSON");
                assert_eq!(other.ok(), Some(theirs));
            }
        }
        Err(JsonError::Syntax | JsonError::Utf8) => assert!(other.is_err()),
        Err(JsonError::Depth | JsonError::Duplicate) => {}
    }
}

fn has_other_number(json: &Json) -> bool {
    match json {
        Json::OtherNumber => true,
        Json::Array(elements) => elements.iter().any(has_other_number),
        Json::Object(members) => members.values().any(has_other_number),
        Json::Bool(_) | Json::Integer(_) | Json::Null | Json::String(_) => false,
    }
}

fn keys(text: &str) -> Vec<mandate_authn::Object> {
    let json = Json::parse(text.as_bytes(), DEPTH).expect("the set was parsed");
    let keys = json.as_object().and_then(|set| set.get("keys")).and_then(Json::as_array);
    let keys = keys.expect("the set has keys").iter();
    keys.map(|key| key.as_object().expect("an object").clone()).collect()
}

/// The same token with a character of its claims exchanged.
fn altered(token: &str) -> String {
    let place = token.find('.').expect("a token") + 2;
    let other = if token.as_bytes()[place] == b'J' { "I" } else { "J" };
    format!("{}{other}{}", &token[..place], &token[place + 1..])
}
