//! The plugin's component, as hosts load it: the JSON of every question becomes its typed calls.

mod gate;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mandate_authn::LoadError;
use mandate_host::{
    Assertion, AuthorizeRequest, Decision, Plugin, Policy, Position, QueryError, RelationQuery,
    StateError, Step, Target, TrustError, TupleKey,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Engine, EngineError};
use crate::conformance::patient_limits;

/// The plugin in wasmtime.
#[derive(Debug)]
pub struct ComponentEngine {
    policy: Policy,
}

/// A question of docs/authorize.md.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    now: u64,
    token: Option<String>,
    #[serde(default)]
    agent_contexts: Vec<String>,
    certificate_sha256: Option<String>,
    assertion: Option<AssertionQuestion>,
    request: RequestQuestion,
    #[serde(default)]
    explain: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AssertionQuestion {
    asserter: String,
    subject: String,
    agent: Option<String>,
    credential: Option<String>,
    tenant: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestQuestion {
    audience: String,
    action: String,
    tool: Option<String>,
    #[serde(default)]
    resources: Vec<Map<String, Value>>,
    on_behalf_of: Option<String>,
    caller: Option<Map<String, Value>>,
    peer_address: Option<String>,
    minimum_epoch: Option<String>,
}

/// A question about relationships: docs/abi.md#relation-holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RelationQuestion {
    user: String,
    relation: String,
    object: Option<String>,
    #[serde(rename = "type")]
    type_name: Option<String>,
    #[serde(default)]
    contextual_tuples: Vec<TupleQuestion>,
    #[serde(default)]
    context: Map<String, Value>,
    #[serde(default)]
    path: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TupleQuestion {
    user: String,
    relation: String,
    object: String,
    condition: Option<ConditionQuestion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionQuestion {
    name: String,
    #[serde(default)]
    context: Map<String, Value>,
}

impl ComponentEngine {
    /// An instance of the plugin with nothing loaded.
    ///
    /// # Errors
    /// When the plugin does not fit this host.
    pub fn new(plugin: Plugin) -> Result<Self> {
        Ok(Self { policy: Policy::new(plugin, patient_limits())? })
    }
}

impl Engine for ComponentEngine {
    fn load_trust(&mut self, trust: &str) -> Result<(), EngineError> {
        self.policy.load_trust(trust).map(drop).map_err(document)
    }

    fn configure_state(&mut self, config: &str) -> Result<(), EngineError> {
        self.policy.configure_state(config).map_err(document)
    }

    fn load(&mut self, container: &[u8]) -> Result<(), EngineError> {
        self.policy.load_state(container).map(drop).map_err(refused)
    }

    fn apply_delta(&mut self, container: &[u8]) -> Result<(), EngineError> {
        self.policy.apply_delta(container).map(drop).map_err(refused)
    }

    fn authorize(&mut self, question: &str) -> Result<String> {
        let question = Question::read(question)?;
        let token = question.token.as_deref().unwrap_or_default();
        let request = question.request()?;
        let contexts = &question.agent_contexts;
        let decision = self.policy.authorize(token, contexts, &request, question.now);
        Ok(answer(&decision).to_string())
    }

    fn decide_for(&mut self, question: &str) -> Result<String> {
        let question = Question::read(question)?;
        let request = question.request()?;
        let Question { now, assertion, .. } = question;
        let stated = assertion.context("`assertion`: is missing")?;
        let assertion = Assertion {
            asserter: stated.asserter,
            subject: stated.subject,
            agent: stated.agent,
            credential: stated.credential,
            tenant: stated.tenant,
        };
        Ok(answer(&self.policy.decide_for(&assertion, &request, now)).to_string())
    }

    fn configure_sealing(&mut self, question: &str) -> Result<(), EngineError> {
        let secret = gate::secret(question)?;
        self.policy.configure_sealing(&secret).map_err(document)
    }

    fn gate_decide(&mut self, question: &str) -> Result<String> {
        gate::decide(&self.policy, question)
    }

    fn filter_list(&mut self, question: &str) -> Result<String> {
        gate::filter_list(&self.policy, question)
    }

    fn filter_stream(&mut self, question: &str) -> Result<String> {
        gate::filter_stream(&self.policy, question)
    }

    fn seal_session(&mut self, question: &str) -> Result<String> {
        gate::seal_session(&self.policy, question)
    }

    fn relation_holds(&mut self, question: &str) -> Result<String> {
        let query = relation_query(question)?;
        let answer = match self.policy.relation_holds(&query) {
            Ok(None) => json!({ "allowed": false }),
            Ok(Some(_)) if !query.path => json!({ "allowed": true }),
            Ok(Some(path)) => {
                let path: Vec<Value> = path.iter().map(step_json).collect();
                json!({ "allowed": true, "path": path })
            }
            Err(error) => problem(&error),
        };
        Ok(answer.to_string())
    }

    fn list_objects(&mut self, question: &str) -> Result<String> {
        let answer = match self.policy.list_objects(&relation_query(question)?) {
            Ok(ids) => json!({ "objects": ids }),
            Err(error) => problem(&error),
        };
        Ok(answer.to_string())
    }
}

impl Question {
    fn read(text: &str) -> Result<Self> {
        let question: Self = serde_json::from_str(text).context("the question is malformed")?;
        if question.explain {
            bail!(
                "`--runner native` and `module` explain their lines: the component answers doors"
            );
        }
        Ok(question)
    }

    fn request(&self) -> Result<AuthorizeRequest> {
        let asked = &self.request;
        let mut request = AuthorizeRequest::new(&asked.audience, &asked.action).with_path();
        request.tool.clone_from(&asked.tool);
        request.on_behalf_of.clone_from(&asked.on_behalf_of);
        request.peer_address.clone_from(&asked.peer_address);
        request.caller = asked.caller.clone().map(|caller| Value::Object(caller).to_string());
        request.targets = asked.resources.iter().map(target).collect::<Result<_>>()?;
        if let Some(text) = &asked.minimum_epoch {
            let position = mandate_authz::container::Position::parse(text);
            let position = position.context("`minimum_epoch` must be `era.epoch`")?;
            request.minimum_epoch = Some(Position { era: position.era, epoch: position.epoch });
        }
        if let Some(text) = &self.certificate_sha256 {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok();
            let digest = bytes.and_then(|bytes| bytes.try_into().ok());
            request.certificate_sha256 = Some(digest.context("`certificate_sha256` is none")?);
        }
        Ok(request)
    }
}

fn target(resource: &Map<String, Value>) -> Result<Target> {
    let text = |member: &str| resource.get(member).and_then(Value::as_str).map(str::to_owned);
    let members = ["argument", "value", "type", "id", "text"].map(text);
    match (resource.len(), members) {
        (2, [Some(pointer), Some(value), None, None, None]) => {
            Ok(Target::Argument { pointer, value })
        }
        (2, [None, None, Some(type_name), Some(id), None]) => Ok(Target::Id { type_name, id }),
        (2, [None, None, Some(type_name), None, Some(text)]) => {
            Ok(Target::Text { type_name, text })
        }
        _ => bail!("a resource is `argument` and `value`, `type` and `id`, or `type` and `text`"),
    }
}

fn relation_query(text: &str) -> Result<RelationQuery> {
    let question: RelationQuestion =
        serde_json::from_str(text).context("the question is malformed")?;
    let object = question.object.or(question.type_name).unwrap_or_default();
    let tuple = |tuple: TupleQuestion| {
        let (condition, context) = match tuple.condition {
            None => (None, None),
            Some(of) => (Some(of.name), Some(Value::Object(of.context).to_string())),
        };
        let TupleQuestion { user, relation, object, .. } = tuple;
        TupleKey { object, relation, user, condition, context }
    };
    Ok(RelationQuery {
        user: question.user,
        relation: question.relation,
        object,
        contextual_tuples: question.contextual_tuples.into_iter().map(tuple).collect(),
        context: Some(Value::Object(question.context).to_string()),
        path: question.path,
    })
}

/// The decision in the form of docs/authorize.md#answer.
fn answer(decision: &Decision) -> Value {
    let Ok(Value::Object(mut members)) = serde_json::to_value(decision) else {
        return json!({ "verdict": "deny", "reason": "internal" });
    };
    members.remove("path");
    if let Some(Value::Object(bound)) = members.remove("bound") {
        for (name, value) in bound {
            let name = if name == "mode" { "binding_mode".to_owned() } else { name };
            members.insert(name, value);
        }
    }
    // The component names the tenant's object, where JSON has its id.
    if let Some(Value::String(tenant)) = members.get_mut("tenant")
        && let Some((_, id)) = tenant.split_once(':')
    {
        *tenant = id.to_owned();
    }
    if let Some(Value::Object(position)) = members.remove("position") {
        members.extend(position);
    }
    if decision.verdict == mandate_host::Verdict::Allow {
        let path: Vec<String> = decision.path.iter().map(step_text).collect();
        members.insert("relation_path".to_owned(), json!(path));
    }
    Value::Object(members)
}

fn step_text(step: &Step) -> String {
    format!("{}#{}@{}", step.object, step.relation, step.subject)
}

fn step_json(step: &Step) -> Value {
    json!({ "object": step.object, "relation": step.relation, "user": step.subject })
}

fn problem(error: &QueryError) -> Value {
    json!({ "error": { "code": error.code, "message": error.message } })
}

fn document(error: TrustError) -> EngineError {
    EngineError::Document(LoadError { path: error.path, message: error.message })
}

fn refused(error: StateError) -> EngineError {
    EngineError::State { reason: error.reason, message: error.detail }
}
