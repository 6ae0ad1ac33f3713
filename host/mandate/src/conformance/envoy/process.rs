//! A running Envoy.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::message;

/// A folder of this run; removed with all that is in it.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("mandate-conformance-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file; whoever reads it sees it whole or not at all.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let (path, draft) = (self.path(name), self.path("draft"));
        let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path));
        written.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it is in the system's folder for such things.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// The process; ended when dropped.
#[derive(Debug)]
pub(super) struct Envoy {
    child: Child,
    log: PathBuf,
    admin: PathBuf,
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to end, only to collect.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Envoy {
    /// Starts it with one worker, and waits until it listens.
    pub(super) fn start(program: &Path, bootstrap: &Value, folder: &Folder) -> Result<Self> {
        let configuration = folder.write("envoy.json", &bootstrap.to_string())?;
        let (log, admin) = (folder.path("envoy.log"), folder.path("admin"));
        let child = Command::new(program)
            .args(["--concurrency", "1", "--disable-hot-restart", "-l", "warning"])
            .args(["--file-flush-interval-msec", "20", "--admin-address-path"])
            .arg(&admin)
            .arg("-c")
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("cannot start `{}`", program.display()))?;
        let mut envoy = Self { child, log, admin };
        envoy.wait_for(&|listening| !listening.is_empty())?;
        Ok(envoy)
    }

    /// Waits until it listens as is wanted, by the listeners' names.
    pub(super) fn wait_for(&mut self, wanted: &dyn Fn(&BTreeSet<String>) -> bool) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < START {
            if let Some(status) = self.child.try_wait()? {
                bail!("Envoy ended with {status}: {}", self.last_lines());
            }
            let address = fs::read_to_string(&self.admin).unwrap_or_default();
            if listeners(&address).is_some_and(|listening| wanted(&listening)) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("Envoy does not listen: {}", self.last_lines())
    }

    /// What it has logged.
    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn last_lines(&self) -> String {
        let text = self.log();
        let lines: Vec<&str> = text.lines().rev().take(3).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }
}

/// The body of an answer of the admin interface.
fn ask(address: &str, target: &str) -> Option<Vec<u8>> {
    let mut connection = TcpStream::connect(address).ok()?;
    connection.set_read_timeout(Some(START)).ok()?;
    let request = format!("GET {target} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).ok()?;
    let mut reader = BufReader::new(connection);
    let head = message::response_head(&mut reader).filter(|head| head.status == 200)?;
    Some(message::content(&mut reader, &head.fields, true).body)
}

fn listeners(address: &str) -> Option<BTreeSet<String>> {
    let body = ask(address.trim(), "/listeners?format=json")?;
    let document: Value = serde_json::from_slice(&body).ok()?;
    let listeners = document.get("listener_statuses")?.as_array()?.iter();
    listeners.map(|listener| Some(listener.get("name")?.as_str()?.to_owned())).collect()
}

/// Lines of the access log, by the ports of the listener and of who asked.
#[derive(Debug)]
pub(super) struct AccessLog(PathBuf);

/// What the log says of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Logged {
    /// `%RESPONSE_CODE_DETAILS%`.
    pub(super) details: String,
    /// The audit record.
    pub(super) record: Option<String>,
}

impl AccessLog {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The entries, once each of these is there, or no more come.
    pub(super) fn read(&self, wanted: &[(u16, u16)]) -> Result<BTreeMap<(u16, u16), Logged>> {
        let begun = Instant::now();
        loop {
            let entries = self.entries()?;
            if wanted.iter().all(|ports| entries.contains_key(ports)) || begun.elapsed() > FLUSH {
                return Ok(entries);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn entries(&self) -> Result<BTreeMap<(u16, u16), Logged>> {
        let bytes = fs::read(&self.0).unwrap_or_default();
        let text = String::from_utf8(bytes).context("the access log is no text")?;
        let mut entries = BTreeMap::new();
        // The last line may be half written.
        for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let mut parts = line.splitn(4, '\t');
            let mut part = || parts.next().context("a line of the access log is short");
            let ports = (part()?.parse()?, part()?.parse()?);
            let (details, record) = (part()?.to_owned(), part()?);
            let record = (record != "-").then(|| record.to_owned());
            let logged = Logged { details, record };
            match entries.entry(ports) {
                Entry::Vacant(place) => drop(place.insert(logged)),
                // What is left of a request that was answered early is no request.
                Entry::Occupied(_) if logged.details.starts_with("http1.codec_error") => {}
                Entry::Occupied(first) => {
                    bail!("the ports {ports:?} are in the access log twice: {first:?}, {logged:?}")
                }
            }
        }
        Ok(entries)
    }
}

/// How long Envoy may take to listen.
const START: Duration = Duration::from_secs(120);
/// How long the log may be late.
const FLUSH: Duration = Duration::from_secs(10);
