//! Generated and mutated tokens against joserfc, PyJWT, jose and jsonwebtoken: every disagreement
//! has a written reason, or the test fails.
//!
//! `MANDATE_DIFFERENTIAL_CASES` sets how many (3,000), `MANDATE_DIFFERENTIAL_SEED` which.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::thread;

use mandate_authn::{Request, Validator};
use mandate_tests::differential::oracle::JsonWebToken;
use mandate_tests::differential::rules::{Answer, Rule, classify};
use mandate_tests::differential::{AUDIENCE, Case, NOW, World};
use mandate_tests::peer::Peer;
use mandate_tests::program::answer_all;
use mandate_tests::random::Random;
use serde_json::{Value, json};

/// Counts of one class, with one token that a person can look at.
#[derive(Debug, Default)]
struct Class {
    count: usize,
    example: String,
}

#[test]
fn every_disagreement_with_another_library_is_explained() {
    let world = World::new();
    let cases = generate(&world, number("MANDATE_DIFFERENTIAL_CASES", 3000));
    let ours = ask_ourselves(&world, &cases);
    let accepted = ours.iter().filter(|answer| answer.allowed).count();
    // A generator that is never accepted, or never refused, would compare nothing.
    assert!(accepted * 10 > cases.len() && accepted * 2 < cases.len(), "{accepted} accepted");
    let mut explained: BTreeMap<(&str, &Rule), Class> = BTreeMap::new();
    let mut unexplained: BTreeMap<(&str, String), Class> = BTreeMap::new();
    let mut agreeing: BTreeMap<&str, usize> = BTreeMap::new();
    for (library, answers) in ask_libraries(&world, &cases) {
        for (case, (ours, theirs)) in cases.iter().zip(ours.iter().zip(&answers)) {
            if ours.allowed == theirs.allowed {
                *agreeing.entry(library).or_default() += 1;
                continue;
            }
            let class = match classify(library, ours, theirs) {
                Some(rule) => explained.entry((library, rule)).or_default(),
                None => {
                    let found = format!("{} ({}) / {}", ours.reason, ours.detail, theirs.reason);
                    unexplained.entry((library, found)).or_default()
                }
            };
            class.count += 1;
            if class.example.is_empty() {
                class.example = format!("{:?} {}", case.changes, case.token);
            }
        }
    }
    report(&format!(
        "{} tokens, {accepted} accepted by us\n{}",
        cases.len(),
        table(&agreeing, &explained)
    ));
    let unexplained: Vec<String> = unexplained
        .iter()
        .map(|((library, found), class)| {
            format!("{library}: {found}: {} times, first {}", class.count, class.example)
        })
        .collect();
    assert!(unexplained.is_empty(), "unexplained:\n{}", unexplained.join("\n"));
}

#[test]
fn the_same_seed_makes_the_same_tokens() {
    let world = World::new();
    let tokens = || generate(&world, 40).into_iter().map(|case| case.token).collect::<Vec<_>>();
    assert_eq!(tokens(), tokens());
}

fn generate(world: &World, count: usize) -> Vec<Case> {
    let seed = number("MANDATE_DIFFERENTIAL_SEED", 1);
    let one = |index: usize| {
        let mut mixed = Random::new(u64::try_from(index).unwrap());
        let own = mixed.bits() ^ u64::try_from(seed).unwrap();
        Case::generate(world, &mut Random::new(own))
    };
    let half = count / 2;
    thread::scope(|scope| {
        let first = scope.spawn(|| (0..half).map(one).collect::<Vec<_>>());
        let second: Vec<Case> = (half..count).map(one).collect();
        [first.join().unwrap(), second].concat()
    })
}

fn ask_ourselves(world: &World, cases: &[Case]) -> Vec<Answer> {
    let mut validator = Validator::new();
    validator.load_trust(&world.trust().to_string()).unwrap();
    let request = Request { audience: Some(AUDIENCE), now: NOW, certificate_sha256: None };
    let mut ask = |case: &Case| {
        let answer = validator.validate(case.token.as_bytes(), &request);
        // The second answer comes from the cache, if the first was a token.
        assert_eq!(validator.validate(case.token.as_bytes(), &request), answer);
        Answer {
            allowed: answer.outcome().is_ok(),
            reason: answer.reason().as_str().to_owned(),
            detail: answer.detail(),
        }
    };
    cases.iter().map(&mut ask).collect()
}

fn ask_libraries(world: &World, cases: &[Case]) -> Vec<(&'static str, Vec<Answer>)> {
    let trust = world.trust().to_string();
    let request = |(index, case): (usize, &Case)| {
        let token = Value::from(case.token.as_str());
        let audience = Value::from(AUDIENCE);
        format!(
            r#"{{"id":{index},"op":"validate","audience":{audience},"now":{NOW},"token":{token},"trust":{trust}}}"#
        )
    };
    let commands = Peer::ALL.map(|peer| (peer, peer.command("the differential campaign")));
    let mut all: Vec<(&'static str, Vec<Answer>)> = thread::scope(|scope| {
        let asked: Vec<_> = commands
            .into_iter()
            .filter_map(|(peer, command)| Some((peer, command?)))
            .map(|(peer, command)| {
                let requests = cases.iter().enumerate().map(request);
                (peer, scope.spawn(move || answer_all(&command, requests)))
            })
            .collect();
        asked
            .into_iter()
            .map(|(peer, answers)| (peer.name(), read(answers.join().unwrap())))
            .collect()
    });
    let oracle = JsonWebToken::new(world.trust());
    let answer = |case: &Case| match oracle.validate(&case.token) {
        Ok(()) => Answer { allowed: true, reason: "ok".to_owned(), detail: String::new() },
        Err(reason) => Answer { allowed: false, reason, detail: String::new() },
    };
    all.push(("jsonwebtoken", cases.iter().map(answer).collect()));
    all
}

fn read(answers: Vec<Value>) -> Vec<Answer> {
    let one = |(index, answer): (usize, Value)| {
        assert_eq!(answer["id"], json!(index), "answers come in order");
        Answer {
            allowed: match answer["verdict"].as_str() {
                Some("allow") => true,
                Some("deny") => false,
                _ => panic!("no verdict: {answer}"),
            },
            reason: answer["reason"].as_str().unwrap().to_owned(),
            detail: String::new(),
        }
    };
    answers.into_iter().enumerate().map(one).collect()
}

fn table(agreeing: &BTreeMap<&str, usize>, explained: &BTreeMap<(&str, &Rule), Class>) -> String {
    let mut table = String::new();
    for (library, count) in agreeing {
        writeln!(table, "{library}: {count} answers agree").unwrap();
    }
    for ((library, rule), class) in explained {
        let Rule { ours, theirs, why, .. } = rule;
        writeln!(table, "{library}: {} x we {ours}, they {theirs}: {why}", class.count).unwrap();
    }
    table
}

/// Past the test harness, which holds back what a passing test says.
fn report(text: &str) {
    std::io::stderr().lock().write_all(text.as_bytes()).unwrap();
}

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}
