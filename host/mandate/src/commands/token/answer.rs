//! The token endpoint's answer.
//!
//! Spec: RFC 6749 sections 5.1 and 5.2, RFC 8693 section 2.2.

use serde_json::{Map, Value, json};

use crate::commands::token::failure::Failure;
use crate::commands::token::secret::Secret;
use crate::keys::{Answer, Endpoint};

/// What a caller of an API needs of it. A refresh or ID token in the answer is dropped: it would be
/// a second secret that nobody asked for.
#[derive(Clone, PartialEq)]
pub(in crate::commands) struct TokenAnswer {
    token: String,
    members: Map<String, Value>,
}

impl TokenAnswer {
    /// Reads an answer. `secrets` are taken out of what the provider says.
    pub(super) fn read(
        endpoint: &Endpoint,
        answer: &Answer,
        secrets: &[&Secret],
        now: u64,
    ) -> Result<Self, Failure> {
        let body: Option<Map<String, Value>> = serde_json::from_slice(&answer.body).ok();
        let text = |member: &str| body.as_ref().and_then(|body| body.get(member)?.as_str());
        if answer.status != 200 {
            let Some(code) = text("error") else {
                let status = answer.status;
                let problem = "which is no OAuth answer";
                return Err(Failure::usage(format!("{endpoint} answered {status}, {problem}")));
            };
            let description = text("error_description").map(|text| without(text, secrets));
            return Err(Failure::refused(&without(code, secrets), description.as_deref()));
        }
        let incomplete =
            |what: &str| Failure::usage(format!("{endpoint} answered 200 without {what}"));
        let token = text("access_token").ok_or_else(|| incomplete("an `access_token`"))?;
        if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(incomplete("`token_type` Bearer"));
        }
        let mut members = Map::new();
        for name in ["access_token", "token_type", "expires_in", "scope", "issued_token_type"] {
            if let Some(value) = body.as_ref().and_then(|body| body.get(name)) {
                members.insert(name.to_owned(), value.clone());
            }
        }
        if let Some(seconds) = members.get("expires_in").and_then(Value::as_u64) {
            members.insert("expires_at".to_owned(), json!(now.saturating_add(seconds)));
        }
        Ok(Self { token: token.to_owned(), members })
    }

    /// What is printed: the token alone, or one JSON object.
    pub(in crate::commands) fn text(self, json: bool) -> String {
        if json { Value::Object(self.members).to_string() } else { self.token }
    }
}

/// A provider that repeats a secret in its error does not get it onto the terminal.
fn without(text: &str, secrets: &[&Secret]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.reveal(), "[secret]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<TokenAnswer, Failure> {
        let endpoint = Endpoint::parse("https://idp.example/token").unwrap();
        TokenAnswer::read(&endpoint, &Answer { status, body: body.into() }, &[], 1_000)
    }

    #[test]
    fn the_json_form_holds_what_a_caller_needs_and_no_other_secret() {
        let body = r#"{"access_token":"a.b.c","token_type":"bearer","expires_in":300,
            "refresh_token":"r","id_token":"i","scope":"x"}"#;
        let text = read(200, body).unwrap_or_else(|failure| panic!("{failure:?}")).text(true);
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({"access_token": "a.b.c", "token_type": "bearer", "expires_in": 300,
                "expires_at": 1_300, "scope": "x"})
        );
    }

    #[test]
    fn a_refusal_names_the_oauth_error() {
        let body = r#"{"error":"invalid_client","error_description":"bad\nclient"}"#;
        let failure = read(401, body).err().unwrap();
        let message = "the provider refused: invalid_client (bad?client)".to_owned();
        assert_eq!(failure, Failure { message, refused: true });
    }

    #[test]
    fn an_answer_that_is_no_oauth_answer_is_not_a_refusal() {
        let message = |status, body| {
            let failure = read(status, body).err().unwrap();
            assert!(!failure.refused);
            failure.message
        };
        let endpoint = "`https://idp.example/token`";
        assert_eq!(
            message(502, "<html>"),
            format!("{endpoint} answered 502, which is no OAuth answer")
        );
        assert_eq!(
            message(200, "{}"),
            format!("{endpoint} answered 200 without an `access_token`")
        );
        assert_eq!(
            message(200, r#"{"access_token":"a","token_type":"DPoP"}"#),
            format!("{endpoint} answered 200 without `token_type` Bearer")
        );
    }
}
