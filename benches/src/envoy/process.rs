//! Envoy as a process: started on cores of its own, measured by what the kernel says, and ended.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::client;
use super::programs::Programs;

/// A running Envoy; it ends when this is dropped.
#[derive(Debug)]
pub struct Envoy {
    child: Child,
    folder: PathBuf,
    /// Where its admin interface listens.
    pub admin: u16,
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Envoy {
    /// Starts it with a bootstrap, on a core of its own, and waits until it listens.
    ///
    /// # Errors
    /// When it does not start: the last lines of its log are in the error.
    pub fn start(
        programs: &Programs,
        bootstrap: &Value,
        admin: u16,
        workers: usize,
    ) -> Result<Self> {
        let folder = folder_of_its_own()?;
        let path = folder.join("envoy.json");
        std::fs::write(&path, bootstrap.to_string())?;
        let log = std::fs::File::create(folder.join(LOG))?;
        let child = Command::new("taskset")
            .args(["--cpu-list", ENVOY_CORES])
            .arg(&programs.envoy)
            .args(["--concurrency", &workers.to_string(), "--disable-hot-restart"])
            .args(["--log-level", "warning", "--config-path"])
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("taskset and Envoy")?;
        let mut envoy = Self { child, folder, admin };
        let ready = b"GET /ready HTTP/1.1\r\nhost: a\r\n\r\n";
        let begun = Instant::now();
        while client::ask(admin, ready).is_err() {
            let ended = envoy.child.try_wait()?.is_some();
            if ended || begun.elapsed() > PATIENCE {
                bail!("Envoy does not listen:\n{}", envoy.log());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(envoy)
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join(LOG)).unwrap_or_default()
    }

    /// Nanoseconds that all of its threads have run, as the scheduler counts them: exact for threads
    /// that sleep when they are asked about.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn nanoseconds(&self) -> Result<u64> {
        let mut sum: u64 = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
            let first = text.split(' ').next().context("schedstat is empty")?;
            sum = sum.saturating_add(first.parse()?);
        }
        Ok(sum)
    }

    /// Bytes of its memory that are resident.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn resident_bytes(&self) -> Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes: u64 = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .context("no VmRSS in the status")?
            .parse()?;
        Ok(kilobytes.saturating_mul(1024))
    }

    /// A counter or gauge by its whole name; `None` where Envoy has none.
    ///
    /// # Errors
    /// When the admin interface does not answer.
    pub fn statistic(&self, name: &str) -> Result<Option<u64>> {
        let request =
            format!("GET /stats?filter=%5E{name}%24&usedonly HTTP/1.1\r\nhost: a\r\n\r\n");
        let answered = client::ask(self.admin, request.as_bytes())?;
        let text = String::from_utf8_lossy(&answered.body).into_owned();
        let value = text.lines().find_map(|line| line.rsplit_once(": "));
        Ok(value.map(|(_, value)| value.trim().parse()).transpose()?)
    }

    /// Waits until something is as it should be.
    ///
    /// # Errors
    /// When it is not, in a long while.
    pub fn wait_until(&self, what: &str, mut is: impl FnMut() -> Result<bool>) -> Result<()> {
        let begun = Instant::now();
        while !is().unwrap_or_default() {
            if begun.elapsed() > PATIENCE {
                bail!("never: {what}\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

/// Keeps every thread of this process that there is and will be off Envoy's core.
///
/// # Errors
/// When `taskset` is not there, or there is one core only.
pub fn leave_envoys_core() -> Result<()> {
    let mut taskset = Command::new("taskset");
    taskset.args(["--all-tasks", "--cpu-list", "--pid", LOAD_CORES]);
    let status = taskset.arg(std::process::id().to_string()).stdout(Stdio::null()).status();
    anyhow::ensure!(status.context("taskset")?.success(), "taskset: two cores are needed");
    Ok(())
}

/// A port that is freed at once, for Envoy to take.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn folder_of_its_own() -> Result<PathBuf> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = format!("mandate-envoy-bench-{}-{number}", std::process::id());
    let folder = Path::new(&std::env::temp_dir()).join(folder);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Where Envoy runs.
const ENVOY_CORES: &str = "0";
/// Where everything else of a run is.
const LOAD_CORES: &str = "1";
const LOG: &str = "envoy.log";
/// A snapshot of a million relationships is validated before the first request is decided.
const PATIENCE: Duration = Duration::from_secs(120);
