//! Which module is meant.

use clap::Args;
use mandate_host::Sha256Digest;

use crate::plugin;

/// The option that says which module was reviewed.
#[derive(Args, Clone, Debug)]
pub(super) struct ModuleDigestOption {
    /// SHA-256 that the module must have. Default: that of the filter this binary was built with.
    #[arg(long, value_name = "SHA256")]
    module_digest: Option<Sha256Digest>,
}

impl ModuleDigestOption {
    /// The digest, if one is known.
    pub(super) fn expected(&self) -> Option<Sha256Digest> {
        self.module_digest.or_else(plugin::filter_digest)
    }
}
