//! The recipes of `contract/fixtures/snapshot`, read by our reader and by a second one.
//!
//! `mandate snapshot build` makes their bytes here, under keys of this run. Where there is no Python
//! our reader is still held against the recipes.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests"
)]

mod cli;
#[path = "snapshot_readers/damage.rs"]
mod damage;
#[path = "snapshot_readers/ours.rs"]
mod ours;
#[path = "../../../tests/src/program.rs"]
mod program;
#[path = "snapshot_readers/recipe.rs"]
mod recipe;
#[path = "../../../tests/src/skip.rs"]
mod skip;
#[path = "../../../tests/src/snapshot_reader.rs"]
mod snapshot_reader;

use std::collections::BTreeMap;

use mandate_authz::model::Model;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::snapshot::World;
use mandate_authz::tuple::Tuple;
use serde_json::{Value, json};

use cli::Folder;
use recipe::{Built, Checks, Recipe, Says};

/// Both answers to one snapshot: our reader's and, where there is a Python, the second one's.
fn ask(part: &str, questions: &[Value]) -> Vec<(Value, Option<Value>)> {
    let ours = questions.iter().map(ours::answer);
    let Some(command) = snapshot_reader::command(part) else {
        return ours.map(|answer| (answer, None)).collect();
    };
    let requests: Vec<_> = questions.iter().map(Value::to_string).collect();
    let others = program::answer_all(&command, requests.into_iter());
    ours.zip(others.into_iter().map(Some)).collect()
}

fn verdicts(checks: &Checks) -> Value {
    let of = |list: &[Value], verdict: Value| vec![verdict; list.len()];
    let all = [
        of(&checks.allow, json!(true)),
        of(&checks.deny, json!(false)),
        of(&checks.failed, Value::Null),
    ];
    json!(all.concat())
}

#[test]
fn both_readers_find_what_the_recipes_say() {
    let folder = Folder::new("snapshot-readers");
    let mut built = BTreeMap::new();
    let mut wanted = Vec::new();
    for recipe in Recipe::all() {
        let Says::Reads { reading, checks } = &recipe.says else { continue };
        let snapshot: &Built =
            built.entry(recipe.world.clone()).or_insert_with(|| Built::new(&folder, &recipe.world));
        let questions = [checks.allow.clone(), checks.deny.clone(), checks.failed.clone()].concat();
        let question = snapshot.question(wanted.len(), &snapshot.container, &questions);
        wanted.push((recipe.id.clone(), question, reading.clone(), verdicts(checks)));
    }
    let questions: Vec<_> = wanted.iter().map(|(_, question, _, _)| question.clone()).collect();
    let answers = ask("the recipes of snapshots", &questions);
    for ((id, question, reading, verdicts), (ours, second)) in wanted.into_iter().zip(answers) {
        let mut asked = question["checks"].as_array().unwrap().iter();
        for (number, found) in ours["answers"].as_array().unwrap().iter().enumerate() {
            assert_eq!(*found, verdicts[number], "{id}: {}", asked.next().unwrap());
        }
        assert_eq!(ours["answers"], verdicts, "{id}");
        assert_eq!(said_of(&ours["reading"], &reading), reading, "{id}: ours");
        let Some(second) = second else { continue };
        assert_eq!(second["answers"], verdicts, "{id}: the second reader: {second:#}");
        assert_eq!(said_of(&second["reading"], &reading), reading, "{id}: the second reader");
        assert_eq!(
            without_contexts(&second["reading"]),
            ours["reading"],
            "{id}: the readers differ"
        );
    }
}

/// Of a reading the members that a recipe says something about. Decoded contexts are the second
/// reader's alone; ours are held against it byte by byte.
fn said_of(found: &Value, recipe: &Value) -> Value {
    let members = recipe.as_object().unwrap().iter().map(|(name, said)| {
        let own = found.get(name).cloned();
        (name.clone(), own.unwrap_or_else(|| said.clone()))
    });
    members.collect::<serde_json::Map<_, _>>().into()
}

fn without_contexts(reading: &Value) -> Value {
    let mut reading = reading.clone();
    reading.as_object_mut().unwrap().remove("contexts").expect("a reading has contexts");
    reading
}

#[test]
fn both_readers_refuse_what_the_recipes_damage() {
    let folder = Folder::new("snapshot-readers-damaged");
    let mut built = BTreeMap::new();
    let mut wanted = Vec::new();
    for recipe in Recipe::all() {
        let Says::Refuses { damage, configuration, refused } = &recipe.says else { continue };
        let snapshot: &Built =
            built.entry(recipe.world.clone()).or_insert_with(|| Built::new(&folder, &recipe.world));
        let whole = snapshot.question(wanted.len(), &snapshot.container, &[]);
        let damaged = damage::apply(damage, snapshot);
        let mut question = snapshot.question(wanted.len(), &damaged, &[]);
        for (name, value) in configuration {
            question["configuration"][name] =
                if value == "another" { json!([snapshot.other_public]) } else { value.clone() };
        }
        assert!(question != whole, "{}: nothing is damaged", recipe.id);
        wanted.push((recipe.id.clone(), question, refused.clone()));
    }
    let questions: Vec<_> = wanted.iter().map(|(_, question, _)| question.clone()).collect();
    let answers = ask("the damaged recipes of snapshots", &questions);
    let mut wrong = Vec::new();
    for ((id, _, refused), (ours, second)) in wanted.into_iter().zip(answers) {
        for (reader, answer) in [("ours", Some(ours)), ("second", second)] {
            let Some(answer) = answer else { continue };
            let part = answer["part"].as_str().unwrap_or_default();
            let is_there = refused.parts.iter().any(|wanted| wanted == part);
            if answer["refused"] != json!(refused.reason) || !is_there {
                wrong.push(format!("{id}: {reader}: {answer}, not {refused:?}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn facts_that_join_two_tenants_make_no_snapshot() {
    let folder = Folder::new("snapshot-readers-unbuildable");
    for recipe in Recipe::all() {
        let Says::Unbuildable { line } = &recipe.says else { continue };
        let (ran, facts) = Built::attempt(&folder, &recipe.world);
        assert_eq!(ran.one_line().replace(&facts, "FACTS"), *line, "{}", recipe.id);
    }
}

#[test]
fn rows_of_every_width_and_a_body_of_two_chunks_are_read_alike() {
    let folder = Folder::new("snapshot-readers-large");
    let mut tuples = Vec::new();
    for (document, viewers) in [("narrow", 255), ("wide", 256), ("widest", 66_000)] {
        tuples.extend((0..viewers).map(|viewer| Tuple {
            object: ObjectName::new(document, "all"),
            relation: "viewer".to_owned(),
            subject: Subject::Object(ObjectName::new("user", format!("u-{viewer}"))),
            condition: None,
        }));
    }
    let model = "model\n  schema 1.1\ntype user\n".to_owned()
        + &["narrow", "wide", "widest"]
            .map(|name| format!("type {name}\n  relations\n    define viewer: [user]\n"))
            .concat();
    let world = World::raw(Model::parse_dsl(&model).unwrap(), tuples);
    let snapshot = Built::new(&folder, "bare").with_body(&world.build([7; 16]).unwrap());
    let check = |document: &str, user: u32| json!({"object": format!("{document}:all"), "relation": "viewer", "user": format!("user:u-{user}")});
    let checks = [
        check("narrow", 254),
        check("narrow", 255),
        check("wide", 255),
        check("wide", 256),
        check("widest", 65_999),
        check("widest", 66_000),
    ];
    let question = snapshot.question(0, &snapshot.container, &checks);
    let header = damage::header_bytes(&snapshot.container);
    assert_eq!(damage::word(&snapshot.container[112..]), 2, "chunks of a body behind {header}");
    let (ours, second) = ask("large snapshots", &[question]).remove(0);
    assert_eq!(ours["answers"], json!([true, false, true, false, true, false]));
    let Some(second) = second else { return };
    assert_eq!(second["answers"], ours["answers"]);
    assert!(without_contexts(&second["reading"]) == ours["reading"], "the readings differ");
}
