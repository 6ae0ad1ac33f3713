//! Which client is asking: `client_secret_basic` or `client_secret_post`.
//!
//! Spec: RFC 6749 section 2.3.1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::dev_issuer::client::Client;
use crate::dev_issuer::form::Form;
use crate::dev_issuer::oauth_error::{ErrorCode, OAuthError};
use crate::form::decode;

/// The client whose secret came with the request, in exactly one of the two places.
pub(super) fn authenticate<'clients>(
    clients: &'clients [Client],
    authorization: Option<&str>,
    form: &Form,
) -> Result<&'clients Client, OAuthError> {
    let (id, secret) = match (authorization, form.one("client_secret")) {
        (Some(_), Some(_)) => {
            return Err(OAuthError::request("the client authenticates in two ways at once"));
        }
        (Some(header), None) => {
            let (id, secret) = basic(header).ok_or(REFUSED)?;
            // A second, different client id would leave open whose token this is.
            if form.one("client_id").is_some_and(|named| named != id) {
                return Err(OAuthError::request(
                    "client_id differs from the one that authenticates",
                ));
            }
            (id, secret)
        }
        (None, Some(secret)) => {
            (form.one("client_id").ok_or(REFUSED)?.to_owned(), secret.to_owned())
        }
        (None, None) => return Err(REFUSED),
    };
    let client = clients.iter().find(|client| client.registration.client_id == id);
    client.filter(|client| client.has_secret(&secret)).ok_or(REFUSED)
}

/// Reads `Basic`: id and secret are form-encoded before they are joined (RFC 6749 appendix B).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let joined = STANDARD.decode(credentials.trim()).ok()?;
    let middle = joined.iter().position(|byte| *byte == b':')?;
    let (id, secret) = joined.split_at(middle);
    Some((decode(id)?, decode(secret.strip_prefix(b":")?)?))
}

/// One answer for an unknown client and a wrong secret.
const REFUSED: OAuthError =
    OAuthError::new(ErrorCode::InvalidClient, "client authentication failed");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dev_issuer::client::Registration;
    use crate::dev_issuer::signing_key::SigningAlgorithm;

    const SECRET: &str = "a:secret with+signs%";

    fn clients() -> Vec<Client> {
        let mut registration = Registration::new("agent", "https://board.example");
        registration.client_secret = Some(SECRET.to_owned());
        vec![Client::register(registration, SigningAlgorithm::Rs256).unwrap().0]
    }

    fn outcome(authorization: Option<&str>, form: &[u8]) -> Result<String, OAuthError> {
        let form = Form::parse(form).unwrap();
        authenticate(&clients(), authorization, &form)
            .map(|client| client.registration.client_id.clone())
    }

    fn header(credentials: &str) -> String {
        format!("Basic {}", STANDARD.encode(credentials))
    }

    #[test]
    fn basic_credentials_are_form_decoded() {
        let header = header("agent:a%3Asecret+with%2Bsigns%25");
        assert_eq!(outcome(Some(&header), b""), Ok("agent".to_owned()));
    }

    #[test]
    fn the_secret_may_come_in_the_form() {
        let form = b"client_id=agent&client_secret=a%3Asecret+with%2Bsigns%25";
        assert_eq!(outcome(None, form), Ok("agent".to_owned()));
    }

    #[test]
    fn unknown_client_wrong_secret_and_no_secret_look_the_same() {
        assert_eq!(outcome(Some(&header("other:a")), b""), Err(REFUSED));
        assert_eq!(outcome(Some(&header("agent:wrong")), b""), Err(REFUSED));
        assert_eq!(outcome(Some("Bearer abc"), b""), Err(REFUSED));
        assert_eq!(outcome(None, b"client_id=agent"), Err(REFUSED));
    }

    #[test]
    fn two_ways_at_once_are_refused() {
        let header = header("agent:a%3Asecret+with%2Bsigns%25");
        assert_eq!(
            outcome(Some(&header), b"client_id=agent&client_secret=x"),
            Err(OAuthError::request("the client authenticates in two ways at once"))
        );
        assert_eq!(
            outcome(Some(&header), b"client_id=other"),
            Err(OAuthError::request("client_id differs from the one that authenticates"))
        );
    }
}
