//! Other libraries as long-running programs: the adapters of `contract/peers`.

use std::path::{Path, PathBuf};

use crate::skip::skip;

/// A library with its adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// npm jose.
    Jose,
    /// PyPI joserfc.
    Joserfc,
    /// PyPI PyJWT.
    PyJwt,
}

impl Peer {
    /// Every library.
    pub const ALL: [Self; 3] = [Self::Jose, Self::Joserfc, Self::PyJwt];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jose => "jose",
            Self::Joserfc => "joserfc",
            Self::PyJwt => "PyJWT",
        }
    }

    /// Program and arguments of the adapter; where the library is not here, says aloud that `part`
    /// is skipped.
    ///
    /// # Panics
    /// When the variable that names the library is set and wrong: whoever set it wants it to run.
    #[must_use]
    pub fn command(self, part: &str) -> Option<Vec<String>> {
        let part = format!("{part} with {}", self.name());
        let named = |variable: &str| {
            let path = std::env::var_os(variable).map(PathBuf::from);
            if path.is_none() {
                skip(&part, &format!("{variable} is not set"));
            }
            path.inspect(|path| assert!(path.exists(), "{variable} names nothing"))
        };
        let (program, script) = match self {
            Self::Jose => {
                named("MANDATE_NODE_MODULES")?;
                (PathBuf::from("node"), "jose.mjs")
            }
            Self::Joserfc => (named("MANDATE_PYTHON")?, "joserfc.py"),
            Self::PyJwt => (named("MANDATE_PYTHON")?, "pyjwt.py"),
        };
        let script = Path::new(ADAPTERS).join(script);
        Some(vec![program.display().to_string(), script.display().to_string()])
    }
}

const ADAPTERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../contract/peers");
