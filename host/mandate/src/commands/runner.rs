//! Which implementation a conformance run or a probe asks.

use std::{str::FromStr, time::Duration};

use anyhow::{Result, bail};
use mandate_host::{CoreModule, Plugin, PluginOptions};

use crate::conformance::{
    Component, Exec, ExecOptions, Implementation, Module, Native, patient_limits,
};
use crate::engine::{ComponentEngine, Engine, NativeEngine};
use crate::plugin::PluginChoice;

/// `native`, `component`, `module` or `exec:CMD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    Component,
    Exec(String),
    Module,
    Native,
}

impl FromStr for Runner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "native" => Ok(Self::Native),
            "component" => Ok(Self::Component),
            "module" => Ok(Self::Module),
            _ => match text.strip_prefix("exec:").map(str::trim) {
                Some("") => Err("`exec:` needs a command".to_owned()),
                Some(command) => Ok(Self::Exec(command.to_owned())),
                None => Err("expected `native`, `component`, `module` or `exec:CMD`".to_owned()),
            },
        }
    }
}

impl Runner {
    /// The name under which results and exceptions are kept; a program's is its file name.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Component => "component".to_owned(),
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
            Self::Native => Box::new(Native::new()),
            Self::Component if fuel => {
                let (bytes, digest) = plugin.bytes()?;
                Box::new(Component::new(Plugin::from_bytes(&bytes, &digest, &options)?)?)
            }
            Self::Component => Box::new(Component::new(plugin.load()?)?),
            Self::Module => {
                let (bytes, digest) = plugin.bytes()?;
                let module = CoreModule::from_bytes(&bytes, &digest, &options, patient_limits())?;
                Box::new(Module::new(module))
            }
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
        match self {
            Self::Native => Ok(Box::new(NativeEngine::new())),
            Self::Component => Ok(Box::new(ComponentEngine::new(plugin.load()?)?)),
            Self::Module | Self::Exec(_) => {
                bail!("relationships are decided by `--runner native` or `component`")
            }
        }
    }
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
            Err("expected `native`, `component`, `module` or `exec:CMD`".to_owned())
        );
    }
}
