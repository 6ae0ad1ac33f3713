//! Deltas: what they change, and that they equal rebuilding.

use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::row::{Row, StoredTuple};
use mandate_authz::snapshot::Snapshot;
use mandate_authz::tuple::Tuple;

use crate::support::{path, raw, tuple};

const TEAMS: &str = "\
type user
type team
  relations
    define member: [user, team#member]
type document
  relations
    define viewer: [user, user:*, team#member]
";

fn write(text: &str) -> Row {
    let Tuple { object, relation, subject, .. } = tuple(text);
    Row::WriteTuple(StoredTuple { object, relation, subject, condition: None })
}

fn delete(text: &str) -> Row {
    let Tuple { object, relation, subject, .. } = tuple(text);
    Row::DeleteTuple { object, relation, subject }
}

fn holds(snapshot: &Snapshot, question: &str) -> bool {
    path(snapshot, question).is_some()
}

#[test]
fn a_relationship_of_new_names_is_found() {
    let mut snapshot = raw(TEAMS, &["document:a#viewer@user:anne"]);
    let rows =
        [write("document:new#viewer@team:fresh#member"), write("team:fresh#member@user:zoe")];
    snapshot.apply(&rows).expect("applies");
    assert_eq!(
        path(&snapshot, "document:new#viewer@user:zoe"),
        Some(vec![
            "document:new#viewer@team:fresh#member".to_owned(),
            "team:fresh#member@user:zoe".to_owned()
        ])
    );
    assert!(holds(&snapshot, "document:a#viewer@user:anne"));
    assert!(!holds(&snapshot, "document:a#viewer@user:zoe"));
}

#[test]
fn a_deleted_relationship_is_gone_and_its_neighbours_stay() {
    let mut snapshot = raw(TEAMS, &["document:a#viewer@user:anne", "document:a#viewer@user:bob"]);
    snapshot.apply(&[delete("document:a#viewer@user:anne")]).expect("applies");
    assert!(!holds(&snapshot, "document:a#viewer@user:anne"));
    assert!(holds(&snapshot, "document:a#viewer@user:bob"));
    snapshot.apply(&[delete("document:a#viewer@user:anne")]).expect("a replay is no error");
}

#[test]
fn a_deleted_object_forgets_its_relationships() {
    let mut snapshot = raw(TEAMS, &["document:a#viewer@user:*"]);
    snapshot
        .apply(&[Row::DeleteObject { object: ObjectName::new("document", "a") }])
        .expect("applies");
    assert!(!holds(&snapshot, "document:a#viewer@user:anne"));
}

#[test]
fn one_bad_row_leaves_everything_as_it_was() {
    let mut snapshot = raw(TEAMS, &["document:a#viewer@user:anne"]);
    let rows = [write("document:a#viewer@user:bob"), write("document:a#owner@user:bob")];
    let error = snapshot.apply(&rows).expect_err("the relation is unknown");
    assert_eq!(error.to_string(), "row 1: the relation is unknown");
    assert!(!holds(&snapshot, "document:a#viewer@user:bob"));
    assert_eq!(snapshot.overlay_entries(), 0);
}

#[test]
fn a_subject_that_the_model_does_not_admit_is_refused() {
    let mut snapshot = raw(TEAMS, &[]);
    let everyone = Row::WriteTuple(StoredTuple {
        object: ObjectName::new("team", "a"),
        relation: "member".to_owned(),
        subject: Subject::Wildcard("user".to_owned()),
        condition: None,
    });
    let error = snapshot.apply(&[everyone]).expect_err("not admitted");
    assert_eq!(error.to_string(), "row 0: the model does not admit this subject here");
}

#[test]
fn deltas_equal_rebuilding() {
    // A small generator: the same changes as a delta and as another list of relationships.
    let all: Vec<String> = (0..6)
        .flat_map(|document| {
            (0..6).map(move |user| format!("document:d{document}#viewer@user:u{user}"))
        })
        .chain((0..6).map(|team| format!("team:t{team}#member@user:u{team}")))
        .chain(
            (0..6).map(|team| format!("document:d{team}#viewer@team:t{}#member", (team + 1) % 6)),
        )
        .collect();
    for round in 0_usize..40 {
        let chosen = |salt: usize, at: usize| (at * 7 + round * 13 + salt).is_multiple_of(3);
        let before: Vec<&str> = all
            .iter()
            .enumerate()
            .filter(|(at, _)| chosen(0, *at))
            .map(|(_, t)| t.as_str())
            .collect();
        let after: Vec<&str> = all
            .iter()
            .enumerate()
            .filter(|(at, _)| chosen(1, *at))
            .map(|(_, t)| t.as_str())
            .collect();
        let mut changed = raw(TEAMS, &before);
        let removed = before.iter().filter(|text| !after.contains(text)).map(|text| delete(text));
        let added = after.iter().filter(|text| !before.contains(text)).map(|text| write(text));
        let rows: Vec<Row> = removed.chain(added).collect();
        changed.apply(&rows).expect("applies");
        let rebuilt = raw(TEAMS, &after);
        for document in 0..6 {
            for user in 0..6 {
                let question = format!("document:d{document}#viewer@user:u{user}");
                assert_eq!(holds(&changed, &question), holds(&rebuilt, &question), "{question}");
            }
        }
    }
}
