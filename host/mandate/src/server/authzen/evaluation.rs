//! One decision, and several.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use mandate_authn::ReasonCode;
use mandate_host::AuthorizeRequest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::question::{Action, Circumstances, Context, Entity, question};
use crate::server::answer::{Answer, busy, json_answer, malformed, problem, refusal};
use crate::server::body::read_json;
use crate::server::caller::{Caller, Presented, evaluator};
use crate::server::evaluation::{Ruling, Subject};
use crate::server::shared::Shared;

/// Section 6.1.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EvaluationRequest {
    subject: Entity,
    action: Action,
    resource: Entity,
    #[serde(default)]
    context: Context,
}

/// Section 7.1: what an entry leaves out is what stands beside `evaluations`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EvaluationsRequest {
    subject: Option<Entity>,
    action: Option<Action>,
    resource: Option<Entity>,
    context: Option<Context>,
    #[serde(default)]
    evaluations: Vec<Parts>,
    #[serde(default)]
    options: Options,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    subject: Option<Entity>,
    action: Option<Action>,
    resource: Option<Entity>,
    context: Option<Context>,
}

/// Section 7.1.2.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    #[serde(default)]
    evaluations_semantic: Semantic,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Semantic {
    DenyOnFirstDeny,
    #[default]
    ExecuteAll,
    PermitOnFirstPermit,
}

impl Semantic {
    /// Whether nothing is decided after this ruling.
    const fn ends_with(self, allowed: bool) -> bool {
        match self {
            Self::DenyOnFirstDeny => !allowed,
            Self::ExecuteAll => false,
            Self::PermitOnFirstPermit => allowed,
        }
    }
}

type Question = (Subject, AuthorizeRequest);

/// Section 6: one decision.
pub(in crate::server) async fn evaluation(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Answer {
    answer_one(&shared, request).await.unwrap_or_else(|refusal| refusal)
}

async fn answer_one(shared: &Arc<Shared>, request: Request) -> Result<Answer, Answer> {
    let (caller, circumstances, asked) = admit::<EvaluationRequest>(shared, request).await?;
    let parts = (&asked.subject, &asked.action, &asked.resource);
    let tables = (&shared.settings, &shared.tables);
    let question = question(tables, &circumstances, parts, &asked.context);
    let question = question.map_err(|message| malformed(&message))?;
    single(shared, caller, question).await
}

async fn single(
    shared: &Arc<Shared>,
    caller: Caller,
    question: Question,
) -> Result<Answer, Answer> {
    let owned = Arc::clone(shared);
    let work = move || owned.rule(&caller, &question.0, &question.1);
    match shared.deciders.run(work).await.map_err(|_| busy())? {
        // A decision that could not be made is none: section 10.1.2 has the status.
        Ruling::Unavailable { reason } => Err(refusal(&reason, &shared.settings.audience)),
        decided @ Ruling::Decided { .. } => Ok(json_answer(StatusCode::OK, &body(&decided))),
    }
}

/// Section 7: several decisions, in their order.
pub(in crate::server) async fn evaluations(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Answer {
    answer_many(&shared, request).await.unwrap_or_else(|refusal| refusal)
}

async fn answer_many(shared: &Arc<Shared>, request: Request) -> Result<Answer, Answer> {
    let (caller, circumstances, asked) = admit::<EvaluationsRequest>(shared, request).await?;
    let EvaluationsRequest { subject, action, resource, context, evaluations, options } = asked;
    let common = Parts { subject, action, resource, context };
    let most = shared.settings.limits.evaluations;
    if evaluations.len() > most {
        let message = format!("`evaluations`: at most {most} in one request");
        return Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &message));
    }
    // Section 7.1: without entries it is a request for one decision.
    if evaluations.is_empty() {
        let question = joined(shared, &circumstances, &common, &Parts::default(), "");
        return single(shared, caller, question?).await;
    }
    let questions: Result<Vec<Question>, Answer> = evaluations
        .iter()
        .enumerate()
        .map(|(at, entry)| {
            joined(shared, &circumstances, &common, entry, &format!("evaluations[{at}]."))
        })
        .collect();
    let (questions, semantic) = (questions?, options.evaluations_semantic);
    let owned = Arc::clone(shared);
    let work = move || {
        let mut rulings = Vec::new();
        for (subject, request) in &questions {
            let ruling = owned.rule(&caller, subject, request);
            let last = semantic.ends_with(ruling.is_allowed());
            rulings.push(body(&ruling));
            if last {
                break;
            }
        }
        rulings
    };
    let rulings = shared.deciders.run(work).await.map_err(|_| busy())?;
    Ok(json_answer(StatusCode::OK, &json!({ "evaluations": rulings })))
}

/// An entry with what it leaves out.
fn joined(
    shared: &Shared,
    circumstances: &Circumstances,
    common: &Parts,
    entry: &Parts,
    place: &str,
) -> Result<Question, Answer> {
    let missing = |name: &str| malformed(&format!("`{place}{name}`: is missing"));
    let subject = entry.subject.as_ref().or(common.subject.as_ref());
    let action = entry.action.as_ref().or(common.action.as_ref());
    let resource = entry.resource.as_ref().or(common.resource.as_ref());
    let parts = (
        subject.ok_or_else(|| missing("subject"))?,
        action.ok_or_else(|| missing("action"))?,
        resource.ok_or_else(|| missing("resource"))?,
    );
    let nothing = Context::default();
    let context = entry.context.as_ref().or(common.context.as_ref()).unwrap_or(&nothing);
    question((&shared.settings, &shared.tables), circumstances, parts, context)
        .map_err(|message| malformed(&message))
}

/// Authenticates the caller, then reads the request: nobody else's is looked at.
pub(super) async fn admit<T: serde::de::DeserializeOwned>(
    shared: &Arc<Shared>,
    request: Request,
) -> Result<(Caller, Circumstances, T), Answer> {
    let presented = Presented::of(request.headers(), request.extensions());
    let circumstances = Circumstances::of(request.headers()).map_err(malformed);
    let caller = evaluator(shared, presented).await?;
    let (_, asked) = read_json(request, shared.settings.limits.body_bytes).await?;
    Ok((caller, circumstances?, asked))
}

/// A ruling as the specification writes it.
fn body(ruling: &Ruling) -> Value {
    match ruling {
        Ruling::Decided { allowed, reason, decision_id } => json!({
            "decision": allowed, "context": { "reason": reason, "decision_id": decision_id },
        }),
        Ruling::Unavailable { reason } => {
            let code = ReasonCode::parse(reason).unwrap_or(ReasonCode::Internal);
            json!({
                "decision": false,
                "context": { "error": { "status": 503, "code": reason, "message": code.text() } },
            })
        }
    }
}
