//! The registry, managed over HTTP: docs/server.md#admin.
//!
//! Who may change what is the registry's table, asked in the transaction that writes. The principal
//! and the tenant are those of the token, and nothing in a request names either.

mod audit;
mod bootstrap;
mod credentials;
mod facts;
mod identities;
mod notation;
mod persons;
mod relationships;
mod state;
mod tenants;
mod threads;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use mandate_authz::name::ObjectName;
use mandate_registry::actor::Actor;
use mandate_registry::confirm::Confirm;
use mandate_registry::error::RegistryError;
use mandate_registry::{Act, Registry, Written};
use serde_json::{Map, Value, json};

use super::answer::{Answer, json_answer, problem, unavailable};
use super::caller::{Presented, authenticate, forbidden};
use super::clock;
use super::registries::CallError;
use super::shared::Shared;
use crate::registry_json;

/// Every endpoint under `/admin`.
pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/v1/audit", get(audit::query))
        .route("/admin/v1/audit/verification", get(audit::verify))
        .route("/admin/v1/bootstrap", post(bootstrap::redeem))
        .route("/admin/v1/credentials/{credential}/revoke", post(credentials::revoke))
        .route("/admin/v1/credentials/{credential}/rotate", post(credentials::rotate))
        .route("/admin/v1/era", post(state::new_era))
        .route("/admin/v1/facts", post(facts::apply))
        .route("/admin/v1/identities", get(identities::list).post(identities::create))
        .route("/admin/v1/identities/{identity}", get(identities::show))
        .route(
            "/admin/v1/identities/{identity}/credentials",
            get(credentials::list).post(credentials::add),
        )
        .route("/admin/v1/identities/{identity}/credentials/revoke", post(credentials::revoke_all))
        .route("/admin/v1/identities/{identity}/resume", post(identities::resume))
        .route("/admin/v1/identities/{identity}/retire", post(identities::retire))
        .route("/admin/v1/identities/{identity}/scope", put(identities::scope))
        .route("/admin/v1/identities/{identity}/suspend", post(identities::suspend))
        .route("/admin/v1/legacy-tokens", post(credentials::import_legacy))
        .route("/admin/v1/persons", get(persons::list))
        .route("/admin/v1/persons/{person}", get(persons::show).put(persons::put))
        .route("/admin/v1/relationships", get(relationships::list))
        .route("/admin/v1/relationships/delete", post(relationships::delete))
        .route("/admin/v1/relationships/write", post(relationships::write))
        .route("/admin/v1/state", get(state::show))
        .route("/admin/v1/tenants", post(tenants::add))
        .route("/admin/v1/threads", post(threads::create))
}

/// An answer, or the refusal.
type Answered = Result<Answer, Answer>;

/// A person who manages, by the token.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Manager {
    principal: ObjectName,
    /// The id of the tenant of the token.
    tenant: String,
}

impl Manager {
    /// Who it is.
    ///
    /// # Errors
    /// The answer for whoever is nobody, an agent or a service: no machine manages machines.
    fn of<'s>(
        shared: &'s Arc<Shared>,
        request: &Request,
    ) -> impl Future<Output = Result<Self, Answer>> + Send + use<'s> {
        let presented = Presented::of(request.headers(), request.extensions());
        async move {
            let caller = authenticate(shared, presented).await?;
            let user = &shared.tables.types().user;
            let principal = ObjectName::parse(&caller.object);
            let principal = principal.filter(|object| object.type_name == *user);
            let principal =
                principal.ok_or_else(|| forbidden("only people manage the registry"))?;
            Ok(Self { principal, tenant: caller.tenant_id().to_owned() })
        }
    }

    /// A change within the tenant.
    fn act(&self, confirm: Confirm) -> Act {
        let actor =
            Actor::Member { principal: self.principal.clone(), tenant: self.tenant.clone() };
        Act { actor, now: clock::now(), confirm }
    }

    /// A change of what no tenant has.
    ///
    /// # Errors
    /// The answer for whoever `serve.operators` does not list.
    fn act_as_operator(&self, shared: &Shared, confirm: Confirm) -> Result<Act, Answer> {
        if !shared.settings.operators.contains(&self.principal.to_string()) {
            return Err(forbidden("this caller is no operator"));
        }
        Ok(Act { actor: Actor::Operator(self.principal.clone()), now: clock::now(), confirm })
    }

    /// Looks at the tenant, as its administrator.
    async fn look<T: Send + 'static>(
        &self,
        shared: &Shared,
        look: impl FnOnce(&mut Registry, &str) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, Answer> {
        let Self { principal, tenant } = self.clone();
        let call = move |registry: &mut Registry| {
            if !registry.is_administrator(&principal, &tenant, clock::now())? {
                let message = format!("`{principal}` is no administrator of this tenant");
                return Err(RegistryError::Denied(message));
            }
            look(registry, &tenant)
        };
        shared.registries.call(call).await.map_err(|error| refused(shared, &error))
    }
}

/// Makes a change.
async fn change<T: Send + 'static>(
    shared: &Shared,
    change: impl FnOnce(&mut Registry) -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, Answer> {
    shared.registries.call(change).await.map_err(|error| refused(shared, &error))
}

/// What a change gave, with where it stands.
fn written<T>(confirm: Confirm, written: &Written<T>, value: Value) -> Answer {
    let mut value = value;
    if let Some(members) = value.as_object_mut() {
        members.insert("confirmed".to_owned(), json!(confirm == Confirm::Confirmed));
        members.insert("position".to_owned(), registry_json::position(written.position));
    }
    json_answer(StatusCode::OK, &value)
}

/// A page: at most `most` of the items, of which one more was asked for, and where the next begins.
fn page<T>(
    name: &str,
    mut items: Vec<T>,
    most: usize,
    value: impl Fn(&T) -> Value,
    cursor: impl Fn(&T) -> String,
) -> Answer {
    let is_last = items.len() <= most;
    items.truncate(most);
    let mut members = Map::new();
    if let Some(last) = items.last().filter(|_| !is_last) {
        members.insert("next".to_owned(), json!(cursor(last)));
    }
    members.insert(name.to_owned(), items.iter().map(value).collect());
    json_answer(StatusCode::OK, &Value::Object(members))
}

/// Whether a change that needs it was confirmed.
const fn confirm(is_confirmed: bool) -> Confirm {
    if is_confirmed { Confirm::Confirmed } else { Confirm::DryRun }
}

/// The answer where the registry made no change. What is elsewhere and what is nowhere look alike.
fn refused(shared: &Shared, error: &CallError) -> Answer {
    let CallError::Registry(error) = error else { return shared.failed(error) };
    let status = match error {
        RegistryError::Conflict(_) => StatusCode::CONFLICT,
        RegistryError::Denied(_) => StatusCode::FORBIDDEN,
        RegistryError::Invalid(_) => StatusCode::BAD_REQUEST,
        RegistryError::NotFound(_) => {
            return problem(
                StatusCode::NOT_FOUND,
                "not-found",
                "there is no such thing in this tenant",
            );
        }
        RegistryError::Busy => return unavailable("busy", "another writer is at work"),
        RegistryError::CommitUnknown => return unavailable("commit-unknown", &error.to_string()),
        RegistryError::Authentication
        | RegistryError::Database(_)
        | RegistryError::Full
        | RegistryError::Randomness
        | RegistryError::SchemaChecksum { .. }
        | RegistryError::SchemaNewer { .. }
        | RegistryError::SchemaOlder { .. }
        | RegistryError::TlsNeeded
        | RegistryError::Unreachable(_) => {
            return shared.failed(&CallError::Registry(error.clone()));
        }
    };
    let code = match status {
        StatusCode::CONFLICT => "conflict",
        StatusCode::FORBIDDEN => "caller",
        _ => "invalid",
    };
    problem(status, code, &error.to_string())
}
