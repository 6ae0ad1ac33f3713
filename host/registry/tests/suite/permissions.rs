//! Who may change what.

use mandate_registry::actor::Actor;
use mandate_registry::credential::{
    Material, NewCredential, NewLegacyToken, Rotation, SecretSource,
};
use mandate_registry::error::RegistryError;
use mandate_registry::identity::NewIdentity;
use mandate_registry::{Act, Registry};

use crate::scene::{by, helper, key, local, object, person, scene, scope, tuple};
use crate::store::Store;

/// What somebody tries, as a dry run: the cells do not disturb each other.
fn attempt(registry: &mut Registry, actor: &Actor, deed: &str, credential: &str) -> bool {
    use mandate_registry::confirm::Confirm::DryRun;
    let act = Act { actor: actor.clone(), confirm: DryRun, ..local() };
    let name = object("agent:helper");
    let new = NewCredential {
        material: Material::AppPassword(SecretSource::Generated),
        subject: None,
        token_ids: Vec::new(),
        expires_at: None,
    };
    let credential = credential.to_owned();
    let rotation = Rotation { id: credential.clone(), window: 5, material: None, expires_at: None };
    let token = NewLegacyToken {
        algorithm: "bcrypt".to_owned(),
        hash: "x".to_owned(),
        identity: Some(name.clone()),
    };
    let other = NewIdentity { object: object("agent:other"), ..helper() };
    let outcome = match deed {
        "add" => registry.add_credential(&act, &name, &new).map(drop),
        "create" => registry.create_identity(&act, &other).map(drop),
        "delegate" => registry
            .write_relationships(&act, &[tuple("user:carol#delegate_of@agent:helper")])
            .map(drop),
        "delete" => registry.delete_identity(&act, &name).map(drop),
        "import" => registry.import_legacy_tokens(&act, &[token]).map(drop),
        "narrow" => registry.scope_identity(&act, &name, &scope(&[])).map(drop),
        "register" => registry.put_person(&act, &person("eve", &["acme"])).map(drop),
        "relate" => registry
            .write_relationships(&act, &[tuple("agent:helper#agent_user@user:carol")])
            .map(drop),
        "unrelate" => {
            registry.delete_relationships(&act, &[key("agent:helper#owner@user:bob")]).map(drop)
        }
        "resume" => registry.resume_identity(&act, &object("agent:idle")).map(drop),
        "retire" => registry.retire_identity(&act, &name).map(drop),
        "revoke" => registry.revoke_credential(&act, &credential).map(drop),
        "revoke-all" => registry.revoke_all_credentials(&act, &name).map(drop),
        "rotate" => registry.rotate_credential(&act, &rotation).map(drop),
        "suspend" => registry.suspend_identity(&act, &name).map(drop),
        "widen" => registry.scope_identity(&act, &name, &scope(&["read", "write"])).map(drop),
        other => panic!("{other} is no deed"),
    };
    match outcome {
        Ok(()) => true,
        Err(RegistryError::Denied(_)) => false,
        Err(other) => panic!("{deed} by {actor}: {other}"),
    }
}

pub(crate) fn every_actor_does_what_the_table_says(store: &Store) {
    let mut registry = scene(store);
    let idle = NewIdentity { object: object("agent:idle"), ..helper() };
    registry.create_identity(&local(), &idle).expect("it is new");
    registry.suspend_identity(&local(), &idle.object).expect("it is active");
    let mut gone = person("gone", &["acme"]);
    gone.expires_at = Some(crate::scene::NOW);
    let mut suspended = person("suspended", &["acme"]);
    suspended.status = mandate_authz::record::Status::Suspended;
    for person in [gone, suspended] {
        registry.put_person(&local(), &person).expect("the person is new");
        let admin = format!("organization:acme#admin@{}", person.object);
        registry.write_relationships(&local(), &[tuple(&admin)]).expect("it fits");
    }
    let new = NewCredential {
        material: Material::AppPassword(SecretSource::Generated),
        subject: None,
        token_ids: Vec::new(),
        expires_at: None,
    };
    let credential = registry.add_credential(&local(), &object("agent:helper"), &new);
    let credential = credential.expect("it is added").outcome.credential.id;
    // anne administers, bob owns, carol is the user, mallory administers another tenant; gone and
    // suspended would administer; helper is an agent.
    let actors = ["anne", "bob", "carol", "mallory", "gone", "suspended", "nobody"]
        .map(|id| format!("user:{id}"));
    let mut actors: Vec<Actor> = actors.iter().map(|name| Actor::Principal(object(name))).collect();
    actors.insert(0, Actor::Local);
    actors.push(Actor::Principal(object("agent:helper")));
    let table = [
        ("add", "yes yes no no no no no no no"),
        ("create", "yes yes no no no no no no no"),
        ("delegate", "yes yes no yes no no no no no"),
        ("delete", "yes yes no no no no no no no"),
        ("import", "yes yes no no no no no no no"),
        ("narrow", "yes yes yes no no no no no no"),
        ("register", "yes no no no no no no no no"),
        ("relate", "yes yes no no no no no no no"),
        ("resume", "yes yes no no no no no no no"),
        ("retire", "yes yes no no no no no no no"),
        ("revoke", "yes yes yes no no no no no no"),
        ("revoke-all", "yes yes yes no no no no no no"),
        ("rotate", "yes yes yes no no no no no no"),
        ("suspend", "yes yes yes no no no no no no"),
        ("unrelate", "yes yes no no no no no no no"),
        ("widen", "yes yes no no no no no no no"),
    ];
    for (deed, expected) in table {
        let cells = actors.iter().map(|actor| attempt(&mut registry, actor, deed, &credential));
        let cells: Vec<_> = cells.map(|may| if may { "yes" } else { "no" }).collect();
        assert_eq!(cells.join(" "), expected, "{deed}");
    }
}

pub(crate) fn who_left_the_tenant_owns_nothing_in_it(store: &Store) {
    let mut registry = scene(store);
    // The model has no owner of services: the record alone says who it is.
    let service = NewIdentity { object: object("service:build"), ..helper() };
    registry.create_identity(&local(), &service).expect("it is new");
    let bob = by("user:bob");
    for name in ["service:build", "agent:helper"] {
        registry.revoke_all_credentials(&bob, &object(name)).expect("bob owns it");
    }
    registry.put_person(&local(), &person("bob", &["globex"])).expect("he leaves");
    for name in ["service:build", "agent:helper"] {
        let refused = registry.revoke_all_credentials(&bob, &object(name)).map(drop);
        let line = "`user:bob` may not revoke credentials of this identity".to_owned();
        assert_eq!(refused, Err(RegistryError::Denied(line)), "{name}");
    }
}

fn denied(registry: &mut Registry, who: &str, relationship: &str) -> bool {
    let written = registry.write_relationships(&by(who), &[tuple(relationship)]);
    match written {
        Ok(_) => false,
        Err(RegistryError::Denied(_)) => true,
        Err(other) => panic!("{relationship} by {who}: {other}"),
    }
}

pub(crate) fn writing_a_delegation_needs_that_user_or_an_administrator(store: &Store) {
    let mut registry = scene(store);
    let globex = NewIdentity {
        object: object("agent:spy"),
        owner: Some(object("user:mallory")),
        tenant: "globex".to_owned(),
        ..helper()
    };
    registry.create_identity(&local(), &globex).expect("it is new");
    let carols = "user:carol#delegate_of@agent:helper";
    for stranger in ["user:bob", "user:dora", "user:mallory", "agent:helper", "user:nobody"] {
        assert!(denied(&mut registry, stranger, carols), "{stranger}");
    }
    assert!(!denied(&mut registry, "user:carol", carols));
    registry.delete_relationships(&by("user:carol"), &[key(carols)]).expect("her own");
    assert!(!denied(&mut registry, "user:anne", carols));
    // dora is in both tenants: each administrator speaks for the agents of the own one.
    assert!(denied(&mut registry, "user:anne", "user:dora#delegate_of@agent:spy"));
    assert!(!denied(&mut registry, "user:mallory", "user:dora#delegate_of@agent:spy"));
    // An administrator's own delegation to an agent of another tenant is still no relationship.
    let joined =
        registry.write_relationships(&by("user:anne"), &[tuple("user:anne#delegate_of@agent:spy")]);
    let line = "`user:anne#delegate_of@agent:spy` joins two tenants".to_owned();
    assert_eq!(joined.map(drop), Err(RegistryError::Invalid(line)));
}

pub(crate) fn nobody_becomes_an_administrator_by_writing_it(store: &Store) {
    let mut registry = scene(store);
    assert!(denied(&mut registry, "user:bob", "organization:acme#admin@user:bob"));
    let team = [
        tuple("team:ops#organization@organization:acme"),
        tuple("organization:acme#admin@team:ops#member"),
    ];
    registry.write_relationships(&local(), &team).expect("a team of administrators");
    assert!(denied(&mut registry, "user:bob", "team:ops#member@user:bob"));
    assert!(!denied(&mut registry, "user:anne", "team:ops#member@user:carol"));
    // Through the team carol is one now, until she is not.
    assert!(!denied(&mut registry, "user:carol", "organization:acme#evaluator@user:bob"));
    registry
        .delete_relationships(&by("user:anne"), &[key("team:ops#member@user:carol")])
        .expect("anne may");
    assert!(denied(&mut registry, "user:carol", "organization:acme#evaluator@user:dora"));
    // A team that nobody has placed is nobody's to fill.
    assert!(denied(&mut registry, "user:anne", "team:loose#member@user:carol"));
    assert!(denied(&mut registry, "user:mallory", "team:ops#member@user:dora"));
}

pub(crate) fn nobody_grants_on_shared_tools_what_they_lack(store: &Store) {
    let mut registry = scene(store);
    let grant = "tool:tasks/get_board#can_call@agent:helper";
    assert!(denied(&mut registry, "user:anne", grant));
    let has = [tuple("tool:tasks/get_board#can_call@organization:acme#member")];
    registry.write_relationships(&local(), &has).expect("acme may call it");
    assert!(!denied(&mut registry, "user:anne", grant));
    assert!(denied(&mut registry, "user:bob", grant));
    assert!(denied(&mut registry, "user:anne", "tool:tasks/get_board#can_call@user:mallory"));
    assert!(denied(&mut registry, "user:anne", "tool:tasks/move_card#can_call@agent:helper"));
    assert!(denied(&mut registry, "user:anne", "tool:tasks/get_board#server@mcp_server:tasks"));
    let service = NewIdentity { object: object("service:door"), ..helper() };
    registry.create_identity(&local(), &service).expect("it is new");
    assert!(denied(&mut registry, "user:anne", "organization:acme#can_assert@service:door"));
}

pub(crate) fn to_a_token_of_one_tenant_the_others_are_not_there(store: &Store) {
    let mut registry = scene(store);
    let spy = NewIdentity {
        object: object("agent:spy"),
        tenant: "globex".to_owned(),
        owner: None,
        ..helper()
    };
    registry.create_identity(&local(), &spy).expect("it is new");
    let admins =
        ["acme", "globex"].map(|tenant| tuple(&format!("organization:{tenant}#admin@user:dora")));
    registry.write_relationships(&local(), &admins).expect("dora administers both");
    let dora = |tenant: &str| {
        let (principal, tenant) = (object("user:dora"), tenant.to_owned());
        Act { actor: Actor::Member { principal, tenant }, ..local() }
    };
    let elsewhere = || RegistryError::NotFound("such thing in this tenant".to_owned());
    // By the command line she is the administrator of both at once.
    registry.suspend_identity(&by("user:dora"), &spy.object).expect("an administrator");
    registry.resume_identity(&dora("globex"), &spy.object).expect("an administrator");
    let refused = registry.suspend_identity(&dora("acme"), &spy.object).map(drop);
    assert_eq!(refused, Err(elsewhere()));
    let other = NewIdentity { object: object("agent:other"), ..spy };
    let refused = registry.create_identity(&dora("acme"), &other).map(drop);
    assert_eq!(refused, Err(elsewhere()));
    for relationship in [
        "agent:spy#agent_user@user:mallory",
        "agent:spy#agent_user@user:dora",
        "agent:nobody#agent_user@user:dora",
        "agent:helper#agent_user@user:mallory",
        "agent:helper#agent_user@user:nobody",
        "organization:globex#admin@user:bob",
        "organization:nowhere#admin@user:bob",
        "user:dora#delegate_of@agent:spy",
        "user:dora#delegate_of@agent:nobody",
    ] {
        let refused = registry.write_relationships(&dora("acme"), &[tuple(relationship)]).map(drop);
        assert_eq!(refused, Err(elsewhere()), "{relationship}");
        let refused = registry.delete_relationships(&dora("acme"), &[key(relationship)]).map(drop);
        assert_eq!(refused, Err(elsewhere()), "{relationship}");
    }
    for here in ["agent:helper#agent_user@user:dora", "user:dora#delegate_of@agent:helper"] {
        registry.write_relationships(&dora("acme"), &[tuple(here)]).expect("all of it is here");
    }
    for (tenant, is_one) in [("acme", true), ("globex", true), ("nowhere", false)] {
        let found = registry.is_administrator(&object("user:dora"), tenant, crate::scene::NOW);
        assert_eq!(found, Ok(is_one), "{tenant}");
    }
    let bob = registry.is_administrator(&object("user:bob"), "acme", crate::scene::NOW);
    assert_eq!(bob, Ok(false));
}

pub(crate) fn an_operator_registers_and_does_nothing_else(store: &Store) {
    let mut registry = scene(store);
    let operator = |name: &str| Act { actor: Actor::Operator(object(name)), ..local() };
    let eve = person("eve", &["acme"]);
    registry.put_person(&operator("user:bob"), &eve).expect("bob is one");
    registry.new_era(&operator("user:bob")).expect("bob is one");
    let refused = registry.retire_identity(&operator("user:carol"), &object("agent:helper"));
    let line = "`user:carol` may not retire this identity".to_owned();
    assert_eq!(refused.map(drop), Err(RegistryError::Denied(line)));
    // Neither a machine nor who is not registered is one, whatever is configured.
    for name in ["agent:helper", "user:nobody"] {
        let line = format!("`{name}` may not register tenants, people and objects");
        let refused = registry.put_person(&operator(name), &eve).map(drop);
        assert_eq!(refused, Err(RegistryError::Denied(line)));
    }
}
