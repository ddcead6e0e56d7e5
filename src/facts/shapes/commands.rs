//! What shell commands are for: tests, static checks, builds. Scripts of package.json are followed.

use std::collections::BTreeSet;

use super::{Scripts, Targets, paths};
use crate::syntax::dockerfile::shell_words;

/// Commands that are looked at in one text.
const MAX_COMMANDS: usize = 2_000;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purpose {
    pub tests: bool,
    pub lint: bool,
    pub build: bool,
}

impl Purpose {
    const TESTS: Purpose = Purpose { tests: true, lint: false, build: false };
    const LINT: Purpose = Purpose { tests: false, lint: true, build: false };
    const BUILD: Purpose = Purpose { tests: false, lint: false, build: true };
    const NONE: Purpose = Purpose { tests: false, lint: false, build: false };

    #[must_use]
    pub fn or(self, other: Purpose) -> Purpose {
        Purpose { tests: self.tests || other.tests, lint: self.lint || other.lint, build: self.build || other.build }
    }
}

/// One simple command of a shell text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub words: Vec<String>,
    /// Its failure changes nothing (`|| true`).
    pub swallowed: bool,
}

/// The simple commands of a text of lines, `&&`, `||`, `;` and pipes.
pub fn commands(text: &str) -> Vec<Command> {
    let mut found = Vec::new();
    let mut careless = false;
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    for line in joined.lines() {
        let parts = simple(line);
        for (index, part) in parts.iter().enumerate() {
            let words = shell_words(part.text);
            let ignored = part.or && parts.get(index + 1).is_some_and(|next| is_shrug(next.text));
            careless |= words.len() == 2 && words[0] == "set" && words[1] == "+e";
            if !words.is_empty() && found.len() < MAX_COMMANDS {
                found.push(Command { words, swallowed: careless || ignored });
            }
        }
    }
    found
}

struct Part<'t> {
    text: &'t str,
    /// `||` follows.
    or: bool,
}

/// Splits a line at separators outside of quotes, up to a comment.
fn simple(line: &str) -> Vec<Part<'_>> {
    let bytes = line.as_bytes();
    let (mut parts, mut from, mut at, mut quote) = (Vec::new(), 0, 0, None);
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        let width = match (quote, byte) {
            (Some(open), _) => {
                quote = (open != byte).then_some(open);
                0
            }
            (None, b'"' | b'\'' | b'`') => {
                quote = Some(byte);
                0
            }
            (None, b'#') if at == 0 || bytes[at - 1].is_ascii_whitespace() => break,
            (None, b'&' | b'|') if next == Some(byte) => 2,
            (None, b';' | b'|') => 1,
            _ => 0,
        };
        if width > 0 {
            parts.push(Part { text: &line[from..at], or: byte == b'|' && width == 2 });
            from = at + width;
        }
        at += width.max(1);
    }
    parts.push(Part { text: line.get(from..at).unwrap_or_default(), or: false });
    parts
}

/// `true`, `exit 0`, `echo …`: what follows `||` when nobody cares.
fn is_shrug(text: &str) -> bool {
    let words = shell_words(text);
    match words.first().map(String::as_str) {
        Some("true" | ":" | "echo" | "printf") => true,
        Some("exit") => words.get(1).is_some_and(|code| code == "0"),
        _ => false,
    }
}

/// What a text of commands is for when it runs in a folder.
pub struct Reader<'s> {
    scripts: &'s Scripts,
    targets: Option<&'s Targets>,
    /// Scripts that were followed, so that each is read once.
    followed: BTreeSet<(String, String)>,
}

impl<'s> Reader<'s> {
    #[cfg(test)]
    pub fn new(scripts: &'s Scripts) -> Self {
        Reader { scripts, targets: None, followed: BTreeSet::new() }
    }

    /// Follows what other tools call targets, too.
    pub fn with_targets(scripts: &'s Scripts, targets: &'s Targets) -> Self {
        Reader { scripts, targets: Some(targets), followed: BTreeSet::new() }
    }

    pub fn text(&mut self, text: &str, folder: &str) -> Purpose {
        let mut folder = folder.to_owned();
        commands(text).iter().fold(Purpose::NONE, |purpose, command| {
            if let [head, target] = command.words.as_slice()
                && head == "cd"
            {
                folder = paths::join(&folder, target);
            }
            purpose.or(self.command(&command.words, &folder))
        })
    }

    /// What one command is for.
    pub fn command(&mut self, words: &[String], folder: &str) -> Purpose {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.words(&words, folder)
    }

    fn words(&mut self, words: &[&str], folder: &str) -> Purpose {
        let mut words = words;
        while let Some(rest) = unwrapped(words) {
            words = rest;
        }
        let Some((head, rest)) = words.split_first() else { return Purpose::NONE };
        match paths::name(head) {
            manager @ ("npm" | "pnpm" | "yarn" | "bun") => self.package_manager(manager, rest, folder),
            "turbo" | "nx" | "lerna" | "moon" | "rush" | "run-s" | "run-p" | "npm-run-all" | "wsrun" => {
                self.scripts_named(rest, folder)
            }
            "docker" | "docker-compose" | "podman" => {
                let builds = rest.iter().any(|word| matches!(*word, "build" | "buildx"));
                let inner = rest.iter().position(|word| is_runner(word)).map(|at| &rest[at..]).unwrap_or_default();
                self.words(inner, folder).or(if builds { Purpose::BUILD } else { Purpose::NONE })
            }
            "bash" | "sh" | "concurrently" | "start-server-and-test" | "xargs" => {
                let script =
                    rest.iter().find(|word| !word.starts_with('-')).and_then(|word| self.shell_script(word, folder));
                let texts = rest.iter().filter(|word| word.contains(' ') || is_test_name(word));
                let nested = texts.fold(Purpose::NONE, |purpose, text| purpose.or(self.nested(text, folder)));
                script.unwrap_or(nested)
            }
            "make" => self.targets_named("make", rest, folder),
            "just" => self.targets_named("just", rest, folder),
            "task" | "go-task" => self.targets_named("task", rest, folder),
            "poe" | "pdm" | "hatch" if rest.iter().any(|word| self.is_python_target(word, folder)) => {
                self.targets_named("python", rest, folder)
            }
            "tox" => self.tox(rest, folder),
            tool => self.shell_script(head, folder).unwrap_or_else(|| by_tool(tool, rest)),
        }
    }

    /// Every word that names a target; one that is out of sight is judged by its name.
    fn targets_named(&mut self, tool: &'static str, words: &[&str], folder: &str) -> Purpose {
        let (folder, words) = without_flags(words, folder);
        let named = words.iter().filter(|word| !word.starts_with('-') && !word.contains('='));
        named.take(50).fold(Purpose::NONE, |purpose, name| {
            let found = self.targets.and_then(|targets| targets.target(tool, &folder, name));
            purpose.or(match found {
                Some((home, text)) => self.once(&format!("{tool} {name}"), home, text),
                None => by_name(name),
            })
        })
    }

    fn is_python_target(&self, name: &str, folder: &str) -> bool {
        self.targets.is_some_and(|targets| targets.target("python", folder, name).is_some())
    }

    /// `tox -e lint`; without a name, all environments run.
    fn tox(&mut self, words: &[&str], folder: &str) -> Purpose {
        let known = self.targets.map(|targets| targets.all("tox", folder)).unwrap_or_default();
        let named = words.iter().position(|word| matches!(*word, "-e" | "run")).and_then(|at| words.get(at + 1));
        match named.filter(|_| !known.is_empty()) {
            Some(names) => names.split(',').fold(Purpose::NONE, |purpose, name| {
                let targets = self.targets;
                let found =
                    targets.and_then(|t| t.target("tox", folder, name).or_else(|| t.target("tox", folder, "testenv")));
                purpose.or(found.map_or(Purpose::NONE, |(home, text)| self.once(&format!("tox {name}"), home, text)))
            }),
            None if known.is_empty() => Purpose::TESTS,
            None => known.into_iter().fold(Purpose::NONE, |purpose, text| {
                purpose.or(self.once(&format!("tox {}", text.len()), folder, text))
            }),
        }
    }

    /// A shell script of the project, if the word is one's path.
    fn shell_script(&mut self, word: &str, folder: &str) -> Option<Purpose> {
        let targets = self.targets?;
        let path = paths::join(folder, word);
        let text = targets.script(&path).filter(|_| word.contains('/') || word.ends_with(".sh"))?;
        Some(self.once(&path, folder, text))
    }

    /// The purpose of a text that is read once, however often it is called.
    fn once(&mut self, name: &str, folder: &str, text: &str) -> Purpose {
        let fresh = self.followed.len() < 500 && self.followed.insert((folder.to_owned(), name.to_owned()));
        if fresh { self.text(text, folder) } else { Purpose::NONE }
    }

    /// A command in quotes, or the name of a script.
    fn nested(&mut self, text: &str, folder: &str) -> Purpose {
        match text.contains(' ') {
            true => commands(text).iter().fold(Purpose::NONE, |p, c| p.or(self.command(&c.words, folder))),
            false => self.script(text, folder),
        }
    }

    fn package_manager(&mut self, manager: &str, words: &[&str], folder: &str) -> Purpose {
        let (folder, words) = without_flags(words, folder);
        let Some((verb, rest)) = words.split_first() else { return Purpose::NONE };
        match *verb {
            "test" if manager == "bun" => Purpose::TESTS,
            "test" | "t" | "tst" | "it" | "cit" => self.script("test", &folder),
            "run" | "run-script" | "rum" => self.scripts_named(rest, &folder),
            "exec" | "dlx" | "x" => self.words(rest, &folder),
            "workspace" => self.package_manager(manager, rest.get(1..).unwrap_or_default(), &folder),
            "workspaces" | "recursive" | "foreach" => self.scripts_named(rest, &folder),
            "ci" | "install" | "i" | "add" | "publish" | "audit" | "config" | "cache" => Purpose::NONE,
            name if manager != "npm" && self.may_be_script(name) => self.script(name, &folder),
            _ if manager != "npm" => self.words(&words, &folder),
            _ => Purpose::NONE,
        }
    }

    /// Every word that names a script.
    fn scripts_named(&mut self, words: &[&str], folder: &str) -> Purpose {
        let names = words.iter().take_while(|word| **word != "--").flat_map(|word| {
            let word = word.strip_prefix("--target=").or(word.strip_prefix("--targets=")).unwrap_or(word);
            word.split(',')
        });
        names.filter(|name| !name.starts_with('-')).fold(Purpose::NONE, |purpose, name| {
            let known = self.is_script(name) || self.scripts.is_empty();
            purpose.or(if known { self.script(name, folder) } else { Purpose::NONE })
        })
    }

    /// A known script, or a name that means something where no manifest is known.
    fn may_be_script(&self, name: &str) -> bool {
        self.is_script(name) || self.scripts.is_empty() && by_name(name) != Purpose::NONE
    }

    fn is_script(&self, name: &str) -> bool {
        self.scripts.values().any(|scripts| scripts.contains_key(name))
    }

    /// Follows a script of the folder's manifest, or else of any manifest.
    fn script(&mut self, name: &str, folder: &str) -> Purpose {
        let scripts = self.scripts;
        if scripts.is_empty() {
            return by_name(name);
        }
        let here = scripts.get_key_value(folder).filter(|(_, own)| own.contains_key(name));
        let holders: Vec<_> = match here {
            Some(own) => vec![own],
            None => scripts.iter().filter(|(_, own)| own.contains_key(name)).collect(),
        };
        holders.into_iter().fold(Purpose::NONE, |purpose, (folder, own)| {
            let fresh = self.followed.len() < 500 && self.followed.insert((folder.clone(), name.to_owned()));
            let text = own.get(name).map_or("", String::as_str);
            if !fresh || is_placeholder(text) {
                return purpose;
            }
            purpose.or(by_name(name)).or(self.text(text, folder))
        })
    }
}

/// A script that does nothing: npm's "no test specified" and its like.
fn is_placeholder(script: &str) -> bool {
    script.contains("no test specified")
        || commands(script).iter().all(|c| matches!(c.words[0].as_str(), "echo" | "exit" | "true" | ":" | "printf"))
}

/// The command behind what only changes how it runs (`NODE_ENV=test npx -y`), if there is such a thing.
fn unwrapped<'w, 't>(words: &'w [&'t str]) -> Option<&'w [&'t str]> {
    let (head, rest) = words.split_first()?;
    let two = [*head, rest.first().copied().unwrap_or_default()];
    let assigned = head.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.starts_with('-'));
    let rest = match paths::name(head) {
        _ if assigned => return Some(rest),
        "dotenv" | "dotenvx" | "doppler" | "infisical" | "op" => {
            let dashes = rest.iter().position(|word| *word == "--").map(|at| &rest[at + 1..]);
            return dashes.or(Some(rest));
        }
        "npx" | "bunx" | "pnpx" | "cross-env" | "env" | "time" | "sudo" | "xvfb-run" | "exec" | "command" | "nyc"
        | "c8" | "if" | "then" | "!" | "dotenv-run-script" | "tsx" | "ts-node" => rest,
        _ if two[1] == "run" && matches!(two[0], "uv" | "poetry" | "pipenv" | "rye" | "pixi") => &rest[1..],
        _ if two == ["bundle", "exec"] => &rest[1..],
        "hatch" | "pdm" if two[1] == "run" && !rest.iter().any(|word| is_test_name(word)) => &rest[1..],
        "coverage" if two[1] == "run" && rest.get(1) == Some(&"-m") => &rest[2..],
        "coverage" if two[1] == "run" => &rest[1..],
        "uvx" | "pipx" => rest.strip_prefix(&["run"]).unwrap_or(rest),
        _ => return None,
    };
    if matches!(*head, "tsx" | "ts-node") && rest.contains(&"--test") {
        return None;
    }
    let flags = rest.iter().take_while(|word| word.starts_with('-')).count();
    Some(&rest[flags..])
}

/// Takes the flags of a package manager away; `--prefix`, `-C` and `--cwd` change the folder.
fn without_flags<'t>(words: &[&'t str], folder: &str) -> (String, Vec<&'t str>) {
    let (mut folder, mut at) = (folder.to_owned(), 0);
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        let (name, given) = word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value)));
        let takes_value = ["--prefix", "-C", "--cwd", "--dir", "--filter", "-F", "-w", "--workspace"].contains(&name);
        let shared_root = name == "-w" && words.get(at + 1).is_some_and(|next| matches!(*next, "run" | "test"));
        let value = given.or(words.get(at + 1).copied().filter(|_| takes_value && !shared_root));
        if let Some(target) = value.filter(|_| ["--prefix", "-C", "--cwd", "--dir"].contains(&name)) {
            folder = paths::join(&folder, target);
        }
        at += 1 + usize::from(takes_value && given.is_none() && !shared_root);
    }
    (folder, words.get(at..).unwrap_or_default().to_vec())
}

fn is_runner(word: &str) -> bool {
    const RUNNERS: [&str; 16] = [
        "npm", "pnpm", "yarn", "bun", "npx", "jest", "vitest", "mocha", "pytest", "cargo", "go", "make", "turbo",
        "python", "bash", "sh",
    ];
    RUNNERS.contains(&word)
}

fn is_test_name(name: &str) -> bool {
    name.split([':', '-', '_', '.']).any(|part| matches!(part, "test" | "tests" | "e2e" | "spec" | "jest" | "vitest"))
}

/// What a script or target of that name is for.
fn by_name(name: &str) -> Purpose {
    let has = |words: &[&str]| name.split([':', '-', '_', '.']).any(|part| words.contains(&part));
    let prepares = has(&["install", "setup", "build", "seed", "up", "down", "db", "migrate", "watch", "open"]);
    Purpose {
        tests: is_test_name(name) && !prepares,
        lint: has(&["lint", "typecheck", "types", "tsc", "eslint", "check", "clippy"]) && !is_test_name(name),
        build: has(&["build", "compile"]),
    }
}

fn by_tool(tool: &str, rest: &[&str]) -> Purpose {
    let first = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    let has = |word: &str| rest.contains(&word);
    // `cargo +nightly clippy`
    let cargo = rest.iter().find(|word| !word.starts_with(['-', '+'])).copied().unwrap_or_default();
    match tool {
        "jest" | "vitest" | "mocha" | "ava" | "tap" | "tape" | "jasmine" | "karma" | "uvu" | "pytest" | "py.test"
        | "tox" | "nox" | "rspec" | "phpunit" | "testcafe" | "wdio" | "ctest" | "newman" | "bats" | "japa" => {
            Purpose::TESTS
        }
        "playwright" | "react-scripts" | "ng" | "deno" | "go" | "dotnet" | "mix" | "swift" if first == "test" => {
            Purpose::TESTS
        }
        "cypress" if first == "run" => Purpose::TESTS,
        "mvn" | "gradle" | "gradlew" if rest.iter().any(|w| matches!(*w, "test" | "verify" | "check")) => {
            Purpose::TESTS
        }
        "node" | "tsx" | "ts-node" if rest.iter().any(|word| *word == "--test" || is_test_file(word)) => Purpose::TESTS,
        "python" | "python3" if rest.first() == Some(&"-m") => {
            let module = rest.get(1).copied().unwrap_or_default();
            let after = rest.get(2..).unwrap_or_default();
            if module == "unittest" { Purpose::TESTS } else { by_tool(module, after) }
        }
        "python" | "python3" if has("pytest") || has("unittest") || has("test") => Purpose::TESTS,
        "manage.py" | "django-admin" | "flask" if first == "test" => Purpose::TESTS,
        "hatch" if has("test") || has("cov") => Purpose::TESTS,
        "pdm" | "poe" if rest.iter().any(|word| is_test_name(word)) => Purpose::TESTS,
        "cargo" | "cross"
            if matches!(cargo, "test" | "nextest" | "t" | "tarpaulin" | "llvm-cov" | "hack" | "careful") =>
        {
            if cargo == "hack" && !has("test") { Purpose::LINT } else { Purpose::TESTS }
        }
        "cargo" if matches!(cargo, "clippy" | "fmt" | "check" | "deny" | "audit" | "machete") => Purpose::LINT,
        "cargo" | "cross" if cargo == "build" => Purpose::BUILD,
        "poetry" | "uv" | "hatch" | "maturin" | "build" if first == "build" || tool == "build" => Purpose::BUILD,
        "cargo" | "go" | "vite" | "next" | "nest" | "remix" | "nuxt" | "ng" | "react-scripts" | "astro"
            if first == "build" =>
        {
            Purpose::BUILD
        }
        "next" if first == "lint" => Purpose::LINT,
        "tsc" | "vue-tsc" | "tsgo" => Purpose { lint: true, build: !has("--noEmit"), tests: false },
        "eslint" | "jshint" | "oxlint" | "biome" | "standard" | "xo" | "ruff" | "mypy" | "flake8" | "pylint"
        | "pyright" | "basedpyright" | "ty" | "bandit" | "pyflakes" | "pytype" | "vulture" | "pre-commit" | "prek"
        | "svelte-check" | "stylelint" | "golangci-lint" => Purpose::LINT,
        "prettier" | "black" | "isort" if ["--check", "-c", "-l", "--list-different"].iter().any(|flag| has(flag)) => {
            Purpose::LINT
        }
        "webpack" | "rollup" | "tsup" | "esbuild" | "swc" | "ncc" | "unbuild" => Purpose::BUILD,
        _ => Purpose::NONE,
    }
}

/// `node test/run.js`
fn is_test_file(word: &str) -> bool {
    paths::words(word).iter().any(|part| matches!(part.as_str(), "test" | "tests" | "spec"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scripts(entries: &[(&str, &str, &str)]) -> Scripts {
        let mut all = Scripts::new();
        for (folder, name, text) in entries {
            all.entry((*folder).to_owned()).or_default().insert((*name).to_owned(), (*text).to_owned());
        }
        all
    }

    fn tests(text: &str, scripts: &Scripts) -> bool {
        Reader::new(scripts).text(text, ".").tests
    }

    #[test]
    fn direct_runners() {
        let none = Scripts::new();
        for text in [
            "npm test",
            "pnpm run test:unit",
            "yarn jest --ci",
            "npx --yes vitest run",
            "CI=1 bun test",
            "cargo test --all",
            "node --test",
            "npx playwright test",
            "docker compose run --rm api npm test",
            "poetry run pytest -q",
            "npm ci && npm run build && npm t",
            "make test",
            "bash -c 'npm run test'",
            "turbo run lint test",
            "poetry run pytest -q",
            "uv run --frozen pytest",
            "coverage run -m pytest",
            "coverage run --source=shop manage.py test",
            "python -m unittest discover",
            "python manage.py test shop",
            "tox",
            "nox -s tests",
            "cargo +nightly test --workspace",
            "cargo nextest run",
            "npx cypress run",
            "dotenv -e .env.test -- jest",
            "pnpm -r --filter ./api test",
            "nx run-many -t lint,test",
        ] {
            assert!(tests(text, &none), "{text}");
        }
        for text in [
            "npm ci",
            "echo npm test",
            "npx playwright install",
            "# npm test",
            "npm run build",
            "docker build -t test .",
            "npm install jest",
            "pip install pytest",
            "python -m mypy shop",
            "cargo clippy -- -D warnings",
            "python manage.py migrate",
            "",
        ] {
            assert!(!tests(text, &none), "{text}");
        }
    }

    #[test]
    fn scripts_are_followed() {
        let all = scripts(&[
            (".", "test", "echo \"Error: no test specified\" && exit 1"),
            (".", "verify", "npm run check && npm run unit"),
            (".", "unit", "NODE_ENV=test mocha"),
            (".", "check", "tsc --noEmit"),
            (".", "loop", "npm run loop"),
            ("api", "test", "node scripts/all.js"),
        ]);
        assert!(!tests("npm test", &all));
        assert!(tests("npm run verify", &all));
        assert!(tests("cd api && npm test", &all));
        assert!(tests("npm --prefix api test", &all));
        assert!(!tests("npm run loop", &all));
        assert!(Reader::new(&all).text("npm run verify", ".").lint);
        assert!(!tests("npm run absent-test", &all));
    }

    #[test]
    fn targets_are_followed() {
        let mut targets = Targets::default();
        targets.add("Makefile", "check: lint unit\nlint:\n\truff check\nunit:\n\t./scripts/verify\nloop: loop\n");
        targets.add("scripts/verify", "#!/bin/sh\nset -e\nexec pytest -q\n");
        targets.add("api/tox.ini", "[testenv]\ncommands = pytest\n[testenv:style]\ncommands = flake8\n");
        targets.add("pyproject.toml", "[tool.poe.tasks]\nverify = 'pytest'\n");
        let none = Scripts::new();
        let of = |text: &str| Reader::with_targets(&none, &targets).text(text, ".");
        assert!(of("make check").tests && of("make check").lint && !of("make lint").tests);
        assert!(of("./scripts/verify").tests && of("bash scripts/verify").tests);
        assert!(of("cd api && tox -e py312").tests && !of("cd api && tox -e style").tests && of("cd api && tox").lint);
        assert!(of("poe verify").tests && !of("make loop").tests);
    }

    #[test]
    fn swallowed_failures() {
        let swallowed = |text: &str| commands(text).iter().any(|c| c.swallowed && c.words[0] == "npm");
        assert!(swallowed("npm test || true") && swallowed("npm test || exit 0") && swallowed("set +e\nnpm test"));
        assert!(!swallowed("npm test || exit 1") && !swallowed("npm test && echo ok"));
    }

    #[test]
    fn builds_and_checks() {
        let none = Scripts::new();
        let of = |text: &str| Reader::new(&none).text(text, ".");
        assert!(of("docker buildx build .").build && of("npx next build").build && of("yarn build").build);
        assert!(of("npx eslint .").lint && of("pnpm typecheck").lint && of("prettier --check .").lint);
        assert!(!of("prettier --write .").lint);
    }

    #[test]
    fn odd_texts_are_read() {
        for text in ["'", "\"a", "||", "a ||", "`", "\\", "cd", "npm", "npm -C", "npm --prefix", "npx", "é | ü"] {
            let _ = tests(text, &Scripts::new());
        }
    }
}
