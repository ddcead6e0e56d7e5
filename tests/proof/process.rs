//! A started process: its output is kept, it can be signalled, and it does not outlive its owner.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

/// How long anything may take that is bound to happen: generous, since it says nothing about speed.
const DEADLINE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer; fails, naming `what`, if there is none for a minute.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < DEADLINE, "waited a minute for this: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs a command to its end; fails with everything that it said unless it succeeds. Answers its standard output.
pub fn succeed(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}\n{out}\n{err}", output.status);
    out.into_owned()
}

#[derive(Clone, Copy)]
pub enum Signal {
    Interrupt,
    Quit,
    Terminate,
    Kill,
}

pub struct Process {
    name: String,
    child: Child,
    output: NamedTempFile,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts a command in a process group of its own, with standard output and error in one file.
    pub fn start(name: &str, command: &mut Command) -> Self {
        let output = NamedTempFile::new().unwrap();
        let stream = || Stdio::from(File::options().append(true).open(output.path()).unwrap());
        let started = command.stdin(Stdio::null()).stdout(stream()).stderr(stream()).process_group(0).spawn();
        let child = started.unwrap_or_else(|error| panic!("{name} does not start: {command:?}: {error}"));
        Self { name: name.to_owned(), child, output, ended: None }
    }

    /// Everything that it has written so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.output.path()).unwrap()).into_owned()
    }

    /// Signals the process itself, as a supervisor does.
    pub fn signal(&self, signal: Signal) {
        send(signal, &self.child.id().to_string());
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().unwrap();
        }
        self.ended
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        until(&what, || self.ended())
    }
}

/// `kill` of the system; a process that is gone already is no failure.
fn send(signal: Signal, target: &str) {
    let name = match signal {
        Signal::Interrupt => "-INT",
        Signal::Quit => "-QUIT",
        Signal::Terminate => "-TERM",
        Signal::Kill => "-KILL",
    };
    let sent = Command::new("kill").args([name, "--", target]).stderr(Stdio::null()).status();
    sent.expect("kill is part of every system");
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "--- {} wrote:\n{}\n---", self.name, self.log());
        }
        send(Signal::Kill, &format!("-{}", self.child.id()));
        let _ = self.child.wait();
    }
}
