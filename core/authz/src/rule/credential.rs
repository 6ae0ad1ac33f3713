//! Which credential of a machine a token was got with, and whether it still counts.

use mandate_authn::{ReasonCode, VerifiedToken};

use crate::authorize::Case;
use crate::binding::Principal;
use crate::decision::Failure;
use crate::record::Kind;
use crate::records::{CredentialView, HolderView};

/// What a token shows of the credential that it was got with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CredentialQuery<'q> {
    pub(crate) thumbprint: Option<&'q [u8; 32]>,
    pub(crate) token_id: Option<&'q str>,
    /// (issuer, client id) of the token.
    pub(crate) client: Option<(&'q str, &'q str)>,
    /// (issuer, client id) of `act`.
    pub(crate) actor_client: Option<(&'q str, &'q str)>,
    /// (issuer, subject) of the machine.
    pub(crate) subject: Option<(&'q str, &'q str)>,
    pub(crate) issued_at: Option<u64>,
}

impl<'q> CredentialQuery<'q> {
    /// What a token shows of its own subject.
    pub(crate) fn of_token(token: &'q VerifiedToken) -> Self {
        Self {
            thumbprint: token.confirmation().map(mandate_authn::Confirmation::thumbprint),
            token_id: token.token_id(),
            client: token.client_id().map(|client| (token.issuer(), client)),
            actor_client: None,
            subject: Some((token.issuer(), token.subject())),
            issued_at: token.issued_at(),
        }
    }

    /// The ways to tell a credential, the surest first: `true` where it is this one.
    fn matches(&self, case: &Case<'_>, credential: &CredentialView<'_>) -> [bool; WAYS] {
        let is = |holder: Option<HolderView<'_>>, wanted: Option<(&str, &str)>| {
            holder.zip(wanted).is_some_and(|(holder, (issuer, name))| {
                holder.issuer == issuer && holder.name == name
            })
        };
        let client = self.client.filter(|(issuer, _)| {
            case.policy.issuer(issuer).is_some_and(|issuer| issuer.client_is_credential)
        });
        [
            self.thumbprint.is_some() && credential.thumbprint() == self.thumbprint,
            self.token_id.is_some_and(|token_id| credential.registers_token(token_id)),
            is(credential.client(), client) || is(credential.client(), self.actor_client),
            is(credential.subject(), self.subject),
        ]
    }
}

/// Finds the credential of a machine that a token was got with, by the first way that matches any.
/// `named` gets its public id, also where it does not count any more.
pub(crate) fn select(
    case: &Case<'_>,
    machine: &Principal<'_>,
    query: &CredentialQuery<'_>,
    named: &mut Option<String>,
) -> Result<(), Failure> {
    let unknown = |detail| Failure::new(ReasonCode::CredentialUnknown, detail).of(machine.kind);
    // A certificate is held by one machine: with another's, the token is in the wrong hands.
    let holder = query.thumbprint.and_then(|bound| case.records.certificate_holder(bound));
    if holder.is_some_and(|holder| holder != machine.object) {
        return Err(unknown("the token is bound to another identity's certificate"));
    }
    let own: Vec<(CredentialView<'_>, [bool; WAYS])> = case
        .records
        .credentials_of(machine.object)
        .map(|credential| (credential, query.matches(case, &credential)))
        .collect();
    for way in 0..WAYS {
        let alike = own.iter().filter(|(_, matches)| matches.get(way) == Some(&true));
        let alike: Vec<CredentialView<'_>> = alike.map(|(credential, _)| *credential).collect();
        if !alike.is_empty() {
            let revoked = if way == BY_TOKEN_ID {
                ReasonCode::TokenRevoked
            } else {
                ReasonCode::CredentialRevoked
            };
            let (decisive, verdict) = live(case, machine.kind, &alike, query.issued_at, revoked);
            *named = decisive.map(|credential| credential.id().to_owned());
            return verdict;
        }
    }
    Err(unknown("no credential of the identity matches the token"))
}

/// Certificate, token id, client, subject.
const WAYS: usize = 4;
/// Which of the ways is by token id: a revoked credential is then a revoked token.
const BY_TOKEN_ID: usize = 1;

/// The live one of credentials that a token cannot tell apart, or the one by which it is refused.
/// They share fate: a token that may have been got with one that is void by now is void.
fn live<'a, 'c>(
    case: &Case<'_>,
    kind: Kind,
    alike: &'a [CredentialView<'c>],
    issued_at: Option<u64>,
    revoked: ReasonCode,
) -> (Option<&'a CredentialView<'c>>, Result<(), Failure>) {
    let fail = |reason, detail| Err(Failure::new(reason, detail).of(kind));
    let first_live = alike.iter().find(|credential| void_since(case, credential).is_none());
    for (credential, void) in
        alike.iter().filter_map(|credential| Some((credential, void_since(case, credential)?)))
    {
        let after = issued_at
            .is_some_and(|issued_at| issued_at > void.since.saturating_add(case.policy.skew()));
        if first_live.is_some() && after {
            continue;
        }
        let verdict = match void.revoked {
            true => fail(revoked, "the credential was revoked"),
            false => fail(ReasonCode::CredentialExpired, "the credential has expired"),
        };
        return (Some(credential), verdict);
    }
    match first_live {
        Some(_) => (first_live, Ok(())),
        None => {
            (None, fail(ReasonCode::CredentialUnknown, "no credential of the identity is left"))
        }
    }
}

/// Since when a credential is void, if it is.
struct Void {
    since: u64,
    revoked: bool,
}

fn void_since(case: &Case<'_>, credential: &CredentialView<'_>) -> Option<Void> {
    if let Some(since) = credential.revoked_at() {
        return Some(Void { since, revoked: true });
    }
    let since = credential.expires_at().filter(|expires_at| case.now >= *expires_at)?;
    Some(Void { since, revoked: false })
}

/// A token that was revoked by its id is revoked, whatever credential it was got with, and for a
/// person too, who needs none.
pub(super) fn refuse_revoked_token(
    case: &Case<'_>,
    principal: &Principal<'_>,
    token: &VerifiedToken,
    named: &mut Option<String>,
) -> Result<(), Failure> {
    let Some(token_id) = token.token_id() else { return Ok(()) };
    let mut own = case.records.credentials_of(principal.object);
    let revoked = own.find(|credential| {
        credential.revoked_at().is_some() && credential.registers_token(token_id)
    });
    let Some(revoked) = revoked else { return Ok(()) };
    *named = Some(revoked.id().to_owned());
    Err(Failure::new(ReasonCode::TokenRevoked, "the token was revoked").of(principal.kind))
}

/// Requires a credential that an asserter has checked to be the agent's, and live. `named` gets it
/// where it is the agent's.
pub(super) fn asserted(
    case: &Case<'_>,
    agent: Option<&Principal<'_>>,
    id: &str,
    named: &mut Option<String>,
) -> Result<(), Failure> {
    let fail = |reason, detail| Failure::new(reason, detail).of(Kind::Agent);
    let unknown = |detail| fail(ReasonCode::CredentialUnknown, detail);
    let agent = agent.ok_or_else(|| unknown("a credential is asserted without an agent"))?;
    let credential = case.records.credential(id);
    let credential = credential.filter(|credential| credential.identity() == Some(agent.object));
    let credential = credential.ok_or_else(|| unknown("the credential is not the agent's"))?;
    *named = Some(credential.id().to_owned());
    match void_since(case, &credential) {
        None => Ok(()),
        Some(Void { revoked: true, .. }) => {
            Err(fail(ReasonCode::CredentialRevoked, "the credential was revoked"))
        }
        Some(Void { revoked: false, .. }) => {
            Err(fail(ReasonCode::CredentialExpired, "the credential has expired"))
        }
    }
}
