//! What a shell command starts: `cross-env X=1 node -r ./tracing dist/index.js`, `pm2 start api.js`, `npm run serve`.

/// Commands nest (`sh -c`, `concurrently "…"`), sanely not deeper than this.
const MAX_DEPTH: usize = 4;
const MAX_COMMAND: usize = 16 << 10;

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
}

/// Everything that a command line runs, in its order.
pub(super) fn runs(command: &str) -> Vec<Run> {
    let mut reader = Reader::default();
    reader.line(command, 0);
    reader.runs
}

/// As [`runs`], for a command that is a list of words already (`CMD ["node", "x.js"]`).
pub(super) fn runs_of_words(words: &[String]) -> Vec<Run> {
    let mut reader = Reader::default();
    reader.simple(words, 0);
    reader.runs
}

#[derive(Default)]
struct Reader {
    folder: String,
    runs: Vec<Run>,
}

impl Reader {
    fn line(&mut self, command: &str, depth: usize) {
        if depth > MAX_DEPTH || command.len() > MAX_COMMAND {
            return;
        }
        let folder = self.folder.clone();
        for words in split(command) {
            self.simple(&words, depth);
        }
        self.folder = folder;
    }

    /// One command without operators.
    fn simple(&mut self, words: &[String], depth: usize) {
        let Some((first, rest)) = words.split_first() else { return };
        if depth > MAX_DEPTH || is_assignment(first) {
            return self.simple_after(rest, depth);
        }
        let program = first.rsplit('/').next().unwrap_or(first);
        match program {
            "cd" => self.change_folder(rest),
            "sh" | "bash" | "ash" | "zsh" => self.shell(rest, depth),
            "npm" | "pnpm" | "yarn" | "bun" => self.package_manager(program, rest, depth),
            "npm-run-all" | "npm-run-all2" | "run-s" | "run-p" => {
                rest.iter().filter(|word| !word.starts_with('-')).for_each(|name| self.script(None, name));
            }
            "concurrently" => self.concurrently(rest, depth),
            "nest" => self.nest(rest),
            "nodemon" | "supervisor" => self.nodemon(rest, depth),
            "pm2" | "pm2-runtime" | "pm2-docker" | "pm2-dev" | "forever" => self.process_manager(rest, depth),
            _ if WRAPPERS.contains(&program) => self.simple_after(unwrapped(rest), depth),
            _ if RUNNERS.contains(&program) => self.runner(rest),
            _ if program.ends_with(".sh") => self.file(first),
            _ if is_module_path(first) => self.module(vec![first.clone()]),
            _ => {}
        }
        // `wait-for-it db:5432 -- node server.js`
        if !KNOWS_DASHES.contains(&program)
            && let Some(at) = rest.iter().position(|word| word == "--")
        {
            self.simple_after(rest.get(at + 1..).unwrap_or(&[]), depth);
        }
    }

    fn simple_after(&mut self, rest: &[String], depth: usize) {
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
        self.runs.push(Run::Script { folder, package: call.package, name: name.to_owned() });
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

    fn module(&mut self, candidates: Vec<String>) {
        if candidates.is_empty() {
            return;
        }
        // From a folder of a container, which is not one of the project's, paths are absolute too.
        let candidates = match self.folder.starts_with('/') {
            true => candidates.iter().map(|path| format!("{}/{path}", self.folder)).collect(),
            false => candidates,
        };
        self.runs.push(Run::Module { folder: self.folder(), candidates });
    }

    /// The folder that `cd` led to, as far as it is one of the project's.
    fn folder(&self) -> String {
        if self.folder.starts_with('/') { String::new() } else { self.folder.clone() }
    }

    fn main(&mut self) {
        self.runs.push(Run::Main { folder: self.folder() });
    }

    fn script(&mut self, package: Option<String>, name: &str) {
        self.runs.push(Run::Script { folder: self.folder(), package, name: name.to_owned() });
    }

    fn file(&mut self, path: &str) {
        self.runs.push(Run::File { folder: self.folder(), path: path.to_owned() });
    }

    fn within(&self, folder: &str) -> String {
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
    while let Some(word) = rest.get(at).filter(|word| word.starts_with('-') || *word == "run") {
        let takes_value = matches!(word.as_str(), "-f" | "-e" | "--file" | "-p" | "--package" | "-u" | "--env-file");
        at += if takes_value { 2 } else { 1 };
    }
    rest.get(at..).unwrap_or(&[])
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

fn is_program(word: &str) -> bool {
    RUNNERS.contains(&word) || WRAPPERS.contains(&word) || matches!(word, "nodemon" | "nest" | "pm2" | "concurrently")
}

/// A word that can only be a module: it has an extension of code, or is `./bin/www`.
fn is_module_path(word: &str) -> bool {
    let extension = word.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "js" | "mjs" | "cjs" | "ts" | "mts" | "cts") || word.ends_with("bin/www")
}

fn is_process_list(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("ecosystem.") || name.starts_with("pm2.") || name.ends_with(".json") || name.ends_with(".yml")
}

const RUNNERS: &[&str] = &[
    "node",
    "nodejs",
    "ts-node",
    "ts-node-esm",
    "ts-node-dev",
    "tsnd",
    "tsx",
    "node-dev",
    "babel-node",
    "babel-watch",
    "swc-node",
    "vite-node",
    "esr",
    "esno",
    "jiti",
    "deno",
    "fastify",
    "micro",
    "micro-dev",
    "remix-serve",
    "react-router-serve",
    "elastic-apm-node",
];
const WRAPPERS: &[&str] = &[
    "exec",
    "sudo",
    "env",
    "nohup",
    "command",
    "time",
    "npx",
    "bunx",
    "pnpx",
    "cross-env",
    "cross-env-shell",
    "dotenv",
    "dotenvx",
    "dotenv-flow",
    "env-cmd",
    "dumb-init",
    "tini",
    "su-exec",
    "gosu",
    "infisical",
    "doppler",
    "op",
    "better-npm-run",
];
/// Those to which `--` means something else than "the command follows".
const KNOWS_DASHES: &[&str] = &[
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "node",
    "ts-node",
    "tsx",
    "deno",
    "pm2",
    "pm2-runtime",
    "nest",
    "nodemon",
    "npx",
    "dotenv",
    "dotenvx",
    "env-cmd",
    "dumb-init",
    "tini",
    "infisical",
    "doppler",
    "op",
];
const RUNNER_FLAGS: &[&str] = &[
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "-P",
    "--project",
    "--tsconfig",
    "-C",
    "--conditions",
    "-O",
    "--compiler-options",
    "-e",
    "--eval",
    "-p",
    "--env-file",
    "--ignore-watch",
    "--debounce",
    "--interval",
    "--config",
    "-l",
    "--port",
];
const NODEMON_FLAGS: &[&str] = &[
    "-w", "--watch", "-e", "--ext", "-i", "--ignore", "-x", "--exec", "--delay", "-d", "--config", "-s", "--signal",
    "-r",
];
const PROCESS_MANAGER_FLAGS: &[&str] = &[
    "-i",
    "--instances",
    "-n",
    "--name",
    "--env",
    "--interpreter",
    "--node-args",
    "--interpreter-args",
    "--max-memory-restart",
    "-l",
    "--log",
    "-o",
    "--output",
    "--error",
    "--cron",
    "--only",
];
const PACKAGE_MANAGER_FLAGS: &[&str] = &["--prefix", "-C", "--cwd", "--dir", "--workspace", "--filter", "-F"];

/// Splits a command line at its operators, and each command into words without their quotes.
fn split(command: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = command.chars();
    let end_word = |word: &mut Option<String>, commands: &mut Vec<Vec<String>>| {
        if let (Some(word), Some(words)) = (word.take(), commands.last_mut()) {
            words.push(word);
        }
    };
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next().filter(|c| *c != '\n')),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '&' | '|' | ';' | '\n' | '(' | ')') => {
                end_word(&mut word, &mut commands);
                commands.push(Vec::new());
            }
            (None, c) if c.is_whitespace() => end_word(&mut word, &mut commands),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    end_word(&mut word, &mut commands);
    commands.retain(|words| !words.is_empty());
    commands
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
