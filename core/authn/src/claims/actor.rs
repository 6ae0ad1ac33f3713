//! `act` and `may_act`: RFC 8693 sections 4.1 and 4.4.

use super::text;
use crate::contract::Issuer;
use crate::json::Object;
use crate::limits;
use crate::refusal::{ClaimProblem, Refusal};
use crate::verified_token::{Actor, MayAct};

/// The outermost actor, and the nested ones as history.
pub(super) fn chain(
    claims: &Object,
    issuer: &Issuer,
) -> Result<(Option<Actor>, Vec<Actor>), Refusal> {
    let mut chain = Vec::new();
    let mut inner = member(claims, "act")?;
    while let Some(act) = inner {
        if chain.len() == limits::ACT_DEPTH {
            return Err(Refusal::claim("act", ClaimProblem::Limit));
        }
        chain.push(actor(act, issuer)?);
        inner = member(act, "act")?;
    }
    let mut chain = chain.into_iter();
    Ok((chain.next(), chain.collect()))
}

fn actor(act: &Object, issuer: &Issuer) -> Result<Actor, Refusal> {
    let subject = text::inner(act, "sub", "act.sub")?;
    Ok(Actor {
        issuer: stated_issuer(act, "act.iss", issuer)?,
        subject: subject.ok_or_else(|| Refusal::claim("act.sub", ClaimProblem::Missing))?,
        client_id: text::inner(act, "client_id", "act.client_id")?,
    })
}

pub(super) fn may_act(claims: &Object, issuer: &Issuer) -> Result<Option<MayAct>, Refusal> {
    let Some(may_act) = member(claims, "may_act")? else { return Ok(None) };
    let subject = text::inner(may_act, "sub", "may_act.sub")?;
    let client_id = text::inner(may_act, "client_id", "may_act.client_id")?;
    if subject.is_none() && client_id.is_none() {
        return Err(Refusal::claim("may_act.sub", ClaimProblem::Missing));
    }
    let issuer = stated_issuer(may_act, "may_act.iss", issuer)?;
    Ok(Some(MayAct { issuer, subject, client_id }))
}

fn member<'c>(claims: &'c Object, name: &str) -> Result<Option<&'c Object>, Refusal> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    value.as_object().map(Some).ok_or_else(|| Refusal::claim(name, ClaimProblem::Malformed))
}

/// `iss` inside: the token's issuer where absent; else one that this issuer may name, or it could
/// speak for the users of another.
fn stated_issuer(act: &Object, path: &str, issuer: &Issuer) -> Result<String, Refusal> {
    let Some(stated) = text::inner(act, "iss", path)? else {
        return Ok(issuer.issuer().to_owned());
    };
    if stated == issuer.issuer() || issuer.act_issuers.contains(&stated) {
        Ok(stated)
    } else {
        Err(Refusal::claim(path, ClaimProblem::Mismatch))
    }
}
