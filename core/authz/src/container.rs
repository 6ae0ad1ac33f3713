//! One file format for snapshots and deltas: a signed header, then the body.
//!
//! docs/snapshot-container.md specifies the bytes. The header carries one digest for each 1 MiB of
//! the body, so that one signature is checked once and the body in steps. Nothing of a container is
//! used before a pinned key has vouched for it.

mod bytes;
mod header;
mod key;
mod position;
mod problem;
#[cfg(feature = "builder")]
mod signing;
mod verified;

pub(crate) use self::bytes::{BytesProblem, Reader};
pub use self::header::{Header, Kind, Statement, split_first};
pub use self::key::{KeyId, PinProblem, PinnedKey};
pub(crate) use self::position::LARGEST;
pub use self::position::Position;
pub use self::problem::ContainerProblem;
#[cfg(feature = "builder")]
pub use self::signing::{SecretProblem, SigningKey, seal};
pub(crate) use self::verified::ArrivingBody;
pub use self::verified::{VerifiedHeader, open};
