//! `mandate credential rotate`.

use std::process::ExitCode;

use clap::Args;
use mandate_registry::credential::{CredentialKind, Rotation};

use super::material::{Kind, MaterialOptions};
use crate::commands::instant::{self, Instant};
use crate::commands::registry_option::{ActOptions, ConfirmOption, finish};
use crate::commands::secret_file::SecretFileOption;
use crate::output::Page;
use crate::registry_json;

/// Replace a credential by a new one of its kind. Both are good for the window, which never prolongs
/// the old one.
#[derive(Args, Clone, Debug)]
pub(super) struct RotateCommand {
    /// The credential that is replaced.
    #[arg(value_name = "CREDENTIAL")]
    credential: String,
    /// For how long both are good: seconds, or 90s, 30m, 8h, 7d. 0 ends the old one now.
    #[arg(long, value_name = "SPAN", value_parser = instant::span)]
    window: u64,
    #[command(flatten)]
    material: MaterialOptions,
    /// From when on the new one is void.
    #[arg(long, value_name = "WHEN")]
    expires: Option<Instant>,
    #[command(flatten)]
    secret_file: SecretFileOption,
    #[command(flatten)]
    confirm: ConfirmOption,
    #[command(flatten)]
    act: ActOptions,
}

impl RotateCommand {
    pub(super) fn rotate(&self) -> anyhow::Result<ExitCode> {
        let now = self.act.now()?;
        let (mut registry, act) = self.act.open_as(self.confirm.confirm())?;
        let old = registry.credential(&self.credential)?;
        let material = if self.material.is_empty() {
            None
        } else {
            Some(self.material.material(kind(old.kind))?)
        };
        let rotation = Rotation {
            id: self.credential.clone(),
            window: self.window,
            material,
            expires_at: self.expires.map(|expires| expires.at(now)),
        };
        let file = self.secret_file.make(act.confirm)?;
        let written = registry.rotate_credential(&act, &rotation)?;
        let issued = written.outcome;
        let mut page = Page::new();
        page.line(&format!("credential {} replaces {}", issued.credential.id, self.credential));
        let mut value = registry_json::credential(&issued.credential);
        file.deliver(issued.secret.as_ref(), &issued.credential.id, &mut page, &mut value)?;
        self.confirm.explain(&mut page);
        Ok(finish(self.act.json, &act, page, value, written.position))
    }
}

const fn kind(kind: CredentialKind) -> Kind {
    match kind {
        CredentialKind::AppPassword => Kind::AppPassword,
        CredentialKind::Certificate => Kind::Certificate,
        CredentialKind::ContextKey => Kind::ContextKey,
        CredentialKind::OauthClient => Kind::OauthClient,
        CredentialKind::Opaque => Kind::Opaque,
    }
}
