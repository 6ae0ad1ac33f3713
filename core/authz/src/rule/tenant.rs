//! Line 3: everybody and everything is of one tenant, by the registry. Unknown equals nothing, and
//! no text of a model can lift this line.

use mandate_authn::ReasonCode;

use crate::authorize::{Call, Case, Door};
use crate::binding::Principal;
use crate::decision::{Bound, Failure};
use crate::evaluate::Path;
use crate::snapshot::{Object, Tenancy};

pub(super) fn line(case: &Case<'_>, bound: &mut Bound) -> Result<Option<Path>, Failure> {
    let tenant = bound_tenant(case, bound)?;
    for machine in [bound.agent, bound.service].into_iter().flatten() {
        if only_tenant(case, machine)? != tenant {
            return Err(cross("the machine identity is of another tenant"));
        }
    }
    require_issuers(case, tenant)?;
    for (type_name, id) in &case.mapped.resources {
        let resource = case.snapshot.find(type_name, id);
        let resource = resource.ok_or_else(|| unknown("a resource is in no tenant"))?;
        require_object(case, resource, tenant)?;
    }
    for called in called(case) {
        require_object(case, called, tenant)?;
    }
    bound.tenant = Some(tenant);
    Ok(Some(Path::default()))
}

/// The one tenant of the bound user or service: the registry's, and what token and route name must
/// agree with it.
pub(crate) fn bound_tenant(case: &Case<'_>, bound: &Bound) -> Result<Object, Failure> {
    let named = named_tenants(case);
    let Some(user) = bound.user else {
        let service = bound.service.ok_or_else(|| unknown("nobody is bound"))?;
        return agree(only_tenant(case, service)?, &named);
    };
    let memberships = tenants(case, user)?;
    match memberships.as_slice() {
        [] => Err(unknown("the user is in no tenant")),
        [tenant] => agree(*tenant, &named),
        several => one_of(several, &named),
    }
}

/// The tenants that token, assertion and route name; a name that is no tenant equals nothing.
fn named_tenants(case: &Case<'_>) -> Vec<Option<Object>> {
    let stated = match case.door {
        Door::Token(evidence) => evidence.token.tenant(),
        Door::Assertion(assertion) => assertion.tenant,
    };
    let names = [stated, case.route.tenant.as_deref()];
    let tenant_type = &case.policy.types().tenant;
    names.into_iter().flatten().map(|name| case.snapshot.find(tenant_type, name)).collect()
}

fn agree(tenant: Object, named: &[Option<Object>]) -> Result<Object, Failure> {
    if named.iter().all(|named| *named == Some(tenant)) {
        Ok(tenant)
    } else {
        Err(cross("the token or the route names another tenant"))
    }
}

/// A person with several memberships is in the one that is named, and in none where nothing or more
/// than one is.
fn one_of(memberships: &[Object], named: &[Option<Object>]) -> Result<Object, Failure> {
    let ambiguous = |detail| Failure::new(ReasonCode::TenantAmbiguous, detail);
    let (first, rest) = named
        .split_first()
        .ok_or_else(|| ambiguous("the user is in several tenants, and nothing names one"))?;
    if rest.iter().any(|other| other != first) {
        return Err(ambiguous("the token and the route name two tenants"));
    }
    let tenant = first.filter(|tenant| memberships.contains(tenant));
    tenant.ok_or_else(|| cross("the user is not in the tenant that is named"))
}

fn only_tenant(case: &Case<'_>, machine: Object) -> Result<Object, Failure> {
    match tenants(case, machine)?.as_slice() {
        [] => Err(unknown("the machine identity is in no tenant")),
        [tenant] => Ok(*tenant),
        [_, _, ..] => {
            let detail = "the machine identity is in several tenants";
            Err(Failure::new(ReasonCode::TenantAmbiguous, detail))
        }
    }
}

fn tenants(case: &Case<'_>, object: Object) -> Result<Vec<Object>, Failure> {
    let principal = Principal::of_object(case, object);
    let principal = principal.ok_or_else(|| unknown("the registry has no record of it"))?;
    let mut tenants = Vec::new();
    for tenant in principal.identity.tenants() {
        if case.snapshot.type_name(tenant) != case.policy.types().tenant {
            return Err(unknown("the registry's tenant is no tenant of the contract"));
        }
        tenants.push(tenant);
    }
    Ok(tenants)
}

/// The issuers whose names count here speak for this tenant: the token's and, where it is
/// configured, the actor's.
fn require_issuers(case: &Case<'_>, tenant: Object) -> Result<(), Failure> {
    let Some(token) = case.token() else { return Ok(()) };
    let issuer = case.issuer.ok_or_else(|| cross("the token's issuer is not in the contract"))?;
    let actor = token.actor().and_then(|actor| case.policy.issuer(&actor.issuer));
    let name = case.snapshot.name(tenant).id;
    for issuer in [Some(issuer), actor].into_iter().flatten() {
        if !issuer.tenants.contains(&name) {
            return Err(cross("an issuer may not speak for this tenant"));
        }
    }
    Ok(())
}

/// What line 7 will ask about, as far as the snapshot knows it.
fn called(case: &Case<'_>) -> impl Iterator<Item = Object> {
    let (tool, server) = match case.mapped.call {
        Call::Http { tool } => (tool.map(str::to_owned), None),
        Call::Server { server } => (None, Some(server)),
        Call::Session { server } => (None, server),
        Call::Tool { server, tool } => (Some(format!("{server}/{tool}")), Some(server)),
    };
    let types = case.policy.types();
    let tool = types.tool.as_ref().zip(tool);
    let tool = tool.and_then(|(tool_type, tool)| case.snapshot.find(tool_type, &tool));
    let server = types.server.as_ref().zip(server);
    let server = server.and_then(|(server_type, server)| case.snapshot.find(server_type, server));
    tool.into_iter().chain(server)
}

/// Requires an object of this tenant. A principal's tenants are in its record; only types that the
/// contract shares have none, whatever the snapshot says.
fn require_object(case: &Case<'_>, object: Object, tenant: Object) -> Result<(), Failure> {
    let types = case.policy.types();
    let type_name = case.snapshot.type_name(object);
    if types.is_principal(type_name) {
        let tenants = tenants(case, object)?;
        return match (tenants.is_empty(), tenants.contains(&tenant)) {
            (_, true) => Ok(()),
            (true, false) => Err(unknown("a principal is in no tenant")),
            (false, false) => Err(cross("a principal is of another tenant")),
        };
    }
    match case.snapshot.tenancy(object) {
        Tenancy::Of(own) if own == tenant => Ok(()),
        Tenancy::Of(_) => Err(cross("a resource or tool is of another tenant")),
        Tenancy::Shared if types.is_shared(type_name) => Ok(()),
        Tenancy::Several | Tenancy::Shared | Tenancy::Unknown => {
            Err(unknown("a resource or tool is in no tenant"))
        }
    }
}

fn cross(detail: &'static str) -> Failure {
    Failure::new(ReasonCode::CrossTenant, detail)
}

fn unknown(detail: &'static str) -> Failure {
    Failure::new(ReasonCode::TenantUnknown, detail)
}
