//! A token's parts for the eye. Nothing in them is verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mandate_authn::{Refusal, UnverifiedToken};
use serde_json::{Map, Value};

use crate::moment;
use crate::output::Page;

/// Header and claims, and the claims' segment as it came.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decoded {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    pub(super) claims_segment: String,
}

impl Decoded {
    /// Decodes under the strict rules of validation.
    pub(super) fn parse(token: &str) -> Result<Self, Refusal> {
        UnverifiedToken::decode(token.as_bytes())?;
        let mut segments = token.split('.');
        let header = segments.next().unwrap_or_default();
        let claims = segments.next().unwrap_or_default();
        Ok(Self {
            header: members(header),
            claims: members(claims),
            claims_segment: claims.to_owned(),
        })
    }

    /// A claim's text.
    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// A claim's seconds.
    pub(super) fn seconds(&self, claim: &str) -> Option<u64> {
        self.claims.get(claim).and_then(Value::as_u64)
    }

    /// Writes both parts, with known times in UTC.
    pub(super) fn write(&self, now: u64, page: &mut Page) {
        let plain = |(name, value): (&String, &Value)| (name.clone(), value.to_string());
        page.line("header");
        rows(self.header.iter().map(plain), page);
        page.line("claims");
        let shown = |(name, value): (&String, &Value)| {
            let moment = value.as_u64().filter(|_| TIMES.contains(&name.as_str()));
            let utc = moment.map(|seconds| format!(" = {}", moment::described(seconds, now)));
            (name.clone(), format!("{value}{}", utc.unwrap_or_default()))
        };
        rows(self.claims.iter().map(shown), page);
    }

    /// The known times in UTC, by claim.
    pub(super) fn times(&self) -> Map<String, Value> {
        let utc = |name: &&str| {
            Some(((*name).to_owned(), Value::String(moment::utc(self.seconds(name)?))))
        };
        TIMES.iter().filter_map(utc).collect()
    }
}

/// The decoder has accepted these bytes already.
fn members(segment: &str) -> Map<String, Value> {
    let bytes = URL_SAFE_NO_PAD.decode(segment).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn rows(members: impl Iterator<Item = (String, String)>, page: &mut Page) {
    let members: Vec<(String, String)> = members.collect();
    let rows: Vec<(&str, String)> =
        members.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    page.rows(&rows);
}

/// RFC 7519 section 4.1, OpenID Connect Core sections 2 and 5.1.
const TIMES: [&str; 5] = ["auth_time", "exp", "iat", "nbf", "updated_at"];
