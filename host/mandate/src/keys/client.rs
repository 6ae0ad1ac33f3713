//! The HTTP client: one request, no redirects, bounded in time and size.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Timeout};

use crate::keys::endpoint::Endpoint;
use crate::keys::fetch_error::FetchError;

/// How long to wait and whom to trust. The defaults are the limits: times only get shorter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// At most this long for the connection; 3 s.
    pub connect_timeout: Duration,
    /// At most this long for the whole exchange; 5 s.
    pub total_timeout: Duration,
    /// PEM file of the certificate authorities to trust *instead of* the public ones.
    pub authorities: Option<PathBuf>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { connect_timeout: LONGEST_CONNECT, total_timeout: LONGEST_TOTAL, authorities: None }
    }
}

/// An answer that was read whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, at most [`LONGEST_BODY`] bytes.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    // A body may hold a token.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Asks endpoints: HTTPS (ring, rustls), or plain HTTP on loopback.
///
/// A proxy is taken from the environment for HTTPS, where it sees only the host name, and never for
/// loopback.
#[derive(Clone, Debug)]
pub struct Client {
    outside: Agent,
    loopback: Agent,
    connect_timeout: Duration,
    total_timeout: Duration,
}

impl Client {
    /// Builds a client.
    ///
    /// # Errors
    /// [`FetchError::Authorities`] when the certificate file cannot be read or holds none.
    pub fn new(options: &ClientOptions) -> Result<Self, FetchError> {
        let roots = match &options.authorities {
            None => RootCerts::WebPki,
            Some(file) => RootCerts::from(read_authorities(file)?),
        };
        let connect_timeout = options.connect_timeout.min(LONGEST_CONNECT);
        let total_timeout = options.total_timeout.min(LONGEST_TOTAL);
        let config = || {
            Agent::config_builder()
                .tls_config(TlsConfig::builder().root_certs(roots.clone()).build())
                .user_agent(USER_AGENT)
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .max_idle_connections(0)
                .timeout_connect(Some(connect_timeout))
                .timeout_global(Some(total_timeout))
        };
        Ok(Self {
            outside: config().build().into(),
            loopback: config().proxy(None).build().into(),
            connect_timeout,
            total_timeout,
        })
    }

    /// Fetches a JSON document: status 200, no redirect, at most [`LONGEST_BODY`] bytes, UTF-8.
    ///
    /// # Errors
    /// Every [`FetchError`] of the transport, the status and the form of the body.
    pub fn get_json(&self, endpoint: &Endpoint) -> Result<String, FetchError> {
        let request = self.agent(endpoint).get(endpoint.as_str()).header("Accept", ACCEPT);
        let answer = self.read(endpoint, request.call())?;
        if answer.status != StatusCode::OK.as_u16() {
            let url = endpoint.as_str().to_owned();
            return Err(FetchError::Status { url, status: answer.status });
        }
        json_text(endpoint.as_str(), answer.body)
    }

    /// Posts a form, as OAuth endpoints want it, and returns the answer whatever its status is.
    ///
    /// # Errors
    /// Every [`FetchError`] of the transport.
    pub fn post_form(
        &self,
        endpoint: &Endpoint,
        form: &[(&str, &str)],
        authorization: Option<&str>,
    ) -> Result<Answer, FetchError> {
        let mut request =
            self.agent(endpoint).post(endpoint.as_str()).header("Accept", "application/json");
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        self.read(endpoint, request.send_form(form.iter().copied()))
    }

    /// Posts a JSON document with these headers, and returns the answer whatever its status is.
    ///
    /// # Errors
    /// Every [`FetchError`] of the transport.
    pub fn post_json(
        &self,
        endpoint: &Endpoint,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, FetchError> {
        let request = self.agent(endpoint).post(endpoint.as_str());
        let request = request.header("Content-Type", "application/json");
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.read(endpoint, request.send(body))
    }

    fn agent(&self, endpoint: &Endpoint) -> &Agent {
        if endpoint.is_loopback() { &self.loopback } else { &self.outside }
    }

    fn read(
        &self,
        endpoint: &Endpoint,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<Answer, FetchError> {
        let mut answer = answer.map_err(|error| self.failure(endpoint, &error))?;
        let status = answer.status();
        if status.is_redirection() {
            let url = endpoint.as_str().to_owned();
            return Err(FetchError::Redirect { url, status: status.as_u16() });
        }
        let body = answer.body_mut().with_config().limit(LONGEST_BODY).read_to_vec();
        let body = body.map_err(|error| self.failure(endpoint, &error))?;
        Ok(Answer { status: status.as_u16(), body })
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "ureq's error is open; each is a failure")]
    fn failure(&self, endpoint: &Endpoint, error: &ureq::Error) -> FetchError {
        let url = endpoint.as_str().to_owned();
        match error {
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                FetchError::Timeout { url, waited: self.connect_timeout }
            }
            ureq::Error::Timeout(_) => FetchError::Timeout { url, waited: self.total_timeout },
            ureq::Error::BodyExceedsLimit(limit) => {
                FetchError::TooLarge { from: url, limit: *limit }
            }
            other => FetchError::Unreachable { url, problem: other.to_string() },
        }
    }
}

/// Reads bytes as JSON text: UTF-8 that parses. A web page is named as one.
pub(super) fn json_text(from: &str, body: Vec<u8>) -> Result<String, FetchError> {
    let html = body.trim_ascii_start().starts_with(b"<");
    let not_json = || FetchError::NotJson { from: from.to_owned(), html };
    let text = String::from_utf8(body).map_err(|_| not_json())?;
    serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|_| not_json())?;
    Ok(text)
}

fn read_authorities(file: &Path) -> Result<Vec<Certificate<'static>>, FetchError> {
    let refuse =
        |problem: String| FetchError::Authorities { file: file.display().to_string(), problem };
    let pem = std::fs::read(file).map_err(|error| refuse(error.to_string()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        match item.map_err(|error| refuse(error.to_string()))? {
            PemItem::Certificate(certificate) => certificates.push(certificate),
            PemItem::PrivateKey(_) => return Err(refuse("it holds a private key".to_owned())),
            _ => {}
        }
    }
    if certificates.is_empty() {
        return Err(refuse("no `BEGIN CERTIFICATE` in it".to_owned()));
    }
    Ok(certificates)
}

/// The longest body in bytes: 64 keys of 4 KiB. Contract: decision 8.
pub const LONGEST_BODY: u64 = 256 * 1024;

const LONGEST_CONNECT: Duration = Duration::from_secs(3);
const LONGEST_TOTAL: Duration = Duration::from_secs(5);
const ACCEPT: &str = "application/jwk-set+json, application/json";
const USER_AGENT: &str = concat!("mandate/", env!("CARGO_PKG_VERSION"));
