//! `mandate identity thread`.

use std::process::ExitCode;

use clap::Args;
use mandate_authz::record::{DelegationMode, Holder};
use mandate_registry::identity::NewThread;
use serde_json::json;

use super::report;
use crate::commands::instant::Instant;
use crate::commands::registry_option::{ActOptions, ConfirmOption, finish, object};
use crate::commands::scope_option::ScopeOptions;
use crate::commands::secret_file::SecretFileOption;
use crate::output::Page;
use crate::registry_json;

/// Make the identity of one agent thread, `agent:codex-THREAD`, and its credential, in one write.
///
/// Both end by themselves. The secret is shown this once.
#[derive(Args, Clone, Debug)]
pub(super) struct ThreadCommand {
    /// The thread's id.
    #[arg(value_name = "THREAD")]
    thread: String,
    /// The user whose thread it is.
    #[arg(long, value_name = "USER")]
    owner: String,
    /// The tenant.
    #[arg(long, value_name = "ID")]
    tenant: String,
    /// From when on neither identity nor credential are good.
    #[arg(long, value_name = "WHEN")]
    expires: Instant,
    /// Where its delegations come from: `stored`, or `on-invoke` as well.
    #[arg(long, value_name = "MODE", default_value = "stored", value_parser = report::delegation)]
    delegation: DelegationMode,
    #[command(flatten)]
    scope: ScopeOptions,
    /// The issuer of `--subject` and `--client`.
    #[arg(long, value_name = "ISSUER")]
    issuer: Option<String>,
    /// `sub` of tokens that are the identity.
    #[arg(long, value_name = "TEXT", requires = "issuer")]
    subject: Option<String>,
    /// The OAuth client that the credential is. Default: a secret is made.
    #[arg(long, value_name = "TEXT", requires = "issuer")]
    client: Option<String>,
    #[command(flatten)]
    secret_file: SecretFileOption,
    #[command(flatten)]
    confirm: ConfirmOption,
    #[command(flatten)]
    act: ActOptions,
}

impl ThreadCommand {
    pub(super) fn create(&self) -> anyhow::Result<ExitCode> {
        let now = self.act.now()?;
        let holder = |name: &Option<String>| {
            let issuer = self.issuer.clone();
            issuer.zip(name.clone()).map(|(issuer, name)| Holder { issuer, name })
        };
        let new = NewThread {
            subject: holder(&self.subject),
            client: holder(&self.client),
            thread: self.thread.clone(),
            owner: object("--owner", &self.owner)?,
            tenant: self.tenant.clone(),
            scope: self.scope.scope(),
            delegation: self.delegation,
            expires_at: self.expires.at(now),
        };
        let (mut registry, act) = self.act.open_as(self.confirm.confirm())?;
        let file = self.secret_file.make(act.confirm)?;
        let written = registry.create_thread(&act, &new)?;
        let (identity, issued) = written.outcome;
        let mut page = Page::new();
        page.line(&format!(
            "identity {} with credential {}",
            identity.object, issued.credential.id
        ));
        page.rows(&report::rows(&identity));
        let mut value = json!({
            "identity": registry_json::identity(&identity),
            "credential": registry_json::credential(&issued.credential),
        });
        file.deliver(issued.secret.as_ref(), &issued.credential.id, &mut page, &mut value)?;
        self.confirm.explain(&mut page);
        Ok(finish(self.act.json, &act, page, value, written.position))
    }
}
