//! What a shell command starts: `cross-env X=1 node -r ./tracing dist/index.js`, `pm2 start api.js`, `npm run serve`.

use std::collections::BTreeMap;

use super::frameworks::TABLE;
use super::model::ProcessKind;
use super::programs::*;
use super::shell::{Command, split};

/// Commands nest (`sh -c`, `concurrently "…"`), sanely not deeper than this.
const MAX_DEPTH: usize = 4;
const MAX_COMMAND: usize = 16 << 10;
const MAX_LINES: usize = 1_000;
const MAX_VARIABLES: usize = 200;

/// Something that a command runs. Paths are as written, seen from `folder` (where `cd` led to; empty for none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Run {
    /// A module: the first of these that exists.
    Module { folder: String, candidates: Vec<String> },
    /// The `main` of the package (`node .`, plain `nodemon`).
    Main { folder: String },
    /// A script of a package: of the one named, else of the one in `folder`.
    Script { folder: String, package: Option<String>, name: String },
    /// A file with further commands, or with pm2's list of processes.
    File { folder: String, path: String },
    /// A module of Python: the first of these dotted names that exists.
    Dotted { folder: String, modules: Vec<String> },
    /// A program that the project may install itself.
    Program { folder: String, name: String },
}

/// A [`Run`], and whether it is what the command is for: `node a.js && node b.js` serves with the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) run: Run,
    pub(super) serves: bool,
    /// What the process does, where the command says so.
    pub(super) kind: Option<ProcessKind>,
}

impl Step {
    fn is_program(&self) -> bool {
        matches!(self.run, Run::Program { .. })
    }
}

/// Everything that a command line runs, in its order.
pub(super) fn steps(command: &str) -> Vec<Step> {
    let mut reader = Reader::default();
    reader.line(command, 0);
    reader.steps
}

/// As [`steps`], for a command that is a list of words already (`CMD ["node", "x.js"]`), in an environment.
pub(super) fn steps_of_words(words: &[String], variables: &BTreeMap<String, String>) -> Vec<Step> {
    let mut reader = Reader { variables: variables.clone(), ..Reader::default() };
    reader.simple(words, 0);
    reader.steps
}

/// As [`steps`], for the lines of a shell script.
pub(super) fn steps_of_script(text: &str) -> Vec<Step> {
    let lines = whole_lines(text).into_iter().filter(|line| line.len() <= MAX_COMMAND);
    let mut reader = Reader::default();
    reader.sequence(lines.flat_map(|line| split(&line)).collect(), 0);
    reader.steps
}

/// The lines of a script without its comments; one that ends in `\\` goes on in the next.
fn whole_lines(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines().take(MAX_LINES).map(str::trim).filter(|line| !line.starts_with('#')) {
        let part = line.strip_suffix('\\').unwrap_or(line);
        match found.last_mut() {
            Some(whole) if goes_on => {
                whole.push(' ');
                whole.push_str(part);
            }
            _ => found.push(part.to_owned()),
        }
        goes_on = part.len() < line.len();
    }
    found
}

#[derive(Default)]
pub(super) struct Reader {
    folder: String,
    pub(super) steps: Vec<Step>,
    /// The environment, as far as it is known.
    pub(super) variables: BTreeMap<String, String>,
}

impl Reader {
    fn line(&mut self, command: &str, depth: usize) {
        if depth > MAX_DEPTH || command.len() > MAX_COMMAND {
            return;
        }
        let folder = self.folder.clone();
        self.sequence(split(command), depth);
        self.folder = folder;
    }

    /// Commands one after the other: what is waited for before the last one prepares, it does not serve.
    fn sequence(&mut self, commands: Vec<Command>, depth: usize) {
        let before = self.steps.len();
        let mut last = 0;
        let mut owners = Vec::new();
        for (at, command) in commands.iter().enumerate() {
            self.simple(&command.words, depth);
            owners.resize(self.steps.len() - before, at);
            let serves = command.words.iter().any(|word| SERVING_PROGRAMS.contains(&word.as_str()));
            if serves || (owners.last() == Some(&at) && self.steps.last().is_some_and(|step| !step.is_program())) {
                last = at;
            }
        }
        for (step, owner) in self.steps.iter_mut().skip(before).zip(owners) {
            // Whether a program is one of ours is not known yet: one after the last command may serve too.
            let after = step.is_program() && owner >= last;
            step.serves &= after || owner == last || commands.get(owner).is_some_and(|command| !command.awaited);
        }
    }

    /// One command without operators.
    fn simple(&mut self, words: &[String], depth: usize) {
        let Some((first, rest)) = words.split_first() else { return };
        if is_assignment(first) {
            self.assign(first);
        }
        if depth > MAX_DEPTH || is_assignment(first) || SHELL_KEYWORDS.contains(&first.as_str()) {
            return self.simple_after(rest, depth);
        }
        let program = first.rsplit('/').next().unwrap_or(first);
        match program {
            "cd" => self.change_folder(rest),
            "export" => rest.iter().for_each(|word| self.assign(word)),
            "sh" | "bash" | "ash" | "zsh" => self.shell(rest, depth),
            "npm" | "pnpm" | "yarn" | "bun" => self.package_manager(program, rest, depth),
            "npm-run-all" | "npm-run-all2" | "run-s" | "run-p" => self.all_scripts(program, rest),
            "concurrently" => self.concurrently(rest, depth),
            "nest" => self.nest(rest),
            "nodemon" | "supervisor" => self.nodemon(rest, depth),
            "pm2" | "pm2-runtime" | "pm2-docker" | "pm2-dev" | "forever" => self.process_manager(rest, depth),
            _ if WRAPPERS.contains(&program) => self.simple_after(unwrapped(rest), depth),
            _ if RUNNERS.contains(&program) => self.runner(rest),
            _ if program.ends_with(".sh") => self.file(first),
            _ if is_module_path(first) => self.module(vec![first.clone()]),
            _ if TABLE.is_wrapper(program) => self.simple_after(unwrapped(rest), depth),
            _ if self.python(program, first, rest, depth) => {}
            _ => self.program(program),
        }
        if let Some(at) = rest.iter().position(|word| word == "--") {
            self.after_dashes(program, rest.get(at + 1..).unwrap_or(&[]), depth);
        }
    }

    /// `wait-for-it db:5432 -- node server.js`, `npm run with-env -- node server.js`
    fn after_dashes(&mut self, program: &str, rest: &[String], depth: usize) {
        let is_command = rest.first().is_some_and(|word| is_program(word));
        let passed_on = matches!(program, "npm" | "pnpm" | "yarn") && is_command;
        if passed_on || !KNOWS_DASHES.contains(&program) {
            self.simple_after(rest, depth);
        }
    }

    fn assign(&mut self, word: &str) {
        if let Some((name, value)) = word.split_once('=').filter(|_| self.variables.len() < MAX_VARIABLES) {
            self.variables.insert(name.to_owned(), value.to_owned());
        }
    }

    fn program(&mut self, name: &str) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !name.is_empty() && name.len() <= 200 && name.chars().all(plain) {
            self.push(Run::Program { folder: self.folder(), name: name.to_owned() });
        }
    }

    fn all_scripts(&mut self, program: &str, rest: &[String]) {
        let parallel = program == "run-p" || rest.iter().any(|word| matches!(word.as_str(), "-p" | "--parallel"));
        let names: Vec<&String> = rest.iter().filter(|word| !word.starts_with('-')).collect();
        for (at, name) in names.iter().enumerate() {
            self.script(None, name);
            if let Some(step) = self.steps.last_mut() {
                step.serves = parallel || at + 1 == names.len();
            }
        }
    }

    pub(super) fn simple_after(&mut self, rest: &[String], depth: usize) {
        if depth < MAX_DEPTH * 4 {
            self.simple(rest, depth + 1);
        }
    }

    fn change_folder(&mut self, rest: &[String]) {
        if let Some(target) = rest.first() {
            let moved = if target.starts_with('/') { target.clone() } else { format!("{}/{target}", self.folder) };
            self.folder = if self.folder.is_empty() { target.clone() } else { moved };
        }
    }

    fn shell(&mut self, rest: &[String], depth: usize) {
        let mut words = rest.iter();
        while let Some(word) = words.next() {
            match word.strip_prefix('-') {
                Some(flags) if flags.contains('c') => {
                    return words.next().map_or((), |command| self.line(command, depth + 1));
                }
                Some(_) => {}
                None => return self.file(word),
            }
        }
    }

    fn package_manager(&mut self, program: &str, rest: &[String], depth: usize) {
        let mut call = Call::default();
        let takes = |flag: &str| match flag {
            "-w" => program == "npm",
            _ => PACKAGE_MANAGER_FLAGS.contains(&flag),
        };
        let mut options = Words { words: rest, at: 0 };
        while options.next_positional(takes, |flag, value| call.option(flag, value)).is_some() {}
        let mut words = Words { words: rest, at: 0 };
        while let Some(word) = words.next_positional(takes, |_, _| {}) {
            match word {
                "run" | "run-script" | "rum" => {}
                "workspace" => call.package = words.next().map(str::to_owned),
                "exec" | "dlx" | "x" => return self.simple_after(words.rest_after_dashes(), depth),
                "start" | "restart" => return self.call(call, "start"),
                _ if program == "bun" && is_module_path(word) => return self.module(vec![word.to_owned()]),
                _ if is_program(word) => return self.simple_after(rest.get(words.at - 1..).unwrap_or(&[]), depth),
                name => return self.call(call, name),
            }
        }
    }

    fn call(&mut self, call: Call, name: &str) {
        let folder = self.within(&call.folder);
        self.push(Run::Script { folder, package: call.package, name: name.to_owned() });
    }

    fn concurrently(&mut self, rest: &[String], depth: usize) {
        for word in rest.iter().filter(|word| !word.starts_with('-')) {
            match word.strip_prefix("npm:") {
                Some(name) => self.script(None, name),
                None => self.line(word, depth + 1),
            }
        }
    }

    fn nest(&mut self, rest: &[String]) {
        if rest.first().is_none_or(|word| word != "start") {
            return;
        }
        match rest.iter().skip(1).find(|word| !word.starts_with('-')) {
            Some(app) => self.module(vec![format!("apps/{app}/src/main"), format!("{app}/src/main")]),
            None => self.module(vec!["src/main".into()]),
        }
    }

    fn nodemon(&mut self, rest: &[String], depth: usize) {
        let takes = |flag: &str| NODEMON_FLAGS.contains(&flag);
        let mut exec: Option<String> = None;
        let mut words = Words { words: rest, at: 0 };
        let mut files = Vec::new();
        while let Some(word) = words.next_positional(takes, |flag, value| {
            if matches!(flag, "-x" | "--exec") {
                exec = Some(value.to_owned());
            }
        }) {
            files.push(word.to_owned());
        }
        match exec {
            // The rest belongs to the command: `nodemon --exec ts-node src/index.ts`.
            Some(command) => self.line(&format!("{command} {}", files.join(" ")), depth + 1),
            None if files.is_empty() => self.main(),
            None => self.module(files),
        }
    }

    fn process_manager(&mut self, rest: &[String], depth: usize) {
        let takes = |flag: &str| PROCESS_MANAGER_FLAGS.contains(&flag);
        let mut words = Words { words: rest, at: 0 };
        while let Some(word) = words.next_positional(takes, |_, _| {}) {
            match word {
                "start" | "startOrRestart" | "startOrReload" | "restart" | "reload" => {}
                "npm" | "yarn" | "pnpm" | "bun" => {
                    let mut command = vec![word.to_owned()];
                    command.extend_from_slice(words.rest_after_dashes());
                    return self.simple_after(&command, depth);
                }
                "stop" | "delete" | "kill" | "logs" | "list" | "save" => return,
                command if command.contains(' ') => return self.line(command, depth + 1),
                path if is_process_list(path) => return self.file(path),
                path => return self.module(vec![path.to_owned()]),
            }
        }
    }

    /// `node`, `ts-node` and their like: what is required first, then the first argument that is a module.
    fn runner(&mut self, rest: &[String]) {
        let takes = |flag: &str| RUNNER_FLAGS.contains(&flag);
        let mut preloaded = Vec::new();
        let mut candidates = Vec::new();
        let mut words = Words { words: rest, at: 0 };
        while let Some(word) = words.next_positional(takes, |flag, value| {
            if matches!(flag, "-r" | "--require" | "--import") && value.starts_with(['.', '/']) {
                preloaded.push(value.to_owned());
            }
        }) {
            match word {
                "watch" | "run" | "serve" | "start" if candidates.is_empty() => {}
                "." | "./" if candidates.is_empty() => return self.main(),
                word => candidates.push(word.to_owned()),
            }
        }
        preloaded.into_iter().for_each(|path| self.module(vec![path]));
        self.module(candidates);
    }

    pub(super) fn module(&mut self, candidates: Vec<String>) {
        if candidates.is_empty() {
            return;
        }
        // From a folder of a container, which is not one of the project's, paths are absolute too.
        let candidates = match self.folder.starts_with('/') {
            true => candidates.iter().map(|path| format!("{}/{path}", self.folder)).collect(),
            false => candidates,
        };
        self.push(Run::Module { folder: self.folder(), candidates });
    }

    fn push(&mut self, run: Run) {
        self.steps.push(Step { run, serves: true, kind: None });
    }

    /// The folder that `cd` led to, as far as it is one of the project's.
    pub(super) fn folder(&self) -> String {
        if self.folder.starts_with('/') { String::new() } else { self.folder.clone() }
    }

    fn main(&mut self) {
        self.push(Run::Main { folder: self.folder() });
    }

    fn script(&mut self, package: Option<String>, name: &str) {
        self.push(Run::Script { folder: self.folder(), package, name: name.to_owned() });
    }

    fn file(&mut self, path: &str) {
        self.push(Run::File { folder: self.folder(), path: path.to_owned() });
    }

    pub(super) fn within(&self, folder: &str) -> String {
        let parts = [self.folder(), folder.to_owned()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    }
}

/// Which package a package manager is told to use.
#[derive(Default)]
struct Call {
    folder: String,
    package: Option<String>,
}

impl Call {
    fn option(&mut self, flag: &str, value: &str) {
        match flag {
            "--prefix" | "-C" | "--cwd" | "--dir" => self.folder = value.to_owned(),
            "-w" | "--workspace" | "--filter" | "-F" => self.package = Some(value.to_owned()),
            _ => {}
        }
    }
}

/// The words of a command, flags and their values told apart from the others.
struct Words<'a> {
    words: &'a [String],
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    /// The next word that is neither a flag nor the value of one; none from `--` on.
    fn next_positional(&mut self, takes: impl Fn(&str) -> bool, mut option: impl FnMut(&str, &str)) -> Option<&'a str> {
        loop {
            match self.next()? {
                "--" => {
                    self.at -= 1;
                    return None;
                }
                word if !word.starts_with('-') => return Some(word),
                flag => match flag.split_once('=') {
                    Some((flag, value)) => option(flag, value),
                    None if takes(flag) => option(flag, self.next()?),
                    None => {}
                },
            }
        }
    }

    /// What follows, a `--` at its start or within dropped together with what is before it.
    fn rest_after_dashes(&self) -> &'a [String] {
        let rest = self.words.get(self.at..).unwrap_or(&[]);
        match rest.iter().position(|word| word == "--") {
            Some(at) => rest.get(at + 1..).unwrap_or(&[]),
            None => rest,
        }
    }
}

/// The command inside a wrapper such as `dotenv -e .env -- node x` or `env-cmd -f .env node x`.
fn unwrapped(rest: &[String]) -> &[String] {
    if let Some(at) = rest.iter().position(|word| word == "--") {
        return rest.get(at + 1..).unwrap_or(&[]);
    }
    let mut at = 0;
    while let Some(word) =
        rest.get(at).filter(|word| word.starts_with('-') || matches!(word.as_str(), "run" | "run-program"))
    {
        let takes_value = matches!(
            word.as_str(),
            "-f" | "-e"
                | "--file"
                | "-p"
                | "--package"
                | "-u"
                | "--env-file"
                | "--with"
                | "--project"
                | "--directory"
                | "-n"
        );
        at += if takes_value { 2 } else { 1 };
    }
    rest.get(at..).unwrap_or(&[])
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
