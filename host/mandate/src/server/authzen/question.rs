//! The parts of a request, and the question that they make.

use axum::http::HeaderMap;
use mandate_authz::container::Position as Parsed;
use mandate_authz::policy::{ActionTarget, Policy as Tables};
use mandate_host::{AuthorizeRequest, Position, Target};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::server::evaluation::{Subject, SubjectToken, is_of};
use crate::server::settings::Settings;

/// Members of an entity that Mandate does not read: what is known of it is in the registry.
pub(super) type Properties = Map<String, Value>;

/// `subject` or `resource`: section 5.1 and 5.2.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entity {
    #[serde(rename = "type")]
    pub(super) type_name: String,
    pub(super) id: String,
    #[serde(default, rename = "properties")]
    _properties: Properties,
}

/// `subject` or `resource` in a search for it: an `id` says nothing there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kind {
    #[serde(rename = "type")]
    pub(super) type_name: String,
    #[serde(default, rename = "id")]
    _id: String,
    #[serde(default, rename = "properties")]
    _properties: Properties,
}

/// `action`: section 5.3.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Action {
    pub(super) name: String,
    #[serde(default, rename = "properties")]
    _properties: Properties,
}

/// `context`: section 5.4. What is not named here are values for conditions of the model.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Context {
    /// The user whom the subject, an agent, represents: `user:anne`.
    on_behalf_of: Option<String>,
    /// The public id of the agent's credential.
    credential: Option<String>,
    /// `era.epoch` that the caller has seen.
    minimum_epoch: Option<String>,
    #[serde(flatten)]
    caller: Map<String, Value>,
}

/// What the headers say of the subject: the same for every question of a request.
#[derive(Clone, Debug)]
pub(super) struct Circumstances {
    token: Option<SubjectToken>,
}

/// The resource of an action that is done to nothing.
const NONE: &str = "none";
/// The token of the subject.
const SUBJECT_TOKEN: &str = "mandate-subject-token";
const AGENT_CONTEXT: &str = "mandate-agent-context";

impl Entity {
    pub(super) fn new(type_name: &str, id: &str) -> Self {
        Self {
            type_name: type_name.to_owned(),
            id: id.to_owned(),
            _properties: Properties::default(),
        }
    }
}

impl Action {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), _properties: Properties::default() }
    }
}

impl Context {
    /// The user whom the subject represents.
    pub(super) fn user(&self) -> Option<&str> {
        self.on_behalf_of.as_deref()
    }
}

impl Circumstances {
    /// What the headers say; a repeated token is none.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, &'static str> {
        let mut tokens = headers.get_all(SUBJECT_TOKEN).iter();
        let token = match (tokens.next(), tokens.next()) {
            (None, _) => None,
            (Some(token), None) => Some(token.to_str().map_err(|_| TOKEN)?.to_owned()),
            (Some(_), Some(_)) => return Err(TOKEN),
        };
        let contexts: Result<Vec<String>, _> = headers
            .get_all(AGENT_CONTEXT)
            .iter()
            .map(|context| context.to_str().map(str::to_owned))
            .collect();
        let contexts = contexts.map_err(|_| "`mandate-agent-context`: must be visible ASCII")?;
        if token.is_none() && !contexts.is_empty() {
            return Err("`mandate-agent-context`: is for a `mandate-subject-token`");
        }
        let token = token.map(|token| SubjectToken { token, contexts });
        Ok(Self { token })
    }
}

const TOKEN: &str = "`mandate-subject-token`: must be one token in visible ASCII";

/// What the parts ask, in the words of the plugin.
pub(super) fn question(
    (settings, tables): (&Settings, &Tables),
    circumstances: &Circumstances,
    (subject, action, resource): (&Entity, &Action, &Entity),
    context: &Context,
) -> Result<(Subject, AuthorizeRequest), String> {
    let object = format!("{}:{}", subject.type_name, subject.id);
    let types = tables.types();
    if let Some(user) = &context.on_behalf_of
        && !is_of(user, &types.user)
    {
        return Err(format!("`context.on_behalf_of`: must be `{}:ID`", types.user));
    }
    let subject = Subject {
        object,
        on_behalf_of: context.on_behalf_of.clone(),
        credential: context.credential.clone(),
        tenant: None,
        token: circumstances.token.clone(),
    };
    let mut request = AuthorizeRequest::new(&settings.decisions, &action.name);
    let on_nothing = tables
        .action(&action.name)
        .is_some_and(|action| matches!(action.on, ActionTarget::Nothing | ActionTarget::Session));
    if !(on_nothing && resource.type_name == NONE && resource.id == NONE) {
        let (type_name, text) = (resource.type_name.clone(), resource.id.clone());
        request = request.with_target(Target::Text { type_name, text });
    }
    // The peer of this connection is the caller, not the one who is asked about: conditions on the
    // peer's address lack their value, and deny.
    if !context.caller.is_empty() {
        request.caller = Some(Value::Object(context.caller.clone()).to_string());
    }
    if let Some(text) = &context.minimum_epoch {
        let parsed = Parsed::parse(text);
        let parsed = parsed.ok_or("`context.minimum_epoch`: must be `era.epoch`")?;
        request.minimum_epoch = Some(Position { era: parsed.era, epoch: parsed.epoch });
    }
    Ok((subject, request.with_path()))
}
