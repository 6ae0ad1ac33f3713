//! `mandate inspect`: what a token says, and what speaks against it.

mod advice;
mod decoded;
mod inquiry;
mod mildest;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use mandate_host::{ValidateRequest, Validation, Verdict};
use serde_json::Value;

use self::decoded::Decoded;
use self::inquiry::{Finding, Inquiry};
use self::report::Report;
use crate::commands::certificate;
use crate::commands::contract_file::{AudienceChoice, ContractFile};
use crate::commands::session::{KeyOptions, Session, now};
use crate::commands::token_input::{TokenText, from_pipe, read_file};
use crate::keys::quoted;
use crate::output;
use crate::plugin::PluginChoice;

/// Decode a token, say why it would be refused, and what to change.
///
/// The view is not verified. Exit code 0 only if the plugin allowed the token, with the issuer's
/// keys, under --contract; 1 if it was refused or not verified; 2 for a mistake.
#[derive(Args, Clone, Debug)]
pub struct InspectCommand {
    /// The token: other users of this machine see it in the list of processes. `-`, or nothing,
    /// reads a pipe.
    #[arg(value_name = "TOKEN")]
    token: Option<TokenText>,
    /// File with the token; `-` is stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// The contract to hold the token against.
    #[arg(long, value_name = "FILE")]
    contract: Option<PathBuf>,
    #[command(flatten)]
    audience: AudienceChoice,
    #[command(flatten)]
    keys: KeyOptions,
    /// Fetch the issuer's keys, as `validate` does; nothing is fetched otherwise.
    #[arg(long, requires = "contract")]
    fetch: bool,
    /// The client certificate (PEM or DER) of the connection that the token came on.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The moment to look from, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    #[command(flatten)]
    plugin: PluginChoice,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl InspectCommand {
    /// Inspects: 0 verified and allowed, 1 anything less, 2 when nothing could be asked.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.inspect() {
            Ok(report) => report.print(self.json),
            Err(error) => output::fail(&format!("{error:#}")),
        }
    }

    fn inspect(&self) -> anyhow::Result<Report> {
        let now = now(self.now)?;
        let given = self.contract.as_deref().map(ContractFile::read).transpose()?;
        let token = self.token()?;
        let decoded = match Decoded::parse(&token) {
            Ok(decoded) => decoded,
            Err(refusal) => {
                let finding = Finding {
                    reason: refusal.code().as_str().to_owned(),
                    detail: refusal.to_string(),
                };
                return Ok(Report { now, findings: vec![finding], ..Report::default() });
            }
        };
        let mut report = Report { now, decoded: Some(decoded.clone()), ..Report::default() };
        report.note_form(&decoded, given.is_some());
        let contract = match given {
            Some(contract) => contract,
            None => match ContractFile::from_value(mildest::contract(&decoded)) {
                Ok(contract) => contract,
                Err(error) => {
                    report.note_no_contract(&decoded, &error.to_string());
                    return Ok(report);
                }
            },
        };
        self.ask(&token, &decoded, &contract, &mut report)?;
        Ok(report)
    }

    fn token(&self) -> anyhow::Result<String> {
        match (&self.token, &self.token_file) {
            (Some(TokenText(token)), _) if token != "-" => Ok(token.clone()),
            (None, Some(path)) => read_file(path),
            (_, _) => from_pipe(),
        }
    }

    /// Asks the plugin, first as it is, then as in [`Inquiry`].
    fn ask(
        &self,
        token: &str,
        decoded: &Decoded,
        contract: &ContractFile,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let request = self.request(contract, report.now)?;
        let mut session = Session::open(&self.plugin, contract, &self.keys, report.now)?;
        let answer = if self.fetch {
            session.ask_and_fetch(token, &request)?
        } else {
            session.ask(token, &request)
        };
        let unkeyed = answer.reason == "keys-missing";
        if unkeyed {
            let issuer = answer.refresh.as_deref().unwrap_or_default();
            report.unchecked.push(format!(
                "the signature: no current keys of {}; give `--keys ISSUER=FILE` or `--fetch`",
                quoted(issuer)
            ));
        } else if answer.verdict == Verdict::Deny {
            report.findings.push(Finding::from(&answer));
        }
        if hides_more(&answer) {
            let policy = session.fresh_policy()?;
            let inquiry = Inquiry::new(&policy, &contract.value, decoded, request.clone())?;
            let issuer = decoded.text("iss").unwrap_or_default();
            for finding in inquiry.findings(decoded, &accepted_types(&contract.value, issuer))? {
                if !report.findings.contains(&finding) {
                    report.findings.push(finding);
                }
            }
        }
        report.audience = self.contract.is_some().then_some(request.audience);
        report.verified = self.contract.is_some() && answer.verdict == Verdict::Allow;
        report.answer = self.contract.is_some().then_some(answer);
        Ok(())
    }

    fn request(&self, contract: &ContractFile, now: u64) -> anyhow::Result<ValidateRequest> {
        // Without a contract of the operator the only audience is the token's own.
        let choice = if self.contract.is_some() { &self.audience } else { &AudienceChoice::NONE };
        let request = ValidateRequest::new(choice.resolve(&contract.checked)?, now);
        Ok(match &self.certificate {
            Some(path) => request.with_certificate_sha256(certificate::thumbprint(path)?),
            None => request,
        })
    }
}

/// Whether checks come after the one that refused, which a changed question can reach.
fn hides_more(answer: &Validation) -> bool {
    matches!(
        answer.reason.as_str(),
        "keys-missing"
            | "token-algorithm"
            | "token-audience"
            | "token-critical"
            | "token-expired"
            | "token-key-unfit"
            | "token-key-unknown"
            | "token-not-yet-valid"
            | "token-signature"
            | "token-type"
    )
}

/// The types that the issuer's access tokens may have; contract/CONTRACT.md#issuers.
fn accepted_types(contract: &Value, issuer: &str) -> Vec<String> {
    let issuers = contract.get("issuers").and_then(Value::as_array).into_iter().flatten();
    let entry = issuers
        .into_iter()
        .find(|entry| entry.get("issuer").and_then(Value::as_str) == Some(issuer));
    let listed = entry.and_then(|entry| entry.get("types")).and_then(Value::as_array);
    match (listed, entry.and_then(|entry| entry.get("preset"))) {
        (Some(types), _) => types.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        (None, Some(_)) => vec!["JWT".to_owned()],
        (None, None) => vec!["at+jwt".to_owned()],
    }
}
