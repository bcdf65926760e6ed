//! The command `asa-operator`.

use std::process::ExitCode;

fn main() -> ExitCode {
    asa_operator::cli::main()
}
