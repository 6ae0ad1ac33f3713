//! Answers as they are written: absent members are left out.

use mandate_authn::{Json, Object as Members};

use crate::authorize::{LineReport, LineVerdict};
use crate::decision::{Bound, Decision};
use crate::evaluate::Path;
use crate::record::{DelegationMode, Kind};
use crate::snapshot::{Object, Snapshot};

/// A decision. `snapshot` is the one that decided; without it nothing was bound.
pub(super) fn decision_json(decision: &Decision, snapshot: Option<&Snapshot>) -> Members {
    let circumstances = decision.circumstances();
    let verdict = if decision.is_allowed() { "allow" } else { "deny" };
    let mut answer = Answer(Members::new());
    answer.put("verdict", Some(verdict));
    answer.put("reason", Some(decision.reason().as_str()));
    answer.put("detail", Some(decision.detail()));
    answer.put("failing_line", decision.failing_line().map(|line| line.as_str()));
    answer.put("principal", decision.principal().map(Kind::as_str));
    if let Some([major, minor, patch]) = circumstances.contract_version() {
        answer.put("contract_version", Some(format!("{major}.{minor}.{patch}")));
    }
    if let Some(position) = circumstances.position() {
        answer.put("era", Some(position.era));
        answer.put("epoch", Some(position.epoch));
    }
    if let Some((bound, snapshot)) = circumstances.bound().zip(snapshot) {
        put_bound(&mut answer, bound, snapshot);
    }
    if let Some(snapshot) = snapshot.filter(|_| decision.is_allowed()) {
        answer.0.insert("relation_path".to_owned(), path_json(circumstances.path(), snapshot));
    }
    answer.0
}

/// A line of an explanation.
pub(super) fn line_json(report: &LineReport, snapshot: Option<&Snapshot>) -> Json {
    let mut answer = Answer(Members::new());
    answer.put("line", Some(report.line.as_str()));
    match &report.verdict {
        LineVerdict::Fails { reason, detail } => {
            answer.put("verdict", Some("fails"));
            answer.put("reason", Some(reason.as_str()));
            answer.put("detail", Some(detail.as_str()));
        }
        LineVerdict::Holds => {
            answer.put("verdict", Some("holds"));
            if let Some(snapshot) = snapshot {
                let path = path_json(&report.path, snapshot);
                answer.0.insert("relation_path".to_owned(), path);
            }
        }
        LineVerdict::NotAsked => answer.put("verdict", Some("not-asked")),
    }
    Json::Object(answer.0)
}

struct Answer(Members);

impl Answer {
    fn put(&mut self, name: &str, value: Option<impl Into<Json>>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
    }
}

fn put_bound(answer: &mut Answer, bound: &Bound, snapshot: &Snapshot) {
    let named = |object: Option<Object>| object.map(|object| snapshot.name(object).to_string());
    answer.put("binding_mode", Some(bound.mode().as_str()));
    answer.put("user", named(bound.user()));
    answer.put("agent", named(bound.agent()));
    answer.put("service", named(bound.service()));
    answer.put("asserter", named(bound.asserter()));
    answer.put("tenant", bound.tenant().map(|tenant| snapshot.name(tenant).id));
    answer.put("credential", bound.credential());
    answer.put("delegation", bound.delegation().map(DelegationMode::as_str));
    answer.put("context_id", bound.context_id());
    answer.put("role", bound.role());
}

fn path_json(path: &Path, snapshot: &Snapshot) -> Json {
    let steps = snapshot.describe(path);
    Json::Array(steps.iter().map(|step| Json::from(step.to_string())).collect())
}
