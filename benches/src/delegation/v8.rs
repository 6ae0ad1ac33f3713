//! Ours in V8: the same modules run by Node (v8.mjs beside this file), which measures itself.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::workload::Query;
use super::{Decider, World, module, sealed};
use crate::guests;

/// A Node process that holds a world and its requests.
struct Node {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Node {
    fn start(folder: &Folder, files: &Value) -> Result<Self> {
        let mut process = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/delegation/v8.mjs"))
            .current_dir(&folder.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("`node` does not start")?;
        let commands = process.stdin.take().context("a pipe")?;
        let answers = BufReader::new(process.stdout.take().context("a pipe")?);
        let mut node = Self { process, commands, answers };
        let ready = node.ask(files)?;
        ensure!(ready == json!("ready"), "node: {ready}");
        Ok(node)
    }

    fn ask(&mut self, command: &Value) -> Result<Value> {
        writeln!(self.commands, "{command}")?;
        self.commands.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line).context("node said nothing")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to be done about either error.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

impl Decider for Node {
    fn allows(&mut self, query: &Query) -> bool {
        let asked = self.ask(&json!({"ask": query.number}));
        asked.is_ok_and(|answer| answer == json!(true))
    }

    fn turn(&mut self, calls: u32) -> Option<f64> {
        self.ask(&json!({"turn": calls})).ok()?.as_f64()
    }
}

/// Whether there is a Node.
#[must_use]
pub fn is_there() -> bool {
    let mut command = Command::new("node");
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Loads the world into the bench guest.
///
/// # Errors
/// When there is no Node, the guest was not built, or it refuses the world.
pub fn load_guest(world: &World) -> Result<Box<dyn Decider>> {
    let folder = Folder::new()?;
    let requests = world.workload.queries.iter();
    let requests = requests.map(|query| json!([query.ids().to_vec(), query.edit]));
    folder.write("requests.json", json!(requests.collect::<Vec<_>>()).to_string().as_bytes())?;
    folder.write("body", &world.body)?;
    folder.write("guest.wasm", &guests::delegation()?)?;
    let files = json!({"mode": "guest"});
    Ok(Box::new(Node::start(&folder, &files)?))
}

/// Loads the world into the module that is shipped, asked in JSON.
///
/// # Errors
/// As [`load_guest`].
pub fn load_module(world: &World) -> Result<Box<dyn Decider>> {
    let folder = Folder::new()?;
    let requests = world.workload.queries.iter().map(|query| json!(module::questions(query)));
    folder.write("requests.json", json!(requests.collect::<Vec<_>>()).to_string().as_bytes())?;
    folder.write("container", &sealed::snapshot(&world.body)?)?;
    folder.write("module.wasm", &guests::core_module()?)?;
    let files = json!({"mode": "module", "config": sealed::config()?});
    Ok(Box::new(Node::start(&folder, &files)?))
}

/// A folder that is removed again.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("mandate-bench-{process}-{number}"));
        std::fs::create_dir(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
        Ok(std::fs::write(self.0.join(name), bytes)?)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}
