//! `mandate credential add`.

use std::process::ExitCode;

use clap::Args;
use mandate_registry::credential::NewCredential;

use super::material::{Kind, MaterialOptions};
use crate::commands::instant::Instant;
use crate::commands::registry_option::{ActOptions, ConfirmOption, finish, object};
use crate::commands::secret_file::SecretFileOption;
use crate::output::Page;
use crate::registry_json;

/// Give an identity one more credential. A generated secret has 256 bits and is shown this once.
#[derive(Args, Clone, Debug)]
pub(super) struct AddCommand {
    /// Whose it is, `agent:ID` or `service:ID`.
    #[arg(value_name = "IDENTITY")]
    identity: String,
    /// What it is.
    #[arg(long, value_name = "KIND")]
    kind: Kind,
    #[command(flatten)]
    material: MaterialOptions,
    /// `sub` of tokens that are this credential, of `--issuer`.
    #[arg(long, value_name = "TEXT", requires = "issuer")]
    subject: Option<String>,
    /// `jti` of a token that was issued for it; may be repeated.
    #[arg(long, value_name = "JTI")]
    token_id: Vec<String>,
    /// From when on it is void.
    #[arg(long, value_name = "WHEN")]
    expires: Option<Instant>,
    #[command(flatten)]
    secret_file: SecretFileOption,
    #[command(flatten)]
    confirm: ConfirmOption,
    #[command(flatten)]
    act: ActOptions,
}

impl AddCommand {
    pub(super) fn add(&self) -> anyhow::Result<ExitCode> {
        let identity = object("IDENTITY", &self.identity)?;
        let now = self.act.now()?;
        let new = NewCredential {
            material: self.material.material(self.kind)?,
            subject: self.material.holder(self.subject.as_ref()),
            token_ids: self.token_id.clone(),
            expires_at: self.expires.map(|expires| expires.at(now)),
        };
        let (mut registry, act) = self.act.open_as(self.confirm.confirm())?;
        let file = self.secret_file.make(act.confirm)?;
        let written = registry.add_credential(&act, &identity, &new)?;
        let issued = written.outcome;
        let mut page = Page::new();
        page.line(&format!("credential {} of {identity}", issued.credential.id));
        let mut value = registry_json::credential(&issued.credential);
        file.deliver(issued.secret.as_ref(), &issued.credential.id, &mut page, &mut value)?;
        self.confirm.explain(&mut page);
        Ok(finish(self.act.json, &act, page, value, written.position))
    }
}
