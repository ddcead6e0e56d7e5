use std::process::ExitCode;

fn main() -> ExitCode {
    readycheck::cli::main()
}
