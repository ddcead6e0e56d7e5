//! What infrastructure has to know of a service: what it is built and started with, what it stores, what it reads.
//!
//! Everything comes from facts and manifests; what they do not say stays empty, and templates ask the user instead.

mod image;
mod runtime;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::anchors::matches;
use super::stack::{FactPattern, Stack, joined};
use crate::audit::Audit;
use crate::facts::{Data, Fact, Value};
use crate::project::{Area, SOURCE_LIMIT, ServiceId, decode};
use crate::syntax::{Node, json, toml_file};

pub use image::{Image, words};
pub use runtime::{Runtime, Store, primary_language};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// `node`, `python`, `rust`: a runtime of the stack, empty for any other.
    pub runtime: String,
    /// The official image of the runtime, and the version of it that the project names.
    pub image: String,
    pub version: String,
    pub port: String,
    /// The program that a build leaves behind.
    pub program: String,
    /// The file that execution starts in, relative to the service.
    pub entry: String,
    /// `shop.wsgi:application`: what servers serve, where the settings say it.
    pub application: String,
    /// The path of a route that tells whether it lives.
    pub health: String,
    /// What its `package.json` runs, by name.
    pub scripts: BTreeMap<String, String>,
    /// `postgres`, `mysql`, `mongo`, `sqlite`, and whether it has a cache.
    pub database: String,
    pub cache: bool,
    /// Requests are limited by counts that each process keeps for itself.
    pub counts_in_memory: bool,
    /// Variables that its sources read or its environment files name, sorted.
    pub variables: Vec<Variable>,
    /// What its manifests declare, without versions.
    pub packages: Vec<String>,
    /// Containers whose images name no version.
    pub loose_images: Vec<String>,
    /// Its Dockerfile.
    pub docker: Image,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Variable {
    pub name: String,
    /// `src/config.ts:4`: where it is read first; empty if nothing that was found reads it.
    pub place: String,
    /// Its name says that the value is nobody else's business.
    pub secret: bool,
}

impl Deployment {
    pub fn of(audit: &Audit, id: ServiceId, stack: &Stack) -> Deployment {
        let service = audit.project.service(id);
        let language = primary_language(&audit.project, id);
        let Some(runtime) = stack.runtimes.iter().find(|runtime| runtime.language == language) else {
            return Deployment { variables: variables(audit, id, stack), ..Deployment::default() };
        };
        let docker = Image::of(audit, id, runtime);
        let packages = packages(audit, id);
        let entry = service.entries.first().map(|(file, _)| audit.project.file(*file).path.to_string());
        let prefix = if service.path == "." { String::new() } else { format!("{}/", service.path) };
        let entry = entry.unwrap_or_default();
        Deployment {
            runtime: runtime.id.clone(),
            image: runtime.image.clone(),
            version: docker.version().unwrap_or_else(|| runtime.version_of(audit, id)),
            port: docker.port.clone().or_else(|| container_port(audit, id)).unwrap_or_else(|| runtime.port.clone()),
            program: program(audit, id),
            entry: entry.strip_prefix(&prefix).unwrap_or(&entry).to_owned(),
            application: runtime.application.as_ref().map(|known| application(audit, id, known)).unwrap_or_default(),
            health: health(audit, id, stack),
            scripts: scripts(audit, id),
            database: database(audit, id, stack, &packages),
            cache: facts(audit, id, "client").any(|fact| is(fact, "store", "cache"))
                || containers(audit).any(|fact| is(fact, "role", "cache")),
            counts_in_memory: facts(audit, id, "role").any(counts_in_memory),
            variables: variables(audit, id, stack),
            packages,
            loose_images: loose_images(audit),
            docker,
        }
    }
}

pub fn text<'f>(fact: &'f Fact, field: &str) -> Option<&'f str> {
    fact.get(field).and_then(Value::as_text)
}

fn is(fact: &Fact, field: &str, wanted: &str) -> bool {
    text(fact, field) == Some(wanted)
}

fn facts<'a>(audit: &'a Audit, id: ServiceId, kind: &'a str) -> impl Iterator<Item = &'a Fact> {
    audit.facts.facts.iter().filter(move |fact| &*fact.kind == kind && fact.service == id)
}

/// A limit of requests that is in use and whose counts nothing shares.
fn counts_in_memory(fact: &Fact) -> bool {
    let Some(Data::Record(options)) = fact.get("opts").map(|value| &value.data) else { return false };
    let store = options.fields.iter().find(|(name, _)| &**name == "store").and_then(|(_, value)| value.as_text());
    fact.reached && is(fact, "role", "rate-limit") && store == Some("memory")
}

/// The services of compose files that are not for tests alone.
fn containers(audit: &Audit) -> impl Iterator<Item = &Fact> {
    let all = audit.facts.facts.iter().filter(|fact| &*fact.kind == "container" && is(fact, "source", "compose"));
    all.filter(|fact| fact.area != Area::Test)
}

/// A manifest or settings file of a service as a tree.
fn document(audit: &Audit, path: &str) -> Option<Node> {
    let bytes = audit.project.tree.read(path, SOURCE_LIMIT).ok()?;
    let text = decode(&bytes).ok()?;
    match path.rsplit_once('.') {
        Some((_, "json")) => json::parse(text).ok(),
        Some((_, "toml")) => toml_file::parse(text).ok(),
        _ => None,
    }
}

fn loose_images(audit: &Audit) -> Vec<String> {
    let loose =
        |fact: &&Fact| text(fact, "build").is_none() && (is(fact, "pin", "none") || is(fact, "pin", "floating"));
    let mut names: Vec<String> =
        containers(audit).filter(loose).filter_map(|fact| text(fact, "name")).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

/// The port inside the container that a compose file publishes the service on.
fn container_port(audit: &Audit, id: ServiceId) -> Option<String> {
    let folder = &audit.project.service(id).path;
    let own = |fact: &&Fact| {
        let built = text(fact, "build").is_some_and(|path| path.rsplit_once('/').map_or(".", |(at, _)| at) == folder);
        is(fact, "role", "app") && built
    };
    let app = containers(audit).find(own)?;
    let Some(Data::List(ports)) = app.get("ports").map(|value| &value.data) else { return None };
    let port = ports.first()?.as_text()?.rsplit(':').next()?.split('/').next()?.to_owned();
    port.chars().all(|c| c.is_ascii_digit()).then_some(port)
}

fn program(audit: &Audit, id: ServiceId) -> String {
    let folder = &audit.project.service(id).path;
    let manifest = document(audit, &joined(folder, "Cargo.toml"));
    let name = manifest.as_ref().and_then(|root| {
        let binary = root.get("bin").and_then(|bins| bins.items().first()?.get("name"));
        binary.or_else(|| root.at(&["package", "name"]))?.as_text()
    });
    name.unwrap_or_default().to_owned()
}

/// The one object that facts of a kind name, as servers are told it.
fn application(audit: &Audit, id: ServiceId, pattern: &FactPattern) -> String {
    let known = facts(audit, id, &pattern.kind).filter(|fact| matches(pattern, fact));
    let named: BTreeSet<&str> = known.filter_map(|fact| text(fact, "value")).collect();
    let (Some(only), 1) = (named.first(), named.len()) else { return String::new() };
    only.rsplit_once('.').map(|(module, name)| format!("{module}:{name}")).unwrap_or_default()
}

/// The first of the usual paths that a route of the service has.
fn health(audit: &Audit, id: ServiceId, stack: &Stack) -> String {
    let routes: Vec<&str> = facts(audit, id, "route").filter_map(|fact| text(fact, "path")).collect();
    let found = stack.health_paths.iter().find(|path| routes.contains(&path.as_str()));
    found.cloned().unwrap_or_default()
}

fn scripts(audit: &Audit, id: ServiceId) -> BTreeMap<String, String> {
    let folder = &audit.project.service(id).path;
    let manifest = document(audit, &joined(folder, "package.json"));
    let entries = manifest.as_ref().and_then(|root| root.get("scripts")).map(Node::entries).unwrap_or_default();
    entries.iter().filter_map(|entry| Some((entry.key.to_string(), entry.value.as_text()?.to_owned()))).collect()
}

fn packages(audit: &Audit, id: ServiceId) -> Vec<String> {
    let service = audit.project.service(id);
    let npm = service.dependencies.keys().cloned();
    let others = service.requirements.keys().map(|(_, name)| name.clone());
    let mut names: Vec<String> = npm.chain(others).collect();
    names.sort();
    names.dedup();
    names
}

/// The kind of database: by what runs it, by the scheme of its address, by what talks to it.
fn database(audit: &Audit, id: ServiceId, stack: &Stack, packages: &[String]) -> String {
    let images = containers(audit).filter(|fact| is(fact, "role", "database")).filter_map(|fact| text(fact, "image"));
    let schemes = facts(audit, id, "env-entry").filter_map(|fact| text(fact, "scheme"));
    let sources = facts(audit, id, "datasource").filter_map(|fact| text(fact, "provider"));
    let targets = facts(audit, id, "client").filter_map(|fact| text(fact, "target"));
    let named: Vec<&str> = sources.chain(schemes).chain(targets).chain(images).collect();
    let by_name = |store: &&Store| named.iter().any(|name| store.is_named_by(name));
    let by_package = |store: &&Store| packages.iter().any(|name| store.packages.contains(name));
    let found = stack.stores.iter().find(by_name).or_else(|| stack.stores.iter().find(by_package));
    let has_database = !named.is_empty() || facts(audit, id, "client").any(|fact| is(fact, "store", "database"));
    found.filter(|_| has_database).map(|store| store.id.clone()).unwrap_or_default()
}

fn variables(audit: &Audit, id: ServiceId, stack: &Stack) -> Vec<Variable> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let read = facts(audit, id, "env").filter(|fact| fact.area == Area::Server && fact.reached);
    for (fact, is_read) in read.map(|fact| (fact, true)).chain(facts(audit, id, "env-entry").map(|fact| (fact, false)))
    {
        let Some(name) = text(fact, "name").filter(|name| is_name(name)) else { continue };
        let path = &audit.project.file(fact.at.file).path;
        let place = if is_read { format!("{path}:{}", line_of(audit, fact)) } else { String::new() };
        found
            .entry(name.to_owned())
            .and_modify(|at| {
                if at.is_empty() {
                    at.clone_from(&place)
                }
            })
            .or_insert(place);
    }
    let is_of = |words: &[String], word: &str| words.iter().any(|one| one == word);
    let secret = |name: &str| {
        let is_plain = name.rsplit('_').next().is_some_and(|last| is_of(&stack.plain_words, last));
        !is_plain && name.split('_').any(|word| is_of(&stack.secret_words, word))
    };
    found.into_iter().map(|(name, place)| Variable { secret: secret(&name), name, place }).collect()
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn line_of(audit: &Audit, fact: &Fact) -> u32 {
    let path = &audit.project.file(fact.at.file).path;
    let bytes = audit.project.tree.read(path, SOURCE_LIMIT).unwrap_or_default();
    crate::syntax::line_at(&String::from_utf8_lossy(&bytes), fact.at.start as usize)
}
