use std::process::ExitCode;

/// Audits make and drop very many small values on all threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    readycheck::cli::main()
}
