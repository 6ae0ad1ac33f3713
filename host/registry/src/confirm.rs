//! Dry runs.

/// Whether a change is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// It is made.
    Confirmed,
    /// Everything is done up to the commit, and then taken back: what would happen is told.
    DryRun,
}
