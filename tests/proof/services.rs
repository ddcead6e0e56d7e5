//! PostgreSQL and Redis of our own: private, throw-away, on a port of their own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{Process, Signal, succeed, until};

const PASSWORD: &str = "throw-away-words-of-the-proof";
const SUPERUSER: &str = "proof";

/// How long a server may take to go by itself when its test is over.
const FAREWELL: Duration = Duration::from_secs(5);

/// A port that nobody listens at now.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

pub fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// A PostgreSQL server with a data folder of its own.
pub struct Postgres {
    folder: TempDir,
    port: u16,
    process: Option<Process>,
}

impl Postgres {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some((user, group)) = account() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let words = folder.path().join("password");
        fs::write(&words, PASSWORD).unwrap();
        let mut initdb = tool("initdb");
        initdb.arg("-D").arg(folder.path().join("data")).args(["-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8"]);
        initdb.args(["--no-locale", "--no-sync"]).arg("--pwfile").arg(&words);
        succeed(initdb.current_dir("/"));
        let mut postgres = Self { folder, port: free_port(), process: None };
        postgres.restart();
        postgres
    }

    /// Makes a database and answers the URL that a service connects with.
    pub fn create(&self, database: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE \"{database}\""));
        self.url(database)
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgresql://{SUPERUSER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// The same in parts, for services that read each by itself.
    pub fn variables(&self, database: &str) -> Vec<(String, String)> {
        let port = self.port.to_string();
        let parts =
            [("NAME", database), ("USER", SUPERUSER), ("PASSWORD", PASSWORD), ("HOST", "127.0.0.1"), ("PORT", &port)];
        parts.map(|(name, value)| (format!("DB_{name}"), value.to_owned())).to_vec()
    }

    /// The password within [`Self::url`]: no log may hold it.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Runs statements; answers what they print, unaligned and without headings.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        let mut psql = Command::new(binaries().join("psql"));
        psql.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database), "-c", statements]);
        succeed(psql.env_remove("PGPASSFILE"))
    }

    /// Stops it as an administrator does: open connections are cut.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::Interrupt);
            process.wait();
        }
    }

    /// Starts it again with the same data at the same port.
    pub fn restart(&mut self) {
        self.stop();
        let mut postgres = tool("postgres");
        postgres.current_dir(self.folder.path()).arg("-D").arg(self.folder.path().join("data"));
        postgres.args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        postgres.args(["-c", "unix_socket_directories=", "-c", "fsync=off"]);
        let mut process = Process::start("postgres", &mut postgres);
        until("PostgreSQL to listen", || {
            assert!(process.ended().is_none(), "PostgreSQL ended:\n{}", process.log());
            process.log().contains("ready to accept connections").then_some(())
        });
        self.process = Some(process);
    }
}

impl Drop for Postgres {
    /// Killed outright it would leave shared memory behind.
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            process.signal(Signal::Quit);
            let start = Instant::now();
            while process.ended().is_none() && start.elapsed() < FAREWELL {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// A program of PostgreSQL, under an account that it accepts: it refuses to run as root.
fn tool(name: &str) -> Command {
    let mut command = Command::new(binaries().join(name));
    if let Some((user, group)) = account() {
        command.uid(user).gid(group);
    }
    command
}

/// Where the newest installed server has its programs. Debian keeps them out of the PATH.
fn binaries() -> PathBuf {
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let versions = packaged.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let folder = entry.path().join("bin");
        folder.join("initdb").is_file().then_some((version, folder))
    });
    let newest = versions.max().map(|(_, folder)| folder);
    newest.unwrap_or_else(|| PathBuf::from(succeed(Command::new("pg_config").arg("--bindir")).trim()))
}

/// User and group to run PostgreSQL as; none where the tests do not run as root.
fn account() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let ids = |name: &str| Some((id(&["-u", name])?, id(&["-g", name])?));
    Some(ids("postgres").or_else(|| ids("nobody")).expect("root needs an account for PostgreSQL: postgres or nobody"))
}

/// A Redis server that keeps nothing.
pub struct Redis {
    folder: TempDir,
    port: u16,
    process: Option<Process>,
}

impl Redis {
    pub fn start() -> Self {
        let mut redis = Self { folder: tempfile::tempdir().unwrap(), port: free_port(), process: None };
        redis.restart();
        redis
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::Terminate);
            process.wait();
        }
    }

    /// Starts it again, empty, at the same port.
    pub fn restart(&mut self) {
        self.stop();
        let folder: &Path = self.folder.path();
        let mut server = Command::new("redis-server");
        server.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let mut process = Process::start("redis", server.arg("--dir").arg(folder));
        until("Redis to listen", || {
            assert!(process.ended().is_none(), "Redis ended:\n{}", process.log());
            listens(self.port).then_some(())
        });
        self.process = Some(process);
    }
}
