//! The `mandate` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    mandate::cli::main()
}
