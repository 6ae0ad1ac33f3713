//! `mandate inspect`, end to end.

#![allow(clippy::allow_attributes, clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod cli;

use cli::{
    AUDIENCE, Folder, ISSUER, NOW, Ran, claims, claims_with, contract, has_plugin, mandate,
    mandate_with, token, token_with,
};
use serde_json::{Value, json};

const NOT_VERIFIED: &str =
    "NOT VERIFIED: a decoded view, which anybody can have written. Never decide by it.\n";

/// Inspects under the usual contract, without keys.
fn inspected(folder: &Folder, token: &str, more: &[&str]) -> Ran {
    let contract = folder.write("contract.json", contract().to_string());
    let now = NOW.to_string();
    let mut arguments = vec!["inspect", token, "--contract", &contract, "--now", &now];
    arguments.extend(more);
    mandate(&arguments)
}

fn reasons(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["reason"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn inspect_says_what_it_sees_and_what_to_change() {
    if !has_plugin("inspect") {
        return;
    }
    let folder = Folder::new("inspect");
    let stolen = token(&claims_with(&json!({ "aud": "https://vault.example", "exp": NOW - 300 })));
    let ran = inspected(&folder, &stolen, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    assert!(ran.stdout.starts_with(NOT_VERIFIED), "{}", ran.stdout);
    for line in [
        "  alg  \"EdDSA\"",
        "  exp        1767225300 = 2025-12-31T23:55:00Z (5 min ago)",
        "  iat        1767225540 = 2025-12-31T23:59:00Z (1 min ago)",
        "  act        {\"sub\":\"agent-1\"}",
        "it would be refused for `https://board.example` at 2026-01-01T00:00:00Z",
        "1. token-expired: `exp` is 1767225300, now is 1767225600",
        "2. token-audience: `aud` is not what is required",
        "     Keycloak   Client scopes > SCOPE > Mappers > Audience: Included Custom Audience = the app's audience, Add to access token on; for lightweight tokens Add to lightweight access token too",
        "  the signature: no current keys of `https://idp.example/realms/acme`; give `--keys ISSUER=FILE` or `--fetch`",
    ] {
        assert!(ran.stdout.lines().any(|shown| shown == line), "{line}\n{}", ran.stdout);
    }
}

#[test]
fn inspect() {
    if !has_plugin("inspect as JSON") {
        return;
    }
    let folder = Folder::new("inspect-json");
    let wrong = token_with(
        &json!({ "typ": "JWT" }),
        &claims_with(&json!({ "aud": [], "nbf": NOW + 600, "tenant": "globex" })),
    );
    let ran = inspected(&folder, &wrong, &["--json"]);
    let report = ran.json();
    assert_eq!(ran.code, 1);
    assert_eq!(
        reasons(&report),
        ["token-type", "token-not-yet-valid", "token-audience", "token-tenant"]
    );
    assert_eq!(report["view"], "not verified");
    assert_eq!(report["verified"], json!(false));
    assert_eq!(report["times"]["nbf"], "2026-01-01T00:10:00Z");
    assert_eq!(report["answer"]["reason"], "token-type");
    assert_eq!(report["claims"]["sub"], "alice");
    for finding in report["findings"].as_array().unwrap() {
        for place in ["contract", "keycloak", "authentik"] {
            assert!(finding["change"][place].is_string(), "{finding}");
        }
    }
}

#[test]
fn only_a_token_verified_with_the_issuers_keys_exits_with_0() {
    if !has_plugin("inspect with keys") {
        return;
    }
    let folder = Folder::new("inspect-keys");
    let good = token(&claims());
    let unkeyed = inspected(&folder, &good, &["--json"]);
    assert_eq!(unkeyed.code, 1);
    assert_eq!(reasons(&unkeyed.json()), Vec::<String>::new());
    let keys = format!("{ISSUER}={}", folder.write("jwks.json", cli::jwks().to_string()));
    let keyed = inspected(&folder, &good, &["--keys", &keys]);
    assert_eq!(keyed.code, 0);
    assert!(keyed.stdout.starts_with(NOT_VERIFIED), "{}", keyed.stdout);
    let conclusion = format!(
        "the plugin verified it with the issuer's keys: allow for `{AUDIENCE}` at 2026-01-01T00:00:00Z"
    );
    assert!(keyed.stdout.contains(&conclusion), "{}", keyed.stdout);
    let altered = token_with(&json!({ "kid": "other" }), &claims_with(&json!({ "sub": "" })));
    let altered = inspected(&folder, &altered, &["--keys", &keys, "--json"]);
    assert_eq!(altered.code, 1);
    assert_eq!(reasons(&altered.json()), ["token-key-unknown", "token-subject"]);
}

#[test]
fn without_a_contract_it_says_what_can_be_known() {
    if !has_plugin("inspect without a contract") {
        return;
    }
    let bare = |token: &str| {
        let now = NOW.to_string();
        let ran = mandate(&["inspect", token, "--now", &now, "--json"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        ran.json()
    };
    let keycloak = token_with(&json!({ "typ": "JWT" }), &claims_with(&json!({ "typ": "Bearer" })));
    let report = bare(&keycloak);
    assert_eq!(reasons(&report), Vec::<String>::new());
    assert_eq!(
        report["notes"],
        json!([
            "`typ` is `JWT`, not `at+jwt`: a contract needs `types` and `claim_tests` that refuse ID tokens; it looks like Keycloak's: `\"preset\": \"keycloak\"`"
        ])
    );
    let incomplete = claims_with(&json!({ "exp": null }));
    assert_eq!(reasons(&bare(&token(&incomplete))), ["token-claim"]);
    let old = claims_with(&json!({ "exp": NOW - 600, "aud": null }));
    assert_eq!(reasons(&bare(&token(&old))), ["token-expired", "token-audience"]);
    let hmac = token_with(&json!({ "alg": "HS256" }), &claims());
    assert_eq!(reasons(&bare(&hmac)), ["token-algorithm"]);
    let nobody = claims_with(&json!({ "iss": "idp.example" }));
    assert_eq!(reasons(&bare(&token(&nobody))), ["token-issuer"]);
    let id_token = json!({ "iss": ISSUER, "sub": "a", "aud": "b", "exp": NOW + 60, "nonce": "c" });
    assert_eq!(reasons(&bare(&token_with(&json!({ "typ": "JWT" }), &id_token))), ["token-type"]);
}

#[test]
fn what_is_no_token_is_said_to_be_none() {
    let ran = mandate(&["inspect", "a.b", "--json"]);
    assert_eq!(ran.code, 1);
    assert_eq!(reasons(&ran.json()), ["token-malformed"]);
    let piped = mandate_with(&["inspect", "-"], b"hello\n");
    assert_eq!(piped.code, 1);
    assert!(piped.stdout.contains("1. token-malformed: not three parts"), "{}", piped.stdout);
    assert_eq!(
        mandate(&["inspect", "a.b", "--fetch"]).one_line(),
        "the following required arguments were not provided: --contract <FILE>; see `--help`"
    );
}

#[test]
fn claims_cannot_move_the_cursor() {
    if !has_plugin("inspect hostile text") {
        return;
    }
    let folder = Folder::new("inspect-hostile");
    let hostile = token(&claims_with(&json!({ "sub": "a\u{1b}[2J\u{202e}b" })));
    let ran = inspected(&folder, &hostile, &[]);
    assert!(!ran.stdout.contains(['\u{1b}', '\u{202e}']), "{}", ran.stdout);
}
