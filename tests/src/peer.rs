//! Other libraries as long-running programs: the adapters of `contract/peers`.

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::skip::skip;

/// A library with its adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// npm jose.
    Jose,
    /// PyPI joserfc.
    Joserfc,
    /// PyPI PyJWT.
    PyJwt,
}

impl Peer {
    /// Every library.
    pub const ALL: [Self; 3] = [Self::Jose, Self::Joserfc, Self::PyJwt];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jose => "jose",
            Self::Joserfc => "joserfc",
            Self::PyJwt => "PyJWT",
        }
    }

    /// Program and arguments of the adapter; where the library is not here, says aloud that `part`
    /// is skipped.
    ///
    /// # Panics
    /// When the variable that names the library is set and wrong: whoever set it wants it to run.
    #[must_use]
    pub fn command(self, part: &str) -> Option<Vec<String>> {
        let part = format!("{part} with {}", self.name());
        let named = |variable: &str| {
            let path = std::env::var_os(variable).map(PathBuf::from);
            if path.is_none() {
                skip(&part, &format!("{variable} is not set"));
            }
            path.inspect(|path| assert!(path.exists(), "{variable} names nothing"))
        };
        let (program, script) = match self {
            Self::Jose => {
                named("MANDATE_NODE_MODULES")?;
                (PathBuf::from("node"), "jose.mjs")
            }
            Self::Joserfc => (named("MANDATE_PYTHON")?, "joserfc.py"),
            Self::PyJwt => (named("MANDATE_PYTHON")?, "pyjwt.py"),
        };
        let script = Path::new(ADAPTERS).join(script);
        Some(vec![program.display().to_string(), script.display().to_string()])
    }

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
        assert!(status.success(), "`{}` ended with {status}", command[1]);
        assert_eq!(answers.len(), asked, "`{}`: answers", command[1]);
        answers
    }
}

const ADAPTERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../contract/peers");
