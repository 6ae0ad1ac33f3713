//! Why a token was refused.

use std::fmt;

use crate::algorithm::Algorithm;
use crate::json::JsonError;
use crate::key::KeyUnfit;
use crate::limits;
use crate::load_error::LoadError;
use crate::reason_code::ReasonCode;
use crate::text::quoted;

/// A policy outcome: the token is not accepted. One variant per cause, with the data that an
/// operator needs; the wire shows its [`ReasonCode`].
///
/// Not `non_exhaustive`: a new refusal must break every adapter until it is mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `alg` is not in the issuer's list.
    AlgorithmNotAllowed {
        /// What the header says, if it is an algorithm that any issuer could use.
        algorithm: Algorithm,
    },
    /// `alg` is missing, not a string, or no algorithm that any issuer could use.
    AlgorithmUnsupported {
        /// What the header says, if it is a string.
        algorithm: Option<String>,
    },
    /// `aud` is wrong.
    Audience(ClaimProblem),
    /// The token is bound to a key or certificate that was not verified on this request.
    Binding {
        /// The confirmation method.
        method: String,
    },
    /// A claim is wrong.
    Claim {
        /// Its name, or its JSON Pointer.
        claim: String,
        /// What is wrong.
        problem: ClaimProblem,
    },
    /// The header has `crit` or `b64`.
    Critical {
        /// Which.
        parameter: &'static str,
    },
    /// `exp` has passed.
    Expired {
        /// Seconds since the epoch.
        now: u64,
        /// `exp`
        expires: u64,
    },
    /// `iss` is wrong.
    Issuer {
        /// The claim, if it is a string.
        issuer: Option<String>,
    },
    /// No key of the issuer's set has this `kid`; without one, not exactly one fits.
    KeyUnknown {
        /// The header's `kid`.
        kid: Option<String>,
    },
    /// The key may not verify this token.
    KeyUnfit(KeyUnfit),
    /// No current key set of the issuer.
    KeysMissing {
        /// The issuer.
        issuer: String,
        /// Why.
        state: KeysState,
    },
    /// Not a compact JWS of strict JSON.
    Malformed(Malformation),
    /// `nbf` or `iat` lies in the future.
    NotYetValid {
        /// Which.
        claim: &'static str,
        /// Seconds since the epoch.
        now: u64,
        /// The claim's value.
        starts: u64,
    },
    /// The loaded contract does not list the audience that the host asked for.
    PolicyMissing {
        /// The audience.
        audience: Option<String>,
    },
    /// The host's own request is malformed.
    Request {
        /// The member.
        member: String,
    },
    /// The signature does not verify.
    Signature,
    /// The subject is missing, empty, or not a string.
    Subject(ClaimProblem),
    /// The tenant claim is not one of the issuer's.
    Tenant {
        /// The claim.
        tenant: String,
    },
    /// The token is empty.
    TokenMissing,
    /// The token is longer than the limit.
    TooLarge {
        /// Its bytes.
        bytes: usize,
    },
    /// Nothing was loaded that says whom to trust.
    TrustMissing,
    /// What should say whom to trust does not load.
    TrustUnusable(LoadError),
    /// `typ` is not one of the issuer's.
    Type {
        /// What the header says, if it is a string.
        typ: Option<String>,
    },
    /// Too many signatures at once: the host asked to bound them. Nothing is said of the token.
    VerificationBudget,
}

/// What is wrong with a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimProblem {
    /// Above a limit of this crate or of the contract.
    Limit,
    /// Of the wrong type or form.
    Malformed,
    /// Well-formed, but not what is required.
    Mismatch,
    /// Absent.
    Missing,
}

impl ClaimProblem {
    const fn describe(self) -> &'static str {
        match self {
            Self::Limit => "is above its limit",
            Self::Malformed => "is malformed",
            Self::Mismatch => "is not what is required",
            Self::Missing => "is missing",
        }
    }
}

/// Why an issuer has no usable key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysState {
    /// None was loaded.
    Absent,
    /// A newer one is needed, because the token's key is not in this one.
    Behind,
    /// It was fetched longer ago than it may serve.
    Stale,
}

/// Why a token is no compact JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformation {
    /// A part is no strict base64url.
    Base64(Part),
    /// A part is no strict JSON.
    Json(Part, JsonError),
    /// The `kid` is not a string.
    KeyId,
    /// A part is JSON, but no object.
    NotObject(Part),
    /// Not exactly three parts.
    Parts,
}

/// A part of a compact JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first.
    Header,
    /// The second.
    Payload,
    /// The third.
    Signature,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        }
    }
}

impl Refusal {
    /// The stable code on the wire.
    #[must_use]
    pub const fn code(&self) -> ReasonCode {
        match self {
            Self::AlgorithmNotAllowed { .. } | Self::AlgorithmUnsupported { .. } => {
                ReasonCode::TokenAlgorithm
            }
            Self::Audience(_) => ReasonCode::TokenAudience,
            Self::Binding { .. } => ReasonCode::TokenBinding,
            Self::Claim { .. } => ReasonCode::TokenClaim,
            Self::Critical { .. } => ReasonCode::TokenCritical,
            Self::Expired { .. } => ReasonCode::TokenExpired,
            Self::Issuer { .. } => ReasonCode::TokenIssuer,
            Self::KeyUnknown { .. } => ReasonCode::TokenKeyUnknown,
            Self::KeyUnfit(_) => ReasonCode::TokenKeyUnfit,
            Self::KeysMissing { .. } | Self::TrustMissing | Self::TrustUnusable(_) => {
                ReasonCode::KeysMissing
            }
            Self::Malformed(_) => ReasonCode::TokenMalformed,
            Self::NotYetValid { .. } => ReasonCode::TokenNotYetValid,
            Self::PolicyMissing { .. } => ReasonCode::PolicyMissing,
            Self::Request { .. } => ReasonCode::Malformed,
            Self::Signature => ReasonCode::TokenSignature,
            Self::Subject(_) => ReasonCode::TokenSubject,
            Self::Tenant { .. } => ReasonCode::TokenTenant,
            Self::TokenMissing => ReasonCode::TokenMissing,
            Self::TooLarge { .. } => ReasonCode::TokenTooLarge,
            Self::Type { .. } => ReasonCode::TokenType,
            Self::VerificationBudget => ReasonCode::Budget,
        }
    }

    /// The issuer whose key set should be fetched again, if that could help.
    #[must_use]
    pub fn refresh(&self) -> Option<&str> {
        if let Self::KeysMissing { issuer, .. } = self { Some(issuer) } else { None }
    }

    pub(crate) fn claim(claim: &str, problem: ClaimProblem) -> Self {
        Self::Claim { claim: claim.to_owned(), problem }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stated = |text: &Option<String>| {
            text.as_deref().map_or_else(|| "missing or no string".to_owned(), quoted)
        };
        match self {
            Self::AlgorithmNotAllowed { algorithm } => {
                write!(formatter, "`alg` {algorithm} is not in this issuer's `algorithms`")
            }
            Self::AlgorithmUnsupported { algorithm } => {
                write!(formatter, "`alg` is {}", stated(algorithm))
            }
            Self::Audience(problem) => write!(formatter, "`aud` {}", problem.describe()),
            Self::Binding { method } => {
                write!(formatter, "`cnf` {} was not verified on this request", quoted(method))
            }
            Self::Claim { claim, problem } => {
                write!(formatter, "{} {}", quoted(claim), problem.describe())
            }
            Self::Critical { parameter } => write!(formatter, "the header has `{parameter}`"),
            Self::Expired { now, expires } => write!(formatter, "`exp` is {expires}, now is {now}"),
            Self::Issuer { issuer } => write!(formatter, "`iss` is {}", stated(issuer)),
            Self::KeyUnknown { kid: Some(kid) } => {
                write!(formatter, "no key has `kid` {}", quoted(kid))
            }
            Self::KeyUnknown { kid: None } => {
                formatter.write_str("no `kid`, and not exactly one key fits")
            }
            Self::KeyUnfit(unfit) => {
                write!(formatter, "the key may not verify: {}", unfit.describe())
            }
            Self::KeysMissing { issuer, state } => {
                write!(formatter, "the key set of {} {}", quoted(issuer), state.describe())
            }
            Self::Malformed(malformation) => malformation.fmt(formatter),
            Self::NotYetValid { claim, now, starts } => {
                write!(formatter, "`{claim}` is {starts}, now is {now}")
            }
            Self::PolicyMissing { audience } => {
                write!(formatter, "the contract does not list the audience: {}", stated(audience))
            }
            Self::Request { member } => {
                write!(formatter, "the request's {} is malformed", quoted(member))
            }
            Self::Signature => formatter.write_str("the signature does not verify"),
            Self::Subject(problem) => write!(formatter, "the subject {}", problem.describe()),
            Self::Tenant { tenant } => {
                write!(formatter, "{} is not in this issuer's `tenants`", quoted(tenant))
            }
            Self::TokenMissing => formatter.write_str("no token came"),
            Self::TooLarge { bytes } => {
                write!(formatter, "{bytes} bytes, above the limit of {}", limits::TOKEN_BYTES)
            }
            Self::TrustMissing => formatter.write_str("no trust is loaded"),
            Self::TrustUnusable(error) => write!(formatter, "the trust does not load: {error}"),
            Self::Type { typ } => write!(formatter, "`typ` is {}", stated(typ)),
            Self::VerificationBudget => {
                formatter.write_str("more signatures at once than this instance may check")
            }
        }
    }
}

impl KeysState {
    const fn describe(self) -> &'static str {
        match self {
            Self::Absent => "is not loaded",
            Self::Behind => "lacks the token's key and may be behind",
            Self::Stale => "was fetched too long ago",
        }
    }
}

impl fmt::Display for Malformation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base64(part) => write!(formatter, "the {} is not strict base64url", part.name()),
            Self::Json(part, error) => {
                write!(formatter, "the {} {}", part.name(), error.describe())
            }
            Self::KeyId => formatter.write_str("the header's `kid` is not a string"),
            Self::NotObject(part) => write!(formatter, "the {} is not a JSON object", part.name()),
            Self::Parts => formatter.write_str("not three parts"),
        }
    }
}

impl std::error::Error for Refusal {}
