//! Bytes in JSON: a text where they are UTF-8, else `{"base64url": "…"}`.

use mandate_authn::{Json, base64url};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Bytes, as a question states them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes(Vec<u8>);

impl Bytes {
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

/// Bytes, as an answer states them.
pub(super) fn bytes_json(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok(text) => Json::from(text),
        Err(_) => {
            let encoded = Json::from(base64url::encode(bytes));
            mandate_authn::json_object([("base64url", Some(encoded))])
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text, or `base64url`")]
enum Written {
    Text(String),
    Encoded(Encoded),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded {
    base64url: String,
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Encoded(Encoded { base64url }) => base64url::decode(base64url.as_bytes())
                .map(Self)
                .ok_or_else(|| D::Error::custom("is no base64url without padding")),
        }
    }
}
