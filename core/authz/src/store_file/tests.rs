use serde_json::{Map, json};

use super::{CheckTest, ListObjectsTest, ListUsersTest, StoreFile, UserFilter};

const MODEL: &str = "model\n  schema 1.1\ntype user\ntype team\n  relations\n    define member: [user, team#member]\n";

const FILES: [(&str, &str); 5] = [
    ("model.fga", MODEL),
    ("wrong.fga", "model\n  schema 1.1\ntype team\n  relations\n    define member: [user]\n"),
    ("more.yaml", "- { user: user:bob, relation: member, object: team:blue }\n"),
    (
        "lines.jsonl",
        "{\"user\":\"user:cleo\",\"relation\":\"member\",\"object\":\"team:blue\"}\n\n",
    ),
    ("parts/fga.mod", "schema: '1.2'\ncontents:\n  - core.fga\n"),
];

fn read(text: &str) -> Result<StoreFile, Vec<String>> {
    let mut open = |path: &str| {
        let modules = [("parts/core.fga", "module core\ntype user\n")];
        let found = FILES.iter().chain(&modules).find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
    };
    let errors =
        |errors: Vec<super::StoreFileError>| errors.iter().map(ToString::to_string).collect();
    StoreFile::parse("store.fga.yaml", text, &mut open).map_err(errors)
}

fn problems(text: &str) -> Vec<String> {
    read(text).expect_err("the file is wrong")
}

#[test]
fn a_store_file_reads_its_model_relationships_and_tests() {
    let store = read(
        "name: Teams\nmodel_file: model.fga\ntuple_files: [more.yaml, lines.jsonl]\ntuples:\n  - user: user:anne\n    relation: member\n    object: team:blue\n    condition: { name: soon, context: { n: 1 } }\ntests:\n  - name: everybody\n    description: of the team\n    tuple_file: more.yaml\n    check:\n      - users: [user:anne, user:bob]\n        object: team:blue\n        context: { at: noon }\n        assertions: { member: true }\n    list_objects:\n      - user: user:anne\n        type: team\n        assertions:\n          member: [team:blue]\n          owner:\n    list_users:\n      - object: team:blue\n        user_filter: [{ type: user }, { type: team, relation: member }]\n        assertions: { member: { users: [user:anne] } }\n",
    );
    let store = store.expect("the file reads");
    assert_eq!(store.name, "Teams");
    assert_eq!(store.model.types.len(), 2);
    let written: Vec<_> = store.tuples.iter().map(ToString::to_string).collect();
    let expected =
        ["user:anne", "user:bob", "user:cleo"].map(|user| format!("team:blue#member@{user}"));
    assert_eq!(written, expected);
    let condition = store.tuples[0].condition.as_ref().expect("a condition");
    assert_eq!((condition.name.as_str(), json!(condition.context)), ("soon", json!({ "n": 1 })));

    let [test] = store.tests.as_slice() else { panic!("one test") };
    let tuples: Vec<_> = test.tuples.iter().map(ToString::to_string).collect();
    assert_eq!(
        (test.name.as_str(), tuples),
        ("everybody", vec!["team:blue#member@user:bob".to_owned()])
    );
    let mut context = Map::new();
    context.insert("at".to_owned(), json!("noon"));
    let check = |user: &str| CheckTest {
        user: user.to_owned(),
        relation: "member".to_owned(),
        object: "team:blue".to_owned(),
        context: context.clone(),
        expected: true,
    };
    assert_eq!(test.checks, [check("user:anne"), check("user:bob")]);
    let list = |relation: &str, expected: &[&str]| ListObjectsTest {
        user: "user:anne".to_owned(),
        relation: relation.to_owned(),
        type_name: "team".to_owned(),
        context: Map::new(),
        expected: expected.iter().map(|object| (*object).to_owned()).collect(),
    };
    assert_eq!(test.list_objects, [list("member", &["team:blue"]), list("owner", &[])]);
    let filter = |type_name: &str, relation: Option<&str>| UserFilter {
        type_name: type_name.to_owned(),
        relation: relation.map(str::to_owned),
    };
    let users = ListUsersTest {
        object: "team:blue".to_owned(),
        relation: "member".to_owned(),
        filters: vec![filter("user", None), filter("team", Some("member"))],
        context: Map::new(),
        expected: vec!["user:anne".to_owned()],
    };
    assert_eq!(test.list_users, [users]);
}

#[test]
fn the_files_of_a_modular_model_lie_beside_its_manifest() {
    let store = read("model_file: parts/fga.mod\n").expect("the file reads");
    assert_eq!(store.model.types[0].file.as_deref(), Some("core.fga"));
}

#[test]
fn an_error_in_a_model_within_the_file_has_the_line_of_the_file() {
    let text = "name: x\nmodel: |\n\n  model\n    schema 1.1\n  type team\n    relations\n      define member: [user]\n";
    let expected = "store.fga.yaml:8:23: `user` is not a valid type";
    assert_eq!(problems(text), [expected]);
}

#[test]
fn an_error_in_a_models_own_file_names_that_file() {
    let expected = "wrong.fga:5:21: `user` is not a valid type";
    assert_eq!(problems("model_file: wrong.fga\n"), [expected]);
}

#[test]
fn a_misspelt_member_is_an_error_with_its_line() {
    let text = "model_file: model.fga\ntests:\n  - name: x\n    chek: []\n";
    let [problem] = problems(text).try_into().expect("one problem");
    assert_eq!(
        problem.split_once(" unknown field `chek`").map(|(place, _)| place),
        Some("store.fga.yaml:4:5:")
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let text = "tuples:\n  - { user: anne, relation: member, object: team }\ntuple_file: gone.yaml\ntuple_files: [list.csv]\ntests:\n  - check:\n      - user: user:anne\n        assertions: { member: true }\n";
    let expected = [
        "store.fga.yaml: neither `model` nor `model_file`",
        "store.fga.yaml:2:45: an object is `type:id`",
        "store.fga.yaml:2:13: a user is `type:id`, `type:id#relation` or `type:*`",
        "store.fga.yaml:3:13: `gone.yaml`: no such file",
        "store.fga.yaml:4:15: `list.csv`: no such file",
        "store.fga.yaml:8:21: either `object` or `objects`",
    ];
    assert_eq!(problems(text), expected);
}

#[test]
fn relationships_of_another_format_are_refused() {
    let text = "model_file: model.fga\ntuple_file: model.fga\n";
    let expected = "store.fga.yaml:2:13: relationships are read from .yaml, .yml, .json and .jsonl";
    assert_eq!(problems(text), [expected]);
}
