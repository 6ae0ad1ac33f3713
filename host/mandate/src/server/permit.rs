//! The check of Permit's policy decision point, as its SDKs ask it: docs/server.md#permit.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use mandate_authz::policy::ActionTarget;
use mandate_host::{AuthorizeRequest, Target};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, busy, json_answer, malformed, problem, refusal};
use super::body::read_json_without_nulls;
use super::caller::{Caller, Presented, evaluator};
use super::evaluation::{Ruling, Subject};
use super::shared::Shared;

/// What an SDK asks. Roles and attributes that a caller states are taken and not read: what is known
/// is in the registry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    user: User,
    action: String,
    resource: Resource,
    #[serde(default)]
    context: Context,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    key: String,
    #[serde(default, rename = "first_name", alias = "firstName")]
    _first_name: Value,
    #[serde(default, rename = "last_name", alias = "lastName")]
    _last_name: Value,
    #[serde(default, rename = "email")]
    _email: Value,
    #[serde(default, rename = "roles")]
    _roles: Value,
    #[serde(default, rename = "attributes")]
    _attributes: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    #[serde(rename = "type")]
    type_name: String,
    key: Option<String>,
    id: Option<String>,
    tenant: Option<String>,
    #[serde(default, rename = "attributes")]
    _attributes: Value,
    /// The SDKs put the tenant here as well.
    #[serde(default)]
    context: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Context {
    /// The user whom an agent represents.
    on_behalf_of: Option<String>,
    /// The public id of the agent's credential.
    credential: Option<String>,
    #[serde(flatten)]
    caller: Map<String, Value>,
}

type Question = (Subject, AuthorizeRequest);

/// One check.
pub(super) async fn allowed(State(shared): State<Arc<Shared>>, request: Request) -> Answer {
    one(&shared, request).await.unwrap_or_else(|refusal| refusal)
}

/// Several checks.
pub(super) async fn allowed_bulk(State(shared): State<Arc<Shared>>, request: Request) -> Answer {
    many(&shared, request).await.unwrap_or_else(|refusal| refusal)
}

async fn one(shared: &Arc<Shared>, request: Request) -> Result<Answer, Answer> {
    let caller = evaluator(shared, Presented::of(request.headers(), request.extensions())).await?;
    let check: Check = read_json_without_nulls(request, shared.settings.limits.body_bytes).await?;
    let question = question(shared, &check)?;
    let rulings = rule(shared, caller, vec![question]).await?;
    let ruling = rulings.into_iter().next().unwrap_or(Value::Null);
    Ok(json_answer(StatusCode::OK, &ruling))
}

async fn many(shared: &Arc<Shared>, request: Request) -> Result<Answer, Answer> {
    let caller = evaluator(shared, Presented::of(request.headers(), request.extensions())).await?;
    let limits = &shared.settings.limits;
    let checks: Vec<Check> = read_json_without_nulls(request, limits.body_bytes).await?;
    if checks.len() > limits.evaluations {
        let message = format!("at most {} checks in one request", limits.evaluations);
        return Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &message));
    }
    let questions: Result<Vec<Question>, Answer> =
        checks.iter().map(|check| question(shared, check)).collect();
    let rulings = rule(shared, caller, questions?).await?;
    Ok(json_answer(StatusCode::OK, &json!({ "allow": rulings })))
}

/// The answers in their order. One that could not be decided makes all of it 503: an SDK would read
/// anything else as a decision.
async fn rule(
    shared: &Arc<Shared>,
    caller: Caller,
    questions: Vec<Question>,
) -> Result<Vec<Value>, Answer> {
    let owned = Arc::clone(shared);
    let work = move || -> Result<Vec<Value>, String> {
        let rule = |(subject, request): &Question| match owned.rule(&caller, subject, request) {
            Ruling::Unavailable { reason } => Err(reason),
            Ruling::Decided { allowed, reason, decision_id } => Ok(json!({
                "allow": allowed, "result": allowed,
                "debug": { "reason": reason, "decision_id": decision_id },
            })),
        };
        questions.iter().map(rule).collect()
    };
    let rulings = shared.deciders.run(work).await.map_err(|_| busy())?;
    rulings.map_err(|reason| refusal(&reason, &shared.settings.audience))
}

fn question(shared: &Shared, check: &Check) -> Result<Question, Answer> {
    let types = shared.tables.types();
    let principal = |key: &str| match key.split_once(':') {
        Some((type_name, _)) if types.is_principal(type_name) => key.to_owned(),
        Some(_) | None => format!("{}:{key}", types.user),
    };
    let subject = Subject {
        object: principal(&check.user.key),
        on_behalf_of: check.context.on_behalf_of.as_deref().map(principal),
        credential: check.context.credential.clone(),
        tenant: tenant(check)?.map(str::to_owned),
        token: None,
    };
    let mut request = AuthorizeRequest::new(&shared.settings.decisions, &check.action);
    let on_nothing = shared
        .tables
        .action(&check.action)
        .is_some_and(|action| matches!(action.on, ActionTarget::Nothing | ActionTarget::Session));
    // "Any board" is no board: the plugin denies an action without what it is done to.
    let key = check.resource.key.as_ref().or(check.resource.id.as_ref());
    if let Some(key) = key.filter(|_| !on_nothing) {
        let (type_name, text) = (check.resource.type_name.clone(), key.clone());
        request = request.with_target(Target::Text { type_name, text });
    }
    let mut values = check.context.caller.clone();
    values.remove("tenant");
    if !values.is_empty() {
        request.caller = Some(Value::Object(values).to_string());
    }
    Ok((subject, request.with_path()))
}

/// The tenant that a check names. The SDKs write `default` where nothing was named.
fn tenant(check: &Check) -> Result<Option<&str>, Answer> {
    let stated = check.resource.tenant.as_deref();
    let repeated = check.resource.context.get("tenant").and_then(Value::as_str);
    if stated.zip(repeated).is_some_and(|(one, other)| one != other) {
        return Err(malformed("`resource.tenant`: is another than `resource.context.tenant`"));
    }
    Ok(stated.or(repeated).filter(|tenant| *tenant != UNNAMED))
}

const UNNAMED: &str = "default";
