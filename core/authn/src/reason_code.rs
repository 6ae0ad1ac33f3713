//! Reason codes: why a decision was made, and how each door answers it.
//!
//! Generated from `contract/reason-codes.toml` by `cargo xtask generate`; do not edit.

#![expect(clippy::too_many_lines, reason = "generated: one arm a code, no catch-all")]

mod answer;

use core::fmt;

pub use answer::{Challenge, Outcome};

/// Why a decision was made: one stable code a decision, never renamed.
///
/// Not `non_exhaustive`: a new code must break every adapter until it is mapped.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ReasonCode {
    /// `actor-chain`: An earlier actor of the chain is disabled, revoked, or not delegated where the contract requires it.
    ActorChain,
    /// `agent-context-invalid`: The signed agent context is malformed, expired, or signed for another token, agent, audience, server or tool.
    AgentContextInvalid,
    /// `agent-context-missing`: The agent names no user: a signed agent context is required here.
    AgentContextMissing,
    /// `agent-required`: This route is for agents, and the token or client names none.
    AgentRequired,
    /// `agent-tool`: The agent may not call this tool.
    AgentTool,
    /// `agent-use`: The user may not use this agent.
    AgentUse,
    /// `batch`: JSON-RPC batches are not accepted.
    Batch,
    /// `binding-unmatched`: The evidence fits no row of the binding table.
    BindingUnmatched,
    /// `budget`: The relationship walk took more edges, or a moment more checks of signatures, than the budget allows.
    Budget,
    /// `caller-tool`: The user may not call this tool.
    CallerTool,
    /// `channel-unmapped`: The channel is mapped to no team.
    ChannelUnmapped,
    /// `condition`: A condition on the relationship does not hold, or lacks its input.
    Condition,
    /// `condition-steps`: A condition took more steps than the limit.
    ConditionSteps,
    /// `credential-expired`: The credential has expired.
    CredentialExpired,
    /// `credential-revoked`: The credential was revoked; the identity may still be active.
    CredentialRevoked,
    /// `credential-unknown`: No registered credential of the identity matches the token.
    CredentialUnknown,
    /// `cross-tenant`: Agent, user, resource and the token's tenant claim do not share one tenant.
    CrossTenant,
    /// `cross-user`: The request or its context names a user other than the bound one.
    CrossUser,
    /// `depth`: The relationship walk went deeper than the limit.
    Depth,
    /// `domain-not-allowed`: The e-mail domain may not create users on first contact.
    DomainNotAllowed,
    /// `header-mismatch`: An MCP header and the body disagree.
    HeaderMismatch,
    /// `identity-disabled`: The identity is suspended or retired.
    IdentityDisabled,
    /// `identity-expired`: The identity has expired.
    IdentityExpired,
    /// `identity-unknown`: The registry has no record of this (issuer, subject).
    IdentityUnknown,
    /// `internal`: The plugin trapped, ran out of time or memory, or was not usable.
    Internal,
    /// `keys-missing`: No trust is loaded, or this issuer's key set is missing, stale, or older than the token's key.
    KeysMissing,
    /// `link-limited`: A link prompt was sent too recently.
    LinkLimited,
    /// `link-required`: The chat user is not linked to an identity: a link prompt was sent and nothing was done.
    LinkRequired,
    /// `malformed`: The request, or a mapped argument of it, is malformed.
    Malformed,
    /// `method-unknown`: The MCP method is not in the contract table.
    MethodUnknown,
    /// `no-relation`: The user has no relation to the resource that allows the action.
    NoRelation,
    /// `not-delegate`: The agent is not delegated by the bound user.
    NotDelegate,
    /// `ok`: Every check passed.
    Ok,
    /// `path`: The path has dot segments, empty segments, backslashes or encoded separators.
    Path,
    /// `policy-missing`: No gate policy is loaded, or it does not list this audience.
    PolicyMissing,
    /// `scope-action`: The action is not among the identity's actions.
    ScopeAction,
    /// `scope-mode`: The action's mode is not among the identity's modes.
    ScopeMode,
    /// `scope-token`: The token's `scope` does not cover the action.
    ScopeToken,
    /// `scope-workspace`: The resource is outside the identity's workspaces or boards.
    ScopeWorkspace,
    /// `snapshot-missing`: No snapshot is loaded.
    SnapshotMissing,
    /// `snapshot-rollback`: The snapshot includes less than what was applied before.
    SnapshotRollback,
    /// `snapshot-signature`: The snapshot, delta or heartbeat is not signed by a pinned key.
    SnapshotSignature,
    /// `snapshot-stale`: The newest signed state is older than the contract allows, or a delta is missing.
    SnapshotStale,
    /// `tenant-ambiguous`: The person belongs to several tenants and nothing names one.
    TenantAmbiguous,
    /// `tenant-unknown`: A principal or object has no tenant in the registry.
    TenantUnknown,
    /// `token-algorithm`: The header's `alg` is missing, or not one that this issuer may use; `none` and HMAC never are.
    TokenAlgorithm,
    /// `token-audience`: The `aud` claim is missing, malformed, or does not contain the audience of this route.
    TokenAudience,
    /// `token-binding`: The token has a confirmation (`cnf`) that was not verified on this request.
    TokenBinding,
    /// `token-claim`: A claim is missing or malformed, fails a claim test of the contract, or is outside what this issuer may state.
    TokenClaim,
    /// `token-critical`: The header has `crit` or `b64`, whose extensions are not supported.
    TokenCritical,
    /// `token-expired`: The `exp` claim has passed, skew included.
    TokenExpired,
    /// `token-issuer`: The `iss` claim is missing, not a string, or not exactly a configured issuer.
    TokenIssuer,
    /// `token-key-unfit`: The key that the token names may not verify it: `kty`, `crv`, `alg`, `use` or `key_ops` do not fit, it is too short, or it is no valid point.
    TokenKeyUnfit,
    /// `token-key-unknown`: No key of this issuer's newest key set has the token's `kid`, or the token has none and more than one key fits.
    TokenKeyUnknown,
    /// `token-malformed`: The token is not three strict base64url parts of strict JSON: duplicate members, padding, a byte-order mark, invalid UTF-8 or too much depth included.
    TokenMalformed,
    /// `token-missing`: No bearer token came with the request.
    TokenMissing,
    /// `token-not-yet-valid`: The `nbf` or `iat` claim lies in the future, skew included.
    TokenNotYetValid,
    /// `token-revoked`: The token itself was revoked.
    TokenRevoked,
    /// `token-signature`: The signature is not valid under the named key.
    TokenSignature,
    /// `token-subject`: The subject is missing, empty, or not a string.
    TokenSubject,
    /// `token-tenant`: The tenant claim is not one that this issuer may speak for.
    TokenTenant,
    /// `token-too-large`: The token is longer than 16 KiB.
    TokenTooLarge,
    /// `token-type`: The header's `typ` is not one that this issuer's access tokens have.
    TokenType,
    /// `too-large`: The request body is larger than the route allows.
    TooLarge,
    /// `unmapped`: No route, tool or resource mapping covers this request.
    Unmapped,
    /// `user-ambiguous`: The agent is delegated by more than one user and nothing names which.
    UserAmbiguous,
}

/// The kind of a reason, which fixes the shape of the answer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// The request may pass.
    Allow,
    /// The evidence does not bind an agent to a user.
    Binding,
    /// A chat event was not mapped to an identity.
    Channel,
    /// The registry's record of the identity, its credential or its scope refuses.
    Identity,
    /// The request is malformed or not mapped to an action.
    Request,
    /// A line of the rule refuses.
    Rule,
    /// State is missing, stale or not usable: no decision was possible.
    State,
    /// The token was refused.
    Token,
}

/// Where a decision fails, in the order of evaluation: the layers, then lines 1 to 8 of the rule.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FailingLine {
    /// Before anything was read: size, path, state.
    Framing,
    /// Token validation.
    Token,
    /// Request to action and resource.
    Mapping,
    /// Who acts for whom.
    Binding,
    /// Line 1 of the rule.
    One,
    /// Line 2 of the rule.
    Two,
    /// Line 3 of the rule.
    Three,
    /// Line 4 of the rule.
    Four,
    /// Line 5 of the rule.
    Five,
    /// Line 6 of the rule.
    Six,
    /// Line 7 of the rule.
    Seven,
    /// Line 8 of the rule.
    Eight,
}

impl ReasonCode {
    /// Every code, in alphabetical order.
    pub const ALL: [Self; 66] = [
        Self::ActorChain,
        Self::AgentContextInvalid,
        Self::AgentContextMissing,
        Self::AgentRequired,
        Self::AgentTool,
        Self::AgentUse,
        Self::Batch,
        Self::BindingUnmatched,
        Self::Budget,
        Self::CallerTool,
        Self::ChannelUnmapped,
        Self::Condition,
        Self::ConditionSteps,
        Self::CredentialExpired,
        Self::CredentialRevoked,
        Self::CredentialUnknown,
        Self::CrossTenant,
        Self::CrossUser,
        Self::Depth,
        Self::DomainNotAllowed,
        Self::HeaderMismatch,
        Self::IdentityDisabled,
        Self::IdentityExpired,
        Self::IdentityUnknown,
        Self::Internal,
        Self::KeysMissing,
        Self::LinkLimited,
        Self::LinkRequired,
        Self::Malformed,
        Self::MethodUnknown,
        Self::NoRelation,
        Self::NotDelegate,
        Self::Ok,
        Self::Path,
        Self::PolicyMissing,
        Self::ScopeAction,
        Self::ScopeMode,
        Self::ScopeToken,
        Self::ScopeWorkspace,
        Self::SnapshotMissing,
        Self::SnapshotRollback,
        Self::SnapshotSignature,
        Self::SnapshotStale,
        Self::TenantAmbiguous,
        Self::TenantUnknown,
        Self::TokenAlgorithm,
        Self::TokenAudience,
        Self::TokenBinding,
        Self::TokenClaim,
        Self::TokenCritical,
        Self::TokenExpired,
        Self::TokenIssuer,
        Self::TokenKeyUnfit,
        Self::TokenKeyUnknown,
        Self::TokenMalformed,
        Self::TokenMissing,
        Self::TokenNotYetValid,
        Self::TokenRevoked,
        Self::TokenSignature,
        Self::TokenSubject,
        Self::TokenTenant,
        Self::TokenTooLarge,
        Self::TokenType,
        Self::TooLarge,
        Self::Unmapped,
        Self::UserAmbiguous,
    ];

    /// The code itself, kebab-case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ActorChain => "actor-chain",
            Self::AgentContextInvalid => "agent-context-invalid",
            Self::AgentContextMissing => "agent-context-missing",
            Self::AgentRequired => "agent-required",
            Self::AgentTool => "agent-tool",
            Self::AgentUse => "agent-use",
            Self::Batch => "batch",
            Self::BindingUnmatched => "binding-unmatched",
            Self::Budget => "budget",
            Self::CallerTool => "caller-tool",
            Self::ChannelUnmapped => "channel-unmapped",
            Self::Condition => "condition",
            Self::ConditionSteps => "condition-steps",
            Self::CredentialExpired => "credential-expired",
            Self::CredentialRevoked => "credential-revoked",
            Self::CredentialUnknown => "credential-unknown",
            Self::CrossTenant => "cross-tenant",
            Self::CrossUser => "cross-user",
            Self::Depth => "depth",
            Self::DomainNotAllowed => "domain-not-allowed",
            Self::HeaderMismatch => "header-mismatch",
            Self::IdentityDisabled => "identity-disabled",
            Self::IdentityExpired => "identity-expired",
            Self::IdentityUnknown => "identity-unknown",
            Self::Internal => "internal",
            Self::KeysMissing => "keys-missing",
            Self::LinkLimited => "link-limited",
            Self::LinkRequired => "link-required",
            Self::Malformed => "malformed",
            Self::MethodUnknown => "method-unknown",
            Self::NoRelation => "no-relation",
            Self::NotDelegate => "not-delegate",
            Self::Ok => "ok",
            Self::Path => "path",
            Self::PolicyMissing => "policy-missing",
            Self::ScopeAction => "scope-action",
            Self::ScopeMode => "scope-mode",
            Self::ScopeToken => "scope-token",
            Self::ScopeWorkspace => "scope-workspace",
            Self::SnapshotMissing => "snapshot-missing",
            Self::SnapshotRollback => "snapshot-rollback",
            Self::SnapshotSignature => "snapshot-signature",
            Self::SnapshotStale => "snapshot-stale",
            Self::TenantAmbiguous => "tenant-ambiguous",
            Self::TenantUnknown => "tenant-unknown",
            Self::TokenAlgorithm => "token-algorithm",
            Self::TokenAudience => "token-audience",
            Self::TokenBinding => "token-binding",
            Self::TokenClaim => "token-claim",
            Self::TokenCritical => "token-critical",
            Self::TokenExpired => "token-expired",
            Self::TokenIssuer => "token-issuer",
            Self::TokenKeyUnfit => "token-key-unfit",
            Self::TokenKeyUnknown => "token-key-unknown",
            Self::TokenMalformed => "token-malformed",
            Self::TokenMissing => "token-missing",
            Self::TokenNotYetValid => "token-not-yet-valid",
            Self::TokenRevoked => "token-revoked",
            Self::TokenSignature => "token-signature",
            Self::TokenSubject => "token-subject",
            Self::TokenTenant => "token-tenant",
            Self::TokenTooLarge => "token-too-large",
            Self::TokenType => "token-type",
            Self::TooLarge => "too-large",
            Self::Unmapped => "unmapped",
            Self::UserAmbiguous => "user-ambiguous",
        }
    }

    /// The code that is written `code`, if there is one.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == code)
    }

    /// The kind of this reason.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::ActorChain
            | Self::AgentContextInvalid
            | Self::AgentContextMissing
            | Self::AgentRequired
            | Self::BindingUnmatched
            | Self::CrossUser
            | Self::NotDelegate
            | Self::UserAmbiguous => Class::Binding,
            Self::AgentTool
            | Self::AgentUse
            | Self::CallerTool
            | Self::Condition
            | Self::CrossTenant
            | Self::NoRelation
            | Self::TenantAmbiguous
            | Self::TenantUnknown => Class::Rule,
            Self::Batch
            | Self::HeaderMismatch
            | Self::Malformed
            | Self::MethodUnknown
            | Self::Path
            | Self::TooLarge
            | Self::Unmapped => Class::Request,
            Self::Budget
            | Self::ConditionSteps
            | Self::Depth
            | Self::Internal
            | Self::KeysMissing
            | Self::PolicyMissing
            | Self::SnapshotMissing
            | Self::SnapshotRollback
            | Self::SnapshotSignature
            | Self::SnapshotStale => Class::State,
            Self::ChannelUnmapped
            | Self::DomainNotAllowed
            | Self::LinkLimited
            | Self::LinkRequired => Class::Channel,
            Self::CredentialExpired
            | Self::CredentialRevoked
            | Self::CredentialUnknown
            | Self::IdentityDisabled
            | Self::IdentityExpired
            | Self::IdentityUnknown
            | Self::ScopeAction
            | Self::ScopeMode
            | Self::ScopeToken
            | Self::ScopeWorkspace => Class::Identity,
            Self::Ok => Class::Allow,
            Self::TokenAlgorithm
            | Self::TokenAudience
            | Self::TokenBinding
            | Self::TokenClaim
            | Self::TokenCritical
            | Self::TokenExpired
            | Self::TokenIssuer
            | Self::TokenKeyUnfit
            | Self::TokenKeyUnknown
            | Self::TokenMalformed
            | Self::TokenMissing
            | Self::TokenNotYetValid
            | Self::TokenRevoked
            | Self::TokenSignature
            | Self::TokenSubject
            | Self::TokenTenant
            | Self::TokenTooLarge
            | Self::TokenType => Class::Token,
        }
    }

    /// Where the decision failed; `None` for `ok` alone.
    #[must_use]
    pub const fn line(self) -> Option<FailingLine> {
        match self {
            Self::ActorChain
            | Self::AgentContextInvalid
            | Self::AgentContextMissing
            | Self::AgentRequired
            | Self::BindingUnmatched
            | Self::ChannelUnmapped
            | Self::CrossUser
            | Self::DomainNotAllowed
            | Self::LinkLimited
            | Self::LinkRequired
            | Self::UserAmbiguous => Some(FailingLine::Binding),
            Self::AgentTool | Self::CallerTool => Some(FailingLine::Seven),
            Self::AgentUse => Some(FailingLine::Six),
            Self::Batch
            | Self::HeaderMismatch
            | Self::Internal
            | Self::Malformed
            | Self::Path
            | Self::PolicyMissing
            | Self::TooLarge => Some(FailingLine::Framing),
            Self::Budget
            | Self::Condition
            | Self::ConditionSteps
            | Self::Depth
            | Self::NoRelation => Some(FailingLine::Eight),
            Self::CredentialExpired
            | Self::CredentialRevoked
            | Self::CredentialUnknown
            | Self::IdentityDisabled
            | Self::IdentityExpired
            | Self::IdentityUnknown
            | Self::TokenRevoked => Some(FailingLine::Two),
            Self::CrossTenant | Self::TenantAmbiguous | Self::TenantUnknown => {
                Some(FailingLine::Three)
            }
            Self::KeysMissing
            | Self::TokenAlgorithm
            | Self::TokenAudience
            | Self::TokenBinding
            | Self::TokenClaim
            | Self::TokenCritical
            | Self::TokenExpired
            | Self::TokenIssuer
            | Self::TokenKeyUnfit
            | Self::TokenKeyUnknown
            | Self::TokenMalformed
            | Self::TokenMissing
            | Self::TokenNotYetValid
            | Self::TokenSignature
            | Self::TokenSubject
            | Self::TokenTenant
            | Self::TokenTooLarge
            | Self::TokenType => Some(FailingLine::Token),
            Self::MethodUnknown | Self::Unmapped => Some(FailingLine::Mapping),
            Self::NotDelegate => Some(FailingLine::Four),
            Self::Ok => None,
            Self::ScopeAction | Self::ScopeMode | Self::ScopeToken | Self::ScopeWorkspace => {
                Some(FailingLine::Five)
            }
            Self::SnapshotMissing
            | Self::SnapshotRollback
            | Self::SnapshotSignature
            | Self::SnapshotStale => Some(FailingLine::One),
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Class {
    /// The class as `contract/reason-codes.toml` writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Binding => "binding",
            Self::Channel => "channel",
            Self::Identity => "identity",
            Self::Request => "request",
            Self::Rule => "rule",
            Self::State => "state",
            Self::Token => "token",
        }
    }
}

impl FailingLine {
    /// The line as audit records write it: `framing`, `token`, `mapping`, `binding`, or `1` to `8`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Framing => "framing",
            Self::Token => "token",
            Self::Mapping => "mapping",
            Self::Binding => "binding",
            Self::One => "1",
            Self::Two => "2",
            Self::Three => "3",
            Self::Four => "4",
            Self::Five => "5",
            Self::Six => "6",
            Self::Seven => "7",
            Self::Eight => "8",
        }
    }
}
