//! `aud`: RFC 7519 section 4.1.3. Always required.

use crate::json::{Json, Object};
use crate::refusal::{ClaimProblem, Refusal};

/// Requires the route's audience among the token's. Every element must be a non-empty string: a
/// list that another reader could reject is refused whole.
pub(super) fn require(claims: &Object, audience: &str) -> Result<Vec<String>, Refusal> {
    let stated = match claims.get("aud") {
        None => return Err(Refusal::Audience(ClaimProblem::Missing)),
        Some(Json::String(text)) => Some(vec![text.as_str()]),
        Some(value) => value.as_strings(),
    };
    let stated =
        stated.filter(|stated| !stated.is_empty() && stated.iter().all(|text| !text.is_empty()));
    let stated = stated.ok_or(Refusal::Audience(ClaimProblem::Malformed))?;
    if !stated.contains(&audience) {
        return Err(Refusal::Audience(ClaimProblem::Mismatch));
    }
    Ok(stated.into_iter().map(str::to_owned).collect())
}
