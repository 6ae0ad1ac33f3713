//! The WIT face of authorization.

use mandate_authn::ReasonCode;
use mandate_authz::authorize::{Asserter, Assertion, Presented, Request, Resource};
use mandate_authz::authorizer::Authorizer;
use mandate_authz::container::Position;
use mandate_authz::decision::{Bound, Decision};
use mandate_authz::evaluate::{EvaluationFailure, PathStep};
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::relation_query::{
    ListQuery, RelationAnswer, RelationQuery, failure_code, failure_message,
};
use mandate_authz::relation_wire::read_object;
use mandate_authz::snapshot::{Object, Snapshot};
use mandate_authz::state::{Meta, StateRefusal};
use mandate_authz::tuple::{Tuple, TupleCondition};
use serde_json::{Map, Value};

use super::bindings::exports::mandate::policy::{authz, types};
use super::{Component, load_error, version};
use crate::with_authorizer;

impl authz::Guest for Component {
    fn configure_state(config: String) -> Result<(), types::LoadError> {
        with_authorizer(|authorizer| authorizer.configure_state(&config)).map_err(load_error)
    }

    fn load_begin(header: Vec<u8>) -> Result<(), authz::StateRefusal> {
        with_authorizer(|authorizer| authorizer.state_mut().load_begin(&header)).map_err(refusal)
    }

    fn load_chunk(piece: Vec<u8>) -> Result<(), authz::StateRefusal> {
        with_authorizer(|authorizer| authorizer.state_mut().load_chunk(&piece)).map_err(refusal)
    }

    fn load_validate() -> Result<bool, authz::StateRefusal> {
        with_authorizer(|authorizer| authorizer.state_mut().load_validate()).map_err(refusal)
    }

    fn load_commit() -> Result<authz::StateStatus, authz::StateRefusal> {
        with_authorizer(|authorizer| authorizer.state_mut().load_commit().map(status))
            .map_err(refusal)
    }

    fn load(container: Vec<u8>) -> Result<authz::StateStatus, authz::StateRefusal> {
        with_authorizer(|authorizer| authorizer.state_mut().load(&container).map(status))
            .map_err(refusal)
    }

    fn apply_delta(container: Vec<u8>) -> Result<authz::StateStatus, authz::StateRefusal> {
        with_authorizer(|authorizer| authorizer.state_mut().apply_delta(&container).map(status))
            .map_err(refusal)
    }

    fn state() -> Option<authz::StateStatus> {
        with_authorizer(|authorizer| authorizer.state().meta().map(status))
    }

    fn authorize(
        token: String,
        contexts: Vec<String>,
        request: authz::AuthorizeRequest,
        now: u64,
    ) -> authz::Decision {
        with_authorizer(|authorizer| authorize(authorizer, &token, &contexts, &request, now))
    }

    fn authorize_many(
        token: String,
        contexts: Vec<String>,
        requests: Vec<authz::AuthorizeRequest>,
        now: u64,
    ) -> Vec<authz::Decision> {
        let decide = |authorizer: &mut Authorizer| {
            let requests = requests.iter();
            requests.map(|request| authorize(authorizer, &token, &contexts, request, now)).collect()
        };
        with_authorizer(decide)
    }

    fn decide_for(
        assertion: authz::Assertion,
        request: authz::AuthorizeRequest,
        now: u64,
    ) -> authz::Decision {
        with_authorizer(|authorizer| {
            let asked = match Asked::read(&request) {
                Ok(asked) => asked,
                Err(member) => return malformed(member),
            };
            let asserter = match assertion.asserter.as_str() {
                "offline" => Asserter::Offline,
                name => Asserter::Principal(name),
            };
            let assertion = Assertion {
                asserter,
                subject: &assertion.subject,
                agent: assertion.agent.as_deref(),
                credential: assertion.credential.as_deref(),
                tenant: assertion.tenant.as_deref(),
            };
            let resources = resources(&request);
            let asked = asked.request(&request, &resources);
            let decision = authorizer.decide_for(&assertion, &asked, now);
            render(authorizer, &decision, None, request.path)
        })
    }

    fn relation_holds(
        query: authz::RelationQuery,
    ) -> Result<authz::RelationAnswer, authz::QueryError> {
        with_authorizer(|authorizer| {
            let snapshot = authorizer.state().snapshot().ok_or_else(no_snapshot)?;
            let (tuples, context) = read_query(&query)?;
            let answer = snapshot.relation_holds(&RelationQuery {
                user: &query.user,
                relation: &query.relation,
                object: &query.object,
                contextual_tuples: &tuples,
                context: &context,
                path: query.path,
            });
            match answer {
                RelationAnswer::DoesNotHold => {
                    Ok(authz::RelationAnswer { holds: false, path: Vec::new() })
                }
                RelationAnswer::Failed(failure) => Err(failed(&failure)),
                RelationAnswer::Holds(path) => {
                    let path = path.into_iter().map(step).collect();
                    Ok(authz::RelationAnswer { holds: true, path })
                }
                RelationAnswer::Invalid(error) => {
                    Err(query_error(error.check_code(), error.to_string()))
                }
            }
        })
    }

    fn list_objects(query: authz::RelationQuery) -> Result<Vec<String>, authz::QueryError> {
        with_authorizer(|authorizer| {
            let snapshot = authorizer.state().snapshot().ok_or_else(no_snapshot)?;
            let (tuples, context) = read_query(&query)?;
            let listed = snapshot.list_objects(&ListQuery {
                user: &query.user,
                relation: &query.relation,
                type_name: &query.object,
                contextual_tuples: &tuples,
                context: &context,
            });
            match listed {
                Err(error) => Err(query_error(error.list_code(), error.to_string())),
                Ok(Err(failure)) => Err(failed(&failure)),
                Ok(Ok(ids)) => Ok(ids),
            }
        })
    }
}

/// The members of a request that had to be read.
struct Asked {
    caller: Option<Map<String, Value>>,
    certificate_sha256: Option<[u8; 32]>,
}

impl Asked {
    /// Reads them; the name of the member that is malformed otherwise.
    fn read(request: &authz::AuthorizeRequest) -> Result<Self, &'static str> {
        if !request.extra.is_empty() {
            return Err("extra");
        }
        let caller = request.caller.as_deref().map(read_object);
        let thumbprint = request.certificate_sha256.as_deref().map(<[u8; 32]>::try_from);
        Ok(Self {
            caller: caller.transpose().map_err(|_| "caller")?,
            certificate_sha256: thumbprint.transpose().map_err(|_| "certificate_sha256")?,
        })
    }

    fn request<'r>(
        &'r self,
        request: &'r authz::AuthorizeRequest,
        resources: &'r [Resource<'r>],
    ) -> Request<'r> {
        Request {
            audience: &request.audience,
            action: &request.action,
            tool: request.tool.as_deref(),
            resources,
            on_behalf_of: request.on_behalf_of.as_deref(),
            caller: self.caller.as_ref(),
            peer_address: request.peer_address.as_deref(),
            minimum_epoch: request
                .minimum_epoch
                .map(|position| Position::new(position.era, position.epoch)),
        }
    }
}

fn resources(request: &authz::AuthorizeRequest) -> Vec<Resource<'_>> {
    request.resources.iter().map(resource).collect()
}

fn resource(target: &authz::Target) -> Resource<'_> {
    let authz::Target { form, name, value } = target;
    match form {
        authz::TargetForm::Id => Resource::Id { type_name: name, id: value },
        authz::TargetForm::Text => Resource::Text { type_name: name, text: value },
        authz::TargetForm::Argument => Resource::Argument { pointer: name, value },
    }
}

fn authorize(
    authorizer: &mut Authorizer,
    token: &str,
    contexts: &[String],
    request: &authz::AuthorizeRequest,
    now: u64,
) -> authz::Decision {
    let asked = match Asked::read(request) {
        Ok(asked) => asked,
        Err(member) => return malformed(member),
    };
    let agent_contexts: Vec<&str> = contexts.iter().map(String::as_str).collect();
    let presented = Presented {
        token: token.as_bytes(),
        agent_contexts: &agent_contexts,
        certificate_sha256: asked.certificate_sha256,
    };
    let resources = resources(request);
    let asked = asked.request(request, &resources);
    let (decision, refresh) = authorizer.authorize(&presented, &asked, now);
    let mut rendered = render(authorizer, &decision, refresh, request.path);
    if decision.reason() == ReasonCode::ScopeToken
        && let Some(policy) = authorizer.policy()
    {
        let scopes: Vec<&str> = policy.scopes_for(&request.action).collect();
        // A scope has no space (RFC 6749 section 3.3).
        rendered.extra.push(("required-scopes".to_owned(), scopes.join(" ")));
    }
    rendered
}

/// The decision of a request that could not be read.
fn malformed(member: &str) -> authz::Decision {
    let code = ReasonCode::Malformed;
    authz::Decision {
        verdict: types::Verdict::Deny,
        reason: code.as_str().to_owned(),
        detail: format!("`{member}` is malformed"),
        failing_line: code.line().map(|line| line.as_str().to_owned()),
        principal: None,
        path: Vec::new(),
        position: None,
        contract_version: None,
        bound: None,
        refresh: None,
        extra: Vec::new(),
    }
}

fn render(
    authorizer: &Authorizer,
    decision: &Decision,
    refresh: Option<String>,
    with_path: bool,
) -> authz::Decision {
    let verdict = match decision {
        Decision::Deny(_) => types::Verdict::Deny,
        Decision::Allow(_) => types::Verdict::Allow,
    };
    let circumstances = decision.circumstances();
    let snapshot = authorizer.state().snapshot();
    let path =
        snapshot.filter(|_| with_path).map(|snapshot| snapshot.describe(circumstances.path()));
    authz::Decision {
        verdict,
        reason: decision.reason().as_str().to_owned(),
        detail: decision.detail().to_owned(),
        failing_line: decision.failing_line().map(|line| line.as_str().to_owned()),
        principal: decision.principal().map(|kind| kind.as_str().to_owned()),
        path: path.unwrap_or_default().into_iter().map(step).collect(),
        position: circumstances.position().map(position),
        contract_version: circumstances.contract_version().map(version),
        bound: snapshot
            .zip(circumstances.bound())
            .map(|(snapshot, bound)| render_bound(snapshot, bound)),
        refresh,
        extra: Vec::new(),
    }
}

fn render_bound(snapshot: &Snapshot, bound: &Bound) -> authz::Bound {
    let name = |object: Option<Object>| object.map(|object| snapshot.name(object).to_string());
    authz::Bound {
        mode: bound.mode().as_str().to_owned(),
        user: name(bound.user()),
        agent: name(bound.agent()),
        service: name(bound.service()),
        asserter: name(bound.asserter()),
        tenant: name(bound.tenant()),
        credential: bound.credential().map(str::to_owned),
        delegation: bound.delegation().map(|mode| mode.as_str().to_owned()),
        context_id: bound.context_id().map(str::to_owned),
        role: bound.role().map(str::to_owned),
    }
}

fn read_query(
    query: &authz::RelationQuery,
) -> Result<(Vec<Tuple>, Map<String, Value>), authz::QueryError> {
    let malformed = || query_error(VALIDATION, "a tuple or its context is malformed");
    let object = |text: Option<&str>| match text {
        None => Ok(Map::new()),
        Some(text) => read_object(text).map_err(|_| malformed()),
    };
    let read = |key: &authz::TupleKey| {
        let condition = match &key.condition {
            None if key.context.is_some() => return Err(malformed()),
            None => None,
            Some(name) => Some(TupleCondition {
                name: name.clone(),
                context: object(key.context.as_deref())?,
            }),
        };
        Ok(Tuple {
            object: ObjectName::parse(&key.object).ok_or_else(malformed)?,
            relation: key.relation.clone(),
            subject: Subject::parse(&key.user).ok_or_else(malformed)?,
            condition,
        })
    };
    let tuples = query.contextual_tuples.iter().map(read).collect::<Result<_, _>>()?;
    Ok((tuples, object(query.context.as_deref())?))
}

fn step(step: PathStep) -> authz::Step {
    authz::Step {
        object: step.object.to_string(),
        relation: step.relation,
        subject: step.subject.to_string(),
    }
}

fn status(meta: &Meta) -> authz::StateStatus {
    authz::StateStatus {
        position: position(meta.position),
        snapshot_epoch: meta.snapshot_epoch,
        contract_version: version(meta.contract_version),
        issued_at: meta.issued_at,
        raw: meta.raw,
        extra: Vec::new(),
    }
}

const fn position(position: Position) -> authz::Position {
    authz::Position { era: position.era, epoch: position.epoch }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` wants")]
fn refusal(refusal: StateRefusal) -> authz::StateRefusal {
    authz::StateRefusal { reason: refusal.code().as_str().to_owned(), detail: refusal.to_string() }
}

fn no_snapshot() -> authz::QueryError {
    query_error(0, "no snapshot is in force")
}

fn failed(failure: &EvaluationFailure) -> authz::QueryError {
    query_error(failure_code(failure), failure_message(failure))
}

fn query_error(code: u32, message: impl Into<String>) -> authz::QueryError {
    authz::QueryError { code, message: message.into() }
}

/// OpenFGA's code of a request that is malformed.
const VALIDATION: u32 = 2000;
