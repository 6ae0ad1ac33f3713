//! `exp`, `nbf`, `iat`: RFC 7519 section 4.1.

use crate::json::Object;
use crate::refusal::{ClaimProblem, Refusal};
use crate::verified_token::VerifiedToken;

/// Integers, in seconds since the epoch. Fractions, strings and numbers beyond 2^53 - 1 are refused:
/// readers round them to different moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) issued_at: Option<u64>,
    pub(super) not_before: Option<u64>,
    pub(super) expires_at: u64,
}

pub(super) fn read(claims: &Object) -> Result<Times, Refusal> {
    let expires_at = seconds(claims, "exp")?;
    Ok(Times {
        expires_at: expires_at.ok_or_else(|| Refusal::claim("exp", ClaimProblem::Missing))?,
        not_before: seconds(claims, "nbf")?,
        issued_at: seconds(claims, "iat")?,
    })
}

fn seconds(claims: &Object, name: &str) -> Result<Option<u64>, Refusal> {
    let read = |value: &crate::json::Json| {
        value.as_seconds().ok_or_else(|| Refusal::claim(name, ClaimProblem::Malformed))
    };
    claims.get(name).map(read).transpose()
}

impl Times {
    pub(super) fn require_current(self, now: u64, skew: u64) -> Result<(), Refusal> {
        if now >= self.expires_at.saturating_add(skew) {
            return Err(Refusal::Expired { now, expires: self.expires_at });
        }
        let latest = now.saturating_add(skew);
        let starts = [("nbf", self.not_before), ("iat", self.issued_at)];
        for (claim, starts) in starts {
            if let Some(starts) = starts.filter(|starts| *starts > latest) {
                return Err(Refusal::NotYetValid { claim, now, starts });
            }
        }
        Ok(())
    }

    pub(super) fn require_lifetime(self, maximum: Option<u64>) -> Result<(), Refusal> {
        let Some(maximum) = maximum else { return Ok(()) };
        let issued_at =
            self.issued_at.ok_or_else(|| Refusal::claim("iat", ClaimProblem::Missing))?;
        let lifetime = self.expires_at.checked_sub(issued_at);
        match lifetime {
            Some(lifetime) if lifetime <= maximum => Ok(()),
            Some(_) => Err(Refusal::claim("exp", ClaimProblem::Limit)),
            None => Err(Refusal::claim("exp", ClaimProblem::Mismatch)),
        }
    }
}

/// Requires a verified token to be current: looked at again on every use of a cached one.
pub(crate) fn require_current(token: &VerifiedToken, now: u64, skew: u64) -> Result<(), Refusal> {
    let VerifiedToken { issued_at, not_before, expires_at, .. } = *token;
    Times { issued_at, not_before, expires_at }.require_current(now, skew)
}
