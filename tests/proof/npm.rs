//! Packages of Node services: exactly those of a lock file, installed once for all tests that share it.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::process::succeed;

/// Lock files, one folder each: what the services need once every module is in them.
pub fn locks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proof/locks")
}

/// `npm` without anything that is not about the packages themselves; scripts of packages are not run.
fn npm(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder).args(arguments);
    command.args(["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]);
    command
}

/// A program of the installed packages.
pub fn bin(folder: &Path, name: &str) -> Command {
    let mut command = Command::new(folder.join("node_modules/.bin").join(name));
    command.current_dir(folder);
    command
}

/// A script of the service's manifest.
pub fn script(folder: &Path, name: &str) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder).args(["run", "--silent", name]);
    command
}

/// Gives a service the packages of `tests/proof/locks/LOCK` and no others: its manifest has to fit the lock.
pub fn install(root: &Path, lock: &str) {
    fits(root, lock);
    symlink(installed(lock), root.join("node_modules")).unwrap();
}

/// Gives a service those packages though it needs fewer of them: for modules alone.
pub fn borrow(root: &Path, lock: &str) {
    symlink(installed(lock), root.join("node_modules")).unwrap();
}

/// Fails unless the lock file is that of this manifest.
pub fn fits(root: &Path, lock: &str) {
    let [manifest, locked] = [root.join("package.json"), locks().join(lock).join("package-lock.json")].map(|path| {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}; {REFRESH}", path.display()));
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    });
    for kind in ["dependencies", "devDependencies"] {
        assert_eq!(manifest[kind], locked["packages"][""][kind], "the lock file {lock} is stale: {REFRESH}");
    }
}

const REFRESH: &str = "run `scripts/test --refresh-locks` and commit tests/proof/locks";

/// Writes the lock file of a service anew, without addresses, so that it holds for every registry.
pub fn refresh(root: &Path, lock: &str) {
    succeed(&mut npm(root, &["install", "--package-lock-only", "--omit-lockfile-registry-resolved"]));
    let folder = locks().join(lock);
    fs::create_dir_all(&folder).unwrap();
    for file in ["package.json", "package-lock.json"] {
        fs::copy(root.join(file), folder.join(file)).unwrap();
    }
}

/// Whether lock files are to be written instead of used.
pub fn refreshing() -> bool {
    std::env::var_os("PROOF_LOCKS").is_some_and(|value| value == "refresh")
}

/// `node_modules` of a lock file, installed under `target` unless it is there from an earlier run.
fn installed(lock: &str) -> PathBuf {
    static KNOWN: Mutex<Option<HashMap<String, Arc<Mutex<()>>>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let own = Arc::clone(known.get_or_insert_default().entry(lock.to_owned()).or_default());
    drop(known);
    let _alone = own.lock().unwrap_or_else(PoisonError::into_inner);

    let source = locks().join(lock);
    let locked =
        fs::read(source.join("package-lock.json")).unwrap_or_else(|error| panic!("{lock}: {error}; {REFRESH}"));
    let digest: String = Sha256::digest(&locked).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("proof").join(lock);
    let folder = all.join(digest);
    let complete = folder.join("complete");
    if !complete.exists() {
        let _ = fs::remove_dir_all(&all);
        fs::create_dir_all(&folder).unwrap();
        for file in ["package.json", "package-lock.json"] {
            fs::copy(source.join(file), folder.join(file)).unwrap();
        }
        // `npm ci` wants a lock file to name optional packages of other systems that a registry may not hold.
        succeed(&mut npm(&folder, &["install"]));
        assert_eq!(fs::read(folder.join("package-lock.json")).unwrap(), locked, "{lock}: not what is locked");
        fs::write(complete, "").unwrap();
    }
    folder.join("node_modules")
}
