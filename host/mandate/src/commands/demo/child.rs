//! Programs that say in one line of JSON that they are ready, and end with whoever started them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::Value;

/// A running program.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    // Closing it ends the program.
    stdin: Option<ChildStdin>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Child {
    /// Starts a program, gives it a first line where there is one, and waits for its own.
    ///
    /// # Errors
    /// When it does not start, or ends or is silent instead of saying that it is ready.
    pub fn start(command: &mut Command, told: Option<&Value>) -> anyhow::Result<(Self, Value)> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("`{name}` does not start"))?;
        let stdout = process.stdout.take().with_context(|| format!("no output of `{name}`"))?;
        let (stdin, said) = (process.stdin.take(), Arc::default());
        let mut child = Self { process, stdin, said };
        if let (Some(told), Some(stdin)) = (told, &mut child.stdin) {
            writeln!(stdin, "{told}").with_context(|| format!("`{name}` reads nothing"))?;
        }
        let (ready, is_ready) = channel();
        let said = Arc::clone(&child.said);
        std::thread::spawn(move || {
            for (number, line) in BufReader::new(stdout).lines().map_while(Result::ok).enumerate() {
                if number == 0 {
                    let _ = ready.send(line);
                } else {
                    said.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                }
            }
        });
        let line = is_ready.recv_timeout(PATIENCE);
        let line = line.map_err(|_| anyhow!("`{name}` does not say in time that it is ready"))?;
        let line = serde_json::from_str(&line);
        Ok((child, line.with_context(|| format!("`{name}` says something else"))?))
    }

    /// What it has said since it was ready, and since it was last asked.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        std::mem::take(&mut self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends it.
    pub fn stop(&mut self) {
        drop(self.stdin.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Node or Python on a busy machine with cold disks.
const PATIENCE: Duration = Duration::from_secs(60);
