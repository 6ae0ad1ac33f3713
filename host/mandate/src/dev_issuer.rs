//! A development OIDC issuer: real keys, real grants, loopback only.
//!
//! It serves discovery, a key set that rotates, client credentials (RFC 6749 section 4.4) and token
//! exchange with `act` (RFC 8693), so that demos and tests get tokens by the standard requests. Keys
//! are made at start and never written. Built only with the cargo feature `dev`: a release cannot mint.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use mandate::dev_issuer::{DevIssuer, Options, Registration};
//!
//! let agent = Registration::new("board-agent", "https://board.example");
//! let issuer = DevIssuer::start(Options::new(vec![agent]))?;
//! println!("{} {}", issuer.url(), issuer.jwks());
//! issuer.stop();
//! # Ok(())
//! # }
//! ```

mod authentication;
mod client;
mod client_credentials;
mod form;
mod grant;
mod issuer;
mod key_ring;
mod oauth_error;
mod routes;
mod server;
mod signing_key;
mod token_exchange;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Map, Value};

pub use client::Registration;
pub use signing_key::{KeyError, SigningAlgorithm, SigningKey};

use crate::dev_issuer::client::Client;
use crate::dev_issuer::issuer::Issuer;
use crate::dev_issuer::key_ring::KeyRing;
use crate::dev_issuer::server::Running;
use crate::dev_issuer::signing_key::random_text;

/// How to start a development issuer.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen: a loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who may ask for tokens.
    pub clients: Vec<Registration>,
    /// What tokens are signed with, unless a client says otherwise.
    pub algorithm: SigningAlgorithm,
    /// How long tokens live, in seconds.
    pub lifetime: u64,
    /// How long a key stays published after a rotation, in seconds.
    pub overlap: u64,
    /// How often keys are rotated without being asked for.
    pub rotate_every: Option<Duration>,
}

impl Options {
    /// A free port of 127.0.0.1, RS256, tokens of five minutes, keys published as long.
    #[must_use]
    pub fn new(clients: Vec<Registration>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clients,
            algorithm: SigningAlgorithm::Rs256,
            lifetime: 300,
            overlap: 300,
            rotate_every: None,
        }
    }
}

/// A running development issuer; dropping it stops it.
pub struct DevIssuer {
    issuer: Arc<Issuer>,
    made_secrets: Vec<(String, String)>,
    _running: Running,
}

impl fmt::Debug for DevIssuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DevIssuer").field("url", &self.issuer.url).finish_non_exhaustive()
    }
}

impl DevIssuer {
    /// Makes keys and secrets, and listens.
    ///
    /// # Errors
    /// [`StartError`]: an address that is not loopback or is taken, a client that cannot work, a key
    /// that cannot be made.
    pub fn start(options: Options) -> Result<Self, StartError> {
        if !options.listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(options.listen));
        }
        let mut clients: Vec<Client> = Vec::new();
        let mut made_secrets = Vec::new();
        for registration in options.clients {
            let id = registration.client_id.clone();
            if clients.iter().any(|client| client.registration.client_id == id) {
                return Err(StartError::Client(format!("client `{id}` is listed twice")));
            }
            let (client, secret) =
                Client::register(registration, options.algorithm).map_err(StartError::Client)?;
            clients.push(client);
            made_secrets.extend(secret.map(|secret| (id, secret)));
        }
        let taken = |error: std::io::Error| StartError::Listen(options.listen, error.to_string());
        let listener = TcpListener::bind(options.listen).map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let issuer = Arc::new(Issuer {
            url: format!("http://{address}"),
            admin_secret: random_text::<32>().map_err(StartError::Key)?,
            clients,
            algorithm: options.algorithm,
            lifetime: options.lifetime,
            overlap: options.overlap,
            keys: Mutex::new(KeyRing::generate().map_err(StartError::Key)?),
        });
        let running = Running::start(listener, &issuer, options.rotate_every)
            .map_err(|problem| StartError::Listen(address, problem))?;
        Ok(Self { issuer, made_secrets, _running: running })
    }

    /// The issuer's identifier, which is its URL: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.issuer.url
    }

    /// The secret of this start that `/dev/mint` and `/dev/rotate` ask for.
    #[must_use]
    pub fn admin_secret(&self) -> &str {
        &self.issuer.admin_secret
    }

    /// The secrets that were made at start, as (client id, secret).
    #[must_use]
    pub fn made_secrets(&self) -> &[(String, String)] {
        &self.made_secrets
    }

    /// The published key set.
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.issuer.jwks()
    }

    /// Rotates the keys; with `drop_old` the old ones are no longer published at once.
    ///
    /// # Errors
    /// [`KeyError`] when no new key can be made; the old ones stay.
    pub fn rotate(&self, drop_old: bool) -> Result<(), KeyError> {
        self.issuer.rotate(drop_old)
    }

    /// Signs a token with these claims over the ordinary ones; null leaves a claim out. For tests of
    /// refusals: an expired token, another audience, a user's token.
    ///
    /// # Errors
    /// [`KeyError`] when the token cannot be signed.
    pub fn mint(&self, claims: &Map<String, Value>) -> Result<String, KeyError> {
        self.issuer.mint(self.issuer.algorithm, &Map::new(), claims)
    }

    /// Stops listening and forgets the keys.
    pub fn stop(self) {}
}

/// Why the development issuer does not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// A client's registration cannot work.
    Client(String),
    /// No key or secret can be made.
    Key(KeyError),
    /// The address cannot be listened on.
    Listen(SocketAddr, String),
    /// The address can be reached from elsewhere.
    NotLoopback(SocketAddr),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(problem) => formatter.write_str(problem),
            Self::Key(error) => error.fmt(formatter),
            Self::Listen(address, problem) => {
                write!(formatter, "cannot listen on {address}: {problem}")
            }
            Self::NotLoopback(address) => write!(
                formatter,
                "{address} is not a loopback address: the development issuer serves this machine only"
            ),
        }
    }
}

impl std::error::Error for StartError {}
