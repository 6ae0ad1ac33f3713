//! Searches: section 8. Each result is a decision that was allowed, and recorded as one.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mandate_authz::policy::ActionTarget;
use mandate_host::{AuthorizeRequest, RelationQuery};
use serde::Deserialize;
use serde_json::{Value, json};

use super::evaluation::admit;
use super::question::{Action, Circumstances, Context, Entity, Kind, question};
use crate::server::answer::{Answer, busy, json_answer, malformed, refusal};
use crate::server::caller::Caller;
use crate::server::evaluation::{Ruling, Subject};
use crate::server::shared::Shared;

/// Section 8.4: who may do it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectSearch {
    subject: Kind,
    action: Action,
    resource: Entity,
    #[serde(default)]
    context: Context,
    #[serde(default)]
    page: Page,
}

/// Section 8.5: to what it may be done.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceSearch {
    subject: Entity,
    action: Action,
    resource: Kind,
    #[serde(default)]
    context: Context,
    #[serde(default)]
    page: Page,
}

/// Section 8.6: what may be done.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionSearch {
    subject: Entity,
    resource: Entity,
    #[serde(default)]
    context: Context,
    #[serde(default)]
    page: Page,
}

/// Section 8.2.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    token: Option<String>,
    limit: Option<usize>,
}

/// Something that may be a result.
struct Candidate {
    /// By which candidates are in order.
    id: String,
    /// What the result would be.
    result: Value,
    question: (Subject, AuthorizeRequest),
}

/// The part of the results that is asked for.
struct Window {
    after: String,
    most: usize,
}

pub(in crate::server) async fn search_subjects(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Answer {
    subjects(&shared, request).await.unwrap_or_else(|refusal| refusal)
}

pub(in crate::server) async fn search_resources(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Answer {
    resources(&shared, request).await.unwrap_or_else(|refusal| refusal)
}

pub(in crate::server) async fn search_actions(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Answer {
    actions(&shared, request).await.unwrap_or_else(|refusal| refusal)
}

async fn subjects(shared: &Arc<Shared>, request: Request) -> Result<Answer, Answer> {
    let (caller, circumstances, asked) = admit::<SubjectSearch>(shared, request).await?;
    let window = window(shared, &asked.page)?;
    let (tenant, after) = (caller.tenant_id().to_owned(), window.after.clone());
    let (type_name, most) = (asked.subject.type_name.clone(), limit(shared));
    // People of the caller's tenant and no others: who is in another is nobody's business here.
    if type_name != shared.tables.types().user {
        let message =
            format!("`subject.type`: only `{}` can be searched", shared.tables.types().user);
        return Err(malformed(&message));
    }
    let people = shared.registries.call(move |registry| {
        registry.people_of(&tenant, (!after.is_empty()).then_some(after.as_str()), most)
    });
    let people = people.await.map_err(|error| shared.failed(&error))?;
    let candidates: Result<Vec<Candidate>, Answer> = people
        .into_iter()
        .map(|person| {
            let subject = Entity::new(&person.type_name, &person.id);
            let parts = (&subject, &asked.action, &asked.resource);
            let result = json!({ "type": person.type_name, "id": person.id });
            candidate(shared, &circumstances, parts, &asked.context, person.id, result)
        })
        .collect();
    page(shared, caller, window, candidates?).await
}

async fn resources(shared: &Arc<Shared>, request: Request) -> Result<Answer, Answer> {
    let (caller, circumstances, asked) = admit::<ResourceSearch>(shared, request).await?;
    let window = window(shared, &asked.page)?;
    let found = shared.tables.action(&asked.action.name);
    let Some(ActionTarget::Resources { relation, .. }) = found.map(|action| &action.on) else {
        return Err(malformed("`action.name`: the contract has no such action on resources"));
    };
    let of_user = asked
        .context
        .user()
        .map_or_else(|| format!("{}:{}", asked.subject.type_name, asked.subject.id), str::to_owned);
    let query = RelationQuery {
        user: of_user,
        relation: relation.clone(),
        object: asked.resource.type_name.clone(),
        ..RelationQuery::default()
    };
    let owned = Arc::clone(shared);
    let listed = shared.deciders.run(move || owned.policy.list_objects(&query)).await;
    let mut ids = match listed.map_err(|_| busy())? {
        Ok(ids) => ids,
        // The state is fresh, or the caller would not have been let in: it is the question's fault.
        Err(error) => return Err(malformed(&format!("`resource.type`: {}", error.message))),
    };
    ids.retain(|id| *id > window.after);
    ids.truncate(limit_of(shared));
    let candidates: Result<Vec<Candidate>, Answer> = ids
        .into_iter()
        .map(|id| {
            let resource = Entity::new(&asked.resource.type_name, &id);
            let parts = (&asked.subject, &asked.action, &resource);
            let result = json!({ "type": asked.resource.type_name, "id": id });
            candidate(shared, &circumstances, parts, &asked.context, id, result)
        })
        .collect();
    page(shared, caller, window, candidates?).await
}

async fn actions(shared: &Arc<Shared>, request: Request) -> Result<Answer, Answer> {
    let (caller, circumstances, asked) = admit::<ActionSearch>(shared, request).await?;
    let window = window(shared, &asked.page)?;
    let type_name = &asked.resource.type_name;
    let fitting = shared.tables.actions().iter().filter(|(name, action)| {
        let fits = matches!(&action.on, ActionTarget::Resources { types, .. } if types.contains(type_name));
        fits && **name > window.after
    });
    let candidates: Result<Vec<Candidate>, Answer> = fitting
        .take(limit_of(shared))
        .map(|(name, _)| {
            let action = Action::new(name);
            let parts = (&asked.subject, &action, &asked.resource);
            let result = json!({ "name": name });
            candidate(shared, &circumstances, parts, &asked.context, name.clone(), result)
        })
        .collect();
    page(shared, caller, window, candidates?).await
}

fn candidate(
    shared: &Shared,
    circumstances: &Circumstances,
    parts: (&Entity, &Action, &Entity),
    context: &Context,
    id: String,
    result: Value,
) -> Result<Candidate, Answer> {
    let question = question((&shared.settings, &shared.tables), circumstances, parts, context);
    let question = question.map_err(|message| malformed(&message))?;
    Ok(Candidate { id, result, question })
}

/// Decides about candidates until the page is full.
async fn page(
    shared: &Arc<Shared>,
    caller: Caller,
    window: Window,
    candidates: Vec<Candidate>,
) -> Result<Answer, Answer> {
    let owned = Arc::clone(shared);
    // As many as were fetched at most: there may be more behind them.
    let mut last = (candidates.len() >= limit_of(shared))
        .then(|| candidates.last().map(|candidate| candidate.id.clone()))
        .flatten();
    let work = move || {
        let mut results = Vec::new();
        let count = candidates.len();
        for (at, candidate) in candidates.into_iter().enumerate() {
            let (subject, request) = &candidate.question;
            match owned.rule(&caller, subject, request) {
                // Half a list would look like a whole one.
                Ruling::Unavailable { reason } => return Err(reason),
                Ruling::Decided { allowed: false, .. } => {}
                Ruling::Decided { allowed: true, .. } => results.push(candidate.result),
            }
            if results.len() >= window.most && at.saturating_add(1) < count {
                last = Some(candidate.id);
                break;
            }
        }
        Ok((results, last))
    };
    let found = shared.deciders.run(work).await.map_err(|_| busy())?;
    let (results, last) = found.map_err(|reason| refusal(&reason, &shared.settings.audience))?;
    let next = last.map(|id| URL_SAFE_NO_PAD.encode(id)).unwrap_or_default();
    let body = json!({ "results": results, "page": { "next_token": next } });
    Ok(json_answer(StatusCode::OK, &body))
}

fn window(shared: &Shared, page: &Page) -> Result<Window, Answer> {
    let wrong = || malformed("`page.token`: is none that was given out");
    let after = match page.token.as_deref() {
        None | Some("") => String::new(),
        Some(token) => {
            let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?;
            String::from_utf8(bytes).map_err(|_| wrong())?
        }
    };
    let most = shared.settings.limits.page;
    match page.limit {
        Some(limit) if limit == 0 || limit > most => {
            Err(malformed(&format!("`page.limit`: must be 1 to {most}")))
        }
        Some(limit) => Ok(Window { after, most: limit }),
        None => Ok(Window { after, most }),
    }
}

fn limit_of(shared: &Shared) -> usize {
    shared.settings.limits.candidates
}

fn limit(shared: &Shared) -> u64 {
    u64::try_from(limit_of(shared)).unwrap_or(u64::MAX)
}
