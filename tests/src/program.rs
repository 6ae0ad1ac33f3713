//! Long-running programs that answer each line of JSON with one: other libraries, other readers.

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// Asks everything: one program, requests and answers in flight at once.
///
/// # Panics
/// When the program does not start, or gives no answer to a request.
#[must_use]
pub fn answer_all(
    command: &[String],
    requests: impl ExactSizeIterator<Item = String> + Send,
) -> Vec<Value> {
    let asked = requests.len();
    let mut program = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start `{}`: {error}", command[0]));
    let input = program.stdin.take().expect("a pipe");
    let output = BufReader::with_capacity(1 << 20, program.stdout.take().expect("a pipe"));
    let answers: Vec<Value> = thread::scope(|scope| {
        let writer = scope.spawn(move || {
            let mut input = BufWriter::with_capacity(1 << 16, input);
            for request in requests {
                input.write_all(request.as_bytes())?;
                input.write_all(b"\n")?;
            }
            input.flush()
        });
        let answers = output
            .lines()
            .map(|line| serde_json::from_str(&line.expect("text")).expect("JSON"))
            .collect();
        writer.join().expect("the writer ends").expect("every request was read");
        answers
    });
    let status = program.wait().expect("the program ends");
    assert!(status.success(), "`{}` ended with {status}", command.join(" "));
    assert_eq!(answers.len(), asked, "`{}`: answers", command.join(" "));
    answers
}
