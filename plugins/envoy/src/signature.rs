//! Signatures that Envoy verifies: fifteen times faster than the module itself.
//!
//! Envoy's `verify_signature` is used for an algorithm only after it has verified a known signature
//! and refused wrong ones. Everything else is left to ring in the module: EdDSA and RSASSA-PSS, which
//! Envoy refuses, and whatever the host does not answer.

mod der;
mod known;

use std::fmt::Debug;
use std::sync::Arc;

use mandate_authn::{
    Algorithm, KeyUnfit, PublicKey, RingBackend, SignatureBackend, SignatureInvalid, VerifyingKey,
};

use crate::host::HostProblem;

/// The foreign function `verify_signature`, as bytes in and out.
pub(crate) trait VerifySignature: Debug + Send + Sync {
    /// Calls it.
    fn call(&self, arguments: &[u8]) -> Result<Vec<u8>, HostProblem>;
}

/// Verifies in the host what the host has shown that it can verify.
#[derive(Clone, Debug)]
pub(crate) struct ForeignBackend {
    host: Arc<dyn VerifySignature>,
    trusted: Vec<Algorithm>,
}

impl ForeignBackend {
    /// Tests the host.
    pub(crate) fn tested(host: Arc<dyn VerifySignature>) -> Self {
        let trusted = Algorithm::ALL.into_iter().filter(|one| passes(&*host, *one)).collect();
        Self { host, trusted }
    }

    /// The algorithms that the host verifies.
    pub(crate) fn trusted(&self) -> &[Algorithm] {
        &self.trusted
    }
}

impl SignatureBackend for ForeignBackend {
    fn prepare(&self, key: &PublicKey) -> Result<Box<dyn VerifyingKey>, KeyUnfit> {
        let own = RingBackend.prepare(key)?;
        match der::public_key(key) {
            None => Ok(own),
            Some(der) => Ok(Box::new(Key { backend: self.clone(), der, own })),
        }
    }
}

#[derive(Debug)]
struct Key {
    backend: ForeignBackend,
    /// SubjectPublicKeyInfo.
    der: Vec<u8>,
    own: Box<dyn VerifyingKey>,
}

impl VerifyingKey for Key {
    fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureInvalid> {
        let ForeignBackend { host, trusted } = &self.backend;
        if !trusted.contains(&algorithm) {
            return self.own.verify(algorithm, message, signature);
        }
        match ask(&**host, algorithm, &self.der, message, signature) {
            Some(true) => Ok(()),
            Some(false) => Err(SignatureInvalid),
            // The host says nothing any more: the module still can.
            None => self.own.verify(algorithm, message, signature),
        }
    }
}

/// Whether the host verifies the known signature of an algorithm, and refuses the same one over
/// another text, another one over the same text, and the same one under another hash.
fn passes(host: &dyn VerifySignature, algorithm: Algorithm) -> bool {
    let Some((key, signature)) = known::of(algorithm) else { return false };
    let Some(der) = der::public_key(&key) else { return false };
    let mut wrong = signature.clone();
    if let Some(last) = wrong.last_mut() {
        *last ^= 1;
    }
    let asked =
        |algorithm, text: &[u8], signature: &[u8]| ask(host, algorithm, &der, text, signature);
    asked(algorithm, known::TEXT, &signature) == Some(true)
        && asked(algorithm, b"Sample", &signature) == Some(false)
        && asked(algorithm, known::TEXT, &wrong) == Some(false)
        && asked(other_hash(algorithm), known::TEXT, &signature) == Some(false)
}

/// An algorithm of the same kind of key and another hash.
const fn other_hash(algorithm: Algorithm) -> Algorithm {
    match algorithm {
        Algorithm::Es256 => Algorithm::Es384,
        Algorithm::Es384 => Algorithm::Es256,
        Algorithm::Rs256 => Algorithm::Rs512,
        Algorithm::Rs384 | Algorithm::Rs512 => Algorithm::Rs256,
        // Never asked of the host.
        Algorithm::EdDsa | Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => algorithm,
    }
}

/// What the host says, by Envoy's `VerifySignatureArguments`: `hash_function`, `public_key`,
/// `signature`, `text`, by their numbers. `None` where it gives no answer that can be read.
fn ask(
    host: &dyn VerifySignature,
    algorithm: Algorithm,
    der: &[u8],
    text: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let (hash, signature) = match algorithm {
        Algorithm::Es256 => ("sha256", der::ecdsa_signature(signature)),
        Algorithm::Es384 => ("sha384", der::ecdsa_signature(signature)),
        Algorithm::Rs256 => ("sha256", Some(signature.to_vec())),
        Algorithm::Rs384 => ("sha384", Some(signature.to_vec())),
        Algorithm::Rs512 => ("sha512", Some(signature.to_vec())),
        Algorithm::EdDsa | Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => return None,
    };
    // A signature that has no DER form is none, whoever is asked.
    let Some(signature) = signature else { return Some(false) };
    let mut arguments =
        Vec::with_capacity(der.len().saturating_add(text.len()).saturating_add(600));
    for (number, value) in [(1, hash.as_bytes()), (2, der), (3, &signature), (4, text)] {
        write_member(&mut arguments, number, value)?;
    }
    verdict(&host.call(&arguments).ok()?)
}

/// One member of a protobuf message: bytes.
fn write_member(message: &mut Vec<u8>, number: u8, value: &[u8]) -> Option<()> {
    const LENGTH_DELIMITED: u8 = 2;
    message.push(number.checked_shl(3)? | LENGTH_DELIMITED);
    let mut length = u32::try_from(value.len()).ok()?;
    while length >= 0x80 {
        message.push(u8::try_from(length & 0x7f).ok()? | 0x80);
        length >>= 7;
    }
    message.push(u8::try_from(length).ok()?);
    message.extend(value);
    Some(())
}

/// Reads `VerifySignatureResult`: `true` is its first member and 1; everything else is no.
///
/// `result` false is left out, as protobuf does; what follows it is an error's text.
fn verdict(result: &[u8]) -> Option<bool> {
    const RESULT: u8 = 1 << 3;
    const ERROR: u8 = 2 << 3 | 2;
    match result {
        [RESULT, 1] => Some(true),
        [] | [RESULT, 0, ..] | [ERROR, ..] => Some(false),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests")]
mod tests;
