//! A snapshot that is loaded in steps, so that requests are answered in between.

use mandate_authz::container::Header;
use mandate_authz::state::{State, StateRefusal};

/// A snapshot on its way into the state.
#[derive(Debug)]
pub(super) struct Loading {
    bytes: Vec<u8>,
    /// How much of it has been taken.
    at: usize,
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is in force.
    Done,
    /// There is more to load.
    More,
}

impl Loading {
    /// Begins: the header and its signature are verified.
    pub(super) fn begin(bytes: Vec<u8>, state: &mut State) -> Result<Self, StateRefusal> {
        let at = Header::total_bytes(&bytes).map_err(StateRefusal::Container)?;
        state.load_begin(bytes.get(..at).unwrap_or(&bytes))?;
        Ok(Self { bytes, at })
    }

    /// The whole snapshot, as it came.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes the next piece; all of them where nothing is in force, and nobody is kept waiting.
    pub(super) fn step(&mut self, state: &mut State) -> Result<Step, StateRefusal> {
        let pieces = if state.meta().is_none() { usize::MAX } else { PIECES };
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        for piece in rest.chunks(PIECE_BYTES).take(pieces) {
            state.load_chunk(piece)?;
            self.at = self.at.saturating_add(piece.len());
        }
        if self.at < self.bytes.len() {
            return Ok(Step::More);
        }
        // All of it has come: validating it takes as long again, and is done in steps as well.
        let mut validated = state.meta().is_none();
        for _ in 0..PIECES {
            validated = validated || state.load_validate()?;
        }
        if !validated {
            return Ok(Step::More);
        }
        state.load_commit()?;
        Ok(Step::Done)
    }
}

/// Bytes of a piece: `State::load_chunk` takes at most so many.
const PIECE_BYTES: usize = 1024 * 1024;
/// Pieces a tick, and steps of validation: a piece is hashed in about 3 ms in V8.
const PIECES: usize = 4;
