//! `mandate validate`: one token, decided by the plugin.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use mandate_authn::ReasonCode;
use mandate_host::{Actor, ValidateRequest, Validation, Verdict, VerifiedToken};
use serde_json::{Value, json};

use crate::commands::certificate;
use crate::commands::contract_file::{AudienceChoice, ContractFile, ContractOption};
use crate::commands::session::{KeyOptions, Session, now};
use crate::commands::token_input::TokenInput;
use crate::moment;
use crate::output::{self, Page};
use crate::plugin::PluginChoice;

/// Validate an access token in the plugin: 0 allow, 1 deny, 2 a mistake.
///
/// The token comes from a pipe, --token-file or --token. Keys are fetched from the issuer (OIDC
/// discovery, or the contract's `jwks_uri`) unless --keys gives them.
#[derive(Args, Clone, Debug)]
pub struct ValidateCommand {
    #[command(flatten)]
    token: TokenInput,
    #[command(flatten)]
    contract: ContractOption,
    #[command(flatten)]
    audience: AudienceChoice,
    #[command(flatten)]
    keys: KeyOptions,
    /// The client certificate (PEM or DER) of the connection that the token came on.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The moment to decide for, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    #[command(flatten)]
    plugin: PluginChoice,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl ValidateCommand {
    /// Validates: 0 allow, 1 deny, 2 when nothing could be decided.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.answer() {
            Ok(answered) => answered.print(self.json),
            Err(error) => output::fail(&format!("{error:#}")),
        }
    }

    fn answer(&self) -> anyhow::Result<Answered> {
        let now = now(self.now)?;
        let contract = ContractFile::read(&self.contract.contract)?;
        let audience = self.audience.resolve(&contract.checked)?;
        let mut request = ValidateRequest::new(audience, now);
        if let Some(path) = &self.certificate {
            request = request.with_certificate_sha256(certificate::thumbprint(path)?);
        }
        let token = self.token.read()?;
        let mut session = Session::open(&self.plugin, &contract, &self.keys, now)?;
        let validation = session.ask_and_fetch(&token, &request)?;
        let plugin = session.plugin_json(&self.plugin);
        let contract = json!({ "version": contract.version(), "status": contract.status() });
        Ok(Answered { validation, request, plugin, contract })
    }
}

/// The answer, with what it was asked under.
struct Answered {
    validation: Validation,
    request: ValidateRequest,
    plugin: Value,
    contract: Value,
}

impl Answered {
    fn print(&self, json: bool) -> ExitCode {
        let written = output::print_either(json, &self.to_json(), &self.page());
        match self.validation.verdict {
            Verdict::Allow => written,
            Verdict::Deny if written == ExitCode::SUCCESS => ExitCode::from(output::DENY),
            Verdict::Deny => written,
        }
    }

    fn to_json(&self) -> Value {
        let mut answer = serde_json::to_value(&self.validation).unwrap_or_default();
        if let Some(members) = answer.as_object_mut() {
            members.insert("audience".to_owned(), json!(self.request.audience));
            members.insert("now".to_owned(), json!(self.request.now));
            members.insert("contract".to_owned(), self.contract.clone());
            members.insert("plugin".to_owned(), self.plugin.clone());
        }
        answer
    }

    fn page(&self) -> Page {
        let mut page = Page::new();
        match &self.validation.token {
            Some(token) => {
                page.line("allow");
                page.rows(&token_rows(token, self.request.now));
            }
            None => {
                let reason = &self.validation.reason;
                page.line(&format!("deny {reason}"));
                let mut rows = vec![("detail", self.validation.detail.clone())];
                let meaning = ReasonCode::parse(reason).map(ReasonCode::meaning);
                rows.extend(meaning.map(|meaning| ("meaning", meaning.to_owned())));
                rows.push(("audience", self.request.audience.clone()));
                rows.push(("now", moment::utc(self.request.now)));
                page.rows(&rows);
            }
        }
        page
    }
}

/// What a verified token says, for people.
fn token_rows(token: &VerifiedToken, now: u64) -> Vec<(&'static str, String)> {
    let mut rows = vec![("subject", token.subject.clone()), ("issuer", token.issuer.clone())];
    let none = || "none".to_owned();
    rows.push(("actor", token.actor.as_ref().map_or_else(none, actor)));
    rows.extend(token.actor_history.iter().map(|earlier| ("earlier actor", actor(earlier))));
    rows.push(("tenant", token.tenant.clone().unwrap_or_else(none)));
    rows.push(("client", token.client_id.clone().unwrap_or_else(none)));
    rows.push(("audiences", token.audiences.join(" ")));
    rows.push(("scopes", if token.scopes.is_empty() { none() } else { token.scopes.join(" ") }));
    rows.extend(token.roles.iter().map(|role| ("role", format!("{} ({})", role.name, role.path))));
    rows.extend(token.issued_at.map(|issued_at| ("issued", moment::described(issued_at, now))));
    rows.push(("expires", moment::described(token.expires_at, now)));
    rows.extend(token.token_id.clone().map(|token_id| ("token id", token_id)));
    rows.extend(token.confirmation.clone().map(|thumbprint| ("certificate", thumbprint)));
    rows
}

fn actor(actor: &Actor) -> String {
    let client = actor.client_id.as_deref().map(|client| format!(", client {client}"));
    format!("{} of {}{}", actor.subject, actor.issuer, client.unwrap_or_default())
}
