//! The issuer itself: what it answers, without the network.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Validation, decode, decode_header};
use serde_json::{Map, Value, json};

use crate::dev_issuer::authentication::authenticate;
use crate::dev_issuer::client::Client;
use crate::dev_issuer::client_credentials::client_credentials;
use crate::dev_issuer::form::Form;
use crate::dev_issuer::grant::Grant;
use crate::dev_issuer::key_ring::{KeyRing, generate_all};
use crate::dev_issuer::oauth_error::{ErrorCode, OAuthError};
use crate::dev_issuer::signing_key::{KeyError, SigningAlgorithm, random_text};
use crate::dev_issuer::token_exchange::token_exchange;

/// Everything the issuer knows.
pub(super) struct Issuer {
    pub(super) url: String,
    pub(super) admin_secret: String,
    pub(super) clients: Vec<Client>,
    pub(super) algorithm: SigningAlgorithm,
    pub(super) lifetime: u64,
    pub(super) overlap: u64,
    pub(super) keys: Mutex<KeyRing>,
}

impl Issuer {
    /// The discovery document (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2).
    pub(super) fn discovery(&self) -> Value {
        let url = &self.url;
        json!({
            "issuer": url,
            "jwks_uri": format!("{url}/jwks"),
            "token_endpoint": format!("{url}/token"),
            "grant_types_supported": [CLIENT_CREDENTIALS, TOKEN_EXCHANGE],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": SigningAlgorithm::ALL.map(SigningAlgorithm::as_str),
        })
    }

    /// The published keys.
    pub(super) fn jwks(&self) -> Value {
        self.keys().jwks(now())
    }

    /// New keys; the old ones stay published for the overlap, or go at once.
    pub(super) fn rotate(&self, drop_old: bool) -> Result<(), KeyError> {
        let fresh = generate_all()?;
        let overlap = if drop_old { 0 } else { self.overlap };
        self.keys().rotate(fresh, overlap, now());
        Ok(())
    }

    /// The token endpoint (RFC 6749 section 3.2).
    pub(super) fn token(
        &self,
        authorization: Option<&str>,
        body: &[u8],
    ) -> Result<Value, OAuthError> {
        let form = Form::parse(body)?;
        let client = authenticate(&self.clients, authorization, &form)?;
        let now = now();
        let grant = match form.one("grant_type") {
            Some(CLIENT_CREDENTIALS) => client_credentials(client, &form, now, self.lifetime)?,
            Some(TOKEN_EXCHANGE) => {
                let verify = |token: &str, audiences: &[String]| self.verify(token, audiences, now);
                token_exchange(client, &form, now, self.lifetime, verify)?
            }
            Some(_) => {
                let description = "only client_credentials and token-exchange are served";
                return Err(OAuthError::new(ErrorCode::UnsupportedGrantType, description));
            }
            None => return Err(OAuthError::request("grant_type is missing")),
        };
        self.answer(client, grant, now)
    }

    /// Signs a token with any claims and header members, for tests of refusals. Members given as
    /// null are left out; the others go over what an ordinary token has.
    pub(super) fn mint(
        &self,
        algorithm: SigningAlgorithm,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, KeyError> {
        let now = now();
        let mut all = Map::new();
        all.insert("iss".to_owned(), json!(self.url));
        all.insert("iat".to_owned(), json!(now));
        all.insert("exp".to_owned(), json!(now.saturating_add(self.lifetime)));
        all.insert("jti".to_owned(), json!(random_text::<16>()?));
        overlay(&mut all, claims);
        self.sign(algorithm, header, &all)
    }

    fn answer(&self, client: &Client, grant: Grant, now: u64) -> Result<Value, OAuthError> {
        let failed = |_: KeyError| OAuthError::new(ErrorCode::ServerError, "signing failed");
        let mut claims = grant.claims;
        claims.insert("iss".to_owned(), json!(self.url));
        claims.insert("iat".to_owned(), json!(now));
        claims.insert("jti".to_owned(), json!(random_text::<16>().map_err(failed)?));
        let token = self.sign(client.algorithm, &Map::new(), &claims).map_err(failed)?;
        let mut answer = json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": grant.expires.saturating_sub(now),
            "scope": grant.scope,
        });
        if let (Some(kind), Some(answer)) = (grant.issued_token_type, answer.as_object_mut()) {
            answer.insert("issued_token_type".to_owned(), json!(kind));
        }
        Ok(answer)
    }

    fn sign(
        &self,
        algorithm: SigningAlgorithm,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, KeyError> {
        // Out of the lock before signing: RSA takes milliseconds.
        let key = self.keys().signing(algorithm).cloned().ok_or_else(KeyError::no_key)?;
        let mut all = Map::new();
        all.insert("alg".to_owned(), json!(algorithm.as_str()));
        all.insert("typ".to_owned(), json!(TYPE));
        all.insert("kid".to_owned(), json!(key.id()));
        overlay(&mut all, header);
        key.sign(&all, claims)
    }

    /// Checks one of this issuer's own tokens, as RFC 8693 section 2.1 asks of it.
    fn verify(&self, token: &str, audiences: &[String], now: u64) -> Option<Map<String, Value>> {
        let header = decode_header(token).ok()?;
        let key = self.keys().published(header.kid.as_deref()?, now).cloned()?;
        let typed = header.typ.as_deref() == Some(TYPE);
        if !typed || header.crit.is_some() || header.alg != key.algorithm().jose() {
            return None;
        }
        let mut validation = Validation::new(header.alg);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.url]);
        validation.set_audience(audiences);
        decode(token, &key.decoding_key().ok()?, &validation).ok().map(|token| token.claims)
    }

    fn keys(&self) -> MutexGuard<'_, KeyRing> {
        // A panic elsewhere cannot leave the ring half changed: it is changed in one step.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn overlay(object: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (name, value) in over {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

const CLIENT_CREDENTIALS: &str = "client_credentials";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// RFC 9068 section 2.1.
const TYPE: &str = "at+jwt";
