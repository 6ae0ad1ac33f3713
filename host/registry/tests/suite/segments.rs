//! Sealed segments: what is exported and deleted, and what is still known of it.

use mandate_authz::container::{PinnedKey, SigningKey};
use mandate_registry::Registry;
use mandate_registry::audit::{
    Appended, AuditFilter, Broken, Checkpoint, Intact, Place, Segment, SegmentFault, SegmentFile,
    SegmentProblem, Verdict,
};
use mandate_registry::error::RegistryError;

use crate::audit::event;
use crate::scene::{NOW, at, by, dry, empty, local};
use crate::store::Store;
use crate::tampering::{chain, key};

/// The file of a segment of acme.
fn file(registry: &mut Registry, segment: &Segment, key: &SigningKey) -> String {
    let filter = AuditFilter {
        tenant: Some("acme".to_owned()),
        after: Some(Place { tenant: "acme".to_owned(), sequence: segment.first - 1 }),
        most: segment.records(),
        ..AuditFilter::default()
    };
    let entries = registry.audit(&filter).expect("a page");
    let records = entries.iter().map(|entry| entry.to_line() + "\n").collect::<String>();
    segment.seal(key) + "\n" + &records
}

/// Seals what acme has of before a moment, and gives the file.
pub(crate) fn seal(registry: &mut Registry, before: u64, key: &SigningKey) -> String {
    let keys = [PinnedKey::parse(&key.to_public_jwk()).expect("its public half")];
    let planned = registry.audit_segment_before("acme", before, &keys, NOW);
    let segment = planned.expect("it is intact").expect("there are records");
    let file = file(registry, &segment, key);
    let read = SegmentFile::read(file.as_bytes(), &keys, &[]).expect("it is whole");
    assert_eq!(read.segment, segment);
    registry.seal_audit(&local(), &read.statement, &keys).expect("they are the oldest");
    file
}

fn sequences(store: &Store) -> Vec<String> {
    let rows = store.dump("audit_event where tenant = 'acme'");
    let mut numbers: Vec<String> = rows.into_iter().map(|row| row[1].clone()).collect();
    numbers.sort();
    numbers
}

fn intact(records: u64, sealed: Option<u64>, vouched: Option<u64>) -> Verdict {
    Verdict::Intact(Intact { records, sealed, vouched })
}

pub(crate) fn sealed_records_are_in_a_file_and_the_chain_goes_on(store: &Store) {
    let mut registry = chain(store);
    let (key, pinned) = key(1);
    let keys = [pinned];
    // Nothing is older than the first record.
    assert_eq!(registry.audit_segment_before("acme", NOW + 1, &keys, NOW), Ok(None));
    assert_eq!(registry.audit_segment_before("globex", NOW + 9, &keys, NOW), Ok(None));
    let first = seal(&mut registry, NOW + 4, &key);
    assert_eq!(first.lines().count(), 4);
    assert_eq!(sequences(store), ["4", "5", "6", "7"]);
    assert_eq!(registry.verify_audit("acme", None, &keys), Ok(intact(7, Some(3), None)));
    // The event stands in the chain, and so would miss if the segment went unsaid.
    let filter = AuditFilter {
        tenant: Some("acme".to_owned()),
        after: Some(Place { tenant: "acme".to_owned(), sequence: 6 }),
        most: 9,
        ..AuditFilter::default()
    };
    let event: Vec<_> =
        registry.audit(&filter).expect("a page").into_iter().map(|entry| entry.record).collect();
    let expected = format!(
        "{{\"actor\":\"local\",\"change\":\"audit-seal\",\"decision_id\":\"registry/test/1.1/0\",\
        \"epoch\":1,\"era\":1,\"item\":\"records 1 to 3\",\"tenant\":\"acme\",\"time\":{NOW}}}"
    );
    assert_eq!(event, [expected]);
    // The next segment joins the first one, and the last record of the chain stays: record 7 is of
    // a moment before its neighbours, and older than what is asked for.
    let second = seal(&mut registry, NOW + 1000, &key);
    assert_eq!(sequences(store), ["7", "8"]);
    assert_eq!(registry.verify_audit("acme", None, &keys), Ok(intact(8, Some(6), None)));
    let read = |file: &str| SegmentFile::read(file.as_bytes(), &keys, &[]).expect("whole").segment;
    let (first, second) = (read(&first), read(&second));
    assert_eq!(((second.first, second.last), second.previous), ((4, 6), first.hash));
    assert_eq!(registry.audit_segments("acme", &keys), Ok(vec![first, second]));
    // A moment that comes late in the chain keeps what is behind it.
    registry.append_audit(&[crate::audit::event("door", 1, &[])]).expect("another chain");
    assert_eq!(registry.audit_segment_before("acme", NOW, &keys, NOW), Ok(None));
}

pub(crate) fn a_sealed_record_comes_in_once_still(store: &Store) {
    let mut registry = chain(store);
    seal(&mut registry, NOW + 4, &key(1).0);
    let record = |number, user| event("door", number, &[("tenant", "acme"), ("user", user)]);
    let again: Vec<_> = (1..=6).map(|number| record(number, "user:anne")).collect();
    let passed_over = Appended { new: 0, passed_over: 6, conflicts: vec![] };
    assert_eq!(registry.append_audit(&again), Ok(passed_over));
    let other = [record(2, "user:bob"), record(2, "user:bob")];
    let conflicts = vec!["door/boot/2".to_owned()];
    let conflict = Appended { new: 0, passed_over: 1, conflicts };
    assert_eq!(registry.append_audit(&other), Ok(conflict));
}

pub(crate) fn sealing_is_for_the_operator_and_the_oldest_records(store: &Store) {
    let mut registry = chain(store);
    let (key, pinned) = key(1);
    let keys = [pinned];
    let planned = registry.audit_segment_before("acme", NOW + 4, &keys, NOW);
    let segment = planned.expect("it is intact").expect("there are records");
    let statement = segment.seal(&key);
    let anne = registry.seal_audit(&by("user:anne"), &statement, &keys).map(drop);
    let line = "`user:anne` may not seal audit records".to_owned();
    assert_eq!(anne, Err(RegistryError::Denied(line)));
    let unsigned = registry.seal_audit(&local(), &statement, &[]).map(drop);
    let line = "none of the keys signed this segment".to_owned();
    assert_eq!(unsigned, Err(RegistryError::Invalid(line)));
    let others = [
        Segment { first: 2, ..segment.clone() },
        Segment { previous: [1; 32], ..segment.clone() },
        Segment { hash: [1; 32], ..segment.clone() },
        Segment { last: 2, ..segment.clone() },
        // The last record stays.
        Segment { last: 6, ..segment.clone() },
        Segment { last: 7, ..segment.clone() },
        Segment { tenant: "globex".to_owned(), ..segment.clone() },
        Segment { deployment: "other".to_owned(), ..segment },
    ];
    for other in others {
        let refused = registry.seal_audit(&local(), &other.seal(&key), &keys).map(drop);
        let line = format!("{other} are not the oldest of the audit chain");
        assert_eq!(refused, Err(RegistryError::Conflict(line)), "{other:?}");
    }
    registry.seal_audit(&dry(), &statement, &keys).expect("it could be done");
    assert_eq!(sequences(store), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(store.dump("audit_sealed"), [[""; 0]; 0]);
    // What is missing in the database is not in the file either: nothing is sealed around it.
    store.run("delete from audit_event where tenant = 'acme' and sequence = 2", &[]);
    let broken = registry.seal_audit(&local(), &statement, &keys).map(drop);
    let line = "the audit chain does not hold records 1 to 3 alone".to_owned();
    assert_eq!(broken, Err(RegistryError::Conflict(line)));
    let line = "the audit chain of `acme` is not intact: record 2 was deleted".to_owned();
    let planned = registry.audit_segment_before("acme", NOW + 4, &keys, NOW);
    assert_eq!(planned, Err(RegistryError::Conflict(line)));
    assert_eq!(sequences(store), ["1", "3", "4", "5", "6"]);
}

pub(crate) fn tampering_with_a_segment_is_named(store: &Store) {
    let mut registry = chain(store);
    let ((key, pinned), (other, foreign)) = (key(1), key(2));
    let first = seal(&mut registry, NOW + 3, &key);
    seal(&mut registry, NOW + 5, &key);
    let (keys, foreign) = ([pinned], [foreign]);
    let mut verify = |keys: &[PinnedKey]| registry.verify_audit("acme", None, keys);
    let good = Ok(intact(8, Some(4), None));
    assert_eq!(verify(&keys), good);
    let unsigned = Broken::Unsigned { first: 1, last: 2 };
    assert_eq!(verify(&foreign), Ok(Verdict::Broken(unsigned)));
    assert_eq!(unsigned.to_string(), "none of the keys signed the segment of records 1 to 2");
    let rows = || {
        let sql = "select tenant, first_sequence, last_sequence, hash, statement from audit_segment \
            order by last_sequence";
        store.query(sql).iter().map(|row| row.values().to_vec()).collect::<Vec<_>>()
    };
    let kept = rows();
    let forged = SegmentFile::read(first.as_bytes(), &keys, &[]).expect("it is whole").segment;
    let forged = Segment { hash: [1; 32], ..forged }.seal(&other);
    let [one, two] = ["last_sequence = 2", "last_sequence = 4"];
    let segment = |first, last| Broken::Segment { first, last };
    let cases = [
        ("update audit_segment set first_sequence = 2 where", one, segment(2, 2)),
        ("update audit_segment set last_sequence = 3 where", one, segment(1, 3)),
        ("update audit_segment set hash = statement_hash where", one, segment(1, 2)),
        ("update audit_segment set statement = '{}' where", one, segment(1, 2)),
        ("update audit_segment set statement = forged where", one, unsigned),
        ("delete from audit_segment where", one, Broken::Missing { sequence: 1 }),
        ("delete from audit_segment where", two, Broken::Missing { sequence: 3 }),
    ];
    for (statement, which, broken) in cases {
        // A hash of the other row: both databases write it without a form of their own.
        let hash = "(select hash from audit_chain where tenant = 'acme')";
        let statement = statement.replace("statement_hash", hash);
        let statement = statement.replace("forged", &format!("'{forged}'"));
        store.run(&format!("{statement} {which}"), &[]);
        assert_eq!(verify(&keys), Ok(Verdict::Broken(broken)), "{statement} {which}");
        store.run("delete from audit_segment", &[]);
        for row in &kept {
            store.run("insert into audit_segment values ($1, $2, $3, $4, $5)", row);
        }
        assert_eq!(verify(&keys), good);
    }
    assert_eq!(segment(1, 2).to_string(), "the segment of records 1 to 2 was changed");
    let back = "update audit_event set sequence = 2 where tenant = 'acme' and sequence = 5";
    store.run(back, &[]);
    let inserted = Broken::Inserted { sequence: 2 };
    assert_eq!(verify(&keys), Ok(Verdict::Broken(inserted)));
    assert_eq!(inserted.to_string(), "record 2 was sealed, and stands in the chain again");
    store.run("delete from audit_event where tenant = 'acme'", &[]);
    assert_eq!(verify(&keys), Ok(Verdict::Broken(Broken::Truncated { sequence: 5 })));
    // With the table of chains made to fit, too: the last record of a chain is never sealed.
    let sql = "update audit_chain set sequence = 4, hash = $1 where tenant = 'acme'";
    store.run(sql, &kept[1][3..4]);
    assert_eq!(verify(&keys), Ok(Verdict::Broken(Broken::Truncated { sequence: 5 })));
}

pub(crate) fn tampering_with_the_file_of_a_segment_is_named(store: &Store) {
    let mut registry = chain(store);
    let ((key, pinned), (_, foreign)) = (key(1), key(2));
    let file = seal(&mut registry, NOW + 4, &key);
    let keys = [pinned];
    let read = |text: &str| SegmentFile::read(text.as_bytes(), &keys, &[]).map(drop);
    assert_eq!(read(&file), Ok(()));
    let lines: Vec<&str> = file.lines().collect();
    let with = |order: &[usize]| order.iter().map(|at| lines[*at].to_owned() + "\n").collect();
    let broken = SegmentFault::Broken;
    let line = |number| SegmentFault::Line { number };
    let statement = SegmentFault::Statement;
    let cases: [(String, SegmentFault); 10] = [
        (file.replacen("user:anne", "user:bob", 1), broken(Broken::Changed { sequence: 1 })),
        (with(&[0, 1, 3]), broken(Broken::Missing { sequence: 2 })),
        (with(&[0, 1, 2]), broken(Broken::Truncated { sequence: 3 })),
        (with(&[0, 1, 1, 3]), broken(Broken::Changed { sequence: 2 })),
        (with(&[0, 1, 2, 3, 3]), line(5)),
        (file.trim_end().to_owned(), line(4)),
        (file.replacen("\"sequence\":2", "\"sequence\":2,\"more\":1", 1), line(3)),
        (file.replacen("\"first\":1", "\"first\":2", 1), statement(SegmentProblem::Signature)),
        (with(&[1, 2, 3]), statement(SegmentProblem::Malformed)),
        (String::new(), statement(SegmentProblem::Malformed)),
    ];
    for (text, fault) in cases {
        assert_eq!(read(&text), Err(fault), "{text}");
    }
    let long = format!("{}\n", "x".repeat(70_000));
    assert_eq!(read(&long), Err(line(1)));
    let others = SegmentFile::read(file.as_bytes(), &[foreign], &[]).map(drop);
    assert_eq!(others, Err(statement(SegmentProblem::Signature)));
    // Signed, with records of right hashes, and another end: the file was joined of two.
    let segment = Segment::open(lines[0], &keys).expect("it is signed");
    let other = Segment { hash: [1; 32], ..segment }.seal(&key) + "\n";
    let joined = other + &with(&[1, 2, 3]);
    assert_eq!(read(&joined), Err(broken(Broken::Segment { first: 1, last: 3 })));
}

pub(crate) fn a_checkpoint_of_a_sealed_record_is_compared_with_its_file(store: &Store) {
    let mut registry = empty(store);
    let (key, pinned) = key(1);
    let keys = [pinned];
    let record = |number| event("door", number, &[("tenant", "acme"), ("user", "user:anne")]);
    let mut checkpoints = Vec::new();
    for number in 1..=6 {
        registry.append_audit(&[record(number)]).expect("it is new");
        let text = registry.checkpoint("acme", &key, NOW).expect("a checkpoint");
        checkpoints.push(Checkpoint::open(&text, &keys).expect("it is signed"));
    }
    let file = seal(&mut registry, NOW + 4, &key);
    let mut verify =
        |checkpoint: &Checkpoint| registry.verify_audit("acme", Some(checkpoint), &keys);
    // Within the segment its file has to speak; of its end the segment does.
    assert_eq!(verify(&checkpoints[1]), Ok(intact(7, Some(3), None)));
    assert_eq!(verify(&checkpoints[2]), Ok(intact(7, Some(3), Some(3))));
    assert_eq!(verify(&checkpoints[5]), Ok(intact(7, Some(3), Some(6))));
    let read = SegmentFile::read(file.as_bytes(), &keys, &checkpoints).map(drop);
    assert_eq!(read, Ok(()));
    let forged = |at: usize| Checkpoint { hash: [1; 32], ..checkpoints[at].clone() };
    assert_eq!(verify(&forged(2)), Ok(Verdict::Broken(Broken::Forged { sequence: 3 })));
    let read = SegmentFile::read(file.as_bytes(), &keys, &[forged(1)]).map(drop);
    assert_eq!(read, Err(SegmentFault::Broken(Broken::Forged { sequence: 2 })));
    registry.put_person(&at(NOW), &crate::scene::person("eve", &[])).expect("the chain goes on");
}
