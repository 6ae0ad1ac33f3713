//! `mandate demo`: tokens of real issuers, accepted and attacked, and what they allow, decided by the
//! plugin.
//!
//! Everything is real but the network's width: issuers answer over HTTP on loopback, tokens are got
//! by the standard grants, keys are fetched by discovery, the WebAssembly component decides.

mod attack;
mod case;
mod child;
mod issuers;
pub mod keycloak;
mod mcp;
mod oidc_provider;
mod organization;
mod proxy;
mod rights;
mod secret;
mod verifier;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::Args;
use mandate_host::{Limits, Policy};

pub use case::{Case, Demo, Outcome};
pub use child::Child;
pub use mcp::{Asked, BehindEnvoy, McpPrograms, ask};
pub use oidc_provider::NodeIssuer;
pub use proxy::{Call, EnvoyPrograms, Guarded, Proxy};

use crate::commands::demo::attack::{altered, signed_by_another_key};
use crate::commands::demo::issuers::{Issuers, Obtained};
use crate::commands::demo::keycloak::Keycloak;
use crate::commands::demo::organization::Organization;
use crate::commands::demo::verifier::Verifier;
use crate::output;
use crate::plugin::PluginChoice;

/// Show tokens of real issuers, accepted and attacked.
#[derive(Args, Debug)]
#[command(hide = true)]
pub struct DemoCommand {
    #[command(flatten)]
    plugin: PluginChoice,
    /// The `node` program, for the certified issuer beside our own.
    #[arg(long, value_name = "PROGRAM", default_value = "node")]
    node: PathBuf,
    /// The `node_modules` folder with npm `oidc-provider`.
    #[arg(long, value_name = "DIR", requires = "issuer_script")]
    node_modules: Option<PathBuf>,
    /// `tests/oidc-provider/issuer.mjs` of the checkout.
    #[arg(long, value_name = "FILE", requires = "node_modules")]
    issuer_script: Option<PathBuf>,
    /// Why there is no Node, to be said in the table.
    #[arg(long, value_name = "REASON", conflicts_with = "node_modules")]
    no_node: Option<String>,
    /// A Keycloak that `cargo xtask campaign keycloak` made ready, for a third issuer.
    #[arg(long, value_name = "DIR")]
    keycloak: Option<PathBuf>,
    /// Envoy, with `--filter`, `--python` and `--mcp-scripts` for the part behind it.
    #[arg(long, value_name = "PROGRAM", requires_all = ["filter", "python", "mcp_scripts"])]
    envoy: Option<PathBuf>,
    /// `mandate-envoy.wasm`.
    #[arg(long, value_name = "FILE", requires = "envoy")]
    filter: Option<PathBuf>,
    /// A Python with PyPI `mcp`.
    #[arg(long, value_name = "PROGRAM", requires = "envoy")]
    python: Option<PathBuf>,
    /// `tests/mcp` of the checkout.
    #[arg(long, value_name = "DIR", requires = "envoy")]
    mcp_scripts: Option<PathBuf>,
    /// Why there is no Envoy, to be said.
    #[arg(long, value_name = "REASON", conflicts_with = "envoy")]
    no_envoy: Option<String>,
}

impl DemoCommand {
    /// Plays the demo: 0 when every token is decided as expected, 1 when one is not, 2 when the demo
    /// cannot be played.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let mcp = self.mcp();
        let node = match (self.node_modules, self.issuer_script) {
            (Some(modules), Some(script)) => Ok(NodeIssuer { program: self.node, modules, script }),
            _ => Err(self.no_node.unwrap_or_else(|| "no --node-modules given".to_owned())),
        };
        let played = self.plugin.load().and_then(|plugin| {
            let digest = plugin.digest().to_string();
            let policy = Policy::new(plugin, Limits::default())?;
            let keycloak = self.keycloak.as_deref().map(Keycloak::start).transpose()?;
            Ok((play(&policy, node, keycloak.as_ref(), mcp)?, digest))
        });
        match played {
            Ok((demo, digest)) => match (output::print(&demo.page(&digest)), demo.unexpected()) {
                (printed, 0) => printed,
                _ => ExitCode::from(output::DENY),
            },
            Err(error) => output::fail(&format!("{error:#}")),
        }
    }

    /// What the part behind Envoy runs on, or why it is left out.
    fn mcp(&self) -> Result<McpPrograms, String> {
        let all = (&self.envoy, &self.filter, &self.python, &self.mcp_scripts);
        let (Some(envoy), Some(filter), Some(python), Some(scripts)) = all else {
            return Err(self.no_envoy.clone().unwrap_or_else(|| "no --envoy given".to_owned()));
        };
        let envoy = EnvoyPrograms { envoy: envoy.clone(), filter: filter.clone() };
        Ok(McpPrograms { envoy, python: python.clone(), scripts: scripts.clone() })
    }
}

/// Plays the demo on a policy; without Node and Keycloak, with our own issuer alone. In Keycloak it
/// makes the realm `demo`. The last part needs Envoy.
///
/// # Errors
/// When an issuer does not start or gives no token, its keys cannot be fetched, or Envoy or the MCP
/// server do not start.
pub fn play(
    policy: &Policy,
    node: Result<NodeIssuer, String>,
    keycloak: Option<&Keycloak>,
    mcp: Result<McpPrograms, String>,
) -> anyhow::Result<Demo> {
    let mut issuers = Issuers::start(node.as_ref().ok(), keycloak)?;
    let mut verifier = Verifier::new(policy, &issuers.trusted())?;
    verifier.fetch_keys(now())?;
    let began = now();
    let registered = issuers.registered();
    let organization = Organization::load(policy, verifier.contract(), &registered, began)?;
    let obtained = issuers.obtain()?;
    let rights = rights::decide(&organization, &issuers, &obtained, now())?;
    let mut cases: Vec<Case> =
        obtained.iter().map(|token| attack(&verifier, token)).collect::<anyhow::Result<_>>()?;

    issuers.rotate_keys()?;
    // A key set younger than 30 seconds is not asked for again: let the clock say half a minute later.
    let later = now().saturating_add(HALF_A_MINUTE);
    for (case, (old, new)) in cases.iter_mut().zip(obtained.iter().zip(issuers.obtain()?)) {
        let fresh = verifier.decide_and_refresh(&new.token, BOARD, later)?;
        case.push("new token after key rotation", "ok", &fresh);
        let retired = verifier.decide(&old.token, BOARD, later);
        case.push("old token after key rotation", "token-key-unknown", &retired);
    }
    let behind_envoy = match mcp {
        Ok(programs) => Ok(mcp::play(&programs, &issuers).context("behind Envoy")?),
        Err(reason) => Err(reason),
    };
    Ok(Demo { cases, rights, without: node.err(), behind_envoy })
}

/// One token: accepted, then attacked in every way that needs no new keys.
fn attack(verifier: &Verifier<'_>, obtained: &Obtained) -> anyhow::Result<Case> {
    let token = &obtained.token;
    let now = now();
    let accepted = verifier.decide(token, BOARD, now);
    let expired = accepted.token.as_ref().map_or(now, |token| token.expires_at);
    let expired = expired.saturating_add(SKEW).saturating_add(1);
    let mut case = Case::new(obtained, &accepted);
    let decide = |token: &str| verifier.decide(token, BOARD, now);
    case.push("expired", "token-expired", &verifier.decide(token, BOARD, expired));
    case.push("for another service", "token-audience", &verifier.decide(token, FILES, now));
    case.push("altered: another tenant", "token-signature", &decide(&altered(token)?));
    case.push("signed by another key", "token-signature", &decide(&signed_by_another_key(token)?));
    Ok(case)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The service that the tokens are for.
const BOARD: &str = "https://board.example";
/// Another service of the same contract.
const FILES: &str = "https://files.example";
const TENANT: &str = "acme";
/// The contract's skew: a token counts as expired this much later.
const SKEW: u64 = 60;
const HALF_A_MINUTE: u64 = 31;
