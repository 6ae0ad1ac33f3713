//! What the agent may do with the tokens that it obtained: the same request, and every way in which
//! one fact is different.

use anyhow::Result;
use mandate_host::{AuthorizeRequest, Policy, Target};

use crate::commands::demo::BOARD;
use crate::commands::demo::case::Outcome;
use crate::commands::demo::issuers::{AGENT, Issuers, Obtained, TRIAL_AGENT};
use crate::commands::demo::organization::Organization;

/// Who asks, and for what.
struct Question<'q> {
    what: &'static str,
    token: &'q str,
    action: &'static str,
    tool: &'static str,
    board: &'static str,
    expected: &'static str,
}

/// Every decision, with tokens that are obtained now.
pub(super) fn decide(
    organization: &Organization<'_>,
    issuers: &Issuers<'_>,
    obtained: &[Obtained],
    now: u64,
) -> Result<Vec<Outcome>> {
    let policy = organization.policy();
    let alices = issuers.exchange(AGENT, "alice")?;
    let bobs = issuers.exchange(AGENT, "bob")?;
    let trial = issuers.exchange(TRIAL_AGENT, "alice")?;
    let own = Question {
        what: "alice's own board",
        token: &alices,
        action: "view",
        tool: "get_board",
        board: "roadmap",
        expected: "ok",
    };
    let mut outcomes: Vec<Outcome> =
        own.and_one_fact_different(&bobs, &trial).iter().map(|one| one.ask(policy, now)).collect();
    for obtained in obtained.iter().filter(|one| one.grant == "client credentials") {
        outcomes.extend(own.by_service(obtained).iter().map(|one| one.ask(policy, now)));
    }
    let later = now.saturating_add(THREE_MINUTES);
    let stale = Question {
        what: "the registry silent for three minutes",
        expected: "snapshot-stale",
        ..own
    };
    outcomes.push(stale.ask(policy, later));
    organization.revoke(now)?;
    let revoked =
        Question { what: "the agent's credential revoked", expected: "credential-revoked", ..own };
    outcomes.push(revoked.ask(policy, now));
    Ok(outcomes)
}

impl<'q> Question<'q> {
    /// The request itself, then each way to be denied that needs nothing but another request or
    /// another token.
    fn and_one_fact_different(&'q self, bobs: &'q str, trial: &'q str) -> Vec<Self> {
        let own = || Self { ..*self };
        vec![
            own(),
            Self { what: "bob's board", board: "bobs-plan", expected: "no-relation", ..own() },
            Self {
                what: "a board of another organization",
                board: "genome",
                expected: "cross-tenant",
                ..own()
            },
            Self {
                what: "for bob, who has not delegated",
                token: bobs,
                board: "bobs-plan",
                expected: "not-delegate",
                ..own()
            },
            Self {
                what: "a tool that the agent may not call",
                tool: "draw_board",
                expected: "agent-tool",
                ..own()
            },
            Self {
                what: "a tool that alice may not call",
                tool: "export_board",
                expected: "caller-tool",
                ..own()
            },
            Self {
                what: "more than the token's scope",
                action: "edit",
                tool: "edit_board",
                expected: "scope-token",
                ..own()
            },
            Self {
                what: "outside the agent's workspaces",
                board: "diary",
                expected: "scope-workspace",
                ..own()
            },
            Self {
                what: "by an agent whose time is over",
                token: trial,
                expected: "identity-expired",
                ..own()
            },
        ]
    }

    /// A service's own token: what is stored for the service, and nothing else.
    fn by_service(&'q self, obtained: &'q Obtained) -> Vec<Self> {
        let token = obtained.token.as_str();
        let (itself, bobs) = match obtained.issuer {
            "keycloak" => {
                // The name that our issuer's service has: names of two issuers are two subjects.
                let what = "keycloak's report-service, not registered";
                return vec![Self { what, token, expected: "identity-unknown", ..*self }];
            }
            "oidc-provider" => ("search-service for itself", "search-service, bob's board"),
            _ => ("report-service for itself", "report-service, bob's board"),
        };
        vec![
            Self { what: itself, token, ..*self },
            Self { what: bobs, token, board: "bobs-plan", expected: "no-relation", ..*self },
        ]
    }

    fn ask(&self, policy: &Policy, now: u64) -> Outcome {
        let board = Target::Argument { pointer: "/board".to_owned(), value: self.board.to_owned() };
        let request =
            AuthorizeRequest::new(BOARD, self.action).with_tool(self.tool).with_target(board);
        let decision = policy.authorize(self.token, &[], &request, now);
        Outcome { what: self.what, expected: self.expected, found: decision.reason }
    }
}

/// Longer than a state may be old, shorter than a token of the demo lives.
const THREE_MINUTES: u64 = 180;
