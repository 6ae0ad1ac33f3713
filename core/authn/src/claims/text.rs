//! Claims that are plain text: client id, token id, scope.

use crate::json::Object;
use crate::pointer::Pointer;
use crate::refusal::{ClaimProblem, Refusal};

/// A claim that may be absent, and is a non-empty string otherwise.
pub(super) fn optional(claims: &Object, name: &str) -> Result<Option<String>, Refusal> {
    inner(claims, name, name)
}

/// [`optional`] for a member of a claim: `path` names it in a refusal.
pub(super) fn inner(claim: &Object, name: &str, path: &str) -> Result<Option<String>, Refusal> {
    let Some(value) = claim.get(name) else { return Ok(None) };
    let text = value.as_str().filter(|text| !text.is_empty());
    Ok(Some(text.ok_or_else(|| Refusal::claim(path, ClaimProblem::Malformed))?.to_owned()))
}

/// `client_id` (RFC 8693 section 4.3), else `azp`. Both are checked for form.
pub(super) fn client_id(claims: &Object) -> Result<Option<String>, Refusal> {
    let authorized_party = optional(claims, "azp")?;
    Ok(optional(claims, "client_id")?.or(authorized_party))
}

/// `scope`: scope tokens separated by spaces (RFC 6749 section 3.3).
pub(super) fn scopes(claims: &Object, pointer: &Pointer) -> Result<Vec<String>, Refusal> {
    let Some(value) = pointer.find(claims) else { return Ok(Vec::new()) };
    let text =
        value.as_str().ok_or_else(|| Refusal::claim(pointer.as_str(), ClaimProblem::Malformed))?;
    Ok(text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect())
}
