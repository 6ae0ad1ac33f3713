//! What a plugin says about itself.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::bindings::info;
use crate::plugin_error::PluginError;

/// Identity of a plugin build: which contract it implements, and what it was built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Build {
    /// The token-validation contract that the plugin implements.
    pub contract_version: ContractVersion,
    /// The C-like core ABI of the same module.
    pub abi_version: u32,
    /// SHA-256, lower-case hex, over the sources. Empty when the builder did not state it.
    pub source_digest: String,
    /// SHA-256, lower-case hex, over the tools that built it. Empty when the builder did not state
    /// it.
    pub toolchain_digest: String,
    /// Room for growth: names that the embedder does not know are to be ignored.
    #[serde(skip)]
    pub extra: Vec<(String, String)>,
}

impl Build {
    /// Refuses a build whose contract or ABI this host was not written for.
    pub(crate) fn check(&self) -> Result<(), PluginError> {
        if self.contract_version.major == CONTRACT_MAJOR && self.abi_version == ABI_VERSION {
            return Ok(());
        }
        Err(PluginError::Contract {
            stated: format!("contract {} and ABI {}", self.contract_version, self.abi_version),
            known: format!("contract {CONTRACT_MAJOR}.x and ABI {ABI_VERSION}"),
        })
    }
}

impl From<info::Build> for Build {
    fn from(build: info::Build) -> Self {
        let (major, minor, patch) = build.contract_version;
        Self {
            contract_version: ContractVersion { major, minor, patch },
            abi_version: build.abi_version,
            source_digest: build.source_digest,
            toolchain_digest: build.toolchain_digest,
            extra: build.extra,
        }
    }
}

/// Version of the contract, written `major.minor.patch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContractVersion {
    /// Raised when a decision changes.
    pub major: u32,
    /// Raised when something is added.
    pub minor: u32,
    /// Raised when something is clarified.
    pub patch: u32,
}

impl fmt::Display for ContractVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Serialize for ContractVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The contract that this host knows.
const CONTRACT_MAJOR: u32 = 1;
/// The core ABI that this host knows.
pub(crate) const ABI_VERSION: u32 = 1;
