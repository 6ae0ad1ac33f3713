//! The JOSE cookbook (RFC 7520, RFC 7797, RFC 8037): three examples agree, every other is refused
//! for the reason that is listed here.

#![expect(clippy::indexing_slicing, reason = "tests")]

use mandate_tests::jws_runners::{WasmDoors, native};
use mandate_tests::suite::Suite;
use serde_json::Value;

/// Every file: the answer to its compact form, if it has one, and why that is right.
const FILES: [(&str, Option<&str>, &str); 12] = [
    ("curve25519/ecdh-es.json", Some("token-malformed"), "a JWE has five parts"),
    ("curve25519/jws.json", Some("ok"), "EdDSA with Ed25519"),
    ("jws/4_1.rsa_v15_signature.json", Some("ok"), "RS256"),
    ("jws/4_2.rsa-pss_signature.json", Some("ok"), "PS384"),
    ("jws/4_3.ecdsa_signature.json", Some("token-algorithm"), "ES512 is not offered"),
    ("jws/4_4.hmac-sha2_integrity_protection.json", Some("token-algorithm"), SHARED_KEY),
    ("jws/4_5.signature_with_detached_content.json", Some("token-algorithm"), SHARED_KEY),
    ("jws/4_6.protecting_specific_header_fields.json", None, JSON_ONLY),
    ("jws/4_7.protecting_content_only.json", None, JSON_ONLY),
    ("jws/4_8.multiple_signatures.json", None, JSON_ONLY),
    ("rfc7797/4.2.hmac-sha2_b64_false.json", None, JSON_ONLY),
    ("rfc7797/hmac-sha2_b64_false.json", Some("token-malformed"), "the payload is not base64url"),
];

const SHARED_KEY: &str = "HS256: a shared key verifies nothing here (RFC 8725 section 3.1)";

/// RFC 7519 section 3: a JWT is compact. So is every example's JSON form refused.
const JSON_ONLY: &str = "only JSON serialisations, and a JWT is compact (RFC 7519 section 3)";

#[test]
fn three_examples_agree_and_every_other_is_refused_as_listed() {
    let Some(suite) = Suite::open("jose-cookbook", "the JOSE cookbook") else { return };
    assert_eq!(suite.files(), FILES.map(|(file, _, _)| file), "files of the folder");
    for (file, expected, why) in FILES {
        let example = suite.json(file);
        let keys = keys(&example);
        let compact = example["output"].get("compact").map(|token| token.as_str().unwrap());
        let answer = compact.map(|token| native(&keys, token).reason);
        assert_eq!(answer.as_deref(), expected, "{file}: {why}");
        for form in json_forms(&example) {
            assert_eq!(native(&keys, &form).reason, "token-malformed", "{file}: {JSON_ONLY}");
        }
    }
    let agree = FILES.iter().filter(|(_, answer, _)| *answer == Some("ok")).count();
    assert_eq!((agree, FILES.len() - agree), (3, 9));
}

#[test]
fn an_example_with_another_payload_is_refused() {
    let part = "the JOSE cookbook, payloads exchanged";
    let Some(suite) = Suite::open("jose-cookbook", part) else { return };
    for (file, _, _) in FILES.into_iter().filter(|(_, answer, _)| *answer == Some("ok")) {
        let example = suite.json(file);
        let token = example["output"]["compact"].as_str().unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let changed = format!("{}.e30.{}", parts[0], parts[2]);
        assert_eq!(native(&keys(&example), &changed).reason, "token-signature", "{file}");
    }
}

#[test]
fn component_and_module_answer_every_example_as_native() {
    let part = "the JOSE cookbook in wasm";
    let Some(suite) = Suite::open("jose-cookbook", part) else { return };
    let Some(mut doors) = WasmDoors::open(part) else { return };
    for (file, _, _) in FILES {
        let example = suite.json(file);
        let keys = keys(&example);
        let compact =
            example["output"].get("compact").map(|token| token.as_str().unwrap().to_owned());
        for token in compact.into_iter().chain(json_forms(&example)) {
            doors.assert_same(file, &keys, &token, &native(&keys, &token));
        }
    }
}

/// The example's key; of several the first, for they share a `kid` and are no key set.
fn keys(example: &Value) -> String {
    let key = &example["input"]["key"];
    key.get(0).unwrap_or(key).to_string()
}

fn json_forms(example: &Value) -> Vec<String> {
    let forms = ["json", "json_flat"];
    forms.iter().filter_map(|form| example["output"].get(form)).map(Value::to_string).collect()
}
