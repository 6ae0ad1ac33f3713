//! `mandate snapshot keygen`: a key pair for snapshots.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::Args;
use mandate_authz::container::SigningKey;
use serde_json::{Value, json};

use crate::commands::output_file;
use crate::commands::private_file::write_private;
use crate::output::{self, Page};

/// Make an Ed25519 key pair that signs snapshots.
///
/// The private key goes to a new file that only you can read; the public one is printed, for
/// consumers to pin. A file that exists is not overwritten: what it signed would be lost with it.
#[derive(Args, Clone, Debug)]
pub(super) struct KeygenCommand {
    /// New file for the private key (JWK).
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// File for the public key (JWK), which is printed in any case.
    #[arg(long, value_name = "FILE")]
    public: Option<PathBuf>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// A new key.
pub(in crate::commands) fn generate() -> anyhow::Result<SigningKey> {
    let mut seed = [0; 32];
    getrandom::getrandom(&mut seed).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(SigningKey::from_seed(seed)?)
}

impl KeygenCommand {
    /// Makes a key: 0 made, 2 not.
    pub(super) fn run(self) -> ExitCode {
        match self.make() {
            Ok(key) => self.print(&key),
            Err(error) => output::fail(&format!("{error:#}")),
        }
    }

    fn make(&self) -> anyhow::Result<SigningKey> {
        let key = generate()?;
        write_private(&self.output, &format!("{}\n", key.to_jwk()))
            .with_context(|| format!("key `{}` cannot be written", self.output.display()))?;
        if let Some(path) = &self.public {
            let public = format!("{}\n", key.to_public_jwk());
            let written = output_file::replace("public key", path, public.as_bytes());
            if written.is_err() {
                // Nobody knows its public half: of no use to anybody.
                let _ = std::fs::remove_file(&self.output);
            }
            written?;
        }
        Ok(key)
    }

    fn print(&self, key: &SigningKey) -> ExitCode {
        let public: Value = serde_json::from_str(&key.to_public_jwk()).unwrap_or_default();
        let mut page = Page::new();
        page.line(&format!("key {}", key.id()));
        page.rows(&[
            ("private", format!("{} (only you can read it)", self.output.display())),
            ("public", public.to_string()),
        ]);
        let value = json!({
            "key_id": key.id().to_string(),
            "private_key": self.output,
            "public_key": public,
        });
        output::print_either(self.json, &value, &page)
    }
}
