//! What shell commands are for: tests, static checks, builds. Scripts of package.json are followed.
//!
//! In goes a text of commands with the folder that it runs in, out comes its [`Purpose`].

mod purpose;
mod shell;
mod wrappers;

use std::collections::BTreeSet;

use self::purpose::{by_name, by_tool, is_runner, is_test_name};
use self::wrappers::{unwrapped, without_flags};
use crate::facts::shapes::{Scripts, Targets, paths};

pub use purpose::Purpose;
pub use shell::{Command, commands};

/// The commands of a shell's text, each as words.
pub fn shell_commands(text: &str) -> Vec<Vec<String>> {
    commands(text).into_iter().map(|command| command.words).collect()
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
