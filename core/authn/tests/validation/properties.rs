//! Properties over generated input: totality, round trips, and that no change passes.

use mandate_authn::{Contract, Json, KeySet, Trust, verify_jws, wire};
use proptest::prelude::*;
use serde_json::json;

use crate::support::*;

/// JSON values as serde_json writes them: integers within 53 bits, no fractions.
fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(|value| json!(value)),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(|value| json!(value)),
        any::<String>().prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|elements| json!(elements)),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| json!(members)),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_json_reads_back_as_the_same_value(value in values()) {
        let parsed = Json::parse(value.to_string().as_bytes(), 9).unwrap();
        let canonical = parsed.to_canonical();
        prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&canonical).unwrap(), &value);
        prop_assert_eq!(Json::parse(canonical.as_bytes(), 9).unwrap().to_canonical(), canonical);
    }

    #[test]
    fn what_serde_json_refuses_is_refused(text in "[\\[\\]{}:,\"a0-9.eE+\\-\\\\u ]{0,24}") {
        let lenient = serde_json::from_str::<serde_json::Value>(&text);
        let strict = Json::parse(text.as_bytes(), 99);
        prop_assert!(lenient.is_ok() || strict.is_err(), "{}", text);
    }

    #[test]
    fn every_input_is_answered(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
        let mut validator = validator(&trust());
        prop_assert!(validator.validate(&bytes, &request()).outcome().is_err());
        prop_assert!(verify_jws(&text, &bytes).is_err());
        prop_assert!(KeySet::parse(&text).is_err());
        prop_assert!(Contract::parse(&text).is_err());
        prop_assert!(Trust::parse(&text).is_err());
        prop_assert!(!wire::Probe::default().answer(&text).is_empty());
        prop_assert!(wire::validate(&mut validator, &text).contains("malformed"));
    }

    #[test]
    fn no_changed_claims_pass_under_an_old_signature(name in "[a-z]{1,5}", value in values()) {
        let token = token();
        let parts: Vec<&str> = token.split('.').collect();
        let changed = with(&claims(), &format!("/{name}"), value);
        let forged = format!("{}.{}.{}", parts[0], encode(changed.to_string()), parts[2]);
        prop_assert!(changed == claims() || validate(&forged).is_err());
    }

    #[test]
    fn any_claims_under_a_good_signature_are_answered(value in values(), name in "(iss|sub|aud|exp|nbf|iat|jti|azp|client_id|scope|tenant|act|may_act|cnf|realm_access|resource_access)") {
        let answer = with_claim(&format!("/{name}"), value);
        // An allow states the configured issuer and audience, whatever the claim said.
        if let Ok(token) = answer {
            prop_assert_eq!(token.issuer(), ISSUER);
            prop_assert!(token.audiences().contains(&AUDIENCE.to_owned()));
            prop_assert!(!token.subject().is_empty());
        }
    }
}
