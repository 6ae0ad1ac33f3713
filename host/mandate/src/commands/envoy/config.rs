//! `mandate envoy config`: a bootstrap, or the filter alone, from a contract.

mod sources;

use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::Args;
use mandate_host::Sha256Digest;
use serde_json::Value;

use self::sources::{SourceOptions, StateOptions};
use super::lint::line;
use super::module_option::ModuleDigestOption;
use crate::commands::contract_file::{ContractFile, ContractOption};
use crate::commands::{input_file, output_file};
use crate::envoy::{
    Address, Bootstrap, Document, FilterPlan, LintOptions, ListenerTls, ModulePin, TlsTrust, lint,
};
use crate::output;

/// Write a bootstrap of Envoy with the gate in it, as YAML: `mandate envoy lint` finds nothing in it.
///
/// Paths are those of Envoy's machine. Key sets are fetched from each issuer's `jwks_uri`, or with
/// --keys for every issuer written into the configuration (then rotation is a new configuration). A
/// file that holds a session secret is for its owner alone.
#[derive(Args, Clone, Debug)]
pub(super) struct ConfigCommand {
    #[command(flatten)]
    contract: ContractOption,
    #[command(flatten)]
    state: StateOptions,
    #[command(flatten)]
    sources: SourceOptions,
    /// Who writes the audit records: one name a proxy.
    #[arg(long, value_name = "NAME")]
    emitter: String,
    /// Where requests come in.
    #[arg(long, value_name = "ADDRESS:PORT", required_unless_present = "filter_only")]
    listen: Option<SocketAddr>,
    /// Where decided requests go: `http://HOST:PORT`, `https://HOST`, or `unix:/PATH`.
    #[arg(long, value_name = "URL", required_unless_present = "filter_only")]
    upstream: Option<Address>,
    /// The module's path.
    #[arg(long, value_name = "PATH")]
    module: String,
    /// A copy of the module here, if it is not at its path.
    #[arg(long, value_name = "FILE")]
    module_copy: Option<PathBuf>,
    #[command(flatten)]
    digest: ModuleDigestOption,
    /// The gate's route, where the filter stands before one only.
    #[arg(long, value_name = "NAME")]
    route: Option<String>,
    /// A file with the secret that seals MCP session ids: base64url, 32 bytes or more.
    #[arg(long, value_name = "FILE")]
    session_secret: Option<PathBuf>,
    /// The listener's certificate chain (PEM).
    #[arg(long, value_name = "PATH", requires = "tls_key")]
    tls_certificate: Option<String>,
    /// Its private key (PEM).
    #[arg(long, value_name = "PATH", requires = "tls_certificate")]
    tls_key: Option<String>,
    /// Authorities (PEM) of client certificates, which are then required, and prove `cnf`.
    #[arg(long, value_name = "PATH", requires = "tls_certificate")]
    client_ca: Option<String>,
    /// The admin interface: loopback alone.
    #[arg(long, value_name = "ADDRESS:PORT")]
    admin: Option<SocketAddr>,
    /// No bootstrap extension: the filter alone follows the feed and fetches key sets.
    #[arg(long)]
    without_singleton: bool,
    /// Only the filter's entry for `http_filters`; what it needs beside it is in docs/envoy.md.
    #[arg(
        long,
        conflicts_with_all = ["listen", "upstream", "tls_certificate", "tls_key", "client_ca", "admin"]
    )]
    filter_only: bool,
    /// File to write. Default: standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl ConfigCommand {
    /// Writes: 0 written, 2 not.
    pub(super) fn run(self) -> ExitCode {
        self.write().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }

    fn write(&self) -> anyhow::Result<ExitCode> {
        let contract = ContractFile::read(&self.contract.contract)?;
        let digest = self.module_digest()?;
        let filter = self.filter(&contract, digest)?;
        let value =
            if self.filter_only { filter.to_json() } else { self.bootstrap(filter)?.to_json() };
        self.refuse_findings(&value, digest)?;
        let text = yaml(&value)?;
        match &self.output {
            None => Ok(output::print(&text)),
            Some(path) if self.session_secret.is_some() => {
                output_file::replace_private("configuration", path, text.as_bytes())?;
                Ok(ExitCode::SUCCESS)
            }
            Some(path) => {
                output_file::replace("configuration", path, text.as_bytes())?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    /// What the lint finds, nobody should start.
    fn refuse_findings(&self, value: &Value, digest: Sha256Digest) -> anyhow::Result<()> {
        let options = LintOptions {
            module: Some(self.module_here().to_owned()),
            expected: Some(digest),
            unguarded: Vec::new(),
        };
        let document = Document::from_value(value.clone()).context("this configuration")?;
        match lint(&document, &options).first() {
            Some(finding) => bail!(
                "nothing is written: {}; {}",
                line("the configuration", finding),
                finding.rule.remedy()
            ),
            None => Ok(()),
        }
    }

    fn module_here(&self) -> &Path {
        self.module_copy.as_deref().unwrap_or_else(|| Path::new(&self.module))
    }

    fn module_digest(&self) -> anyhow::Result<Sha256Digest> {
        let path = self.module_here();
        let unread = || {
            format!("`--module`: `{}` cannot be read; `--module-copy` names a copy", path.display())
        };
        let mut bytes = Vec::new();
        let file = File::open(path).with_context(unread)?;
        file.take(LONGEST_MODULE).read_to_end(&mut bytes).with_context(unread)?;
        let digest = Sha256Digest::of(&bytes);
        match self.digest.expected() {
            Some(expected) if expected != digest => bail!(
                "`--module`: `{}` is {digest}, and must be {expected}; `--module-digest` says \
                 otherwise",
                path.display()
            ),
            _ => Ok(digest),
        }
    }

    fn filter(&self, contract: &ContractFile, digest: Sha256Digest) -> anyhow::Result<FilterPlan> {
        let (trust, key_sets) = self.sources.keys(contract)?;
        Ok(FilterPlan {
            module: self.module.clone(),
            pin: ModulePin(digest),
            emitter: self.emitter.clone(),
            trust,
            state: self.state.to_json()?,
            route: self.route.clone(),
            session_secret: self.session_secret.as_deref().map(secret).transpose()?,
            client_certificate: self.client_ca.is_some(),
            feed: self.sources.feed(),
            key_sets,
            singleton: !self.without_singleton,
        })
    }

    fn bootstrap(&self, filter: FilterPlan) -> anyhow::Result<Bootstrap> {
        let tls = match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(ListenerTls {
                certificate: certificate.clone(),
                key: key.clone(),
                client_authorities: self.client_ca.clone(),
            }),
            _ => None,
        };
        Ok(Bootstrap {
            listen: self.listen.ok_or_else(|| anyhow!("`--listen` is missing"))?,
            listener_tls: tls,
            admin: self.admin,
            upstream: self.upstream.clone().ok_or_else(|| anyhow!("`--upstream` is missing"))?,
            upstream_trust: TlsTrust { authorities: self.sources.ca.clone(), name: None },
            filter,
        })
    }
}

fn secret(path: &Path) -> anyhow::Result<String> {
    let text = input_file::read_text("session secret", path)?;
    let text = text.trim();
    ensure!(!text.is_empty(), "session secret `{}` is empty", path.display());
    Ok(text.to_owned())
}

/// As YAML that Envoy's reader, which takes `yes` and `on` for true, reads the same.
fn yaml(value: &Value) -> anyhow::Result<String> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: true, yaml_12: false };
    let text = serde_saphyr::to_string_with_options(value, options)
        .map_err(|error| anyhow!("it cannot be written as YAML: {error}"))?;
    Ok(format!("# Written by `mandate envoy config`; `mandate envoy lint` checks it.\n{text}"))
}

/// Longest module: a guest has less than 4 MiB.
const LONGEST_MODULE: u64 = 64 * 1024 * 1024;
