//! A snapshot that is loaded in steps, so that requests are answered in between.
//!
//! It is taken piece by piece from where the process has it once: a VM holds what is in force, what is
//! arriving, and one piece. Its memory never shrinks, so that a whole copy would stay with it for good.

use std::cmp::Ordering;

use mandate_authz::container::{ContainerProblem, Header};
use mandate_authz::state::{State, StateRefusal};

use super::shared::{PIECE_BYTES, Shelf, Trouble};
use crate::host::{Host, HostProblem};

/// A snapshot on its way into the state.
#[derive(Debug)]
pub(super) struct Loading {
    source: Source,
    /// Bytes of it, by its header.
    size: usize,
    /// The next piece.
    next: usize,
}

/// Where the pieces of a snapshot are.
#[derive(Debug)]
pub(super) enum Source {
    /// Here, where nothing can be shared.
    Held(Vec<u8>),
    /// On the shelf, as the snapshot of this number.
    Shelf(Shelf, u64),
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
    /// Begins with the first piece: the header and its signature are verified.
    pub(super) fn begin(source: Source, first: &[u8], state: &mut State) -> Result<Self, Trouble> {
        let refused = StateRefusal::Container;
        let header = Header::total_bytes(first).map_err(refused)?;
        let (header, body) = first.split_at_checked(header).unwrap_or((first, &[]));
        state.load_begin(header)?;
        state.load_chunk(body)?;
        let body = Header::read(header).map_err(refused)?.body_bytes;
        // INVARIANT: the state has room for the body, so that its length fits.
        let body = usize::try_from(body).unwrap_or(usize::MAX);
        Ok(Self { source, size: header.len().saturating_add(body), next: 1 })
    }

    /// Whether what came is of the length that its header says.
    pub(super) fn require_size(&self, came: usize) -> Result<(), StateRefusal> {
        match came.cmp(&self.size) {
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(StateRefusal::Container(ContainerProblem::Trailing)),
            Ordering::Less => Err(StateRefusal::Container(ContainerProblem::Truncated)),
        }
    }

    /// The number of the snapshot on the shelf.
    pub(super) const fn shelved(&self) -> Option<u64> {
        match &self.source {
            Source::Held(_) => None,
            Source::Shelf(_, snapshot) => Some(*snapshot),
        }
    }

    /// Takes the next pieces; all of them where nothing is in force, and nobody is kept waiting.
    pub(super) fn step(&mut self, host: &dyn Host, state: &mut State) -> Result<Step, Trouble> {
        let at_once = state.meta().is_none();
        let most = if at_once { usize::MAX } else { PIECES };
        let pieces = self.size.div_ceil(PIECE_BYTES);
        let end = pieces.min(self.next.saturating_add(most));
        for number in self.next..end {
            state.load_chunk(&self.source.piece(host, number)?)?;
        }
        self.next = end;
        if self.next < pieces {
            return Ok(Step::More);
        }
        // All of it has come: validating it takes as long again, and is done in steps as well.
        let mut validated = at_once;
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

impl Source {
    /// The piece of this number.
    pub(super) fn piece(&self, host: &dyn Host, number: usize) -> Result<Vec<u8>, HostProblem> {
        match self {
            Self::Held(bytes) => {
                let pieces = bytes.chunks(PIECE_BYTES).nth(number);
                Ok(pieces.unwrap_or_default().to_vec())
            }
            Self::Shelf(shelf, snapshot) => shelf.piece(host, *snapshot, number),
        }
    }
}

/// Pieces a tick, and steps of validation: a piece is hashed in about 3 ms in V8.
const PIECES: usize = 4;
