//! The exchange itself, with tokens that are already verified.

use super::*;
use crate::dev_issuer::client::Registration;
use crate::dev_issuer::signing_key::SigningAlgorithm;

const NOW: u64 = 1_000;

fn agent() -> Client {
    let mut registration = Registration::new("agent", "https://board.example");
    registration.scopes = vec!["board:read".to_owned(), "board:write".to_owned()];
    registration.token_exchange = true;
    registration.accepts = vec!["https://agents.example".to_owned()];
    Client::register(registration, SigningAlgorithm::Rs256).unwrap().0
}

fn subject() -> Value {
    json!({"sub": "alice", "aud": "https://agents.example", "exp": 1_100, "tenant": "acme",
        "scope": "openid board:read"})
}

fn actor() -> Value {
    json!({"sub": "agent-7", "client_id": "agent", "aud": "agent", "exp": 9_000, "tenant": "acme"})
}

/// Exchanges the two tokens; in the form a token is its own claims.
fn exchange(subject: &Value, actor: &Value, more: &[(&str, &str)]) -> Result<Grant, OAuthError> {
    let (subject, actor) = (subject.to_string(), actor.to_string());
    let mut fields = vec![
        ("subject_token", subject.as_str()),
        ("subject_token_type", ACCESS_TOKEN),
        ("actor_token", actor.as_str()),
        ("actor_token_type", ACCESS_TOKEN),
    ];
    fields.extend_from_slice(more);
    let body: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            let value: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
            format!("{name}={value}")
        })
        .collect();
    let form = Form::parse(body.join("&").as_bytes()).unwrap();
    token_exchange(&agent(), &form, NOW, 300, |token, accepted| {
        assert_eq!(accepted, ["agent", "https://agents.example"]);
        serde_json::from_str(token).ok()
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[test]
fn the_user_stays_subject_and_the_agent_becomes_actor() {
    let expected = json!({"sub": "alice", "tenant": "acme", "aud": "https://board.example",
        "exp": 1_100, "client_id": "agent", "scope": "board:read",
        "act": {"sub": "agent-7", "client_id": "agent"}});
    let grant = exchange(&subject(), &actor(), &[]).unwrap();
    assert_eq!(
        grant,
        Grant {
            claims: expected.as_object().unwrap().clone(),
            expires: 1_100,
            scope: "board:read".to_owned(),
            issued_token_type: Some(ACCESS_TOKEN),
        }
    );
}

#[test]
fn whoever_acted_before_is_kept_below() {
    let subject = with(subject(), "act", json!({"sub": "planner", "act": {"sub": "chat"}}));
    let grant = exchange(&subject, &actor(), &[]).unwrap();
    assert_eq!(
        grant.claims["act"],
        json!({"sub": "agent-7", "client_id": "agent",
            "act": {"sub": "planner", "act": {"sub": "chat"}}})
    );
}

#[test]
fn the_eleventh_actor_is_refused() {
    let chain = |length: usize| {
        (1..length).fold(json!({"sub": "a"}), |act, _| json!({"sub": "a", "act": act}))
    };
    exchange(&with(subject(), "act", chain(9)), &actor(), &[]).unwrap();
    assert_eq!(
        exchange(&with(subject(), "act", chain(10)), &actor(), &[]),
        Err(OAuthError::request("the chain of actors is too long"))
    );
}

#[test]
fn scope_is_never_wider_than_the_subject_token() {
    assert_eq!(
        exchange(&subject(), &actor(), &[("scope", "board:write")]),
        Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "the scope is wider than what may be granted"
        ))
    );
    let none = with(subject(), "scope", json!(""));
    assert_eq!(exchange(&none, &actor(), &[]).unwrap().scope, "");
}

#[test]
fn may_act_decides_who_may_become_the_actor() {
    let allowed = with(subject(), "may_act", json!({"sub": "agent-7"}));
    exchange(&allowed, &actor(), &[]).unwrap();
    let refused = Err(OAuthError::request("may_act of the subject token names another actor"));
    for may_act in [
        json!({"sub": "agent-8"}),
        json!({"sub": "agent-7", "iss": "https://other.example"}),
        json!({"client_id": "other"}),
        json!({}),
        json!("agent-7"),
    ] {
        let subject = with(subject(), "may_act", may_act);
        assert_eq!(exchange(&subject, &actor(), &[]), refused);
    }
}

#[test]
fn the_actor_token_is_the_clients_own_and_not_delegated() {
    let foreign = Err(OAuthError::request("actor_token is not the authenticated client's own"));
    assert_eq!(exchange(&subject(), &with(actor(), "client_id", json!("other")), &[]), foreign);
    assert_eq!(exchange(&subject(), &with(actor(), "sub", json!("alice")), &[]), foreign);
    assert_eq!(
        exchange(&subject(), &with(actor(), "act", json!({"sub": "x"})), &[]),
        Err(OAuthError::request("actor_token is itself a delegated token"))
    );
}

#[test]
fn two_tenants_never_meet_in_one_token() {
    assert_eq!(
        exchange(&subject(), &with(actor(), "tenant", json!("globex")), &[]),
        Err(OAuthError::request("subject and actor are of different tenants"))
    );
}

#[test]
fn impersonation_is_refused() {
    let form = format!("subject_token=%7B%7D&subject_token_type={ACCESS_TOKEN}");
    let form = Form::parse(form.as_bytes()).unwrap();
    assert_eq!(
        token_exchange(&agent(), &form, NOW, 300, |_, _| Some(Map::new())),
        Err(OAuthError::request("actor_token or its type is missing, invalid or not for us"))
    );
}

#[test]
fn a_type_that_is_not_an_access_token_is_refused() {
    assert_eq!(
        exchange(
            &subject(),
            &actor(),
            &[("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")]
        ),
        Err(OAuthError::request("requested_token_type must be access_token or jwt"))
    );
}
