//! Evaluation, operator by operator.

use mandate_authz::evaluate::EvaluationFailure;
use mandate_authz::relation_query::{QueryError, RelationAnswer, RelationQuery};
use mandate_authz::relation_wire;
use mandate_authz::snapshot::{Snapshot, World};
use mandate_authz::tuple::{Tuple, TupleCondition};
use serde_json::{Map, json};

use crate::support::{self, SEED, check, list, path, raw, tuple};

const DOCUMENTS: &str = "\
type user
type team
  relations
    define member: [user, team#member]
type folder
  relations
    define parent: [folder]
    define viewer: [user, user:*, team#member]
    define can_view: viewer or can_view from parent
type document
  relations
    define parent: [folder]
    define banned: [user, team#member]
    define approved: [user]
    define owner: [user]
    define viewer: [user, team#member]
    define can_view: (viewer or can_view from parent) but not banned
    define can_edit: owner and approved
";

#[test]
fn a_stored_relationship_holds_and_is_the_path() {
    let snapshot = raw(DOCUMENTS, &["document:plan#viewer@user:anne"]);
    assert_eq!(
        path(&snapshot, "document:plan#can_view@user:anne"),
        Some(vec!["document:plan#viewer@user:anne".to_owned()])
    );
    assert_eq!(path(&snapshot, "document:plan#can_view@user:bob"), None);
}

#[test]
fn the_path_goes_from_the_object_to_the_user() {
    let relationships = [
        "document:plan#parent@folder:q3",
        "folder:q3#parent@folder:root",
        "folder:root#viewer@team:staff#member",
        "team:staff#member@team:core#member",
        "team:core#member@user:anne",
    ];
    let snapshot = raw(DOCUMENTS, &relationships);
    let expected = relationships.map(str::to_owned).to_vec();
    assert_eq!(path(&snapshot, "document:plan#can_view@user:anne"), Some(expected));
}

#[test]
fn a_wildcard_admits_everybody_of_the_type_and_no_userset() {
    let snapshot = raw(DOCUMENTS, &["folder:open#viewer@user:*"]);
    assert!(path(&snapshot, "folder:open#can_view@user:never-seen").is_some());
    assert_eq!(path(&snapshot, "folder:open#can_view@team:staff#member"), None);
}

#[test]
fn an_exclusion_takes_away_what_another_branch_gives() {
    let relationships = ["document:plan#viewer@user:anne", "document:plan#banned@team:out#member"];
    let allowed = raw(DOCUMENTS, &relationships);
    assert!(path(&allowed, "document:plan#can_view@user:anne").is_some());
    let banned = raw(DOCUMENTS, &[&relationships[..], &["team:out#member@user:anne"]].concat());
    assert_eq!(path(&banned, "document:plan#can_view@user:anne"), None);
}

#[test]
fn an_intersection_needs_both_and_shows_both() {
    let half = raw(DOCUMENTS, &["document:plan#owner@user:anne"]);
    assert_eq!(path(&half, "document:plan#can_edit@user:anne"), None);
    let relationships = ["document:plan#owner@user:anne", "document:plan#approved@user:anne"];
    let both = raw(DOCUMENTS, &relationships);
    assert_eq!(
        path(&both, "document:plan#can_edit@user:anne"),
        Some(relationships.map(str::to_owned).to_vec())
    );
}

#[test]
fn a_circle_of_teams_ends_and_finds_who_is_in_it() {
    let snapshot = raw(
        DOCUMENTS,
        &["team:a#member@team:b#member", "team:b#member@team:a#member", "team:b#member@user:anne"],
    );
    assert!(path(&snapshot, "team:a#member@user:anne").is_some());
    assert_eq!(path(&snapshot, "team:a#member@user:bob"), None);
}

#[test]
fn a_circle_under_an_exclusion_denies() {
    let relationships = ["document:plan#viewer@user:anne", "document:plan#banned@team:a#member"];
    let straight = raw(DOCUMENTS, &relationships);
    assert!(path(&straight, "document:plan#can_view@user:anne").is_some());
    let circle = ["team:a#member@team:b#member", "team:b#member@team:a#member"];
    let round = raw(DOCUMENTS, &[&relationships[..], &circle].concat());
    assert_eq!(path(&round, "document:plan#can_view@user:anne"), None);
}

#[test]
fn a_userset_has_its_own_relation_and_those_that_store_it() {
    let snapshot = raw(DOCUMENTS, &["folder:q3#viewer@team:staff#member"]);
    assert_eq!(path(&snapshot, "team:staff#member@team:staff#member"), Some(Vec::new()));
    assert!(path(&snapshot, "folder:q3#can_view@team:staff#member").is_some());
    assert_eq!(path(&snapshot, "folder:q3#can_view@team:other#member"), None);
}

#[test]
fn a_userset_of_another_relation_or_type_is_another_one() {
    let model = "type user\ntype team\n  relations\n    define lead: [user]\n    define member: [user]\n\
        type squad\n  relations\n    define member: [user]\n\
        type folder\n  relations\n    define viewer: [team#member]\n";
    let snapshot = raw(model, &["folder:q3#viewer@team:staff#member"]);
    assert!(path(&snapshot, "folder:q3#viewer@team:staff#member").is_some());
    assert_eq!(path(&snapshot, "folder:q3#viewer@team:staff#lead"), None);
    assert_eq!(path(&snapshot, "folder:q3#viewer@squad:staff#member"), None);
}

#[test]
fn twenty_four_levels_hold_and_the_next_is_too_deep() {
    let link = |at: u32| format!("folder:{at}#parent@folder:{}", at + 1);
    let mut relationships: Vec<String> = (0..30).map(link).collect();
    relationships.push("folder:24#viewer@user:anne".to_owned());
    relationships.push("folder:25#viewer@user:bob".to_owned());
    let texts: Vec<&str> = relationships.iter().map(String::as_str).collect();
    let snapshot = raw(DOCUMENTS, &texts);
    assert_eq!(path(&snapshot, "folder:0#can_view@user:anne").map(|path| path.len()), Some(25));
    let deeper = check(&snapshot, "folder:0#can_view@user:bob");
    assert_eq!(deeper, RelationAnswer::Failed(EvaluationFailure::Depth));
}

#[test]
fn a_row_beyond_the_budget_is_not_an_answer() {
    let member = |at: u32| format!("team:big#member@team:t{at}#member");
    let relationships: Vec<String> = (0..10_001).map(member).collect();
    let texts: Vec<&str> = relationships.iter().map(String::as_str).collect();
    let snapshot = raw(DOCUMENTS, &texts);
    let answer = check(&snapshot, "team:big#member@user:anne");
    assert_eq!(answer, RelationAnswer::Failed(EvaluationFailure::Budget));
}

/// Their conditions once drew on the steps of one.
#[test]
fn many_short_conditions_are_not_one_long_one() {
    let model = "type user\ntype team\n  relations\n    define member: [user with grown]\n\
        type document\n  relations\n    define viewer: [team#member with grown]\n\
        condition grown(age: int) {\n  age >= 18 && age < 100\n}\n";
    let grown = |text: &str| {
        let context = json!({"age": 30}).as_object().expect("an object").clone();
        let condition = TupleCondition { name: "grown".to_owned(), context };
        Tuple { condition: Some(condition), ..tuple(text) }
    };
    let viewers = (0..2_000).map(|at| grown(&format!("document:1#viewer@team:{at}#member")));
    let member = grown("team:1999#member@user:anne");
    let world = World::raw(support::model(model), viewers.chain([member]).collect());
    let snapshot = Snapshot::from_body(world.build(SEED).expect("builds")).expect("loads");
    let steps = path(&snapshot, "document:1#viewer@user:anne").expect("holds");
    assert_eq!(steps.len(), 2);
}

#[test]
fn long_conditions_together_are_beyond_the_budget() {
    let model = "type user\ntype team\n  relations\n    define member: [user]\n\
        type document\n  relations\n    define viewer: [team#member with named]\n\
        condition named(names: list<string>) {\n  names.all(name, name != '')\n}\n";
    let viewers = (0..2_000).map(|at| {
        let context = json!({"names": vec!["anne"; 90]}).as_object().expect("an object").clone();
        let condition = TupleCondition { name: "named".to_owned(), context };
        Tuple {
            condition: Some(condition),
            ..tuple(&format!("document:1#viewer@team:{at}#member"))
        }
    });
    let world = World::raw(support::model(model), viewers.collect());
    let snapshot = Snapshot::from_body(world.build(SEED).expect("builds")).expect("loads");
    let answer = check(&snapshot, "document:1#viewer@user:anne");
    assert_eq!(answer, RelationAnswer::Failed(EvaluationFailure::Budget));
}

/// The ways through them double with every team: they once cost nothing.
#[test]
fn circles_that_come_with_a_query_are_within_the_budget() {
    let snapshot = raw(DOCUMENTS, &[]);
    let pairs = (0..12).flat_map(|from| (0..12).map(move |to| (from, to)));
    let circle = pairs.map(|(from, to)| tuple(&format!("team:{from}#member@team:{to}#member")));
    let query = RelationQuery {
        user: "user:anne",
        relation: "member",
        object: "team:0",
        contextual_tuples: &circle.collect::<Vec<_>>(),
        context: &Map::new(),
        path: false,
    };
    let answer = snapshot.relation_holds(&query);
    assert_eq!(answer, RelationAnswer::Failed(EvaluationFailure::Budget));
}

#[test]
fn an_answer_names_its_path_where_that_is_asked_for() {
    let snapshot = raw(DOCUMENTS, &["document:1#owner@user:anne", "document:1#approved@user:anne"]);
    let answer = |path: serde_json::Value| {
        let mut question =
            json!({"user": "user:anne", "relation": "can_edit", "object": "document:1"});
        if !path.is_null() {
            question["path"] = path;
        }
        relation_wire::relation_holds(Some(&snapshot), &question.to_string())
    };
    assert_eq!(answer(json!(null)), r#"{"allowed":true}"#);
    assert_eq!(answer(json!(false)), r#"{"allowed":true}"#);
    let with_path = concat!(
        r#"{"allowed":true,"path":["#,
        r#"{"object":"document:1","relation":"owner","user":"user:anne"},"#,
        r#"{"object":"document:1","relation":"approved","user":"user:anne"}]}"#
    );
    assert_eq!(answer(json!(true)), with_path);
}

/// Two relations, each of which asks both of the level below: a model alone that doubles the work.
#[test]
fn a_model_that_doubles_the_work_is_within_the_budget() {
    let mut model = "type user\ntype document\n  relations\n    define a0: [user]\n    \
        define b0: [user]\n"
        .to_owned();
    for level in 1..60 {
        let below = level - 1;
        for name in ["a", "b"] {
            let line = format!("    define {name}{level}: a{below} or b{below}\n");
            model.push_str(&line);
        }
    }
    let snapshot = raw(&model, &["document:1#a0@user:anne"]);
    assert_eq!(path(&snapshot, "document:1#a59@user:anne").map(|path| path.len()), Some(1));
    let answer = check(&snapshot, "document:1#a59@user:bob");
    assert_eq!(answer, RelationAnswer::Failed(EvaluationFailure::Budget));
}

#[test]
fn a_query_that_does_not_fit_the_model_says_what_does_not() {
    let snapshot = raw(DOCUMENTS, &[]);
    let answers = [
        ("document:plan#can_view@user", QueryError::User),
        ("document:plan#can_view@person:anne", QueryError::User),
        ("document:plan#can_view@team:a#owner", QueryError::User),
        ("paper:plan#can_view@user:anne", QueryError::Object),
        ("document:*#can_view@user:anne", QueryError::Object),
        ("document:a:b#can_view@user:anne", QueryError::Object),
        ("document:plan#reader@user:anne", QueryError::Relation),
    ];
    for (question, error) in answers {
        assert_eq!(check(&snapshot, question), RelationAnswer::Invalid(error), "{question}");
    }
}

#[test]
fn the_list_is_the_set_of_the_checks() {
    let snapshot = raw(
        DOCUMENTS,
        &[
            "document:c#viewer@user:anne",
            "document:a#parent@folder:q3",
            "folder:q3#viewer@user:*",
            "document:b#owner@user:anne",
            "document:a#banned@user:bob",
        ],
    );
    assert_eq!(list(&snapshot, "document", "can_view", "user:anne"), ["a", "c"]);
    assert_eq!(list(&snapshot, "document", "can_view", "user:bob"), [""; 0]);
}
