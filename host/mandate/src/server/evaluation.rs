//! One decision for a caller: asked of the plugin, and recorded before it is answered.

use std::sync::atomic::Ordering;

use mandate_authn::{Outcome, ReasonCode};
use mandate_host::{Assertion, AuthorizeRequest, Decision, Target, Verdict};

use super::audit_log::Asked;
use super::caller::{Caller, id_of};
use super::clock;
use super::shared::Shared;

/// Whose right is asked about, and how the caller shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    /// The object that the request names: a user, or an agent.
    pub(super) object: String,
    /// The user whom that agent represents.
    pub(super) on_behalf_of: Option<String>,
    /// The public id of the agent's credential.
    pub(super) credential: Option<String>,
    /// The tenant that the request names; where it names none, the caller's.
    pub(super) tenant: Option<String>,
    /// The token of the subject, where the caller has it; without it, the caller must be one that is
    /// believed (`can_assert`).
    pub(super) token: Option<SubjectToken>,
}

/// A token that is not the caller's, with the agent contexts that came with it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SubjectToken {
    pub(super) token: String,
    pub(super) contexts: Vec<String>,
}

impl std::fmt::Debug for SubjectToken {
    // It is a secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SubjectToken")
    }
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    /// No answer is possible now.
    Unavailable {
        /// A reason code.
        reason: String,
    },
    /// An answer.
    Decided {
        /// Whether it is allowed.
        allowed: bool,
        /// A reason code.
        reason: String,
        /// The id of its record.
        decision_id: String,
    },
}

impl Ruling {
    pub(super) const fn is_allowed(&self) -> bool {
        matches!(self, Self::Decided { allowed: true, .. })
    }
}

impl Shared {
    /// Decides, and puts the record in line. Blocks.
    pub(super) fn rule(
        &self,
        caller: &Caller,
        subject: &Subject,
        request: &AuthorizeRequest,
    ) -> Ruling {
        let unavailable = |reason: &str| Ruling::Unavailable { reason: reason.to_owned() };
        let Some(place) = self.audit.place() else { return unavailable("internal") };
        let decision = self.decision(caller, subject, request);
        let type_of_agent = self.tables.types().agent.as_str();
        let is_agent = subject.object.split_once(':').is_some_and(|(of, _)| of == type_of_agent);
        let asked = Asked {
            action: &request.action,
            resources: request.targets.iter().map(name).collect(),
            user: if is_agent { subject.on_behalf_of.as_deref() } else { Some(&subject.object) },
            machine: is_agent.then_some(subject.object.as_str()),
        };
        let Some(decision_id) = self.audit.record(place, &decision, caller, &asked) else {
            self.metrics.audit_failures.fetch_add(1, Ordering::Relaxed);
            return unavailable("internal");
        };
        self.metrics.decision(&decision.reason);
        let outcome = ReasonCode::parse(&decision.reason).map(ReasonCode::authzen);
        match (decision.verdict, outcome) {
            (Verdict::Allow, Some(Outcome::Allow)) => {
                Ruling::Decided { allowed: true, reason: decision.reason, decision_id }
            }
            (Verdict::Deny, Some(Outcome::Deny)) => {
                Ruling::Decided { allowed: false, reason: decision.reason, decision_id }
            }
            _ => unavailable(&decision.reason),
        }
    }

    fn decision(&self, caller: &Caller, subject: &Subject, request: &AuthorizeRequest) -> Decision {
        let Some(token) = &subject.token else {
            let (named, agent) = match &subject.on_behalf_of {
                Some(user) if *user != subject.object => (user, Some(subject.object.clone())),
                Some(_) | None => (&subject.object, None),
            };
            let assertion = Assertion {
                asserter: caller.object.clone(),
                subject: named.clone(),
                agent,
                credential: subject.credential.clone(),
                tenant: Some(
                    subject.tenant.as_deref().unwrap_or_else(|| caller.tenant_id()).to_owned(),
                ),
            };
            return self.policy.decide_for(&assertion, request, clock::now());
        };
        let mut request = request.clone();
        request.on_behalf_of.clone_from(&subject.on_behalf_of);
        // The tenant of the one who asks is that of the one who is asked about.
        let decision = self.authorize(&token.token, &token.contexts, &request);
        match disagreement(&decision, caller, subject) {
            None => decision,
            Some(reason) => denied(decision, reason),
        }
    }
}

/// What an allowed decision by token says that the request did not.
fn disagreement(decision: &Decision, caller: &Caller, subject: &Subject) -> Option<&'static str> {
    if decision.verdict != Verdict::Allow {
        return None;
    }
    // What allowed without saying whom it bound contradicts itself.
    let Some(bound) = decision.bound.as_ref() else { return Some("internal") };
    let acting = bound.agent.as_ref().or(bound.service.as_ref()).or(bound.user.as_ref());
    if acting != Some(&subject.object) {
        return Some("cross-user");
    }
    if bound.tenant.as_ref() != Some(&caller.tenant) {
        return Some("cross-tenant");
    }
    None
}

fn denied(mut decision: Decision, reason: &str) -> Decision {
    decision.verdict = Verdict::Deny;
    reason.clone_into(&mut decision.reason);
    decision.failing_line = Some("binding".to_owned());
    decision
}

/// A resource, as records name it.
fn name(target: &Target) -> String {
    match target {
        Target::Argument { pointer, value } => format!("{pointer}={value}"),
        Target::Id { type_name, id } => format!("{type_name}:{id}"),
        Target::Text { type_name, text } => format!("{type_name}:{text}"),
    }
}

/// Whether an object is of the type.
pub(super) fn is_of(object: &str, type_name: &str) -> bool {
    object
        .strip_prefix(type_name)
        .is_some_and(|rest| rest.starts_with(':') && !id_of(object).is_empty())
}
