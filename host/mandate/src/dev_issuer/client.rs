//! Registered clients: the services and agents that may ask for tokens.

use std::fmt;

use ring::digest::{Digest, SHA256, digest};
use serde::Deserialize;

use crate::dev_issuer::signing_key::{KeyError, SigningAlgorithm, random_text};

/// One client's registration, as in the clients file:
/// `{"clients": [{"client_id": "board-agent", "audiences": ["https://board.example"], …}]}`.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// `client_id`.
    pub client_id: String,
    /// Its secret; made at start when absent.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// `sub` of its own tokens; the client id when absent (RFC 9068 section 2.2).
    #[serde(default)]
    pub subject: Option<String>,
    /// The `tenant` claim of its own tokens.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Scopes that it may ask for; all of them when a request names none.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Audiences that it may ask for; the first when a request names none.
    pub audiences: Vec<String>,
    /// Whether it may exchange tokens: act for the user whose token it was given.
    #[serde(default)]
    pub token_exchange: bool,
    /// Audiences, besides its own client id, of tokens that it may present for exchange.
    #[serde(default)]
    pub accepts: Vec<String>,
    /// What its tokens are signed with, `RS256`, `ES256` or `EdDSA`; the issuer's default when absent.
    #[serde(default)]
    pub algorithm: Option<String>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Registration")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl Registration {
    /// A client with one audience and no scopes.
    #[must_use]
    pub fn new(client_id: &str, audience: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secret: None,
            subject: None,
            tenant: None,
            scopes: Vec::new(),
            audiences: vec![audience.to_owned()],
            token_exchange: false,
            accepts: Vec::new(),
            algorithm: None,
        }
    }

    /// Reads a clients file.
    ///
    /// # Errors
    /// A message that names the client and the member.
    pub fn parse_file(text: &str) -> Result<Vec<Self>, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            clients: Vec<Registration>,
        }
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if file.clients.is_empty() {
            return Err("`clients` is empty".to_owned());
        }
        Ok(file.clients)
    }
}

/// A registered client, its secret held as a digest only.
pub(super) struct Client {
    pub(super) registration: Registration,
    pub(super) algorithm: SigningAlgorithm,
    secret: Digest,
}

impl Client {
    /// Registers a client; returns the secret that was made for it, if it had none.
    pub(super) fn register(
        mut registration: Registration,
        default: SigningAlgorithm,
    ) -> Result<(Self, Option<String>), String> {
        let id = registration.client_id.clone();
        let refuse = |problem: &str| format!("client `{id}`: {problem}");
        if id.is_empty() || id.chars().any(|character| !character.is_ascii_graphic()) {
            return Err(refuse("`client_id` must be printable ASCII without spaces"));
        }
        if registration.audiences.is_empty() || registration.audiences.contains(&String::new()) {
            return Err(refuse("`audiences` must list at least one audience, none empty"));
        }
        let algorithm = match registration.algorithm.as_deref() {
            None => default,
            Some(name) => SigningAlgorithm::parse(name)
                .ok_or_else(|| refuse("`algorithm` must be RS256, ES256 or EdDSA"))?,
        };
        let (secret, made) = match registration.client_secret.take() {
            Some(secret) if secret.len() < SHORTEST_SECRET => {
                return Err(refuse("`client_secret` is shorter than 16 characters"));
            }
            Some(secret) => (digest(&SHA256, secret.as_bytes()), None),
            None => {
                let secret = random_text::<32>().map_err(|error: KeyError| error.to_string())?;
                (digest(&SHA256, secret.as_bytes()), Some(secret))
            }
        };
        Ok((Self { registration, algorithm, secret }, made))
    }

    /// Whether this is the client's secret. Digests are compared, so timing tells nothing of it.
    pub(super) fn has_secret(&self, secret: &str) -> bool {
        digest(&SHA256, secret.as_bytes()).as_ref() == self.secret.as_ref()
    }

    pub(super) fn subject(&self) -> &str {
        self.registration.subject.as_deref().unwrap_or(&self.registration.client_id)
    }
}

const SHORTEST_SECRET: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(registration: Registration) -> String {
        Client::register(registration, SigningAlgorithm::Rs256).err().unwrap()
    }

    #[test]
    fn a_secret_is_made_for_a_client_without_one() {
        let registration = Registration::new("agent", "https://board.example");
        let (client, secret) = Client::register(registration, SigningAlgorithm::Rs256).unwrap();
        let secret = secret.unwrap();
        assert_eq!((client.has_secret(&secret), client.has_secret("other")), (true, false));
    }

    #[test]
    fn a_registration_that_cannot_work_is_refused() {
        let valid = Registration::new("agent", "https://board.example");
        assert_eq!(
            refusal(Registration { client_secret: Some("short".to_owned()), ..valid.clone() }),
            "client `agent`: `client_secret` is shorter than 16 characters"
        );
        assert_eq!(
            refusal(Registration { audiences: Vec::new(), ..valid.clone() }),
            "client `agent`: `audiences` must list at least one audience, none empty"
        );
        assert_eq!(
            refusal(Registration { algorithm: Some("HS256".to_owned()), ..valid }),
            "client `agent`: `algorithm` must be RS256, ES256 or EdDSA"
        );
    }

    #[test]
    fn an_unknown_member_of_the_clients_file_is_refused() {
        let file = r#"{"clients":[{"client_id":"a","audiences":["b"],"secret":"c"}]}"#;
        let error = Registration::parse_file(file).unwrap_err();
        assert!(error.starts_with("unknown field `secret`"), "{error}");
    }
}
