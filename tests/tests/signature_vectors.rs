//! The signature trait on Wycheproof's vectors, natively and in WebAssembly.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use mandate_authn::{Algorithm, Json, PublicKey, RingBackend, SignatureBackend as _};
use mandate_tests::signature_guest::{Answer, SignatureGuest};
use mandate_tests::suite::Suite;
use mandate_tests::{guests, hex};
use serde_json::{Value, json};

/// One row: a key, a message, a signature, and what the suite says.
#[derive(Debug)]
struct Row {
    id: u64,
    jwk: String,
    message: Vec<u8>,
    signature: Vec<u8>,
    expected: Answer,
}

/// What a file must count: rows that verify, rows that do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    valid: usize,
    invalid: usize,
}

#[test]
fn ecdsa_p256_rows_agree() {
    run("ecdsa_secp256r1_sha256_p1363_test", Algorithm::Es256, Count { valid: 173, invalid: 89 });
}

#[test]
fn ecdsa_p384_rows_agree() {
    run("ecdsa_secp384r1_sha384_p1363_test", Algorithm::Es384, Count { valid: 193, invalid: 87 });
}

#[test]
fn ed25519_rows_agree() {
    run("ed25519_test", Algorithm::EdDsa, Count { valid: 88, invalid: 63 });
}

// Each RSA file has one row that a verifier may accept, a DigestInfo without its NULL parameter
// (RFC 8017 appendix B.1): it is refused, as every form but the one that signers write. Keys with
// the exponent 3 are no weaker for verification with full padding checks, and are not refused.

#[test]
fn rsa_2048_sha256_rows_agree() {
    run("rsa_signature_2048_sha256_test", Algorithm::Rs256, Count { valid: 9, invalid: 250 });
}

#[test]
fn rsa_2048_sha384_rows_agree() {
    run("rsa_signature_2048_sha384_test", Algorithm::Rs384, Count { valid: 7, invalid: 251 });
}

#[test]
fn rsa_2048_sha512_rows_agree() {
    run("rsa_signature_2048_sha512_test", Algorithm::Rs512, Count { valid: 8, invalid: 251 });
}

fn run(file: &str, algorithm: Algorithm, expected: Count) {
    let part = format!("Wycheproof {file}");
    let Some(suite) = Suite::open("wycheproof", &part) else { return };
    let rows = rows(&suite.json(&format!("{file}.json")));
    let valid = rows.iter().filter(|row| row.expected == Answer::Valid).count();
    assert_eq!(Count { valid, invalid: rows.len() - valid }, expected);
    assert_eq!(disagreements(&rows, |row| native(row, algorithm)), Vec::<u64>::new(), "native");
    let Some(guest) = guests::read("mandate-test-signature.wasm", &format!("{part} in wasm"))
    else {
        return;
    };
    let mut guest = SignatureGuest::new(&guest);
    let in_guest =
        |row: &Row| guest.verify(&row.jwk, algorithm.as_str(), &row.message, &row.signature);
    assert_eq!(disagreements(&rows, in_guest), Vec::<u64>::new(), "in wasm");
}

fn disagreements(rows: &[Row], mut verify: impl FnMut(&Row) -> Answer) -> Vec<u64> {
    rows.iter().filter(|row| verify(row) != row.expected).map(|row| row.id).collect()
}

fn native(row: &Row, algorithm: Algorithm) -> Answer {
    let jwk = Json::parse(row.jwk.as_bytes(), 4).unwrap();
    let key = PublicKey::from_jwk(jwk.as_object().unwrap());
    let Ok(key) = key.and_then(|key| RingBackend.prepare(&key)) else { return Answer::Unfit };
    match key.verify(algorithm, &row.message, &row.signature) {
        Ok(()) => Answer::Valid,
        Err(_) => Answer::Invalid,
    }
}

fn rows(file: &Value) -> Vec<Row> {
    let mut rows = Vec::new();
    for group in file["testGroups"].as_array().unwrap() {
        let jwk = jwk(group).to_string();
        for test in group["tests"].as_array().unwrap() {
            rows.push(Row {
                id: test["tcId"].as_u64().unwrap(),
                jwk: jwk.clone(),
                message: hex::decode(test["msg"].as_str().unwrap()),
                signature: hex::decode(test["sig"].as_str().unwrap()),
                expected: match test["result"].as_str().unwrap() {
                    "valid" => Answer::Valid,
                    _ => Answer::Invalid,
                },
            });
        }
    }
    let stated = file["numberOfTests"].as_u64().unwrap();
    assert_eq!(u64::try_from(rows.len()).unwrap(), stated, "rows");
    rows
}

/// The group's JWK; some groups of elliptic keys state only the point.
fn jwk(group: &Value) -> Value {
    let stated = ["keyJwk", "publicKeyJwk"].iter().find_map(|name| group.get(name));
    if let Some(jwk) = stated {
        return jwk.clone();
    }
    let key = &group["publicKey"];
    let point = hex::decode(key["uncompressed"].as_str().unwrap());
    let (x, y) = point[1..].split_at((point.len() - 1) / 2);
    let curve = match key["curve"].as_str().unwrap() {
        "secp256r1" => "P-256",
        "secp384r1" => "P-384",
        other => panic!("curve {other}"),
    };
    let encode = |bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
}
