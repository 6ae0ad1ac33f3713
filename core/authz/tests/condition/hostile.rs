//! Bytes from anywhere: validation ends, and what it lets through evaluates without reading wrongly.

use mandate_authz::condition::{
    ConditionFailure, encode_context, evaluate, validate, validate_context,
};
use serde_json::{Map, Value, json};

use super::checks::survives;
use super::generator::{Scope, case};
use super::random::Random;
use super::support::{compiled, definition, framed, object};

const ALL: Scope =
    Scope { addresses: true, broken_contexts: false, ill_typed: false, repeated_keys: true };

/// Code, a stored context and a request.
type Evaluation = (Vec<u8>, Vec<u8>, Map<String, Value>);

/// Conditions that compile, with a context each.
fn compiled_cases(seed: u64, count: usize) -> Vec<Evaluation> {
    let mut random = Random::new(seed);
    let mut cases = Vec::new();
    while cases.len() < count {
        let case = case(&mut random, ALL, 1);
        let definition = definition(&case.signature(), &case.expression);
        let Ok(code) = mandate_authz::condition::compile(&definition) else { continue };
        let (stored, request) = &case.runs[0];
        let Ok(stored) = encode_context(&code, stored) else { continue };
        cases.push((code, stored, request.clone()));
    }
    cases
}

#[test]
fn every_flipped_bit_of_code_is_refused_or_evaluates() {
    let mut accepted = 0;
    for (code, stored, request) in compiled_cases(11, 12) {
        for place in 0..code.len() {
            for bit in 0..8 {
                let mut flipped = code.clone();
                flipped[place] ^= 1 << bit;
                accepted += usize::from(survives(&flipped, &stored, &request));
            }
        }
    }
    assert!(accepted > 100, "flipped constants are still code: {accepted}");
}

#[test]
fn every_truncation_of_code_is_refused() {
    for (code, ..) in compiled_cases(12, 40) {
        for length in 0..code.len() {
            assert!(validate(&code[..length]).is_err(), "{length} of {code:02x?}");
        }
        let longer = [code.as_slice(), &[0]].concat();
        assert!(validate(&longer).is_err(), "{longer:02x?}");
    }
}

#[test]
fn every_flipped_bit_of_a_stored_context_is_refused_or_evaluates() {
    let mut accepted = 0;
    for (code, stored, request) in compiled_cases(13, 60) {
        for place in 0..stored.len() {
            for bit in 0..8 {
                let mut flipped = stored.clone();
                flipped[place] ^= 1 << bit;
                if validate_context(&code, &flipped).is_ok() {
                    accepted += 1;
                    assert!(survives(&code, &flipped, &request));
                }
            }
        }
        for length in 1..stored.len() {
            survives(&code, &stored[..length], &request);
        }
    }
    assert!(accepted > 100, "flipped values are still values: {accepted}");
}

#[test]
fn mutated_code_is_refused_or_evaluates() {
    let mut random = Random::new(14);
    let cases = compiled_cases(15, 60);
    for _ in 0..15_000 {
        let (code, stored, request) = random.pick(&cases);
        let mut mutated = code;
        for _ in 0..=random.below(4) {
            let place = random.below(mutated.len());
            match random.below(5) {
                0 => mutated[place] = random.bits().to_le_bytes()[0],
                1 => mutated[place] = mutated[place].wrapping_add(1),
                2 => mutated[place] = [0, 1, 0xff, 0x7f][random.below(4)],
                3 => {
                    let from = random.below(mutated.len());
                    mutated[place] = mutated[from];
                }
                _ => {
                    let other = random.below(mutated.len());
                    mutated.swap(place, other);
                }
            }
        }
        survives(&mutated, &stored, &request);
    }
}

/// Instructions at random in a frame that fits them: what a mutation of real code rarely reaches.
#[test]
fn random_instructions_are_refused_or_evaluate() {
    let opcodes: Vec<u8> = [0x01..=0x03, 0x10..=0x19, 0x20..=0x2b, 0x40..=0x53, 0x60..=0x64]
        .into_iter()
        .flatten()
        .collect();
    let mut random = Random::new(16);
    let request = object(json!({"a": 1, "b": [1, 2, 3], "c": {"k": "v"}}));
    let mut accepted = 0;
    for _ in 0..80_000 {
        let mut instructions = Vec::new();
        for _ in 0..=random.below(8) {
            instruction(&mut random, &opcodes, &mut instructions);
        }
        let code = framed(&instructions);
        accepted += usize::from(survives(&code, &[], &request));
    }
    assert!(accepted > 1_000, "some of it is code: {accepted}");
}

fn instruction(random: &mut Random, opcodes: &[u8], into: &mut Vec<u8>) {
    // Mostly what pushes, so that the rest has something to pop.
    let opcode =
        if random.percent(50) { [0x01, 0x02][random.below(2)] } else { random.pick(opcodes) };
    into.push(opcode);
    let slot = u16::try_from(random.below(8)).unwrap();
    let target = u32::try_from(into.len() + random.below(24)).unwrap().saturating_sub(4);
    match opcode {
        0x01 => into.extend(
            [
                &[1, 1, 1, 0, 0, 0, 1][..],
                &[1, 4, 8, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0],
                &[1, 8, 5, 0, 0, 0, 1, 0, 0, 0, b'k'],
                &[2, 6, 0, 8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0],
                &[2, 7, 0, 8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0],
            ][random.below(5)],
        ),
        0x02 | 0x03 | 0x18 => into.extend(slot.to_le_bytes()),
        0x10..=0x12 | 0x16 | 0x19 => into.extend(target.to_le_bytes()),
        0x13 => {
            into.extend(target.to_le_bytes());
            into.extend((target + 4).to_le_bytes());
        }
        0x14 | 0x15 | 0x17 => {
            into.extend(slot.to_le_bytes());
            into.extend(target.to_le_bytes());
        }
        0x60 | 0x61 => into.extend([1, 0, 0, 0, b'k']),
        0x63 => into.extend([u8::try_from(random.below(11)).unwrap(), 0, 0, 0, 0]),
        _ => {}
    }
}

#[test]
fn a_loop_that_never_ends_runs_out_of_steps() {
    // `Load 0; JumpTrue +0; Repeat 0` on a stack that does not grow: Jump back to the start.
    let code = framed(&[0x02, 0, 0, 0x03, 3, 0, 0x19, 0, 0, 0, 0]);
    let endless = [0x02, 0, 0, 0x12, 14, 0, 0, 0, 0x03, 3, 0, 0x19, 0, 0, 0, 0];
    assert!(validate(&code).is_err(), "nothing after it is reached");
    let mut endless = endless.to_vec();
    endless[4..8].copy_from_slice(&16_u32.to_le_bytes());
    let code = framed(&endless);
    assert_eq!(validate(&code), Ok(()));
    let request = object(json!({"a": 1, "b": [], "c": {}}));
    let mut steps = 1_000;
    assert_eq!(evaluate(&code, &[], &request, &mut steps), Err(ConditionFailure::Steps));
    assert_eq!(steps, 0);
}

#[test]
fn a_table_of_a_pattern_is_checked_cell_by_cell() {
    let code = compiled("x: string", "x.matches('^ab+c$')");
    let mut accepted = 0;
    for place in 0..code.len() {
        for value in [0, 1, 2, 3, 7, 0x7f, 0xff] {
            let mut changed = code.clone();
            changed[place] = value;
            for text in ["", "abc", "abbbbc", "\u{10ffff}", "abcabc"] {
                let request = object(json!({"x": text}));
                accepted += usize::from(survives(&changed, &[], &request));
            }
        }
    }
    assert!(accepted > 100, "other tables are tables: {accepted}");
}
