//! The member `serve.ext_authz`.

use std::path::PathBuf;

use anyhow::{bail, ensure};
use mandate_host::Sha256Digest;
use serde::Deserialize;

use crate::feed::ListenAddress;
use crate::server::settings::{TlsSettings, address};

/// Where proxies ask, which ones, and what is believed of what they say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtAuthzSettings {
    /// `ADDRESS:PORT`, or `unix:/PATH`.
    #[serde(deserialize_with = "address")]
    pub listen: ListenAddress,
    /// Certificate, key, and authorities of client certificates; without it only loopback and Unix
    /// sockets are listened at.
    pub tls: Option<TlsSettings>,
    /// SHA-256, in hexadecimal, of the certificates of the proxies: with `tls`, at least one.
    #[serde(default)]
    pub proxies: Vec<String>,
    /// Whether `source.address` is the peer's address.
    #[serde(default)]
    pub peer_address: bool,
    /// Whether `source.certificate` is one that the proxy has verified.
    #[serde(default)]
    pub client_certificate: bool,
}

impl ExtAuthzSettings {
    /// The files that it names.
    pub(in crate::server) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.tls.iter_mut().flat_map(TlsSettings::paths)
    }

    /// Refuses what anybody could ask.
    pub(in crate::server) fn check(&self) -> anyhow::Result<()> {
        let Some(tls) = &self.tls else {
            if self.listen.is_exposed() {
                bail!("`serve.ext_authz.tls`: is missing, and {} is not loopback", self.listen);
            }
            ensure!(
                self.proxies.is_empty(),
                "`serve.ext_authz.proxies`: nobody has a certificate without `tls`"
            );
            return Ok(());
        };
        ensure!(
            tls.client_authorities.is_some(),
            "`serve.ext_authz.tls.client_authorities`: is missing: proxies come with a certificate"
        );
        ensure!(
            !self.proxies.is_empty(),
            "`serve.ext_authz.proxies`: must list the certificates of the proxies"
        );
        for proxy in &self.proxies {
            ensure!(
                proxy.parse::<Sha256Digest>().is_ok(),
                "`serve.ext_authz.proxies`: must be SHA-256 in hexadecimal"
            );
        }
        Ok(())
    }

    /// Whether who is connected may ask.
    pub(super) fn admits(&self, certificate: Option<&[u8; 32]>) -> bool {
        if self.tls.is_none() {
            return true;
        }
        let listed = |proxy: &String| {
            let digest = proxy.parse::<Sha256Digest>().ok();
            digest.is_some_and(|digest| Some(digest.as_bytes()) == certificate)
        };
        self.proxies.iter().any(listed)
    }
}
