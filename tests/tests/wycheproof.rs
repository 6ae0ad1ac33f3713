//! Wycheproof's `json_web_signature` on `verify_jws`, by every door.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use mandate_tests::exceptions::Exceptions;
use mandate_tests::jws_runners::{JwsAnswer, WasmDoors, native};
use mandate_tests::suite::Suite;
use serde_json::Value;

const EXCEPTIONS: &str = include_str!("../../contract/exceptions/wycheproof.json");

/// One row: a key, a token, and what the suite says.
#[derive(Debug)]
struct Row {
    id: String,
    /// The group's public key; of HMAC groups the shared one.
    jwk: String,
    symmetric: bool,
    token: String,
    expected: &'static str,
}

#[test]
fn of_361_asymmetric_rows_357_agree_and_the_others_are_listed() {
    let Some(rows) = rows("Wycheproof json_web_signature, asymmetric rows") else { return };
    let rows: Vec<Row> = rows.into_iter().filter(|row| !row.symmetric).collect();
    assert_eq!(rows.len(), 361);
    let exceptions = Exceptions::parse(EXCEPTIONS);
    let answers: Vec<&str> =
        rows.iter().map(|row| verdict(&native(&row.jwk, &row.token))).collect();
    let compared = rows.iter().zip(&answers);
    let problems = exceptions
        .problems(compared.clone().map(|(row, answer)| (&*row.id, row.expected, *answer)));
    assert_eq!(problems, Vec::<String>::new());
    let agree = compared.filter(|(row, answer)| row.expected == **answer).count();
    assert_eq!((agree, exceptions.count()), (357, 4));
}

#[test]
fn all_40_hmac_rows_are_refused_by_policy() {
    let Some(rows) = rows("Wycheproof json_web_signature, HMAC rows") else { return };
    let rows: Vec<Row> = rows.into_iter().filter(|row| row.symmetric).collect();
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for row in &rows {
        let answer = native(&row.jwk, &row.token);
        assert!(!answer.valid, "row {}", row.id);
        *counts.entry((row.expected, answer.reason)).or_default() += 1;
    }
    let counts: Vec<(&str, &str, usize)> =
        counts.iter().map(|((expected, reason), count)| (*expected, &**reason, *count)).collect();
    // The two malformed ones that the suite calls valid have a `?` inside their base64url text.
    assert_eq!(
        counts,
        [
            ("invalid", "token-algorithm", 8),
            ("invalid", "token-malformed", 21),
            ("invalid", "token-missing", 1),
            ("valid", "token-algorithm", 8),
            ("valid", "token-malformed", 2),
        ]
    );
}

#[test]
fn component_and_module_answer_every_row_as_native() {
    let part = "Wycheproof json_web_signature in wasm";
    let Some(rows) = rows(part) else { return };
    let Some(mut doors) = WasmDoors::open(part) else { return };
    for row in &rows {
        doors.assert_same(&row.id, &row.jwk, &row.token, &native(&row.jwk, &row.token));
    }
    assert_eq!(rows.len(), 401);
}

fn verdict(answer: &JwsAnswer) -> &'static str {
    if answer.valid { "valid" } else { "invalid" }
}

fn rows(part: &str) -> Option<Vec<Row>> {
    let file = Suite::open("wycheproof", part)?.json("json_web_signature_test.json");
    let mut rows = Vec::new();
    for group in file["testGroups"].as_array().unwrap() {
        let (jwk, symmetric) = match group.get("public") {
            Some(public) => (public, false),
            None => (&group["private"], true),
        };
        assert_eq!(jwk["kty"] == "oct", symmetric);
        for test in group["tests"].as_array().unwrap() {
            rows.push(Row {
                id: test["tcId"].to_string(),
                jwk: jwk.to_string(),
                symmetric,
                token: test["jws"].as_str().unwrap().to_owned(),
                expected: expected(&test["result"]),
            });
        }
    }
    Some(rows)
}

fn expected(result: &Value) -> &'static str {
    match result.as_str().unwrap() {
        "valid" => "valid",
        "invalid" => "invalid",
        other => panic!("result {other}"),
    }
}
