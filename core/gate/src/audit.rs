//! The audit record of one decision: contract/CONTRACT.md#audit.
//!
//! No token, secret or argument value beyond the mapped resources is in it.

use mandate_authn::{Actor, FailingLine, Json, Object as Members, ReasonCode, VerifiedToken};
use mandate_authz::decision::{Bound, Circumstances};
use mandate_authz::record::DelegationMode;
use mandate_authz::snapshot::Snapshot;

use crate::framing;
use crate::limits;
use crate::parties::Parties;
use crate::view::Headers;

/// What the host says of the record: it counts, the gate does not.
#[derive(Clone, Copy, Debug)]
pub struct Emission<'e> {
    /// Authenticated emitter, boot nonce and sequence, in one word: never from a request.
    pub decision_id: &'e str,
    /// The emitter.
    pub source: &'e str,
    /// Its own count, without gaps.
    pub sequence: u64,
}

/// A record: one JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord(String);

impl AuditRecord {
    /// Canonical JSON (RFC 8785), one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.0.clone()
    }

    /// The same, borrowed.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

/// A record that is being filled in.
#[derive(Debug)]
pub(crate) struct Draft(Members);

impl Draft {
    pub(crate) fn new(emission: &Emission<'_>, now: u64, headers: Headers<'_>) -> Self {
        let mut draft = Self(Members::new());
        draft.put("decision_id", Some(emission.decision_id));
        draft.put("source", Some(emission.source));
        draft.put("source_sequence", Some(emission.sequence));
        draft.put("time", Some(now));
        draft.put("client_request_id", client_id(headers, "x-request-id"));
        draft.put("traceparent", client_id(headers, "traceparent"));
        draft
    }

    /// What the token says.
    pub(crate) fn token(&mut self, token: &VerifiedToken) {
        self.put("client_id", token.client_id());
        self.put("token_id", token.token_id());
        let actors: Vec<Json> =
            token.actor().into_iter().chain(token.actor_history()).map(actor).collect();
        if !actors.is_empty() {
            self.0.insert("actor_chain".to_owned(), Json::Array(actors));
        }
    }

    /// What is asked for, in the operator's words.
    pub(crate) fn asked(&mut self, action: &str, resources: Vec<String>) {
        self.put("action", Some(action));
        if !resources.is_empty() {
            let named = resources.into_iter().map(Json::from).collect();
            self.0.insert("resource".to_owned(), Json::Array(named));
        }
    }

    /// The MCP server, and its tool.
    pub(crate) fn called(&mut self, server: &str, tool: Option<&str>) {
        self.put("server", Some(server));
        self.put("tool", tool);
    }

    /// What the decision rests on. `snapshot` is the one that decided, `parties` are who it bound.
    pub(crate) fn decided(
        &mut self,
        found: &Circumstances,
        snapshot: Option<&Snapshot>,
        parties: Option<&Parties>,
    ) {
        if let Some([major, minor, patch]) = found.contract_version() {
            self.put("contract_version", Some(format!("{major}.{minor}.{patch}")));
        }
        if let Some(position) = found.position() {
            self.put("era", Some(position.era));
            self.put("epoch", Some(position.epoch));
        }
        if let Some((bound, parties)) = found.bound().zip(parties) {
            self.bound(bound, parties);
        }
        let steps = snapshot.map(|snapshot| snapshot.describe(found.path())).unwrap_or_default();
        if !steps.is_empty() {
            let steps = steps.iter().map(|step| Json::from(step.to_string())).collect();
            self.0.insert("relation_path".to_owned(), Json::Array(steps));
        }
    }

    fn bound(&mut self, bound: &Bound, parties: &Parties) {
        self.put("binding_mode", Some(bound.mode().as_str()));
        self.put("user", parties.user.as_deref());
        self.put("machine_identity_id", parties.machine());
        self.put("tenant", parties.tenant.as_deref());
        self.put("credential_id", bound.credential());
        self.put("delegation", bound.delegation().map(DelegationMode::as_str));
    }

    /// Ends the record. One that is longer than the limit loses what a caller can make long.
    pub(crate) fn finish(
        mut self,
        reason: ReasonCode,
        line: Option<FailingLine>,
        enforced: bool,
    ) -> AuditRecord {
        let verdict = if line.is_none() { "allow" } else { "deny" };
        self.put("verdict", Some(verdict));
        self.put("reason", Some(reason.as_str()));
        self.put("failing_line", line.map(FailingLine::as_str));
        self.0.insert("enforced".to_owned(), Json::Bool(enforced));
        let mut record = Json::Object(self.0);
        let mut text = record.to_canonical();
        for member in ["relation_path", "resource", "actor_chain", "tool"] {
            if text.len() <= limits::AUDIT_BYTES {
                break;
            }
            if let Json::Object(members) = &mut record
                && members.remove(member).is_some()
            {
                members.insert("truncated".to_owned(), Json::Bool(true));
                text = record.to_canonical();
            }
        }
        AuditRecord(text)
    }

    fn put(&mut self, name: &str, value: Option<impl Into<Json>>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
    }
}

fn actor(actor: &Actor) -> Json {
    mandate_authn::json_object([
        ("issuer", Some(Json::from(actor.issuer.as_str()))),
        ("subject", Some(Json::from(actor.subject.as_str()))),
        ("client_id", actor.client_id.as_deref().map(Json::from)),
    ])
}

/// What a client calls its request: recorded where it is short and plain, never a key.
fn client_id<'r>(headers: Headers<'r>, name: &'static str) -> Option<&'r str> {
    let text = framing::text(headers, name).ok().flatten()?;
    (!text.is_empty() && text.len() <= limits::CLIENT_ID_BYTES).then_some(text)
}
