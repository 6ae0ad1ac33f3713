//! Token exchange: an agent turns its user's token into one that says who acts for whom.
//!
//! The new token's `sub` is the user, its `act` the agent, nested over whoever acted before. It is
//! never wider or longer-lived than the user's token. Impersonation (no `actor_token`) is refused:
//! a token that hides the agent is what Mandate exists to prevent.
//! Spec: RFC 8693 sections 2.1, 2.2 and 4.1 to 4.4.

use serde_json::{Map, Value, json};

use crate::dev_issuer::client::Client;
use crate::dev_issuer::form::Form;
use crate::dev_issuer::grant::{Grant, audience_claim, audiences, scope};
use crate::dev_issuer::oauth_error::{ErrorCode, OAuthError};

type Claims = Map<String, Value>;

/// Exchanges a subject token and an actor token.
///
/// `verify` checks one of this issuer's own tokens: signature, type, issuer, expiry, and that its
/// audience is one of those given.
pub(super) fn token_exchange(
    client: &Client,
    form: &Form,
    now: u64,
    lifetime: u64,
    verify: impl Fn(&str, &[String]) -> Option<Claims>,
) -> Result<Grant, OAuthError> {
    if !client.registration.token_exchange {
        let description = "the client is not registered for token exchange";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, description));
    }
    let requested = form.one("requested_token_type").unwrap_or(ACCESS_TOKEN);
    let issued_token_type = TYPES
        .into_iter()
        .find(|known| *known == requested)
        .ok_or(OAuthError::request("requested_token_type must be access_token or jwt"))?;
    let accepted = accepted_audiences(client);
    let subject = presented(form, "subject_token", "subject_token_type")
        .and_then(|token| verify(token, &accepted))
        .ok_or(OAuthError::request(
            "subject_token or its type is missing, invalid or not for us",
        ))?;
    let actor = presented(form, "actor_token", "actor_token_type")
        .and_then(|token| verify(token, &accepted))
        .ok_or(OAuthError::request("actor_token or its type is missing, invalid or not for us"))?;
    check_actor(client, &subject, &actor)?;

    let scope = scope(&shared_scopes(client, &subject), form)?;
    let subject_expires = subject.get("exp").and_then(Value::as_u64).unwrap_or(now);
    let expires = now.saturating_add(lifetime).min(subject_expires);
    let mut claims = Map::new();
    for kept in ["sub", "tenant"] {
        if let Some(value) = subject.get(kept) {
            claims.insert(kept.to_owned(), value.clone());
        }
    }
    claims.insert("aud".to_owned(), audience_claim(audiences(client, form)?));
    claims.insert("exp".to_owned(), json!(expires));
    claims.insert("client_id".to_owned(), json!(client.registration.client_id));
    claims.insert("act".to_owned(), act(&subject, &actor)?);
    if !scope.is_empty() {
        claims.insert("scope".to_owned(), json!(scope));
    }
    Ok(Grant { claims, expires, scope, issued_token_type: Some(issued_token_type) })
}

fn presented<'form>(form: &'form Form, token: &str, kind: &str) -> Option<&'form str> {
    let token = form.one(token)?;
    form.one(kind).filter(|kind| TYPES.contains(kind)).map(|_| token)
}

/// A token is for this client when its audience is the client itself or what the client serves.
fn accepted_audiences(client: &Client) -> Vec<String> {
    let registration = &client.registration;
    let own = [registration.client_id.clone()];
    own.into_iter().chain(registration.accepts.iter().cloned()).collect()
}

fn check_actor(client: &Client, subject: &Claims, actor: &Claims) -> Result<(), OAuthError> {
    let own = Value::from(client.registration.client_id.as_str());
    if actor.get("client_id") != Some(&own) || actor.get("sub") == subject.get("sub") {
        return Err(OAuthError::request("actor_token is not the authenticated client's own"));
    }
    if actor.contains_key("act") {
        return Err(OAuthError::request("actor_token is itself a delegated token"));
    }
    if let (Some(one), Some(other)) = (subject.get("tenant"), actor.get("tenant"))
        && one != other
    {
        return Err(OAuthError::request("subject and actor are of different tenants"));
    }
    match subject.get("may_act") {
        None => Ok(()),
        Some(may_act) if names(may_act, actor) => Ok(()),
        Some(_) => Err(OAuthError::request("may_act of the subject token names another actor")),
    }
}

/// Whether `may_act` names this actor: it needs at least one member that identifies somebody, and every such
/// member must agree.
fn names(may_act: &Value, actor: &Claims) -> bool {
    let Some(may_act) = may_act.as_object() else { return false };
    let identifying = ["sub", "client_id"].iter().any(|member| may_act.contains_key(*member));
    identifying && may_act.iter().all(|(member, value)| actor.get(member) == Some(value))
}

fn shared_scopes(client: &Client, subject: &Claims) -> Vec<String> {
    let subject = subject.get("scope").and_then(Value::as_str).unwrap_or_default();
    let registered = &client.registration.scopes;
    subject
        .split(' ')
        .filter(|scope| registered.iter().any(|own| own == scope))
        .map(str::to_owned)
        .collect()
}

/// The outermost `act` is who acts now; whoever acted before is nested below, as history.
fn act(subject: &Claims, actor: &Claims) -> Result<Value, OAuthError> {
    let mut act = Map::new();
    for member in ["sub", "client_id"] {
        if let Some(value) = actor.get(member) {
            act.insert(member.to_owned(), value.clone());
        }
    }
    if let Some(earlier) = subject.get("act") {
        if depth(earlier) >= DEEPEST_CHAIN {
            return Err(OAuthError::request("the chain of actors is too long"));
        }
        act.insert("act".to_owned(), earlier.clone());
    }
    Ok(Value::Object(act))
}

fn depth(act: &Value) -> usize {
    std::iter::successors(Some(act), |act| act.get("act")).count()
}

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const TYPES: [&str; 2] = [ACCESS_TOKEN, JWT];

/// Actors in one token. Contract: decision 8.
const DEEPEST_CHAIN: usize = 10;

#[cfg(test)]
mod tests;
