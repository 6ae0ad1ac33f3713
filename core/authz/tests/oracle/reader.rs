//! The evaluator that ships against the second reader of snapshots, which reads the same bytes:
//! docs/snapshot.md#second-reader.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mandate_authz::container::{Kind, Position, SigningKey, Statement, seal};
use mandate_authz::model::Model;
use mandate_authz::snapshot::{self, Snapshot};
use mandate_authz::tuple::Tuple;
use serde_json::{Value, json};

use crate::support::consolidated::read;
use crate::support::engine::{Engine as _, Failure, Question};
use crate::support::fast::Fast;
use crate::support::program::answer_all;
use crate::support::snapshot_reader::command;
use crate::support::worlds::World;

/// Questions of each world.
const QUESTIONS: usize = 20;

/// A signed snapshot of relationships alone, and our reader's view of it.
fn sealed(model: &Model, tuples: &[Tuple], key: &SigningKey) -> (String, Fast) {
    let body = snapshot::World::raw(model.clone(), tuples.to_vec()).build([7; 16]);
    let body = body.expect("it can be built");
    let statement = Statement {
        kind: Kind::Snapshot,
        raw: true,
        deployment: "test".to_owned(),
        slice: "all".to_owned(),
        position: Position::new(1, 1),
        contract_version: [0; 3],
        issued_at: 1_767_225_600,
    };
    let container = seal(&statement, &body, key).expect("it can be sealed");
    let snapshot = Snapshot::from_body(body).expect("what was built loads");
    (STANDARD.encode(container), Fast { snapshot })
}

fn request(id: usize, container: &str, questions: &[Question], key: &SigningKey) -> String {
    let key: Value = serde_json::from_str(&key.to_public_jwk()).expect("a JWK");
    let checks = questions.iter().map(|asked| {
        json!({
            "user": asked.user, "relation": asked.relation, "object": asked.object,
            "context": asked.extra.context,
        })
    });
    let request = json!({
        "id": id, "read": false, "snapshot": container,
        "configuration": { "deployment": "test", "slice": "all", "keys": [key] },
        "checks": checks.collect::<Vec<_>>(),
    });
    request.to_string()
}

#[test]
fn the_second_reader_agrees_in_random_worlds() {
    let Some(command) = command("random worlds") else { return };
    let cases = std::env::var("MANDATE_CAMPAIGN_CASES").ok();
    let cases = cases.map_or(4_000, |cases| cases.parse().expect("a number of checks"));
    let worlds = cases / u64::try_from(QUESTIONS).expect("small");
    let key = SigningKey::from_seed([1; 32]).expect("a key");
    let mut asked = Vec::new();
    for seed in 0..worlds {
        let world = World::new(seed);
        let (container, ours) = sealed(&world.model, &world.stored(), &key);
        let mut questions = world.questions(&ours, QUESTIONS);
        // Contextual relationships are no part of a snapshot.
        questions.iter_mut().for_each(|question| question.extra.tuples.clear());
        let answers: Vec<_> = questions.iter().map(|question| ours.check(question)).collect();
        let request = request(asked.len(), &container, &questions, &key);
        asked.push((world, questions, answers, request));
    }
    let requests: Vec<_> = asked.iter().map(|(.., request)| request.clone()).collect();
    let found = answer_all(&command, requests.into_iter());
    let mut tally = [0_usize; 4];
    for ((world, questions, expected, _), found) in asked.into_iter().zip(found) {
        let found = found["answers"].as_array().unwrap_or_else(|| panic!("{found}\n{world}"));
        for ((question, expected), found) in questions.iter().zip(expected).zip(found) {
            // What is looked at in which order decides who meets this limit.
            let limit = expected == Err(Failure::Budget);
            tally[match expected {
                _ if limit => 3,
                Ok(true) => 0,
                Ok(false) => 1,
                Err(_) => 2,
            }] += 1;
            let expected = json!(expected.ok());
            assert!(limit || *found == expected, "{question:?}: {found}, not {expected}\n{world}");
        }
    }
    eprintln!("yes, no, failed, limit: {tally:?}");
    assert!(tally[..3].iter().all(|count| *count > 0), "every answer occurs: {tally:?}");
}

#[test]
fn the_second_reader_agrees_with_the_consolidated_suite() {
    let part = "consolidated suite, second reader";
    let Some((command, stages)) = command(part).zip(read(part)) else { return };
    let key = SigningKey::from_seed([1; 32]).expect("a key");
    let mut requests = Vec::new();
    let mut wanted = Vec::new();
    for stage in &stages {
        let (container, _) = sealed(&stage.model, &stage.tuples, &key);
        let rows = stage.checks.iter().filter(|(question, _)| question.extra.tuples.is_empty());
        let (questions, answers): (Vec<_>, Vec<_>) = rows.cloned().unzip();
        requests.push(request(requests.len(), &container, &questions, &key));
        wanted.push((&stage.name, questions, answers));
    }
    let mut wrong = Vec::new();
    let mut rows = 0;
    for ((name, questions, expected), found) in
        wanted.into_iter().zip(answer_all(&command, requests.into_iter()))
    {
        for (at, (question, expected)) in questions.iter().zip(expected).enumerate() {
            rows += 1;
            if found["answers"][at] != json!(expected.ok()) {
                wrong.push(format!("{name}: {question:?}: {found}, not {expected:?}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!((stages.len(), rows), (119, 248), "rows of the suite");
}
