//! The JSON Schema of the Envoy filter's configuration beside the filter's own parser: one table of
//! documents, and both say the same of each.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::LazyLock;

use jsonschema::{Registry, Validator};
use mandate::envoy::check_configuration;
use serde_json::{Value, json};

const CONTRACT_SCHEMA: &str = include_str!("../../../contract/schema/contract.schema.json");
const ENVOY_SCHEMA: &str = include_str!("../../../contract/schema/envoy.schema.json");
const TRUST_SCHEMA: &str = include_str!("../../../contract/schema/trust.schema.json");
const EXAMPLE: &str = include_str!("../../../contract/contract.json");

/// RFC 8037, appendix A.2 and A.3: a key and its thumbprint.
const KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
/// RFC 8410, section 10.3: another.
const OTHER_KEY: &str = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE";

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let registry = Registry::new()
        .add("urn:mandate:schema:contract:1", parse(CONTRACT_SCHEMA))
        .unwrap()
        .add("urn:mandate:schema:trust:1", parse(TRUST_SCHEMA))
        .unwrap()
        .prepare()
        .unwrap();
    jsonschema::options().with_registry(&registry).build(&parse(ENVOY_SCHEMA)).unwrap()
});

fn filter() -> Value {
    let contract: Value = serde_json::from_str(EXAMPLE).unwrap();
    json!({
        "emitter": "edge-1",
        "trust": {"contract": contract, "key_sets": []},
        "state": {"deployment": "family", "slice": "all", "keys": [key()]},
    })
}

fn sync() -> Value {
    json!({
        "role": "sync", "emitter": "edge-1-sync", "feed": feed(),
        "state": {"deployment": "family", "slice": "all", "keys": [key()]},
    })
}

fn key() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": KEY})
}

/// The first issuer of the example.
fn key_set() -> Value {
    json!({
        "issuer": "https://id.example/application/o/family/", "cluster": "keys",
        "authority": "id.example", "path": "/application/o/family/jwks/?a=b",
    })
}

/// A document with these key sets and a feed.
fn fetching(document: Value, key_sets: Value) -> Value {
    changed(document, &[("/feed", feed()), ("/key_sets", key_sets)])
}

fn feed() -> Value {
    json!({"cluster": "feed", "authority": "feed.example"})
}

/// A document with members set, by pointers, or removed for `null`.
fn changed(mut document: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let Some(members) = document.pointer_mut(parent).and_then(Value::as_object_mut) else {
            panic!("{parent} has no members");
        };
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.to_owned(), value.clone());
        }
    }
    document
}

/// What both say of a document.
fn both(document: &Value) -> bool {
    let loads = check_configuration(&document.to_string());
    let fits = SCHEMA.validate(document).map_err(|problem| problem.to_string());
    assert_eq!(loads.is_ok(), fits.is_ok(), "parser: {loads:?}, schema: {fits:?}\n{document:#}");
    loads.is_ok()
}

#[test]
fn what_both_accept() {
    let secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let key_with =
        |member: &str, value: Value| json!([changed(key(), &[(&format!("/{member}"), value)])]);
    let accepted = [
        (filter(), "/role", json!("filter")),
        (filter(), "/feed", feed()),
        (filter(), "/emitter", json!("a.b_c-9")),
        (filter(), "/route", json!("board")),
        (filter(), "/route_from_envoy", json!(true)),
        (filter(), "/session_secret", json!(secret)),
        (filter(), "/session_secret", json!("_-8".repeat(20))),
        (filter(), "/client_certificate", json!(true)),
        (filter(), "/peer_address", json!(false)),
        (filter(), "/verifications_per_tick", json!(0)),
        (filter(), "/verifications_per_tick", json!(4_294_967_295_u32)),
        (filter(), "/tick_milliseconds", json!(10)),
        (filter(), "/tick_milliseconds", json!(1000)),
        (filter(), "/trust/key_sets", json!([])),
        (filter(), "/state/maximum_bytes", json!(134_217_728)),
        (filter(), "/state/floor", json!({"era": 1, "epoch": 0})),
        (filter(), "/state/keys", json!([key(), {"kty": "OKP", "crv": "Ed25519", "x": OTHER_KEY}])),
        (filter(), "/state/keys", key_with("kid", json!(THUMBPRINT))),
        (filter(), "/state/keys", key_with("alg", json!("EdDSA"))),
        (filter(), "/state/keys", key_with("use", json!("sig"))),
        (filter(), "/state/keys", key_with("key_ops", json!(["verify"]))),
        (sync(), "/feed/path", json!("/feeds/family/all")),
        (sync(), "/feed/path", json!("")),
        (sync(), "/trust", filter().get("trust").unwrap().clone()),
        (sync(), "/tick_milliseconds", json!(250)),
    ];
    assert!(both(&filter()) && both(&sync()));
    assert!(both(&fetching(filter(), json!([key_set()]))));
    assert!(both(&fetching(sync(), json!([key_set()]))));
    assert!(both(&changed(filter(), &[("/key_sets", json!([]))])));
    for (document, pointer, value) in accepted {
        assert!(both(&changed(document, &[(pointer, value.clone())])), "{pointer} {value}");
    }
    let neither = changed(filter(), &[("/route", json!("a")), ("/route_from_envoy", json!(false))]);
    assert!(both(&neither));
}

#[test]
fn what_both_refuse() {
    let refused = [
        (filter(), "/emitter", Value::Null),
        (filter(), "/emitter", json!("")),
        (filter(), "/emitter", json!("a b")),
        (filter(), "/emitter", json!("a".repeat(65))),
        (filter(), "/emitter", json!(1)),
        (filter(), "/trust", Value::Null),
        (filter(), "/trust", json!({})),
        (filter(), "/trust/contract", json!({})),
        (filter(), "/trust/further", json!(1)),
        (filter(), "/role", json!("gate")),
        (filter(), "/role", json!("sync")),
        (filter(), "/feed", json!({"cluster": "feed"})),
        (filter(), "/feed", json!({"cluster": "", "authority": "a"})),
        (filter(), "/feed", json!({"cluster": "a b", "authority": "a"})),
        (filter(), "/feed", json!({"cluster": "a", "authority": "a", "further": 1})),
        (filter(), "/route", json!(1)),
        (filter(), "/route_from_envoy", json!("yes")),
        (filter(), "/session_secret", json!("AAAA")),
        (filter(), "/session_secret", json!("A".repeat(45))),
        (filter(), "/session_secret", json!("+".repeat(44))),
        (filter(), "/client_certificate", json!(1)),
        (filter(), "/peer_address", json!("true")),
        (filter(), "/verifications_per_tick", json!(-1)),
        (filter(), "/verifications_per_tick", json!(4_294_967_296_u64)),
        (filter(), "/tick_milliseconds", json!(9)),
        (filter(), "/tick_milliseconds", json!(1001)),
        (filter(), "/fail_open", json!(true)),
        (sync(), "/feed", Value::Null),
        (sync(), "/feed/path", json!("all")),
        (sync(), "/feed/path", json!("/")),
        (sync(), "/feed/path", json!("/all/")),
        (sync(), "/feed/path", json!("/a?b")),
        (sync(), "/feed/path", json!("/a b")),
    ];
    for (document, pointer, value) in refused {
        assert!(!both(&changed(document, &[(pointer, value.clone())])), "{pointer} {value}");
    }
    let twice = changed(filter(), &[("/route", json!("a")), ("/route_from_envoy", json!(true))]);
    assert!(!both(&twice));
}

#[test]
fn what_both_refuse_of_the_state() {
    let key_with =
        |member: &str, value: Value| json!([changed(key(), &[(&format!("/{member}"), value)])]);
    let refused = [
        (filter(), "/state", Value::Null),
        (filter(), "/state/deployment", Value::Null),
        (filter(), "/state/deployment", json!("")),
        (filter(), "/state/slice", json!("a\nb")),
        (filter(), "/state/slice", json!("a".repeat(129))),
        (filter(), "/state/keys", json!([])),
        (filter(), "/state/keys", json!([key(), key()])),
        (filter(), "/state/keys", json!([key(), key(), key()])),
        (filter(), "/state/keys", key_with("kty", json!("EC"))),
        (filter(), "/state/keys", key_with("x", json!("AA"))),
        (filter(), "/state/keys", key_with("d", json!(KEY))),
        (filter(), "/state/keys", key_with("kid", json!("k1"))),
        (filter(), "/state/keys", key_with("alg", json!("ES256"))),
        (filter(), "/state/keys", key_with("use", json!("enc"))),
        (filter(), "/state/keys", key_with("key_ops", json!(["sign"]))),
        (filter(), "/state/keys", key_with("further", json!(1))),
        (filter(), "/state/maximum_bytes", json!(1_073_741_825)),
        (filter(), "/state/maximum_bytes", json!(-1)),
        (filter(), "/state/floor", json!({"era": 1})),
        (filter(), "/state/further", json!(1)),
    ];
    for (document, pointer, value) in refused {
        assert!(!both(&changed(document, &[(pointer, value.clone())])), "{pointer} {value}");
    }
}

#[test]
fn what_both_refuse_of_key_sets() {
    assert!(!both(&changed(filter(), &[("/key_sets", json!([key_set()]))])));
    for (member, value) in [
        ("/issuer", json!("")),
        ("/issuer", Value::Null),
        ("/cluster", json!("a b")),
        ("/authority", json!("")),
        ("/path", json!("jwks")),
        ("/path", json!("/jwks#a")),
        ("/further", json!(1)),
    ] {
        let key_set = changed(key_set(), &[(member, value)]);
        assert!(!both(&fetching(sync(), json!([key_set]))), "{key_set}");
    }
}

/// What no schema can see: that a member or an issuer comes twice, or that the contract has no such
/// issuer.
#[test]
fn what_the_parser_alone_refuses() {
    let text = filter().to_string();
    let twice = text.replacen('{', r#"{"emitter":"edge-2","#, 1);
    assert!(SCHEMA.is_valid(&serde_json::from_str(&twice).unwrap()));
    check_configuration(&text).unwrap();
    let duplicate = "the document has a duplicate member".to_owned();
    assert_eq!(check_configuration(&twice), Err(duplicate));
    let alone = |document: Value| {
        assert!(SCHEMA.is_valid(&document), "{document:#}");
        check_configuration(&document.to_string())
    };
    assert_eq!(
        alone(fetching(sync(), json!([key_set(), key_set()]))),
        Err("`key_sets[1].issuer`: has another key set".to_owned())
    );
    let stranger = changed(key_set(), &[("/issuer", json!("https://stranger.example"))]);
    assert_eq!(
        alone(fetching(filter(), json!([stranger]))),
        Err("`key_sets`: https://stranger.example is no issuer of the contract without keys"
            .to_owned())
    );
}
