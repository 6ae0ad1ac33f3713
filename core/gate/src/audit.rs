//! The audit record of one decision: contract/CONTRACT.md#audit.
//!
//! No token, secret or argument value beyond the mapped resources is in it.

use mandate_authn::{Actor, CanonicalObject, FailingLine, Json, ReasonCode, VerifiedToken};
use mandate_authz::container::Position;
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
#[derive(Debug, Default)]
pub(crate) struct Draft<'d> {
    decision_id: &'d str,
    source: &'d str,
    sequence: u64,
    time: u64,
    client_request_id: Option<&'d str>,
    traceparent: Option<&'d str>,
    client_id: Option<String>,
    token_id: Option<String>,
    /// The actor and those before it: a list.
    actors: Option<Json>,
    action: Option<String>,
    resources: Vec<String>,
    server: Option<String>,
    tool: Option<String>,
    contract_version: Option<String>,
    position: Option<Position>,
    path: Vec<String>,
    bound: Option<Named>,
}

/// Who was bound, and how.
#[derive(Debug)]
struct Named {
    mode: &'static str,
    delegation: Option<&'static str>,
    user: Option<String>,
    machine: Option<String>,
    tenant: Option<String>,
    credential: Option<String>,
}

impl<'d> Draft<'d> {
    pub(crate) fn new(emission: &Emission<'d>, now: u64, headers: Headers<'d>) -> Self {
        Self {
            decision_id: emission.decision_id,
            source: emission.source,
            sequence: emission.sequence,
            time: now,
            client_request_id: client_id(headers, "x-request-id"),
            traceparent: client_id(headers, "traceparent"),
            ..Self::default()
        }
    }

    /// What the token says.
    pub(crate) fn token(&mut self, token: &VerifiedToken) {
        self.client_id = token.client_id().map(str::to_owned);
        self.token_id = token.token_id().map(str::to_owned);
        let actors: Vec<Json> =
            token.actor().into_iter().chain(token.actor_history()).map(actor).collect();
        self.actors = (!actors.is_empty()).then_some(Json::Array(actors));
    }

    /// What is asked for, in the operator's words.
    pub(crate) fn asked(&mut self, action: &str, resources: Vec<String>) {
        self.action = Some(action.to_owned());
        self.resources = resources;
    }

    /// The MCP server, and its tool.
    pub(crate) fn called(&mut self, server: &str, tool: Option<&str>) {
        self.server = Some(server.to_owned());
        self.tool = tool.map(str::to_owned);
    }

    /// What the decision rests on. `snapshot` is the one that decided, `parties` are who it bound.
    pub(crate) fn decided(
        &mut self,
        found: &Circumstances,
        snapshot: Option<&Snapshot>,
        parties: Option<&Parties>,
    ) {
        let version = found.contract_version();
        self.contract_version =
            version.map(|[major, minor, patch]| format!("{major}.{minor}.{patch}"));
        self.position = found.position();
        self.bound = found.bound().zip(parties).map(|(bound, parties)| Named::of(bound, parties));
        let path = snapshot.map(|snapshot| snapshot.describe_as_texts(found.path()));
        self.path = path.unwrap_or_default();
    }

    /// Ends the record. One that is longer than the limit loses what a caller can make long.
    pub(crate) fn finish(
        mut self,
        reason: ReasonCode,
        line: Option<FailingLine>,
        enforced: bool,
    ) -> AuditRecord {
        let mut truncated = false;
        let losses: [fn(&mut Self) -> bool; 4] = [
            |draft| !std::mem::take(&mut draft.path).is_empty(),
            |draft| !std::mem::take(&mut draft.resources).is_empty(),
            |draft| draft.actors.take().is_some(),
            |draft| draft.tool.take().is_some(),
        ];
        let mut text = self.written(reason, line, (enforced, truncated));
        for lose in losses {
            if text.len() <= limits::AUDIT_BYTES {
                break;
            }
            if lose(&mut self) {
                truncated = true;
                text = self.written(reason, line, (enforced, truncated));
            }
        }
        AuditRecord(text)
    }

    /// RFC 8785: members in the order of their names.
    fn written(
        &self,
        reason: ReasonCode,
        line: Option<FailingLine>,
        (enforced, truncated): (bool, bool),
    ) -> String {
        let mut record = CanonicalObject::new();
        let bound = self.bound.as_ref();
        record.text("action", self.action.as_deref());
        if let Some(actors) = &self.actors {
            record.value("actor_chain", actors);
        }
        record.text("binding_mode", bound.map(|bound| bound.mode));
        record.text("client_id", self.client_id.as_deref());
        record.text("client_request_id", self.client_request_id);
        record.text("contract_version", self.contract_version.as_deref());
        record.text("credential_id", bound.and_then(|bound| bound.credential.as_deref()));
        record.text("decision_id", Some(self.decision_id));
        record.text("delegation", bound.and_then(|bound| bound.delegation));
        record.value("enforced", &Json::Bool(enforced));
        record.integer("epoch", self.position.map(|position| position.epoch));
        record.integer("era", self.position.map(|position| position.era));
        record.text("failing_line", line.map(FailingLine::as_str));
        record.text("machine_identity_id", bound.and_then(|bound| bound.machine.as_deref()));
        record.text("reason", Some(reason.as_str()));
        record.texts("relation_path", &self.path);
        record.texts("resource", &self.resources);
        record.text("server", self.server.as_deref());
        record.text("source", Some(self.source));
        record.integer("source_sequence", Some(self.sequence));
        record.text("tenant", bound.and_then(|bound| bound.tenant.as_deref()));
        record.integer("time", Some(self.time));
        record.text("token_id", self.token_id.as_deref());
        record.text("tool", self.tool.as_deref());
        record.text("traceparent", self.traceparent);
        if truncated {
            record.value("truncated", &Json::Bool(true));
        }
        record.text("user", bound.and_then(|bound| bound.user.as_deref()));
        record.text("verdict", Some(if line.is_none() { "allow" } else { "deny" }));
        record.finish()
    }
}

impl Named {
    fn of(bound: &Bound, parties: &Parties) -> Self {
        Self {
            mode: bound.mode().as_str(),
            delegation: bound.delegation().map(DelegationMode::as_str),
            user: parties.user.clone(),
            machine: parties.machine().map(str::to_owned),
            tenant: parties.tenant.clone(),
            credential: bound.credential().map(str::to_owned),
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
