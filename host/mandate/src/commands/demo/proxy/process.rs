//! Envoy's process and folder.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::commands::output_file;

/// A running Envoy; it ends, and its folder goes, with this value.
pub(super) struct Process {
    child: Child,
    folder: PathBuf,
}

impl Process {
    /// Two workers, and an access log that is written at once.
    pub(super) fn start(program: &Path, bootstrap: &Value) -> Result<Self> {
        let folder = own_folder()?;
        match spawn(program, &folder, bootstrap) {
            Ok(child) => Ok(Self { child, folder }),
            Err(error) => {
                let _ = fs::remove_dir_all(folder);
                Err(error)
            }
        }
    }

    /// Lines of the access log.
    pub(super) fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join(ACCESS)).unwrap_or_default();
        // The last line may not be whole yet.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(str::to_owned).collect()
    }

    /// Fails where it has ended, with its last words.
    pub(super) fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("Envoy ended ({status}): {}", self.last_words());
        }
        Ok(())
    }

    /// The end of its own log.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read_to_string(self.folder.join(LOG)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn spawn(program: &Path, folder: &Path, bootstrap: &Value) -> Result<Child> {
    let file = folder.join("envoy.json");
    // The secret of sessions is in it.
    output_file::replace_private("bootstrap", &file, bootstrap.to_string().as_bytes())?;
    let log = |name: &str| File::create(folder.join(name)).context("no log of Envoy");
    Command::new(program)
        .args(["--concurrency", "2", "--disable-hot-restart", "--log-level", "warning"])
        .args(["--file-flush-interval-msec", "50", "--config-path"])
        .arg(file)
        .stdin(Stdio::null())
        .stdout(log(ACCESS)?)
        .stderr(log(LOG)?)
        .spawn()
        .with_context(|| format!("`{}` does not start", program.display()))
}

fn own_folder() -> Result<PathBuf> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("mandate-proxy-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    Ok(folder)
}

/// A port that is freed at once, for Envoy to take.
pub(super) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

const ACCESS: &str = "access.log";
const LOG: &str = "envoy.log";
