//! The configuration of a state: strict, and only public keys that fit.

use mandate_authz::state::StateConfig;

use crate::support::*;

fn text(members: &str) -> String {
    format!("{{{members}}}")
}

fn refused(text: &str) -> (String, String) {
    let error = StateConfig::parse(text).map(|_| ()).unwrap_err();
    (error.path, error.message)
}

#[test]
fn a_configuration_says_whose_state_is_taken() {
    let config = config_with(&[1, 2], r#","maximum_bytes":134217728,"floor":{"era":1,"epoch":0}"#);
    assert_eq!((config.deployment(), config.slice()), ("globex", "all"));
    let keys: Vec<_> = config.keys().iter().map(|key| key.id()).collect();
    assert_eq!(keys, [key(1).id(), key(2).id()]);
}

#[test]
fn a_configuration_that_is_wrong_does_not_load() {
    let first = key(1).to_public_jwk();
    let good = format!(r#""deployment":"globex","slice":"all","keys":[{first}]"#);
    StateConfig::parse(&text(&good)).unwrap();
    let with = |from: &str, to: &str| {
        let changed = good.replace(from, to);
        assert_ne!(changed, good, "{from}");
        text(&changed)
    };
    let long = "x".repeat(129);
    let plain = "must be 1 to 128 bytes of plain text";
    let documents = [
        (String::new(), "", "the document is not strict JSON"),
        (text(&format!("{good},\"slice\":\"all\"")), "", "the document has a duplicate member"),
        ("[]".to_owned(), "", "expected an object"),
        (with("globex", ""), "deployment", plain),
        (with("globex", &long), "deployment", plain),
        (with(r#""all""#, r#""a\nb""#), "slice", plain),
        (with(r#""all""#, "1"), "slice", "expected a string"),
        (with(r#""slice":"all","#, ""), "slice", "is missing"),
        (with(r#""deployment":"globex","#, ""), "deployment", "is missing"),
        (text(&format!("{good},\"Floor\":1")), "", "has the unknown member `Floor`"),
        (text(&format!("{good},\"a\\nb\":1")), "", "has the unknown member `a\\nb`"),
    ];
    let keys = [
        (text(r#""deployment":"globex","slice":"all""#), "keys", "is missing"),
        (with(&format!("[{first}]"), "{}"), "keys", "expected an array"),
        (with(&first, ""), "keys", "must be one or two"),
        (with(&first, &format!("{first},{first}")), "keys[1]", "is listed twice"),
        (with(&first, &format!("{first},{first},{first}")), "keys", "must be one or two"),
        (with(&first, "1"), "keys[0]", "expected an object"),
        (with(&first, "{}"), "keys[0]", "it is malformed"),
        (
            with(&first, &key(1).to_jwk()),
            "keys[0]",
            "is a private key: pin the public one, without `d`",
        ),
        (with(r#""use":"sig""#, r#""use":"enc""#), "keys[0]", "its `use` is not `sig`"),
        (with(r#""alg":"EdDSA""#, r#""alg":"ES256""#), "keys[0]", "is not an Ed25519 key"),
        (
            with(&key(1).id().to_string(), "k1"),
            "keys[0]",
            "its `kid` is not its RFC 7638 thumbprint",
        ),
        (
            with(r#""use":"sig""#, r#""use":"sig","x5u":"https://evil.example""#),
            "keys[0]",
            "has the unknown member `x5u`",
        ),
    ];
    require(&documents);
    require(&keys);
}

#[test]
fn a_limit_or_a_floor_that_is_wrong_does_not_load() {
    let first = key(1).to_public_jwk();
    let good = format!(r#""deployment":"globex","slice":"all","keys":[{first}]"#);
    let cases = [
        (text(&format!("{good},\"maximum_bytes\":\"1\"")), "maximum_bytes", "expected an integer"),
        (
            text(&format!("{good},\"maximum_bytes\":1073741825")),
            "maximum_bytes",
            "above the limit of 1073741824",
        ),
        (text(&format!("{good},\"floor\":7")), "floor", "expected an object"),
        (text(&format!("{good},\"floor\":{{\"era\":1}}")), "floor.epoch", "is missing"),
        (
            text(&format!("{good},\"floor\":{{\"era\":-1,\"epoch\":0}}")),
            "floor.era",
            "expected an integer",
        ),
        (
            text(&format!("{good},\"floor\":{{\"era\":1,\"epoch\":0,\"at\":0}}")),
            "floor",
            "has the unknown member `at`",
        ),
    ];
    require(&cases);
}

fn require(cases: &[(String, &str, &str)]) {
    for (document, path, message) in cases {
        let expected = ((*path).to_owned(), (*message).to_owned());
        assert_eq!(refused(document), expected, "{document}");
    }
}
