//! Why a call of the plugin brought no usable answer.

use std::fmt;
use std::time::Duration;

use wasmtime::{Error, Trap};

use crate::sandbox::Overrun;

/// The plugin gave no usable answer: a fault of the plugin, the host or the machine, never of the
/// token. Always a denial; the instance is thrown away.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// No instance became free within the wait.
    Busy(Duration),
    /// The call ran past its deadline.
    Deadline(Duration),
    /// The answer contradicts itself.
    Inconsistent(&'static str),
    /// The plugin asked for more memory than the limit, in bytes.
    Memory(usize),
    /// The instance could not be made or called, or its answer could not be read.
    Unusable(String),
    /// An instance refused the sealing secret that another had accepted.
    SealingRefused(String),
    /// A fresh instance refused the state that another had accepted.
    StateRefused(String),
    /// The plugin asked for a larger table than the limit, in elements.
    Table(usize),
    /// The plugin trapped.
    Trap(String),
    /// A fresh instance refused the trust that another had accepted.
    TrustRefused(String),
}

impl Failure {
    /// Names the cause of an error that came out of a call with this deadline.
    pub(crate) fn of(error: &Error, deadline: Duration) -> Self {
        match (error.downcast_ref::<Overrun>(), error.downcast_ref::<Trap>()) {
            (Some(Overrun::Memory(limit)), _) => Self::Memory(*limit),
            (Some(Overrun::Table(limit)), _) => Self::Table(*limit),
            (None, Some(Trap::Interrupt)) => Self::Deadline(deadline),
            (None, Some(trap)) => Self::Trap(trap.to_string()),
            (None, None) => Self::Unusable(one_line(&error.root_cause().to_string())),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(wait) => write!(formatter, "no instance was free within {wait:?}"),
            Self::Deadline(deadline) => {
                write!(formatter, "the plugin exceeded its deadline of {deadline:?}")
            }
            Self::Inconsistent(what) => {
                write!(formatter, "the plugin's answer contradicts itself: {what}")
            }
            Self::Memory(limit) => {
                write!(formatter, "the plugin exceeded its memory limit of {limit} bytes")
            }
            Self::Unusable(what) => write!(formatter, "the plugin is unusable: {what}"),
            Self::SealingRefused(what) => {
                write!(formatter, "an instance refused the sealing secret in force: {what}")
            }
            Self::StateRefused(what) => {
                write!(formatter, "a fresh instance refused the state in force: {what}")
            }
            Self::Table(limit) => {
                write!(formatter, "the plugin exceeded its table limit of {limit} elements")
            }
            Self::Trap(what) => write!(formatter, "the plugin trapped: {what}"),
            Self::TrustRefused(what) => {
                write!(formatter, "a fresh instance refused the trust in force: {what}")
            }
        }
    }
}

impl std::error::Error for Failure {}

/// The first line, at most 200 characters: details go into logs of one line each.
pub(crate) fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}
