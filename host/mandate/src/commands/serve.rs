//! `mandate serve`: the server (docs/server.md).

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::channel;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::commands::registry_option::ConfigOption;
use crate::configuration::Configuration;
use crate::feed::ListenAddress;
use crate::output;
use crate::plugin::PluginChoice;
use crate::server::{Deployment, Server, Settings};
use crate::stop::{stop_on_end_of_input, stop_on_signal};
use crate::webhook::Hook;

/// Answer AuthZEN and the feed from the registry: docs/server.md.
///
/// Prints one line when it is ready, writes JSON lines to stderr, and ends on SIGTERM or SIGINT once
/// what it has accepted is answered.
#[derive(Args, Clone, Debug)]
pub struct ServeCommand {
    #[command(flatten)]
    config: ConfigOption,
    #[command(flatten)]
    plugin: PluginChoice,
    /// Where to listen instead of `serve.listen`: a port, 0 for a free one, or `unix:/PATH`.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<ListenAddress>,
    /// Stop when standard input closes, so that the server ends with whatever started it.
    #[arg(long)]
    stop_with_stdin: bool,
    /// Print the ready line as JSON.
    #[arg(long)]
    json: bool,
}

impl ServeCommand {
    /// Serves until told to stop: 0 after an orderly stop, 2 when it cannot start.
    pub(crate) fn run(self) -> ExitCode {
        match self.serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => output::fail(&format!("{error:#}")),
        }
    }

    fn serve(&self) -> anyhow::Result<()> {
        let configuration = self.config.read()?;
        let mut settings = settings(&configuration)?;
        if let Some(listen) = &self.listen {
            settings.listen = listen.clone();
        }
        let (contract, policy, _) = configuration.rules()?;
        settings.check(&contract.checked, &policy)?;
        let deployment = deployment(&configuration, &self.plugin)?;
        let (stop, stopped) = channel();
        // Before the ready line: a signal that follows it must find its handler.
        stop_on_signal(stop.clone()).context("signals cannot be handled")?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("the runtime does not start")?;
        runtime.block_on(async {
            let server = Server::start(settings, deployment).await?;
            self.announce(&server)?;
            if self.stop_with_stdin {
                stop_on_end_of_input(stop);
            }
            // Either a stop arrives or nobody can send one any more: both end the run.
            let waiting = tokio::task::spawn_blocking(move || stopped.recv().is_ok());
            server.run(async { drop(waiting.await) }).await;
            Ok(())
        })
    }

    fn announce(&self, server: &Server) -> anyhow::Result<()> {
        let address = server.address();
        let line = match (self.json, server.ext_authz()) {
            (true, None) => json!({ "server": address }).to_string(),
            (true, Some(proxies)) => json!({ "server": address, "ext_authz": proxies }).to_string(),
            (false, None) => format!("server {address}"),
            (false, Some(proxies)) => format!("server {address}\next_authz {proxies}"),
        };
        let mut stdout = std::io::stdout();
        // In one piece: who waits for the first line may be gone before a second one.
        let written = stdout.write_all(format!("{line}\n").as_bytes());
        written.and_then(|()| stdout.flush()).context("stdout cannot be written")
    }
}

/// The member `serve`.
pub(super) fn settings(configuration: &Configuration) -> anyhow::Result<Settings> {
    let serve = configuration.serve.as_ref().context("`serve` is missing in the configuration")?;
    Settings::read(serve, &configuration.folder)
}

/// What the server is made of; nothing is connected yet.
fn deployment(configuration: &Configuration, plugin: &PluginChoice) -> anyhow::Result<Deployment> {
    let (contract, policy, model) = configuration.rules()?;
    let feed = configuration.feed()?;
    let slices: anyhow::Result<Vec<_>> = feed.slices.keys().map(|name| feed.slice(name)).collect();
    let source = configuration.clone();
    let version = contract.as_version();
    Ok(Deployment {
        contract: contract.value,
        model: model.clone(),
        open: Arc::new(move || source.registry(&version, policy.clone(), model.clone())),
        key: feed.read_key()?,
        slices: slices?,
        plugin: plugin.load()?,
        hooks: Hook::open_all(&configuration.notify)?,
    })
}
