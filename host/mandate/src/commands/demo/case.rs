//! What was shown: one case a token, as a table.

use mandate_host::{Validation, VerifiedToken};

use crate::commands::demo::BOARD;
use crate::commands::demo::issuers::Obtained;
use crate::commands::demo::mcp::{Asked, BehindEnvoy};
use crate::moment;
use crate::output::Page;

/// The whole demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demo {
    /// One case a token.
    pub cases: Vec<Case>,
    /// What the agent may do for alice, and every denial that is one fact away.
    pub rights: Vec<Outcome>,
    /// Why the certified issuer did not take part.
    pub without: Option<String>,
    /// What the agent may do behind Envoy, or why that was not shown.
    pub behind_envoy: Result<BehindEnvoy, String>,
}

/// One token: how it was got, what it says, and how each form of it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The issuer's name.
    pub issuer: &'static str,
    /// The grant by which the token was got.
    pub grant: &'static str,
    /// `alg` of its header.
    pub algorithm: &'static str,
    /// What the component read out of it.
    pub token: Option<VerifiedToken>,
    /// The decisions, the token as it is first.
    pub outcomes: Vec<Outcome>,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was done to the token or around it.
    pub what: &'static str,
    /// The reason that it should be decided with.
    pub expected: &'static str,
    /// The reason that it was decided with.
    pub found: String,
}

impl Outcome {
    fn is_expected(&self) -> bool {
        self.found == self.expected
    }

    fn cell(&self, ok: &str) -> String {
        let shown = if self.found == "ok" { ok } else { &self.found };
        if self.is_expected() {
            shown.to_owned()
        } else {
            format!("{shown} (WRONG, expected {})", self.expected)
        }
    }
}

impl Case {
    pub(super) fn new(obtained: &Obtained, accepted: &Validation) -> Self {
        let mut case = Self {
            issuer: obtained.issuer,
            grant: obtained.grant,
            algorithm: obtained.algorithm,
            token: accepted.token.clone(),
            outcomes: Vec::new(),
        };
        case.push("as issued", "ok", accepted);
        case
    }

    pub(super) fn push(
        &mut self,
        what: &'static str,
        expected: &'static str,
        validation: &Validation,
    ) {
        self.outcomes.push(Outcome { what, expected, found: validation.reason.clone() });
    }

    fn row(&self, number: usize) -> Vec<String> {
        let token = self.token.as_ref();
        let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
        let actor = token.and_then(|token| token.actor.as_ref());
        let expires = token.map(|token| moment::utc(token.expires_at));
        vec![
            number.to_string(),
            self.issuer.to_owned(),
            self.grant.to_owned(),
            self.algorithm.to_owned(),
            text(token.map(|token| token.subject.as_str())),
            text(actor.map(|actor| actor.subject.as_str())),
            text(token.and_then(|token| token.tenant.as_deref())),
            text(token.and_then(|token| token.client_id.as_deref())),
            expires.unwrap_or_else(|| "-".to_owned()),
        ]
    }
}

impl Demo {
    /// Decisions that were not as expected.
    #[must_use]
    pub fn unexpected(&self) -> usize {
        let decisions = self.outcomes().filter(|outcome| !outcome.is_expected()).count();
        let calls = self.calls().iter().filter(|asked| !asked.is_expected()).count();
        decisions.saturating_add(calls)
    }

    fn calls(&self) -> &[Asked] {
        self.behind_envoy.as_ref().map_or(&[], |shown| &shown.asked)
    }

    /// The tables, for people. `digest` is the plugin's SHA-256.
    #[must_use]
    pub fn page(&self, digest: &str) -> String {
        let mut page = Page::new();
        let short: String = digest.chars().take(12).collect();
        page.line(&format!("Decided by the policy component (WebAssembly, sha256 {short}…)."));
        if let Some(reason) = &self.without {
            page.line(&format!("Without npm oidc-provider: {reason}."));
        }
        page.line("");
        page.line(&format!("Tokens obtained just now, for {BOARD}:"));
        page.table(&self.accepted());
        page.line("");
        page.line("The same tokens:");
        page.table(&self.decisions());
        page.line("");
        page.line("What they allow, with mail-agent acting for alice where nothing else is said:");
        page.table(&self.rights());
        page.line("");
        self.show_behind_envoy(&mut page);
        page.line("");
        let all = self.outcomes().count().saturating_add(self.calls().len());
        let unexpected = self.unexpected();
        page.line(&match unexpected {
            0 => format!("{all} decisions, every one as expected."),
            wrong => format!("{wrong} of {all} decisions are WRONG."),
        });
        page.as_str().to_owned()
    }

    fn show_behind_envoy(&self, page: &mut Page) {
        let shown = match &self.behind_envoy {
            Ok(shown) => shown,
            Err(reason) => return page.line(&format!("SKIPPED: the same behind Envoy: {reason}.")),
        };
        page.line("The same behind Envoy: mail-agent, for alice, as an MCP client (PyPI mcp) of an MCP server:");
        let head = ["asked for", "the client reports", "Envoy's access log"];
        let row = |asked: &Asked| {
            let (reported, reason) = asked.expected;
            let wrong = format!("(WRONG, expected {reported}, {reason})");
            let end = if asked.is_expected() { String::new() } else { wrong };
            vec![asked.what.to_owned(), asked.reported.clone(), asked.reason.clone(), end]
        };
        let head = head.map(str::to_owned).to_vec();
        let rows: Vec<_> = std::iter::once(head).chain(shown.asked.iter().map(row)).collect();
        page.table(&rows);
        page.line("");
        page.line("One of these lines of the access log:");
        page.line(&format!("  {}", shown.logged));
    }

    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.cases.iter().flat_map(|case| &case.outcomes).chain(&self.rights)
    }

    fn rights(&self) -> Vec<Vec<String>> {
        let row = |outcome: &Outcome| vec![outcome.what.to_owned(), outcome.cell("allowed")];
        self.rights.iter().map(row).collect()
    }

    fn accepted(&self) -> Vec<Vec<String>> {
        let head =
            ["", "issuer", "grant", "alg", "subject", "actor", "tenant", "client", "expires"];
        let rows = (1..).zip(&self.cases).map(|(number, case)| case.row(number));
        std::iter::once(head.map(str::to_owned).to_vec()).chain(rows).collect()
    }

    fn decisions(&self) -> Vec<Vec<String>> {
        let numbers = (1..).zip(&self.cases).map(|(number, _)| format!("token {number}"));
        let head = std::iter::once(String::new()).chain(numbers).collect();
        let what = self.cases.first().into_iter().flat_map(|case| &case.outcomes);
        let rows = what.enumerate().map(|(index, outcome)| {
            let cells = self.cases.iter().filter_map(|case| case.outcomes.get(index));
            std::iter::once(outcome.what.to_owned())
                .chain(cells.map(|outcome| outcome.cell("accepted")))
                .collect()
        });
        std::iter::once(head).chain(rows).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_that_is_not_expected_is_counted_and_shown() {
        let outcome = |found: &str| Outcome {
            what: "expired",
            expected: "token-expired",
            found: found.to_owned(),
        };
        let case = |found| Case {
            issuer: "dev-issuer",
            grant: "client credentials",
            algorithm: "RS256",
            token: None,
            outcomes: vec![outcome(found)],
        };
        let demo = Demo {
            cases: vec![case("token-expired"), case("ok")],
            rights: Vec::new(),
            without: None,
            behind_envoy: Err("no Envoy here".to_owned()),
        };
        assert_eq!(demo.unexpected(), 1);
        let page = demo.page("0123456789abcdef");
        assert!(
            page.contains("  expired  token-expired  accepted (WRONG, expected token-expired)\n"),
            "{page}"
        );
        assert!(page.ends_with("1 of 2 decisions are WRONG.\n"), "{page}");
    }
}
