//! What is known of a service, in the words of templates.

use std::collections::BTreeMap;

use super::anchors::Wiring;
use super::conventions::Conventions;
use super::manifest::lowest;
use super::render::{Client, Context, TestContext, Variable};
use crate::audit::Audit;
use crate::facts::{Fact, Value};
use crate::project::{Area, Service, ServiceId};

/// Everything but the module's own inputs.
pub fn context_for(
    audit: &Audit,
    id: ServiceId,
    wiring: &mut Wiring<'_>,
    conventions: &Conventions,
    planned: &[String],
) -> Context {
    let service = audit.project.service(id);
    let clients = clients(audit, id, wiring);
    let first = |store: &str| clients.iter().find(|client| client.store == store).cloned();
    let runner = &conventions.runner;
    Context {
        service: service.path.clone(),
        name: name_of(service),
        typescript: conventions.typescript,
        esm: conventions.modules,
        stacks: service.stacks.clone(),
        majors: majors_of(service),
        modules: planned.to_vec(),
        database: first("database"),
        cache: first("cache"),
        clients,
        stores: stores(audit, id),
        layout: conventions.layout.clone(),
        app: wiring.app_name().unwrap_or("app").to_owned(),
        app_file: wiring.app_path().unwrap_or_default().to_owned(),
        input: BTreeMap::new(),
        test: TestContext {
            runner: runner.id.clone(),
            from: runner.from.clone(),
            before_all: runner.before_all.clone(),
            after_all: runner.after_all.clone(),
        },
        manager: conventions.manager.id.clone(),
        install: conventions.manager.install.clone(),
        env: variables(audit, id),
        packages: packages_of(service),
        hooks: hooks(audit, id),
    }
}

fn name_of(service: &Service) -> String {
    let folder = service.path.rsplit('/').next().filter(|name| *name != ".");
    let name = if service.name.is_empty() { folder.unwrap_or("app") } else { &service.name };
    name.rsplit('/').next().unwrap_or(name).to_owned()
}

fn majors_of(service: &Service) -> BTreeMap<String, u64> {
    let npm = service.dependencies.iter().map(|(name, one)| (name.clone(), &one.version));
    let others = service.requirements.iter().map(|((_, name), one)| (name.clone(), &one.version));
    npm.chain(others).filter_map(|(name, version)| Some((name, lowest(version)?.major))).collect()
}

fn packages_of(service: &Service) -> Vec<String> {
    let npm = service.dependencies.keys().cloned();
    let mut names: Vec<String> = npm.chain(service.requirements.keys().map(|(_, name)| name.clone())).collect();
    names.sort();
    names.dedup();
    names
}

fn facts_of<'a>(audit: &'a Audit, id: ServiceId, kind: &'static str) -> impl Iterator<Item = &'a Fact> {
    let is_meant =
        move |fact: &&Fact| &*fact.kind == kind && fact.service == id && fact.area == Area::Server && fact.reached;
    audit.facts.facts.iter().filter(is_meant)
}

/// Variables that the service reads, sorted by name.
fn variables(audit: &Audit, id: ServiceId) -> Vec<Variable> {
    let mut found: BTreeMap<String, Variable> = BTreeMap::new();
    for fact in facts_of(audit, id, "env") {
        let Some(name) = text(fact, "name") else { continue };
        let default = fact.get("default").filter(|value| !value.is_absent());
        let literal = default.and_then(Value::as_text).map(str::to_owned);
        found
            .entry(name.clone())
            .and_modify(|known| {
                known.optional &= default.is_some();
                known.default = known.default.take().filter(|_| default.is_some());
            })
            .or_insert(Variable { name, default: literal, optional: default.is_some() });
    }
    found.into_values().collect()
}

/// What starts and ends with the service, by the API that was told.
fn hooks(audit: &Audit, id: ServiceId) -> Vec<String> {
    let of_life = facts_of(audit, id, "hook")
        .filter(|fact| matches!(text(fact, "on").as_deref(), Some("startup" | "shutdown")))
        .map(|fact| fact.api.to_string());
    of_life.collect::<std::collections::BTreeSet<String>>().into_iter().collect()
}

fn text(fact: &Fact, field: &str) -> Option<String> {
    fact.get(field).and_then(Value::as_text).map(str::to_owned)
}

/// Kinds of store that the service has clients of, sorted.
fn stores(audit: &Audit, id: ServiceId) -> Vec<String> {
    let mut stores: Vec<String> = facts_of(audit, id, "client").filter_map(|fact| text(fact, "store")).collect();
    stores.sort();
    stores.dedup();
    stores
}

/// Clients that are made once at the top of a module and exported from there.
fn clients(audit: &Audit, id: ServiceId, wiring: &mut Wiring<'_>) -> Vec<Client> {
    let mut found: Vec<Client> = Vec::new();
    for fact in facts_of(audit, id, "client").filter(|fact| fact.function.is_none()) {
        let file = audit.project.file(fact.at.file).path.to_string();
        let Some((name, default)) = exported_name(wiring, &file, fact.at.start as usize) else { continue };
        let (Some(library), Some(store)) = (text(fact, "library"), text(fact, "store")) else { continue };
        let client = Client { library, store, api: fact.api.to_string(), name, default, file };
        if !found.contains(&client) {
            found.push(client);
        }
    }
    found
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
