//! Contracts and trust documents: what loads is complete, whoever reads it.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use mandate_authn::{Contract, Trust};
use mandate_fuzz::{TRUST, mutate_from, reference};
use serde_json::{Value, json};

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let trust: Value = serde_json::from_str(TRUST).expect("the trust is JSON");
    let whole = &trust["contract"];
    // Single issuers too: a short document is mutated more thoroughly.
    let issuers = whole["issuers"].as_array().expect("issuers").iter();
    let presets = ["keycloak", "authentik"].map(|preset| {
        json!({"issuer": "https://a.example", "preset": preset, "algorithms": ["RS256"],
            "jwks_uri": "https://a.example/keys", "tenants": ["t"], "subject_claim": "/oid",
            "act_issuers": ["https://b.example"], "maximum_lifetime_seconds": 600,
            "interactive_clients": ["web"], "client_id_names_agent": true, "type_absent": true,
            "claim_tests": [{"claim": "/scope", "present": true}, {"claim": "/x", "one_of": ["a"]}]})
    });
    let alone = issuers.cloned().chain(presets).map(|issuer| {
        let mut contract = whole.clone();
        contract["issuers"] = json!([issuer]);
        contract
    });
    alone.chain([whole.clone()]).map(|contract| contract.to_string().into_bytes()).collect()
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_from(&SEEDS, data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let contract = Contract::parse(text);
    if contract.is_ok() {
        reference::check_contract(text);
    }
    // A trust document loads exactly the contracts that load alone.
    let trust = Trust::parse(&format!(r#"{{"contract":{text},"key_sets":[]}}"#));
    assert_eq!(trust.is_ok(), contract.is_ok());
    for message in [contract.err(), trust.err()].into_iter().flatten() {
        assert!(!message.to_string().contains('\n'), "an error is one line");
    }
});
