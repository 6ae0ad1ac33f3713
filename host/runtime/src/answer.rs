//! Verdicts: what the plugin answered, once it has been found to be consistent.

use serde::Serialize;

use crate::bindings::{authn, types};
use crate::failure::Failure;
use crate::request::ValidateRequest;
use crate::verified_token::VerifiedToken;

/// The outcome of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Refused.
    Deny,
    /// Every check passed.
    Allow,
}

/// The answer to a validation.
///
/// Its JSON form is that of the probe protocol; absent members are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Validation {
    /// `Allow` only if every check passed.
    pub verdict: Verdict,
    /// A code of `contract/reason-codes.toml`: `ok`, or why not.
    pub reason: String,
    /// For the operator: one line that may name claims and times, never token bytes.
    pub detail: String,
    /// The verified token; present exactly when allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<VerifiedToken>,
    /// The issuer whose key set should be fetched again now (`keys-missing`). Limit how often that
    /// is followed: who sends tokens can cause it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// Room for growth: names that the embedder does not know are to be ignored.
    #[serde(skip)]
    pub extra: Vec<(String, String)>,
}

impl Validation {
    /// The verified token, if the verdict is `Allow`; else the refusal itself.
    ///
    /// # Errors
    /// The whole answer, when it denies.
    ///
    /// # Example
    /// ```
    /// # fn answer(validation: mandate_host::Validation) -> u16 {
    /// match validation.into_result() {
    ///     Ok(token) => { println!("{} may pass", token.subject); 200 }
    ///     Err(refusal) => { println!("{}: {}", refusal.reason, refusal.detail); 401 }
    /// }
    /// # }
    /// ```
    pub fn into_result(mut self) -> Result<VerifiedToken, Box<Self>> {
        match (self.verdict, self.token.take()) {
            (Verdict::Allow, Some(token)) => Ok(token),
            (Verdict::Allow | Verdict::Deny, token) => Err(Box::new(Self { token, ..self })),
        }
    }

    /// Reads the plugin's answer; one that contradicts itself or the question is a failure.
    pub(crate) fn read(
        answer: authn::Validation,
        request: &ValidateRequest,
    ) -> Result<Self, Failure> {
        let verdict = consistent(answer.verdict, &answer.reason)?;
        match (verdict, &answer.token) {
            (Verdict::Allow, None) => return Err(Failure::Inconsistent("allow without a token")),
            (Verdict::Deny, Some(_)) => return Err(Failure::Inconsistent("deny with a token")),
            (Verdict::Allow, Some(token)) if !token.audiences.contains(&request.audience) => {
                return Err(Failure::Inconsistent("allow for another audience"));
            }
            (Verdict::Allow, Some(_)) | (Verdict::Deny, None) => {}
        }
        Ok(Self {
            verdict,
            reason: answer.reason,
            detail: answer.detail,
            token: answer.token.map(VerifiedToken::from),
            refresh: answer.refresh,
            extra: answer.extra,
        })
    }
}

impl From<Failure> for Validation {
    fn from(failure: Failure) -> Self {
        Self {
            verdict: Verdict::Deny,
            reason: INTERNAL.to_owned(),
            detail: failure.to_string(),
            token: None,
            refresh: None,
            extra: Vec::new(),
        }
    }
}

/// The answer of the signature layer alone. It authenticates nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct JwsCheck {
    /// `Allow` if the signature is valid under one fitting key.
    pub verdict: Verdict,
    /// A code of `contract/reason-codes.toml`: `ok`, or why not.
    pub reason: String,
    /// For the operator: one line.
    pub detail: String,
}

impl JwsCheck {
    /// Reads the plugin's answer; one that contradicts itself is a failure.
    pub(crate) fn read(answer: authn::JwsCheck) -> Result<Self, Failure> {
        let verdict = consistent(answer.verdict, &answer.reason)?;
        Ok(Self { verdict, reason: answer.reason, detail: answer.detail })
    }
}

impl From<Failure> for JwsCheck {
    fn from(failure: Failure) -> Self {
        Self { verdict: Verdict::Deny, reason: INTERNAL.to_owned(), detail: failure.to_string() }
    }
}

/// `ok` and `allow` go together, and nothing else does.
pub(crate) fn consistent(verdict: types::Verdict, reason: &str) -> Result<Verdict, Failure> {
    match (verdict, reason) {
        (types::Verdict::Allow, OK) => Ok(Verdict::Allow),
        (types::Verdict::Allow, _) => Err(Failure::Inconsistent("allow with a reason to deny")),
        (types::Verdict::Deny, OK) => Err(Failure::Inconsistent("deny with the reason `ok`")),
        (types::Verdict::Deny, reason) if is_reason_code(reason) => Ok(Verdict::Deny),
        (types::Verdict::Deny, _) => Err(Failure::Inconsistent("the reason is no reason code")),
    }
}

/// Lower-case words joined by single hyphens. A newer plugin may know codes that this host does
/// not, so only the form is checked.
pub(crate) fn is_reason_code(reason: &str) -> bool {
    reason.len() <= LONGEST_REASON
        && reason
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

const OK: &str = "ok";
/// The reason of every failure that is not the caller's.
const INTERNAL: &str = "internal";
/// Twice the longest code of the contract, in bytes.
const LONGEST_REASON: usize = 48;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reason_code_is_lower_case_words_joined_by_hyphens() {
        for code in ["internal", "token-audience", "token-not-yet-valid"] {
            assert!(is_reason_code(code), "{code}");
        }
        for text in ["", "-", "a-", "-a", "a--b", "Token", "token_audience", "a b", "t\n", "ä"] {
            assert!(!is_reason_code(text), "{text}");
        }
        assert!(!is_reason_code(&"a".repeat(49)));
    }

    #[test]
    fn a_denial_reads_as_in_the_probe_protocol() {
        let denial = Validation::from(Failure::Inconsistent("allow without a token"));
        assert_eq!(
            serde_json::to_value(&denial).unwrap(),
            json!({
                "verdict": "deny",
                "reason": "internal",
                "detail": "the plugin's answer contradicts itself: allow without a token",
            })
        );
        assert_eq!(denial.clone().into_result(), Err(Box::new(denial)));
    }
}
