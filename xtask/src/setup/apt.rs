//! Debian packages, where they can be installed.

use std::process::Command;

use crate::process;

/// Installs packages when this is root on a machine with apt; says so, and whether it worked.
pub(crate) fn install(packages: &[&str]) -> bool {
    if !usable() {
        return false;
    }
    crate::say!("setup: installing {} with apt", packages.join(" "));
    let attempt = || {
        let mut command = Command::new("apt-get");
        command.args(["install", "--yes", "--no-install-recommends"]).args(packages);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        process::output(&mut command).is_ok()
    };
    // A machine fresh from its image has no package lists yet.
    attempt() || (process::output(Command::new("apt-get").arg("update")).is_ok() && attempt())
}

fn usable() -> bool {
    process::probe("apt-get", &["--version"]).is_some()
        && process::probe("id", &["-u"]).is_some_and(|user| user.trim() == "0")
}
