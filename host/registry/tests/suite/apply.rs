//! Facts, in one write that can be made again; and what audit records say of the last use.

use mandate_authz::facts::Facts;
use mandate_authz::snapshot::World;
use mandate_registry::apply::Applied;
use mandate_registry::error::RegistryError;

use crate::audit::event;
use crate::scene::{ISSUER, NOW, at, by, dry, empty, local, model, object, policy, scene};
use crate::store::Store;

fn world(more: &str) -> World {
    let text = format!(
        "organization: acme\nowner: olga\nissuer: {ISSUER}\nusers:\n- {{id: olga, subjects: [o]}}\n\
        agents:\n- id: bot\n  clients: [bot-app]\n  delegated_by: [olga]\n  \
        scope: {{workspaces: \"*\", boards: \"*\", modes: [read], actions: \"*\"}}\n  \
        credentials: [{{id: bot-1, client: bot-app{more}}}]\n"
    );
    let facts = Facts::parse(&text).expect("facts");
    facts.into_world(model(), &policy()).expect("a world").world
}

pub(crate) fn facts_applied_twice_change_nothing(store: &Store) {
    let mut registry = empty(store);
    let everything =
        Applied { objects: 1, people: 1, identities: 1, credentials: 1, relationships: 1 };
    let told = registry.apply_facts(&dry(), &world("")).expect("a dry run");
    assert_eq!(told.outcome, everything);
    assert_eq!(registry.position().expect("a position").epoch, 0);
    let done = registry.apply_facts(&local(), &world("")).expect("they are new");
    assert_eq!(done.outcome, everything);
    let again = registry.apply_facts(&local(), &world("")).expect("they are so");
    assert_eq!(again.outcome, Applied::default());
    assert!(again.outcome.is_nothing());
    // A later file revokes; an earlier one revives nothing.
    let revoked = world(", revoked_at: 7");
    let one = Applied { credentials: 1, ..Applied::default() };
    assert_eq!(registry.apply_facts(&at(NOW + 1), &revoked).expect("live").outcome, one);
    let old = registry.apply_facts(&at(NOW + 2), &world("")).expect("revoked");
    assert_eq!(old.outcome, Applied::default());
    assert_eq!(registry.credential("bot-1").expect("it is there").revoked_at, Some(NOW + 1));
}

pub(crate) fn facts_that_contradict_the_registry_change_nothing(store: &Store) {
    let mut registry = empty(store);
    registry.apply_facts(&local(), &world("")).expect("they are new");
    let mut moved = world("");
    for identity in &mut moved.identities {
        identity.tenants = vec!["globex".to_owned()];
    }
    let message = "`agent:bot` has another tenant, subject or client in the registry".to_owned();
    let refused = registry.apply_facts(&local(), &moved);
    assert_eq!(refused, Err(RegistryError::Conflict(message)));
    assert_eq!(registry.person(&object("user:olga")).expect("she is there").tenants, ["acme"]);
    let denied = registry.apply_facts(&by("user:olga"), &world(""));
    let message = "`user:olga` may not register tenants, people and objects".to_owned();
    assert_eq!(denied, Err(RegistryError::Denied(message)));
}

pub(crate) fn what_was_allowed_is_the_last_use(store: &Store) {
    let mut registry = scene(store);
    let helper = [("machine_identity_id", "agent:helper"), ("tenant", "acme")];
    let denied = [&helper[..], &[("verdict", "deny"), ("reason", "no-relation")]].concat();
    registry.append_audit(&[event("gate", 9, &denied)]).expect("a record");
    let last_used = |registry: &mut mandate_registry::Registry| {
        registry.identity(&object("agent:helper")).expect("it is there").last_used_at
    };
    assert_eq!(last_used(&mut registry), None);
    let before = registry.position().expect("a position");
    registry
        .append_audit(&[event("gate", 5, &helper), event("gate", 3, &helper)])
        .expect("records");
    assert_eq!(last_used(&mut registry), Some(NOW + 5));
    // What comes late does not take it back, and none of it is a change of the registry.
    registry.append_audit(&[event("gate", 4, &helper)]).expect("a record");
    assert_eq!(last_used(&mut registry), Some(NOW + 5));
    assert_eq!(registry.position().expect("a position"), before);
}
