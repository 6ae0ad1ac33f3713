//! A client certificate as a file: its SHA-256 over DER, as `cnf` states it.

use std::path::Path;

use anyhow::{anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::commands::input_file;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// SHA-256 of the certificate in a PEM or DER file; of the first, in PEM (RFC 8705 section 3.1).
pub(super) fn thumbprint(path: &Path) -> anyhow::Result<[u8; 32]> {
    let bytes = input_file::read("certificate", path)?;
    let der =
        der(bytes).map_err(|problem| anyhow!("certificate `{}` {problem}", path.display()))?;
    Ok(Sha256::digest(der).into())
}

fn der(bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    // X.690: a SEQUENCE with a length of two bytes, which every certificate has.
    if bytes.starts_with(&[0x30, 0x82]) {
        return Ok(bytes);
    }
    let text = String::from_utf8(bytes).unwrap_or_default();
    let Some((_, rest)) = text.split_once(BEGIN) else { bail!("is neither PEM nor DER") };
    let Some((body, _)) = rest.split_once(END) else { bail!("has no `{END}`") };
    let base64: String =
        body.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    STANDARD.decode(base64).map_err(|_| anyhow!("holds no base64 between its PEM lines"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_and_der_are_the_same_certificate() {
        let binary = vec![0x30, 0x82, 0, 1, 2];
        let pem = format!("x\n{BEGIN}\nMIIA\r\nAQI=\n{END}\n");
        assert_eq!(der(binary.clone()).unwrap(), binary);
        assert_eq!(der(pem.into_bytes()).unwrap(), binary);
    }

    #[test]
    fn anything_else_is_refused() {
        let problem = |text: &str| der(text.as_bytes().to_vec()).unwrap_err().to_string();
        assert_eq!(problem("hello"), "is neither PEM nor DER");
        assert_eq!(problem(BEGIN), "has no `-----END CERTIFICATE-----`");
        assert_eq!(problem(&format!("{BEGIN}\n*\n{END}")), "holds no base64 between its PEM lines");
    }
}
