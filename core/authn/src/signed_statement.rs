//! A compact JWS that is no access token: something that the holder of a registered key states.

use crate::compact::CompactJws;
use crate::json::{Json, Object};
use crate::key_set::KeySet;
use crate::limits;
use crate::refusal::{Malformation, Part, Refusal};
use crate::signature::RingBackend;

/// A statement whose form was checked. Its claims come out of it only with its key.
///
/// The strict rules for tokens hold: three parts, strict base64url, strict JSON, the size and depth
/// limits, no `crit`, no key from the header. Its `typ` keeps it from ever being taken for a token.
#[derive(Clone, Debug)]
pub struct SignedStatement<'t> {
    jws: CompactJws<'t>,
}

impl<'t> SignedStatement<'t> {
    /// Parses a statement of exactly this `typ` (RFC 8725 section 3.11). Nothing is verified yet.
    ///
    /// # Errors
    /// What is wrong with its form, type or header.
    pub fn parse(text: &'t [u8], typ: &str) -> Result<Self, Refusal> {
        let jws = CompactJws::parse(text)?;
        jws.header.algorithm()?;
        jws.header.refuse_critical()?;
        jws.header.require_type(&[typ.to_owned()], false)?;
        Ok(Self { jws })
    }

    /// The header's `kid`, **not verified**: it says which key to look up.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.jws.header.kid.as_deref()
    }

    /// Verifies the signature with one public key (a JWK) and gives the claims.
    ///
    /// # Errors
    /// [`Refusal::KeyUnknown`] for a key that may not verify this algorithm, [`Refusal::Signature`],
    /// [`Refusal::Malformed`] for claims that are no strict JSON object.
    pub fn verify(&self, jwk: &str) -> Result<Object, Refusal> {
        let malformed = |error| Refusal::Malformed(Malformation::Json(Part::Header, error));
        let jwk = Json::parse(jwk.as_bytes(), limits::JSON_DEPTH).map_err(malformed)?;
        let unusable = || Refusal::Request { member: "jwk".to_owned() };
        let jwk = jwk.as_object().ok_or_else(unusable)?;
        let keys = KeySet::from_single(jwk, &RingBackend).map_err(|_| unusable())?;
        let algorithm = self.jws.header.algorithm()?;
        // One key was looked up for this statement, so nothing is chosen by `kid` here.
        let key = keys.select(None, algorithm)?;
        key.verify(algorithm, self.jws.signing_input, &self.jws.signature)
            .map_err(|_| Refusal::Signature)?;
        self.jws.claims()
    }
}
