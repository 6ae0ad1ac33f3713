//! Tests that a token's claims must pass, by which an issuer's access tokens are told from its
//! other tokens.

use serde::Deserialize;

use crate::json::{Json, Object};
use crate::load_error::LoadError;
use crate::pointer::Pointer;
use crate::refusal::{ClaimProblem, Refusal};

/// One test of one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimTest {
    claim: Pointer,
    expected: Expected,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    Absent,
    OneOf(Vec<String>),
    Present,
}

/// A test as written: exactly one of `equals`, `one_of`, `present`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimTestFile {
    pub(super) claim: String,
    pub(super) equals: Option<String>,
    pub(super) one_of: Option<Vec<String>>,
    pub(super) present: Option<bool>,
}

impl ClaimTest {
    pub(super) fn from_file(file: ClaimTestFile) -> Result<Self, LoadError> {
        let claim =
            Pointer::parse(&file.claim).filter(|pointer| !pointer.has_wildcard()).ok_or_else(
                || LoadError::new("claim", "must be a JSON Pointer to one claim, such as `/typ`"),
            )?;
        let expected = match (file.equals, file.one_of, file.present) {
            (Some(text), None, None) => Expected::OneOf(vec![text]),
            (None, Some(texts), None) => {
                super::require_some("one_of", &texts)?;
                Expected::OneOf(texts)
            }
            (None, None, Some(true)) => Expected::Present,
            (None, None, Some(false)) => Expected::Absent,
            _ => {
                return Err(LoadError::new(
                    "",
                    "needs exactly one of `equals`, `one_of`, `present`",
                ));
            }
        };
        Ok(Self { claim, expected })
    }

    /// Requires the claims to pass.
    pub(crate) fn require(&self, claims: &Object) -> Result<(), Refusal> {
        let value = self.claim.find(claims);
        let problem = match (&self.expected, value) {
            (Expected::Absent, None) | (Expected::Present, Some(_)) => return Ok(()),
            (Expected::OneOf(texts), Some(Json::String(text))) if texts.contains(text) => {
                return Ok(());
            }
            (Expected::Present | Expected::OneOf(_), None) => ClaimProblem::Missing,
            (Expected::Absent | Expected::OneOf(_), Some(_)) => ClaimProblem::Mismatch,
        };
        Err(Refusal::claim(self.claim.as_str(), problem))
    }
}

/// Whether the tests refuse every sample of an ID token, so that one can never pass for an access
/// token of this issuer. The samples follow OpenID Connect Core sections 2, 3.1.3.6 and 5.1 and
/// what the preset providers issue.
pub(super) fn refuse_id_tokens(tests: &[ClaimTest]) -> bool {
    const MINIMAL: &[&str] = &["iss", "sub", "aud", "exp", "iat"];
    const SAMPLES: [&[&str]; 5] = [
        &[],
        &["azp"],
        &["azp", "auth_time", "nonce", "acr", "amr", "sid", "jti"],
        &[
            "azp",
            "auth_time",
            "nonce",
            "at_hash",
            "c_hash",
            "s_hash",
            "sid",
            "jti",
            "email",
            "name",
            "preferred_username",
            "groups",
        ],
        &[
            "azp",
            "typ",
            "auth_time",
            "nonce",
            "at_hash",
            "sid",
            "jti",
            "acr",
            "email_verified",
            "uid",
            "nbf",
        ],
    ];
    SAMPLES.iter().all(|sample| {
        let text = |name: &&str| {
            ((*name).to_owned(), Json::from(if *name == "typ" { "ID" } else { "sample" }))
        };
        let claims: Object = MINIMAL.iter().chain(*sample).map(text).collect();
        tests.iter().any(|test| test.require(&claims).is_err())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(json: &str) -> Result<ClaimTest, LoadError> {
        ClaimTest::from_file(serde_json::from_str(json).unwrap())
    }

    fn outcome(json: &str, claims: &str) -> Result<(), Refusal> {
        let claims = Json::parse(claims.as_bytes(), 9).unwrap();
        test(json).unwrap().require(claims.as_object().unwrap())
    }

    #[test]
    fn each_form_of_test_passes_and_fails() {
        let failed = |problem| Err(Refusal::claim("/typ", problem));
        let (missing, mismatch) = (ClaimProblem::Missing, ClaimProblem::Mismatch);
        let equals = r#"{"claim":"/typ","equals":"Bearer"}"#;
        assert_eq!(outcome(equals, r#"{"typ":"Bearer"}"#), Ok(()));
        assert_eq!(outcome(equals, r#"{"typ":"ID"}"#), failed(mismatch));
        assert_eq!(outcome(equals, r#"{"typ":["Bearer"]}"#), failed(mismatch));
        assert_eq!(outcome(equals, "{}"), failed(missing));
        let one_of = r#"{"claim":"/typ","one_of":["a","b"]}"#;
        assert_eq!(outcome(one_of, r#"{"typ":"b"}"#), Ok(()));
        assert_eq!(outcome(one_of, r#"{"typ":"c"}"#), failed(mismatch));
        let present = r#"{"claim":"/typ","present":true}"#;
        assert_eq!(outcome(present, r#"{"typ":null}"#), Ok(()));
        assert_eq!(outcome(present, "{}"), failed(missing));
        let absent = r#"{"claim":"/typ","present":false}"#;
        assert_eq!(outcome(absent, "{}"), Ok(()));
        assert_eq!(outcome(absent, r#"{"typ":null}"#), failed(mismatch));
    }

    #[test]
    fn a_test_states_one_expectation_of_one_claim() {
        for json in [
            r#"{"claim":"/typ"}"#,
            r#"{"claim":"/typ","equals":"a","present":true}"#,
            r#"{"claim":"/typ","equals":"a","one_of":["a"]}"#,
            r#"{"claim":"/typ","one_of":[]}"#,
            r#"{"claim":"typ","equals":"a"}"#,
            r#"{"claim":"/a/*","equals":"a"}"#,
        ] {
            test(json).expect_err("{json}");
        }
    }

    #[test]
    fn only_tests_that_refuse_every_id_token_count() {
        let refuses = |tests: &[&str]| {
            let tests: Vec<_> = tests.iter().map(|json| test(json).unwrap()).collect();
            refuse_id_tokens(&tests)
        };
        assert!(!refuses(&[]));
        assert!(!refuses(&[r#"{"claim":"/at_hash","present":false}"#]));
        assert!(!refuses(&[
            r#"{"claim":"/nonce","present":false}"#,
            r#"{"claim":"/azp","present":true}"#
        ]));
        assert!(!refuses(&[r#"{"claim":"/typ","present":true}"#]));
        assert!(refuses(&[r#"{"claim":"/typ","equals":"Bearer"}"#]));
        assert!(refuses(&[r#"{"claim":"/scope","present":true}"#]));
    }
}
