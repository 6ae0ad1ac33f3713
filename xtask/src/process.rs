//! Runs other programs: one line before, an error that names the command after.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};

/// Runs the command with this terminal's output; says what starts and how long it took.
///
/// # Errors
/// When the program is missing or fails.
pub(crate) fn step(name: &str, command: &mut Command) -> anyhow::Result<()> {
    crate::say!("{name}: {}", shown(command));
    let start = Instant::now();
    status(command).with_context(|| name.to_owned())?;
    crate::say!("{name}: done in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Runs the command with this terminal's output.
///
/// # Errors
/// When the program is missing or fails.
pub(crate) fn status(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot run `{}`", program(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs the command with this terminal's output and returns its exit code, for a command whose code
/// is its answer.
///
/// # Errors
/// When the program is missing, or was ended by a signal.
pub(crate) fn code(command: &mut Command) -> anyhow::Result<u8> {
    let status = command.status().with_context(|| format!("cannot run `{}`", program(command)))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.with_context(|| format!("`{}` failed ({status})", shown(command)))
}

/// What the command writes to standard output; its standard error stays on this terminal.
///
/// # Errors
/// When the program is missing, fails, or writes no UTF-8.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run `{}`", program(command)))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", shown(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}`", shown(command)))
}

/// Standard output of a program asked about itself; `None` when it is not there or fails.
pub(crate) fn probe(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// The cargo that runs this xtask.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// The command as a person would type it, the program by its file name.
fn shown(command: &Command) -> String {
    let name = std::path::Path::new(command.get_program());
    let name = name.file_name().unwrap_or_else(|| command.get_program()).to_string_lossy();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name.into_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let error = status(&mut Command::new("mandate-no-such-program")).expect_err("missing");
        assert_eq!(error.to_string(), "cannot run `mandate-no-such-program`");
    }

    #[test]
    fn the_code_of_a_command_is_passed_on() {
        let codes = ["exit 0", "exit 1", "exit 2"]
            .map(|script| code(Command::new("sh").args(["-c", script])).ok());
        assert_eq!(codes, [Some(0), Some(1), Some(2)]);
        let killed = code(Command::new("sh").args(["-c", "kill -9 $$"])).expect_err("no code");
        assert_eq!(killed.to_string(), "`sh -c kill -9 $$` failed (signal: 9 (SIGKILL))");
    }

    #[test]
    fn a_command_is_shown_without_the_folder_of_its_program() {
        let mut command = Command::new("/some/where/cargo");
        command.args(["build", "--locked"]);
        assert_eq!(shown(&command), "cargo build --locked");
    }

    #[test]
    fn a_program_that_is_not_there_has_no_answer() {
        assert_eq!(probe("mandate-no-such-program", &["--version"]), None);
    }
}
