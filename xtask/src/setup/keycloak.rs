//! A Keycloak server from Maven Central: the provider that the preset `keycloak` is tested on. Optional.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow, bail};

use crate::checkout::{Checkout, variable};
use crate::unavailable::Unavailable;
use crate::{digest, process};

/// The distribution, and its digest: 26.7 is the newest that runs on Java 17.
const VERSION: &str = "26.7.4";
const SHA256: &str = "04823c336b797a7e18889a44262a7a64e6bf624cbbcc518c85e2622176ff2eee";
/// The goal that fetches one artifact.
const GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get";
/// What the server is built with once, so that every start is quick.
const BUILD: [&str; 2] = ["build", "--db=dev-mem"];
const OLDEST_JAVA: u32 = 17;

/// A distribution that is ready to start: the one that `MANDATE_KEYCLOAK` names, else our own.
/// Fetches nothing.
///
/// # Errors
/// [`Unavailable`] when it is not there, or no Java to run it.
pub(crate) fn find_keycloak(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    need_java()?;
    if let Some(folder) = variable("MANDATE_KEYCLOAK") {
        return Ok(folder.into());
    }
    let folder = folder(checkout);
    if std::fs::read_to_string(stamp(checkout)).unwrap_or_default() == stamp_text()
        && folder.is_dir()
    {
        return Ok(folder);
    }
    let remedy = "`cargo xtask campaign keycloak` fetches it once (180 MB)";
    Err(anyhow!(Unavailable::new("Keycloak", remedy)))
}

/// A distribution that is ready to start, fetched from Maven Central and built now if need be.
///
/// # Errors
/// [`Unavailable`] when there is no Java or Maven, or Maven Central cannot be reached.
pub(crate) fn need_keycloak(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    need_java()?;
    if let Ok(folder) = find_keycloak(checkout) {
        return Ok(folder);
    }
    let cache = checkout.cache("keycloak");
    let folder = folder(checkout);
    crate::say!("setup: fetching Keycloak {VERSION} from Maven Central to {}", cache.display());
    std::fs::create_dir_all(&cache).context("cannot make the folder of Keycloak")?;
    let fetched = cache.join("maven");
    let archive = fetch(&fetched)?;
    // What an interrupted run left is not trusted.
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("cannot remove the old Keycloak")?;
    }
    let mut tar = Command::new("tar");
    process::output(tar.arg("-xzf").arg(&archive).arg("-C").arg(&cache))
        .context(Unavailable::new("tar", "install it, and run again"))?;
    let jar = folder.join("lib/quarkus-run.jar");
    let mut java = Command::new(java());
    // The quick compiler: a third of the time for a build of seconds.
    java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
    java.arg(format!("-Dkc.home.dir={}", folder.display())).arg("-cp").arg(jar);
    process::output(java.arg("io.quarkus.bootstrap.runner.QuarkusEntryPoint").args(BUILD))
        .context("Keycloak does not build")?;
    std::fs::write(stamp(checkout), stamp_text()).context("cannot write Keycloak's stamp")?;
    std::fs::remove_dir_all(&fetched).context("cannot remove Keycloak's archive")?;
    Ok(folder)
}

/// The archive, by Maven into a repository of our own: checked against the digest that Maven
/// Central publishes (`-C`), and against ours.
fn fetch(repository: &Path) -> anyhow::Result<PathBuf> {
    let maven = if cfg!(windows) { "mvn.cmd" } else { "mvn" };
    if process::probe(maven, &["--version"]).is_none() {
        let remedy =
            "install Maven (https://maven.apache.org), or name a server in MANDATE_KEYCLOAK";
        return Err(anyhow!(Unavailable::new("Maven", remedy)));
    }
    let mut get = Command::new(maven);
    get.args(["--batch-mode", "--quiet", "-C", GOAL, "-Dtransitive=false"])
        .arg(format!("-Dmaven.repo.local={}", repository.display()))
        .arg(format!("-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz"));
    process::step("setup", &mut get)
        .context(Unavailable::new("Keycloak", "Maven Central must be reachable once"))?;
    let name = format!("keycloak-quarkus-dist-{VERSION}.tar.gz");
    let archive = repository.join("org/keycloak/keycloak-quarkus-dist").join(VERSION).join(name);
    let found = digest::file(&archive)?;
    if found != SHA256 {
        bail!("Keycloak {VERSION} has the SHA-256 {found}, expected {SHA256}");
    }
    Ok(archive)
}

fn need_java() -> anyhow::Result<()> {
    let version = process::probe(java(), &["--version"]).unwrap_or_default();
    if major(&version).is_some_and(|major| major >= OLDEST_JAVA) {
        return Ok(());
    }
    let remedy = format!("Keycloak needs Java {OLDEST_JAVA} or later (https://adoptium.net)");
    Err(anyhow!(Unavailable::new("Java", remedy)))
}

/// The `java` of `JAVA_HOME`, else of the path.
fn java() -> PathBuf {
    let program = format!("java{}", std::env::consts::EXE_SUFFIX);
    let home = variable("JAVA_HOME").map(PathBuf::from);
    home.map_or_else(|| program.clone().into(), |home| home.join("bin").join(&program))
}

/// `openjdk 17.0.15 2025-04-15` is 17.
fn major(version: &str) -> Option<u32> {
    version.split_whitespace().nth(1)?.split('.').next()?.parse().ok()
}

fn folder(checkout: &Checkout) -> PathBuf {
    checkout.cache("keycloak").join(format!("keycloak-{VERSION}"))
}

fn stamp(checkout: &Checkout) -> PathBuf {
    checkout.cache("keycloak/mandate-build")
}

fn stamp_text() -> String {
    format!("{SHA256} {}", BUILD.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_java_is_read() {
        let versions = ["openjdk 17.0.15 2025-04-15\nOpenJDK", "openjdk 25 2025-09-16", "java", ""];
        assert_eq!(versions.map(major), [Some(17), Some(25), None, None]);
    }
}
