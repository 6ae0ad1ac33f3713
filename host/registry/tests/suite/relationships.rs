//! Relationships, and the tenants that follow from them.

use mandate_authz::container::Position;
use mandate_authz::name::ObjectName;
use mandate_authz::record::{Credential, Identity};
use mandate_authz::row::Row;
use mandate_authz::snapshot::World;
use mandate_authz::tuple::{Tuple, TupleCondition};
use mandate_registry::Registry;
use mandate_registry::error::RegistryError;
use mandate_registry::relationship::{Key, RelationshipFilter};

use crate::scene::{dry, key, local, model, object, policy, scene, tuple};
use crate::store::Store;

fn write(registry: &mut Registry, tuples: &[&str]) -> Result<u64, RegistryError> {
    let tuples: Vec<_> = tuples.iter().map(|text| tuple(text)).collect();
    registry.write_relationships(&local(), &tuples).map(|written| written.outcome)
}

fn list(registry: &mut Registry, filter: &RelationshipFilter) -> Vec<String> {
    let found = registry.relationships(filter).expect("a page");
    found.iter().map(ToString::to_string).collect()
}

fn any() -> RelationshipFilter {
    RelationshipFilter { most: 100, ..RelationshipFilter::default() }
}

fn tenant(store: &Store, name: &str) -> String {
    let rows = store.dump("object");
    let found = rows.into_iter().find(|row| row[0] == name);
    found.map_or_else(|| "unknown".to_owned(), |row| row[1].clone())
}

pub(crate) fn relationships_are_written_listed_and_deleted(store: &Store) {
    let mut registry = scene(store);
    let board = [
        "workspace:w#organization@organization:acme",
        "board:b#workspace@workspace:w",
        "board:b#editor@user:bob",
        "board:b#viewer@user:carol",
        "board:b#viewer@organization:acme#member",
    ];
    assert_eq!(write(&mut registry, &board), Ok(5));
    assert_eq!(write(&mut registry, &board), Ok(0));
    let of_board = RelationshipFilter { object: Some(object("board:b")), ..any() };
    let mut sorted = board[1..].to_vec();
    sorted.sort_unstable();
    assert_eq!(list(&mut registry, &of_board), sorted);
    let viewers = RelationshipFilter {
        object_type: Some("board".to_owned()),
        relation: Some("viewer".to_owned()),
        ..any()
    };
    assert_eq!(list(&mut registry, &viewers), [board[4], board[3]]);
    let acme = RelationshipFilter {
        subject: Some(object("organization:acme")),
        object_type: Some("board".to_owned()),
        ..any()
    };
    assert_eq!(list(&mut registry, &acme), [board[4]]);
    let mut pages = Vec::new();
    let mut after: Option<Key> = None;
    loop {
        let page = list(&mut registry, &RelationshipFilter { most: 3, after, ..of_board.clone() });
        after = page.last().map(|last| key(last));
        pages.push(page.len());
        if page.is_empty() {
            break;
        }
    }
    assert_eq!(pages, [3, 1, 0]);
    let gone = [key(board[3]), key("board:b#viewer@user:nobody")];
    assert_eq!(registry.delete_relationships(&dry(), &gone).map(|written| written.outcome), Ok(1));
    assert_eq!(
        registry.delete_relationships(&local(), &gone).map(|written| written.outcome),
        Ok(1)
    );
    assert_eq!(list(&mut registry, &viewers), [board[4]]);
}

pub(crate) fn what_the_model_has_no_place_for_is_refused(store: &Store) {
    let mut registry = scene(store);
    let before = registry.position();
    let cases = [
        ("planet:x#viewer@user:bob", "the model has no type `planet`"),
        ("board:b#can_view@user:bob", "`can_view` of `board` is computed: nothing is stored in it"),
        ("board:b#viewer@agent:helper", "`viewer` of `board` does not take `agent:helper`, only "),
        ("board:b#viewer@user:*", "`viewer` of `board` does not take `user:*`, only "),
        (
            "board:b c#viewer@user:bob",
            "`board:b c#viewer@user:bob` is no relationship that a request",
        ),
    ];
    for (text, line) in cases {
        let refused = write(&mut registry, &["board:fine#viewer@user:bob", text]);
        let refused = refused.expect_err(text).to_string();
        assert!(refused.starts_with(line), "{refused}");
    }
    // Nobody is granted anything before they are somebody.
    for (text, line) in [
        ("user:bob#delegate_of@agent:ghost", "there is no machine identity `agent:ghost`"),
        ("board:b#viewer@user:ghost", "there is no person `user:ghost`"),
        ("organization:ghost#admin@user:bob", "there is no tenant `organization:ghost`"),
        ("board:b#viewer@organization:ghost#member", "there is no tenant `organization:ghost`"),
    ] {
        let refused = write(&mut registry, &[text]).expect_err(text).to_string();
        assert_eq!(refused, line);
    }
    assert_eq!(registry.position(), before);
    assert_eq!(tenant(store, "board:fine"), "unknown");
}

pub(crate) fn a_condition_is_stored_with_its_context(store: &Store) {
    let mut registry = scene(store);
    let until = |moment: &str| {
        let mut tuple = tuple("user:bob#delegate_of@agent:helper");
        let context = serde_json::json!({ "expires_at": moment });
        let context = context.as_object().cloned().expect("an object");
        tuple.condition = Some(TupleCondition { name: "delegation_unexpired".to_owned(), context });
        tuple
    };
    let mut put = |tuple: &Tuple| {
        let written = registry.write_relationships(&local(), std::slice::from_ref(tuple));
        written.map(|written| written.outcome).map_err(|error| error.to_string())
    };
    let first = until("2026-01-01T00:00:00Z");
    assert_eq!(put(&first), Ok(1));
    assert_eq!(put(&first), Ok(0));
    let later = until("2027-01-01T00:00:00Z");
    assert_eq!(put(&later), Ok(1));
    let line =
        "condition `delegation_unexpired`: the value of parameter `expires_at` is no timestamp";
    assert_eq!(put(&until("tomorrow")), Err(line.to_owned()));
    let filter = RelationshipFilter { object: Some(object("user:bob")), ..any() };
    assert_eq!(registry.relationships(&filter), Ok(vec![later]));
    // Without its condition it is another relationship in the same place.
    assert_eq!(write(&mut registry, &["user:bob#delegate_of@agent:helper"]), Ok(1));
    let plain = vec![tuple("user:bob#delegate_of@agent:helper")];
    assert_eq!(registry.relationships(&filter), Ok(plain));
}

pub(crate) fn a_relationship_that_joins_two_tenants_is_refused(store: &Store) {
    let mut registry = scene(store);
    let places = [
        "workspace:w#organization@organization:acme",
        "workspace:g#organization@organization:globex",
        "board:b#workspace@workspace:w",
        "team:blue#organization@organization:globex",
    ];
    assert_eq!(write(&mut registry, &places), Ok(4));
    for joined in [
        "board:b#viewer@user:mallory",
        "board:b#viewer@team:blue#member",
        "board:b#workspace@workspace:g",
        "workspace:w#organization@organization:globex",
        "organization:globex#admin@user:anne",
        "agent:helper#agent_user@user:mallory",
    ] {
        let refused = write(&mut registry, &[joined]).expect_err(joined).to_string();
        assert!(refused.contains("two tenants"), "{refused}");
    }
    assert_eq!(write(&mut registry, &["board:b#viewer@user:dora"]), Ok(1));
    // What was written before anybody knew the tenant counts when it becomes known.
    assert_eq!(write(&mut registry, &["board:late#viewer@user:mallory"]), Ok(1));
    let refused = write(&mut registry, &["board:late#workspace@workspace:w"]);
    let line = "`board:late#viewer@user:mallory` joins two tenants".to_owned();
    assert_eq!(refused, Err(RegistryError::Invalid(line)));
}

pub(crate) fn a_move_of_a_parent_moves_everything_below(store: &Store) {
    let mut registry = scene(store);
    let below = ["list:l#board@board:b", "card:c#list@list:l", "board:b#workspace@workspace:w"];
    assert_eq!(write(&mut registry, &below), Ok(3));
    assert_eq!(tenant(store, "card:c"), "null");
    let top = "workspace:w#organization@organization:acme";
    let before = registry.position().expect("a position");
    assert_eq!(write(&mut registry, &[top]), Ok(1));
    for name in ["workspace:w", "board:b", "list:l", "card:c"] {
        assert_eq!(tenant(store, name), "acme", "{name}");
    }
    let changes = registry.changes_after(before, 10).expect("the log");
    let moved = changes.iter().filter(|change| {
        matches!(&change.row, Row::PutObject { tenant: Some(tenant), .. } if tenant == "acme")
    });
    assert_eq!(moved.count(), 4, "{changes:?}");
    registry.delete_relationships(&local(), &[key(top)]).expect("it is stored");
    for name in ["workspace:w", "board:b", "list:l", "card:c"] {
        assert_eq!(tenant(store, name), "null", "{name}");
    }
    assert_eq!(write(&mut registry, &["workspace:w#organization@organization:globex"]), Ok(1));
    assert_eq!(tenant(store, "card:c"), "globex");
}

pub(crate) fn an_object_is_where_its_known_parent_is(store: &Store) {
    let mut registry = scene(store);
    let two = [
        "workspace:w#organization@organization:acme",
        "board:b#workspace@workspace:w",
        "board:b#workspace@workspace:x",
    ];
    assert_eq!(write(&mut registry, &two), Ok(3));
    assert_eq!(tenant(store, "board:b"), "acme");
    registry.delete_relationships(&local(), &[key(two[1])]).expect("it is stored");
    assert_eq!(tenant(store, "board:b"), "null");
}

/// What the rows of the log make, applied one after another.
#[derive(Default)]
struct Replay {
    tuples: std::collections::BTreeMap<(ObjectName, String, String), bool>,
    identities: std::collections::BTreeMap<ObjectName, Identity>,
    credentials: std::collections::BTreeMap<String, Credential>,
    tenants: std::collections::BTreeMap<String, Option<String>>,
}

impl Replay {
    fn apply(&mut self, row: Row) {
        match row {
            Row::DeleteCredential { id } => drop(self.credentials.remove(&id)),
            Row::DeleteIdentity { object } => drop(self.identities.remove(&object)),
            Row::DeleteObject { object } => drop(self.tenants.remove(&object.to_string())),
            Row::DeleteTuple { object, relation, subject } => {
                self.tuples.remove(&(object, relation, subject.to_string()));
            }
            Row::PutCredential(credential) => {
                self.credentials.insert(credential.id.clone(), credential);
            }
            Row::PutIdentity(identity) => {
                self.identities.insert(identity.object.clone(), identity);
            }
            Row::PutObject { object, tenant } => {
                self.tenants.insert(object.to_string(), tenant);
            }
            Row::WriteTuple(tuple) => {
                let key = (tuple.object, tuple.relation, tuple.subject.to_string());
                self.tuples.insert(key, tuple.condition.is_some());
            }
        }
    }
}

pub(crate) fn the_log_builds_the_snapshot_that_the_tables_say(store: &Store) {
    let mut registry = scene(store);
    let tuples = [
        "list:l#board@board:b",
        "board:b#workspace@workspace:w",
        "workspace:w#organization@organization:acme",
        "board:b#editor@user:bob",
        "user:bob#delegate_of@agent:helper",
        "tool:tasks/get_board#can_call@agent:helper",
    ];
    write(&mut registry, &tuples).expect("they fit");
    registry.delete_relationships(&local(), &[key(tuples[3])]).expect("it is stored");
    let changes = registry.changes_after(Position::new(1, 0), 10_000).expect("the log");
    let mut replay = Replay::default();
    changes.into_iter().for_each(|change| replay.apply(change.row));
    let stored = registry.relationships(&any()).expect("a page");
    let keys: Vec<_> = stored
        .iter()
        .map(|tuple| (tuple.object.clone(), tuple.relation.clone(), tuple.subject.to_string()))
        .collect();
    assert_eq!(replay.tuples.into_keys().collect::<Vec<_>>(), keys);
    let known = store
        .dump("object")
        .into_iter()
        .filter(|row| !row[0].starts_with("user:") && !row[0].starts_with("agent:"));
    let known: std::collections::BTreeMap<_, _> =
        known.map(|row| (row[0].clone(), (row[1] != "null").then(|| row[1].clone()))).collect();
    assert_eq!(replay.tenants, known);
    let agent = registry.identity(&object("agent:helper")).expect("it is there");
    assert_eq!(replay.identities.get(&agent.object), Some(&agent.record()));
    // And the builder of snapshots takes it as it stands.
    let world = World {
        model: model(),
        tuples: stored,
        identities: replay.identities.into_values().collect(),
        credentials: replay.credentials.into_values().collect(),
        objects: known.keys().map(|name| object(name)).collect(),
        tenancy: policy().types().tenancy_rules(),
        ignore_unfit: false,
    };
    let body = world.build([7; 16]).expect("the builder takes it");
    assert!(!body.is_empty());
}

pub(crate) fn those_of_a_tenant_name_nothing_of_another(store: &Store) {
    let mut registry = scene(store);
    let globex = mandate_registry::identity::NewIdentity {
        object: object("agent:spy"),
        tenant: "globex".to_owned(),
        owner: None,
        ..crate::scene::helper()
    };
    registry.create_identity(&local(), &globex).expect("it is new");
    let more = [
        "workspace:w#organization@organization:acme",
        "board:b#workspace@workspace:w",
        "board:b#viewer@user:dora",
        "workspace:v#organization@organization:globex",
        "workspace:v#viewer@user:dora",
        "tool:tasks/get_board#can_call@organization:acme#member",
        "tool:tasks/get_board#can_call@agent:spy",
        "tool:tasks/get_board#server@mcp_server:tasks",
        "user:dora#delegate_of@agent:helper",
        "user:dora#delegate_of@agent:spy",
    ];
    write(&mut registry, &more).expect("all fits");
    let of = |tenant: &str| RelationshipFilter { tenant: Some(tenant.to_owned()), ..any() };
    let acme = [
        "agent:helper#organization@organization:acme",
        "agent:helper#owner@user:bob",
        "board:b#viewer@user:dora",
        "board:b#workspace@workspace:w",
        "organization:acme#admin@user:anne",
        "organization:acme#member@user:anne",
        "organization:acme#member@user:bob",
        "organization:acme#member@user:carol",
        "organization:acme#member@user:dora",
        "tool:tasks/get_board#can_call@organization:acme#member",
        "user:dora#delegate_of@agent:helper",
        "workspace:w#organization@organization:acme",
    ];
    assert_eq!(list(&mut registry, &of("acme")), acme);
    let globex = [
        "agent:spy#organization@organization:globex",
        "organization:globex#admin@user:mallory",
        "organization:globex#member@user:dora",
        "organization:globex#member@user:mallory",
        "tool:tasks/get_board#can_call@agent:spy",
        "user:dora#delegate_of@agent:spy",
        "workspace:v#organization@organization:globex",
        "workspace:v#viewer@user:dora",
    ];
    assert_eq!(list(&mut registry, &of("globex")), globex);
    assert_eq!(list(&mut registry, &of("nowhere")), Vec::<String>::new());
    let page = RelationshipFilter {
        after: Some(key(acme[1])),
        subject: Some(object("user:dora")),
        most: 2,
        ..of("acme")
    };
    assert_eq!(list(&mut registry, &page), [acme[2], acme[8]]);
}
