//! `cnf`: RFC 7800; certificate-bound tokens, RFC 8705 section 3.1.

use crate::base64url;
use crate::json::Object;
use crate::refusal::{ClaimProblem, Refusal};
use crate::verified_token::{Confirmation, VerifiedToken};

const CERTIFICATE: &str = "x5t#S256";

/// Reads `cnf`. Any method that cannot be verified here refuses: a bound token used without its
/// proof is a stolen one.
pub(super) fn read(claims: &Object) -> Result<Option<Confirmation>, Refusal> {
    let Some(value) = claims.get("cnf") else { return Ok(None) };
    let methods =
        value.as_object().ok_or_else(|| Refusal::claim("cnf", ClaimProblem::Malformed))?;
    let unproven = |method: &str| Refusal::Binding { method: method.to_owned() };
    if let Some(other) = methods.keys().find(|method| *method != CERTIFICATE) {
        return Err(unproven(other));
    }
    let thumbprint = methods.get(CERTIFICATE).ok_or_else(|| unproven("without a method"))?;
    let decoded = thumbprint.as_str().and_then(|text| base64url::decode(text.as_bytes()));
    let thumbprint = decoded.and_then(|bytes| bytes.try_into().ok());
    let thumbprint =
        thumbprint.ok_or_else(|| Refusal::claim("cnf.x5t#S256", ClaimProblem::Malformed))?;
    Ok(Some(Confirmation { thumbprint }))
}

/// Requires the certificate of this connection where the token is bound to one: looked at again on
/// every use of a cached token.
pub(crate) fn require_proof(
    token: &VerifiedToken,
    certificate: Option<&[u8; 32]>,
) -> Result<(), Refusal> {
    match &token.confirmation {
        None => Ok(()),
        Some(Confirmation { thumbprint }) if certificate == Some(thumbprint) => Ok(()),
        Some(_) => Err(Refusal::Binding { method: CERTIFICATE.to_owned() }),
    }
}
