//! Two tenants under the shared contract and model.
//!
//! acme has anne, its administrator, bob and carol; globex has mallory, its administrator. dora is in
//! both. `agent:helper` is bob's.

use mandate_authn::Contract;
use mandate_authz::model::{LocatedModel, Model, ModuleFile};
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::policy::Policy;
use mandate_authz::record::{DelegationMode, Grant, Holder, Scope, Status};
use mandate_authz::tuple::Tuple;
use mandate_registry::actor::Actor;
use mandate_registry::confirm::Confirm;
use mandate_registry::identity::NewIdentity;
use mandate_registry::person::Person;
use mandate_registry::random::SystemRandomness;
use mandate_registry::relationship::Key;
use mandate_registry::{Act, Registry};

use crate::store::Store;

pub(crate) const ISSUER: &str = "https://id.example/application/o/family/";

pub(crate) const NOW: u64 = 1_000_000;

pub(crate) fn policy() -> Policy {
    let contract = Contract::parse(include_str!("../../../../contract/contract.json"));
    let contract = contract.expect("the shared contract loads");
    Policy::from_contract(&contract).expect("the policy loads").expect("there is one")
}

pub(crate) fn model() -> Model {
    let module =
        |name: &str, text: &str| ModuleFile { name: name.to_owned(), text: text.to_owned() };
    let files = [
        module("core.fga", include_str!("../../../../contract/model/core.fga")),
        module("vault.fga", include_str!("../../../../contract/model/vault.fga")),
        module("tasks.fga", include_str!("../../../../contract/model/tasks.fga")),
    ];
    LocatedModel::from_modules(&files).expect("the shared model is well formed").into_model()
}

/// A registry on a migrated database, connected once more.
pub(crate) fn connect(store: &Store) -> Registry {
    Registry::open(store.open(), model(), policy(), Box::new(SystemRandomness::new()))
        .expect("the registry opens")
}

/// An initialized registry without anything in it.
pub(crate) fn empty(store: &Store) -> Registry {
    drop(store.migrated());
    let mut registry = connect(store);
    registry.initialize("test", NOW).expect("it is new");
    registry
}

/// The two tenants.
pub(crate) fn scene(store: &Store) -> Registry {
    let mut registry = empty(store);
    let act = local();
    for tenant in ["acme", "globex"] {
        registry.register_object(&act, &object(&format!("organization:{tenant}"))).expect("new");
    }
    let people: [(&str, &[&str]); 5] = [
        ("anne", &["acme"]),
        ("bob", &["acme"]),
        ("carol", &["acme"]),
        ("dora", &["acme", "globex"]),
        ("mallory", &["globex"]),
    ];
    for (id, tenants) in people {
        registry.put_person(&act, &person(id, tenants)).expect("the person is new");
    }
    let tuples = [
        tuple("organization:acme#admin@user:anne"),
        tuple("organization:globex#admin@user:mallory"),
    ];
    registry.write_relationships(&act, &tuples).expect("administrators");
    registry.create_identity(&act, &helper()).expect("the agent is new");
    registry
}

pub(crate) fn person(id: &str, tenants: &[&str]) -> Person {
    Person {
        object: ObjectName::new("user", id),
        tenants: tenants.iter().map(|tenant| (*tenant).to_owned()).collect(),
        subjects: vec![Holder { issuer: ISSUER.to_owned(), name: format!("sub-{id}") }],
        status: Status::Active,
        expires_at: None,
    }
}

pub(crate) fn helper() -> NewIdentity {
    NewIdentity {
        object: object("agent:helper"),
        display_name: "Helper".to_owned(),
        owner: Some(object("user:bob")),
        tenant: "acme".to_owned(),
        scope: scope(&["read"]),
        delegation: DelegationMode::Stored,
        sole_user: None,
        expires_at: None,
        external: None,
    }
}

pub(crate) fn scope(modes: &[&str]) -> Scope {
    Scope {
        workspaces: Grant::All,
        boards: Grant::All,
        modes: Grant::Listed(modes.iter().map(|mode| (*mode).to_owned()).collect()),
        actions: Grant::All,
    }
}

pub(crate) fn object(text: &str) -> ObjectName {
    ObjectName::parse(text).expect("type:id")
}

pub(crate) fn key(text: &str) -> Key {
    let (object, rest) = text.split_once('#').expect("object#relation@subject");
    let (relation, subject) = rest.split_once('@').expect("object#relation@subject");
    Key {
        object: ObjectName::parse(object).expect("type:id"),
        relation: relation.to_owned(),
        subject: Subject::parse(subject).expect("a subject"),
    }
}

pub(crate) fn tuple(text: &str) -> Tuple {
    let Key { object, relation, subject } = key(text);
    Tuple::new(object, relation, subject)
}

pub(crate) fn local() -> Act {
    Act { actor: Actor::Local, now: NOW, confirm: Confirm::Confirmed }
}

/// What somebody does, confirmed.
pub(crate) fn by(name: &str) -> Act {
    Act { actor: Actor::Principal(object(name)), ..local() }
}

pub(crate) fn at(now: u64) -> Act {
    Act { now, ..local() }
}

pub(crate) fn dry() -> Act {
    Act { confirm: Confirm::DryRun, ..local() }
}
