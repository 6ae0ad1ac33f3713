//! One issuer's key set: where it comes from, and the one that is in force.

use std::path::{Path, PathBuf};

use mandate_authn::KeySet;
use serde_json::Value;

use crate::keys::client::{Client, LONGEST_BODY, json_text};
use crate::keys::discovery::Discovery;
use crate::keys::endpoint::Endpoint;
use crate::keys::fetch_error::FetchError;

/// Where an issuer's keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOrigin {
    /// OIDC discovery names the key set.
    Discovery,
    /// A file: never stale, never fetched.
    File(PathBuf),
    /// The contract names the key set's URL (`jwks_uri`).
    Url(String),
}

/// A key set that passed every check of [`KeySet::parse`].
#[derive(Clone, Debug, PartialEq)]
pub struct FetchedKeys {
    /// The JWK set (RFC 7517 section 5) as it came.
    pub keys: Value,
    /// When it came, in seconds since the epoch; absent for a file.
    pub fetched_at: Option<u64>,
}

/// One issuer's keys. A valid set replaces the old one whole; a failed fetch changes nothing.
#[derive(Clone, Debug)]
pub struct KeySource {
    issuer: String,
    origin: KeyOrigin,
    current: Option<FetchedKeys>,
    last_attempt: Option<u64>,
}

/// What an attempt to get keys did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// A valid set was fetched and is in force.
    Fetched,
    /// The fetch failed; the set before, if any, stays in force.
    Failed(FetchError),
    /// The last attempt is less than 30 seconds ago: nothing was asked.
    TooSoon {
        /// Seconds until the next attempt may be made.
        retry_after: u64,
    },
}

impl KeySource {
    /// A source that has fetched nothing yet.
    #[must_use]
    pub fn new(issuer: &str, origin: KeyOrigin) -> Self {
        Self { issuer: issuer.to_owned(), origin, current: None, last_attempt: None }
    }

    /// The issuer that the keys belong to.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The set in force, however old it is: the validator refuses what is older than an hour.
    #[must_use]
    pub fn current(&self) -> Option<&FetchedKeys> {
        self.current.as_ref()
    }

    /// Fetches now, unless the last attempt, failed or not, is less than 30 seconds ago: whoever
    /// can send tokens with invented key ids must not be able to make us ask the issuer each time.
    pub fn refresh(&mut self, client: &Client, now: u64) -> Refresh {
        if let Some(last) = self.last_attempt {
            // A clock that was set back must neither stop refreshes for long nor allow a storm.
            let retry_after = REFRESH_INTERVAL.saturating_sub(now.abs_diff(last));
            if retry_after > 0 {
                return Refresh::TooSoon { retry_after };
            }
        }
        self.last_attempt = Some(now);
        match self.fetch(client, now) {
            Ok(keys) => {
                self.current = Some(keys);
                Refresh::Fetched
            }
            Err(error) => Refresh::Failed(error),
        }
    }

    /// Fetches when there is no set, or it is old enough that the issuer may have rotated.
    pub fn refresh_if_due(&mut self, client: &Client, now: u64) -> Option<Refresh> {
        let due = match &self.current {
            None => true,
            Some(FetchedKeys { fetched_at: Some(at), .. }) => now.abs_diff(*at) >= ROUTINE_INTERVAL,
            Some(FetchedKeys { fetched_at: None, .. }) => false,
        };
        due.then(|| self.refresh(client, now))
    }

    fn fetch(&self, client: &Client, now: u64) -> Result<FetchedKeys, FetchError> {
        let (from, text, fetched_at) = match &self.origin {
            KeyOrigin::File(file) => (file.display().to_string(), read_file(file)?, None),
            KeyOrigin::Url(url) => {
                (url.clone(), client.get_json(&Endpoint::parse(url)?)?, Some(now))
            }
            KeyOrigin::Discovery => {
                let endpoint = Discovery::fetch(client, &self.issuer)?.endpoint("jwks_uri")?;
                (endpoint.as_str().to_owned(), client.get_json(&endpoint)?, Some(now))
            }
        };
        let refuse = |problem: String| FetchError::KeySet { from: from.clone(), problem };
        KeySet::parse(&text).map_err(|error| refuse(error.to_string()))?;
        let keys = serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))?;
        Ok(FetchedKeys { keys, fetched_at })
    }
}

fn read_file(file: &Path) -> Result<String, FetchError> {
    let name = file.display().to_string();
    let unreadable = |error: std::io::Error| FetchError::Unreadable {
        file: name.clone(),
        problem: error.to_string(),
    };
    let length = std::fs::metadata(file).map_err(unreadable)?.len();
    if length > LONGEST_BODY {
        return Err(FetchError::TooLarge { from: name, limit: LONGEST_BODY });
    }
    json_text(&name, std::fs::read(file).map_err(unreadable)?)
}

/// Seconds between two attempts at one issuer. Contract: decision 1.
pub const REFRESH_INTERVAL: u64 = 30;

/// Seconds after which a set is fetched again without being asked for: keys that an issuer has
/// withdrawn stop being accepted after this long, and at most an hour when the issuer is away.
const ROUTINE_INTERVAL: u64 = 300;
