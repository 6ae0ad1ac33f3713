//! The client credentials grant: a service or an agent gets a token of its own.
//!
//! Spec: RFC 6749 section 4.4, RFC 9068 section 2.2.

use serde_json::{Map, json};

use crate::dev_issuer::client::Client;
use crate::dev_issuer::form::Form;
use crate::dev_issuer::grant::{Grant, audience_claim, audiences, scope};
use crate::dev_issuer::oauth_error::OAuthError;

/// Grants a token whose subject is the client's own.
pub(super) fn client_credentials(
    client: &Client,
    form: &Form,
    now: u64,
    lifetime: u64,
) -> Result<Grant, OAuthError> {
    let scope = scope(&client.registration.scopes, form)?;
    let expires = now.saturating_add(lifetime);
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), json!(client.subject()));
    claims.insert("aud".to_owned(), audience_claim(audiences(client, form)?));
    claims.insert("exp".to_owned(), json!(expires));
    claims.insert("client_id".to_owned(), json!(client.registration.client_id));
    if !scope.is_empty() {
        claims.insert("scope".to_owned(), json!(scope));
    }
    if let Some(tenant) = &client.registration.tenant {
        claims.insert("tenant".to_owned(), json!(tenant));
    }
    Ok(Grant { claims, expires, scope, issued_token_type: None })
}
