//! `mandate identity create`.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use mandate_authz::record::DelegationMode;
use mandate_registry::identity::{External, NewIdentity};

use super::report;
use crate::commands::instant::Instant;
use crate::commands::registry_option::{ActOptions, finish, object};
use crate::commands::scope_option::ScopeOptions;
use crate::output::Page;
use crate::registry_json;

/// Make an identity: an agent or a service, with nothing but what is given here.
#[derive(Args, Clone, Debug)]
pub(super) struct CreateCommand {
    /// `agent:ID` or `service:ID`, which is never given to anybody else.
    #[arg(value_name = "IDENTITY")]
    identity: String,
    /// Its tenant.
    #[arg(long, value_name = "ID")]
    tenant: String,
    /// Its name for people. Default: its id.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The user whose it is, `user:anne`.
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// The one user it acts for, for the binding mode `relation`.
    #[arg(long, value_name = "USER")]
    sole_user: Option<String>,
    /// Where its delegations come from: `stored`, or `on-invoke` as well.
    #[arg(long, value_name = "MODE", default_value = "stored", value_parser = report::delegation)]
    delegation: DelegationMode,
    #[command(flatten)]
    scope: ScopeOptions,
    /// From when on it may not act.
    #[arg(long, value_name = "WHEN")]
    expires: Option<Instant>,
    /// The issuer whose tokens name it.
    #[arg(long, value_name = "ISSUER")]
    issuer: Option<String>,
    /// `sub` of its tokens.
    #[arg(long, value_name = "TEXT", requires = "issuer")]
    subject: Option<String>,
    /// Client id of its tokens.
    #[arg(long, value_name = "TEXT", requires = "issuer")]
    client: Option<String>,
    #[command(flatten)]
    act: ActOptions,
}

impl CreateCommand {
    pub(super) fn create(&self) -> anyhow::Result<ExitCode> {
        let identity = object("IDENTITY", &self.identity)?;
        let person = |flag, person: &Option<String>| {
            person.as_deref().map(|person| object(flag, person)).transpose()
        };
        let now = self.act.now()?;
        let external = match (&self.issuer, &self.subject, &self.client) {
            (Some(_), None, None) => bail!("`--issuer` needs `--subject` or `--client`"),
            (issuer, subject, client) => issuer.clone().map(|issuer| External {
                issuer,
                subject: subject.clone(),
                client: client.clone(),
            }),
        };
        let new = NewIdentity {
            display_name: self.name.clone().unwrap_or_else(|| identity.id.clone()),
            object: identity,
            owner: person("--owner", &self.owner)?,
            tenant: self.tenant.clone(),
            scope: self.scope.scope(),
            delegation: self.delegation,
            sole_user: person("--sole-user", &self.sole_user)?,
            expires_at: self.expires.map(|expires| expires.at(now)),
            external,
        };
        let (mut registry, act) = self.act.open()?;
        let written = registry.create_identity(&act, &new)?;
        let mut page = Page::new();
        page.line(&format!("identity {} created", written.outcome.object));
        page.rows(&report::rows(&written.outcome));
        let value = registry_json::identity(&written.outcome);
        Ok(finish(self.act.json, &act, page, value, written.position))
    }
}
