//! Why a document could not be fetched.

use std::fmt;
use std::time::Duration;

use crate::keys::endpoint::EndpointError;
use crate::keys::quoted::{plain, quoted};

/// Why a fetch failed. A failed fetch changes nothing: the set that was there stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// The certificate file cannot be used.
    Authorities {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The URL may not be asked.
    Endpoint(EndpointError),
    /// The discovery document speaks for another issuer.
    Issuer {
        /// The configured issuer.
        configured: String,
        /// The document's `issuer`; absent where it has none.
        stated: Option<String>,
    },
    /// The body is not a key set that may be used.
    KeySet {
        /// The URL or file.
        from: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A required member of the discovery document is missing or not a string.
    Member {
        /// The URL.
        url: String,
        /// The member.
        member: &'static str,
    },
    /// The body is not JSON.
    NotJson {
        /// The URL or file.
        from: String,
        /// Whether it looks like a web page.
        html: bool,
    },
    /// The answer points elsewhere. Redirects are refused: where keys come from is configuration.
    Redirect {
        /// The URL.
        url: String,
        /// 3xx.
        status: u16,
    },
    /// The answer's status is not 200.
    Status {
        /// The URL.
        url: String,
        /// The status.
        status: u16,
    },
    /// The server took too long.
    Timeout {
        /// The URL.
        url: String,
        /// How long was waited.
        waited: Duration,
    },
    /// The body is too long.
    TooLarge {
        /// The URL or file.
        from: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The file cannot be read.
    Unreadable {
        /// The file.
        file: String,
        /// The operating system's reason.
        problem: String,
    },
    /// No connection, or it broke.
    Unreachable {
        /// The URL.
        url: String,
        /// The reason.
        problem: String,
    },
}

impl fmt::Display for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorities { file, problem } => {
                write!(
                    formatter,
                    "{} holds no usable certificate: {}",
                    quoted(file),
                    plain(problem)
                )
            }
            Self::Endpoint(error) => error.fmt(formatter),
            Self::Issuer { configured, stated: Some(stated) } => write!(
                formatter,
                "the discovery document of {} states the issuer {}; both must be the same text",
                quoted(configured),
                quoted(stated)
            ),
            Self::Issuer { configured, stated: None } => {
                write!(
                    formatter,
                    "the discovery document of {} states no issuer",
                    quoted(configured)
                )
            }
            Self::KeySet { from, problem } => {
                write!(formatter, "{} is not a usable key set: {}", quoted(from), plain(problem))
            }
            Self::Member { url, member } => {
                write!(formatter, "{} lacks the member `{member}`, a string", quoted(url))
            }
            Self::NotJson { from, html: true } => {
                write!(formatter, "{} is HTML, not JSON", quoted(from))
            }
            Self::NotJson { from, html: false } => {
                write!(formatter, "{} is not JSON", quoted(from))
            }
            Self::Redirect { url, status } => write!(
                formatter,
                "{} answered {status}; redirects are refused, configure the final URL",
                quoted(url)
            ),
            Self::Status { url, status } => {
                write!(formatter, "{} answered {status}, expected 200", quoted(url))
            }
            Self::Timeout { url, waited } => {
                write!(formatter, "{} did not answer within {waited:?}", quoted(url))
            }
            Self::TooLarge { from, limit } => {
                write!(formatter, "{} is longer than {limit} bytes", quoted(from))
            }
            Self::Unreadable { file, problem } => {
                write!(formatter, "{} cannot be read: {}", quoted(file), plain(problem))
            }
            Self::Unreachable { url, problem } => {
                write!(formatter, "{} cannot be reached: {}", quoted(url), plain(problem))
            }
        }
    }
}

impl std::error::Error for FetchError {}

impl From<EndpointError> for FetchError {
    fn from(error: EndpointError) -> Self {
        Self::Endpoint(error)
    }
}
