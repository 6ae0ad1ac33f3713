//! Writing instructions, with labels for places that are not known yet.

use super::super::instruction::{Binary, Part, Unary, code};

/// A place among the instructions, possibly a later one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label(usize);

/// Instructions so far.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    bytes: Vec<u8>,
    /// Where each label is.
    labels: Vec<Option<usize>>,
    /// Where the places of labels are to be written.
    uses: Vec<(usize, Label)>,
}

impl Assembler {
    pub(super) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len().saturating_sub(1))
    }

    /// Puts a label here.
    pub(super) fn place(&mut self, label: Label) {
        let here = self.bytes.len();
        if let Some(place) = self.labels.get_mut(label.0) {
            *place = Some(here);
        }
    }

    fn target(&mut self, label: Label) {
        self.uses.push((self.bytes.len(), label));
        self.bytes.extend([0; 4]);
    }

    /// A type of one byte a level, and a value.
    pub(super) fn constant(&mut self, of: &[u8], value: &[u8]) -> Option<()> {
        self.bytes.push(code::CONSTANT);
        self.bytes.push(u8::try_from(of.len()).ok()?);
        self.bytes.extend(of);
        self.block(value)
    }

    pub(super) fn slot(&mut self, first: u8, slot: u16) {
        self.bytes.push(first);
        self.bytes.extend(slot.to_le_bytes());
    }

    pub(super) fn jump(&mut self, first: u8, label: Label) {
        self.bytes.push(first);
        self.target(label);
    }

    pub(super) fn slot_and_jump(&mut self, first: u8, slot: u16, label: Label) {
        self.slot(first, slot);
        self.target(label);
    }

    pub(super) fn branch(&mut self, otherwise: Label, end: Label) {
        self.jump(code::BRANCH, otherwise);
        self.target(end);
    }

    pub(super) fn unary(&mut self, unary: Unary) {
        self.bytes.push(unary.code());
    }

    pub(super) fn binary(&mut self, binary: Binary) {
        self.bytes.push(binary.code());
    }

    pub(super) fn part(&mut self, part: Part, offset: i32) {
        self.bytes.extend([code::PART, part.code()]);
        self.bytes.extend(offset.to_le_bytes());
    }

    pub(super) fn insert(&mut self) {
        self.bytes.push(code::INSERT);
    }

    /// An instruction with a name or a table.
    pub(super) fn with_block(&mut self, first: u8, bytes: &[u8]) -> Option<()> {
        self.bytes.push(first);
        self.block(bytes)
    }

    fn block(&mut self, bytes: &[u8]) -> Option<()> {
        self.bytes.extend(u32::try_from(bytes.len()).ok()?.to_le_bytes());
        self.bytes.extend(bytes);
        Some(())
    }

    /// The instructions with every label's place written.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        for (at, label) in &self.uses {
            let place = self.labels.get(label.0).copied().flatten()?;
            let end = at.checked_add(4)?;
            let target = u32::try_from(place).ok()?;
            self.bytes.get_mut(*at..end)?.copy_from_slice(&target.to_le_bytes());
        }
        Some(self.bytes)
    }
}
