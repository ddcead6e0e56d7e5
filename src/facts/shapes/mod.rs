//! Facts from files that are not code: configuration, containers, workflows, schemas.
//! A shape turns one format into facts and knows no rule; [`read`] chooses the shapes of a file.

mod ci;
mod commands;
mod compose;
mod docker;
mod dotenv;
mod images;
mod kubernetes;
mod locks;
mod migrations;
mod openapi;
mod packages;
mod paths;
mod prisma;
mod probes;
mod settings;
mod values;

use std::collections::BTreeMap;

use crate::facts::Fact;
use crate::project::{Area, Diagnostic, File, FileId, FileKind, Tracked};
use crate::syntax::{self, Node, SyntaxError};

pub use ci::workflow;
pub use compose::{compose, is_compose};
pub use docker::{DockerContext, dockerfile};
pub use dotenv::{env_entries, is_template};
pub use kubernetes::kubernetes;
pub use locks::{LockInput, Manifest, locks};
pub use migrations::migrations;
pub use openapi::openapi;
pub use packages::dependencies;
pub use prisma::prisma;
pub use settings::{format_of, settings};

/// The scripts of every package.json, by its folder (`.` for the root).
pub type Scripts = BTreeMap<String, BTreeMap<String, String>>;

/// What shapes have to know beyond the file they read.
pub struct Surroundings<'a> {
    pub scripts: &'a Scripts,
    /// All paths of the project, sorted.
    pub paths: &'a [&'a str],
    /// The text of a file of the project.
    pub read: &'a dyn Fn(&str) -> Option<String>,
}

impl Surroundings<'_> {
    pub fn has(&self, path: &str) -> bool {
        self.paths.binary_search(&path).is_ok()
    }
}

/// What one file says.
#[derive(Debug, Default)]
pub struct Reading {
    pub facts: Vec<Fact>,
    pub diagnostics: Vec<Diagnostic>,
    /// Read here, turned into facts by [`prisma`] when all schema files are there.
    pub schema: Option<syntax::prisma::Schema>,
}

/// Files of data larger than this are only looked into where their beginning says what they are.
const MAX_DATA: usize = 1024 * 1024;

/// Reads a file that is not code; nothing for kinds of file that no shape knows.
pub fn read(id: FileId, file: &File, text: &str, around: &Surroundings<'_>) -> Reading {
    let mut reading = Reading::default();
    if matches!(file.kind, FileKind::Json | FileKind::Yaml) && !is_worth_reading(&file.path, text) {
        return reading;
    }
    let outcome = match file.kind {
        FileKind::Json => syntax::json::parse(text).map(|node| json(id, file, &node)),
        FileKind::Toml => syntax::toml_file::parse(text).map(|node| format_settings(id, file, &node)),
        FileKind::Yaml => syntax::yaml::parse_documents(text).map(|nodes| yaml(id, file, &nodes, around)),
        FileKind::Dockerfile => syntax::dockerfile::parse(text).map(|parsed| {
            let context =
                DockerContext { path: &file.path, ignores: docker::has_ignore_file(&file.path, around), around };
            dockerfile(id, &parsed, &context)
        }),
        FileKind::Dotenv => Ok(env_entries(id, &file.path, text, file.tracked != Tracked::No)),
        FileKind::Prisma => {
            let schema = syntax::prisma::parse(text);
            reading.diagnostics.extend(schema.errors.iter().map(|error| error.diagnostic(&file.path)));
            reading.schema = Some(schema);
            Ok(Vec::new())
        }
        FileKind::Text if ci::is_jenkinsfile(&file.path) => Ok(ci::jenkins(id, text, around)),
        _ => Ok(Vec::new()),
    };
    match outcome {
        Ok(facts) => reading.facts = facts,
        Err(error) => reading.diagnostics.push(error.diagnostic(&file.path)),
    }
    place(&mut reading.facts, file);
    reading
}

/// The scripts of a package.json, needed before workflows can be read.
pub fn scripts(text: &str) -> Result<BTreeMap<String, String>, SyntaxError> {
    syntax::json::parse(text).map(|node| packages::scripts(&node))
}

/// Gives facts the area and service of their file, but for areas that a shape knows better.
pub fn place(facts: &mut [Fact], file: &File) {
    for fact in facts {
        if fact.area == Area::Config {
            fact.area = file.area;
        }
        fact.service = file.service;
    }
}

/// Lock files, translations and large data are not parsed.
fn is_worth_reading(path: &str, text: &str) -> bool {
    let head: String = text.chars().take(4_096).collect();
    let named = ["openapi", "swagger", "apiVersion", "services"].iter().any(|key| head.contains(key));
    !settings::is_data(path) && (text.len() <= MAX_DATA || named)
}

fn json(id: FileId, file: &File, node: &Node) -> Vec<Fact> {
    let mut facts = format_settings(id, file, node);
    if paths::name(&file.path) == "package.json" {
        facts.extend(dependencies(id, node));
    }
    facts.extend(openapi(id, &file.path, node));
    facts
}

fn yaml(id: FileId, file: &File, nodes: &[Node], around: &Surroundings<'_>) -> Vec<Fact> {
    let mut facts = Vec::new();
    for node in nodes {
        facts.extend(format_settings(id, file, node));
        facts.extend(openapi(id, &file.path, node));
        facts.extend(kubernetes(id, node));
    }
    if let Some(first) = nodes.first() {
        if is_compose(&file.path) {
            facts.extend(compose(id, &file.path, first));
        }
        facts.extend(workflow(id, &file.path, first, around));
    }
    facts
}

fn format_settings(id: FileId, file: &File, node: &Node) -> Vec<Fact> {
    format_of(&file.path, node, file.size).map(|format| settings(id, format, node)).unwrap_or_default()
}
