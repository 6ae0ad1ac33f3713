//! Signature verification behind one trait: keys are prepared once and verify many times.
//!
//! A backend may spend time on a key (tables, a context of the host) because key sets change rarely
//! and tokens come often. Verification handles public data only.

mod ring;

use std::fmt::Debug;

use crate::algorithm::Algorithm;
use crate::key::{KeyUnfit, PublicKey};

pub use self::ring::RingBackend;

/// Prepares keys.
pub trait SignatureBackend: Debug + Send + Sync {
    /// Prepares a key for verification.
    ///
    /// # Errors
    /// The reason for which the backend cannot verify with this key.
    fn prepare(&self, key: &PublicKey) -> Result<Box<dyn VerifyingKey>, KeyUnfit>;
}

/// A prepared key.
pub trait VerifyingKey: Debug + Send + Sync {
    /// Verifies a signature over a message: for ECDSA the fixed-length `r || s` of RFC 7518 section
    /// 3.4.
    ///
    /// # Errors
    /// [`SignatureInvalid`] also when the algorithm is not one of the key's.
    fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureInvalid>;
}

/// The signature does not verify. It says no more: details would help only who forges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureInvalid;
