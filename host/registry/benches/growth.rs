//! How the registry grows: `cargo xtask bench registry`.
//!
//! On SQLite, or with `--postgres URL` in a database that has nothing in it, which is emptied again.
//! `--relationships N` measures one registry of that size. `--json` prints the figures for a program.
//! Without `--bench` (as under `cargo test --benches`) one small registry takes a short turn, which
//! checks that the bench works.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench"
)]

use std::path::PathBuf;
use std::time::Instant;

use mandate_authn::Contract;
use mandate_authz::container::{PinnedKey, SigningKey};
use mandate_authz::model::{LocatedModel, Model, ModuleFile};
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::policy::Policy;
use mandate_authz::record::{Holder, Status};
use mandate_authz::tuple::Tuple;
use mandate_registry::actor::Actor;
use mandate_registry::audit::Event;
use mandate_registry::confirm::Confirm;
use mandate_registry::content::Slice;
use mandate_registry::database::{self, Access, Engine, Value as Column};
use mandate_registry::migration;
use mandate_registry::person::Person;
use mandate_registry::publication::{Next, Publication};
use mandate_registry::random::SystemRandomness;
use mandate_registry::{Act, Registry};
use serde_json::{Value, json};

const NOW: u64 = 1_000_000;

/// People among whom the relationships are spread.
const PEOPLE: usize = 1000;

/// Relationships that are written at once while a registry is filled.
const BATCH: usize = 10_000;

/// Records that come in at once.
const RECORDS_A_BATCH: usize = 500;

fn main() {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    let given = |flag: &str| std::env::args().skip_while(|argument| argument != flag).nth(1);
    let plan: &[usize] = match asked("--bench") {
        true => &[10_000, 100_000, 1_000_000],
        false => &[2_000],
    };
    let one = given("--relationships").map(|size| vec![size.parse().expect("a number")]);
    let work = if asked("--bench") { (50, 50_000) } else { (3, 1_000) };
    let worlds = one.unwrap_or_else(|| plan.to_vec()).into_iter().map(|relationships| {
        let place = Place::new(given("--postgres"));
        let measured = measure(&place, relationships, work);
        if !asked("--json") {
            println!("{measured:#}");
        }
        measured
    });
    let worlds: Vec<Value> = worlds.collect();
    if asked("--json") {
        println!("{}", json!({ "registry": worlds }));
    }
}

/// One registry of so many relationships, so many single writes, and so many records of decisions.
fn measure(place: &Place, relationships: usize, (writes, records): (usize, usize)) -> Value {
    let file = place.address();
    let mut registry = people(&file);
    let empty = bytes(&file);
    let start = Instant::now();
    let tuples: Vec<Tuple> = (0..relationships).map(tuple).collect();
    for batch in tuples.chunks(BATCH) {
        registry.write_relationships(&act(), batch).expect("they fit the model");
    }
    let filled = start.elapsed().as_secs_f64();
    let filled_bytes = bytes(&file) - empty;

    let seed = [7; 32];
    let key = SigningKey::from_seed(seed).expect("a key");
    let slice = Slice::all();
    let publication =
        Publication { slice: &slice, contract_version: [1, 0, 0], key: &key, issued_at: NOW };
    let start = Instant::now();
    let snapshot = registry.seal_snapshot(publication, [1; 16]).expect("a snapshot");
    let built = start.elapsed().as_secs_f64();

    let base = snapshot.position.epoch;
    let mut position = snapshot.position;
    let mut latencies: Vec<f64> = (0..writes)
        .map(|number| {
            let written = [tuple(relationships + number)];
            let start = Instant::now();
            registry.write_relationships(&act(), &written).expect("it fits the model");
            let next = registry.seal_delta(publication, position, base).expect("a delta");
            let latency = start.elapsed().as_secs_f64();
            let Next::Delta(delta) = next else { panic!("{next:?} is no delta") };
            position = delta.position;
            latency
        })
        .collect();
    latencies.sort_unstable_by(f64::total_cmp);

    let before = bytes(&file);
    let events: Vec<Event> = (0..records).map(event).collect();
    let start = Instant::now();
    for batch in events.chunks(RECORDS_A_BATCH) {
        let appended = registry.append_audit(batch).expect("they are records");
        assert_eq!(appended.new, u64::try_from(batch.len()).expect("small"));
    }
    let ingested = start.elapsed().as_secs_f64();
    let grown = bytes(&file) - before;
    let segment = seal(&mut registry, &key);
    json!({
        "database": place.name(),
        "relationships": relationships,
        "seconds_to_write": filled,
        "bytes_of_the_file_a_relationship": filled_bytes as f64 / relationships as f64,
        "seconds_of_a_snapshot": built,
        "bytes_of_the_snapshot": snapshot.bytes.len(),
        "seconds_from_a_write_to_its_signed_delta": {
            "median": latencies[writes / 2],
            "most": latencies[writes - 1],
        },
        "audit_records_a_second": records as f64 / ingested,
        "bytes_of_the_file_an_audit_record": grown as f64 / records as f64,
        "segment": segment,
    })
}

/// The oldest records of the chain, sealed: other writers wait for the last step alone.
fn seal(registry: &mut Registry, key: &SigningKey) -> Value {
    let keys = [PinnedKey::parse(&key.to_public_jwk()).expect("its public half")];
    let start = Instant::now();
    let planned = registry.audit_segment_before("acme", NOW + 1, &keys, NOW);
    let segment = planned.expect("it is intact").expect("there are records");
    let verified = start.elapsed().as_secs_f64();
    let start = Instant::now();
    registry.seal_audit(&act(), &segment.seal(key), &keys).expect("they are the oldest");
    json!({
        "records": segment.records(),
        "seconds_to_verify_the_chain": verified,
        "seconds_to_delete": start.elapsed().as_secs_f64(),
    })
}

/// Where a registry is measured; nothing of it stays.
enum Place {
    Postgres(String),
    Sqlite(PathBuf),
}

impl Place {
    fn new(postgres: Option<String>) -> Self {
        if let Some(url) = postgres {
            let mut database = database::open(&url).expect("the database opens");
            let down = migration::plan(&mut *database, 0).expect("no other schema");
            assert_eq!(down, [], "the database has something in it");
            return Self::Postgres(url);
        }
        let folder = std::env::temp_dir().join(format!("mandate-growth-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        Self::Sqlite(folder)
    }

    fn address(&self) -> String {
        match self {
            Self::Postgres(url) => url.clone(),
            Self::Sqlite(folder) => folder.join("registry.db").display().to_string(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Sqlite(_) => "sqlite",
        }
    }
}

/// What the database takes, whether it is in its file already or in the log.
fn bytes(path: &str) -> u64 {
    let mut file = database::open(path).expect("it is there");
    let engine = file.engine();
    let mut transaction = file.begin(Access::Read).expect("it can be read");
    let sql = match engine {
        Engine::Postgres => {
            "select cast(sum(pg_total_relation_size(cast(tablename as regclass))) as bigint) \
            from pg_tables where schemaname = 'public'"
        }
        Engine::Sqlite => {
            "select page_count * page_size from pragma_page_count(), pragma_page_size()"
        }
    };
    let rows = transaction.query(sql, &[]).expect("the database says it");
    match rows[0].values() {
        [Column::Integer(bytes)] => u64::try_from(*bytes).expect("a size"),
        other => panic!("{other:?} is no size"),
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match self {
            Self::Postgres(url) => {
                let mut database = database::open(url).expect("it is there");
                migration::apply(&mut *database, 0, NOW, Confirm::Confirmed).expect("it goes");
            }
            Self::Sqlite(folder) => drop(std::fs::remove_dir_all(folder)),
        }
    }
}

/// A registry with a tenant, its workspace and its people.
fn people(path: &str) -> Registry {
    let mut file = database::open(path).expect("a new file");
    migration::apply(&mut *file, migration::latest(), NOW, Confirm::Confirmed).expect("new");
    let randomness = Box::new(SystemRandomness::new());
    let mut registry = Registry::open(file, model(), policy(), randomness).expect("it opens");
    registry.initialize("bench", NOW).expect("it is new");
    registry.register_object(&act(), &ObjectName::new("organization", "acme")).expect("new");
    for number in 0..PEOPLE {
        let person = Person {
            object: ObjectName::new("user", format!("u{number}")),
            tenants: vec!["acme".to_owned()],
            subjects: vec![Holder {
                issuer: "https://id.example/application/o/family/".to_owned(),
                name: format!("sub-{number}"),
            }],
            status: Status::Active,
            expires_at: None,
        };
        registry.put_person(&act(), &person).expect("new");
    }
    let workspace = ObjectName::new("workspace", "w");
    let organization = Subject::Object(ObjectName::new("organization", "acme"));
    let place = Tuple::new(workspace, "organization".to_owned(), organization);
    registry.write_relationships(&act(), &[place]).expect("it fits the model");
    registry
}

/// Boards of the workspace, each with some who may see it.
fn tuple(number: usize) -> Tuple {
    const A_BOARD: usize = 20;
    let board = ObjectName::new("board", format!("b{}", number / A_BOARD));
    if number.is_multiple_of(A_BOARD) {
        let workspace = Subject::Object(ObjectName::new("workspace", "w"));
        return Tuple::new(board, "workspace".to_owned(), workspace);
    }
    let user = ObjectName::new("user", format!("u{}", number.wrapping_mul(7919) % PEOPLE));
    Tuple::new(board, "viewer".to_owned(), Subject::Object(user))
}

fn event(number: usize) -> Event {
    let text = json!({
        "action": "view",
        "binding_mode": "claim+relation",
        "client_id": "helper",
        "credential_id": "helper-1",
        "decision_id": format!("edge-1.boot/{number}"),
        "enforced": true,
        "epoch": 1,
        "era": 1,
        "machine_identity_id": "agent:helper",
        "reason": "ok",
        "relation_path": ["user:u1#delegate_of@agent:helper", "board:b1#viewer@user:u1"],
        "resource": ["board:b1"],
        "source": "edge-1.boot",
        "source_sequence": number,
        "tenant": "acme",
        "time": NOW,
        "token_id": "KqdPREu9l3iIYtxVpu1u4g",
        "tool": "tool:tasks/get_board",
        "user": "user:u1",
        "verdict": "allow",
    });
    Event::parse(&text.to_string()).expect("a record")
}

fn act() -> Act {
    Act { actor: Actor::Local, now: NOW, confirm: Confirm::Confirmed }
}

fn policy() -> Policy {
    let contract = Contract::parse(include_str!("../../../contract/contract.json"));
    let contract = contract.expect("the shared contract loads");
    Policy::from_contract(&contract).expect("the policy loads").expect("there is one")
}

fn model() -> Model {
    let module =
        |name: &str, text: &str| ModuleFile { name: name.to_owned(), text: text.to_owned() };
    let files = [
        module("core.fga", include_str!("../../../contract/model/core.fga")),
        module("vault.fga", include_str!("../../../contract/model/vault.fga")),
        module("tasks.fga", include_str!("../../../contract/model/tasks.fga")),
    ];
    LocatedModel::from_modules(&files).expect("the shared model is well formed").into_model()
}
