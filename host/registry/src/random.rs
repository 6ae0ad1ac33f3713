//! Randomness: the one seam to the system's source.

use std::fmt;

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::error::RegistryError;

/// A source of bytes that nobody can guess.
pub trait Randomness: fmt::Debug + Send {
    /// Fills a buffer.
    ///
    /// # Errors
    /// [`RegistryError::Randomness`] when the source gives none.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RegistryError>;
}

/// The system's.
#[derive(Clone, Debug)]
pub struct SystemRandomness(SystemRandom);

impl SystemRandomness {
    /// The system's source.
    #[must_use]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemRandomness {
    fn default() -> Self {
        Self::new()
    }
}

impl Randomness for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RegistryError> {
        self.0.fill(bytes).map_err(|_| RegistryError::Randomness)
    }
}
