//! The server's process and folder.

use std::env;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use ureq::Agent;

/// The administrator of the realm `master`, made at the first start.
pub(super) const ADMINISTRATOR: &str = "admin";

/// A running server; it ends, and its folder goes, with this value.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    home: PathBuf,
    url: String,
}

impl Process {
    pub(super) fn start(distribution: &Path, password: &str) -> anyhow::Result<Self> {
        let port = free_port()?;
        // By process and port: two servers of one process never share a folder.
        let name = format!("mandate-keycloak-{}-{port}", std::process::id());
        let home = env::temp_dir().join(name);
        own_home(distribution, &home)
            .with_context(|| format!("cannot make the folder {}", home.display()))?;
        let log = File::create(home.join(LOG)).context("no log of Keycloak")?;
        let mut java = Command::new(java());
        java.args(JAVA_OPTIONS)
            .arg(format!("-Dkc.home.dir={}", home.display()))
            .arg(format!("-Djboss.server.config.dir={}", home.join("conf").display()))
            .arg("-cp")
            .arg(home.join("lib/quarkus-run.jar"))
            .args([MAIN, "start", "--optimized", "--cache=local", "--http-enabled=true"])
            .args(["--hostname-strict=false", "--http-host=127.0.0.1"])
            .arg(format!("--http-port={port}"));
        // What the caller's own Keycloak is told by the environment is not meant for this one.
        let settings = env::vars_os().map(|(name, _)| name);
        for name in settings.filter(|name| name.to_string_lossy().starts_with("KC_")) {
            java.env_remove(name);
        }
        java.env("KC_BOOTSTRAP_ADMIN_USERNAME", ADMINISTRATOR)
            .env("KC_BOOTSTRAP_ADMIN_PASSWORD", password)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("no log of Keycloak")?)
            .stderr(log);
        let child = java.spawn().context("`java` does not start")?;
        Ok(Self { child, home, url: format!("http://127.0.0.1:{port}") })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until the realm `master` answers: then everything is there.
    pub(super) fn wait(&mut self, agent: &Agent) -> anyhow::Result<()> {
        let since = Instant::now();
        let master = format!("{}/realms/master", self.url);
        while !agent.get(&master).call().is_ok_and(|answer| answer.status().is_success()) {
            if let Some(status) = self.child.try_wait()? {
                bail!("Keycloak ended ({status}): {}", self.last_words());
            }
            if since.elapsed() > PATIENCE {
                bail!("Keycloak did not start in {PATIENCE:?}: {}", self.last_words());
            }
            sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.home.join(LOG)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// The `java` of `JAVA_HOME`, else of the path.
fn java() -> PathBuf {
    let program = format!("java{}", env::consts::EXE_SUFFIX);
    let home = env::var_os("JAVA_HOME").filter(|home| !home.is_empty());
    home.map_or_else(|| program.clone().into(), |home| Path::new(&home).join("bin").join(&program))
}

/// A folder that only this server writes to, with the distribution's parts in it by link.
fn own_home(distribution: &Path, home: &Path) -> std::io::Result<()> {
    let distribution = fs::canonicalize(distribution)?;
    fs::create_dir(home)?;
    for part in ["conf", "lib", "providers", "themes"] {
        link(&distribution.join(part), &home.join(part))?;
    }
    Ok(())
}

#[cfg(unix)]
fn link(original: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(original, link)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "no symbolic links here"))
}

/// A port that nobody listens on; Keycloak cannot say which one it would choose.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port of loopback is free")?;
    Ok(listener.local_addr()?.port())
}

const LOG: &str = "keycloak.log";
const MAIN: &str = "io.quarkus.bootstrap.runner.QuarkusEntryPoint";

/// What `kc.sh` passes, but with the quick compiler and the small collector: a run of seconds.
const JAVA_OPTIONS: [&str; 16] = [
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xms128m",
    "-Xmx768m",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dfile.encoding=UTF-8",
    "-Duser.language=en",
    "-Duser.country=US",
    "-Dpicocli.disable.closures=true",
    "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
    "-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.security=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
];

/// Twelve seconds on an idle machine; minutes on one that compiles at the same time.
const PATIENCE: Duration = Duration::from_secs(600);
