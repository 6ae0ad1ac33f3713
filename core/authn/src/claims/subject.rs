//! Who: the subject and its tenant.

use crate::contract::Issuer;
use crate::json::Object;
use crate::pointer::Pointer;
use crate::refusal::{ClaimProblem, Refusal};

/// Requires a `sub` (RFC 9068 section 2.2), and the claim that the contract maps, if another.
pub(super) fn require(claims: &Object, mapped: &Pointer) -> Result<String, Refusal> {
    let sub = text(claims.get("sub"))?;
    if mapped.as_str() == "/sub" {
        return Ok(sub);
    }
    text(mapped.find(claims))
}

fn text(value: Option<&crate::json::Json>) -> Result<String, Refusal> {
    let value = value.ok_or(Refusal::Subject(ClaimProblem::Missing))?;
    let text = value.as_str().filter(|text| !text.is_empty());
    Ok(text.ok_or(Refusal::Subject(ClaimProblem::Malformed))?.to_owned())
}

/// The tenant claim. Absent is no disagreement here: the registry knows the tenant.
pub(super) fn tenant(claims: &Object, issuer: &Issuer) -> Result<Option<String>, Refusal> {
    let Some(pointer) = &issuer.tenant_claim else { return Ok(None) };
    let Some(value) = pointer.find(claims) else { return Ok(None) };
    let tenant =
        value.as_str().ok_or_else(|| Refusal::claim(pointer.as_str(), ClaimProblem::Malformed))?;
    if issuer.tenants.iter().any(|listed| listed == tenant) {
        Ok(Some(tenant.to_owned()))
    } else {
        Err(Refusal::Tenant { tenant: tenant.to_owned() })
    }
}
