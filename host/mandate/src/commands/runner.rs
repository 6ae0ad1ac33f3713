//! Which implementation a conformance run or a probe asks.

use std::{str::FromStr, time::Duration};

use anyhow::{Result, bail};
use mandate_host::{CoreModule, Plugin, PluginOptions};

use crate::conformance::{Complete, Component, Exec, ExecOptions, Implementation, patient_limits};
use crate::engine::{ComponentEngine, Engine, ModuleEngine, NativeEngine};
use crate::plugin::PluginChoice;

/// `native`, `component`, `module`, `envoy`, `ext-authz` or `exec:CMD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    Component,
    Envoy,
    Exec(String),
    ExtAuthz,
    Module,
    Native,
}

const EXPECTED: &str =
    "expected `native`, `component`, `module`, `envoy`, `ext-authz` or `exec:CMD`";

impl FromStr for Runner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "native" => Ok(Self::Native),
            "component" => Ok(Self::Component),
            "envoy" => Ok(Self::Envoy),
            "ext-authz" => Ok(Self::ExtAuthz),
            "module" => Ok(Self::Module),
            _ => match text.strip_prefix("exec:").map(str::trim) {
                Some("") => Err("`exec:` needs a command".to_owned()),
                Some(command) => Ok(Self::Exec(command.to_owned())),
                None => Err(EXPECTED.to_owned()),
            },
        }
    }
}

impl Runner {
    /// The name under which results and exceptions are kept; a program's is its file name.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Component => "component".to_owned(),
            Self::Envoy => "envoy".to_owned(),
            Self::ExtAuthz => "ext-authz".to_owned(),
            Self::Module => "module".to_owned(),
            Self::Native => "native".to_owned(),
            Self::Exec(command) => {
                let words = command.split_whitespace();
                let last = words.last().unwrap_or_default();
                let file = last.rsplit(['/', '\\']).next().unwrap_or_default();
                file.split('.').next().unwrap_or_default().to_owned()
            }
        }
    }

    /// Starts the implementation.
    pub(super) fn start(
        &self,
        name: &str,
        plugin: &PluginChoice,
        timeout: Duration,
        fuel: bool,
    ) -> Result<Box<dyn Implementation>> {
        if fuel && *self != Self::Component {
            bail!("`--fuel` counts the work of the component: give `--runner component`");
        }
        let options = PluginOptions { fuel, ..PluginOptions::default() };
        Ok(match self {
            Self::Native => Box::new(Complete::native()),
            Self::Component if fuel => {
                let (bytes, digest) = plugin.bytes()?;
                Box::new(Component::new(Plugin::from_bytes(&bytes, &digest, &options)?)?)
            }
            Self::Component => Box::new(Complete::component(&plugin.load()?)?),
            Self::Module => Box::new(Complete::module(core_module(plugin)?)),
            Self::Envoy | Self::ExtAuthz => bail!("{BY_CONFORMANCE}"),
            Self::Exec(command) => {
                let options = ExecOptions { timeout, ..ExecOptions::default() };
                Box::new(Exec::new(name, command, options)?)
            }
        })
    }
}

impl Runner {
    /// Makes what decides on relationships, with nothing loaded.
    ///
    /// # Errors
    /// Why this runner cannot.
    pub(super) fn engine(&self, plugin: &PluginChoice) -> Result<Box<dyn Engine>> {
        self.engines(plugin)?()
    }

    /// Makes any number of them; the plugin is compiled once.
    ///
    /// # Errors
    /// Why this runner cannot.
    pub(super) fn engines(&self, plugin: &PluginChoice) -> Result<Box<MakeEngine>> {
        match self {
            Self::Native => Ok(Box::new(|| Ok(Box::new(NativeEngine::new())))),
            Self::Component => {
                let plugin = plugin.load()?;
                Ok(Box::new(move || Ok(Box::new(ComponentEngine::new(plugin.clone())?))))
            }
            Self::Module => {
                let module = core_module(plugin)?;
                Ok(Box::new(move || Ok(Box::new(ModuleEngine::new(module.fresh())))))
            }
            Self::Envoy | Self::Exec(_) | Self::ExtAuthz => bail!("{BY_CONFORMANCE}"),
        }
    }
}

const BY_CONFORMANCE: &str =
    "a program is asked by `conformance`: `--runner` is `native`, `component` or `module`";

/// Makes an engine with nothing loaded.
pub(super) type MakeEngine = dyn Fn() -> Result<Box<dyn Engine>>;

/// The core module inside the plugin.
fn core_module(plugin: &PluginChoice) -> Result<CoreModule> {
    let (bytes, digest) = plugin.bytes()?;
    let options = PluginOptions::default();
    Ok(CoreModule::from_bytes(&bytes, &digest, &options, patient_limits())?)
}

#[cfg(test)]
mod tests {
    use super::Runner;

    #[test]
    fn a_runner_is_named_as_its_exceptions_are() {
        let name = |text: &str| text.parse::<Runner>().map(|runner| runner.name());
        assert_eq!(name("native"), Ok("native".to_owned()));
        assert_eq!(name("exec:python3 adapters/pyjwt.py"), Ok("pyjwt".to_owned()));
        assert_eq!(name("exec: "), Err("`exec:` needs a command".to_owned()));
        assert_eq!(
            name("python3"),
            Err("expected `native`, `component`, `module`, `envoy`, `ext-authz` or `exec:CMD`"
                .to_owned())
        );
    }
}
