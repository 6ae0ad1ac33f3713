//! The signed header: what a container says of its body, and the digests that bind the body to it.

use super::bytes::Reader;
use super::key::KeyId;
use super::position::{LARGEST, Position};
use super::problem::ContainerProblem;
use crate::limits;

/// What the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Changes, for states that stand exactly at `from` on a snapshot no older than `base`.
    Delta {
        /// The oldest epoch of a snapshot that the rows can be applied to.
        base: u64,
        /// The epoch that the rows follow on.
        from: u64,
    },
    /// A whole snapshot.
    Snapshot,
}

/// What is signed about a body, apart from its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What the body is.
    pub kind: Kind,
    /// Without tenants, for tests of models: serves `relation-holds` and `list-objects` only.
    pub raw: bool,
    /// The deployment that it belongs to.
    pub deployment: String,
    /// The set of tenants that it holds.
    pub slice: String,
    /// What a state includes once the body is in force.
    pub position: Position,
    /// major, minor, patch of the contract that the body was made under.
    pub contract_version: [u32; 3],
    /// Seconds since the epoch.
    pub issued_at: u64,
}

/// A header as written. It proves nothing: only a
/// [`VerifiedHeader`](super::VerifiedHeader) is to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it says of the body.
    pub statement: Statement,
    /// The key that signed.
    pub key: KeyId,
    /// Bytes of the body.
    pub body_bytes: u64,
    /// SHA-512/256 of each chunk of 1 MiB; the last may be shorter.
    pub digests: Vec<[u8; 32]>,
}

impl Header {
    /// Bytes that [`Header::total_bytes`] needs to see.
    pub const PREFIX_BYTES: usize = 16;

    /// Bytes of the header with its signature, read off the first 16 of a container: what
    /// [`State::load_begin`](crate::state::State::load_begin) wants, and where the body begins.
    ///
    /// # Errors
    /// Bytes that begin no container of this version.
    pub fn total_bytes(prefix: &[u8]) -> Result<usize, ContainerProblem> {
        let mut reader = Reader::new(prefix);
        if reader.array()? != MAGIC {
            return Err(ContainerProblem::Magic);
        }
        let version = reader.u16()?;
        if version != VERSION {
            return Err(ContainerProblem::Version { version });
        }
        // Kind and flags: the header's own affair.
        reader.u16()?;
        let length = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
        if length > limits::HEADER_BYTES {
            return Err(ContainerProblem::TooLarge);
        }
        length.checked_add(SIGNATURE_BYTES).ok_or(ContainerProblem::TooLarge)
    }

    /// Reads a header without believing it: for looking at files.
    ///
    /// # Errors
    /// The first thing in which it is not a header of this version. Bytes after the header are not
    /// looked at.
    pub fn read(container: &[u8]) -> Result<Self, ContainerProblem> {
        let (header, _) = split_signature(container)?;
        Self::decode(header)
    }

    /// Reads exactly the bytes that were signed.
    pub(super) fn decode(header: &[u8]) -> Result<Self, ContainerProblem> {
        let mut reader = Reader::new(header);
        reader.take(MAGIC.len().saturating_add(size_of_val(&VERSION)))?;
        let kind = reader.byte()?;
        let raw = match reader.byte()? {
            0 => false,
            FLAG_RAW => true,
            _ => return Err(ContainerProblem::Flags),
        };
        reader.u32()?;
        let key = KeyId::from_bytes(reader.array()?);
        let issued_at = number(&mut reader)?;
        let era = number(&mut reader)?;
        let (base, from) = (number(&mut reader)?, number(&mut reader)?);
        let position = Position::new(era, number(&mut reader)?);
        let contract_version = [reader.u32()?, reader.u32()?, reader.u32()?];
        let body_bytes = reader.u64()?;
        if u64::from(reader.u32()?) != limits::CHUNK_BYTES {
            return Err(ContainerProblem::ChunkSize);
        }
        let count = reader.u32()?;
        let deployment = reader.text()?.to_owned();
        let slice = reader.text()?.to_owned();
        let kind = read_kind(kind, base, from, position.epoch)?;
        let statement =
            Statement { kind, raw, deployment, slice, position, contract_version, issued_at };
        statement.check(body_bytes)?;
        if u64::from(count) != chunks(body_bytes) {
            return Err(ContainerProblem::Length);
        }
        let digests: Result<_, _> = (0..count).map(|_| reader.array()).collect();
        let header = Self { statement, key, body_bytes, digests: digests? };
        // The stated length was used to find the end; here the end must be where it says.
        if reader.is_empty() { Ok(header) } else { Err(ContainerProblem::Length) }
    }
}

impl Statement {
    /// Whether a deployment or slice may be called so: 1 to 128 bytes, no control characters.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        let length = 1..=limits::STATE_NAME_BYTES;
        length.contains(&text.len()) && !text.chars().any(char::is_control)
    }

    /// What must hold of a statement, whoever signs it.
    pub(super) fn check(&self, body_bytes: u64) -> Result<(), ContainerProblem> {
        if !Self::is_name(&self.deployment) || !Self::is_name(&self.slice) {
            return Err(ContainerProblem::Name);
        }
        let Position { era, epoch } = self.position;
        if era > LARGEST || epoch > LARGEST || self.issued_at > LARGEST {
            return Err(ContainerProblem::Number);
        }
        match self.kind {
            Kind::Delta { base, from } => check_delta(base, from, epoch, body_bytes),
            Kind::Snapshot if body_bytes > limits::SNAPSHOT_BYTES => {
                Err(ContainerProblem::TooLarge)
            }
            Kind::Snapshot => Ok(()),
        }
    }
}

fn check_delta(base: u64, from: u64, to: u64, body_bytes: u64) -> Result<(), ContainerProblem> {
    // A change has a place of its own in the log: without one, two states that differ would both
    // stand at `to`.
    let changes_nothing = body_bytes == 0;
    if base > from || from > to || (from == to && !changes_nothing) {
        return Err(ContainerProblem::Epochs);
    }
    if body_bytes > limits::DELTA_BYTES { Err(ContainerProblem::TooLarge) } else { Ok(()) }
}

fn read_kind(kind: u8, base: u64, from: u64, to: u64) -> Result<Kind, ContainerProblem> {
    match kind {
        KIND_SNAPSHOT if base == to && from == to => Ok(Kind::Snapshot),
        KIND_SNAPSHOT => Err(ContainerProblem::Epochs),
        KIND_DELTA => Ok(Kind::Delta { base, from }),
        _ => Err(ContainerProblem::Kind),
    }
}

fn number(reader: &mut Reader<'_>) -> Result<u64, ContainerProblem> {
    let number = reader.u64()?;
    if number > LARGEST { Err(ContainerProblem::Number) } else { Ok(number) }
}

/// Splits the first of several containers off: feeds send deltas one after the other.
///
/// Lengths are read and nothing is believed: whoever applies the first verifies it.
///
/// # Errors
/// Bytes that do not begin with a whole container.
pub fn split_first(containers: &[u8]) -> Result<(&[u8], &[u8]), ContainerProblem> {
    let header = Header::total_bytes(containers)?;
    let body = Header::read(containers)?.body_bytes;
    let body = usize::try_from(body).map_err(|_| ContainerProblem::TooLarge)?;
    let length = header.checked_add(body).ok_or(ContainerProblem::TooLarge)?;
    containers.split_at_checked(length).ok_or(ContainerProblem::Truncated)
}

/// Chunks of a body: none of an empty one.
pub(super) const fn chunks(body_bytes: u64) -> u64 {
    body_bytes.div_ceil(limits::CHUNK_BYTES)
}

/// The bytes that were signed, and the signature; what follows is not looked at.
pub(super) fn split_signature(container: &[u8]) -> Result<(&[u8], &[u8]), ContainerProblem> {
    let total = Header::total_bytes(container)?;
    let signed = container.get(..total).ok_or(ContainerProblem::Truncated)?;
    let header = total.saturating_sub(SIGNATURE_BYTES);
    signed.split_at_checked(header).ok_or(ContainerProblem::Truncated)
}

/// The first bytes of every container.
pub(super) const MAGIC: [u8; 8] = *b"MANDATE\0";

/// The version of the format.
pub(super) const VERSION: u16 = 1;

pub(super) const KIND_SNAPSHOT: u8 = 1;
pub(super) const KIND_DELTA: u8 = 2;
pub(super) const FLAG_RAW: u8 = 1;

/// Bytes of an Ed25519 signature.
pub(super) const SIGNATURE_BYTES: usize = 64;

/// What is signed is this text followed by the header, so that a signature over a container can
/// never be one over something else.
pub(super) const DOMAIN: &[u8] = b"mandate container, version 1\0";
