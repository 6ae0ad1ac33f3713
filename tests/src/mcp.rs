//! Programs that speak MCP: a server, and the SDKs as clients (`tests/mcp`).

use std::path::{Path, PathBuf};
use std::process::Command;

use mandate::commands::demo::{Child, EnvoyPrograms, McpPrograms};

use crate::skip::skip;

/// An SDK as a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// npm `@modelcontextprotocol/client`, the second line of releases.
    NpmClient,
    /// npm `@modelcontextprotocol/sdk`, the first.
    NpmSdk,
    /// PyPI `mcp`.
    Python,
    /// The crate `rmcp`.
    Rmcp,
}

impl Sdk {
    /// Its name and version in tables.
    ///
    /// # Panics
    /// When it is not pinned.
    #[must_use]
    pub fn name(self) -> String {
        let (name, pins, before) = match self {
            Self::NpmClient => ("npm `@modelcontextprotocol/client`", NODE, "/client\": \""),
            Self::NpmSdk => ("npm `@modelcontextprotocol/sdk`", NODE, "/sdk\": \""),
            Self::Python => ("PyPI `mcp`", PYTHON, "\nmcp=="),
            Self::Rmcp => ("`rmcp`", RUST, "rmcp = { version = \"="),
        };
        let (_, version) = pins.split_once(before).expect("it is pinned");
        let end = version.find(['"', '\n']).expect("the version ends");
        format!("{name} {}", &version[..end])
    }

    /// The generations of the protocol that it speaks.
    #[must_use]
    pub const fn generations(self) -> &'static [&'static str] {
        match self {
            Self::NpmSdk => &["2025-11-25"],
            Self::NpmClient | Self::Python | Self::Rmcp => &["2025-11-25", "2026-07-28"],
        }
    }

    /// The client's program; where the SDK is not here, says aloud that `part` is skipped.
    ///
    /// # Panics
    /// When the variable that names the client's program names none.
    #[must_use]
    pub fn command(self, part: &str) -> Option<Command> {
        match self {
            Self::NpmClient => node(part, "client"),
            Self::NpmSdk => node(part, "sdk"),
            Self::Python => {
                let mut command = Command::new(python(part)?);
                command.arg(Path::new(SCRIPTS).join("client.py"));
                Some(command)
            }
            Self::Rmcp => {
                let program = variable("MANDATE_RMCP", part)?;
                assert!(program.exists(), "MANDATE_RMCP names nothing");
                Some(Command::new(program))
            }
        }
    }
}

/// The server, and its URL.
///
/// # Panics
/// When it does not start.
#[must_use]
pub fn server(part: &str) -> Option<(Child, String)> {
    let mut command = Command::new(python(part)?);
    let server = Path::new(SCRIPTS).join("server.py");
    let (child, ready) = Child::start(command.arg(server), None).expect("the server starts");
    let url = ready["url"].as_str().expect("a URL").to_owned();
    Some((child, url))
}

/// Envoy and the filter; where either is not here, says aloud that `part` is skipped.
#[must_use]
pub fn envoy(part: &str) -> Option<EnvoyPrograms> {
    let envoy = variable("MANDATE_ENVOY", part)?;
    let filter = variable("MANDATE_GUESTS", part)?.join("mandate-envoy.wasm");
    if !filter.exists() {
        skip(part, "MANDATE_GUESTS has no mandate-envoy.wasm (cargo xtask guests)");
        return None;
    }
    Some(EnvoyPrograms { envoy, filter })
}

/// What the demo runs on behind Envoy.
#[must_use]
pub fn demo(part: &str) -> Option<McpPrograms> {
    Some(McpPrograms { envoy: envoy(part)?, python: python(part)?, scripts: SCRIPTS.into() })
}

/// A Python with PyPI `mcp`.
fn python(part: &str) -> Option<PathBuf> {
    let python = variable("MANDATE_PYTHON", part)?;
    let has_mcp = Command::new(&python).args(["-c", "import mcp_types"]).output();
    if !has_mcp.is_ok_and(|output| output.status.success()) {
        skip(part, "MANDATE_PYTHON has no PyPI mcp (cargo xtask setup)");
        return None;
    }
    Some(python)
}

fn node(part: &str, package: &str) -> Option<Command> {
    let modules = variable("MANDATE_NODE_MODULES", part)?;
    if !modules.join("@modelcontextprotocol").join(package).is_dir() {
        let reason = format!("MANDATE_NODE_MODULES has no {package} of MCP (cargo xtask setup)");
        skip(part, &reason);
        return None;
    }
    let mut command = Command::new("node");
    command.arg(Path::new(SCRIPTS).join("client.mjs")).arg(modules).arg(package);
    Some(command)
}

fn variable(name: &str, part: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).map(PathBuf::from);
    if value.is_none() {
        skip(part, &format!("{name} is not set"));
    }
    value
}

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/mcp");
const NODE: &str = include_str!("../../xtask/tools/node/package.json");
const PYTHON: &str = include_str!("../../xtask/tools/python/requirements.txt");
const RUST: &str = include_str!("../mcp/rmcp/Cargo.toml");
