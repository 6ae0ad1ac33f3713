//! SHA-256, in hexadecimal.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

/// Digest of bytes.
pub(crate) fn bytes(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Digest of text.
pub(crate) fn text(text: &str) -> String {
    bytes(text.as_bytes())
}

/// Digest of a file.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn file(path: &Path) -> anyhow::Result<String> {
    let content =
        std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(bytes(&content))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_digest_of_nothing_is_the_known_one() {
        assert_eq!(
            super::text(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
