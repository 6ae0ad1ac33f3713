//! Counting the work of an evaluation, and what can go wrong in one of its operations.

use super::ConditionFailure;

/// What an operation gives in place of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// An error of the expression, which `||` and `&&` may absorb.
    Problem(&'static str),
    /// An error that ends the evaluation: where cel-go panics, and OpenFGA makes an error of that.
    Fatal(&'static str),
    /// No steps are left: nothing absorbs that.
    Steps,
}

/// The steps that are left.
#[derive(Debug)]
pub(super) struct Steps<'s>(&'s mut u32);

impl<'s> Steps<'s> {
    pub(super) const fn new(left: &'s mut u32) -> Self {
        Self(left)
    }

    /// Pays for `count` elements that are looked at or made.
    pub(super) fn take(&mut self, count: usize) -> Result<(), Trouble> {
        let left = u32::try_from(count).ok().and_then(|count| self.0.checked_sub(count));
        *self.0 = left.ok_or_else(|| {
            *self.0 = 0;
            Trouble::Steps
        })?;
        Ok(())
    }

    /// Pays for a pass over bytes.
    pub(super) fn take_bytes(&mut self, bytes: usize) -> Result<(), Trouble> {
        self.take(bytes / BYTES_READ)
    }

    /// Pays for memory.
    pub(super) fn take_memory(&mut self, bytes: usize) -> Result<(), Trouble> {
        self.take(bytes.div_ceil(BYTES_MADE))
    }
}

impl From<Trouble> for ConditionFailure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Problem(problem) | Trouble::Fatal(problem) => Self::Expression { problem },
            Trouble::Steps => Self::Steps,
        }
    }
}

/// Bytes that are read for one step: about as long as an instruction takes.
const BYTES_READ: usize = 64;

/// Bytes of memory for one step: a thousand steps never hold more than 32 KiB of text.
const BYTES_MADE: usize = 32;
