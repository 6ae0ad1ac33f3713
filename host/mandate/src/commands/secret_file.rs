//! Where a generated secret goes: to stdout once, or into a new file that only its owner can read.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use mandate_registry::confirm::Confirm;
use mandate_registry::secret::Secret;
use serde_json::{Value, json};

use super::private_file::create_private;
use crate::output::Page;

/// The option that says so.
#[derive(Args, Clone, Debug)]
pub(super) struct SecretFileOption {
    /// New file for the secret, which only you can read, in place of stdout.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl SecretFileOption {
    /// Makes the file, where one is named and it will be needed.
    pub(super) fn make(&self, confirm: Confirm) -> anyhow::Result<SecretFile> {
        let Some(path) = self.secret_file.as_ref().filter(|_| confirm == Confirm::Confirmed) else {
            return Ok(SecretFile { file: None });
        };
        let file = create_private(path)
            .with_context(|| format!("`--secret-file`: `{}` cannot be made", path.display()))?;
        Ok(SecretFile { file: Some((path.clone(), file)) })
    }
}

/// The file, open before the secret is made: a secret that cannot be delivered is not issued.
#[derive(Debug)]
pub(super) struct SecretFile {
    file: Option<(PathBuf, File)>,
}

impl SecretFile {
    /// Hands the secret over: to the file, else to the page and the JSON. There is none where none
    /// was generated.
    pub(super) fn deliver(
        mut self,
        secret: Option<&Secret>,
        id: &str,
        page: &mut Page,
        value: &mut Value,
    ) -> anyhow::Result<()> {
        let Some(secret) = secret else { return Ok(()) };
        match self.file.take() {
            None => {
                page.line(&format!("secret, shown this once: {}", secret.reveal()));
                if let Some(members) = value.as_object_mut() {
                    members.insert("secret".to_owned(), json!(secret.reveal()));
                }
            }
            Some((path, mut file)) => {
                let written = writeln!(file, "{}", secret.reveal()).and_then(|()| file.sync_all());
                written.with_context(|| {
                    let path = path.display();
                    format!("the secret of `{id}` cannot be written to `{path}`: revoke it")
                })?;
                page.line(&format!("secret in {} (only you can read it)", path.display()));
            }
        }
        Ok(())
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if let Some((path, _)) = self.file.take() {
            // Nothing was issued, or nothing that has a secret.
            let _ = fs::remove_file(path);
        }
    }
}
