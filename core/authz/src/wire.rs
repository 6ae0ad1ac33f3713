//! The JSON form of decisions: what the core ABI and the command line carry (docs/authorize.md).
//!
//! Questions are strict (unknown members, duplicates and `null` refused), answers canonical
//! (RFC 8785). A question that is malformed is denied with the reason `malformed`.

mod answer;
mod question;

use mandate_authn::{Json, LoadError, Object, Validator, base64url, read_document};

use self::answer::{decision_json, line_json};
use self::question::{AuthorizeQuestion, DecideQuestion, RequestParts};
use crate::authorize::{self, Asserter, Assertion, Evidence, Explanation, Presented};
use crate::decision::Decision;
use crate::policy::Policy;
use crate::snapshot::Snapshot;
use crate::state::State;

/// Validates a token and decides a request.
pub fn authorize(
    validator: &mut Validator,
    policy: Option<&Policy>,
    state: &State,
    text: &str,
) -> String {
    let answer = read_document::<AuthorizeQuestion>(text)
        .and_then(|question| answer_authorize(validator, policy, state, &question));
    render(answer)
}

/// Decides a request for somebody that the caller names.
#[must_use]
pub fn decide(policy: Option<&Policy>, state: &State, text: &str) -> String {
    let answer = read_document::<DecideQuestion>(text)
        .and_then(|question| answer_decide(policy, state, &question));
    render(answer)
}

fn answer_authorize(
    validator: &mut Validator,
    policy: Option<&Policy>,
    state: &State,
    question: &AuthorizeQuestion,
) -> Result<Object, LoadError> {
    let parts = RequestParts::of(&question.request)?;
    let request = parts.request(&question.request);
    let now = question::moment(question.now)?;
    let contexts: Vec<&str> = question.agent_contexts.iter().map(String::as_str).collect();
    let certificate = question.certificate_sha256.as_deref();
    let presented = Presented {
        token: question.token.as_bytes(),
        agent_contexts: &contexts,
        certificate_sha256: certificate.map(thumbprint).transpose()?,
    };
    let (decision, refresh) =
        authorize::validate_and_authorize(validator, &presented, &request, now, policy, state);
    let snapshot = state.snapshot();
    let mut answer = decision_json(&decision, snapshot);
    if let Some(issuer) = refresh {
        answer.insert("refresh".to_owned(), issuer.into());
    }
    if decision.reason() == mandate_authn::ReasonCode::ScopeToken
        && let Some(policy) = policy
    {
        let scopes = policy.scopes_for(request.action).map(Json::from).collect();
        answer.insert("required_scopes".to_owned(), Json::Array(scopes));
    }
    if question.explain {
        let wanted = mandate_authn::Request {
            audience: Some(request.audience),
            now,
            certificate_sha256: presented.certificate_sha256,
        };
        let validation = validator.validate(presented.token, &wanted);
        if let Ok(token) = validation.outcome() {
            let token_text = presented.token;
            let evidence = Evidence {
                token,
                token_text,
                agent_contexts: &contexts,
                certificate_sha256: presented.certificate_sha256,
            };
            let explained = authorize::explain(&evidence, &request, now, policy, state);
            put_lines(&mut answer, &explained, snapshot);
        }
    }
    Ok(answer)
}

fn answer_decide(
    policy: Option<&Policy>,
    state: &State,
    question: &DecideQuestion,
) -> Result<Object, LoadError> {
    let parts = RequestParts::of(&question.request)?;
    let request = parts.request(&question.request);
    let now = question::moment(question.now)?;
    let stated = &question.assertion;
    let asserter = match stated.asserter.as_str() {
        "offline" => Asserter::Offline,
        name => Asserter::Principal(name),
    };
    let assertion = Assertion {
        asserter,
        subject: &stated.subject,
        agent: stated.agent.as_deref(),
        credential: stated.credential.as_deref(),
        tenant: stated.tenant.as_deref(),
    };
    let decision = authorize::decide_for(&assertion, &request, now, policy, state);
    let snapshot = state.snapshot();
    let mut answer = decision_json(&decision, snapshot);
    if question.explain {
        let explained = authorize::explain_for(&assertion, &request, now, policy, state);
        put_lines(&mut answer, &explained, snapshot);
    }
    Ok(answer)
}

fn put_lines(answer: &mut Object, explained: &Explanation, snapshot: Option<&Snapshot>) {
    let lines = explained.lines.iter().map(|line| line_json(line, snapshot)).collect();
    answer.insert("lines".to_owned(), Json::Array(lines));
}

fn render(answer: Result<Object, LoadError>) -> String {
    let answer = answer.unwrap_or_else(|error| decision_json(&Decision::malformed(&error), None));
    Json::Object(answer).to_canonical()
}

fn thumbprint(text: &str) -> Result<[u8; 32], LoadError> {
    let bytes = base64url::decode(text.as_bytes()).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| LoadError::new("certificate_sha256", "is no SHA-256 in base64url"))
}
