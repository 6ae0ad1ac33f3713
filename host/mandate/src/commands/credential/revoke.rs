//! `mandate credential revoke`.

use std::process::ExitCode;

use anyhow::ensure;
use clap::Args;
use mandate_registry::confirm::Confirm;
use mandate_registry::credential::Credential;
use serde_json::{Value, json};

use crate::commands::registry_option::{ActOptions, ConfirmOption, finish, object};
use crate::output::Page;
use crate::registry_json;

/// Revoke a credential at once, or with --all every one of an identity. The identity stays as it is.
#[derive(Args, Clone, Debug)]
pub(super) struct RevokeCommand {
    /// The credential; with --all the identity.
    #[arg(value_name = "CREDENTIAL|IDENTITY")]
    revoked: String,
    /// Every credential of the identity: a dry run unless --confirm.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    confirm: ConfirmOption,
    #[command(flatten)]
    act: ActOptions,
}

impl RevokeCommand {
    pub(super) fn revoke(&self) -> anyhow::Result<ExitCode> {
        let confirm = if self.all { self.confirm.confirm() } else { Confirm::Confirmed };
        let (mut registry, act) = self.act.open_as(confirm)?;
        let (revoked, position) = if self.all {
            let identity = object("--all", &self.revoked)?;
            let written = registry.revoke_all_credentials(&act, &identity)?;
            (written.outcome, written.position)
        } else {
            ensure!(
                !self.revoked.contains(':'),
                "`{}` is no credential: `--all` revokes every one of an identity",
                self.revoked
            );
            let written = registry.revoke_credential(&act, &self.revoked)?;
            (vec![written.outcome], written.position)
        };
        let mut page = Page::new();
        for Credential { id, identity, .. } in &revoked {
            page.line(&format!("credential {id} of {identity} is revoked"));
        }
        if self.all {
            self.confirm.explain(&mut page);
        }
        let values: Vec<Value> = revoked.iter().map(registry_json::credential).collect();
        Ok(finish(self.act.json, &act, page, json!({"revoked": values}), position))
    }
}
