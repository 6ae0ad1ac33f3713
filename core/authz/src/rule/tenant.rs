//! Line 3: everybody and everything is of one tenant, by the registry. Unknown equals nothing, and
//! no text of a model can lift this line.

use mandate_authn::ReasonCode;

use crate::authorize::{Case, Door};
use crate::binding::{Binding, Principal};
use crate::decision::{Bound, Failure};
use crate::evaluate::Path;
use crate::snapshot::{Object, Tenancy};

pub(super) fn line<'c>(
    case: &Case<'c>,
    binding: &Binding<'c>,
    bound: &mut Bound,
) -> Result<Option<Path>, Failure> {
    let tenant = bound_tenant(case, binding)?;
    for machine in [&binding.agent, &binding.service].into_iter().flatten() {
        if only_tenant(case, machine)? != tenant {
            return Err(cross("the machine identity is of another tenant"));
        }
    }
    require_issuers(case, tenant)?;
    for resource in &case.resources {
        let resource = resource.ok_or_else(|| unknown("a resource is in no tenant"))?;
        require_object(case, resource, tenant)?;
    }
    for called in [case.tool, case.server].into_iter().flatten() {
        require_object(case, called, tenant)?;
    }
    bound.tenant = Some(tenant);
    Ok(Some(Path::default()))
}

/// The one tenant of the bound user or service: the registry's, and what token and route name must
/// agree with it.
pub(crate) fn bound_tenant(case: &Case<'_>, binding: &Binding<'_>) -> Result<Object, Failure> {
    let named = named_tenants(case);
    let Some(user) = &binding.user else {
        let service = binding.service.as_ref().ok_or_else(|| unknown("nobody is bound"))?;
        return agree(only_tenant(case, service)?, named);
    };
    let mut memberships = user.identity.tenants();
    match (memberships.next(), memberships.next()) {
        (None, _) => Err(unknown("the user is in no tenant")),
        (Some(tenant), None) => agree(known_tenant(case, tenant)?, named),
        (Some(_), Some(_)) => one_of(case, user, named),
    }
}

/// What the token or an assertion, and the route, name as the tenant. A name that is no tenant
/// equals nothing.
type Named = [Option<Option<Object>>; 2];

fn named_tenants(case: &Case<'_>) -> Named {
    let stated = match case.door {
        Door::Token(evidence) => evidence.token.tenant(),
        Door::Assertion(assertion) => assertion.tenant,
    };
    let tenant_type = &case.policy.types().tenant;
    [stated, case.route.tenant.as_deref()]
        .map(|name| name.map(|name| case.snapshot.find(tenant_type, name)))
}

fn agree(tenant: Object, named: Named) -> Result<Object, Failure> {
    if named.into_iter().flatten().all(|named| named == Some(tenant)) {
        Ok(tenant)
    } else {
        Err(cross("the token or the route names another tenant"))
    }
}

/// A person with several memberships is in the one that is named, and in none where nothing or more
/// than one is.
fn one_of(case: &Case<'_>, user: &Principal<'_>, named: Named) -> Result<Object, Failure> {
    let ambiguous = |detail| Failure::new(ReasonCode::TenantAmbiguous, detail);
    let named = match named {
        [None, None] => {
            return Err(ambiguous("the user is in several tenants, and nothing names one"));
        }
        [Some(one), Some(other)] if one != other => {
            return Err(ambiguous("the token and the route name two tenants"));
        }
        [Some(named), _] | [None, Some(named)] => named,
    };
    let tenant = named.filter(|named| user.identity.tenants().any(|own| own == *named));
    known_tenant(case, tenant.ok_or_else(|| cross("the user is not in the tenant that is named"))?)
}

fn only_tenant(case: &Case<'_>, machine: &Principal<'_>) -> Result<Object, Failure> {
    let mut tenants = machine.identity.tenants();
    match (tenants.next(), tenants.next()) {
        (None, _) => Err(unknown("the machine identity is in no tenant")),
        (Some(tenant), None) => known_tenant(case, tenant),
        (Some(_), Some(_)) => {
            let detail = "the machine identity is in several tenants";
            Err(Failure::new(ReasonCode::TenantAmbiguous, detail))
        }
    }
}

/// Requires an object of the contract's tenant type.
fn known_tenant(case: &Case<'_>, tenant: Object) -> Result<Object, Failure> {
    if case.snapshot.type_name(tenant) == case.policy.types().tenant {
        Ok(tenant)
    } else {
        Err(unknown("the registry's tenant is no tenant of the contract"))
    }
}

/// The issuers whose names count here speak for this tenant: the token's and, where it is
/// configured, the actor's.
fn require_issuers(case: &Case<'_>, tenant: Object) -> Result<(), Failure> {
    let Some(token) = case.token() else { return Ok(()) };
    let issuer = case.issuer.ok_or_else(|| cross("the token's issuer is not in the contract"))?;
    let actor = token.actor().and_then(|actor| case.policy.issuer(&actor.issuer));
    let view = case.snapshot.view();
    let name = view.id(tenant);
    for issuer in [Some(issuer), actor].into_iter().flatten() {
        if !issuer.tenants.iter().any(|known| known == name) {
            return Err(cross("an issuer may not speak for this tenant"));
        }
    }
    Ok(())
}

/// Requires an object of this tenant. A principal's tenants are in its record; only types that the
/// contract shares have none, whatever the snapshot says.
fn require_object(case: &Case<'_>, object: Object, tenant: Object) -> Result<(), Failure> {
    let types = case.policy.types();
    let type_name = case.snapshot.type_name(object);
    if types.is_principal(type_name) {
        let principal = Principal::of_object(case, object);
        let principal = principal.ok_or_else(|| unknown("the registry has no record of it"))?;
        let mut tenants = principal.identity.tenants().peekable();
        if tenants.peek().is_none() {
            return Err(unknown("a principal is in no tenant"));
        }
        return if tenants.any(|own| own == tenant) {
            Ok(())
        } else {
            Err(cross("a principal is of another tenant"))
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
