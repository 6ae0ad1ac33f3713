//! OAuth error answers.
//!
//! Spec: RFC 6749 section 5.2, RFC 8693 section 2.2.2, RFC 8707 section 2.

/// Why the token endpoint refuses. The description is fixed text: input is never echoed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OAuthError {
    pub(super) code: ErrorCode,
    pub(super) description: &'static str,
}

/// The registered error codes that this issuer answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorCode {
    InvalidClient,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    ServerError,
    UnauthorizedClient,
    UnsupportedGrantType,
}

impl OAuthError {
    pub(super) const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    pub(super) const fn request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }
}

impl ErrorCode {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidClient => "invalid_client",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::ServerError => "server_error",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }

    pub(super) const fn status(self) -> u16 {
        match self {
            Self::InvalidClient => 401,
            Self::ServerError => 500,
            Self::InvalidRequest
            | Self::InvalidScope
            | Self::InvalidTarget
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType => 400,
        }
    }
}
