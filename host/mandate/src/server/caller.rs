//! Who calls: a bearer token that the plugin has validated and bound, on the server's own audience.

use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{Extensions, HeaderMap, StatusCode};
use mandate_host::{AuthorizeRequest, Decision, RelationQuery, Verdict};

use super::answer::{Answer, busy, problem, refusal};
use super::clock;
use super::connection::Peer;
use super::shared::Shared;

/// What a request presents of its caller.
#[derive(Clone)]
pub(super) struct Presented {
    token: Result<String, &'static str>,
    peer: Peer,
}

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// Its object: `service:gateway`, or `user:olga`.
    pub(super) object: String,
    /// The object of its tenant: `organization:acme`.
    pub(super) tenant: String,
}

impl Caller {
    /// The id of its tenant: `acme`.
    pub(super) fn tenant_id(&self) -> &str {
        id_of(&self.tenant)
    }
}

/// The id of an object.
pub(super) fn id_of(object: &str) -> &str {
    object.split_once(':').map_or(object, |(_, id)| id)
}

impl Presented {
    pub(super) fn of(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let peer = extensions.get::<Peer>().cloned().unwrap_or_default();
        Self { token: bearer(headers), peer }
    }
}

impl std::fmt::Debug for Presented {
    // The token is a secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Presented").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// The one bearer token, or the reason why there is none. RFC 6750 section 2.1.
fn bearer(headers: &HeaderMap) -> Result<String, &'static str> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let Some(field) = fields.next() else { return Err("token-missing") };
    if fields.next().is_some() {
        return Err("token-malformed");
    }
    let field = field.to_str().map_err(|_| "token-malformed")?;
    let (scheme, token) = field.split_once(' ').unwrap_or((field, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err("token-missing");
    }
    if token.is_empty() || token.contains([' ', ',']) {
        return Err("token-malformed");
    }
    Ok(token.to_owned())
}

/// Authenticates a caller, as the plugin binds it: a service by itself, or a person.
///
/// # Errors
/// The answer for whoever is none.
pub(super) async fn authenticate(
    shared: &Arc<Shared>,
    presented: Presented,
) -> Result<Caller, Answer> {
    let owned = Arc::clone(shared);
    let found = shared.deciders.run(move || identify(&owned, &presented)).await;
    let found = found.map_err(|_| busy())?;
    found.map_err(|reason| refusal(&reason, &shared.settings.audience))
}

/// Authenticates a caller who holds `can_evaluate` on its tenant.
///
/// # Errors
/// The answer for whoever does not.
pub(super) async fn evaluator(
    shared: &Arc<Shared>,
    presented: Presented,
) -> Result<Caller, Answer> {
    let owned = Arc::clone(shared);
    let work = move || {
        let caller = identify(&owned, &presented)?;
        let query = RelationQuery {
            user: caller.object.clone(),
            relation: CAN_EVALUATE.to_owned(),
            object: caller.tenant.clone(),
            ..RelationQuery::default()
        };
        // `identify` has required a fresh state; a model without the relation admits nobody.
        let holds = owned.policy.relation_holds(&query).is_ok_and(|path| path.is_some());
        Ok((caller, holds))
    };
    let found: Result<_, String> = shared.deciders.run(work).await.map_err(|_| busy())?;
    match found.map_err(|reason| refusal(&reason, &shared.settings.audience))? {
        (caller, true) => Ok(caller),
        (_, false) => Err(forbidden("this caller may not evaluate in its tenant")),
    }
}

/// 403 for a caller who is known.
pub(super) fn forbidden(message: &str) -> Answer {
    problem(StatusCode::FORBIDDEN, "caller", message)
}

/// Asks the plugin who it is; a reason code where it is nobody. Blocks.
fn identify(shared: &Shared, presented: &Presented) -> Result<Caller, String> {
    let token = presented.token.as_deref().map_err(|reason| (*reason).to_owned())?;
    let settings = &shared.settings;
    let mut request = AuthorizeRequest::new(&settings.audience, &settings.action);
    request.peer_address.clone_from(&presented.peer.address);
    request.certificate_sha256 = presented.peer.certificate;
    let decision = shared.authorize(token, &[], &request);
    let Decision { verdict: Verdict::Allow, bound: Some(bound), .. } = decision else {
        return Err(decision.reason);
    };
    // An agent asks for whom it acts at the doors of those who serve it, not here.
    let ((Some(object), None, None) | (None, Some(object), None)) =
        (bound.service, bound.user, bound.agent)
    else {
        return Err("binding-unmatched".to_owned());
    };
    let tenant = bound.tenant.ok_or_else(|| "tenant-unknown".to_owned())?;
    Ok(Caller { object, tenant })
}

impl Shared {
    /// Decides by a token. Where the plugin lacks the keys of an issuer, they are fetched, and it is
    /// asked once more. Blocks.
    pub(super) fn authorize(
        &self,
        token: &str,
        contexts: &[String],
        request: &AuthorizeRequest,
    ) -> Decision {
        let decision = self.policy.authorize(token, contexts, request, clock::now());
        match &decision.refresh {
            Some(issuer) if self.trust.refresh(issuer) => {
                self.policy.authorize(token, contexts, request, clock::now())
            }
            Some(_) | None => decision,
        }
    }
}

/// The relation of the shared model (contract/model/core.fga).
const CAN_EVALUATE: &str = "can_evaluate";

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn one_bearer_token_is_taken_and_nothing_else() {
        let read = |fields: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(AUTHORIZATION, HeaderValue::from_static(field));
            }
            bearer(&headers)
        };
        assert_eq!(read(&["Bearer abc"]), Ok("abc".to_owned()));
        assert_eq!(read(&["bearer abc"]), Ok("abc".to_owned()));
        assert_eq!(read(&[]), Err("token-missing"));
        assert_eq!(read(&["Basic abc"]), Err("token-missing"));
        for fields in [&["Bearer"][..], &["Bearer a b"], &["Bearer a,b"], &["Bearer a", "Bearer a"]]
        {
            assert_eq!(read(fields), Err("token-malformed"), "{fields:?}");
        }
    }
}
