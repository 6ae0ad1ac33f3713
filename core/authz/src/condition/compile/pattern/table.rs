//! The automaton of a pattern, numbered and written as `condition/pattern.rs` reads it.

use std::collections::HashMap;

use regex_automata::dfa::Automaton;
use regex_automata::dfa::StartKind;
use regex_automata::dfa::dense::{self, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::Hir;

use crate::condition::pattern::{MATCHED, NEVER};

/// The table of an expression that starts at the text's start.
pub(super) fn of(expression: &Hir) -> Result<Vec<u8>, String> {
    let too_large = || "the pattern's table is too large".to_owned();
    let captures = thompson::Config::new()
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(BUILD_BYTES));
    let automaton = thompson::Compiler::new()
        .configure(captures)
        .build_from_hir(expression)
        .map_err(|_| too_large())?;
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .minimize(true)
        .accelerate(false)
        .dfa_size_limit(Some(BUILD_BYTES))
        .determinize_size_limit(Some(BUILD_BYTES));
    let automaton = dense::Builder::new()
        .configure(config)
        .build_from_nfa(&automaton)
        .map_err(|_| too_large())?;
    write(&automaton).ok_or_else(too_large)
}

/// The states that are reached from the start, row by row.
struct States<'d> {
    automaton: &'d DFA<Vec<u32>>,
    numbers: HashMap<StateID, u16>,
    /// In the order of their numbers, from 2.
    found: Vec<StateID>,
}

impl States<'_> {
    fn number(&mut self, state: StateID) -> Option<u16> {
        if self.automaton.is_match_state(state) {
            return Some(MATCHED);
        }
        if self.automaton.is_dead_state(state) {
            return Some(NEVER);
        }
        if let Some(number) = self.numbers.get(&state) {
            return Some(*number);
        }
        let number = u16::try_from(self.found.len()).ok()?.checked_add(2)?;
        self.numbers.insert(state, number);
        self.found.push(state);
        Some(number)
    }
}

fn write(automaton: &DFA<Vec<u32>>) -> Option<Vec<u8>> {
    let start = Input::new("").anchored(Anchored::Yes);
    let start = automaton.start_state_forward(&start).ok()?;
    let mut states = States { automaton, numbers: HashMap::new(), found: Vec::new() };
    let first = states.number(start)?;
    let mut rows: Vec<[u16; 257]> = Vec::new();
    while let Some(state) = states.found.get(rows.len()).copied() {
        let mut row = [NEVER; 257];
        for (cell, byte) in row.iter_mut().zip(0_u8..=255) {
            *cell = states.number(automaton.next_state(state, byte))?;
        }
        *row.last_mut()? = states.number(automaton.next_eoi_state(state))?;
        rows.push(row);
        if rows.len() > TABLE_STATES {
            return None;
        }
    }
    let (classes, representatives) = classes(&rows)?;
    let mut table = Vec::new();
    let count = u16::try_from(rows.len()).ok()?.checked_add(2)?;
    for word in [count, u16::try_from(representatives.len()).ok()?, first] {
        table.extend(word.to_le_bytes());
    }
    table.extend(classes);
    for row in &rows {
        for byte in representatives.iter().chain(&[256]) {
            table.extend(row.get(*byte)?.to_le_bytes());
        }
    }
    (table.len() <= TABLE_BYTES).then_some(table)
}

/// The class of every byte, and one byte of every class: bytes that no state tells apart.
fn classes(rows: &[[u16; 257]]) -> Option<(Vec<u8>, Vec<usize>)> {
    let mut numbers: HashMap<Vec<u16>, u8> = HashMap::new();
    let (mut classes, mut representatives) = (Vec::new(), Vec::new());
    for byte in 0..256 {
        let column: Option<Vec<u16>> = rows.iter().map(|row| row.get(byte).copied()).collect();
        let column = column?;
        let class = if let Some(class) = numbers.get(&column) {
            *class
        } else {
            let class = u8::try_from(representatives.len()).ok()?;
            numbers.insert(column, class);
            representatives.push(byte);
            class
        };
        classes.push(class);
    }
    Some((classes, representatives))
}

/// Memory for building an automaton.
const BUILD_BYTES: usize = 4 * 1024 * 1024;

/// States of a table.
const TABLE_STATES: usize = 4_096;

/// Bytes of a table: a model of many patterns stays small.
const TABLE_BYTES: usize = 64 * 1024;
