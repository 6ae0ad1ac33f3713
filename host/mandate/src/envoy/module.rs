//! The module's digest: what runs is what was reviewed.

use std::fmt::Display;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mandate_host::Sha256Digest;

use super::lint::Report;
use super::node::Node;
use super::rule::Rule;

/// How a configuration says which file the module has to be.
///
/// Envoy checks the digest of a module that it fetches (`remote.sha256`), and has no field for one that
/// it reads from a file. Then the digest stands in `vm_id`, which may be any text: it comes back in
/// `/config_dump`, and two versions of the module never share what they share by `vm_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModulePin(pub Sha256Digest);

const PREFIX: &str = "mandate@sha256:";

impl ModulePin {
    /// As it stands in `vm_id`.
    #[must_use]
    pub fn vm_id(self) -> String {
        format!("{PREFIX}{}", self.0)
    }

    fn of_vm_id(text: &str) -> Option<Self> {
        text.strip_prefix(PREFIX)?.parse().ok().map(Self)
    }
}

/// Longest module: a guest has less than 4 MiB.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Is the module of a `vm_config` pinned, and the one that it is pinned to?
pub(super) fn check(vm_config: &Node<'_>, report: &mut Report<'_>) {
    let remote = vm_config.at(&["code", "remote"]);
    let found = if remote.is_present() {
        let pin = remote.get("sha256");
        match pin.text().map(str::parse) {
            Some(Ok(digest)) => expected(digest, report).map_err(|reason| (pin, reason)),
            _ => Err((pin, "whatever is fetched runs, and decides".to_owned())),
        }
    } else {
        let pin = vm_config.get("vm_id");
        match pin.text().and_then(ModulePin::of_vm_id) {
            Some(ModulePin(digest)) => {
                let local = vm_config.at(&["code", "local"]);
                expected(digest, report)
                    .map_err(|reason| (pin, reason))
                    .and_then(|()| holds(&local, digest, report).map_err(|reason| (local, reason)))
            }
            None => {
                let reason = "nothing says which file the module has to be, and Envoy checks none";
                Err((pin, reason.to_owned()))
            }
        }
    };
    if let Err((place, reason)) = found {
        report.find(Rule::ModuleUnpinned, &place, reason);
    }
}

/// The pin is the module that was reviewed.
fn expected(pin: Sha256Digest, report: &Report<'_>) -> Result<(), String> {
    match report.options.expected {
        Some(expected) if expected != pin => Err(format!("the module has to be {expected}")),
        _ => Ok(()),
    }
}

/// The file is what its pin says.
fn holds(local: &Node<'_>, pin: Sha256Digest, report: &Report<'_>) -> Result<(), String> {
    let actual = Sha256Digest::of(&bytes(local, report.options.module.as_deref())?);
    if actual == pin {
        return Ok(());
    }
    Err(format!("the module is {actual}, which is not its pin"))
}

fn bytes(local: &Node<'_>, copy: Option<&Path>) -> Result<Vec<u8>, String> {
    if let Some(text) = local.get("inline_bytes").text() {
        return STANDARD.decode(text).map_err(|_| "`inline_bytes` is no base64".to_owned());
    }
    let named = local.get("filename").text().map(Path::new);
    let path = copy.or(named).ok_or("no file is named")?;
    let unreadable = |problem: &dyn Display| {
        format!(
            "the module `{}` cannot be read, so nobody has checked it: {problem}",
            path.display()
        )
    };
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let mut bytes = Vec::new();
    let read = file.take(LONGEST).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(&error))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pin_survives_the_vm_id() {
        let pin = ModulePin(Sha256Digest::of(b"module"));
        assert_eq!(ModulePin::of_vm_id(&pin.vm_id()), Some(pin));
        assert_eq!(ModulePin::of_vm_id("mandate"), None);
        assert_eq!(ModulePin::of_vm_id("mandate@sha256:0123"), None);
    }
}
