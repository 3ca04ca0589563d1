//! The command line: argv, output, exit codes, and the wiring of everything else. No rules live here.

use std::process::ExitCode;

/// Runs the command line and returns the process's exit code.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
