//! Places in history.

use std::fmt;

/// A place in a registry's history. An era begins when history restarts (a restore from a backup);
/// the epoch is the position in the change log of that era. Ordered by era, then epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Restarts of history.
    pub era: u64,
    /// Position in the change log.
    pub epoch: u64,
}

impl Position {
    /// A place in history.
    #[must_use]
    pub const fn new(era: u64, epoch: u64) -> Self {
        Self { era, epoch }
    }

    /// Parses `era.epoch`, as `Mandate-Minimum-Epoch` and the feed write it: two decimal numbers of
    /// at most 2^53 - 1, without leading zeros.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (era, epoch) = text.split_once('.')?;
        Some(Self { era: number(era)?, epoch: number(epoch)? })
    }
}

fn number(text: &str) -> Option<u64> {
    let number = text.parse().ok().filter(|number| *number <= LARGEST)?;
    // `+1` and `01` parse as well, but two spellings of one position would be two cache keys.
    (u64::to_string(&number) == text).then_some(number)
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.era, self.epoch)
    }
}

/// The largest number that every JSON reader agrees on: positions and times travel in JSON too.
pub(crate) const LARGEST: u64 = 9_007_199_254_740_991;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_era_comes_before_the_epoch() {
        assert!(Position::new(2, 0) > Position::new(1, 9));
        assert!(Position::new(2, 1) > Position::new(2, 0));
    }

    #[test]
    fn a_position_has_one_spelling() {
        let position = Position::new(3, 1042);
        assert_eq!(position.to_string(), "3.1042");
        assert_eq!(Position::parse("3.1042"), Some(position));
        let largest = Position::new(LARGEST, LARGEST);
        assert_eq!(Position::parse(&largest.to_string()), Some(largest));
        let wrong = ["", ".", "3", "3.", ".4", "03.4", "3.+4", "3.4.5", " 3.4", "3.-1", "3.1e2"];
        for text in wrong.into_iter().chain(["3.9007199254740992", "3.18446744073709551616"]) {
            assert_eq!(Position::parse(text), None, "{text}");
        }
    }
}
