//! What a file is, by its path: how it is read ([`FileKind`]) and what it is for ([`Area`]).
//!
//! Only paths relative to the audited folder count, so a project that itself lies in `fixtures/` is no fixture.

use super::model::{Area, FileKind};

/// Kind and area of a file. `first` are its first bytes, looked at where the name says nothing (`bin/www`).
pub fn classify(path: &str, first: Option<&[u8]>) -> (FileKind, Area) {
    let kind = match kind_of(path) {
        FileKind::Text if names_no_kind(path) => first.and_then(kind_of_script).unwrap_or(FileKind::Text),
        kind => kind,
    };
    (kind, area_of(path, kind))
}

/// Whether only the contents of a file tell its kind: it has no extension.
pub fn names_no_kind(path: &str) -> bool {
    let name = file_name(path);
    !name.contains('.') && kind_of(path) == FileKind::Text
}

/// How a file is read, by its name alone.
pub fn kind_of(path: &str) -> FileKind {
    let name = file_name(path).to_ascii_lowercase();
    let extension = extension(&name);
    if is_lock_file(&name) {
        return FileKind::Text;
    }
    match extension {
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" => FileKind::JavaScript,
        "py" | "pyi" => FileKind::Python,
        "rs" => FileKind::Rust,
        "json" | "jsonc" | "json5" => FileKind::Json,
        "yml" | "yaml" => FileKind::Yaml,
        "toml" => FileKind::Toml,
        "prisma" => FileKind::Prisma,
        "sql" => FileKind::Sql,
        "md" | "dockerignore" | "vault" => FileKind::Text,
        _ if name == "pipfile" => FileKind::Toml,
        _ if is_dockerfile(&name, extension) => FileKind::Dockerfile,
        _ if BINARY.contains(&extension) || name == ".ds_store" => FileKind::Binary,
        _ if is_dotenv(&name, extension) => FileKind::Dotenv,
        _ => FileKind::Text,
    }
}

/// What a `#!` line says of a file without extension.
fn kind_of_script(first: &[u8]) -> Option<FileKind> {
    let line = first.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let mut programs = line.split(|c: char| c == '/' || c.is_whitespace());
    programs.find_map(|program| match program {
        "node" | "nodejs" | "bun" | "deno" | "tsx" | "ts-node" => Some(FileKind::JavaScript),
        _ if program.starts_with("python") => Some(FileKind::Python),
        _ => None,
    })
}

/// Whether a module says that it runs in the browser: `"use client"` before its first statement.
pub(super) fn declares_client(text: &str) -> bool {
    starts_with_directive(text, "use client") || BROWSER_IMPORTS.iter().any(|import| text.contains(import))
}

/// Whether a module says that what it exports runs on the server: `"use server"` before its first statement.
pub(super) fn declares_server(text: &str) -> bool {
    starts_with_directive(text, "use server")
}

fn starts_with_directive(text: &str, directive: &str) -> bool {
    let mut rest = text.trim_start();
    while let Some(after) = after_comment(rest) {
        rest = after.trim_start();
    }
    let quoted = rest.strip_prefix(['"', '\'']).and_then(|rest| rest.strip_prefix(directive));
    quoted.is_some_and(|rest| rest.starts_with(['"', '\'']))
}

fn after_comment(text: &str) -> Option<&str> {
    if let Some(line) = text.strip_prefix("//") {
        return Some(line.split_once('\n').map_or("", |(_, rest)| rest));
    }
    text.strip_prefix("/*")?.split_once("*/").map(|(_, rest)| rest)
}

/// What a file is for, by its folders and its name. The first convention that applies decides.
pub fn area_of(path: &str, kind: FileKind) -> Area {
    let path = path.to_ascii_lowercase();
    let place = Place::new(&path, kind);
    match () {
        () if place.is_vendored() => Area::Vendored,
        () if place.is_generated() => Area::Generated,
        () if place.is_test() => Area::Test,
        () if place.is_example() => Area::Example,
        () if place.is_docs() => Area::Docs,
        () if place.is_migration() => Area::Migration,
        () if place.is_script() => Area::Script,
        () if place.is_config() => Area::Config,
        () if place.is_client() => Area::Client,
        () => default_area(&place),
    }
}

fn default_area(place: &Place) -> Area {
    match place.kind {
        FileKind::JavaScript | FileKind::Python | FileKind::Rust | FileKind::Prisma => Area::Server,
        FileKind::Sql => Area::Migration,
        FileKind::Text if SERVER_TEXT.contains(&place.extension) => Area::Server,
        _ => Area::Config,
    }
}

/// A path in lower case, taken apart.
struct Place<'a> {
    folders: Vec<&'a str>,
    name: &'a str,
    extension: &'a str,
    kind: FileKind,
}

impl<'a> Place<'a> {
    fn new(path: &'a str, kind: FileKind) -> Place<'a> {
        let mut folders: Vec<_> = path.split('/').collect();
        let name = folders.pop().unwrap_or("");
        if kind == FileKind::JavaScript {
            folders.truncate(conventional_depth(&folders, name));
        }
        Place { folders, name, extension: extension(name), kind }
    }

    fn is_code(&self) -> bool {
        matches!(self.kind, FileKind::JavaScript | FileKind::Python | FileKind::Rust)
    }

    fn in_any(&self, names: &[&str]) -> bool {
        self.folders.iter().any(|folder| names.contains(folder))
    }

    /// In a folder of these names that is not part of the source itself: `src/tools` may be a domain, `tools` is not.
    fn in_any_beside_source(&self, names: &[&str]) -> bool {
        let outside = self.folders.iter().take_while(|folder| !SOURCE_FOLDERS.contains(folder));
        outside.into_iter().any(|folder| names.contains(folder))
    }

    fn is_vendored(&self) -> bool {
        let browser_code = self.kind == FileKind::JavaScript && self.in_any_beside_source(&["public", "static"]);
        browser_code || self.in_any(VENDOR_FOLDERS) || self.folders.starts_with(&[".yarn"])
    }

    fn is_generated(&self) -> bool {
        let marked = |mark: &str| self.name.contains(mark);
        is_lock_file(self.name)
            || self.in_any(GENERATED_FOLDERS)
            || self.in_any_beside_source(OUTPUT_FOLDERS)
            || GENERATED_EXTENSIONS.contains(&self.extension)
            || (self.is_code() && GENERATED_MARKS.iter().any(|mark| marked(mark)))
            || (matches!(self.extension, "js" | "css") && marked(".min."))
    }

    fn is_test(&self) -> bool {
        self.in_any(TEST_FOLDERS)
            || self.configures_tests()
            || self.is_test_elsewhere()
            || (self.is_code() && (self.in_any(&["spec", "specs"]) || self.is_test_file()))
    }

    /// Tests in languages of which only the text is read: `webhook_test.go`, `user_spec.rb`, `Shop.Tests/User.cs`.
    fn is_test_elsewhere(&self) -> bool {
        let stem = self.name.rsplit_once('.').map_or(self.name, |(stem, _)| stem);
        let named = OTHER_CODE.contains(&self.extension) && (stem.ends_with("_test") || stem.ends_with("_spec"));
        named || self.folders.iter().any(|folder| folder.ends_with(".tests") || folder.ends_with(".test"))
    }

    /// `config/env/test.js`: what the application is set to under test.
    fn configures_tests(&self) -> bool {
        let stem = self.name.rsplit_once('.').map_or(self.name, |(stem, _)| stem);
        matches!(stem, "test" | "testing") && self.folders.last().is_some_and(|last| CONFIG_FOLDERS.contains(last))
    }

    fn is_test_file(&self) -> bool {
        let stem = self.name.rsplit_once('.').map_or(self.name, |(stem, _)| stem);
        TEST_ENDINGS.iter().any(|ending| stem.ends_with(ending))
            || TEST_STEMS.contains(&stem)
            || (self.kind == FileKind::Python && (stem.starts_with("test_") || PYTHON_TEST_STEMS.contains(&stem)))
            || (self.kind == FileKind::Rust && (is_rust_test(stem) || self.in_any(&["benches"])))
    }

    fn is_example(&self) -> bool {
        self.in_any(&["examples", "example", "samples"])
            || self.in_any_beside_source(&["demo", "demos", "sample", "playground"])
            || (self.is_code() && (self.name.contains(".stories.") || self.in_any(&[".semgrep"])))
    }

    fn is_docs(&self) -> bool {
        self.in_any_beside_source(&["docs", "doc", "documentation"])
            || (self.kind == FileKind::Text && DOCS_EXTENSIONS.contains(&self.extension) && !self.lists_requirements())
    }

    /// `requirements.txt`, `requirements/prod.txt`
    fn lists_requirements(&self) -> bool {
        self.folders.last() == Some(&"requirements") || self.name.contains("requirements")
    }

    fn is_migration(&self) -> bool {
        self.in_any(&["migrations", "migration"])
            || (self.kind == FileKind::Python && self.in_any(&["alembic"]))
            || (self.kind == FileKind::Python && self.in_any(&["revisions"]) && self.folders.contains(&"versions"))
            || (self.folders.ends_with(&["db", "migrate"]))
            || (self.kind == FileKind::Sql && !self.is_seed())
    }

    fn is_script(&self) -> bool {
        self.in_any(&["scripts", "script", "seed", "seeds", "seeders"]) && self.runs()
            || self.in_any_beside_source(&["bin", "tools", "hack", "dev", "devtools"]) && self.runs()
            || self.is_seed()
            || self.kind == FileKind::Dockerfile && self.in_any(PIPELINE_FOLDERS)
            || self.is_code() && TASK_FILES.iter().any(|task| self.name.starts_with(task))
            || matches!(self.name, "setup.py" | "noxfile.py" | "fabfile.py" | "build.rs")
            || matches!(self.extension, "sh" | "bash" | "ps1" | "bat")
    }

    /// Something that can be run, as opposed to the data beside it.
    fn runs(&self) -> bool {
        self.is_code() || matches!(self.kind, FileKind::Text | FileKind::Sql)
    }

    fn is_seed(&self) -> bool {
        let stem = self.name.split('.').next().unwrap_or("");
        (self.is_code() || self.kind == FileKind::Sql) && matches!(stem, "seed" | "seeds" | "seeder")
    }

    fn is_config(&self) -> bool {
        let dotted = self.name.starts_with('.') || self.folders.iter().any(|folder| is_dot_folder(folder));
        dotted || (self.kind == FileKind::JavaScript && self.configures_a_tool())
    }

    /// `next.config.mjs`, `vite.config.ts`: a name before `.config` that is a tool's (`auth.config.ts` is server code).
    fn configures_a_tool(&self) -> bool {
        let Some((tool, _)) = self.name.split_once(".config.") else {
            return CONFIG_FILES.contains(&self.name);
        };
        let tool = tool.split('.').next().unwrap_or(tool);
        CONFIGURED_TOOLS.contains(&tool)
    }

    fn is_client(&self) -> bool {
        let markup = CLIENT_EXTENSIONS.contains(&self.extension);
        let named = self.in_any(&["frontend", "client-only"]) || self.folders.first() == Some(&"client");
        let hook = self.kind == FileKind::JavaScript && self.folders.contains(&"hooks") && self.name.starts_with("use");
        markup || hook || (named && self.kind == FileKind::JavaScript)
    }
}

/// How many folders of a path are named by convention: below the root of file-based routes their names are addresses
/// (`app/api/scripts/route.ts`).
fn conventional_depth(folders: &[&str], name: &str) -> usize {
    let app = folders.iter().position(|folder| *folder == "app");
    let api = folders.windows(2).position(|pair| pair == ["pages", "api"]);
    let is_route = name.starts_with("route.") || name.starts_with("page.");
    app.filter(|_| is_route).or(api).map_or(folders.len(), |at| at + 1)
}

/// Modules that are compiled into tests: `tests.rs`, `test.rs`, `orders_tests.rs`, `test_helpers.rs`.
fn is_rust_test(stem: &str) -> bool {
    matches!(stem, "test" | "tests") || stem.ends_with("_tests") || stem.starts_with("test_")
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn is_dot_folder(folder: &str) -> bool {
    folder.len() > 1 && folder.starts_with('.') && folder != ".."
}

/// `Dockerfile`, `Dockerfile.worker`, `Dockerfile-prod`, `api.Dockerfile`, `Containerfile`.
fn is_dockerfile(name: &str, extension: &str) -> bool {
    let ends: &[char] = if name.contains('.') { &['.'] } else { &['-', '_'] };
    let stem = name.split(ends).next().unwrap_or(name);
    matches!(stem, "dockerfile" | "containerfile") || matches!(extension, "dockerfile" | "containerfile")
}

/// `.env`, `.env.production`, `production.env`, `env.example`.
fn is_dotenv(name: &str, extension: &str) -> bool {
    name == ".env" || name.starts_with(".env.") || extension == "env" || name == "env.example"
}

/// Whether a package manager wrote the file.
pub fn is_lock_file(name: &str) -> bool {
    LOCK_FILES.contains(&file_name(name))
}

const LOCK_FILES: &[&str] = &[
    "bun.lock",
    "cargo.lock",
    "composer.lock",
    "deno.lock",
    "flake.lock",
    "gemfile.lock",
    "Cargo.lock",
    "Gemfile.lock",
    "go.sum",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pdm.lock",
    "pipfile.lock",
    "Pipfile.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "yarn.lock",
];

/// Below these a folder's name is the application's own choice.
const SOURCE_FOLDERS: &[&str] =
    &["src", "app", "lib", "routes", "controllers", "modules", "handlers", "services", "features", "pages"];
const VENDOR_FOLDERS: &[&str] = &[
    "node_modules",
    "bower_components",
    "jspm_packages",
    "vendor",
    "vendors",
    "third_party",
    "third-party",
    ".venv",
    "venv",
    "site-packages",
    "virtualenv",
];
const GENERATED_FOLDERS: &[&str] = &[
    "generated",
    "__generated__",
    "__pycache__",
    "__snapshots__",
    ".next",
    ".nuxt",
    ".output",
    ".svelte-kit",
    ".turbo",
    ".vercel",
    ".serverless",
    ".cache",
];
const OUTPUT_FOLDERS: &[&str] = &["dist", "build", "out", "coverage", "target", "storybook-static"];
const GENERATED_EXTENSIONS: &[&str] = &["map", "snap", "tsbuildinfo"];
const GENERATED_MARKS: &[&str] =
    &[".d.ts", ".d.mts", ".d.cts", ".generated.", ".gen.", ".pb.", "_pb.", "_pb2.", "_pb2_grpc.", ".bundle."];
const TEST_FOLDERS: &[&str] = &[
    "__tests__",
    "__test__",
    "__mocks__",
    "__fixtures__",
    "test",
    "tests",
    "unittests",
    "unittest",
    "unit-tests",
    "unit_tests",
    "integration_tests",
    "functional_tests",
    "testdata",
    "test_data",
    "e2e",
    "e2etests",
    "e2e_tests",
    "e2e-tests",
    "app-tests",
    "integration-test",
    "integration-tests",
    "load-tests",
    "cypress",
    "playwright",
    "fixtures",
    "mocks",
    "test-utils",
    "test-helpers",
];
/// Folders with a file for each environment.
const CONFIG_FOLDERS: &[&str] = &["config", "configs", "env", "envs", "environments", "settings"];
const TEST_ENDINGS: &[&str] = &[".test", ".tests", ".spec", "_spec", "_test", ".e2e-spec", "-spec", ".cy", ".mock"];
const OTHER_CODE: &[&str] = &["go", "rb", "exs", "dart", "cc", "cpp", "php"];
/// Where pipelines keep the images that they run in.
const PIPELINE_FOLDERS: &[&str] = &[".circleci", ".ci", ".github", ".gitlab", ".buildkite", ".azure-pipelines"];
const TEST_STEMS: &[&str] = &[
    "setuptests",
    "conftest",
    "jest.setup",
    "jest.setup.env",
    "jestsetup",
    "vitest.setup",
    "vitestsetup",
    "vitest-setup",
    "test-setup",
    "setup-tests",
    "setup-test",
    "global-setup",
    "globalsetup",
    "setuptest",
    "test-utils",
    "test-helpers",
    "test-helper",
    "test_utils",
    "test_util",
    "test_helpers",
    "test_support",
    "test_data",
    "test_fixtures",
    "test_keys",
    "testutil",
    "testutils",
];
const PYTHON_TEST_STEMS: &[&str] = &["tests", "locustfile"];
/// Libraries that keep the state of a page.
const BROWSER_IMPORTS: &[&str] =
    &["from 'zustand'", "from \"zustand\"", "from 'react-dom/client'", "from \"react-dom/client\""];
const TASK_FILES: &[&str] = &["gruntfile.", "gulpfile.", "jakefile.", "dangerfile."];
const DOCS_EXTENSIONS: &[&str] = &["md", "mdx", "rst", "adoc", "txt"];
const CLIENT_EXTENSIONS: &[&str] =
    &["jsx", "tsx", "vue", "svelte", "astro", "css", "scss", "sass", "less", "html", "htm"];
const SERVER_TEXT: &[&str] = &["graphql", "gql", "proto", "ejs", "pug", "jade", "hbs", "handlebars", "njk", "mustache"];
const CONFIG_FILES: &[&str] = &["vitest.workspace.ts", "karma.conf.js", "wdio.conf.js", "protractor.conf.js"];
const CONFIGURED_TOOLS: &[&str] = &[
    "astro",
    "babel",
    "changelog",
    "codecept",
    "commitlint",
    "contentlayer",
    "craco",
    "cypress",
    "docusaurus",
    "drizzle",
    "ecosystem",
    "esbuild",
    "eslint",
    "i18next",
    "jest",
    "knip",
    "lint-staged",
    "metro",
    "next",
    "next-i18next",
    "next-sitemap",
    "nuxt",
    "nyc",
    "orval",
    "playwright",
    "pm2",
    "postcss",
    "prettier",
    "prisma",
    "quasar",
    "react-router",
    "release",
    "remix",
    "rolldown",
    "rollup",
    "rspack",
    "size-limit",
    "stylelint",
    "svelte",
    "swc",
    "tailwind",
    "trigger",
    "tsdown",
    "tsup",
    "unbuild",
    "uno",
    "unocss",
    "vite",
    "vitest",
    "vue",
    "webpack",
    "windi",
    "wrangler",
];
const BINARY: &[&str] = &[
    "3gp", "7z", "a", "aac", "ai", "apk", "avi", "avif", "bin", "bmp", "br", "bz2", "class", "dat", "db", "dll", "dmg",
    "doc", "docx", "dylib", "ear", "eot", "eps", "exe", "flac", "gif", "glb", "gpg", "gz", "heic", "icns", "ico",
    "iso", "jar", "jks", "jpeg", "jpg", "keystore", "lib", "lockb", "lz4", "mo", "m4a", "m4v", "mkv", "mov", "mp3",
    "mp4", "mpeg", "mpg", "node", "o", "odt", "ogg", "ogv", "opus", "otf", "p12", "parquet", "pdf", "pfx", "png",
    "ppt", "pptx", "psd", "pyc", "rar", "sketch", "so", "sqlite", "sqlite3", "svg", "swf", "tar", "tgz", "tif", "tiff",
    "ttc", "ttf", "war", "wasm", "wav", "webm", "webp", "wmv", "woff", "woff2", "xls", "xlsx", "xz", "zip", "zst",
];

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
