//! What a credential is made of, on the command line.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use mandate_authz::record::Holder;
use mandate_registry::credential::{Material, SecretSource, thumbprint};
use mandate_registry::secret::Secret;

use crate::commands::input_file;

/// What a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// A secret that an application keeps.
    AppPassword,
    /// A client certificate.
    Certificate,
    /// A key that signs agent contexts, and assertions of the client.
    ContextKey,
    /// A client at an issuer.
    OauthClient,
    /// A secret that is a token by itself.
    Opaque,
}

/// The options that say what it is made of.
#[derive(Args, Clone, Debug)]
pub(super) struct MaterialOptions {
    /// The issuer of `--client` and `--subject`.
    #[arg(long, value_name = "ISSUER")]
    issuer: Option<String>,
    /// Of an OAuth client: its id.
    #[arg(long, value_name = "TEXT", requires = "issuer")]
    client: Option<String>,
    /// Of a context key: the file with the public JWK.
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// Of a certificate: its SHA-256 in base64url, as `x5t#S256` has it.
    #[arg(long, value_name = "SHA256")]
    thumbprint: Option<String>,
    /// A file with a secret that exists already; `-` for stdin. Default: a new one is made.
    #[arg(long, value_name = "FILE")]
    import_secret: Option<PathBuf>,
}

impl MaterialOptions {
    /// Whether nothing was given.
    pub(super) const fn is_empty(&self) -> bool {
        self.client.is_none()
            && self.public_key.is_none()
            && self.thumbprint.is_none()
            && self.import_secret.is_none()
    }

    /// A name at the issuer.
    pub(super) fn holder(&self, name: Option<&String>) -> Option<Holder> {
        let issuer = self.issuer.clone();
        issuer.zip(name.cloned()).map(|(issuer, name)| Holder { issuer, name })
    }

    pub(super) fn material(&self, kind: Kind) -> anyhow::Result<Material> {
        self.refuse_others(kind)?;
        Ok(match kind {
            Kind::AppPassword => Material::AppPassword(self.source()?),
            Kind::Certificate => {
                let text = self.thumbprint.as_deref().context("`--thumbprint` is missing")?;
                Material::Certificate(thumbprint(text)?)
            }
            Kind::ContextKey => {
                let path = self.public_key.as_deref().context("`--public-key` is missing")?;
                Material::ContextKey(input_file::read_text("public key", path)?)
            }
            Kind::OauthClient => {
                let client = self.holder(self.client.as_ref());
                Material::OauthClient(client.context("`--issuer` and `--client` are missing")?)
            }
            Kind::Opaque => Material::Opaque(self.source()?),
        })
    }

    /// What is of no use to a kind was meant for another one.
    fn refuse_others(&self, kind: Kind) -> anyhow::Result<()> {
        let secret = matches!(kind, Kind::AppPassword | Kind::Opaque);
        let given = [
            ("--client", self.client.is_some(), kind == Kind::OauthClient),
            ("--public-key", self.public_key.is_some(), kind == Kind::ContextKey),
            ("--thumbprint", self.thumbprint.is_some(), kind == Kind::Certificate),
            ("--import-secret", self.import_secret.is_some(), secret),
        ];
        match given.iter().find(|(_, given, fits)| *given && !fits) {
            Some((flag, _, _)) => bail!("`{flag}` is nothing that a credential of this kind has"),
            None => Ok(()),
        }
    }

    fn source(&self) -> anyhow::Result<SecretSource> {
        let Some(path) = self.import_secret.as_deref() else { return Ok(SecretSource::Generated) };
        Ok(SecretSource::Imported(read_secret(path)?))
    }
}

fn read_secret(path: &Path) -> anyhow::Result<Secret> {
    let text = input_file::read_text("secret", path)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}
