//! Any program that speaks the probe protocol on stdin and stdout.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;

use super::implementation::Implementation;

/// A program under test. A crash, a hang or a line that is no JSON costs the one answer; the
/// program is then ended and started again, a bounded number of times.
#[derive(Debug)]
pub struct Exec {
    name: String,
    command: Vec<String>,
    options: ExecOptions,
    process: Option<Process>,
    starts: usize,
}

/// Bounds for a program that may misbehave.
#[derive(Debug, Clone, Copy)]
pub struct ExecOptions {
    /// The longest wait for one answer.
    pub timeout: Duration,
    /// How often the program is started at most.
    pub starts: usize,
}

impl Default for ExecOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(20), starts: 10 }
    }
}

/// The longest line that is read: an answer is far shorter.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

impl Exec {
    /// A program with its arguments, separated by spaces; quotes keep spaces together. No shell.
    ///
    /// # Errors
    /// When the command is empty or a quote is not closed.
    pub fn new(name: &str, command: &str, options: ExecOptions) -> Result<Self> {
        let command = words(command)?;
        ensure!(!command.is_empty(), "`exec:` needs a command");
        Ok(Self { name: name.to_owned(), command, options, process: None, starts: 0 })
    }

    fn process(&mut self) -> Result<&mut Process> {
        if self.process.is_none() {
            ensure!(
                self.starts < self.options.starts,
                "ended {} times: not started again",
                self.starts
            );
            self.starts = self.starts.saturating_add(1);
            self.process = Some(Process::start(&self.command)?);
        }
        self.process.as_mut().context("no process")
    }
}

impl Implementation for Exec {
    fn name(&self) -> &str {
        &self.name
    }

    fn answer(&mut self, request: &Value) -> Result<Value> {
        let timeout = self.options.timeout;
        let answer = self.process()?.ask(request, timeout);
        if answer.is_err() {
            self.process = None; // ends it
        }
        answer
    }
}

/// A running program; ended when dropped.
#[derive(Debug)]
struct Process {
    child: Child,
    requests: Sender<String>,
    answers: Receiver<Result<String>>,
}

impl Process {
    fn start(command: &[String]) -> Result<Self> {
        let (program, arguments) = command.split_first().context("empty command")?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{program}`"))?;
        let mut stdin = child.stdin.take().context("no stdin")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let (requests, to_write) = mpsc::channel::<String>();
        // A program that does not read would block the writer for ever: only this thread waits.
        thread::spawn(move || {
            for line in to_write {
                if stdin.write_all(line.as_bytes()).and_then(|()| stdin.flush()).is_err() {
                    break;
                }
            }
        });
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            while sender.send(read_line(&mut reader)).is_ok() {}
        });
        Ok(Self { child, requests, answers })
    }

    fn ask(&mut self, request: &Value, timeout: Duration) -> Result<Value> {
        self.requests
            .send(format!("{request}\n"))
            .map_err(|_| anyhow!("the program has stopped reading"))?;
        match self.answers.recv_timeout(timeout) {
            Ok(line) => {
                let line = line?;
                serde_json::from_str(&line).with_context(|| {
                    let start: String = line.chars().take(80).collect();
                    format!("the answer is no JSON: `{start}`")
                })
            }
            Err(RecvTimeoutError::Timeout) => bail!("no answer within {timeout:?}"),
            Err(RecvTimeoutError::Disconnected) => bail!("the program has ended"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The program may have ended by itself: then there is nothing to kill, only to collect.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read_line(reader: &mut BufReader<ChildStdout>) -> Result<String> {
    let mut line = String::new();
    let read = reader.take(LONGEST_LINE).read_line(&mut line).context("cannot read its answer")?;
    ensure!(read > 0, "the program has ended");
    ensure!(line.ends_with('\n'), "an answer of more than {LONGEST_LINE} bytes, or cut off");
    Ok(line)
}

/// Splits at white space; single or double quotes keep it.
fn words(command: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in command.chars() {
        match quote {
            Some(end) if character == end => quote = None,
            None if character == '"' || character == '\'' => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            None if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    ensure!(quote.is_none(), "`exec:`: a quote is not closed");
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Exec, ExecOptions, Implementation, words};

    fn exec(script: &str) -> Exec {
        let options = ExecOptions { timeout: Duration::from_millis(500), starts: 2 };
        Exec::new("test", &format!("sh -c '{script}'"), options).unwrap()
    }

    #[test]
    fn quotes_keep_spaces_together() {
        assert_eq!(words(r#"a "b c" d'e f' """#).unwrap(), ["a", "b c", "de f", ""]);
        assert_eq!(words("a 'b").unwrap_err().to_string(), "`exec:`: a quote is not closed");
    }

    #[test]
    fn a_program_that_hangs_or_ends_costs_one_answer_and_is_started_a_bounded_number_of_times() {
        let mut hanging = exec("exec sleep 60");
        let mut ended = exec("exit 3");
        let request = json!({"id": "a"});
        let error = |exec: &mut Exec| exec.answer(&request).unwrap_err().to_string();
        assert_eq!(error(&mut hanging), "no answer within 500ms");
        assert_eq!(error(&mut hanging), "no answer within 500ms");
        assert_eq!(error(&mut hanging), "ended 2 times: not started again");
        assert_eq!(error(&mut ended), "the program has ended");
    }

    #[test]
    fn an_answer_is_one_line_of_json() {
        let mut echo = exec("exec cat");
        assert_eq!(echo.answer(&json!({"id": "a"})).unwrap(), json!({"id": "a"}));
        let mut noise = exec("echo hello; exec cat");
        let error = noise.answer(&json!({"id": "a"})).unwrap_err();
        assert_eq!(error.to_string(), "the answer is no JSON: `hello\n`");
    }
}
