//! Crates of Rust services: exactly those of one lock file, built once for all tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::npm::refreshing;
use crate::process::succeed;
use crate::project::Project;

const LOCK: &str = "Cargo.lock";
const REFRESH: &str = "run `scripts/test --refresh-locks` and commit tests/proof/locks";

/// What a build leaves in the folder of a service.
pub const MADE: [&str; 1] = [LOCK];

fn locked(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proof/locks").join(name).join(LOCK)
}

/// Runs cargo in a service, with the crates of a lock file and a build folder that all services share.
pub fn cargo(project: &Project, lock: &str, arguments: &[&str]) {
    let _alone = alone();
    fs::copy(locked(lock), project.root().join(LOCK)).unwrap_or_else(|error| panic!("{error}; {REFRESH}"));
    succeed(command(project).args(arguments).arg("--locked"));
}

/// The program of a service, built, under a name of its own: others are built in the same folder.
pub fn program(project: &Project, lock: &str, name: &str) -> PathBuf {
    cargo(project, lock, &["build"]);
    let own = project.root().join("program");
    fs::copy(folder().join("debug").join(name), &own).unwrap();
    own
}

/// Fails unless the lock file has what a service asks for; writes it anew if that is asked for.
pub fn fits(project: &Project, lock: &str) {
    if refreshing() {
        succeed(command(project).arg("update"));
        fs::create_dir_all(locked(lock).parent().unwrap()).unwrap();
        fs::copy(project.root().join(LOCK), locked(lock)).unwrap();
    }
    cargo(project, lock, &["metadata", "--format-version", "1"]);
}

fn command(project: &Project) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(project.root()).env("CARGO_TARGET_DIR", folder()).env("RUSTFLAGS", "-D warnings");
    // Nobody debugs these: most of the time goes into what debuggers read.
    command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_PROFILE_TEST_DEBUG", "0");
    command.env("CARGO_INCREMENTAL", "0");
    command
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("proof/cargo")
}

/// Programs of one name are written to one place.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
