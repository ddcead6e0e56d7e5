//! Packages of Python services: exactly those of one lock file, installed once for all tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::process::succeed;
use crate::project::Project;

/// What the proof itself asks for, beside the services.
const TOOLS: &str = "mypy>=1.18,<3";

/// Writes lock files; only needed to refresh them.
const LOCKER: &str = "uv==0.13.9";

const REFRESH: &str = "run `scripts/test --refresh-locks` and commit tests/proof/locks";

/// `requirements.in`: what the services ask for; `requirements.txt`: the packages, with their digests.
fn lock() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proof/locks/python")
}

/// A program of the installed packages, to be run in a service.
pub fn bin(project: &Project, name: &str) -> Command {
    let mut command = Command::new(program(name));
    command.current_dir(project.root()).env_clear().env("PYTHONDONTWRITEBYTECODE", "1");
    for name in ["PATH", "HOME", "LANG"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command
}

pub fn program(name: &str) -> PathBuf {
    ENVIRONMENT.join("bin").join(name)
}

/// Runs the tests of a service; there is no cache.
pub fn test(project: &Project, database: &str) {
    let mut pytest = bin(project, "pytest");
    pytest.args(["-q", "-p", "no:cacheprovider"]);
    succeed(pytest.env("DATABASE_URL", database).env("REDIS_URL", "redis://127.0.0.1:1"));
}

/// Checks the types of what is in these files and folders, where modules are imported from a folder.
pub fn check_types(project: &Project, imported_from: &str, options: &[&str]) {
    // One cache, so one at a time: it has the types of the packages, which are most of the work.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut mypy = bin(project, "mypy");
    mypy.env("MYPYPATH", imported_from).arg("--cache-dir").arg(ENVIRONMENT.join("types"));
    succeed(mypy.args(options));
}

/// Fails unless the lock file is that of these services; writes it anew if that is asked for.
pub fn check_lock(projects: &[&Project]) {
    let needed = needed(projects);
    let source = lock().join("requirements.in");
    if crate::npm::refreshing() {
        fs::create_dir_all(lock()).unwrap();
        fs::write(&source, &needed).unwrap();
        let tools = tempfile::tempdir().unwrap();
        let python = make_environment(tools.path());
        succeed(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", LOCKER]));
        let mut compile = Command::new(tools.path().join("bin/uv"));
        compile.args(["pip", "compile", "--quiet", "--upgrade", "--generate-hashes", "--no-header", "--no-config"]);
        compile.args(["--universal", "--python-version", "3.11", "requirements.in", "-o", "requirements.txt"]);
        succeed(compile.current_dir(lock()));
    }
    let known = fs::read_to_string(&source).unwrap_or_else(|error| panic!("{error}; {REFRESH}"));
    assert_eq!(known, needed, "the lock file is stale: {REFRESH}");
}

/// What services and tools ask for, one a line.
fn needed(projects: &[&Project]) -> String {
    let mut all = BTreeSet::from([TOOLS.to_owned()]);
    for project in projects {
        for file in ["requirements.txt", "requirements-dev.txt"] {
            let text = fs::read_to_string(project.root().join(file)).unwrap_or_default();
            let lines = text.lines().map(str::trim);
            all.extend(lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '-'])).map(str::to_owned));
        }
        let text = fs::read_to_string(project.root().join("pyproject.toml")).unwrap_or_default();
        let manifest: toml::Table = text.parse().unwrap();
        let groups = manifest.get("dependency-groups").and_then(toml::Value::as_table);
        let lists = groups.into_iter().flat_map(|groups| groups.values());
        let lists = lists.chain(manifest.get("project").and_then(|project| project.get("dependencies")));
        let lines = lists.filter_map(toml::Value::as_array).flatten().filter_map(toml::Value::as_str);
        all.extend(lines.map(str::to_owned));
    }
    all.into_iter().map(|line| line + "\n").collect()
}

/// The packages of the lock file, installed under `target` unless they are there from an earlier run.
static ENVIRONMENT: LazyLock<PathBuf> = LazyLock::new(|| {
    let locked = lock().join("requirements.txt");
    let text = fs::read(&locked).unwrap_or_else(|error| panic!("{error}; {REFRESH}"));
    let version = succeed(Command::new("python3").arg("-VV"));
    let digest = Sha256::new().chain_update(text).chain_update(version).finalize();
    let digest: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("proof/python");
    let folder = all.join(digest);
    let complete = folder.join("complete");
    if !complete.exists() {
        let _ = fs::remove_dir_all(&all);
        let python = make_environment(&folder);
        let mut install = Command::new(python);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        install.args(["--require-hashes", "--only-binary", ":all:", "-r"]).arg(locked);
        succeed(&mut install);
        fs::write(complete, "").unwrap();
    }
    folder
});

/// Makes a virtual environment and answers its interpreter.
fn make_environment(folder: &Path) -> PathBuf {
    succeed(Command::new("python3").args(["-m", "venv"]).arg(folder));
    folder.join("bin/python")
}
