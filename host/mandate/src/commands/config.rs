//! `mandate config`: the configuration.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::commands::registry_option::ConfigOption;
use crate::commands::serve;
use crate::output::{self, Page};
use crate::server::check_tls;
use crate::webhook::Hook;

/// Look at the configuration of a deployment.
#[derive(Args, Clone, Debug)]
pub struct ConfigCommand {
    #[command(subcommand)]
    verb: ConfigVerb,
}

#[derive(Clone, Debug, Subcommand)]
enum ConfigVerb {
    Check(CheckCommand),
}

/// Read everything that the configuration names, and connect to the registry; change nothing.
///
/// Exits 0 when `mandate serve` would start, 2 with the first thing that is wrong.
#[derive(Args, Clone, Debug)]
struct CheckCommand {
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl ConfigCommand {
    /// 0 when it is sound, 2 otherwise.
    pub(crate) fn run(self) -> ExitCode {
        match self.verb {
            ConfigVerb::Check(command) => match command.check() {
                Ok(exit) => exit,
                Err(error) => output::fail(&format!("{error:#}")),
            },
        }
    }
}

impl CheckCommand {
    fn check(&self) -> anyhow::Result<ExitCode> {
        let configuration = self.config.read()?;
        let (contract, policy, model) = configuration.rules()?;
        let serves = configuration.serve.is_some();
        if serves {
            let settings = serve::settings(&configuration)?;
            settings.check(&contract.checked, &policy)?;
            check_tls(&settings)?;
        }
        if let Some(feed) = &configuration.feed {
            feed.read_key()?;
        }
        Hook::open_all(&configuration.notify)?;
        let mut registry = configuration.registry(&contract.as_version(), policy, model)?;
        let position = registry.position()?;
        let mut page = Page::new();
        page.rows(&[
            ("deployment", configuration.deployment.clone()),
            ("contract", contract.version()),
            ("registry", position.to_string()),
            ("serves", if serves { "yes" } else { "no" }.to_owned()),
        ]);
        let value = json!({
            "deployment": configuration.deployment, "contract": contract.version(),
            "position": position.to_string(), "serves": serves,
        });
        Ok(output::print_either(self.json, &value, &page))
    }
}
