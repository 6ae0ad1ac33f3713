//! Verification: the one way from bytes to a header and a body that are to be believed.

use ring::digest::{self, Context, SHA512_256};

use super::header::{DOMAIN, Header, split_signature};
use super::key::{KeyId, PinnedKey};
use super::problem::ContainerProblem;
use crate::limits;

/// A header that a pinned key has signed. Only verification makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHeader {
    header: Header,
}

impl VerifiedHeader {
    /// Verifies a header with its signature: exactly the first
    /// [`Header::total_bytes`] of a container.
    ///
    /// Of bytes that are not verified yet, only lengths and the key's id are read.
    ///
    /// # Errors
    /// What is wrong with the header, its key or its signature; [`ContainerProblem::Trailing`] for
    /// bytes after it.
    pub fn verify(bytes: &[u8], keys: &[PinnedKey]) -> Result<Self, ContainerProblem> {
        let (header, signature) = split_signature(bytes)?;
        if header.len().checked_add(signature.len()) != Some(bytes.len()) {
            return Err(ContainerProblem::Trailing);
        }
        let key = header.get(KEY_START..).and_then(|from| from.first_chunk::<32>());
        let key = KeyId::from_bytes(*key.ok_or(ContainerProblem::Truncated)?);
        let pinned = keys.iter().find(|pinned| pinned.id() == key);
        let pinned = pinned.ok_or(ContainerProblem::KeyUnknown { key })?;
        pinned.verify(&[DOMAIN, header].concat(), signature)?;
        Ok(Self { header: Header::decode(header)? })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }
}

/// Verifies a whole container in memory and borrows its body.
///
/// # Errors
/// The first thing in which it is not a container that one of the keys has signed.
pub fn open<'b>(
    container: &'b [u8],
    keys: &[PinnedKey],
) -> Result<(VerifiedHeader, &'b [u8]), ContainerProblem> {
    let total = Header::total_bytes(container)?;
    let parts = container.split_at_checked(total).ok_or(ContainerProblem::Truncated)?;
    let verified = VerifiedHeader::verify(parts.0, keys)?;
    let header = verified.header();
    let length = usize::try_from(header.body_bytes).map_err(|_| ContainerProblem::TooLarge)?;
    let body = match parts.1.len() {
        present if present < length => return Err(ContainerProblem::Truncated),
        present if present > length => return Err(ContainerProblem::Trailing),
        _ => parts.1,
    };
    for (chunk, (bytes, expected)) in body.chunks(CHUNK).zip(&header.digests).enumerate() {
        check_digest(digest::digest(&SHA512_256, bytes), expected, chunk)?;
    }
    Ok((verified, body))
}

/// A body that arrives in pieces; each chunk is checked as soon as it is whole.
#[derive(Clone)]
pub(crate) struct ArrivingBody {
    body: Vec<u8>,
    /// The chunk that is arriving.
    chunk: Context,
    /// Whole chunks that were checked.
    checked: usize,
}

impl ArrivingBody {
    /// Room for the body that a header announces.
    ///
    /// # Errors
    /// The bytes that could not be had: too little memory is an answer, not a crash.
    pub(crate) fn reserve(header: &VerifiedHeader) -> Result<Self, u64> {
        let bytes = header.header().body_bytes;
        let mut body = Vec::new();
        let length = usize::try_from(bytes).map_err(|_| bytes)?;
        body.try_reserve_exact(length).map_err(|_| bytes)?;
        Ok(Self::of(body))
    }

    /// The same for a body that replaces others: in `spare` if that fits, and with some room for the
    /// ones after it, which will be a little longer.
    ///
    /// # Errors
    /// As [`ArrivingBody::reserve`].
    pub(crate) fn reserve_again(header: &VerifiedHeader, mut spare: Vec<u8>) -> Result<Self, u64> {
        let length = usize::try_from(header.header().body_bytes).unwrap_or(usize::MAX);
        let fits = length..=length.saturating_mul(2);
        if fits.contains(&spare.capacity()) {
            spare.clear();
            return Ok(Self::of(spare));
        }
        drop(spare);
        let mut body = Vec::new();
        match body.try_reserve_exact(length.saturating_add(length / 16)) {
            Ok(()) => Ok(Self::of(body)),
            Err(_) => Self::reserve(header),
        }
    }

    fn of(body: Vec<u8>) -> Self {
        Self { body, chunk: Context::new(&SHA512_256), checked: 0 }
    }

    /// Takes the next bytes of the body, at most 1 MiB, whether or not they end with a chunk.
    ///
    /// # Errors
    /// [`ContainerProblem::TooLarge`], [`ContainerProblem::Trailing`] or
    /// [`ContainerProblem::Digest`]; then nothing that came before is of use either.
    pub(crate) fn push(
        &mut self,
        mut piece: &[u8],
        header: &VerifiedHeader,
    ) -> Result<(), ContainerProblem> {
        let header = header.header();
        // One digest over one chunk is the work that a caller may expect of one step.
        if piece.len() > CHUNK {
            return Err(ContainerProblem::TooLarge);
        }
        let length = usize::try_from(header.body_bytes).map_err(|_| ContainerProblem::TooLarge)?;
        if piece.len() > length.saturating_sub(self.body.len()) {
            return Err(ContainerProblem::Trailing);
        }
        while !piece.is_empty() {
            let end = self.checked.saturating_add(1).saturating_mul(CHUNK).min(length);
            let missing = end.saturating_sub(self.body.len()).min(piece.len());
            let (part, rest) =
                piece.split_at_checked(missing).ok_or(ContainerProblem::Truncated)?;
            self.chunk.update(part);
            self.body.extend_from_slice(part);
            if self.body.len() == end {
                self.finish_chunk(header)?;
            }
            piece = rest;
        }
        Ok(())
    }

    fn finish_chunk(&mut self, header: &Header) -> Result<(), ContainerProblem> {
        let chunk = std::mem::replace(&mut self.chunk, Context::new(&SHA512_256));
        let expected = header.digests.get(self.checked).ok_or(ContainerProblem::Trailing)?;
        check_digest(chunk.finish(), expected, self.checked)?;
        self.checked = self.checked.saturating_add(1);
        Ok(())
    }

    /// The body, once every chunk of it was checked.
    ///
    /// # Errors
    /// [`ContainerProblem::Truncated`] while bytes are missing.
    pub(crate) fn finish(self, header: &VerifiedHeader) -> Result<Vec<u8>, ContainerProblem> {
        let header = header.header();
        let whole = usize::try_from(header.body_bytes) == Ok(self.body.len());
        if whole && self.checked == header.digests.len() {
            Ok(self.body)
        } else {
            Err(ContainerProblem::Truncated)
        }
    }
}

impl std::fmt::Debug for ArrivingBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ArrivingBody").field("bytes", &self.body.len()).finish()
    }
}

fn check_digest(
    found: digest::Digest,
    expected: &[u8; 32],
    chunk: usize,
) -> Result<(), ContainerProblem> {
    if found.as_ref() == expected {
        return Ok(());
    }
    Err(ContainerProblem::Digest { chunk: u32::try_from(chunk).unwrap_or(u32::MAX) })
}

/// [`limits::CHUNK_BYTES`], as a length in memory.
const CHUNK: usize = 1024 * 1024;
const _: () = assert!(limits::CHUNK_BYTES == 1024 * 1024);

/// Where the key's id stands in a header.
const KEY_START: usize = 16;
