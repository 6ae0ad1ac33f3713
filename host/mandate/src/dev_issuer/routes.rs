//! Which request gets which answer.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::dev_issuer::issuer::Issuer;
use crate::dev_issuer::oauth_error::{ErrorCode, OAuthError};
use crate::dev_issuer::signing_key::SigningAlgorithm;

/// A request, as far as the issuer looks at it.
#[derive(Debug)]
pub(super) struct Request<'request> {
    pub(super) method: &'request str,
    pub(super) path: &'request str,
    pub(super) host: Option<&'request str>,
    pub(super) authorization: Option<&'request str>,
    pub(super) content_type: Option<&'request str>,
    pub(super) body: &'request [u8],
}

/// A JSON answer. All but the public documents are `no-store` (RFC 6749 section 5.1).
#[derive(Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) public: bool,
    /// Whether a `WWW-Authenticate: Basic` challenge belongs to it (RFC 6749 section 5.2).
    pub(super) challenge: bool,
}

/// Answers one request.
pub(super) fn answer(issuer: &Issuer, request: &Request<'_>) -> Reply {
    // A name that points here is not this issuer: no web page may reach it by DNS rebinding.
    if !is_own_host(issuer, request.host) {
        return refusal(421, "invalid_request", "the Host header names another server");
    }
    let get = request.method == "GET";
    let post = request.method == "POST";
    match request.path {
        "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server" if get => {
            public(issuer.discovery())
        }
        "/jwks" if get => public(issuer.jwks()),
        "/token" if post => token(issuer, request),
        "/dev/rotate" if post => administer(issuer, request, rotate),
        "/dev/mint" if post => administer(issuer, request, mint),
        "/.well-known/openid-configuration"
        | "/.well-known/oauth-authorization-server"
        | "/jwks"
        | "/token"
        | "/dev/rotate"
        | "/dev/mint" => refusal(405, "invalid_request", "the method is not allowed here"),
        _ => refusal(404, "invalid_request", "there is nothing at this path"),
    }
}

fn token(issuer: &Issuer, request: &Request<'_>) -> Reply {
    if !is_type(request, "application/x-www-form-urlencoded") {
        let error = OAuthError::request("the body must be application/x-www-form-urlencoded");
        return oauth_refusal(&error, false);
    }
    match issuer.token(request.authorization, request.body) {
        Ok(body) => private(body),
        Err(error) => oauth_refusal(&error, request.authorization.is_some()),
    }
}

fn administer(
    issuer: &Issuer,
    request: &Request<'_>,
    act: fn(&Issuer, &Map<String, Value>) -> Result<Value, String>,
) -> Reply {
    let secret = request.authorization.and_then(|header| header.strip_prefix("Bearer "));
    let digest = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    // Digests are compared, so timing tells nothing of the secret.
    let expected = digest(&issuer.admin_secret);
    let known = secret.is_some_and(|secret| digest(secret).as_ref() == expected.as_ref());
    if !known {
        return refusal(401, "invalid_token", "the admin secret is required");
    }
    let empty = request.body.trim_ascii().is_empty();
    if !empty && !is_type(request, "application/json") {
        return refusal(400, "invalid_request", "the body must be application/json");
    }
    let options = if empty { Ok(Map::new()) } else { serde_json::from_slice(request.body) };
    let answered = options.map_err(|error| error.to_string()).and_then(|body| act(issuer, &body));
    match answered {
        Ok(body) => private(body),
        Err(problem) => refusal(400, "invalid_request", &problem),
    }
}

fn rotate(issuer: &Issuer, options: &Map<String, Value>) -> Result<Value, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rotate {
        #[serde(default)]
        drop_old: bool,
    }
    let options: Rotate = read(options)?;
    issuer.rotate(options.drop_old).map_err(|error| error.to_string())?;
    Ok(issuer.jwks())
}

fn mint(issuer: &Issuer, options: &Map<String, Value>) -> Result<Value, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Mint {
        #[serde(default)]
        claims: Map<String, Value>,
        #[serde(default)]
        header: Map<String, Value>,
        #[serde(default)]
        algorithm: Option<String>,
    }
    let options: Mint = read(options)?;
    let algorithm = match options.algorithm.as_deref() {
        None => issuer.algorithm,
        Some(name) => SigningAlgorithm::parse(name).ok_or("`algorithm` is not one of ours")?,
    };
    let token = issuer.mint(algorithm, &options.header, &options.claims);
    Ok(json!({ "token": token.map_err(|error| error.to_string())? }))
}

fn read<T: serde::de::DeserializeOwned>(options: &Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(options.clone())).map_err(|error| error.to_string())
}

fn is_own_host(issuer: &Issuer, host: Option<&str>) -> bool {
    let Some(host) = host else { return false };
    let own = issuer.url.strip_prefix("http://").unwrap_or_default();
    let port = own.rsplit_once(':').map(|(_, port)| port);
    host == own || port.is_some_and(|port| host == format!("localhost:{port}"))
}

fn is_type(request: &Request<'_>, expected: &str) -> bool {
    let essence = request.content_type.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected))
}

fn public(body: Value) -> Reply {
    Reply { status: 200, body, public: true, challenge: false }
}

fn private(body: Value) -> Reply {
    Reply { status: 200, body, public: false, challenge: false }
}

fn oauth_refusal(error: &OAuthError, authorization: bool) -> Reply {
    let mut reply = refusal(error.code.status(), error.code.as_str(), error.description);
    reply.challenge = authorization && error.code == ErrorCode::InvalidClient;
    reply
}

pub(super) fn refusal(status: u16, code: &str, description: &str) -> Reply {
    let body = json!({ "error": code, "error_description": description });
    Reply { status, body, public: false, challenge: false }
}
