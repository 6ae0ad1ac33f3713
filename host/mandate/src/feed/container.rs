//! A container that may be served.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mandate_authz::container::{ContainerProblem, Kind, PinnedKey, Position, Statement, open};
use sha2::{Digest as _, Sha256};

/// A snapshot, delta or heartbeat that a pinned key has signed.
#[derive(Clone)]
pub struct Container {
    bytes: Arc<[u8]>,
    statement: Statement,
    etag: String,
}

/// Why a container is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// It is no container, or not one of a pinned key.
    Container(ContainerProblem),
    /// It belongs to somebody else.
    Elsewhere {
        /// The deployment.
        deployment: String,
        /// The slice.
        slice: String,
    },
    /// Another delta follows on the same position: neither is served.
    Fork {
        /// The position.
        from: Position,
    },
}

impl Container {
    /// Takes a container that one of the keys has signed.
    ///
    /// # Errors
    /// Why nobody vouches for it.
    pub fn verify(bytes: Vec<u8>, keys: &[PinnedKey]) -> Result<Self, Rejected> {
        let (header, _) = open(&bytes, keys).map_err(Rejected::Container)?;
        let statement = header.header().statement.clone();
        let digest = Sha256::digest(&bytes);
        // 16 bytes: nobody chooses files to collide here, and signatures protect what is loaded.
        let tag = digest.get(..16).unwrap_or_default();
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(tag));
        Ok(Self { bytes: bytes.into(), statement, etag })
    }

    /// The container as it was signed.
    #[must_use]
    pub fn bytes(&self) -> Arc<[u8]> {
        Arc::clone(&self.bytes)
    }

    /// What is signed about it.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Where a state stands once it is in force.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.statement.position
    }

    /// The strong entity tag of the bytes.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// Whether it is a whole snapshot.
    #[must_use]
    pub const fn is_snapshot(&self) -> bool {
        matches!(self.statement.kind, Kind::Snapshot)
    }

    /// The epoch that a delta follows on.
    #[must_use]
    pub const fn from(&self) -> Option<Position> {
        match self.statement.kind {
            Kind::Delta { from, .. } => Some(Position::new(self.statement.position.era, from)),
            Kind::Snapshot => None,
        }
    }

    /// Whether it only says how recent everything is.
    #[must_use]
    pub fn is_heartbeat(&self) -> bool {
        self.from() == Some(self.position())
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Container")
            .field("statement", &self.statement)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(problem) => problem.fmt(formatter),
            Self::Elsewhere { deployment, slice } => write!(
                formatter,
                "it belongs to deployment `{deployment}`, slice `{slice}`, unlike the newest \
                 snapshot"
            ),
            Self::Fork { from } => {
                write!(formatter, "another delta follows on {from}: neither is served")
            }
        }
    }
}

impl std::error::Error for Rejected {}
