//! A second, naive reader: what an accepted document must look like to somebody who read it without
//! our code.

use serde_json::Value;

use crate::{AUDIENCE, NOW};

/// The contract's skew.
const SKEW: u64 = 30;

/// Checks the claims of an accepted token against the rules, one by one.
pub fn check_claims(trust: &Value, header: &[u8], claims: &[u8]) {
    let header: Value = serde_json::from_slice(header).expect("the header is JSON");
    let claims: Value = serde_json::from_slice(claims).expect("the claims are JSON");
    let issuers = trust["contract"]["issuers"].as_array().expect("issuers");
    let issuer = issuers.iter().find(|issuer| issuer["issuer"] == claims["iss"]);
    let issuer = issuer.expect("a configured issuer");
    assert!(issuer["algorithms"].as_array().expect("a list").contains(&header["alg"]));
    assert!(header.get("crit").is_none() && header.get("b64").is_none());
    let types = ["at+jwt", "application/at+jwt"];
    match issuer.get("types") {
        Some(types) => assert!(types.as_array().expect("a list").contains(&header["typ"])),
        None => assert!(types.contains(&header["typ"].as_str().expect("a typ"))),
    }
    assert!(claims["exp"].as_u64().expect("an integer") + SKEW > NOW);
    for name in ["nbf", "iat"] {
        if let Some(value) = claims.get(name) {
            assert!(value.as_u64().expect("an integer") <= NOW + SKEW);
        }
    }
    match &claims["aud"] {
        Value::Array(all) => assert!(all.iter().any(|one| one == AUDIENCE)),
        one => assert_eq!(one, AUDIENCE),
    }
    assert!(!claims["sub"].as_str().expect("a string").is_empty());
    for test in issuer.get("claim_tests").and_then(Value::as_array).into_iter().flatten() {
        let found = claims.pointer(test["claim"].as_str().expect("a pointer"));
        assert_eq!(found, test.get("equals"));
    }
    if let Some(tenant) = claims.get("tenant") {
        assert!(issuer["tenants"].as_array().expect("a list").contains(tenant));
    }
    assert!(claims.get("cnf").is_none(), "nothing proved a confirmation");
    check_actors(&claims, issuer, 0);
}

fn check_actors(holder: &Value, issuer: &Value, depth: usize) {
    let Some(act) = holder.get("act") else { return };
    assert!(depth < 10, "too many actors");
    assert!(!act["sub"].as_str().expect("a string").is_empty());
    if let Some(stated) = act.get("iss") {
        assert_eq!(stated, &issuer["issuer"]);
    }
    check_actors(act, issuer, depth + 1);
}

/// Checks a contract that loads: nothing that decides may be missing from it.
pub fn check_contract(text: &str) {
    let contract: Value = serde_json::from_str(text).expect("JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let issuers = list(&contract["issuers"]);
    let apps = list(&contract["apps"]);
    assert!(!issuers.is_empty() && !apps.is_empty());
    assert!(contract.get("skew_seconds").is_none_or(|skew| skew.as_u64() <= Some(60)));
    for issuer in &issuers {
        let name = issuer["issuer"].as_str().expect("a string");
        assert!(name.starts_with("https://") || name.starts_with("http://"));
        let algorithms = list(&issuer["algorithms"]);
        assert!(!algorithms.is_empty() && !list(&issuer["tenants"]).is_empty());
        for algorithm in algorithms {
            let algorithm = algorithm.as_str().expect("a string").to_owned();
            assert!(!algorithm.starts_with("HS") && !algorithm.eq_ignore_ascii_case("none"));
        }
        let telling = ["at+jwt", "application/at+jwt"];
        let types = issuer.get("types").map(list);
        let told = types.is_none_or(|types| {
            types.iter().all(|typ| telling.contains(&typ.as_str().expect("a string")))
        });
        let absent = issuer.get("type_absent") == Some(&Value::Bool(true));
        let tested = issuer.get("preset").is_some() || !list(&issuer["claim_tests"]).is_empty();
        assert!((told && !absent) || tested, "ID tokens would pass");
    }
    let mut audiences = Vec::new();
    for app in &apps {
        audiences.push(app["audience"].clone());
        audiences.extend(list(&app["routes"]).iter().map(|route| route["audience"].clone()));
    }
    for (place, audience) in audiences.iter().enumerate() {
        assert!(!audience.as_str().expect("a string").is_empty());
        assert!(!audiences[..place].contains(audience), "one audience, two routes");
    }
}
