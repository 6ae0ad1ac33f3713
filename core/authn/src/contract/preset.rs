//! What the tokens of well-known providers look like.

use serde::Deserialize;

use super::claim_test::ClaimTestFile;

/// A provider whose access tokens carry no `at+jwt`, with the tests that tell them from its ID
/// tokens.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Preset {
    /// Access tokens have `scope`; ID tokens may have `at_hash` or `c_hash`.
    Authentik,
    /// The payload's `typ` is `Bearer` in access tokens, `ID` in ID tokens.
    Keycloak,
}

impl Preset {
    /// Both providers write `typ: JWT`.
    pub(super) const TYPES: [&'static str; 1] = ["JWT"];

    pub(super) fn claim_tests(self) -> Vec<ClaimTestFile> {
        let presence = |claim: &str, present| ClaimTestFile {
            claim: claim.to_owned(),
            equals: None,
            one_of: None,
            present: Some(present),
        };
        match self {
            Self::Authentik => {
                vec![
                    presence("/scope", true),
                    presence("/at_hash", false),
                    presence("/c_hash", false),
                ]
            }
            Self::Keycloak => vec![ClaimTestFile {
                claim: "/typ".to_owned(),
                equals: Some("Bearer".to_owned()),
                one_of: None,
                present: None,
            }],
        }
    }

    pub(super) const fn role_claims(self) -> [&'static str; 2] {
        match self {
            Self::Authentik => ["/groups", "/entitlements"],
            Self::Keycloak => ["/realm_access/roles", "/resource_access/*/roles"],
        }
    }
}
