//! A published, endless byte stream: what the test keys are made of.

use rsa::rand_core::{CryptoRng, Error, RngCore, impls};
use sha2::{Digest, Sha256};

/// Bytes that follow from words: block `i` is SHA-256(SHA-256(words) || i as 8 bytes, big endian).
///
/// Plain enough to be written again in any language; secret it is not.
#[derive(Debug, Clone)]
pub struct SeedStream {
    seed: [u8; 32],
    next_block: u64,
    buffer: Vec<u8>,
}

impl SeedStream {
    /// The stream of these words.
    #[must_use]
    pub fn new(words: &str) -> Self {
        Self { seed: Sha256::digest(words).into(), next_block: 0, buffer: Vec::new() }
    }

    /// The next `length` bytes.
    #[must_use]
    pub fn take(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            let block =
                Sha256::new_with_prefix(self.seed).chain_update(self.next_block.to_be_bytes());
            self.buffer.extend_from_slice(&block.finalize());
            self.next_block = self.next_block.wrapping_add(1);
        }
        let rest = self.buffer.split_off(length);
        std::mem::replace(&mut self.buffer, rest)
    }
}

impl RngCore for SeedStream {
    fn next_u32(&mut self) -> u32 {
        impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, destination: &mut [u8]) {
        let bytes = self.take(destination.len());
        destination.copy_from_slice(&bytes);
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(destination);
        Ok(())
    }
}

// The signing functions ask for this marker. It holds for test keys only: see the module's text.
impl CryptoRng for SeedStream {}

#[cfg(test)]
mod tests {
    use super::SeedStream;

    #[test]
    fn the_stream_does_not_depend_on_how_it_is_cut() {
        let whole = SeedStream::new("words").take(100);
        let mut cut = SeedStream::new("words");
        let parts = [cut.take(1), cut.take(63), cut.take(36)].concat();
        assert_eq!(whole, parts);
        assert_ne!(whole, SeedStream::new("other words").take(100));
    }
}
