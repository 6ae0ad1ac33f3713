//! Requests to be decided, and decisions.

use serde::{Deserialize, Serialize};

use crate::answer::{Verdict, consistent};
use crate::bindings::authz;
use crate::failure::Failure;
use crate::state::StateError;

/// A moment in the registry's history: era first, then epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Restarts of history.
    pub era: u64,
    /// Position in the log of changes.
    pub epoch: u64,
}

/// Something that an action is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An argument of an MCP tool: its JSON Pointer in the contract's table, and its value.
    Argument {
        /// The pointer.
        pointer: String,
        /// The value.
        value: String,
    },
    /// An object by its id, without `%`, `:`, `#`, `*` and white space.
    Id {
        /// Its type.
        type_name: String,
        /// Its id.
        id: String,
    },
    /// An object by a free string, a URI for example, which is encoded once.
    Text {
        /// Its type.
        type_name: String,
        /// The string.
        text: String,
    },
}

/// What is to be done. Only the values come from the request; what they mean is the operator's.
///
/// # Example
/// ```
/// use mandate_host::{AuthorizeRequest, Target};
///
/// let document = Target::Id { type_name: "document".into(), id: "plan".into() };
/// let request = AuthorizeRequest::new("https://board.example", "view").with_target(document);
/// assert_eq!(request.targets.len(), 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizeRequest {
    /// The audience of the route that was called: operator's configuration.
    pub audience: String,
    /// The action's name in the contract.
    pub action: String,
    /// The MCP tool that is called.
    pub tool: Option<String>,
    /// What it is done to.
    pub targets: Vec<Target>,
    /// The user for whom the request says it is, `user:anne`: it must be the bound one.
    pub on_behalf_of: Option<String>,
    /// Values for conditions, a JSON object: the model sees them as `caller_…`.
    pub caller: Option<String>,
    /// The address of the peer, from the connection, never from a header.
    pub peer_address: Option<String>,
    /// What the caller has seen happen: an older state answers `snapshot-stale`.
    pub minimum_epoch: Option<Position>,
    /// SHA-256 of the client certificate that was verified on this connection.
    pub certificate_sha256: Option<[u8; 32]>,
    /// Whether the decision states the relationships that decided.
    pub path: bool,
}

impl AuthorizeRequest {
    /// Asks for an action on a route of this audience.
    #[must_use]
    pub fn new(audience: impl Into<String>, action: impl Into<String>) -> Self {
        Self { audience: audience.into(), action: action.into(), ..Self::default() }
    }

    /// Adds something that it is done to.
    #[must_use]
    pub fn with_target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Adds the MCP tool that is called.
    #[must_use]
    pub fn with_tool(self, tool: impl Into<String>) -> Self {
        Self { tool: Some(tool.into()), ..self }
    }

    /// Asks for the relationships that decided.
    #[must_use]
    pub fn with_path(self) -> Self {
        Self { path: true, ..self }
    }
}

/// Whom an authenticated caller asks for, without a token of that subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The object of the service or agent that says so, or `offline` for a tool that guards nothing.
    pub asserter: String,
    /// The subject's object: `user:anne`, or an agent with one user.
    pub subject: String,
    /// The agent's object, if one acts for that user.
    pub agent: Option<String>,
    /// The public id of the agent's credential, if the caller has checked one.
    pub credential: Option<String>,
    /// The tenant, for people with several.
    pub tenant: Option<String>,
}

/// The answer to a request. Absent members are left out of its JSON form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// `Allow` only if every line of the rule held.
    pub verdict: Verdict,
    /// A code of `contract/reason-codes.toml`: `ok`, or why not.
    pub reason: String,
    /// For the operator: one line. Never for the caller.
    pub detail: String,
    /// Where it failed: `framing`, `token`, `mapping`, `binding`, or `1` to `8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_line: Option<String>,
    /// Whose record failed: `user`, `agent` or `service`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The relationships that decided, in order; empty unless asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Step>,
    /// The state that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// The contract that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract_version: Option<String>,
    /// Who was bound, as far as it was found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    /// The issuer whose key set should be fetched again now. Limit how often that is followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// With `scope-token`: the scopes of which one would have covered the action, for the challenge
    /// of RFC 6750.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_scopes: Option<Vec<String>>,
}

/// A relationship that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its object.
    pub object: String,
    /// Its relation.
    pub relation: String,
    /// Its subject.
    pub subject: String,
}

/// Who acts for whom, with what: objects by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Bound {
    /// The row of the binding table.
    pub mode: String,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Who asserted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asserter: Option<String>,
    /// The tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The credential's public id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// `stored` or `on-invoke`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegation: Option<String>,
    /// `jti` of the agent context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_id: Option<String>,
    /// The token's role that opened the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl Decision {
    /// Reads the plugin's answer; one that contradicts itself is a failure.
    pub(crate) fn read(answer: authz::Decision) -> Result<Self, Failure> {
        let verdict = consistent(answer.verdict, &answer.reason)?;
        match (verdict, &answer.failing_line, &answer.bound) {
            (Verdict::Allow, Some(_), _) => {
                return Err(Failure::Inconsistent("allow with a failing line"));
            }
            (Verdict::Allow, None, None) => {
                return Err(Failure::Inconsistent("allow for nobody"));
            }
            (Verdict::Deny, None, _) => {
                return Err(Failure::Inconsistent("deny without a failing line"));
            }
            (Verdict::Allow, None, Some(_)) | (Verdict::Deny, Some(_), _) => {}
        }
        Ok(Self {
            verdict,
            reason: answer.reason,
            detail: answer.detail,
            failing_line: answer.failing_line,
            principal: answer.principal,
            path: answer.path.into_iter().map(Step::from).collect(),
            position: answer.position.map(Position::from),
            contract_version: answer.contract_version,
            bound: answer.bound.map(Bound::from),
            refresh: answer.refresh,
            required_scopes: required_scopes(&answer.extra),
        })
    }
}

impl From<Failure> for Decision {
    fn from(failure: Failure) -> Self {
        Self {
            verdict: Verdict::Deny,
            reason: "internal".to_owned(),
            detail: failure.to_string(),
            failing_line: Some("1".to_owned()),
            principal: None,
            path: Vec::new(),
            position: None,
            contract_version: None,
            bound: None,
            refresh: None,
            required_scopes: None,
        }
    }
}

impl Decision {
    /// Why nothing is in force, where the plugin only knows that nothing is: the instance that
    /// refused the state is gone.
    pub(crate) fn with_refused(self, refused: Option<&StateError>) -> Self {
        match refused {
            Some(StateError { reason, detail }) if self.reason == "snapshot-missing" => {
                Self { reason: reason.clone(), detail: detail.clone(), ..self }
            }
            Some(_) | None => self,
        }
    }
}

/// The member of that name in what a decision has beyond its fields.
fn required_scopes(extra: &[(String, String)]) -> Option<Vec<String>> {
    let (_, scopes) = extra.iter().find(|(name, _)| name == "required-scopes")?;
    Some(scopes.split_whitespace().map(str::to_owned).collect())
}

impl From<authz::Step> for Step {
    fn from(step: authz::Step) -> Self {
        Self { object: step.object, relation: step.relation, subject: step.subject }
    }
}

impl From<authz::Bound> for Bound {
    fn from(bound: authz::Bound) -> Self {
        Self {
            mode: bound.mode,
            user: bound.user,
            agent: bound.agent,
            service: bound.service,
            asserter: bound.asserter,
            tenant: bound.tenant,
            credential: bound.credential,
            delegation: bound.delegation,
            context_id: bound.context_id,
            role: bound.role,
        }
    }
}

impl From<authz::Position> for Position {
    fn from(position: authz::Position) -> Self {
        Self { era: position.era, epoch: position.epoch }
    }
}

impl AuthorizeRequest {
    /// Its targets as the plugin takes them.
    pub(crate) fn lend_targets(&self) -> Vec<authz::Target<'_>> {
        self.targets.iter().map(authz::Target::from).collect()
    }

    /// The request as the plugin takes it, with its targets.
    pub(crate) fn lend<'r>(
        &'r self,
        targets: &'r [authz::Target<'r>],
    ) -> authz::AuthorizeRequest<'r> {
        authz::AuthorizeRequest {
            audience: &self.audience,
            action: &self.action,
            tool: self.tool.as_deref(),
            resources: targets,
            on_behalf_of: self.on_behalf_of.as_deref(),
            caller: self.caller.as_deref(),
            peer_address: self.peer_address.as_deref(),
            minimum_epoch: self
                .minimum_epoch
                .map(|position| authz::Position { era: position.era, epoch: position.epoch }),
            certificate_sha256: self.certificate_sha256.as_ref().map(<[u8; 32]>::as_slice),
            path: self.path,
            extra: &[],
        }
    }
}

impl<'r> From<&'r Target> for authz::Target<'r> {
    fn from(target: &'r Target) -> Self {
        let (form, name, value) = match target {
            Target::Argument { pointer, value } => (authz::TargetForm::Argument, pointer, value),
            Target::Id { type_name, id } => (authz::TargetForm::Id, type_name, id),
            Target::Text { type_name, text } => (authz::TargetForm::Text, type_name, text),
        };
        Self { form, name, value }
    }
}

impl<'r> From<&'r Assertion> for authz::Assertion<'r> {
    fn from(assertion: &'r Assertion) -> Self {
        Self {
            asserter: &assertion.asserter,
            subject: &assertion.subject,
            agent: assertion.agent.as_deref(),
            credential: assertion.credential.as_deref(),
            tenant: assertion.tenant.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_force_is_explained_by_what_was_refused_and_nothing_else_is() {
        let refused = StateError {
            reason: "snapshot-signature".to_owned(),
            detail: "signed by nobody known".to_owned(),
        };
        let denied = |reason: &str| Decision {
            reason: reason.to_owned(),
            ..Decision::from(Failure::Inconsistent("made for this test"))
        };
        let told = denied("snapshot-missing").with_refused(Some(&refused));
        assert_eq!((&told.reason, &told.detail), (&refused.reason, &refused.detail));
        for decision in [denied("snapshot-stale"), denied("internal")] {
            assert_eq!(decision.clone().with_refused(Some(&refused)), decision);
        }
        assert_eq!(denied("snapshot-missing").with_refused(None), denied("snapshot-missing"));
    }

    #[test]
    fn required_scopes_are_read_by_their_name() {
        let extra = |name: &str| vec![(name.to_owned(), "a b:c".to_owned())];
        let scopes = Some(vec!["a".to_owned(), "b:c".to_owned()]);
        assert_eq!(required_scopes(&extra("required-scopes")), scopes);
        assert_eq!(required_scopes(&extra("something-else")), None);
    }
}
