//! npm `oidc-provider` in a process of its own: a certified issuer that nobody here wrote.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

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
    process: Process,
}

impl OidcProvider {
    /// The one client that is registered.
    pub(super) const CLIENT: &str = "search-service";

    pub(super) fn start(node: NodeIssuer) -> anyhow::Result<Self> {
        let client_secret = random_secret()?;
        let (process, url) = Process::start(&node, &configuration(0, &client_secret))?;
        Ok(Self { node, url, client_secret, process })
    }

    /// Starts again on the same port, and so as the same issuer, with new keys.
    pub(super) fn restart(&mut self) -> anyhow::Result<()> {
        let port = self.url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.context("the issuer has no port")?;
        self.process.stop();
        let (process, url) = Process::start(&self.node, &configuration(port, &self.client_secret))?;
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

struct Process {
    child: Child,
    // Closing it ends the provider.
    stdin: Option<ChildStdin>,
}

impl Process {
    fn start(node: &NodeIssuer, configuration: &Value) -> anyhow::Result<(Self, String)> {
        let mut child = Command::new(&node.program)
            .arg(&node.script)
            .arg(&node.modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("`{}` does not start", node.program.display()))?;
        let stdout = child.stdout.take().context("no output of oidc-provider")?;
        let stdin = child.stdin.take();
        let mut process = Self { child, stdin };
        let stdin = process.stdin.as_mut().context("no input of oidc-provider")?;
        writeln!(stdin, "{configuration}").context("oidc-provider reads nothing")?;
        let (send, received) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = send.send(line);
        });
        let line =
            received.recv_timeout(PATIENCE).context("oidc-provider does not start in time")?;
        let ready: Value =
            serde_json::from_str(&line).context("oidc-provider ended before it was ready")?;
        let url =
            ready.get("issuer").and_then(Value::as_str).context("oidc-provider has no URL")?;
        Ok((process, url.to_owned()))
    }

    fn stop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
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

/// Node on a busy machine with cold disks.
const PATIENCE: Duration = Duration::from_secs(60);
