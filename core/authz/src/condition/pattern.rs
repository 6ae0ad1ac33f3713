//! Regular expressions in a guest: a table that is walked byte by byte.
//!
//! The pattern is parsed and made into a deterministic automaton natively. A guest holds no parser
//! of patterns, allocates nothing, and its work is the text's length.

use super::reader::Reader;

/// A validated automaton: state 0 never matches, state 1 has matched, others look at the next byte.
///
/// Layout: u16 states, u16 classes, u16 first state, 256 class numbers, then a row of u16 for every
/// state but the first two: the next state for each class, and for the end of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern<'a> {
    first: u16,
    classes: &'a [u8],
    rows: &'a [u8],
    row_length: usize,
}

impl<'a> Pattern<'a> {
    /// The table in `bytes`, with only its frame looked at.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let states = usize::from(reader.u16()?);
        let class_count = usize::from(reader.u16()?);
        let first = reader.u16()?;
        let classes = reader.bytes(256)?;
        let row_length = class_count.checked_add(1)?;
        let cells = states.checked_sub(2)?.checked_mul(row_length)?;
        let rows = reader.bytes(cells.checked_mul(2)?)?;
        let is_whole = reader.is_at_end() && (1..=256).contains(&class_count);
        is_whole.then_some(Self { first, classes, rows, row_length })
    }

    /// Whether every class and every state that is named exists.
    pub(super) fn is_sound(&self) -> bool {
        let row_bytes = self.row_length.saturating_mul(2);
        let rows = self.rows.len().checked_div(row_bytes).unwrap_or(0);
        let states = rows.saturating_add(2);
        let class_count = self.row_length.saturating_sub(1);
        usize::from(self.first) < states
            && self.classes.iter().all(|class| usize::from(*class) < class_count)
            && self.rows.chunks_exact(2).all(|cell| match cell {
                [low, high] => usize::from(u16::from_le_bytes([*low, *high])) < states,
                _ => false,
            })
    }

    /// Whether the pattern occurs in `text`, `None` where the table is not sound.
    pub(super) fn is_match(&self, text: &str) -> Option<bool> {
        let mut state = self.first;
        for byte in text.bytes() {
            match state {
                NEVER => return Some(false),
                MATCHED => return Some(true),
                _ => {
                    state = self.next(state, usize::from(*self.classes.get(usize::from(byte))?))?
                }
            }
        }
        if state > MATCHED {
            state = self.next(state, self.row_length.checked_sub(1)?)?;
        }
        Some(state == MATCHED)
    }

    fn next(&self, state: u16, column: usize) -> Option<u16> {
        let row = usize::from(state.checked_sub(2)?).checked_mul(self.row_length)?;
        let cell = row.checked_add(column)?.checked_mul(2)?;
        Reader::at(self.rows, cell).u16()
    }
}

/// The state that never matches.
pub(super) const NEVER: u16 = 0;

/// The state that has matched.
pub(super) const MATCHED: u16 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    /// Three states, two classes of bytes, and these cells of the third state.
    fn table(first: u8, last_class: u8, cells: [u8; 3]) -> Vec<u8> {
        let mut bytes = vec![3, 0, 2, 0, first, 0];
        bytes.extend([0; 255]);
        bytes.push(last_class);
        bytes.extend(cells.map(|cell| [cell, 0]).as_flattened());
        bytes
    }

    #[test]
    fn a_table_names_no_state_and_no_class_that_it_has_not() {
        let is_sound = |bytes: &[u8]| Pattern::read(bytes).is_some_and(|table| table.is_sound());
        assert!(is_sound(&table(2, 1, [2, 1, 0])));
        assert!(!is_sound(&table(3, 1, [2, 1, 0])));
        assert!(!is_sound(&table(2, 2, [2, 1, 0])));
        assert!(!is_sound(&table(2, 1, [2, 1, 3])));
    }
}
