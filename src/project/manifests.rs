//! What the project layer needs to read of other files before it can tell services apart.

use std::collections::HashMap;

use super::frameworks::TABLE;
use super::model::{Area, File, FileId, FileKind};
use super::paths::file_name;
use super::requirements::is_requirements;
use crate::syntax::Node;

/// Parsed and plain contents of manifests, for [`super::assign_services`].
#[derive(Debug, Default)]
pub struct Manifests<'a> {
    /// `package.json`, `pnpm-workspace.yaml`, compose files, …: those for which [`needed`] says [`Need::Tree`].
    pub trees: HashMap<FileId, &'a Node>,
    /// Dockerfiles, `Procfile`, shell scripts: those for which [`needed`] says [`Need::Text`].
    pub texts: HashMap<FileId, &'a str>,
}

/// How a file is needed as a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Tree,
    Text,
}

/// Whether and how services depend on what a file says.
pub fn needed(file: &File) -> Option<Need> {
    let name = file_name(&file.path);
    let is_tree = matches!(file.kind, FileKind::Json | FileKind::Yaml | FileKind::Toml);
    if is_tree && (TREES.contains(&name) || is_compose(name) || is_tsconfig(name)) {
        return Some(Need::Tree);
    }
    let is_text = file.kind == FileKind::Dockerfile
        || is_procfile(name)
        || is_ecosystem(name)
        || is_supervisor(name)
        || is_uwsgi(name)
        || name.ends_with(".sh")
        || name == "setup.cfg"
        || is_requirements(&file.path)
        || (file.kind == FileKind::Python && file.area != Area::Test && starts_python(name));
    is_text.then_some(Need::Text)
}

/// Modules of Python that may say what is served, by their names; `setup.py` says what is installed.
fn starts_python(name: &str) -> bool {
    let manage = &TABLE.python.manage;
    let is_start = |stem: &str| TABLE.python.starts.iter().any(|start| start == stem);
    name == "setup.py" || manage.names.iter().any(|own| own == name) || name.strip_suffix(".py").is_some_and(is_start)
}

/// The process file of supervisor.
pub(super) fn is_supervisor(name: &str) -> bool {
    name.starts_with("supervisor") && (name.ends_with(".conf") || name.ends_with(".ini"))
}

const TREES: &[&str] = &[
    "Cargo.toml",
    "Pipfile",
    "app.yaml",
    "environment.yaml",
    "environment.yml",
    "fly.toml",
    "heroku.yml",
    "jsconfig.json",
    "lerna.json",
    "nest-cli.json",
    "netlify.toml",
    "nixpacks.toml",
    "package.json",
    "pnpm-workspace.yaml",
    "project.json",
    "pyproject.toml",
    "railway.json",
    "railway.toml",
    "render.yaml",
    "serverless.yaml",
    "serverless.yml",
    "vercel.json",
    "wrangler.json",
    "wrangler.jsonc",
    "wrangler.toml",
];

/// `docker-compose.yml`, `compose.prod.yaml`; not what only serves development or tests.
pub(super) fn is_compose(name: &str) -> bool {
    let named = name.starts_with("docker-compose") || name.starts_with("compose.") || name.starts_with("compose-");
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    named && yaml && !is_for_development(name)
}

pub(super) fn is_tsconfig(name: &str) -> bool {
    name.starts_with("tsconfig") && name.ends_with(".json")
}

pub(super) fn is_procfile(name: &str) -> bool {
    name == "Procfile"
}

/// `uwsgi.ini`, `shop-uwsgi.ini`
pub(super) fn is_uwsgi(name: &str) -> bool {
    name.contains("uwsgi") && name.ends_with(".ini") && !is_for_development(name)
}

/// The process file of pm2.
pub(super) fn is_ecosystem(name: &str) -> bool {
    name.starts_with("ecosystem.") || name.starts_with("pm2.")
}

/// `Dockerfile.dev`, `docker-compose.test.yml`, `compose.override.yaml`.
pub(super) fn is_for_development(name: &str) -> bool {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words.into_iter().any(|word| {
        matches!(word, "dev" | "develop" | "development" | "test" | "tests" | "testing" | "e2e" | "local" | "override")
    })
}
