//! Why a plugin was not loaded.

use std::path::PathBuf;
use std::{fmt, io};

use crate::digest::Sha256Digest;
use crate::limits::LimitsError;

/// A plugin was refused. Nothing of it has answered anything.
#[derive(Debug)]
#[non_exhaustive]
pub enum PluginError {
    /// The cache directory could be written by others, or could not be made.
    CacheDirectory {
        /// The directory as configured.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is not valid WebAssembly, or not of the kind that was asked for.
    Compile(String),
    /// The plugin speaks a contract or an ABI that this host does not know.
    Contract {
        /// What the plugin states.
        stated: String,
        /// What this host knows.
        known: String,
    },
    /// The plugin could not say what it is.
    Describe(String),
    /// The file is another than the one that was reviewed.
    Digest {
        /// The configured digest.
        expected: Sha256Digest,
        /// The file's digest.
        actual: Sha256Digest,
    },
    /// The plugin asks its host for something. A decision takes nothing but its arguments.
    Imports(Vec<String>),
    /// A limit is too small, or larger than what the engine has reserved.
    Limits(LimitsError),
    /// The engine's settings contradict each other.
    Options(String),
    /// The file could not be read.
    Read {
        /// The plugin's file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The thread that bounds the plugin's time could not be started.
    Ticker(io::Error),
    /// The file is larger than any plugin, in bytes.
    TooLarge(u64),
    /// The plugin does not export the world that this host was built for.
    World(String),
}

impl fmt::Display for PluginError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CacheDirectory { path, reason } => {
                write!(formatter, "cache directory `{}`: {reason}", path.display())
            }
            Self::Compile(reason) => write!(formatter, "plugin does not compile: {reason}"),
            Self::Contract { stated, known } => {
                write!(formatter, "plugin speaks {stated}, this host knows {known}")
            }
            Self::Describe(reason) => write!(formatter, "plugin cannot describe itself: {reason}"),
            Self::Digest { expected, actual } => {
                write!(formatter, "plugin digest is {actual}, expected {expected}")
            }
            Self::Imports(names) => {
                write!(formatter, "plugin must have no imports, has `{}`", names.join("`, `"))
            }
            Self::Limits(error) => error.fmt(formatter),
            Self::Options(reason) => write!(formatter, "plugin options: {reason}"),
            Self::Read { path, error } => {
                write!(formatter, "plugin file `{}`: {error}", path.display())
            }
            Self::Ticker(error) => write!(formatter, "epoch ticker does not start: {error}"),
            Self::TooLarge(limit) => write!(formatter, "plugin is larger than {limit} bytes"),
            Self::World(reason) => {
                write!(formatter, "plugin does not export the world `policy`: {reason}")
            }
        }
    }
}

impl std::error::Error for PluginError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { error, .. } | Self::Ticker(error) => Some(error),
            Self::Limits(error) => Some(error),
            Self::CacheDirectory { .. }
            | Self::Compile(_)
            | Self::Contract { .. }
            | Self::Describe(_)
            | Self::Digest { .. }
            | Self::Imports(_)
            | Self::Options(_)
            | Self::TooLarge(_)
            | Self::World(_) => None,
        }
    }
}

impl From<LimitsError> for PluginError {
    fn from(error: LimitsError) -> Self {
        Self::Limits(error)
    }
}
