//! A service that was started, and what can be asked of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitStatus};

use crate::http::{Answer, Http};
use crate::process::{Process, Signal, until};
use crate::services::{free_port, listens};

/// How to start a service: a command in a folder with exactly these variables, and `PORT`.
#[derive(Clone)]
pub struct Start {
    command: Vec<String>,
    folder: std::path::PathBuf,
    variables: BTreeMap<String, String>,
}

impl Start {
    /// `{port}` within the command becomes the port.
    pub fn new(folder: &Path, command: &[&str]) -> Self {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        Self { command, folder: folder.to_owned(), variables: BTreeMap::new() }
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn unset(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// Starts it and waits until it listens.
    pub fn ready(&self) -> App {
        let (mut process, port) = self.start();
        until("the service to listen", || {
            assert!(process.ended().is_none(), "it ended instead:\n{}", process.log());
            listens(port).then_some(())
        });
        App { process, port, http: Http::new(port) }
    }

    /// Starts a service that has to refuse: how it ended, and what it said.
    pub fn refused(&self) -> (ExitStatus, String) {
        let (mut process, _) = self.start();
        let status = process.wait();
        assert!(!status.success(), "it ended as if all were well:\n{}", process.log());
        (status, process.log())
    }

    fn start(&self) -> (Process, u16) {
        let port = free_port();
        let words: Vec<String> = self.command.iter().map(|word| word.replace("{port}", &port.to_string())).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&self.folder).env_clear();
        for name in ["PATH", "HOME", "LANG"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("PORT", port.to_string()).envs(&self.variables);
        (Process::start(&words.join(" "), &mut command), port)
    }
}

/// A service that listens; it is killed when this is dropped.
pub struct App {
    process: Process,
    port: u16,
    http: Http,
}

impl App {
    /// Its client; clones may be used in other threads.
    pub fn http(&self) -> &Http {
        &self.http
    }

    pub fn get(&self, path: &str) -> Answer {
        self.http.get(path)
    }

    /// Asks until the answer has this status.
    pub fn becomes(&self, path: &str, status: u16) -> Answer {
        let what = format!("{path} to answer {status}");
        until(&what, || self.http.try_get(path).filter(|answer| answer.status == status))
    }

    /// Whether it takes new connections.
    pub fn listens(&self) -> bool {
        listens(self.port)
    }

    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Waits until the log holds a text.
    pub fn logs(&self, text: &str) {
        until(&format!("{text:?} in the log"), || self.log().contains(text).then_some(()));
    }

    /// What a platform does before it takes an instance away.
    pub fn terminate(&self) {
        self.process.signal(Signal::Terminate);
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }
}
