//! A look at a token without verification: for people, never for decisions.

use crate::compact::{decode, object, split};
use crate::json::{Json, Object};
use crate::refusal::{Part, Refusal};

/// A token's header and payload, **not verified**: anybody can have written them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedToken {
    header: Object,
    payload: Object,
}

impl UnverifiedToken {
    /// Decodes a token under the same strict rules as validation.
    ///
    /// # Errors
    /// [`Refusal::TokenMissing`], [`Refusal::TooLarge`] or [`Refusal::Malformed`].
    pub fn decode(token: &[u8]) -> Result<Self, Refusal> {
        let [header, payload, _] = split(token)?;
        Ok(Self {
            header: object(&decode(header, Part::Header)?, Part::Header)?,
            payload: object(&decode(payload, Part::Payload)?, Part::Payload)?,
        })
    }

    /// The header's members.
    #[must_use]
    pub const fn header(&self) -> &Object {
        &self.header
    }

    /// The claims.
    #[must_use]
    pub const fn payload(&self) -> &Object {
        &self.payload
    }

    /// A claim's text.
    #[must_use]
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.payload.get(claim).and_then(Json::as_str)
    }
}
