//! People.

use mandate_authz::record::{Kind, Status};
use mandate_authz::row::Row;
use mandate_registry::error::RegistryError;
use mandate_registry::relationship::RelationshipFilter;

use crate::scene::{local, object, person, scene, tuple};
use crate::store::Store;

fn of(registry: &mut mandate_registry::Registry, subject: &str) -> Vec<String> {
    let subject = Some(object(subject));
    let filter = RelationshipFilter { subject, most: 100, ..RelationshipFilter::default() };
    let found = registry.relationships(&filter).expect("a page");
    found.iter().map(ToString::to_string).collect()
}

pub(crate) fn a_person_is_registered_with_links_and_memberships(store: &Store) {
    let mut registry = scene(store);
    let before = registry.position().expect("a position");
    let mut eve = person("eve", &["acme", "globex"]);
    eve.status = Status::Suspended;
    eve.expires_at = Some(5);
    registry.put_person(&local(), &eve).expect("she is new");
    let changes = registry.changes_after(before, 100).expect("the log");
    let Row::PutIdentity(record) = &changes[0].row else { panic!("{changes:?}") };
    assert_eq!(record.kind, Kind::User);
    assert_eq!(
        (record.tenants.clone(), record.subjects.clone()),
        (eve.tenants.clone(), eve.subjects.clone())
    );
    assert_eq!((record.status, record.expires_at), (Status::Suspended, Some(5)));
    let member = ["organization:acme#member@user:eve", "organization:globex#member@user:eve"];
    assert_eq!(of(&mut registry, "user:eve"), member);
    eve.tenants.push("acme".to_owned());
    let twice = RegistryError::Invalid("`user:eve` lists a tenant twice".to_owned());
    assert_eq!(registry.put_person(&local(), &eve).map(drop), Err(twice));
}

pub(crate) fn a_person_who_leaves_a_tenant_loses_what_joined_it(store: &Store) {
    let mut registry = scene(store);
    let tuples = [
        tuple("user:dora#delegate_of@agent:helper"),
        tuple("agent:helper#agent_user@user:dora"),
        tuple("tool:tasks/get_board#can_call@user:dora"),
    ];
    registry.write_relationships(&local(), &tuples).expect("dora is in acme");
    registry.put_person(&local(), &person("dora", &["globex"])).expect("she leaves acme");
    let kept = ["organization:globex#member@user:dora", "tool:tasks/get_board#can_call@user:dora"];
    assert_eq!(of(&mut registry, "user:dora"), kept);
    assert_eq!(of(&mut registry, "agent:helper"), [""; 0]);
}

pub(crate) fn a_person_without_a_tenant_keeps_nothing_of_any(store: &Store) {
    let mut registry = scene(store);
    registry.put_person(&local(), &person("carol", &[])).expect("she leaves");
    let filter = RelationshipFilter {
        subject: Some(object("user:carol")),
        most: 10,
        ..RelationshipFilter::default()
    };
    assert_eq!(registry.relationships(&filter), Ok(Vec::new()));
    // What would keep a snapshot from being built is not written.
    let refused =
        registry.write_relationships(&local(), &[tuple("organization:acme#admin@user:carol")]);
    let line = "`organization:acme#admin@user:carol` joins two tenants".to_owned();
    assert_eq!(refused, Err(RegistryError::Invalid(line)));
}
