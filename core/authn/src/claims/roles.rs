//! Roles, with the claim that each came from.

use crate::json::Object;
use crate::pointer::Pointer;
use crate::refusal::{ClaimProblem, Refusal};
use crate::verified_token::Role;

/// Reads every listed claim that is there; each must be an array of strings.
pub(super) fn read(claims: &Object, pointers: &[Pointer]) -> Result<Vec<Role>, Refusal> {
    let mut roles = Vec::new();
    for (path, value) in pointers.iter().flat_map(|pointer| pointer.find_all(claims)) {
        let names =
            value.as_strings().ok_or_else(|| Refusal::claim(&path, ClaimProblem::Malformed))?;
        roles.extend(
            names.into_iter().map(|name| Role { path: path.clone(), name: name.to_owned() }),
        );
    }
    Ok(roles)
}
