//! `mandate probe`: the conformance protocol, raw: JSON lines in, JSON lines out.

use std::io::{self, BufRead, ErrorKind, Read as _, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::json;

use crate::commands::runner::Runner;
use crate::conformance::LONGEST_LINE;
use crate::output;
use crate::plugin::PluginChoice;

/// Answer requests of the conformance protocol: one JSON line in, one JSON line out, in order.
///
/// Requests are described in docs/conformance.md. A line that is no request is answered with
/// `error`, and the next one is read.
#[derive(Args, Clone, Debug)]
pub struct ProbeCommand {
    /// `native`, `component` or `module`.
    #[arg(long, default_value = "component")]
    runner: Runner,
    #[command(flatten)]
    plugin: PluginChoice,
}

impl ProbeCommand {
    /// Runs the command until stdin ends.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.answer() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => output::fail(&format!("{error:#}")),
        }
    }

    fn answer(&self) -> Result<()> {
        if let Runner::Exec(_) = self.runner {
            bail!("`probe` answers by itself: `--runner` is `native`, `component` or `module`");
        }
        let name = self.runner.name();
        let mut implementation = self.runner.start(&name, &self.plugin, Duration::ZERO, false)?;
        let (stdin, stdout) = (io::stdin().lock(), io::stdout().lock());
        match serve(|line| implementation.answer_line(line), stdin, stdout) {
            // The reader has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            served => served.context("cannot read a line or write its answer"),
        }
    }
}

fn serve(
    mut answer: impl FnMut(&str) -> String,
    mut input: impl BufRead,
    mut output: impl Write,
) -> io::Result<()> {
    let mut line = Vec::new();
    while let Some(length) = read_line(&mut input, &mut line)? {
        let answer = match str::from_utf8(&line) {
            _ if length > LONGEST_LINE => {
                refused(&format!("the line has {length} bytes, above the limit of {LONGEST_LINE}"))
            }
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => answer(line),
            Err(_) => refused("the line is not UTF-8"),
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn refused(message: &str) -> String {
    json!({"id": null, "error": {"path": "", "message": message}}).to_string()
}

/// Reads a line without its end; its length, or nothing at the end of the input. What is beyond the
/// limit is counted and thrown away.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<usize>> {
    line.clear();
    let limit = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
    let read = input.by_ref().take(limit.saturating_add(1)).read_until(b'\n', line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(line.len()));
    }
    let mut length = line.len();
    if length > LONGEST_LINE {
        line.clear();
        length = length.saturating_add(skip_line(input)?);
    }
    Ok(Some(length))
}

/// Reads to the end of the line, a buffer at a time; how many bytes that were.
fn skip_line(input: &mut impl BufRead) -> io::Result<usize> {
    let mut skipped = 0_usize;
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |place| place.saturating_add(1));
        if used == 0 {
            return Ok(skipped);
        }
        input.consume(used);
        skipped = skipped.saturating_add(end.unwrap_or(used));
        if end.is_some() {
            return Ok(skipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::serve;
    use crate::conformance::{Implementation as _, LONGEST_LINE, Native};

    fn answers(input: &[u8]) -> Vec<Value> {
        let mut output = Vec::new();
        let mut native = Native::new();
        serve(|line| native.answer_line(line), input, &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_that_is_no_request_is_answered_and_the_next_one_is_read() {
        let mut input = b"{\"id\":1,\"op\":\"dance\"}\n\n\xff\n".to_vec();
        input.extend(vec![b' '; LONGEST_LINE + 3]);
        input.extend(b"\n{\"id\":2,\"op\":\"jws\",\"keys\":{\"keys\":[]},\"token\":\"a.b.c\"}");
        let answers = answers(&input);
        let long =
            format!("the line has {} bytes, above the limit of {LONGEST_LINE}", LONGEST_LINE + 3);
        assert_eq!(answers.len(), 4);
        assert_eq!(answers[0]["id"], json!(1));
        assert_eq!(answers[0]["error"]["path"], json!("op"));
        assert_eq!(answers[1]["error"]["message"], json!("the line is not UTF-8"));
        assert_eq!(answers[2]["error"]["message"], json!(long));
        assert_eq!(answers[3]["id"], json!(2));
        assert_eq!(answers[3]["valid"], json!(false));
    }
}
