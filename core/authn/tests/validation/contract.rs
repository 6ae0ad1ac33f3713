//! The contract: what loads, what does not, and which member the error names.

use mandate_authn::{Contract, Status, Trust};
use serde_json::{Value, json};

use crate::support::*;

fn path(contract: &Value) -> Result<(), String> {
    Contract::parse(&contract.to_string()).map(|_| ()).map_err(|error| error.path)
}

fn loads_not(pointer: &str, value: Value, expected: &str) {
    let changed = with(&contract(), pointer, value);
    assert_eq!(path(&changed), Err(expected.to_owned()), "{changed}");
}

#[test]
fn a_contract_says_what_it_says() {
    let contract = with(
        &contract(),
        "/apps/0/routes",
        json!([{"name": "admin", "audience": "https://board.example/admin"}]),
    );
    let contract = with(&contract, "/issuers/0/jwks_uri", json!("https://idp.example/keys"));
    let contract = with(&contract, "/issuers/0/interactive_clients", json!(["board-web"]));
    let contract = with(&contract, "/issuers/0/client_id_names_agent", json!(true));
    let contract =
        Contract::parse(&with(&contract, "/skew_seconds", json!(5)).to_string()).unwrap();
    assert_eq!(
        (contract.version(), contract.status(), contract.skew()),
        ([1, 2, 3], Status::Draft, 5)
    );
    let audiences: Vec<_> =
        contract.audiences().map(|(audience, app)| (audience, app.name.as_str())).collect();
    assert_eq!(audiences, [(AUDIENCE, "board"), ("https://board.example/admin", "board")]);
    let issuer = &contract.issuers()[0];
    assert_eq!((issuer.issuer(), issuer.jwks_uri()), (ISSUER, Some("https://idp.example/keys")));
    assert_eq!(
        (issuer.interactive_clients(), issuer.client_id_names_agent()),
        (["board-web".to_owned()].as_slice(), true)
    );
    assert_eq!(contract.apps().len(), 1);
    let plain = Contract::parse(&crate::support::contract().to_string()).unwrap();
    assert_eq!(
        (plain.skew(), plain.issuers()[0].jwks_uri(), plain.issuers()[0].client_id_names_agent()),
        (60, None, false)
    );
}

#[test]
fn what_other_crates_read_is_handed_on_as_it_is() {
    let (authz, gate) = (json!({"deployment": "blue"}), json!({"routes": []}));
    let both = with(&with(&contract(), "/authz", authz.clone()), "/gate", gate.clone());
    let parse = |text: Option<&str>| text.map(|text| serde_json::from_str::<Value>(text).unwrap());
    let both = Contract::parse(&both.to_string()).unwrap();
    assert_eq!((parse(both.authz()), parse(both.gate())), (Some(authz), Some(gate)));
    let neither = Contract::parse(&contract().to_string()).unwrap();
    assert_eq!((neither.authz(), neither.gate()), (None, None));
}

#[test]
fn what_is_required_cannot_be_left_out() {
    for member in ["contract", "version", "status", "issuers", "apps"] {
        assert_eq!(
            path(&without(&contract(), &format!("/{member}"))),
            Err(String::new()),
            "{member}"
        );
    }
    for member in ["issuer", "algorithms", "tenants"] {
        assert_eq!(
            path(&without(&contract(), &format!("/issuers/0/{member}"))),
            Err("issuers[0]".to_owned()),
            "{member}"
        );
    }
    for member in ["name", "audience"] {
        assert_eq!(
            path(&without(&contract(), &format!("/apps/0/{member}"))),
            Err("apps[0]".to_owned()),
            "{member}"
        );
    }
}

#[test]
fn unknown_duplicate_and_null_members_are_refused() {
    loads_not("/validate_audience", json!(false), "validate_audience");
    loads_not("/issuers/0/audience_optional", json!(true), "issuers[0].audience_optional");
    loads_not("/apps/0/open", json!(true), "apps[0].open");
    loads_not("/issuers/0/jwks_uri", Value::Null, "issuers[0].jwks_uri");
    loads_not("/issuers/0/claim_tests", json!([Value::Null]), "issuers[0].claim_tests[0]");
    let twice = contract().to_string().replacen('{', r#"{"status":"draft","#, 1);
    let error = Contract::parse(&twice).unwrap_err();
    assert_eq!(
        (error.path.as_str(), error.message.as_str()),
        ("", "the document has a duplicate member")
    );
    let error = Contract::parse("{\n  \"contract\": }").unwrap_err();
    assert_eq!(error.to_string(), "the document is not strict JSON, line 2 column 15");
}

#[test]
fn members_of_the_contract_itself() {
    loads_not("/contract", json!("other"), "contract");
    for version in
        ["", "1", "1.0", "1.0.0.0", "1.0.x", "01.0.0", "+1.0.0", "2.0.0", "0.9.0", "1.0.0-draft"]
    {
        loads_not("/version", json!(version), "version");
    }
    loads_not("/status", json!("live"), "status");
    for skew in [json!(61), json!(600)] {
        loads_not("/skew_seconds", skew, "skew_seconds");
    }
    for skew in [json!(-1), json!(1.5), json!("1")] {
        loads_not("/skew_seconds", skew, "skew_seconds");
    }
    assert_eq!(path(&with(&contract(), "/skew_seconds", json!(60))), Ok(()));
    loads_not("/issuers", json!([]), "issuers");
    loads_not("/apps", json!([]), "apps");
}

#[test]
fn members_of_an_issuer() {
    loads_not("/issuers/-", issuer(), "issuers[1]");
    loads_not("/issuers/0/issuer", json!("http://idp.example"), "issuers[0].issuer");
    loads_not("/issuers/0/jwks_uri", json!("http://idp.example"), "issuers[0].jwks_uri");
    loads_not("/issuers/0/algorithms", json!([]), "issuers[0].algorithms");
    for algorithm in ["none", "HS256", "RSA-OAEP", ""] {
        loads_not("/issuers/0/algorithms", json!([algorithm]), "issuers[0].algorithms[0]");
    }
    loads_not("/issuers/0/algorithms", json!(["EdDSA", "EdDSA"]), "issuers[0].algorithms[1]");
    loads_not("/issuers/0/tenants", json!([]), "issuers[0].tenants");
    loads_not("/issuers/0/tenants", json!(["a", ""]), "issuers[0].tenants[1]");
    loads_not("/issuers/0/act_issuers", json!(["a", "a"]), "issuers[0].act_issuers[1]");
    loads_not("/issuers/0/interactive_clients", json!([""]), "issuers[0].interactive_clients[0]");
    loads_not(
        "/issuers/0/maximum_lifetime_seconds",
        json!(0),
        "issuers[0].maximum_lifetime_seconds",
    );
    loads_not("/issuers/0/tenant_claim", json!("tenant"), "issuers[0].tenant_claim");
    loads_not("/issuers/0/tenant_claim", json!("/a/*"), "issuers[0].tenant_claim");
    loads_not("/issuers/0/scope_claim", json!("scope"), "issuers[0].scope_claim");
    loads_not("/issuers/0/role_claims", json!(["groups"]), "issuers[0].role_claims[0]");
    loads_not("/issuers/0/role_claims", json!(["/a", "/a"]), "issuers[0].role_claims[1]");
    loads_not("/issuers/0/types", json!([]), "issuers[0].types");
    loads_not("/issuers/0/types", json!([""]), "issuers[0].types[0]");
    loads_not("/issuers/0/preset", json!("okta"), "issuers[0].preset");
    loads_not(
        "/issuers/0/claim_tests",
        json!([{"claim": "typ", "equals": "a"}]),
        "issuers[0].claim_tests[0].claim",
    );
    loads_not("/issuers/0/claim_tests", json!([{"claim": "/typ"}]), "issuers[0].claim_tests[0]");
    loads_not(
        "/issuers/0/claim_tests",
        json!([{"claim": "/typ", "one_of": []}]),
        "issuers[0].claim_tests[0].one_of",
    );
}

#[test]
fn a_subject_is_never_a_claim_that_changes_hands() {
    for claim in ["/email", "/preferred_username", "/name", "/upn", "/sub/*", "sub"] {
        loads_not("/issuers/0/subject_claim", json!(claim), "issuers[0].subject_claim");
    }
    for claim in ["/sub", "/oid", "/uid"] {
        assert_eq!(path(&with(&contract(), "/issuers/0/subject_claim", json!(claim))), Ok(()));
    }
}

#[test]
fn an_issuer_without_access_token_types_needs_tests_that_refuse_id_tokens() {
    loads_not("/issuers/0/types", json!(["JWT"]), "issuers[0].claim_tests");
    loads_not("/issuers/0/types", json!(["at+jwt", "JWT"]), "issuers[0].claim_tests");
    loads_not("/issuers/0/type_absent", json!(true), "issuers[0].claim_tests");
    let tested =
        with(&contract(), "/issuers/0/claim_tests", json!([{"claim": "/scope", "present": true}]));
    for (member, value) in
        [("types", json!(["JWT"])), ("type_absent", json!(true)), ("types", json!(["at+jwt"]))]
    {
        assert_eq!(path(&with(&tested, &format!("/issuers/0/{member}"), value)), Ok(()));
    }
    let untyped_only =
        with(&with(&tested, "/issuers/0/types", json!([])), "/issuers/0/type_absent", json!(true));
    assert_eq!(path(&untyped_only), Ok(()));
}

#[test]
fn presets_know_their_providers_tokens() {
    let keycloak = with(
        &without(&trust(), "/contract/issuers/0/role_claims"),
        "/contract/issuers/0/preset",
        json!("keycloak"),
    );
    let jwt = with(&header(), "/typ", json!("JWT"));
    let bearer =
        with(&with(&claims(), "/typ", json!("Bearer")), "/realm_access", json!({"roles": ["r"]}));
    let code =
        |trust: &Value, claims: &Value| match validate_with(trust, &sign(&jwt, claims), &request())
        {
            Ok(token) => {
                token.roles().iter().map(|role| role.path.clone()).collect::<Vec<_>>().join(" ")
            }
            Err(refusal) => refusal.code().as_str().to_owned(),
        };
    assert_eq!(code(&keycloak, &bearer), "/realm_access/roles");
    assert_eq!(code(&keycloak, &with(&bearer, "/typ", json!("ID"))), "token-claim");
    assert_eq!(
        validate_with(&keycloak, &sign(&header(), &bearer), &request())
            .unwrap_err()
            .code()
            .as_str(),
        "token-type"
    );
    let clients = with(&bearer, "/resource_access", json!({"c": {"roles": ["x"]}}));
    assert_eq!(code(&keycloak, &clients), "/realm_access/roles /resource_access/c/roles");
    let authentik = with(&keycloak, "/contract/issuers/0/preset", json!("authentik"));
    let groups = with(&with(&claims(), "/groups", json!(["g"])), "/entitlements", json!(["e"]));
    assert_eq!(code(&authentik, &groups), "/groups /entitlements");
    for id_token_claim in ["/at_hash", "/c_hash"] {
        assert_eq!(code(&authentik, &with(&groups, id_token_claim, json!("x"))), "token-claim");
    }
    assert_eq!(code(&authentik, &without(&groups, "/scope")), "token-claim");
    let own = with(&authentik, "/contract/issuers/0/role_claims", json!(["/groups"]));
    assert_eq!(code(&own, &groups), "/groups");
}

#[test]
fn an_audience_belongs_to_one_route() {
    loads_not("/apps/-", json!({"name": "board", "audience": "x"}), "apps[1]");
    loads_not("/apps/-", json!({"name": "vault", "audience": AUDIENCE}), "apps[1].audience");
    loads_not("/apps/0/audience", json!(""), "apps[0].audience");
    loads_not(
        "/apps/0/routes",
        json!([{"name": "a", "audience": AUDIENCE}]),
        "apps[0].routes[0].audience",
    );
    loads_not(
        "/apps/0/routes",
        json!([{"name": "a", "audience": "x"}, {"name": "a", "audience": "y"}]),
        "apps[0].routes[1]",
    );
    loads_not(
        "/apps/0/routes",
        json!([{"name": "a", "audience": ""}]),
        "apps[0].routes[0].audience",
    );
    loads_not("/apps/0/issuers", json!([]), "apps[0].issuers");
    loads_not("/apps/0/issuers", json!([OTHER_ISSUER]), "apps[0].issuers[0]");
    loads_not("/apps/0/issuers", json!([ISSUER, ISSUER]), "apps[0].issuers[1]");
    assert_eq!(path(&with(&contract(), "/apps/0/issuers", json!([ISSUER]))), Ok(()));
}

#[test]
fn a_trust_names_the_key_set_that_is_wrong() {
    let path =
        |trust: &Value| Trust::parse(&trust.to_string()).map(|_| ()).map_err(|error| error.path);
    let wrong = |pointer: &str, value: Value| path(&with(&trust(), pointer, value)).unwrap_err();
    assert_eq!(wrong("/key_sets/0/issuer", json!(OTHER_ISSUER)), "key_sets[0].issuer");
    assert_eq!(wrong("/key_sets/-", trust()["key_sets"][0].clone()), "key_sets[1].issuer");
    assert_eq!(wrong("/key_sets/0/keys", json!({})), "key_sets[0].keys.keys");
    assert_eq!(wrong("/key_sets/0/keys/keys", json!([])), "key_sets[0].keys.keys");
    assert_eq!(wrong("/key_sets/0/keys/keys/-", jwk()), "key_sets[0].keys.keys[1]");
    assert_eq!(wrong("/key_sets/0/fetched_at", json!(-1)), "key_sets[0].fetched_at");
    assert_eq!(wrong("/key_sets/0/trusted", json!(true)), "key_sets[0].trusted");
    assert_eq!(wrong("/contract/skew_seconds", json!(61)), "contract.skew_seconds");
    assert_eq!(path(&without(&trust(), "/key_sets")).unwrap_err(), "");
    // What issuers publish is not ours to shape: `null` in a key is not `null` in the contract.
    assert_eq!(path(&with(&trust(), "/key_sets/0/keys/keys/0/x5c", Value::Null)), Ok(()));
    let trust = Trust::parse(&with(&trust(), "/key_sets", json!([])).to_string()).unwrap();
    assert_eq!(trust.issuers_without_keys().collect::<Vec<_>>(), [ISSUER]);
    assert_eq!(trust.contract().version(), [1, 2, 3]);
}
