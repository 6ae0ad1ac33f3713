//! The machine against that of the second reader of snapshots, on the same bytes, whole ones and
//! broken ones: docs/snapshot-conditions.md.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mandate_authz::condition::{compile, encode_context, evaluate, validate, validate_context};
use serde_json::{Map, Value, json};

use super::generator::{Case, Scope, case};
use super::program::answer_all;
use super::random::Random;
use super::snapshot_reader::command;
use super::support::definition;

const SCOPE: Scope =
    Scope { addresses: true, broken_contexts: true, ill_typed: true, repeated_keys: true };

/// Contexts of one condition.
const CONTEXTS: usize = 20;

/// More than any of them takes: readers may count steps differently.
const STEPS: u32 = 1_000_000;

/// Ours, in the form of the second reader's answers.
fn answer(code: &[u8], stored: &[u8], request: &Map<String, Value>) -> Value {
    if validate(code).and_then(|()| validate_context(code, stored)).is_err() {
        return json!("refused");
    }
    evaluate(code, stored, request, &mut { STEPS }).map_or(Value::Null, Value::Bool)
}

/// What is asked about one condition, with our answers.
#[derive(Default)]
struct Asked {
    conditions: Vec<Value>,
    answers: Vec<Value>,
}

impl Asked {
    fn add(&mut self, code: &[u8], stored: &[u8], request: &Map<String, Value>) {
        self.answers.push(answer(code, stored, request));
        self.conditions.push(json!({
            "code": STANDARD.encode(code), "stored": STANDARD.encode(stored),
            "context": request, "steps": STEPS,
        }));
    }

    /// Every context of a case; and each with one byte of the code, and of the context, changed.
    fn case(&mut self, case: &Case, random: &mut Random) {
        let Ok(code) = compile(&definition(&case.signature(), &case.expression)) else { return };
        for (stored, request) in &case.runs {
            let Ok(stored) = encode_context(&code, stored) else { continue };
            self.add(&code, &stored, request);
            self.add(&changed(&code, random), &stored, request);
            if !stored.is_empty() {
                self.add(&code, &changed(&stored, random), request);
            }
        }
    }
}

/// The bytes with one of them changed.
fn changed(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let place = random.below(bytes.len());
    bytes[place] = match random.below(3) {
        0 => u8::try_from(random.below(256)).unwrap(),
        1 => bytes[place].wrapping_add(1),
        _ => bytes[place] ^ (1 << random.below(8)),
    };
    bytes
}

#[test]
fn the_second_reader_evaluates_and_refuses_as_ours_does() {
    let Some(command) = command("random conditions") else { return };
    let asked = std::env::var("MANDATE_CAMPAIGN_CASES").ok();
    let wanted = asked.map_or(8_000, |count| count.parse().unwrap());
    let mut random = Random::new(2_026);
    let mut all = Vec::new();
    let mut count = 0;
    while count < wanted {
        let case = case(&mut random, SCOPE, CONTEXTS);
        let mut asked = Asked::default();
        asked.case(&case, &mut random);
        count += asked.answers.len();
        all.push((case, asked));
    }
    let requests = all.iter().enumerate();
    let requests = requests
        .map(|(id, (_, asked))| json!({ "id": id, "conditions": asked.conditions }).to_string());
    let requests: Vec<_> = requests.collect();
    let mut wrong = Vec::new();
    let mut tally = std::collections::BTreeMap::new();
    for ((case, asked), found) in all.iter().zip(answer_all(&command, requests.into_iter())) {
        for (at, expected) in asked.answers.iter().enumerate() {
            *tally.entry(expected.to_string()).or_insert(0) += 1;
            let found = &found["answers"][at];
            if found != expected {
                let question = &asked.conditions[at];
                wrong.push(format!("{found}, not {expected}: {question}\n{}", case.expression));
            }
        }
    }
    let first = wrong.first().map_or("", String::as_str);
    assert!(wrong.is_empty(), "{} of {tally:?} differ, the first: {first}", wrong.len());
    assert_eq!(tally.keys().collect::<Vec<_>>(), ["\"refused\"", "false", "null", "true"]);
}
