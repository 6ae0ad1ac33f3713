//! Tokens of a real Keycloak under the preset `keycloak`: in the plugin, natively, and by the verbs.
//!
//! `cargo xtask campaign keycloak` fetches the server; `MANDATE_KEYCLOAK` says where it is. One
//! server serves all tests of this file, each with a realm of its own.
#![cfg(all(feature = "dev", unix))]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod cli;
#[path = "cli_keycloak/realm.rs"]
mod realm;
#[path = "cli_keycloak/verifier.rs"]
mod verifier;

use cli::{Folder, mandate};
use mandate::commands::demo::keycloak::Retired;
use mandate::commands::demo::play;
use mandate_host::{Limits, Policy};
use realm::{ACCESS_TOKEN, BOARD, FILES, RealmOfKeycloak, SECRET, TOKEN_EXCHANGE, keycloak};
use serde_json::{Value, json};
use verifier::{Verifier, now, part, relabelled, with_claim};

const TEST: &str = "tokens of Keycloak";

/// What an accepted token says, in an order that does not depend on Keycloak's.
fn seen(answer: &Value) -> Value {
    assert_eq!(answer["reason"], "ok", "{answer}");
    let token = &answer["token"];
    let sorted = |member: &str, text: fn(&Value) -> String| {
        let mut list: Vec<_> = token[member].as_array().unwrap().iter().map(text).collect();
        list.sort();
        list
    };
    let plain = |value: &Value| value.as_str().unwrap().to_owned();
    json!({
        "subject": token["subject"],
        "client": token["client_id"],
        "tenant": token["tenant"],
        "actor": token["actor"],
        "audiences": sorted("audiences", plain),
        "scopes": sorted("scopes", plain),
        "roles": sorted("roles", |role| format!("{} {}", role["path"], role["name"]).replace('"', "")),
    })
}

/// The roles that every principal of a realm has, and the one of our user.
fn roles(realm: &str, user: bool) -> Vec<String> {
    let own = user.then(|| "board-admin".to_owned());
    let default =
        [format!("default-roles-{realm}"), "offline_access".into(), "uma_authorization".into()];
    let of_realm = own.into_iter().chain(default).map(|role| format!("/realm_access/roles {role}"));
    let account = ["manage-account", "manage-account-links", "view-profile"];
    let account = account.map(|role| format!("/resource_access/account/roles {role}"));
    of_realm.chain(account).collect()
}

#[test]
fn tokens_of_services_are_accepted_whatever_key_signs_them() {
    let Some(keycloak) = keycloak(TEST) else { return };
    let realm = RealmOfKeycloak::make(keycloak, "services");
    let verifier = Verifier::new(&[&realm]);
    for (client, algorithm) in [
        ("report-service", "RS256"),
        ("ps-service", "PS256"),
        ("es-service", "ES256"),
        ("ed-service", "EdDSA"),
    ] {
        let token = realm.service_token(client);
        let header = part(&token, 0);
        assert_eq!([&header["alg"], &header["typ"]], [algorithm, "JWT"], "{client}");
        let expected = json!({
            "subject": realm.service_account(client),
            "client": client,
            "tenant": "acme",
            "actor": null,
            "audiences": ["account", BOARD],
            "scopes": ["email", "profile"],
            "roles": roles("services", false),
        });
        assert_eq!(seen(&verifier.decide(&token, BOARD, now())), expected, "{client}");
    }
    let light = realm.service_token("light-service");
    let expected = json!({
        "subject": realm.service_account("light-service"),
        "client": "light-service",
        "tenant": "acme",
        "actor": null,
        "audiences": [BOARD],
        "scopes": ["email", "profile"],
        "roles": [],
    });
    assert_eq!(seen(&verifier.decide(&light, BOARD, now())), expected);
}

#[test]
fn tokens_for_a_person_are_accepted_however_they_were_got() {
    let Some(keycloak) = keycloak(TEST) else { return };
    let realm = RealmOfKeycloak::make(keycloak, "people");
    let verifier = Verifier::new(&[&realm]);
    let anne = realm.user("anne");
    let signed_in = realm.signed_in("openid");
    let offline = realm.signed_in("openid offline_access");
    let again = |answer: &Value| {
        let refresh = answer["refresh_token"].as_str().unwrap();
        realm.token("board-web", &[("grant_type", "refresh_token"), ("refresh_token", refresh)])
    };
    let subject = signed_in["access_token"].as_str().unwrap();
    let exchange = [
        ("grant_type", TOKEN_EXCHANGE),
        ("subject_token", subject),
        ("subject_token_type", ACCESS_TOKEN),
    ];
    let exchanged = realm.token("mail-agent", &exchange);
    // Keycloak 26.7 takes no notice of an actor token: what comes is impersonation, without `act`.
    let agent = realm.service_token("mail-agent");
    let actor = [("actor_token", agent.as_str()), ("actor_token_type", ACCESS_TOKEN)];
    let with_actor = realm.token("mail-agent", &[exchange.as_slice(), &actor].concat());
    for (how, answer, client, scopes, for_agent) in [
        ("signed in", &signed_in, "board-web", "email openid profile", true),
        ("refreshed", &again(&signed_in), "board-web", "email openid profile", true),
        ("offline", &offline, "board-web", "email offline_access openid profile", true),
        ("later", &again(&offline), "board-web", "email offline_access openid profile", true),
        ("exchanged", &exchanged, "mail-agent", "email profile", false),
        ("exchanged with an actor token", &with_actor, "mail-agent", "email profile", false),
    ] {
        let token = answer["access_token"].as_str().unwrap();
        let scopes: Vec<_> = scopes.split(' ').collect();
        let own = ["account", BOARD].into_iter();
        let for_all: Vec<_> = own.chain(for_agent.then_some("mail-agent")).collect();
        let expected = json!({
            "subject": anne,
            "client": client,
            "tenant": "acme",
            "actor": null,
            "audiences": for_all,
            "scopes": scopes,
            "roles": roles("people", true),
        });
        assert_eq!(seen(&verifier.decide(token, BOARD, now())), expected, "{how}");
    }
    // Who may edit mappers can write any claim: `act` is evidence, never enough by itself.
    let acting = realm.service_token("acting-service");
    let expected = json!({ "issuer": realm.issuer(), "subject": "x", "client_id": "mail-agent" });
    assert_eq!(seen(&verifier.decide(&acting, BOARD, now()))["actor"], expected);
}

#[test]
fn what_is_no_access_token_for_this_service_is_refused() {
    let Some(keycloak) = keycloak(TEST) else { return };
    let realm = RealmOfKeycloak::make(keycloak.clone(), "refused");
    let other = RealmOfKeycloak::make(keycloak, "globex");
    let verifier = Verifier::new(&[&realm, &other]);
    let answer = realm.signed_in("openid");
    let offline = realm.signed_in("openid offline_access");
    let text = |answer: &Value, member: &str| answer[member].as_str().unwrap().to_owned();
    let good = text(&answer, "access_token");
    let user_info = realm.user_info(&good);
    let (id, now) = (text(&answer, "id_token"), now());
    let expires = part(&good, 1)["exp"].as_u64().unwrap();
    let of_other = other.service_token("report-service");
    let service = |client| realm.service_token(client);
    let id_exchange = [
        ("grant_type", TOKEN_EXCHANGE),
        ("subject_token", good.as_str()),
        ("subject_token_type", ACCESS_TOKEN),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:id_token"),
    ];
    let exchanged_id = text(&realm.token("mail-agent", &id_exchange), "access_token");
    let light = text(&realm.light_user(), "access_token");
    let cases = [
        ("access token", &good, BOARD, now, "ok"),
        ("in its last second", &good, BOARD, expires + 59, "ok"),
        ("expired", &good, BOARD, expires + 60, "token-expired"),
        ("for another service", &good, FILES, now, "token-audience"),
        ("altered", &with_claim(&good, "tenant", "globex"), BOARD, now, "token-signature"),
        ("ID token", &id, BOARD, now, "token-audience"),
        ("ID token for its own client", &id, "board-web", now, "token-claim"),
        ("exchanged for an ID token", &exchanged_id, "mail-agent", now, "token-claim"),
        ("signed user info", &user_info, "board-web", now, "token-claim"),
        ("refresh token", &text(&answer, "refresh_token"), BOARD, now, "token-algorithm"),
        ("offline token", &text(&offline, "refresh_token"), BOARD, now, "token-algorithm"),
        ("signed with a secret", &service("hmac-service"), BOARD, now, "token-algorithm"),
        ("without audience mapper", &service("bare-service"), BOARD, now, "token-audience"),
        ("lightweight, no audience", &service("bare-light-service"), BOARD, now, "token-audience"),
        ("lightweight, of a person", &light, BOARD, now, "token-subject"),
        ("header `at+jwt`", &service("typed-service"), BOARD, now, "token-type"),
        ("tenant of another realm", &service("globex-service"), BOARD, now, "token-tenant"),
        ("another realm", &of_other, BOARD, now, "token-issuer"),
        ("another realm, by name", &relabelled(&of_other, &good), BOARD, now, "token-signature"),
        (
            "another realm, where it may",
            &other.service_token("files-service"),
            FILES,
            now,
            "token-tenant",
        ),
    ];
    let found = cases.map(|(what, token, audience, now, _)| {
        (what, verifier.decide(token, audience, now)["reason"].as_str().unwrap().to_owned())
    });
    assert_eq!(found, cases.map(|(what, _, _, _, expected)| (what, expected.to_owned())));
    // The console's switch "Use at+jwt as access token header type" needs the type in the contract.
    let listed = Verifier::with(&[&realm], |issuer| issuer["types"] = json!(["JWT", "at+jwt"]));
    assert_eq!(listed.decide(&service("typed-service"), BOARD, now)["reason"], "ok");
    assert_eq!(listed.decide(&good, BOARD, now)["reason"], "ok");
}

#[test]
fn a_token_outlives_its_key_only_while_the_key_is_published() {
    let Some(keycloak) = keycloak(TEST) else { return };
    let realm = RealmOfKeycloak::make(keycloak, "rotated");
    let before = Verifier::new(&[&realm]);
    let reason = |verifier: &Verifier, token: &str, now| {
        verifier.decide(token, BOARD, now)["reason"].clone()
    };
    for client in ["report-service", "ed-service"] {
        let first = realm.service_token(client);
        assert_eq!(reason(&before, &first, now()), "ok", "{client}");
    }
    let first = realm.service_token("report-service");
    realm.rotate_keys(Retired::Passive);
    let second = realm.service_token("report-service");
    assert_ne!(part(&first, 0)["kid"], part(&second, 0)["kid"]);
    // Half a minute after the fetch a newer set is asked for; before, the key does not exist.
    let asked = before.decide(&second, BOARD, before.fetched() + 31);
    assert_eq!(
        (&asked["reason"], &asked["refresh"]),
        (&json!("keys-missing"), &json!(realm.issuer()))
    );
    assert_eq!(reason(&before, &second, before.fetched() + 1), "token-key-unknown");
    let passive = Verifier::new(&[&realm]);
    assert_eq!([reason(&passive, &first, now()), reason(&passive, &second, now())], ["ok", "ok"]);
    realm.rotate_keys(Retired::Disabled);
    let third = realm.service_token("report-service");
    let disabled = Verifier::new(&[&realm]);
    let found = [&first, &second, &third].map(|token| reason(&disabled, token, disabled.fetched()));
    assert_eq!(found, ["token-key-unknown", "token-key-unknown", "ok"]);
}

#[test]
fn the_verbs_get_a_token_from_keycloak_and_validate_it() {
    let Some(keycloak) = keycloak(TEST) else { return };
    let realm = RealmOfKeycloak::make(keycloak, "verbs");
    let folder = Folder::new("keycloak");
    let secret = folder.write("secret", SECRET);
    let contract = folder.write("contract.json", Verifier::contract(&[&realm], |_| {}).to_string());
    let get = |grant: &str, client: &str, name: &str, more: &[&str]| {
        let _ = std::fs::remove_file(folder.path(name));
        let issuer = realm.issuer();
        let file = folder.path(name);
        let usual = ["--issuer", &issuer, "--client-id", client, "--client-secret-file", &secret];
        let arguments = [&["token", grant], usual.as_slice(), &["--output", &file], more].concat();
        mandate(&arguments)
    };
    let validate = |name: &str| {
        let file = folder.path(name);
        let ran = mandate(&[
            "validate",
            "--contract",
            &contract,
            "--app",
            "board",
            "--token-file",
            &file,
            "--json",
        ]);
        (ran.code, ran.json())
    };
    assert_eq!(get("client-credentials", "report-service", "service", &[]).code, 0);
    let (code, answer) = validate("service");
    assert_eq!((code, &answer["token"]["client_id"]), (0, &json!("report-service")), "{answer}");
    assert_eq!(get("client-credentials", "bare-service", "bare", &[]).code, 0);
    let (code, answer) = validate("bare");
    assert_eq!((code, &answer["reason"]), (1, &json!("token-audience")));
    let user = folder.write("user", realm.signed_in("openid")["access_token"].as_str().unwrap());
    let subject = ["--subject-token-file", user.as_str()];
    assert_eq!(get("exchange", "mail-agent", "exchanged", &subject).code, 0);
    let (code, answer) = validate("exchanged");
    assert_eq!((code, &answer["token"]["subject"]), (0, &json!(realm.user("anne"))), "{answer}");
    // `--audience` means a client of the realm here, not what stands in `aud`.
    let unknown =
        get("exchange", "mail-agent", "none", &[&subject[..], &["--audience", BOARD]].concat());
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(unknown.stderr.contains("Audience not found"), "{unknown:?}");
}

#[test]
fn the_demo_plays_with_keycloak() {
    let Some(keycloak) = keycloak(TEST) else { return };
    let policy = Policy::new(verifier::plugin(), Limits::default()).unwrap();
    let (node, mcp) = (Err("left out".to_owned()), Err("left out".to_owned()));
    let demo = play(&policy, node, Some(&keycloak), mcp).unwrap();
    let of_keycloak: Vec<_> = demo
        .cases
        .iter()
        .filter(|case| case.issuer == "keycloak")
        .map(|case| {
            let client = case.token.as_ref().and_then(|token| token.client_id.as_deref());
            (case.grant, case.algorithm, client.unwrap())
        })
        .collect();
    let expected = [
        ("client credentials", "RS256", "report-service"),
        ("token exchange", "EdDSA", "mail-agent"),
    ];
    assert_eq!(of_keycloak, expected);
    let unknown = demo.rights.iter().find(|right| right.what.starts_with("keycloak"));
    assert_eq!(unknown.unwrap().found, "identity-unknown");
    assert_eq!(demo.unexpected(), 0, "{}", demo.page("0123"));
}
