//! The report of an inspection, for people and as JSON.

use std::process::ExitCode;

use mandate_host::Validation;
use serde_json::{Value, json};

use super::advice::{self, Advice};
use super::decoded::Decoded;
use super::inquiry::Finding;
use super::mildest::is_access_token_type;
use crate::keys::quoted;
use crate::moment;
use crate::output::{self, Page};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) now: u64,
    /// Absent when the token could not be decoded.
    pub(super) decoded: Option<Decoded>,
    /// The audience that it was held against.
    pub(super) audience: Option<String>,
    /// The plugin's answer under the operator's contract.
    pub(super) answer: Option<Validation>,
    /// Whether that answer is allow.
    pub(super) verified: bool,
    /// What speaks against the token, the plugin's own reason first.
    pub(super) findings: Vec<Finding>,
    /// What a contract for this token would need.
    pub(super) notes: Vec<String>,
    /// What was not looked at.
    pub(super) unchecked: Vec<String>,
}

impl Report {
    /// Notes what the token's form asks of a contract, where none was given.
    pub(super) fn note_form(&mut self, decoded: &Decoded, has_contract: bool) {
        if has_contract {
            return;
        }
        self.unchecked.push(
            "issuer, audience, algorithm, type and tenant against a contract: give `--contract FILE`"
                .to_owned(),
        );
        let typ = decoded.header.get("typ").and_then(Value::as_str);
        if !typ.is_some_and(is_access_token_type) {
            let preset = match (decoded.text("typ"), decoded.text("iss")) {
                (Some("Bearer"), _) => "; it looks like Keycloak's: `\"preset\": \"keycloak\"`",
                (_, Some(issuer)) if issuer.contains("/application/o/") => {
                    "; it looks like authentik's: `\"preset\": \"authentik\"`"
                }
                _ => "",
            };
            self.notes.push(format!(
                "`typ` is {}, not `at+jwt`: a contract needs `types` and `claim_tests` that refuse ID tokens{preset}",
                typ.map_or_else(|| "missing".to_owned(), quoted)
            ));
        }
    }

    /// Notes why no contract at all could accept the token.
    pub(super) fn note_no_contract(&mut self, decoded: &Decoded, problem: &str) {
        let issuer = decoded.text("iss");
        let (reason, detail) = if problem.contains("claim_tests") {
            ("token-type", "nothing in the token tells it from an ID token".to_owned())
        } else {
            let stated = issuer.map_or_else(|| "missing or no string".to_owned(), quoted);
            ("token-issuer", format!("`iss` is {stated}: {problem}"))
        };
        self.findings.push(Finding { reason: reason.to_owned(), detail });
        self.unchecked.push("everything else: no contract can list this token's form".to_owned());
    }

    /// Prints: 0 verified and allowed, 1 anything less.
    pub(super) fn print(&self, json: bool) -> ExitCode {
        let written = output::print_either(json, &self.to_json(), &self.page());
        if written == ExitCode::SUCCESS && !self.verified {
            return ExitCode::from(output::DENY);
        }
        written
    }

    fn page(&self) -> Page {
        let mut page = Page::new();
        page.line(
            "NOT VERIFIED: a decoded view, which anybody can have written. Never decide by it.",
        );
        page.line("");
        match &self.decoded {
            Some(decoded) => decoded.write(self.now, &mut page),
            None => page.line("it cannot be decoded"),
        }
        page.line("");
        page.line(&self.conclusion());
        for (number, finding) in (1_usize..).zip(&self.findings) {
            page.line(&format!("{number}. {}: {}", finding.reason, finding.detail));
            if let Some(advice) = advice::find(&finding.reason, &finding.detail) {
                page.rows(&advice_rows(advice));
            }
        }
        for (heading, lines) in [("notes", &self.notes), ("not checked", &self.unchecked)] {
            if !lines.is_empty() {
                page.line("");
                page.line(heading);
                lines.iter().for_each(|line| page.line(&format!("  {line}")));
            }
        }
        page
    }

    fn conclusion(&self) -> String {
        let at = moment::utc(self.now);
        let audience =
            self.audience.as_deref().map(|audience| format!(" for {}", quoted(audience)));
        let audience = audience.unwrap_or_default();
        match (self.findings.as_slice(), self.verified) {
            ([], true) => {
                format!("the plugin verified it with the issuer's keys: allow{audience} at {at}")
            }
            ([], false) => {
                format!("nothing speaks against it{audience} at {at}, but it is not verified")
            }
            (_, _) => format!("it would be refused{audience} at {at}"),
        }
    }

    fn to_json(&self) -> Value {
        let finding = |finding: &Finding| {
            let advice = advice::find(&finding.reason, &finding.detail).map(|advice| {
                json!({
                    "contract": advice.contract,
                    "keycloak": advice.keycloak,
                    "authentik": advice.authentik,
                })
            });
            json!({ "reason": finding.reason, "detail": finding.detail, "change": advice })
        };
        let decoded = self.decoded.as_ref();
        json!({
            "view": "not verified",
            "verified": self.verified,
            "now": self.now,
            "audience": self.audience,
            "header": decoded.map(|decoded| &decoded.header),
            "claims": decoded.map(|decoded| &decoded.claims),
            "times": decoded.map(Decoded::times),
            "answer": self.answer,
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
            "notes": self.notes,
            "unchecked": self.unchecked,
        })
    }
}

fn advice_rows(advice: &Advice) -> Vec<(&'static str, String)> {
    vec![
        ("   contract", advice.contract.to_owned()),
        ("   Keycloak", advice.keycloak.to_owned()),
        ("   authentik", advice.authentik.to_owned()),
    ]
}
