//! Token bytes through the whole of validation.
//!
//! Input that starts with `{` is a header and, after the first line feed, claims: they are encoded,
//! and tried with real signatures of other tokens (never accepted) and under a backend that takes
//! one made-up signature (so that the claims are reached). Any other input is a token as it is.

#![no_main]

use std::collections::HashSet;
use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use mandate_authn::{
    Algorithm, Json, KeyUnfit, PublicKey, RingBackend, SignatureBackend, SignatureInvalid,
    Validation, Validator, VerifyingKey, verify_jws,
};
use mandate_fuzz::{AUDIENCE, NOW, TOKENS, TRUST, mutate_from, reference};
use serde_json::Value;

static MINTED: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    TOKENS.lines().map(|token| token.rsplit_once('.').expect("a token").0).collect()
});

static SIGNATURES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    TOKENS.lines().map(|token| token.rsplit_once('.').expect("a token").1).collect()
});

static TRUST_VALUE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(TRUST).expect("the trust is JSON"));

/// Each minted token as it is, and as header and claims.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let plain = TOKENS.lines().map(|token| token.as_bytes().to_vec());
    let parts = TOKENS.lines().map(|token| {
        let mut parts = token.split('.').map(decode);
        let (header, claims) = (parts.next().expect("a header"), parts.next().expect("claims"));
        [header, b"\n".to_vec(), claims].concat()
    });
    let rich = TOKENS.lines().map(|token| {
        let mut parts = token.split('.').map(decode);
        let (header, mut claims) = (parts.next().expect("a header"), parts.next().expect("claims"));
        claims.pop();
        [header, b"\n".to_vec(), claims, OTHER_CLAIMS.to_vec()].concat()
    });
    plain.chain(parts).chain(rich).collect()
});

/// Every claim that is read and that the minted tokens do not have.
const OTHER_CLAIMS: &[u8] = br#","nbf":1,"client_id":"c","azp":"d","scope":"r w","tenant":"acme","realm_access":{"roles":["x"]},"act":{"sub":"a","client_id":"e","act":{"sub":"b"}},"may_act":{"sub":"f"}}"#;

thread_local! {
    static REAL: std::cell::RefCell<Validator> = validator(Validator::new());
    static ANY: std::cell::RefCell<Validator> =
        validator(Validator::with_backend(Box::new(MadeUp)));
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_from(&SEEDS, data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    match data.strip_prefix(b"{") {
        Some(_) => parts(data),
        None => whole(data),
    }
});

fn whole(token: &[u8]) {
    let answer = REAL.with_borrow_mut(|validator| ask(validator, token));
    if answer.outcome().is_ok() {
        assert!(is_minted(token), "accepted, and nobody signed it");
    }
    let keys = TRUST_VALUE["key_sets"][0]["keys"].to_string();
    if verify_jws(&keys, token).is_ok() {
        assert!(is_minted(token), "verified, and nobody signed it");
    }
}

fn parts(data: &[u8]) {
    let (header, claims) = match data.iter().position(|byte| *byte == b'\n') {
        Some(place) => (&data[..place], &data[place + 1..]),
        None => (data, data),
    };
    let signing_input = format!("{}.{}", encode(header), encode(claims));
    // One real signature a run, chosen by the input: all would only be slower.
    let chosen = SIGNATURES[(header.len() + claims.len()) % SIGNATURES.len()];
    whole(format!("{signing_input}.{chosen}").as_bytes());
    let token = format!("{signing_input}.{}", encode(MADE_UP));
    let answer = ANY.with_borrow_mut(|validator| ask(validator, token.as_bytes()));
    if let Ok(verified) = answer.outcome() {
        reference::check_claims(&TRUST_VALUE, header, claims);
        let json = verified.to_json();
        assert_eq!(Json::parse(json.to_canonical().as_bytes(), 32), Ok(json));
    }
}

/// Asks twice: an accepted token comes from the cache the second time.
fn ask(validator: &mut Validator, token: &[u8]) -> Validation {
    let request =
        mandate_authn::Request { audience: Some(AUDIENCE), now: NOW, certificate_sha256: None };
    let answer = validator.validate(token, &request);
    assert_eq!(validator.validate(token, &request), answer);
    assert!(!answer.detail().contains('\n'), "a detail is one line");
    answer
}

fn is_minted(token: &[u8]) -> bool {
    let text = std::str::from_utf8(token).ok();
    text.and_then(|text| text.rsplit_once('.')).is_some_and(|(input, _)| MINTED.contains(input))
}

fn validator(mut validator: Validator) -> std::cell::RefCell<Validator> {
    validator.load_trust(TRUST).expect("the trust loads");
    std::cell::RefCell::new(validator)
}

/// Keys as they are; every one of them verifies the same made-up signature.
#[derive(Debug)]
struct MadeUp;

#[derive(Debug)]
struct MadeUpKey(PublicKey);

const MADE_UP: &[u8] = b"made up";

impl SignatureBackend for MadeUp {
    fn prepare(&self, key: &PublicKey) -> Result<Box<dyn VerifyingKey>, KeyUnfit> {
        RingBackend.prepare(key)?;
        Ok(Box::new(MadeUpKey(key.clone())))
    }
}

impl VerifyingKey for MadeUpKey {
    fn verify(
        &self,
        algorithm: Algorithm,
        _: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureInvalid> {
        // The caller has chosen the key: it must be of the algorithm's kind.
        assert!(self.0.fits(algorithm));
        if signature == MADE_UP { Ok(()) } else { Err(SignatureInvalid) }
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let number = number << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = number >> (18 - 6 * place) & 63;
            text.push(char::from(ALPHABET[index as usize]));
        }
    }
    text
}

fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in text.as_bytes().chunks(4) {
        let value = |byte: &u8| ALPHABET.iter().position(|known| known == byte).expect("base64url");
        let number = chunk.iter().fold(0, |number, byte| number << 6 | value(byte));
        let number = number << (6 * (4 - chunk.len()));
        bytes.extend((0..chunk.len() - 1).map(|place| (number >> (16 - 8 * place) & 255) as u8));
    }
    bytes
}
