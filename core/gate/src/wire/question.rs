//! Questions as they are written.

use mandate_authn::{LoadError, base64url, limits};
use serde::Deserialize;

use super::bytes::Bytes;
use crate::audit::Emission;
use crate::view::{Connection, Head, Headers, Request};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealingQuestion {
    pub(super) secret: Bytes,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BodyLimitQuestion {
    route: Option<String>,
    method: Bytes,
    target: Bytes,
    #[serde(default)]
    pub(super) headers: Vec<(Bytes, Bytes)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecideQuestion {
    pub(super) now: u64,
    emission: EmissionQuestion,
    pub(super) request: RequestQuestion,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EmissionQuestion {
    decision_id: String,
    source: String,
    sequence: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestQuestion {
    route: Option<String>,
    method: Bytes,
    target: Bytes,
    #[serde(default)]
    pub(super) headers: Vec<(Bytes, Bytes)>,
    #[serde(default)]
    body: Bytes,
    #[serde(default)]
    pub(super) trailers: Vec<(Bytes, Bytes)>,
    certificate_sha256: Option<String>,
    peer_address: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FilterListQuestion {
    pub(super) now: u64,
    pub(super) ticket: String,
    pub(super) content_type: Option<String>,
    pub(super) body: Bytes,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FilterStreamQuestion {
    pub(super) now: u64,
    pub(super) ticket: String,
    #[serde(default)]
    pub(super) held: Bytes,
    pub(super) chunk: Bytes,
    pub(super) last: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealQuestion {
    pub(super) scope: String,
    pub(super) id: Bytes,
}

/// Header fields as the view borrows them.
pub(super) struct Fields<'q>(Vec<(&'q [u8], &'q [u8])>);

impl<'q> Fields<'q> {
    pub(super) fn of(stated: &'q [(Bytes, Bytes)]) -> Self {
        Self(stated.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect())
    }
}

impl BodyLimitQuestion {
    pub(super) fn head<'q>(&'q self, headers: &'q Fields<'_>) -> Head<'q> {
        Head {
            route: self.route.as_deref(),
            method: self.method.as_slice(),
            target: self.target.as_slice(),
            headers: Headers(&headers.0),
        }
    }
}

impl DecideQuestion {
    pub(super) fn emission(&self) -> Emission<'_> {
        let EmissionQuestion { decision_id, source, sequence } = &self.emission;
        Emission { decision_id, source, sequence: *sequence }
    }
}

impl RequestQuestion {
    pub(super) fn request<'q>(
        &'q self,
        headers: &'q Fields<'_>,
        trailers: &'q Fields<'_>,
    ) -> Result<Request<'q>, LoadError> {
        let certificate = self.certificate_sha256.as_deref().map(thumbprint).transpose()?;
        Ok(Request {
            head: Head {
                route: self.route.as_deref(),
                method: self.method.as_slice(),
                target: self.target.as_slice(),
                headers: Headers(&headers.0),
            },
            body: self.body.as_slice(),
            trailers: Headers(&trailers.0),
            connection: Connection {
                certificate_sha256: certificate,
                peer_address: self.peer_address.as_deref(),
            },
        })
    }
}

/// Seconds since the epoch that every JSON reader agrees on.
pub(super) fn moment(now: u64) -> Result<u64, LoadError> {
    let exact = i64::try_from(now).is_ok_and(|now| now <= limits::LARGEST_INTEGER);
    if exact { Ok(now) } else { Err(LoadError::new("now", "is above 2^53 - 1")) }
}

fn thumbprint(text: &str) -> Result<[u8; 32], LoadError> {
    let bytes = base64url::decode(text.as_bytes()).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| LoadError::new("certificate_sha256", "is no SHA-256 in base64url"))
}
