//! `kill -9` at a random moment of a load of writes: what was acknowledged is there, nothing is there
//! by half, the chains verify, and the epoch never goes back.
//!
//! The writer is this test program, started again; it says each write on its standard output after
//! the commit. `cargo xtask campaign kills` runs more rounds (`MANDATE_KILLS`).

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mandate_authz::record::DelegationMode;
use mandate_registry::Registry;
use mandate_registry::audit::Verdict;
use mandate_registry::confirm::Confirm;
use mandate_registry::database::{self, Value};
use mandate_registry::error::RegistryError;
use mandate_registry::identity::NewThread;
use mandate_registry::migration;
use mandate_registry::random::SystemRandomness;

use crate::audit::event;
use crate::scene::{NOW, local, model, object, person, policy, scope, tuple};
use crate::server::server_to_kill;
use crate::store::Store;

/// Where the writer writes; without it the test of the writer is a test.
const ADDRESS: &str = "MANDATE_KILLED_WRITER";

/// Begins the names of what a writer makes.
const ROUND: &str = "MANDATE_KILLED_ROUND";

/// After so many rounds a new database: some writers are killed while they migrate.
const ROUNDS_A_STORE: u32 = 20;

#[test]
fn a_writer_of_a_file_is_killed_and_nothing_acknowledged_is_lost() {
    let rounds = rounds().unwrap_or(12);
    let writes = kill(rounds, Store::sqlite, |_, _, writer| killed(writer));
    report("SQLite", rounds, writes);
}

#[test]
fn a_postgres_or_its_writer_is_killed_and_nothing_acknowledged_is_lost() {
    // Where there is none, the other tests of stores say so.
    let Some(server) = server_to_kill() else { return };
    let rounds = rounds().map_or(4, |rounds| rounds.div_ceil(5));
    let store = || Store::on(server);
    let writes = kill(rounds, store, |_, round, writer| match round % 2 {
        0 => killed(writer),
        _ => {
            server.kill();
            server.wait();
            // It was told, or it was before its first statement.
            writer.kill().expect("a child can be killed");
            writer.wait().map(drop).expect("it ends");
        }
    });
    report("Postgres", rounds, writes);
}

fn report(store: &str, rounds: u32, writes: usize) {
    let line =
        format!("kills: {store}, {rounds} rounds, {writes} acknowledged writes, none lost\n");
    std::io::stderr().lock().write_all(line.as_bytes()).expect("somebody reads");
}

/// How many rounds a campaign asks for.
fn rounds() -> Option<u32> {
    let asked = std::env::var("MANDATE_KILLS").ok();
    asked.map(|count| count.parse().expect("MANDATE_KILLS is a number"))
}

/// Kills the writer, which was writing until then.
fn killed(writer: &mut Child) {
    writer.kill().expect("a child can be killed");
    let status = writer.wait().expect("it ends");
    assert_eq!(status.signal(), Some(9), "the writer wrote until it was killed: {status}");
}

/// Starts a writer a round, strikes at a random moment, and looks at what is there. Gives the number
/// of acknowledged writes.
fn kill(rounds: u32, store: impl Fn() -> Store, strike: impl Fn(&Store, u32, &mut Child)) -> usize {
    let (mut current, mut seen, mut writes) = (store(), BTreeSet::new(), 0);
    let mut epoch = 0;
    for round in 0..rounds {
        if round % ROUNDS_A_STORE == 0 {
            (current, seen, epoch) = (store(), BTreeSet::new(), 0);
        }
        let mut writer = start(&current.address(), round);
        let mut lines = BufReader::new(writer.stdout.take().expect("it is piped")).lines();
        // A few writes, or none: then the blow may fall into migrating or connecting.
        let before = random(30);
        let mut said = Vec::new();
        while said.len() < before {
            let line = lines.next().expect("the writer writes").expect("a line");
            said.extend(Acknowledged::parse(&line));
        }
        let pause = if before == 0 { 60_000 } else { 4_000 };
        std::thread::sleep(Duration::from_micros(random(pause).try_into().expect("small")));
        strike(&current, round, &mut writer);
        // What it said before the end, and nobody had read yet.
        said.extend(lines.map_while(Result::ok).filter_map(|line| Acknowledged::parse(&line)));
        writes += said.len();
        seen.extend(said);
        epoch = verify(&current, &seen, epoch);
    }
    writes
}

fn start(address: &str, round: u32) -> Child {
    let program = std::env::current_exe().expect("this program has a path");
    Command::new(program)
        .args(["--exact", "kills::a_writer_says_what_it_has_committed", "--nocapture"])
        .env(ADDRESS, address)
        .env(ROUND, format!("r{round}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program starts")
}

fn random(below: usize) -> usize {
    let number = RandomState::new().build_hasher().finish();
    usize::try_from(number % u64::try_from(below).expect("small")).expect("below that")
}

/// What a writer says after a commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Acknowledged {
    what: String,
    name: String,
    epoch: u64,
}

impl Acknowledged {
    /// `None` for lines of the test harness.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ').skip_while(|word| *word != "committed").skip(1);
        let (what, name) = (words.next()?.to_owned(), words.next()?.to_owned());
        let epoch = words.next()?.parse().ok()?;
        Some(Self { what, name, epoch })
    }
}

/// Looks at the database, whose writers had acknowledged `seen`, and gives its epoch.
fn verify(store: &Store, seen: &BTreeSet<Acknowledged>, before: u64) -> u64 {
    let opened = open(&store.address());
    let mut registry = match opened {
        Ok(registry) => registry,
        Err(RegistryError::SchemaOlder { found: 0, .. }) => {
            assert_eq!((seen.len(), before), (0, 0), "a schema does not go away");
            return 0;
        }
        Err(error) => panic!("{error}"),
    };
    let Ok(position) = registry.position() else {
        assert_eq!((seen.len(), before), (0, 0), "a registry does not go away");
        return 0;
    };
    let acknowledged = seen.iter().map(|seen| seen.epoch).max().unwrap_or(0).max(before);
    // One write was under way at most, or those of the beginning, which are not said.
    assert!(position.epoch >= acknowledged, "{position} after {acknowledged}");
    assert!(position.epoch <= acknowledged + 3, "{position} after {acknowledged}");
    for written in seen {
        let sql = match written.what.as_str() {
            "thread" => format!("select 1 from machine_identity where thread = '{}'", written.name),
            "revoke" => format!(
                "select 1 from machine_identity_credential where id = '{}' and revoked_at > 0",
                written.name
            ),
            "delegate" => {
                format!("select 1 from relationship where subject_object = '{}'", written.name)
            }
            "decide" => {
                format!("select 1 from audit_event where decision_id = '{}'", written.name)
            }
            other => panic!("nobody says `{other}`"),
        };
        assert_eq!(store.query(&sql).len(), 1, "{written:?} was acknowledged");
    }
    let halves = "select object from machine_identity where object not in \
        (select identity from machine_identity_credential)";
    assert_eq!(store.query(halves), [], "an identity without its credential");
    let every: Vec<u64> = (1..=position.epoch).collect();
    let epoch = |text: &Value| match text {
        Value::Integer(epoch) => u64::try_from(*epoch).expect("a count"),
        // `registry/test/1.EPOCH/NUMBER`
        Value::Text(id) => id
            .split(['.', '/'])
            .nth(3)
            .and_then(|epoch| epoch.parse().ok())
            .unwrap_or_else(|| panic!("{id}")),
        other => panic!("{other:?}"),
    };
    for sql in [
        "select distinct epoch from change",
        "select decision_id from audit_event where kind = 'change'",
    ] {
        let epochs: BTreeSet<_> =
            store.query(sql).iter().map(|row| epoch(&row.values()[0])).collect();
        assert_eq!(epochs.into_iter().collect::<Vec<_>>(), every, "{sql}");
    }
    for tenant in ["", "acme"] {
        let verdict = registry.verify_audit(tenant, None, &[]).expect("an answer");
        assert!(matches!(verdict, Verdict::Intact(_)), "`{tenant}`: {verdict:?}");
    }
    position.epoch
}

fn open(address: &str) -> Result<Registry, RegistryError> {
    Registry::open(database::open(address)?, model(), policy(), Box::new(SystemRandomness::new()))
}

#[test]
fn a_writer_says_what_it_has_committed() {
    if let Ok(address) = std::env::var(ADDRESS) {
        write(&address, &std::env::var(ROUND).expect("both are set"), usize::MAX, &mut say);
        return;
    }
    let store = Store::sqlite();
    let mut said = Vec::new();
    write(&store.address(), "r", 2, &mut |what, name, epoch| {
        said.push(format!("{what} {name} {epoch}"));
    });
    let id = said[1].split(' ').nth(1).expect("an id").to_owned();
    let expected = [
        "thread r-0 3".to_owned(),
        format!("revoke {id} 4"),
        "delegate agent:codex-r-0 5".to_owned(),
        "decide test-r/boot/1 5".to_owned(),
        "thread r-1 6".to_owned(),
    ];
    assert_eq!(said[..5], expected);
    let seen: BTreeSet<_> = said
        .iter()
        .map(|line| Acknowledged::parse(&format!("committed {line}")).expect("its form"))
        .collect();
    assert_eq!(verify(&store, &seen, 0), 8);
}

/// Past the test harness, whose lines end when it likes.
fn say(what: &str, name: &str, epoch: u64) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "\ncommitted {what} {name} {epoch}").expect("somebody reads");
    output.flush().expect("somebody reads");
}

/// Writes until it is killed, or `turns` times four.
fn write(address: &str, round: &str, turns: usize, say: &mut dyn FnMut(&str, &str, u64)) {
    let mut database = database::open(address).expect("it opens");
    migration::apply(&mut *database, migration::latest(), NOW, Confirm::Confirmed)
        .expect("it migrates");
    drop(database);
    let mut registry = open(address).expect("it opens");
    if registry.position().is_err() {
        registry.initialize("test", NOW).expect("it is new");
    }
    let epoch = registry.position().expect("there is one").epoch;
    if epoch < 1 {
        registry.register_object(&local(), &object("organization:acme")).expect("it is new");
    }
    if epoch < 2 {
        registry.put_person(&local(), &person("carol", &["acme"])).expect("she is new");
    }
    for turn in 0..turns {
        let thread = NewThread {
            thread: format!("{round}-{turn}"),
            owner: object("user:carol"),
            tenant: "acme".to_owned(),
            scope: scope(&["read"]),
            delegation: DelegationMode::Stored,
            subject: None,
            client: None,
            expires_at: NOW + 9,
        };
        let written = registry.create_thread(&local(), &thread).expect("it is written");
        say("thread", &thread.thread, written.position.epoch);
        let (identity, issued) = written.outcome;
        let id = issued.credential.id;
        let written = registry.revoke_credential(&local(), &id).expect("it is written");
        say("revoke", &id, written.position.epoch);
        let delegation = [tuple(&format!("user:carol#delegate_of@{}", identity.object))];
        let written = registry.write_relationships(&local(), &delegation).expect("it is written");
        let epoch = written.position.epoch;
        say("delegate", &identity.object.to_string(), epoch);
        let source = format!("test-{round}");
        let number = u64::try_from(turn).expect("a count") + 1;
        let decision = event(&source, number, &[("tenant", "acme")]);
        registry.append_audit(&[decision]).expect("it is written");
        say("decide", &format!("{source}/boot/{number}"), epoch);
    }
}
