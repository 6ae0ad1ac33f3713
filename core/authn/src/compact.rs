//! The compact serialisation of a JWS: RFC 7515 section 7.1.

use crate::base64url;
use crate::header::Header;
use crate::json::{Json, Object};
use crate::limits;
use crate::refusal::{Malformation, Part, Refusal};

/// A token in its parts. Nothing in it is verified.
#[derive(Clone, Debug)]
pub(crate) struct CompactJws<'t> {
    pub(crate) header: Header,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    /// `BASE64URL(header) "." BASE64URL(payload)`: what the signature covers.
    pub(crate) signing_input: &'t [u8],
}

impl<'t> CompactJws<'t> {
    pub(crate) fn parse(token: &'t [u8]) -> Result<Self, Refusal> {
        let [header, payload, signature] = split(token)?;
        let end = header.len().saturating_add(payload.len()).saturating_add(1);
        let signing_input = token.get(..end).ok_or(Refusal::Malformed(Malformation::Parts))?;
        let header = decode(header, Part::Header)?;
        let payload = decode(payload, Part::Payload)?;
        let signature = decode(signature, Part::Signature)?;
        let header = Header::from_members(object(&header, Part::Header)?)?;
        Ok(Self { header, payload, signature, signing_input })
    }

    /// The payload as claims.
    pub(crate) fn claims(&self) -> Result<Object, Refusal> {
        object(&self.payload, Part::Payload)
    }
}

/// Splits within the size limit, before anything is decoded.
pub(crate) fn split(token: &[u8]) -> Result<[&[u8]; 3], Refusal> {
    if token.is_empty() {
        return Err(Refusal::TokenMissing);
    }
    if token.len() > limits::TOKEN_BYTES {
        return Err(Refusal::TooLarge { bytes: token.len() });
    }
    let mut parts = token.split(|byte| *byte == b'.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok([header, payload, signature]),
        _ => Err(Refusal::Malformed(Malformation::Parts)),
    }
}

pub(crate) fn decode(text: &[u8], part: Part) -> Result<Vec<u8>, Refusal> {
    base64url::decode(text).ok_or(Refusal::Malformed(Malformation::Base64(part)))
}

pub(crate) fn object(bytes: &[u8], part: Part) -> Result<Object, Refusal> {
    match Json::parse(bytes, limits::JSON_DEPTH) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err(Refusal::Malformed(Malformation::NotObject(part))),
        Err(error) => Err(Refusal::Malformed(Malformation::Json(part, error))),
    }
}
