//! What every grant shares: the audience and scope that a client may have.

use serde_json::{Map, Value, json};

use crate::dev_issuer::client::Client;
use crate::dev_issuer::form::Form;
use crate::dev_issuer::oauth_error::{ErrorCode, OAuthError};

/// A token that a grant has decided to issue: its claims without `iss`, `iat` and `jti`.
#[derive(Debug, PartialEq)]
pub(super) struct Grant {
    pub(super) claims: Map<String, Value>,
    pub(super) expires: u64,
    pub(super) scope: String,
    /// `issued_token_type` of an exchange (RFC 8693 section 2.2.1).
    pub(super) issued_token_type: Option<&'static str>,
}

/// The audiences asked for by `audience` (RFC 8693) or `resource` (RFC 8707), else the client's first.
pub(super) fn audiences(client: &Client, form: &Form) -> Result<Vec<String>, OAuthError> {
    let registered = &client.registration.audiences;
    let mut asked: Vec<String> =
        form.all("audience").chain(form.all("resource")).map(str::to_owned).collect();
    asked.dedup();
    if asked.is_empty() {
        return Ok(registered.iter().take(1).cloned().collect());
    }
    if asked.iter().all(|audience| registered.contains(audience)) {
        return Ok(asked);
    }
    let description = "the client is not registered for this audience";
    Err(OAuthError::new(ErrorCode::InvalidTarget, description))
}

/// The scopes asked for, each of which must be allowed; all that are allowed when none are named.
pub(super) fn scope(allowed: &[String], form: &Form) -> Result<String, OAuthError> {
    let Some(asked) = form.one("scope") else { return Ok(allowed.join(" ")) };
    let asked: Vec<&str> = asked.split(' ').filter(|scope| !scope.is_empty()).collect();
    if asked.iter().all(|scope| allowed.iter().any(|allowed| allowed == scope)) {
        return Ok(asked.join(" "));
    }
    Err(OAuthError::new(ErrorCode::InvalidScope, "the scope is wider than what may be granted"))
}

/// `aud`: one audience is a string, several are a list (RFC 7519 section 4.1.3).
pub(super) fn audience_claim(mut audiences: Vec<String>) -> Value {
    match (audiences.pop(), audiences.is_empty()) {
        (Some(only), true) => json!(only),
        (last, _) => json!(audiences.into_iter().chain(last).collect::<Vec<_>>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_audience_is_a_string_and_several_are_a_list() {
        assert_eq!(audience_claim(vec!["a".to_owned()]), json!("a"));
        assert_eq!(audience_claim(vec!["a".to_owned(), "b".to_owned()]), json!(["a", "b"]));
    }
}
