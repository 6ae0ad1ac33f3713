//! Why bytes are no container, or not one to be believed.

use std::fmt;

use super::bytes::BytesProblem;
use super::key::KeyId;

/// Why bytes are no container, or not one to be believed. Whatever it is, nothing of them was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerProblem {
    /// The header states another chunk size than 1 MiB.
    ChunkSize,
    /// A chunk of the body is not the one whose digest was signed.
    Digest {
        /// Its number, from 0.
        chunk: u32,
    },
    /// Epochs that are not in order, or a change without a new epoch.
    Epochs,
    /// A flag that this version does not know.
    Flags,
    /// No pinned key has this id.
    KeyUnknown {
        /// The id that the header names.
        key: KeyId,
    },
    /// Neither a snapshot nor a delta.
    Kind,
    /// The header's stated lengths contradict its bytes, or one another.
    Length,
    /// The first bytes are not a container's.
    Magic,
    /// The deployment or slice is empty, too long, or no plain text.
    Name,
    /// An era, an epoch or a time is above 2^53 - 1.
    Number,
    /// The signature does not verify under the key that the header names.
    Signature,
    /// The body or the header is larger than the limit.
    TooLarge,
    /// Bytes after the end.
    Trailing,
    /// The bytes end too early.
    Truncated,
    /// Another version of the format.
    Version {
        /// The stated version.
        version: u16,
    },
}

impl From<BytesProblem> for ContainerProblem {
    fn from(problem: BytesProblem) -> Self {
        match problem {
            BytesProblem::Truncated => Self::Truncated,
            BytesProblem::Utf8 => Self::Name,
        }
    }
}

impl fmt::Display for ContainerProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::ChunkSize => "the chunk size is not 1 MiB",
            Self::Digest { chunk } => {
                return write!(formatter, "chunk {chunk} is not the one that was signed");
            }
            Self::Epochs => "the epochs are out of order",
            Self::Flags => "a flag is unknown",
            Self::KeyUnknown { key } => {
                return write!(formatter, "the signing key `{key}` is not pinned");
            }
            Self::Kind => "the kind is neither snapshot nor delta",
            Self::Length => "the lengths in the header contradict one another",
            Self::Magic => "this is no snapshot or delta",
            Self::Name => "the deployment or slice is not 1 to 128 bytes of plain text",
            Self::Number => "a number is above 2^53 - 1",
            Self::Signature => "the signature does not verify",
            Self::TooLarge => "it is larger than the limit",
            Self::Trailing => "bytes follow after the end",
            Self::Truncated => "the bytes end too early",
            Self::Version { version } => {
                return write!(formatter, "this build reads format version 1, not {version}");
            }
        };
        formatter.write_str(text)
    }
}

impl std::error::Error for ContainerProblem {}
