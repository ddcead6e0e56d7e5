//! What is known of a service, in the words of templates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::anchors::Wiring;
use super::conventions::Conventions;
use super::deployment::Deployment;
use super::library::Library;
use super::manifest::lowest;
use super::outline::Statement;
use super::render::{Client, Context, TestContext};
use super::revisions;
use super::stack::Stack;
use super::variables::variables;
use super::verify;
use crate::audit::Audit;
use crate::facts::{Data, Fact, Phase, Value};
use crate::project::{Area, File, SOURCE_LIMIT, Service, ServiceId, decode};
use crate::report::{RouteReport, State};
use crate::rules::Lexicons;

/// Everything but the module's own inputs.
pub fn context_for(
    audit: &Audit,
    id: ServiceId,
    wiring: &mut Wiring<'_>,
    conventions: &Conventions,
    stack: &Stack,
    planned: &[String],
    library: &Library,
) -> Context {
    let service = audit.project.service(id);
    let clients = clients(audit, id, wiring);
    let first = |store: &str| clients.iter().find(|client| client.store == store).cloned();
    let runner = &conventions.runner;
    let variables = variables(audit, id, wiring);
    let settings = own_settings(audit, id, wiring);
    let names = names_of_app(wiring);
    Context {
        service: service.path.clone(),
        name: name_of(service),
        typescript: conventions.typescript,
        esm: conventions.modules,
        stacks: service.stacks.clone(),
        majors: majors_of(service),
        versions: versions_of(service),
        modules: planned.to_vec(),
        database: first("database"),
        cache: first("cache"),
        clients,
        opened: opened(audit, id),
        stores: stores(audit, id),
        layout: conventions.layout.clone(),
        app: wiring.app_name().unwrap_or("app").to_owned(),
        names,
        app_file: wiring.app_path().unwrap_or_default().to_owned(),
        input: BTreeMap::new(),
        code: BTreeMap::new(),
        test: TestContext {
            runner: runner.id.clone(),
            from: runner.from.clone(),
            before_all: runner.before_all.clone(),
            after_all: runner.after_all.clone(),
            outdated: conventions.outdated_runner,
            whole_errors: whole_errors(audit, id, stack),
        },
        asked: true,
        manager: conventions.manager.id.clone(),
        install: conventions.manager.install.clone(),
        env: variables.iter().map(|variable| variable.name.clone()).collect(),
        variables,
        settings,
        packages: packages_of(service),
        hooks: hooks(audit, id),
        login_paths: login_paths(audit, id, &library.lexicons),
        reads: reads(audit, &service.path),
        migrations: migrations(audit, &conventions.layout),
        found: wiring.places(stack),
        revision: revisions::next(audit, id),
        closed: Vec::new(),
        item: None,
        deploy: Deployment::of(audit, id, library.infrastructure().unwrap_or(stack)),
        controls: Arc::new(controls(audit, id)),
        paths: Arc::new(audit.project.files.iter().map(|file| file.path.clone()).collect()),
    }
}

/// The first place where a test of the service compares a whole body of an error: it fails if anything is added.
fn whole_errors(audit: &Audit, id: ServiceId, stack: &Stack) -> String {
    let is_test = |file: &&File| file.service == id && file.area == Area::Test && !stack.whole_errors.is_empty();
    let found = audit.project.files.iter().filter(is_test).find_map(|file| {
        let bytes = audit.project.tree.read(&file.path, SOURCE_LIMIT).ok()?;
        let text = decode(&bytes).ok()?;
        let compares = |line: &str| {
            let plain = line.replace(char::is_whitespace, "").replace('\'', "\"");
            stack.whole_errors.iter().any(|known| plain.contains(known))
        };
        let line = text.lines().position(compares)?;
        Some(format!("{}:{}", file.path, line + 1))
    });
    found.unwrap_or_default()
}

/// The names that the file of the application has at its top.
fn names_of_app(wiring: &mut Wiring<'_>) -> Vec<String> {
    let Some(path) = wiring.app_path().map(str::to_owned) else { return Vec::new() };
    let Some((_, outline)) = wiring.source(&path) else { return Vec::new() };
    let made = outline.top_level().iter().flat_map(|statement| &statement.binds);
    made.chain(outline.imports.iter().flat_map(|import| &import.names)).cloned().collect()
}

/// Every control, and whether something is left to do for it in this service.
fn controls(audit: &Audit, id: ServiceId) -> BTreeMap<String, bool> {
    let is_open = |control: &str| {
        let state = verify::state_of(audit, id, control).map(|report| report.state);
        !matches!(state, Some(State::Pass | State::Attested | State::Waived | State::NotApplicable))
    };
    audit.controls.iter().map(|control| (control.id.clone(), is_open(&control.id))).collect()
}

/// The folders in the folder of migrations.
fn migrations(audit: &Audit, layout: &BTreeMap<String, String>) -> Vec<String> {
    let Some(folder) = layout.get("migrations") else { return Vec::new() };
    let inside =
        |path: &str| Some(path.strip_prefix(folder.as_str())?.strip_prefix('/')?.split_once('/')?.0.to_owned());
    let names: BTreeSet<String> = audit.project.files.iter().filter_map(|file| inside(&file.path)).collect();
    names.into_iter().collect()
}

fn name_of(service: &Service) -> String {
    let folder = service.path.rsplit('/').next().filter(|name| *name != ".");
    let name = if service.name.is_empty() { folder.unwrap_or("app") } else { &service.name };
    name.rsplit('/').next().unwrap_or(name).to_owned()
}

fn majors_of(service: &Service) -> BTreeMap<String, u64> {
    versions_of(service).into_iter().filter_map(|(name, version)| Some((name, lowest(&version)?.major))).collect()
}

fn versions_of(service: &Service) -> BTreeMap<String, String> {
    let npm = service.dependencies.iter().map(|(name, one)| (name.clone(), one.version.clone()));
    let others = service.requirements.iter().map(|((_, name), one)| (name.clone(), one.version.clone()));
    npm.chain(others).collect()
}

fn packages_of(service: &Service) -> Vec<String> {
    let npm = service.dependencies.keys().cloned();
    let mut names: Vec<String> = npm.chain(service.requirements.keys().map(|(_, name)| name.clone())).collect();
    names.sort();
    names.dedup();
    names
}

/// What starts and ends with the service, by the API that was told.
fn hooks(audit: &Audit, id: ServiceId) -> Vec<String> {
    let of_life = served(audit, id, "hook")
        .filter(|fact| matches!(text(fact, "on").as_deref(), Some("startup" | "shutdown")))
        .map(|fact| fact.api.to_string());
    of_life.collect::<BTreeSet<String>>().into_iter().collect()
}

/// Paths that a load test can read: without parameters, and those that ask for no credentials first.
fn reads(audit: &Audit, service: &str) -> Vec<String> {
    let plain = |route: &&RouteReport| {
        route.service == service && route.method == "GET" && !route.path.contains([':', '{', '[', '<', '*', '('])
    };
    let guarded = |route: &RouteReport| route.controls.get("route-authentication") == Some(&State::Pass);
    let found: BTreeSet<(bool, &str)> =
        audit.report.routes.iter().filter(plain).map(|route| (guarded(route), route.path.as_str())).collect();
    let mut paths: Vec<String> = found.into_iter().map(|(_, path)| path.to_owned()).collect();
    paths.dedup();
    paths
}

/// Paths at which credentials are tried, sorted.
fn login_paths(audit: &Audit, id: ServiceId, lexicons: &Lexicons) -> Vec<String> {
    let mutates = |fact: &&Fact| fact.get("mutates").is_some_and(|value| value.data == Data::Bool(true));
    let routes = served(audit, id, "route").filter(mutates);
    let mut paths: Vec<String> = routes
        .filter_map(|fact| text(fact, "path"))
        .filter(|path| path.starts_with('/') && lexicons.is("login-path", path))
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Facts of a kind in the code of a service that runs.
pub(super) fn served<'a>(audit: &'a Audit, id: ServiceId, kind: &'a str) -> impl Iterator<Item = &'a Fact> {
    let facts = audit.facts.facts.iter();
    facts.filter(move |fact| &*fact.kind == kind && fact.service == id && fact.area == Area::Server && fact.reached)
}

pub(super) fn text(fact: &Fact, field: &str) -> Option<String> {
    fact.get(field).and_then(Value::as_text).map(str::to_owned)
}

/// Kinds of store that the service has clients of, sorted.
fn stores(audit: &Audit, id: ServiceId) -> Vec<String> {
    let mut stores: Vec<String> = served(audit, id, "client").filter_map(|fact| text(fact, "store")).collect();
    stores.sort();
    stores.dedup();
    stores
}

/// Clients that are made when the service starts, wherever they go.
fn opened(audit: &Audit, id: ServiceId) -> Vec<Client> {
    let mut found: Vec<Client> = Vec::new();
    for fact in served(audit, id, "client").filter(|fact| matches!(fact.phase, Phase::Module | Phase::Startup)) {
        let (Some(library), Some(store)) = (text(fact, "library"), text(fact, "store")) else { continue };
        let file = audit.project.file(fact.at.file).path.to_string();
        let client = Client { library, store, api: fact.api.to_string(), name: String::new(), default: false, file };
        if !found.contains(&client) {
            found.push(client);
        }
    }
    found
}

/// Clients that are made once at the top of a module and exported from there.
fn clients(audit: &Audit, id: ServiceId, wiring: &mut Wiring<'_>) -> Vec<Client> {
    let mut found: Vec<Client> = Vec::new();
    for fact in served(audit, id, "client").filter(|fact| matches!(fact.phase, Phase::Module | Phase::Startup)) {
        let file = audit.project.file(fact.at.file).path.to_string();
        let exported = match fact.function {
            None => exported_name(wiring, &file, fact.at.start as usize),
            Some(_) => exported_result(wiring, &file, &fact.symbol),
        };
        let Some((name, default)) = exported else { continue };
        let (Some(library), Some(store)) = (text(fact, "library"), text(fact, "store")) else { continue };
        let client = Client { library, store, api: fact.api.to_string(), name, default, file };
        if !found.contains(&client) {
            found.push(client);
        }
    }
    found
}

/// The exported constant that holds what a function of the file makes: `export const db = store.db ?? makeDb()`.
fn exported_result(wiring: &mut Wiring<'_>, path: &str, function: &str) -> Option<(String, bool)> {
    let (text, outline) = wiring.source(path)?;
    let call = format!("{function}()");
    let holds = |statement: &&Statement| {
        let written = text.get(statement.start..statement.end).unwrap_or_default();
        !function.is_empty()
            && statement.binds.len() == 1
            && !statement.binds.iter().any(|name| name == function)
            && written.contains(&call)
    };
    let mut found = outline.top_level().iter().filter(holds);
    let (Some(only), None) = (found.next(), found.next()) else { return None };
    let at = only.start;
    exported_name(wiring, path, at)
}

/// The class of the service that checks the environment when it is made, if there is one that can be imported.
fn own_settings(audit: &Audit, id: ServiceId, wiring: &mut Wiring<'_>) -> Option<Client> {
    let is_checked = |fact: &&Fact| fact.get("checked").is_some_and(|value| value.data == Data::Bool(true));
    let mut found: Vec<Client> = Vec::new();
    for fact in served(audit, id, "env").filter(is_checked) {
        let file = audit.project.file(fact.at.file).path.to_string();
        let at = fact.at.start as usize;
        let Some((_, outline)) = wiring.source(&file) else { continue };
        let Some(class) = outline.top_level().iter().find(|one| one.start <= at && at < one.end) else { continue };
        let [name] = class.binds.as_slice() else { continue };
        let is_exported = outline.exports.iter().any(|export| export.name == *name);
        let (library, store, api) = (String::new(), "settings".to_owned(), fact.api.to_string());
        let settings = Client { library, store, api, name: name.clone(), default: false, file };
        if is_exported && !found.contains(&settings) {
            found.push(settings);
        }
    }
    let (Some(only), None) = (found.pop(), found.pop()) else { return None };
    Some(only)
}

fn exported_name(wiring: &mut Wiring<'_>, path: &str, at: usize) -> Option<(String, bool)> {
    let (_, outline) = wiring.source(path)?;
    let (block, index) = outline.statement_at(at)?;
    let local = block.statements.get(index)?.binds.first()?;
    let exports: Vec<_> = outline.exports.iter().filter(|export| export.local == *local).collect();
    let named = exports.iter().find(|export| export.name != "default");
    match (named, exports.first()) {
        (Some(export), _) => Some((export.name.clone(), false)),
        (None, Some(_)) => Some((local.clone(), true)),
        (None, None) => None,
    }
}
