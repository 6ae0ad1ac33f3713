//! Why a state does not answer, or does not take what it was given.

use std::fmt;

use mandate_authn::{Json, ReasonCode, json_object};

use crate::container::{ContainerProblem, Position};
use crate::delta::DeltaProblem;
use crate::snapshot::{RowError, SnapshotError};

/// Why a state does not answer, or does not take what it was given. One variant per cause; the wire
/// shows its [`ReasonCode`].
///
/// Not `non_exhaustive`: a new refusal must break every adapter until it is mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateRefusal {
    /// A delta needs a later snapshot than the one in force.
    Base {
        /// The oldest epoch that its rows can be applied to.
        base: u64,
        /// The epoch of the snapshot in force.
        snapshot: u64,
    },
    /// The caller has seen more than is in force: ask again in a second.
    Behind {
        /// What the caller has seen.
        minimum: Position,
        /// What is in force.
        position: Position,
    },
    /// Not a container, or not one that a pinned key has signed.
    Container(ContainerProblem),
    /// A delta was made under another contract than the snapshot in force.
    Contract {
        /// The delta's.
        delta: [u32; 3],
        /// The snapshot's.
        snapshot: [u32; 3],
    },
    /// The rows of a delta are malformed.
    Delta(DeltaProblem),
    /// It belongs to another deployment.
    Deployment {
        /// What it says.
        found: String,
    },
    /// The newest signed issued-at lies further in the future than clocks may differ.
    Future {
        /// The newest signed issued-at.
        issued_at: u64,
        /// Seconds since the epoch.
        now: u64,
    },
    /// A delta does not follow on what is in force: one in between is missing.
    Gap {
        /// What it follows on.
        from: Position,
        /// What is in force.
        position: Position,
    },
    /// Not enough memory for the body.
    Memory {
        /// Its bytes.
        bytes: u64,
    },
    /// Nothing is in force.
    Missing,
    /// A step of a load that was not begun, or was dropped.
    NotBegun,
    /// Raw: it serves `relation-holds` and `list-objects` only, and takes only raw deltas.
    Raw,
    /// It includes less than was in force before.
    Rollback {
        /// The highest position that was in force.
        floor: Position,
        /// What it includes.
        found: Position,
    },
    /// A row of a delta does not fit the snapshot.
    Row(RowError),
    /// It was made under a contract that the one in force has no place for.
    Skew {
        /// The snapshot's.
        snapshot: [u32; 3],
        /// The one in force.
        contract: [u32; 3],
    },
    /// It holds another set of tenants.
    Slice {
        /// What it says.
        found: String,
    },
    /// The body is signed and is no snapshot that this build reads.
    Snapshot(SnapshotError),
    /// The newest signed issued-at is too old.
    Stale {
        /// The newest signed issued-at.
        issued_at: u64,
        /// Seconds since the epoch.
        now: u64,
        /// Seconds that it may be old.
        max_age: u64,
    },
}

impl StateRefusal {
    /// The wire form: `{"error":{"detail","reason"}}`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let error = json_object([
            ("detail", Some(self.to_string().into())),
            ("reason", Some(self.code().as_str().into())),
        ]);
        json_object([("error", Some(error))])
    }

    /// The reason on the wire.
    #[must_use]
    pub const fn code(&self) -> ReasonCode {
        match self {
            Self::Memory { .. }
            | Self::Missing
            | Self::NotBegun
            | Self::Raw
            | Self::Snapshot(_) => ReasonCode::SnapshotMissing,
            Self::Rollback { .. } => ReasonCode::SnapshotRollback,
            Self::Container(_) | Self::Deployment { .. } | Self::Slice { .. } => {
                ReasonCode::SnapshotSignature
            }
            Self::Base { .. }
            | Self::Behind { .. }
            | Self::Contract { .. }
            | Self::Delta(_)
            | Self::Future { .. }
            | Self::Gap { .. }
            | Self::Row(_)
            | Self::Skew { .. }
            | Self::Stale { .. } => ReasonCode::SnapshotStale,
        }
    }
}

impl fmt::Display for StateRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base { base, snapshot } => {
                write!(
                    formatter,
                    "the delta needs a snapshot of epoch {base} or later, not {snapshot}"
                )
            }
            Self::Behind { minimum, position } => {
                write!(formatter, "{minimum} was asked for, {position} is in force")
            }
            Self::Container(problem) => problem.fmt(formatter),
            Self::Contract { delta: [major, minor, patch], snapshot: [x, y, z] } => write!(
                formatter,
                "the delta is of contract {major}.{minor}.{patch}, the snapshot of {x}.{y}.{z}"
            ),
            Self::Delta(problem) => problem.fmt(formatter),
            Self::Deployment { found } => {
                write!(formatter, "it belongs to the deployment `{found}`")
            }
            Self::Future { issued_at, now } => {
                write!(formatter, "it was issued at {issued_at}, now is {now}")
            }
            Self::Gap { from, position } => {
                write!(formatter, "the delta follows on {from}, {position} is in force")
            }
            Self::Memory { bytes } => write!(formatter, "no memory for {bytes} bytes"),
            Self::Missing => formatter.write_str("no snapshot is loaded"),
            Self::NotBegun => formatter.write_str("no load was begun"),
            Self::Raw => formatter.write_str("a raw snapshot decides nothing"),
            Self::Rollback { floor, found } => {
                write!(formatter, "it includes {found}, {floor} was in force")
            }
            Self::Row(error) => error.fmt(formatter),
            Self::Skew { snapshot: [major, minor, patch], contract: [x, y, z] } => write!(
                formatter,
                "the snapshot is of contract {major}.{minor}.{patch}, {x}.{y}.{z} is in force"
            ),
            Self::Slice { found } => write!(formatter, "it holds the slice `{found}`"),
            Self::Snapshot(error) => error.fmt(formatter),
            Self::Stale { issued_at, now, max_age } => {
                write!(
                    formatter,
                    "issued at {issued_at}, now is {now}, at most {max_age} s are allowed"
                )
            }
        }
    }
}

impl std::error::Error for StateRefusal {}
