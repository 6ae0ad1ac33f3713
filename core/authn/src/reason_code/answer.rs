//! How each door answers a reason code, and what people read of it.
//!
//! Generated from `contract/reason-codes.toml` by `cargo xtask generate`; do not edit.

#![expect(clippy::too_many_lines, reason = "generated: one arm a code, no catch-all")]

use super::ReasonCode;

/// A `WWW-Authenticate: Bearer` challenge. Spec: RFC 6750 section 3.1.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Challenge {
    /// A challenge without `error`: no token came with the request.
    Bare,
    /// `error="insufficient_scope"`.
    InsufficientScope,
    /// `error="invalid_token"`.
    InvalidToken,
}

/// What a yes-or-no interface answers.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// No.
    Deny,
    /// Yes.
    Allow,
    /// No decision was possible: the service answers 503, never yes.
    Error,
}

/// The columns that say how each door answers.
struct Answer {
    http_status: u16,
    mcp_status: u16,
    json_rpc_code: Option<i32>,
    challenge: Option<Challenge>,
    authzen: Outcome,
    permit: Outcome,
    text: &'static str,
}

impl ReasonCode {
    /// HTTP status at a plain HTTP door.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        self.answer().http_status
    }

    /// HTTP status of an MCP call.
    #[must_use]
    pub const fn mcp_status(self) -> u16 {
        self.answer().mcp_status
    }

    /// JSON-RPC error code of an MCP call; `None` where there is no error.
    #[must_use]
    pub const fn json_rpc_code(self) -> Option<i32> {
        self.answer().json_rpc_code
    }

    /// The Bearer challenge to send; `None` where there is none.
    #[must_use]
    pub const fn challenge(self) -> Option<Challenge> {
        self.answer().challenge
    }

    /// Answer of an AuthZEN evaluation.
    #[must_use]
    pub const fn authzen(self) -> Outcome {
        self.answer().authzen
    }

    /// Answer of a Permit-compatible check.
    #[must_use]
    pub const fn permit(self) -> Outcome {
        self.answer().permit
    }

    /// What a denied caller may read: neutral, names nobody.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.answer().text
    }

    /// The name that existing bridges use.
    #[must_use]
    pub const fn bridge(self) -> &'static str {
        match self {
            Self::ActorChain => "DENY_ACTOR_CHAIN",
            Self::AgentContextInvalid => "DENY_AGENT_CONTEXT_INVALID",
            Self::AgentContextMissing => "DENY_NO_AGENT_CONTEXT",
            Self::AgentRequired => "DENY_AGENT_REQUIRED",
            Self::AgentTool => "DENY_AGENT_TOOL",
            Self::AgentUse => "DENY_AGENT_USE",
            Self::Batch => "DENY_BATCH",
            Self::BindingUnmatched => "DENY_BINDING_UNMATCHED",
            Self::Budget
            | Self::ConditionSteps
            | Self::Depth
            | Self::Internal
            | Self::KeysMissing
            | Self::PolicyMissing
            | Self::SnapshotMissing
            | Self::SnapshotRollback
            | Self::SnapshotSignature
            | Self::SnapshotStale => "DENY_PDP_UNAVAILABLE",
            Self::CallerTool => "DENY_CALLER_TOOL",
            Self::ChannelUnmapped => "DENY_CHANNEL_UNMAPPED",
            Self::Condition => "DENY_CONDITION",
            Self::CredentialExpired => "DENY_CREDENTIAL_EXPIRED",
            Self::CredentialRevoked => "DENY_CREDENTIAL_REVOKED",
            Self::CredentialUnknown => "DENY_CREDENTIAL_UNKNOWN",
            Self::CrossTenant => "DENY_CROSS_TENANT",
            Self::CrossUser => "DENY_CROSS_USER",
            Self::DomainNotAllowed => "DENY_DOMAIN_NOT_ALLOWED",
            Self::HeaderMismatch => "DENY_HEADER_MISMATCH",
            Self::IdentityDisabled => "DENY_IDENTITY_DISABLED",
            Self::IdentityExpired => "DENY_IDENTITY_EXPIRED",
            Self::IdentityUnknown => "DENY_IDENTITY_UNKNOWN",
            Self::LinkLimited => "DENY_LINK_LIMITED",
            Self::LinkRequired => "DENY_LINK_REQUIRED",
            Self::Malformed => "DENY_MALFORMED",
            Self::MethodUnknown => "DENY_METHOD_UNKNOWN",
            Self::NoRelation => "DENY_NO_CAPABILITY",
            Self::NotDelegate => "DENY_NOT_DELEGATE",
            Self::Ok => "OK",
            Self::Path => "DENY_PATH",
            Self::ScopeAction => "DENY_SCOPE_ACTION",
            Self::ScopeMode => "DENY_SCOPE_MODE",
            Self::ScopeToken => "DENY_SCOPE_TOKEN",
            Self::ScopeWorkspace => "DENY_SCOPE_WORKSPACE",
            Self::TenantAmbiguous => "DENY_TENANT_AMBIGUOUS",
            Self::TenantUnknown => "DENY_TENANT_UNKNOWN",
            Self::TokenAlgorithm => "DENY_TOKEN_ALGORITHM",
            Self::TokenAudience => "DENY_TOKEN_AUDIENCE",
            Self::TokenBinding => "DENY_TOKEN_BINDING",
            Self::TokenClaim => "DENY_TOKEN_CLAIM",
            Self::TokenCritical => "DENY_TOKEN_CRITICAL",
            Self::TokenExpired => "DENY_TOKEN_EXPIRED",
            Self::TokenIssuer => "DENY_TOKEN_ISSUER",
            Self::TokenKeyUnfit => "DENY_TOKEN_KEY_UNFIT",
            Self::TokenKeyUnknown => "DENY_TOKEN_KEY_UNKNOWN",
            Self::TokenMalformed => "DENY_TOKEN_MALFORMED",
            Self::TokenMissing => "DENY_NO_TOKEN",
            Self::TokenNotYetValid => "DENY_TOKEN_NOT_YET_VALID",
            Self::TokenRevoked => "DENY_TOKEN_REVOKED",
            Self::TokenSignature => "DENY_TOKEN_SIGNATURE",
            Self::TokenSubject => "DENY_TOKEN_SUBJECT",
            Self::TokenTenant => "DENY_TOKEN_TENANT",
            Self::TokenTooLarge => "DENY_TOKEN_TOO_LARGE",
            Self::TokenType => "DENY_TOKEN_TYPE",
            Self::TooLarge => "DENY_TOO_LARGE",
            Self::Unmapped => "DENY_UNMAPPED",
            Self::UserAmbiguous => "DENY_USER_AMBIGUOUS",
        }
    }

    /// One sentence for operators.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ActorChain => {
                "An earlier actor of the chain is disabled, revoked, or not delegated where the contract requires it."
            }
            Self::AgentContextInvalid => {
                "The signed agent context is malformed, expired, or signed for another token, agent, audience, server or tool."
            }
            Self::AgentContextMissing => {
                "The agent names no user: a signed agent context is required here."
            }
            Self::AgentRequired => "This route is for agents, and the token or client names none.",
            Self::AgentTool => "The agent may not call this tool.",
            Self::AgentUse => "The user may not use this agent.",
            Self::Batch => "JSON-RPC batches are not accepted.",
            Self::BindingUnmatched => "The evidence fits no row of the binding table.",
            Self::Budget => {
                "The relationship walk took more edges, or a moment more checks of signatures, than the budget allows."
            }
            Self::CallerTool => "The user may not call this tool.",
            Self::ChannelUnmapped => "The channel is mapped to no team.",
            Self::Condition => "A condition on the relationship does not hold, or lacks its input.",
            Self::ConditionSteps => "A condition took more steps than the limit.",
            Self::CredentialExpired => "The credential has expired.",
            Self::CredentialRevoked => {
                "The credential was revoked; the identity may still be active."
            }
            Self::CredentialUnknown => {
                "No registered credential of the identity matches the token."
            }
            Self::CrossTenant => {
                "Agent, user, resource and the token's tenant claim do not share one tenant."
            }
            Self::CrossUser => "The request or its context names a user other than the bound one.",
            Self::Depth => "The relationship walk went deeper than the limit.",
            Self::DomainNotAllowed => "The e-mail domain may not create users on first contact.",
            Self::HeaderMismatch => "An MCP header and the body disagree.",
            Self::IdentityDisabled => "The identity is suspended or retired.",
            Self::IdentityExpired => "The identity has expired.",
            Self::IdentityUnknown => "The registry has no record of this (issuer, subject).",
            Self::Internal => "The plugin trapped, ran out of time or memory, or was not usable.",
            Self::KeysMissing => {
                "No trust is loaded, or this issuer's key set is missing, stale, or older than the token's key."
            }
            Self::LinkLimited => "A link prompt was sent too recently.",
            Self::LinkRequired => {
                "The chat user is not linked to an identity: a link prompt was sent and nothing was done."
            }
            Self::Malformed => "The request, or a mapped argument of it, is malformed.",
            Self::MethodUnknown => "The MCP method is not in the contract table.",
            Self::NoRelation => "The user has no relation to the resource that allows the action.",
            Self::NotDelegate => "The agent is not delegated by the bound user.",
            Self::Ok => "Every check passed.",
            Self::Path => {
                "The path has dot segments, empty segments, backslashes or encoded separators."
            }
            Self::PolicyMissing => "No gate policy is loaded, or it does not list this audience.",
            Self::ScopeAction => "The action is not among the identity's actions.",
            Self::ScopeMode => "The action's mode is not among the identity's modes.",
            Self::ScopeToken => "The token's `scope` does not cover the action.",
            Self::ScopeWorkspace => "The resource is outside the identity's workspaces or boards.",
            Self::SnapshotMissing => "No snapshot is loaded.",
            Self::SnapshotRollback => "The snapshot includes less than what was applied before.",
            Self::SnapshotSignature => {
                "The snapshot, delta or heartbeat is not signed by a pinned key."
            }
            Self::SnapshotStale => {
                "The newest signed state is older than the contract allows, or a delta is missing."
            }
            Self::TenantAmbiguous => "The person belongs to several tenants and nothing names one.",
            Self::TenantUnknown => "A principal or object has no tenant in the registry.",
            Self::TokenAlgorithm => {
                "The header's `alg` is missing, or not one that this issuer may use; `none` and HMAC never are."
            }
            Self::TokenAudience => {
                "The `aud` claim is missing, malformed, or does not contain the audience of this route."
            }
            Self::TokenBinding => {
                "The token has a confirmation (`cnf`) that was not verified on this request."
            }
            Self::TokenClaim => {
                "A claim is missing or malformed, fails a claim test of the contract, or is outside what this issuer may state."
            }
            Self::TokenCritical => {
                "The header has `crit` or `b64`, whose extensions are not supported."
            }
            Self::TokenExpired => "The `exp` claim has passed, skew included.",
            Self::TokenIssuer => {
                "The `iss` claim is missing, not a string, or not exactly a configured issuer."
            }
            Self::TokenKeyUnfit => {
                "The key that the token names may not verify it: `kty`, `crv`, `alg`, `use` or `key_ops` do not fit, it is too short, or it is no valid point."
            }
            Self::TokenKeyUnknown => {
                "No key of this issuer's newest key set has the token's `kid`, or the token has none and more than one key fits."
            }
            Self::TokenMalformed => {
                "The token is not three strict base64url parts of strict JSON: duplicate members, padding, a byte-order mark, invalid UTF-8 or too much depth included."
            }
            Self::TokenMissing => "No bearer token came with the request.",
            Self::TokenNotYetValid => "The `nbf` or `iat` claim lies in the future, skew included.",
            Self::TokenRevoked => "The token itself was revoked.",
            Self::TokenSignature => "The signature is not valid under the named key.",
            Self::TokenSubject => "The subject is missing, empty, or not a string.",
            Self::TokenTenant => "The tenant claim is not one that this issuer may speak for.",
            Self::TokenTooLarge => "The token is longer than 16 KiB.",
            Self::TokenType => {
                "The header's `typ` is not one that this issuer's access tokens have."
            }
            Self::TooLarge => "The request body is larger than the route allows.",
            Self::Unmapped => "No route, tool or resource mapping covers this request.",
            Self::UserAmbiguous => {
                "The agent is delegated by more than one user and nothing names which."
            }
        }
    }

    const fn answer(self) -> Answer {
        match self {
            Self::ActorChain
            | Self::AgentContextInvalid
            | Self::AgentContextMissing
            | Self::AgentRequired
            | Self::AgentTool
            | Self::AgentUse
            | Self::BindingUnmatched
            | Self::CallerTool
            | Self::ChannelUnmapped
            | Self::Condition
            | Self::CredentialExpired
            | Self::CredentialRevoked
            | Self::CredentialUnknown
            | Self::CrossTenant
            | Self::CrossUser
            | Self::DomainNotAllowed
            | Self::IdentityDisabled
            | Self::IdentityExpired
            | Self::IdentityUnknown
            | Self::NoRelation
            | Self::NotDelegate
            | Self::ScopeAction
            | Self::ScopeMode
            | Self::ScopeWorkspace
            | Self::TenantAmbiguous
            | Self::TenantUnknown
            | Self::Unmapped
            | Self::UserAmbiguous => Answer {
                http_status: 403,
                mcp_status: 200,
                json_rpc_code: Some(-32001),
                challenge: None,
                authzen: Outcome::Deny,
                permit: Outcome::Deny,
                text: "Access denied.",
            },
            Self::Batch | Self::Malformed | Self::Path => Answer {
                http_status: 400,
                mcp_status: 400,
                json_rpc_code: Some(-32600),
                challenge: None,
                authzen: Outcome::Deny,
                permit: Outcome::Deny,
                text: "The request was not understood.",
            },
            Self::Budget
            | Self::ConditionSteps
            | Self::Depth
            | Self::Internal
            | Self::KeysMissing
            | Self::PolicyMissing
            | Self::SnapshotMissing
            | Self::SnapshotRollback
            | Self::SnapshotSignature
            | Self::SnapshotStale => Answer {
                http_status: 503,
                mcp_status: 503,
                json_rpc_code: Some(-32603),
                challenge: None,
                authzen: Outcome::Error,
                permit: Outcome::Error,
                text: "The decision is not available. Try again.",
            },
            Self::HeaderMismatch => Answer {
                http_status: 400,
                mcp_status: 400,
                json_rpc_code: Some(-32020),
                challenge: None,
                authzen: Outcome::Deny,
                permit: Outcome::Deny,
                text: "The request was not understood.",
            },
            Self::LinkLimited | Self::LinkRequired => Answer {
                http_status: 403,
                mcp_status: 200,
                json_rpc_code: Some(-32001),
                challenge: None,
                authzen: Outcome::Deny,
                permit: Outcome::Deny,
                text: "Link your account first.",
            },
            Self::MethodUnknown => Answer {
                http_status: 403,
                mcp_status: 200,
                json_rpc_code: Some(-32601),
                challenge: None,
                authzen: Outcome::Deny,
                permit: Outcome::Deny,
                text: "Access denied.",
            },
            Self::Ok => Answer {
                http_status: 200,
                mcp_status: 200,
                json_rpc_code: None,
                challenge: None,
                authzen: Outcome::Allow,
                permit: Outcome::Allow,
                text: "Allowed.",
            },
            Self::ScopeToken => Answer {
                http_status: 403,
                mcp_status: 403,
                json_rpc_code: Some(-32001),
                challenge: Some(Challenge::InsufficientScope),
                authzen: Outcome::Deny,
                permit: Outcome::Deny,
                text: "The access token lacks a scope that this action needs.",
            },
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
            | Self::TokenNotYetValid
            | Self::TokenRevoked
            | Self::TokenSignature
            | Self::TokenSubject
            | Self::TokenTenant
            | Self::TokenTooLarge
            | Self::TokenType => Answer {
                http_status: 401,
                mcp_status: 401,
                json_rpc_code: Some(-32001),
                challenge: Some(Challenge::InvalidToken),
                authzen: Outcome::Deny,
                permit: Outcome::Deny,
                text: "The access token was not accepted.",
            },
            Self::TokenMissing => Answer {
                http_status: 401,
                mcp_status: 401,
                json_rpc_code: Some(-32001),
                challenge: Some(Challenge::Bare),
                authzen: Outcome::Deny,
                permit: Outcome::Deny,
                text: "An access token is required.",
            },
            Self::TooLarge => Answer {
                http_status: 413,
                mcp_status: 413,
                json_rpc_code: Some(-32600),
                challenge: None,
                authzen: Outcome::Deny,
                permit: Outcome::Deny,
                text: "The request is too large.",
            },
        }
    }
}

impl Challenge {
    /// The `error` attribute; `None` for a challenge without one.
    #[must_use]
    pub const fn error(self) -> Option<&'static str> {
        match self {
            Self::Bare => None,
            Self::InsufficientScope => Some("insufficient_scope"),
            Self::InvalidToken => Some("invalid_token"),
        }
    }
}
