//! What the gate itself refuses, before or beside the rule.

use std::borrow::Cow;

use mandate_authn::{FailingLine, ReasonCode};

/// Why a request does not come as far as the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) reason: ReasonCode,
    pub(crate) line: FailingLine,
    pub(crate) detail: Cow<'static, str>,
}

impl Refused {
    /// A refusal at the reason's own line.
    pub(crate) fn new(reason: ReasonCode, detail: impl Into<Cow<'static, str>>) -> Self {
        // INVARIANT: only `ok` has no line, and nothing is refused with it.
        let line = reason.line().unwrap_or(FailingLine::Framing);
        Self { reason, line, detail: detail.into() }
    }

    /// The same refusal at another line than the reason's own.
    pub(crate) const fn at(mut self, line: FailingLine) -> Self {
        self.line = line;
        self
    }

    /// The request is not understood.
    pub(crate) fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ReasonCode::Malformed, detail)
    }

    /// The request is understood so far that a mapped part of it is wrong.
    pub(crate) fn malformed_mapping(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::malformed(detail).at(FailingLine::Mapping)
    }

    /// The operator's tables say nothing of it.
    pub(crate) fn unmapped(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ReasonCode::Unmapped, detail)
    }

    /// The code.
    #[cfg(test)]
    pub(crate) const fn reason(&self) -> ReasonCode {
        self.reason
    }
}
