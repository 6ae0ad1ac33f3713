//! What consumers get: snapshots and deltas lead to the same content, whole or as slices.

use std::collections::BTreeMap;

use mandate_authz::container::{self, Kind, PinnedKey, Position, SigningKey};
use mandate_authz::record::{Credential, Identity};
use mandate_authz::row::{Row, StoredCondition};
use mandate_authz::snapshot::{Snapshot, Tenancy};
use mandate_registry::Registry;
use mandate_registry::content::Slice;
use mandate_registry::credential::{Material, NewCredential, SecretSource};
use mandate_registry::error::RegistryError;
use mandate_registry::identity::NewIdentity;
use mandate_registry::publication::{Next, Publication, Sealed};
use proptest::prelude::{Strategy as _, any};
use proptest::test_runner::{Config, TestRunner};

use crate::scene::{NOW, helper, key, local, object, person, scene, tuple};
use crate::store::Store;

/// Relationships that come and go: places that move between tenants, and what hangs on them.
const TUPLES: [&str; 16] = [
    "workspace:w#organization@organization:acme",
    "workspace:w#organization@organization:globex",
    "workspace:g#organization@organization:globex",
    "board:b#workspace@workspace:w",
    "board:b#workspace@workspace:g",
    "board:b#editor@user:bob",
    "board:b#viewer@user:dora",
    "board:b#viewer@user:mallory",
    "board:b#viewer@organization:acme#member",
    "list:l#board@board:b",
    "card:c#list@list:l",
    "user:bob#delegate_of@agent:helper",
    "user:mallory#delegate_of@agent:spy",
    "tool:tasks/get_board#can_call@agent:helper",
    "tool:tasks/get_board#can_call@user:dora",
    "tool:tasks/get_board#can_call@user:mallory",
];

#[derive(Clone, Debug)]
enum Deed {
    AddCredential(bool),
    Delete(usize),
    DeleteIdentity(bool),
    MakeIdentity(bool),
    PutPerson(usize, usize),
    RevokeAll(bool),
    Suspend(bool),
    Write(usize),
}

fn agent(is_spy: bool) -> NewIdentity {
    if !is_spy {
        return helper();
    }
    let owner = Some(object("user:mallory"));
    NewIdentity { object: object("agent:spy"), tenant: "globex".to_owned(), owner, ..helper() }
}

/// Whether it changed anything: what is refused changes nothing.
fn act(registry: &mut Registry, deed: &Deed) -> bool {
    let act = local();
    match deed {
        Deed::AddCredential(is_spy) => {
            let new = NewCredential {
                material: Material::Opaque(SecretSource::Generated),
                subject: None,
                token_ids: Vec::new(),
                expires_at: None,
            };
            registry.add_credential(&act, &agent(*is_spy).object, &new).is_ok()
        }
        Deed::Delete(at) => registry.delete_relationships(&act, &[key(TUPLES[*at])]).is_ok(),
        Deed::DeleteIdentity(is_spy) => {
            registry.delete_identity(&act, &agent(*is_spy).object).is_ok()
        }
        Deed::MakeIdentity(is_spy) => registry.create_identity(&act, &agent(*is_spy)).is_ok(),
        Deed::PutPerson(who, tenants) => {
            let who = ["bob", "dora", "mallory", "nina"][*who];
            let choices: [&[&str]; 4] = [&["acme"], &["globex"], &["acme", "globex"], &[]];
            registry.put_person(&act, &person(who, choices[*tenants])).is_ok()
        }
        Deed::RevokeAll(is_spy) => {
            registry.revoke_all_credentials(&act, &agent(*is_spy).object).is_ok()
        }
        Deed::Suspend(is_spy) => registry.suspend_identity(&act, &agent(*is_spy).object).is_ok(),
        Deed::Write(at) => registry.write_relationships(&act, &[tuple(TUPLES[*at])]).is_ok(),
    }
}

/// Writes of relationships and people mostly: the rest happens once.
fn deeds() -> impl proptest::strategy::Strategy<Value = Vec<Deed>> {
    let deed = (0..32_usize, any::<usize>(), any::<usize>()).prop_map(|(what, one, other)| {
        let is_spy = one % 2 == 0;
        match what {
            0 => Deed::DeleteIdentity(is_spy),
            1 | 2 => Deed::MakeIdentity(is_spy),
            3 | 4 => Deed::AddCredential(is_spy),
            5 => Deed::RevokeAll(is_spy),
            6 => Deed::Suspend(is_spy),
            7..=12 => Deed::PutPerson(one % 4, other % 4),
            13..=18 => Deed::Delete(one % TUPLES.len()),
            _ => Deed::Write(one % TUPLES.len()),
        }
    });
    proptest::collection::vec(deed, 1..24)
}

/// Everything that decides.
#[derive(Debug, PartialEq)]
struct Exported {
    /// With their tenant, where they have one: other names decide nothing by themselves.
    objects: BTreeMap<String, String>,
    tuples: BTreeMap<String, Option<StoredCondition>>,
    identities: BTreeMap<String, Identity>,
    credentials: BTreeMap<String, Credential>,
}

fn export(snapshot: &Snapshot) -> Exported {
    let mut exported = Exported {
        objects: BTreeMap::new(),
        tuples: BTreeMap::new(),
        identities: BTreeMap::new(),
        credentials: BTreeMap::new(),
    };
    for type_name in snapshot.type_names().map(str::to_owned).collect::<Vec<_>>() {
        for one in snapshot.objects(&type_name) {
            if let Tenancy::Of(tenant) = snapshot.tenancy(one) {
                let name = snapshot.name(one).to_string();
                exported.objects.insert(name, snapshot.name(tenant).id);
            }
            for tuple in snapshot.stored_tuples(one) {
                let name = format!("{}#{}@{}", tuple.object, tuple.relation, tuple.subject);
                exported.tuples.insert(name, tuple.condition);
            }
        }
    }
    let identities = snapshot.identities().into_iter();
    exported.identities = identities.map(|one| (one.object.to_string(), one)).collect();
    let credentials = snapshot.credentials().into_iter();
    exported.credentials = credentials.map(|one| (one.id.clone(), one)).collect();
    exported
}

fn build(registry: &mut Registry, slice: &Slice) -> (Position, Snapshot) {
    let content = registry.content(slice).expect("the registry is read");
    let body = content.world.build([7; 16]).expect("what was written builds");
    (content.position, Snapshot::from_body(body).expect("it loads"))
}

fn slices() -> [Slice; 3] {
    let of = |name: &str| Slice::of_tenants(name, [name.to_owned()]);
    [Slice::all(), of("acme"), of("globex")]
}

pub(crate) fn a_snapshot_with_deltas_is_the_snapshot_of_later(store: &Store) {
    let mut registry = scene(store);
    let mut changed = 0;
    let mut stands: Vec<_> = slices()
        .into_iter()
        .map(|slice| {
            let (position, snapshot) = build(&mut registry, &slice);
            (slice, position, snapshot)
        })
        .collect();
    let config =
        Config { cases: 48, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let registry = std::cell::RefCell::new(registry);
    let stands = std::cell::RefCell::new(&mut stands);
    let changed = std::cell::RefCell::new(&mut changed);
    // The registry goes on from case to case: each is one more stretch of one history.
    TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    )
    .run(&deeds(), |deeds| {
        let mut registry = registry.borrow_mut();
        let done = deeds.iter().filter(|deed| act(&mut registry, deed)).count();
        **changed.borrow_mut() += done;
        for (slice, position, snapshot) in stands.borrow_mut().iter_mut() {
            let changes = registry.changes_since(*position, slice).expect("the log is read");
            let changes = changes.expect("a delta holds it");
            snapshot.apply(&changes.rows).unwrap_or_else(|error| {
                panic!("{slice:?} {error:?} {:?}", changes.rows);
            });
            let (later, fresh) = build(&mut registry, slice);
            assert_eq!(changes.position, later);
            assert_eq!(export(snapshot), export(&fresh), "{slice:?} {deeds:?} {:?}", changes.rows);
            *position = later;
        }
        Ok(())
    })
    .expect("every stretch leads where the snapshot is");
    assert!(**changed.borrow() > 100, "only {} deeds changed anything", changed.borrow());
}

pub(crate) fn a_slice_has_its_tenants_and_what_all_share_and_names_nobody_else(store: &Store) {
    let mut registry = scene(store);
    let [_, acme, globex] = slices();
    registry.create_identity(&local(), &agent(true)).expect("it is new");
    let from = registry.position().expect("a position");
    let fitting = TUPLES.iter().enumerate().filter(|(at, _)| ![1, 4, 7].contains(at));
    let tuples: Vec<_> = fitting.map(|(_, text)| tuple(text)).collect();
    registry.write_relationships(&local(), &tuples).expect("they fit");
    let (_, snapshot) = build(&mut registry, &globex);
    let names: Vec<_> = export(&snapshot).tuples.into_keys().collect();
    assert_eq!(
        names,
        [
            "organization:globex#admin@user:mallory",
            "organization:globex#member@user:dora",
            "organization:globex#member@user:mallory",
            "tool:tasks/get_board#can_call@user:dora",
            "tool:tasks/get_board#can_call@user:mallory",
            "user:mallory#delegate_of@agent:spy",
            "workspace:g#organization@organization:globex",
        ]
        .into_iter()
        .chain(["agent:spy#organization@organization:globex", "agent:spy#owner@user:mallory"])
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
    );
    // Dora is in both, and each slice has her as its own.
    let dora = export(&snapshot).identities["user:dora"].clone();
    assert_eq!(dora.tenants, ["globex"]);
    registry.delete_relationships(&local(), &[key(TUPLES[5]), key(TUPLES[11])]).expect("stored");
    registry.put_person(&local(), &person("mallory", &[])).expect("she leaves");
    let said = |registry: &mut Registry, slice: &Slice| {
        let changes = registry.changes_since(from, slice).expect("the log");
        format!("{:?}", changes.expect("a delta holds it").rows)
    };
    let (to_acme, to_globex) = (said(&mut registry, &acme), said(&mut registry, &globex));
    for foreign in ["mallory", "globex", "spy", "\"g\""] {
        assert!(!to_acme.contains(foreign), "{foreign}: {to_acme}");
    }
    for foreign in ["bob", "acme", "helper", "\"b\""] {
        assert!(!to_globex.contains(foreign), "{foreign}: {to_globex}");
    }
    let gone = Row::DeleteIdentity { object: object("user:mallory") };
    assert!(to_globex.contains(&format!("{gone:?}")), "{to_globex}");
}

pub(crate) fn containers_are_signed_and_lead_from_one_to_the_next(store: &Store) {
    let mut registry = scene(store);
    let key = SigningKey::from_seed([3; 32]).expect("a key");
    let pins = [PinnedKey::parse(&key.to_public_jwk()).expect("its public half")];
    let slice = Slice::all();
    let publication =
        Publication { slice: &slice, contract_version: [1, 2, 3], key: &key, issued_at: NOW };
    let first = registry.seal_snapshot(publication, [7; 16]).expect("a snapshot");
    let statement = |sealed: &Sealed| {
        let (header, _) = container::open(&sealed.bytes, &pins).expect("it is signed");
        header.header().statement.clone()
    };
    let stated = statement(&first);
    assert_eq!((stated.kind, stated.position), (Kind::Snapshot, first.position));
    assert_eq!((stated.deployment.as_str(), stated.slice.as_str()), ("test", "all"));
    let base = first.position.epoch;
    assert_eq!(registry.seal_delta(publication, first.position, base), Ok(Next::Nothing));
    registry.write_relationships(&local(), &[tuple(TUPLES[2])]).expect("it fits");
    let Ok(Next::Delta(delta)) = registry.seal_delta(publication, first.position, base) else {
        panic!("no delta");
    };
    assert_eq!(delta.position, Position::new(1, base + 1));
    assert_eq!(statement(&delta).kind, Kind::Delta { base, from: base });
    let beat = registry.seal_heartbeat(publication, base).expect("a heartbeat");
    assert_eq!(statement(&beat).kind, Kind::Delta { base, from: base + 1 });
    assert_eq!(beat.position, delta.position);
    let ahead = registry.seal_delta(publication, Position::new(1, 1_000), base);
    let line = format!("the registry stands at {}, before 1.1000", delta.position);
    assert_eq!(ahead, Err(RegistryError::Conflict(line)));
    registry.new_era(&local()).expect("the operator may");
    assert_eq!(registry.seal_delta(publication, delta.position, base), Ok(Next::Snapshot));
}
