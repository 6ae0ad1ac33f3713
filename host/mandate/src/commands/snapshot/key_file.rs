//! Keys as files: the private one that signs, public ones that are pinned.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use mandate_authz::container::{PinnedKey, SecretProblem, SigningKey};
use mandate_authz::limits;

use crate::commands::input_file;
use crate::output;

/// The option that names the key that signs.
#[derive(Args, Clone, Debug)]
pub(crate) struct PrivateKeyOption {
    /// The private key that signs: `snapshot keygen`, or an Ed25519 key as PKCS#8 (PEM or DER).
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl PrivateKeyOption {
    pub(crate) fn read(&self) -> anyhow::Result<SigningKey> {
        read_signing_key(&self.key)
    }
}

/// The option that pins public keys.
#[derive(Args, Clone, Debug)]
pub(crate) struct PinnedKeyOption {
    /// Public key (JWK) that may have signed; twice while keys rotate.
    #[arg(long, value_name = "PUBLIC", required = true)]
    key: Vec<PathBuf>,
}

impl PinnedKeyOption {
    pub(crate) fn read(&self) -> anyhow::Result<PinnedKeys> {
        PinnedKeys::read(&self.key)
    }
}

/// Keys that may have signed.
#[derive(Debug)]
pub(crate) struct PinnedKeys {
    pub(crate) keys: Vec<PinnedKey>,
    /// As JWKs, for a configuration.
    pub(crate) texts: Vec<String>,
}

impl PinnedKeys {
    /// Reads the files of public keys.
    ///
    /// # Errors
    /// More than two files, or the first that is no public Ed25519 key.
    pub(crate) fn read(paths: &[PathBuf]) -> anyhow::Result<Self> {
        ensure!(
            paths.len() <= limits::PINNED_KEYS,
            "`--key`: at most {} keys are pinned",
            limits::PINNED_KEYS
        );
        let (mut keys, mut texts) = (Vec::new(), Vec::new());
        for path in paths {
            let text = input_file::read_text("key", path)?;
            let key = PinnedKey::parse(text.trim());
            keys.push(key.map_err(|problem| anyhow!("key `{}`: {problem}", path.display()))?);
            texts.push(text);
        }
        Ok(Self { keys, texts })
    }

    /// The public half of a key that signs.
    pub(crate) fn of(signing: &SigningKey) -> anyhow::Result<Self> {
        let text = signing.to_public_jwk();
        Ok(Self { keys: vec![PinnedKey::parse(&text)?], texts: vec![text] })
    }
}

/// Reads a private key: a private JWK, or PKCS#8 in PEM or DER. Nothing of it is ever shown.
pub(crate) fn read_signing_key(path: &Path) -> anyhow::Result<SigningKey> {
    let bytes = input_file::read("key", path)?;
    warn_if_readable_by_others(path);
    let parsed = match str::from_utf8(&bytes) {
        Ok(text) if text.trim_start().starts_with('{') => SigningKey::from_jwk(text),
        Ok(text) if text.contains(BEGIN) => {
            der(text).ok_or(SecretProblem::Malformed).and_then(|der| SigningKey::from_pkcs8(&der))
        }
        Ok(_) | Err(_) => SigningKey::from_pkcs8(&bytes),
    };
    parsed.map_err(|problem| anyhow!("key `{}`: {problem}", path.display()))
}

fn der(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    let base64: String = body.split_whitespace().collect();
    STANDARD.decode(base64).ok()
}

#[cfg(unix)]
fn warn_if_readable_by_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    const OTHERS: u32 = 0o077;
    let mode = std::fs::metadata(path).map(|file| file.permissions().mode());
    if mode.is_ok_and(|mode| mode & OTHERS != 0) {
        output::warn(&format!("key `{}` can be read by others: `chmod 600` it", path.display()));
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_: &Path) {}

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
