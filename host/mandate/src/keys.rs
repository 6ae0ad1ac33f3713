//! Issuers' keys: fetched by discovery or from a URL, or read from a file.
//!
//! The conduct is the contract's (decision 1): HTTPS only (plain HTTP on loopback), no redirects,
//! status 200, at most 256 KiB, at most five seconds; the discovery document's `issuer` must be the
//! configured text; a set that is no JSON, empty or ambiguous is a failed fetch; a failed fetch
//! changes nothing; an unknown key id leads to one fetch, at most every 30 seconds for an issuer.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use mandate::keys::{ClientOptions, KeySources, trust_document};
//!
//! let contract = serde_json::from_str(&std::fs::read_to_string("contract.json")?)?;
//! let mut sources = KeySources::new(&contract, &[], &ClientOptions::default())?;
//! let document = trust_document(&contract, &mut sources, 1_700_000_000);
//! for (issuer, error) in &document.failures {
//!     println!("{issuer}: {error}");
//! }
//! # Ok(())
//! # }
//! ```

mod client;
mod discovery;
mod endpoint;
mod fetch_error;
mod key_source;
mod quoted;
mod trust_document;

pub use client::{Answer, Client, ClientOptions, LONGEST_BODY};
pub use discovery::Discovery;
pub use endpoint::{Endpoint, EndpointError};
pub use fetch_error::FetchError;
pub use key_source::{FetchedKeys, KeyOrigin, KeySource, REFRESH_INTERVAL, Refresh};
pub use quoted::{plain, quoted};
pub use trust_document::{KeySources, SourceError, TrustDocument, refresh, trust_document};
