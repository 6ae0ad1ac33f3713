//! The request's side of a validation.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Serialize, Serializer};

use crate::bindings::authn;

/// What a token is validated for: one audience, at one moment, on one connection.
///
/// # Example
/// ```
/// use mandate_host::ValidateRequest;
///
/// let request = ValidateRequest::new("https://board.example", 1_780_000_000);
/// let bound = request.with_certificate_sha256([7; 32]);
/// assert!(bound.certificate_sha256.is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ValidateRequest {
    /// The audience of the route or app that was called: operator's configuration, never read from
    /// the request.
    pub audience: String,
    /// Now, in seconds since the epoch, from the embedder's clock.
    pub now: u64,
    /// SHA-256 of the client certificate that was verified on this connection. Never filled from a
    /// header. In JSON: base64url.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "base64url")]
    pub certificate_sha256: Option<[u8; 32]>,
    /// Room for growth: a name that the plugin does not know is refused as `malformed`.
    #[serde(skip)]
    pub extra: Vec<(String, String)>,
}

impl ValidateRequest {
    /// Asks for a token for `audience`, at `now` seconds since the epoch.
    #[must_use]
    pub fn new(audience: impl Into<String>, now: u64) -> Self {
        Self { audience: audience.into(), now, certificate_sha256: None, extra: Vec::new() }
    }

    /// Adds the SHA-256 of the client certificate that was verified on this connection
    /// (RFC 8705 section 3).
    #[must_use]
    pub fn with_certificate_sha256(self, digest: [u8; 32]) -> Self {
        Self { certificate_sha256: Some(digest), ..self }
    }
}

impl ValidateRequest {
    /// Its further members as the plugin takes them.
    pub(crate) fn lend_extra(&self) -> Vec<(&str, &str)> {
        self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The request as the plugin takes it, with its further members.
    pub(crate) fn lend<'r>(
        &'r self,
        extra: &'r [(&'r str, &'r str)],
    ) -> authn::ValidateRequest<'r> {
        authn::ValidateRequest {
            audience: &self.audience,
            now: self.now,
            certificate_sha256: self.certificate_sha256.as_ref().map(<[u8; 32]>::as_slice),
            extra,
        }
    }
}

fn base64url<S: Serializer>(digest: &Option<[u8; 32]>, serializer: S) -> Result<S::Ok, S::Error> {
    digest.map(|digest| BASE64_URL_SAFE_NO_PAD.encode(digest)).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_reads_as_in_the_probe_protocol() {
        let request = ValidateRequest::new("https://board.example", 1_780_000_000);
        assert_eq!(
            serde_json::to_value(&request).unwrap(),
            json!({"audience": "https://board.example", "now": 1_780_000_000})
        );
        assert_eq!(
            serde_json::to_value(request.with_certificate_sha256([0; 32])).unwrap(),
            json!({
                "audience": "https://board.example",
                "now": 1_780_000_000,
                "certificate_sha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            })
        );
    }
}
