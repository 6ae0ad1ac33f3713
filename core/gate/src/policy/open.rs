//! What passes without a decision: exact methods and paths, such as a probe or a CORS preflight.

use mandate_authn::LoadError;
use serde::Deserialize;

use super::check_method;
use super::template::Template;
use crate::target::Path;

/// A method and a path without variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exact {
    pub(super) method: String,
    pub(super) path: Template,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExactFile {
    method: String,
    path: String,
}

impl Exact {
    pub(super) fn check(file: ExactFile) -> Result<Self, LoadError> {
        check_method(&file.method)?;
        let path = Template::parse(&file.path)?;
        if path.variables().next().is_some() {
            return Err(LoadError::new("path", "what is open is one exact path"));
        }
        Ok(Self { method: file.method, path })
    }

    /// Whether a request is this one.
    pub(crate) fn fits(&self, method: &[u8], path: &Path<'_>) -> bool {
        self.method.as_bytes() == method && self.path.fits(path)
    }
}
