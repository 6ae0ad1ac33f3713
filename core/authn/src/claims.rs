//! Claims, one check a file, in the order of the contract: times, audience, subject, claim tests,
//! claim mapping, confirmation.

mod actor;
mod audience;
mod confirmation;
mod roles;
mod subject;
mod text;
mod times;

use crate::contract::Issuer;
use crate::json::Object;
use crate::refusal::Refusal;
use crate::trust::Expectations;
use crate::verified_token::VerifiedToken;

pub(crate) use self::confirmation::require_proof;
pub(crate) use self::times::require_current;

/// Turns the claims of a token with a valid signature into a verified token.
pub(crate) fn verify(
    claims: &Object,
    issuer: &Issuer,
    expectations: &Expectations<'_>,
    now: u64,
    certificate: Option<&[u8; 32]>,
) -> Result<VerifiedToken, Refusal> {
    let times = times::read(claims)?;
    times.require_current(now, expectations.skew())?;
    times.require_lifetime(issuer.maximum_lifetime)?;
    let audiences = audience::require(claims, expectations.audience())?;
    let subject = subject::require(claims, &issuer.subject_claim)?;
    for test in &issuer.claim_tests {
        test.require(claims)?;
    }
    let tenant = subject::tenant(claims, issuer)?;
    let (actor, actor_history) = actor::chain(claims, issuer)?;
    let token = VerifiedToken {
        issuer: issuer.issuer().to_owned(),
        subject,
        tenant,
        audiences,
        client_id: text::client_id(claims)?,
        token_id: text::optional(claims, "jti")?,
        issued_at: times.issued_at,
        not_before: times.not_before,
        expires_at: times.expires_at,
        scopes: text::scopes(claims, &issuer.scope_claim)?,
        roles: roles::read(claims, &issuer.role_claims)?,
        actor,
        actor_history,
        may_act: actor::may_act(claims, issuer)?,
        confirmation: confirmation::read(claims)?,
    };
    require_proof(&token, certificate)?;
    Ok(token)
}
