//! The JSON Schemas beside the loader: what loads fits the schema, and what the schema refuses does
//! not load.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use jsonschema::{Registry, Validator};
use mandate::conformance::FixtureSet;
use mandate_authn::{Contract, Trust};
use serde_json::{Value, json};

const CONTRACT_SCHEMA: &str = include_str!("../../../contract/schema/contract.schema.json");
const TRUST_SCHEMA: &str = include_str!("../../../contract/schema/trust.schema.json");
const EXAMPLE: &str = include_str!("../../../contract/contract.json");

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn contract_schema() -> Validator {
    jsonschema::draft202012::new(&parse(CONTRACT_SCHEMA)).unwrap()
}

fn example() -> Value {
    parse(EXAMPLE)
}

/// The example with one member set, or removed for `null`.
fn changed(pointer: &str, value: Value) -> Value {
    let mut contract = example();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = contract.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(members), Value::Null) => drop(members.remove(name)),
        (Value::Object(members), value) => drop(members.insert(name.to_owned(), value)),
        (Value::Array(items), value) => items[name.parse::<usize>().unwrap()] = value,
        (other, _) => panic!("{other} has no members"),
    }
    contract
}

/// Asserts that schema and loader agree on a contract; whether they accept it.
fn both(contract: &Value) -> bool {
    let loads = Contract::parse(&contract.to_string());
    let fits = contract_schema().is_valid(contract);
    assert_eq!(loads.is_ok(), fits, "{:?} {contract}", loads.err());
    fits
}

#[test]
fn the_example_loads_and_fits_its_schema() {
    assert!(both(&example()));
}

/// Fixtures whose contract no schema can refuse: names that must differ or be known, and claim
/// tests that an ID token passes.
const BEYOND_A_SCHEMA: [&str; 5] = [
    "load-app-issuer-unknown",
    "load-app-name-twice",
    "load-audience-twice",
    "load-issuer-twice",
    "load-jwt-with-weak-test",
];

#[test]
fn the_schema_agrees_with_the_loader_on_every_contract_of_the_fixtures() {
    let schema = contract_schema();
    let (mut accepted, mut refused, mut beyond) = (0, 0, Vec::new());
    for concrete in FixtureSet::embedded().unwrap().concrete().unwrap() {
        let Some(contract) = concrete.request.pointer("/trust/contract") else { continue };
        let loads = Contract::parse(&contract.to_string()).map(drop);
        let fits = schema.validate(contract).map_err(|problem| problem.to_string());
        match (loads, fits) {
            (Ok(()), fits) => {
                assert_eq!(fits, Ok(()), "{}", concrete.fixture.id);
                accepted += 1;
            }
            (Err(_), Err(_)) => refused += 1,
            (Err(_), Ok(())) => beyond.push(concrete.fixture.id),
        }
    }
    beyond.sort();
    assert_eq!(beyond, BEYOND_A_SCHEMA);
    assert!(accepted > 100 && refused > 20, "{accepted} accepted, {refused} refused");
}

#[test]
fn what_weakens_a_check_is_refused_by_schema_and_loader() {
    let refused = [
        ("/contract", json!("other")),
        ("/version", json!("2.0.0")),
        ("/version", json!("1.0")),
        ("/version", json!("1.00.0")),
        ("/status", json!("final")),
        ("/skew_seconds", json!(61)),
        ("/skew_seconds", json!(-1)),
        ("/issuers", json!([])),
        ("/issuers", Value::Null),
        ("/apps", json!([])),
        ("/extra", json!(1)),
        ("/issuers/0/issuer", json!("http://idp.example")),
        ("/issuers/0/issuer", json!("https://idp.example?a")),
        ("/issuers/0/issuer", json!("https://a:b:80")),
        ("/issuers/0/jwks_uri", json!("ftp://idp.example")),
        ("/issuers/0/algorithms", json!([])),
        ("/issuers/0/algorithms", Value::Null),
        ("/issuers/0/algorithms", json!(["none"])),
        ("/issuers/0/algorithms", json!(["HS256"])),
        ("/issuers/0/algorithms", json!(["RS256", "RS256"])),
        ("/issuers/0/preset", json!("other")),
        ("/issuers/0/preset", json!(["keycloak"])),
        ("/issuers/0/types", json!([])),
        ("/issuers/0/subject_claim", json!("/email")),
        ("/issuers/0/tenants", json!([])),
        ("/issuers/0/tenants", Value::Null),
        ("/issuers/0/tenants", json!([""])),
        ("/issuers/0/tenant_claim", json!("tenant")),
        ("/issuers/0/tenant_claim", json!("/a/*")),
        ("/issuers/0/role_claims", json!(["/a//b"])),
        ("/issuers/0/maximum_lifetime_seconds", json!(0)),
        ("/issuers/0/verify", json!(false)),
        ("/issuers/2/types", json!(["JWT", "at+jwt"])),
        ("/issuers/2/claim_tests", json!([{ "claim": "/a" }])),
        ("/issuers/2/claim_tests", json!([{ "claim": "/a", "equals": "b", "present": true }])),
        ("/issuers/2/claim_tests", json!([{ "claim": "/a", "one_of": [] }])),
        ("/apps/0/audience", Value::Null),
        ("/apps/0/audience", json!("")),
        ("/apps/0/audience", json!(["https://board.example"])),
        ("/apps/0/issuers", json!([])),
        ("/apps/0/routes/0/audience", Value::Null),
    ];
    for (pointer, value) in refused {
        let mut contract = changed(pointer, value);
        if pointer == "/issuers/2/types" {
            // Without tests, a type that ID tokens have as well.
            contract["issuers"][2].as_object_mut().unwrap().remove("claim_tests");
        }
        assert!(!both(&contract), "{pointer}");
    }
}

#[test]
fn what_may_be_left_out_or_changed_is_accepted_by_both() {
    for (pointer, value) in [
        ("/version", json!("1.4.12")),
        ("/status", json!("deployed")),
        ("/skew_seconds", Value::Null),
        ("/skew_seconds", json!(0)),
        ("/issuers/0/jwks_uri", Value::Null),
        ("/issuers/0/jwks_uri", json!("http://127.0.0.1:9000/jwks")),
        ("/issuers/0/types", json!(["at+jwt", "JWT"])),
        ("/issuers/0/subject_claim", json!("/uid")),
        ("/issuers/0/role_claims", json!(["/a~1b/*/c"])),
        ("/issuers/0/maximum_lifetime_seconds", Value::Null),
        ("/issuers/2/claim_tests", Value::Null),
        ("/issuers/2/claim_tests", json!([{ "claim": "/a", "one_of": ["b"] }])),
        ("/apps/0/routes", Value::Null),
        ("/apps/0/issuers", Value::Null),
    ] {
        assert!(both(&changed(pointer, value)), "{pointer}");
    }
}

/// Every URL of up to three of these parts: what has two readings is refused by both.
#[test]
fn schema_and_loader_agree_on_every_url_of_a_few_parts() {
    const PARTS: [&str; 14] =
        ["", "a", ":", "80", "[", "]", "::1", "127.0.0.1", "/", "@", "?", "\\", "%", "localhost"];
    let schema = parse(CONTRACT_SCHEMA);
    let url = jsonschema::draft202012::new(&schema["$defs"]["url"]).unwrap();
    let mut contract = example();
    let mut accepted = 0;
    for index in 0..PARTS.len().pow(3) * 2 {
        let part = |place: u32| PARTS[index / 2 / PARTS.len().pow(place) % PARTS.len()];
        let scheme = ["https://", "http://"][index % 2];
        let text = [scheme, part(0), part(1), part(2)].concat();
        contract["issuers"][0]["jwks_uri"] = json!(text);
        let loads = Contract::parse(&contract.to_string()).is_ok();
        assert_eq!(loads, url.is_valid(&json!(text)), "{text}");
        accepted += usize::from(loads);
    }
    assert!(accepted > 100, "{accepted}");
    assert!(!url.is_valid(&json!("https://a:b:80")));
}

#[test]
fn a_trust_document_fits_the_schema_and_loads() {
    let registry = Registry::new()
        .add("urn:mandate:schema:contract:1", parse(CONTRACT_SCHEMA))
        .unwrap()
        .prepare()
        .unwrap();
    let schema =
        jsonschema::options().with_registry(&registry).build(&parse(TRUST_SCHEMA)).unwrap();
    let key = mandate::mint::TestKey::derive("ed25519-schema").unwrap().jwk();
    let trust = |key_set: Value| json!({ "contract": example(), "key_sets": [key_set] });
    let issuer = "https://agents.example";
    let good = trust(json!({ "issuer": issuer, "keys": { "keys": [key] }, "fetched_at": 1 }));
    let both = |trust: &Value| (Trust::parse(&trust.to_string()).is_ok(), schema.is_valid(trust));
    assert_eq!(both(&good), (true, true));
    for key_set in [
        json!({ "issuer": issuer, "keys": { "keys": [] } }),
        json!({ "issuer": issuer, "keys": [key] }),
        json!({ "issuer": issuer }),
        json!({ "issuer": issuer, "keys": { "keys": [key] }, "fetched_at": -1 }),
        json!({ "issuer": issuer, "keys": { "keys": [key] }, "fetched": 1 }),
    ] {
        assert_eq!(both(&trust(key_set.clone())), (false, false), "{key_set}");
    }
    let mut weak = good;
    weak["contract"]["issuers"][0]["algorithms"] = json!([]);
    assert_eq!(both(&weak), (false, false));
}
