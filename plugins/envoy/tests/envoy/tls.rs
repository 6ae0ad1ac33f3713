//! Certificates, and what Envoy and the tests make of them.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use ring::digest::{SHA256, digest};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::{Value, json};

/// Who vouches for certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub(crate) struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names");
        // Of another name than those it vouches for, which would pass for self-signed otherwise.
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// A certificate of this name.
    pub(crate) fn vouch(&self, name: &str) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Identity { certificate, key }
    }

    /// A client that trusts this authority, and shows this certificate.
    pub(crate) fn client(&self, identity: Option<&Identity>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("an authority");
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        Arc::new(match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let (chain, key) = identity.chain_and_key();
                builder.with_client_auth_cert(chain, key).expect("a certificate")
            }
        })
    }

    /// Envoy's transport socket of a listener that shows this certificate, and takes clients of this
    /// authority as well as clients without a certificate.
    pub(crate) fn listener(&self, identity: &Identity) -> Value {
        socket(&json!({
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [{
                    "certificate_chain": {"inline_string": identity.certificate.pem()},
                    "private_key": {"inline_string": identity.key.serialize_pem()}}],
                "validation_context": {"trusted_ca": {"inline_string": self.0.pem()}}},
        }))
    }

    /// Envoy's transport socket of a cluster whose servers have to prove this name.
    pub(crate) fn cluster(&self, name: &str) -> Value {
        socket(&json!({
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": name,
            "common_tls_context": {"validation_context": {
                "trusted_ca": {"inline_string": self.0.pem()},
                "match_typed_subject_alt_names":
                    [{"san_type": "DNS", "matcher": {"exact": name}}]}},
        }))
    }
}

impl Identity {
    /// SHA-256 of the certificate: what a token is bound to (RFC 8705 section 3.1).
    pub(crate) fn thumbprint(&self) -> Vec<u8> {
        digest(&SHA256, self.certificate.der()).as_ref().to_vec()
    }

    /// A server that shows it.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let (chain, key) = self.chain_and_key();
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth();
        Arc::new(builder.with_single_cert(chain, key).expect("a certificate"))
    }

    fn chain_and_key(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        (vec![self.certificate.der().clone()], PrivateKeyDer::from(key))
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn socket(context: &Value) -> Value {
    json!({"name": "envoy.transport_sockets.tls", "typed_config": context})
}
