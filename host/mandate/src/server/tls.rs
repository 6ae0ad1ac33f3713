//! TLS of the listener: rustls over ring.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, ensure};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::settings::TlsSettings;

/// Reads certificate, key and authorities.
///
/// # Errors
/// One line that names the member and the file.
pub(super) fn configure(place: &str, settings: &TlsSettings) -> anyhow::Result<Arc<ServerConfig>> {
    let chain = certificates(&format!("{place}.certificate"), &settings.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&settings.key);
    // The error of the reader may hold a piece of the key.
    let key =
        key.map_err(|_| anyhow!("`{place}.key` `{}`: no PEM private key", settings.key.display()))?;
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?;
    let builder = match &settings.client_authorities {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(&format!("{place}.client_authorities"), path)? {
                roots.add(certificate).with_context(|| {
                    format!("`{place}.client_authorities` `{}`", path.display())
                })?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build()
                .with_context(|| format!("`{place}.client_authorities`"))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| {
        if matches!(error, rustls::Error::InconsistentKeys(_)) {
            return anyhow!("`{place}.key` `{}`: is not the certificate's", settings.key.display());
        }
        anyhow!("`{place}.certificate` `{}`: {error}", settings.certificate.display())
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(member: &str, path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let refuse = |problem: String| anyhow!("`{member}` `{}`: {problem}", path.display());
    let read = CertificateDer::pem_file_iter(path).map_err(|error| refuse(error.to_string()))?;
    let certificates: Result<Vec<_>, _> = read.collect();
    let certificates = certificates.map_err(|error| refuse(error.to_string()))?;
    ensure!(!certificates.is_empty(), refuse("no certificate in it".to_owned()));
    Ok(certificates)
}
