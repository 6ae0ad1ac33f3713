//! A stock Envoy with the gate before one MCP server: what `mandate envoy config` writes, started.

mod process;
mod registry;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use mandate_host::Sha256Digest;
use serde_json::{Value, json};
use ureq::Agent;

use self::process::{Process, free_port};
use self::registry::Registry;
use crate::commands::demo::secret::random_secret;
use crate::envoy::{
    Address, Bootstrap, Document, FilterPlan, LintOptions, ModulePin, Source, TlsTrust, lint,
};

/// What an Envoy with the gate is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvoyPrograms {
    /// The program.
    pub envoy: PathBuf,
    /// `mandate-envoy.wasm`.
    pub filter: PathBuf,
}

/// What the gate is told.
#[derive(Clone, Copy, Debug)]
pub struct Guarded<'a> {
    /// The contract, with a gate.
    pub contract: &'a Value,
    /// Who may do what.
    pub facts: &'a Value,
    /// The issuer, whose keys are at `/jwks`.
    pub issuer: &'a str,
    /// The MCP server.
    pub upstream: &'a str,
}

/// A call of a tool, as a client without a session posts it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The path of the MCP route.
    pub path: &'a str,
    /// The bearer token.
    pub token: &'a str,
    /// The tool.
    pub tool: &'a str,
    /// Its argument `board`.
    pub board: &'a str,
}

/// A running Envoy with a feed and keys that it fetches; all of it ends with this value.
pub struct Proxy {
    process: Process,
    registry: Registry,
    agent: Agent,
    url: String,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Proxy").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Signs a snapshot of the facts, serves it, and starts Envoy.
    ///
    /// # Errors
    /// When contract or facts do not load, the lint finds something, or Envoy does not start.
    pub fn start(programs: &EnvoyPrograms, guarded: &Guarded<'_>) -> Result<Self> {
        let registry = Registry::start(guarded.contract, guarded.facts)?;
        let port = free_port()?;
        let bootstrap = bootstrap(programs, guarded, &registry, port)?;
        let process = Process::start(&programs.envoy, &bootstrap)?;
        // Each request on a connection of its own: both workers are asked.
        let config = Agent::config_builder().http_status_as_error(false).max_idle_connections(0);
        let agent = Agent::new_with_config(config.timeout_global(Some(PATIENCE)).build());
        Ok(Self { process, registry, agent, url: format!("http://127.0.0.1:{port}") })
    }

    /// Where clients call.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits until every worker denies a call, which it does once it has keys and state.
    ///
    /// # Errors
    /// When Envoy ends, or takes longer than a minute.
    pub fn wait_until_denied(&mut self, call: &Call<'_>) -> Result<()> {
        let since = Instant::now();
        let mut in_a_row: u32 = 0;
        // Each worker has its state for itself: a row of answers is both of them.
        while in_a_row < 8 {
            self.process.check()?;
            if self.is_denied(call) {
                in_a_row = in_a_row.saturating_add(1);
                continue;
            }
            in_a_row = 0;
            if since.elapsed() > PATIENCE {
                bail!("`{}` is never denied: {}", call.tool, self.process.last_words());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Publishes what these facts change: once.
    ///
    /// # Errors
    /// When they do not load.
    pub fn change(&self, facts: &Value) -> Result<()> {
        self.registry.change(facts)
    }

    /// Lines of the access log, once they are all there.
    ///
    /// # Errors
    /// When they do not come.
    pub fn log(&self, is_whole: impl Fn(&[String]) -> bool) -> Result<Vec<String>> {
        let since = Instant::now();
        loop {
            let log = self.process.log();
            if is_whole(&log) {
                return Ok(log);
            }
            if since.elapsed() > PATIENCE {
                let last = log.last().map_or("", String::as_str);
                bail!("the access log has {} lines, and never all: {last}", log.len());
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// Whether the gate denies a call by a JSON-RPC error of its own: not for want of state or keys,
    /// which is 503.
    fn is_denied(&self, call: &Call<'_>) -> bool {
        let Call { path, token, tool, board } = call;
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool, "arguments": {"board": board}}});
        let post = self.agent.post(format!("{}{path}", self.url));
        let post = post
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25");
        let Ok(mut answer) = post.send(body.to_string()) else { return false };
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        let error: Value = serde_json::from_str(&text).unwrap_or_default();
        error.pointer("/error/code").and_then(Value::as_i64) == Some(DENIED)
    }
}

fn bootstrap(
    programs: &EnvoyPrograms,
    guarded: &Guarded<'_>,
    registry: &Registry,
    port: u16,
) -> Result<Value> {
    let filter = std::fs::read(&programs.filter)
        .with_context(|| format!("`{}` cannot be read", programs.filter.display()))?;
    let digest = Sha256Digest::of(&filter);
    let nobody = || TlsTrust { authorities: String::new(), name: None };
    let source = |url: &str| -> Result<Source> {
        Ok(Source { address: url.parse::<Address>()?, trust: nobody() })
    };
    let keys = source(&format!("{}/jwks", guarded.issuer))?;
    let bootstrap = Bootstrap {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        listener_tls: None,
        admin: None,
        upstream: guarded.upstream.parse()?,
        upstream_trust: nobody(),
        filter: FilterPlan {
            module: programs.filter.display().to_string(),
            pin: ModulePin(digest),
            emitter: "edge-1".to_owned(),
            trust: json!({"contract": guarded.contract, "key_sets": []}),
            state: registry.config()?,
            route: None,
            session_secret: Some(random_secret()?),
            client_certificate: false,
            feed: source(&registry.url())?,
            key_sets: vec![(guarded.issuer.to_owned(), keys)],
            singleton: true,
        },
    }
    .to_json();
    let options = LintOptions { module: None, expected: Some(digest), unguarded: Vec::new() };
    let document = Document::from_value(bootstrap.clone()).context("the bootstrap")?;
    match lint(&document, &options).first() {
        None => Ok(bootstrap),
        Some(finding) => bail!("the bootstrap: {}: {}", finding.pointer, finding.reason),
    }
}

/// The code of a denial (contract/reason-codes.toml).
const DENIED: i64 = -32001;
const PATIENCE: Duration = Duration::from_secs(60);
