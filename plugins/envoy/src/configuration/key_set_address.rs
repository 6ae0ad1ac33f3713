//! Where an issuer's key set is.

use mandate_authn::LoadError;
use serde::Deserialize;

/// Where an issuer's key set is: a cluster, whose TLS is what vouches for the keys.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeySetAddress {
    /// The issuer, as the contract writes it.
    pub(crate) issuer: String,
    /// The cluster.
    pub(crate) cluster: String,
    /// The `Host` of the requests.
    pub(crate) authority: String,
    /// The path of the key set.
    pub(crate) path: String,
}

impl KeySetAddress {
    /// Checks all of them.
    ///
    /// # Errors
    /// The first member that cannot be asked, and an issuer that comes twice.
    pub(crate) fn check(sets: &[Self]) -> Result<(), LoadError> {
        for (position, set) in sets.iter().enumerate() {
            let wrong = |member: &str, problem: &str| {
                LoadError::new(&format!("key_sets[{position}].{member}"), problem)
            };
            if sets.iter().take(position).any(|other| other.issuer == set.issuer) {
                return Err(wrong("issuer", "has another key set"));
            }
            for (member, text) in
                [("issuer", &set.issuer), ("cluster", &set.cluster), ("authority", &set.authority)]
            {
                if text.is_empty() || !is_visible(text) {
                    return Err(wrong(member, "must be visible ASCII"));
                }
            }
            if !set.path.starts_with('/') || !is_visible(&set.path) || set.path.contains('#') {
                return Err(wrong("path", "must begin with `/`, without a fragment"));
            }
        }
        Ok(())
    }
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x21..=0x7e))
}
