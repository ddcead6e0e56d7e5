//! What a tool, or a script of some name, is for.
//!
//! In go words, out comes a [`Purpose`].

use crate::facts::shapes::paths;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purpose {
    pub tests: bool,
    pub lint: bool,
    pub build: bool,
}

impl Purpose {
    pub(super) const TESTS: Purpose = Purpose { tests: true, lint: false, build: false };
    const LINT: Purpose = Purpose { tests: false, lint: true, build: false };
    pub(super) const BUILD: Purpose = Purpose { tests: false, lint: false, build: true };
    pub(super) const NONE: Purpose = Purpose { tests: false, lint: false, build: false };

    #[must_use]
    pub fn or(self, other: Purpose) -> Purpose {
        Purpose { tests: self.tests || other.tests, lint: self.lint || other.lint, build: self.build || other.build }
    }
}

pub(super) fn is_runner(word: &str) -> bool {
    const RUNNERS: [&str; 16] = [
        "npm", "pnpm", "yarn", "bun", "npx", "jest", "vitest", "mocha", "pytest", "cargo", "go", "make", "turbo",
        "python", "bash", "sh",
    ];
    RUNNERS.contains(&word)
}

pub(super) fn is_test_name(name: &str) -> bool {
    name.split([':', '-', '_', '.']).any(|part| matches!(part, "test" | "tests" | "e2e" | "spec" | "jest" | "vitest"))
}

/// What a script or target of that name is for.
pub(super) fn by_name(name: &str) -> Purpose {
    let has = |words: &[&str]| name.split([':', '-', '_', '.']).any(|part| words.contains(&part));
    let prepares = has(&["install", "setup", "build", "seed", "up", "down", "db", "migrate", "watch", "open"]);
    Purpose {
        tests: is_test_name(name) && !prepares,
        lint: has(&["lint", "typecheck", "types", "tsc", "eslint", "check", "clippy"]) && !is_test_name(name),
        build: has(&["build", "compile"]),
    }
}

pub(super) fn by_tool(tool: &str, rest: &[&str]) -> Purpose {
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
