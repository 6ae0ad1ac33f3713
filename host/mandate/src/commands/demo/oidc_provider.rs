//! npm `oidc-provider` in a process of its own: a certified issuer that nobody here wrote.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::commands::demo::child::Child;
use crate::commands::demo::secret::random_secret;
use crate::commands::demo::{BOARD, FILES, TENANT};

/// Node, its packages, and our script that starts the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeIssuer {
    /// The `node` program.
    pub program: PathBuf,
    /// The `node_modules` folder with `oidc-provider`.
    pub modules: PathBuf,
    /// `tests/oidc-provider/issuer.mjs`.
    pub script: PathBuf,
}

/// A running provider; it ends with this value.
pub(super) struct OidcProvider {
    node: NodeIssuer,
    url: String,
    client_secret: String,
    process: Child,
}

impl OidcProvider {
    /// The one client that is registered.
    pub(super) const CLIENT: &str = "search-service";

    pub(super) fn start(node: NodeIssuer) -> anyhow::Result<Self> {
        let client_secret = random_secret()?;
        let (process, url) = start(&node, &configuration(0, &client_secret))?;
        Ok(Self { node, url, client_secret, process })
    }

    /// Starts again on the same port, and so as the same issuer, with new keys.
    pub(super) fn restart(&mut self) -> anyhow::Result<()> {
        let port = self.url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.context("the issuer has no port")?;
        self.process.stop();
        let (process, url) = start(&self.node, &configuration(port, &self.client_secret))?;
        self.process = process;
        if url != self.url {
            bail!("oidc-provider came back as {url}, expected {}", self.url);
        }
        Ok(())
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn client_secret(&self) -> &str {
        &self.client_secret
    }
}

fn start(node: &NodeIssuer, configuration: &Value) -> anyhow::Result<(Child, String)> {
    let mut command = Command::new(&node.program);
    command.arg(&node.script).arg(&node.modules);
    let (process, ready) = Child::start(&mut command, Some(configuration))?;
    let url = ready.get("issuer").and_then(Value::as_str).context("oidc-provider has no URL")?;
    Ok((process, url.to_owned()))
}

fn configuration(port: u16, client_secret: &str) -> Value {
    json!({
        "port": port,
        "algorithm": "ES256",
        "clients": [{
            "client_id": OidcProvider::CLIENT,
            "client_secret": client_secret,
            "scope": "board:read",
            "tenant": TENANT,
        }],
        "resources": { BOARD: "board:read board:write", FILES: "files:read" },
    })
}
