//! Somebody's hand in the audit tables.

use mandate_authz::container::{PinnedKey, SigningKey};
use mandate_registry::Registry;
use mandate_registry::audit::{Broken, Checkpoint, CheckpointProblem, Intact, Verdict};
use mandate_registry::database::Value;
use mandate_registry::error::RegistryError;

use crate::audit::event;
use crate::scene::{NOW, empty};
use crate::store::Store;

/// Six records of acme.
pub(crate) fn chain(store: &Store) -> Registry {
    let mut registry = empty(store);
    let more = [("tenant", "acme"), ("user", "user:anne")];
    let batch: Vec<_> = (1..=6).map(|number| event("door", number, &more)).collect();
    registry.append_audit(&batch).expect("they are new");
    registry
}

fn verify(store: &Store, checkpoint: Option<&Checkpoint>) -> Verdict {
    let mut registry = crate::scene::connect(store);
    registry.verify_audit("acme", checkpoint, &[]).expect("it can be read")
}

pub(crate) fn key(seed: u8) -> (SigningKey, PinnedKey) {
    let key = SigningKey::from_seed([seed; 32]).expect("a key");
    let pinned = PinnedKey::parse(&key.to_public_jwk()).expect("its public half");
    (key, pinned)
}

fn intact(records: u64, vouched: Option<u64>) -> Verdict {
    Verdict::Intact(Intact { records, sealed: None, vouched })
}

pub(crate) fn each_way_of_tampering_names_the_first_bad_record(store: &Store) {
    let mut registry = chain(store);
    assert_eq!(verify(store, None), intact(6, None));
    let (key, pinned) = key(1);
    let text = registry.checkpoint("acme", &key, NOW).expect("a checkpoint");
    let checkpoint = Checkpoint::open(&text, &[pinned]).expect("it is signed");
    assert_eq!(verify(store, Some(&checkpoint)), intact(6, Some(6)));
    let where_three = "where tenant = 'acme' and sequence = 3";
    let cases: [(&[&str], Broken, &str); 8] = [
        (
            &["update audit_event set record = replace(record, 'anne', 'bob') {3}"],
            Broken::Changed { sequence: 3 },
            "record 3 was changed",
        ),
        // The copies by which records are found are verified as well.
        (&["update audit_event set user_id = 'user:bob' {3}"], Broken::Changed { sequence: 3 }, ""),
        (&["update audit_event set kind = 'change' {3}"], Broken::Changed { sequence: 3 }, ""),
        (&["delete from audit_event {3}"], Broken::Missing { sequence: 3 }, "record 3 was deleted"),
        (
            &[
                "update audit_event set sequence = 99 {3}",
                "update audit_event set sequence = 3 where tenant = 'acme' and sequence = 5",
                "update audit_event set sequence = 5 where tenant = 'acme' and sequence = 99",
            ],
            Broken::Reordered { sequence: 3, found_at: 5 },
            "record 3 was moved: it is number 5 now",
        ),
        (
            &["delete from audit_event where tenant = 'acme' and sequence > 4"],
            Broken::Truncated { sequence: 5 },
            "the chain was cut off: record 5 is gone",
        ),
        (
            &["update audit_chain set sequence = 5 where tenant = 'acme'"],
            Broken::Changed { sequence: 6 },
            "record 6 was changed",
        ),
        (
            &["delete from audit_event where tenant = 'acme' and sequence = 1"],
            Broken::Missing { sequence: 1 },
            "",
        ),
    ];
    for (statements, broken, line) in cases {
        let kept = Kept::of(store);
        for statement in statements {
            store.run(&statement.replace("{3}", where_three), &[]);
        }
        assert_eq!(verify(store, None), Verdict::Broken(broken), "{statements:?}");
        assert!(line.is_empty() || broken.to_string() == line, "{broken}");
        kept.restore(store);
        assert_eq!(verify(store, Some(&checkpoint)), intact(6, Some(6)));
    }
}

pub(crate) fn a_chain_written_anew_is_noticed_by_a_checkpoint_only(store: &Store) {
    let mut registry = chain(store);
    let (key, pinned) = key(1);
    let text = registry.checkpoint("acme", &key, NOW).expect("a checkpoint");
    let checkpoint = Checkpoint::open(&text, &[pinned]).expect("it is signed");
    let more = [("tenant", "acme"), ("user", "user:anne")];
    registry.append_audit(&[event("door", 7, &more)]).expect("it is new");
    assert_eq!(verify(store, Some(&checkpoint)), intact(7, Some(6)));
    // Cut off with its end: the table of chains says that there never was more.
    let kept = Kept::of(store);
    let hash = kept.hashes[3].clone();
    store.run("delete from audit_event where tenant = 'acme' and sequence > 4", &[]);
    store.run("update audit_chain set sequence = 4, hash = $1 where tenant = 'acme'", &[hash]);
    assert_eq!(verify(store, None), intact(4, None));
    let cut = Verdict::Broken(Broken::Truncated { sequence: 5 });
    assert_eq!(verify(store, Some(&checkpoint)), cut);
    // All of it, with right hashes and another user.
    store.run("delete from audit_checkpoint", &[]);
    store.run("delete from audit_event", &[]);
    store.run("delete from audit_chain", &[]);
    let forged = [("tenant", "acme"), ("user", "user:bob")];
    let batch: Vec<_> = (1..=7).map(|number| event("door", number, &forged)).collect();
    registry.append_audit(&batch).expect("they are new");
    assert_eq!(verify(store, None), intact(7, None));
    let broken = Broken::Forged { sequence: 6 };
    assert_eq!(verify(store, Some(&checkpoint)), Verdict::Broken(broken));
    assert_eq!(broken.to_string(), "record 6 is not the one that the checkpoint saw");
}

pub(crate) fn a_checkpoint_of_another_key_or_tenant_is_refused(store: &Store) {
    let mut registry = chain(store);
    let ((key, pinned), (_, other)) = (key(1), key(2));
    let text = registry.checkpoint("acme", &key, NOW).expect("a checkpoint");
    assert_eq!(Checkpoint::open(&text, &[other]), Err(CheckpointProblem::Signature));
    let pinned = [pinned];
    let changed = text.replace("\"sequence\":6", "\"sequence\":5");
    assert_eq!(Checkpoint::open(&changed, &pinned), Err(CheckpointProblem::Signature));
    assert_eq!(Checkpoint::open("{}", &pinned), Err(CheckpointProblem::Malformed));
    let checkpoint = Checkpoint::open(&text, &pinned).expect("it is signed");
    let foreign = registry.verify_audit("globex", Some(&checkpoint), &[]);
    let line = "the checkpoint is of another deployment or tenant".to_owned();
    assert_eq!(foreign, Err(RegistryError::Invalid(line)));
    let none = registry.checkpoint("globex", &key, NOW);
    let line = "audit record of tenant `globex`".to_owned();
    assert_eq!(none, Err(RegistryError::NotFound(line)));
    assert_eq!(registry.verify_audit("globex", None, &[]), Ok(intact(0, None)));
    assert_eq!(store.dump("audit_checkpoint"), [["acme".to_owned(), "6".to_owned(), text]]);
}

/// The audit tables as they were.
struct Kept {
    columns: String,
    events: Vec<Vec<Value>>,
    chain: Vec<Value>,
    hashes: Vec<Value>,
}

impl Kept {
    fn of(store: &Store) -> Self {
        let columns = "tenant, sequence, kind, decision_id, source, source_sequence, time, \
            machine_identity_id, credential_id, user_id, tool, verdict, reason, record, hash";
        let sql = format!("select {columns} from audit_event order by sequence");
        let events: Vec<_> = store.query(&sql).iter().map(|row| row.values().to_vec()).collect();
        let chain = store.query("select sequence, hash from audit_chain where tenant = 'acme'");
        let hashes = events.iter().map(|row| row[14].clone()).collect();
        Self { columns: columns.to_owned(), events, chain: chain[0].values().to_vec(), hashes }
    }

    fn restore(&self, store: &Store) {
        store.run("delete from audit_event", &[]);
        let places: Vec<_> = (1..=15).map(|number| format!("${number}")).collect();
        let sql =
            format!("insert into audit_event ({}) values ({})", self.columns, places.join(", "));
        for row in &self.events {
            store.run(&sql, row);
        }
        let sql = "update audit_chain set sequence = $1, hash = $2 where tenant = 'acme'";
        store.run(sql, &self.chain);
    }
}
