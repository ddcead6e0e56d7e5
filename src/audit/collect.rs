//! All facts of a project: from code, from configuration, from text.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use globset::{Candidate, GlobSet};
use rayon::prelude::*;

use super::read::{Contents, read_module};
use crate::facts::code::{CodeFacts, code_facts};
use crate::facts::imports::ImportResolver;
use crate::facts::joins::name_queried_models;
use crate::facts::program::Program;
use crate::facts::python::{Imports, PythonImports};
use crate::facts::shapes::{
    self, Backend, LockInput, Manifest, NativeManifest, Operation, Patches, ProxyFile, ProxyInput, Reading, Scripts,
    Surroundings, Targets,
};
use crate::facts::stacks::{Stack, Stacks};
use crate::facts::{Fact, FactStore, FunctionId, Value};
use crate::project::requirements::Ecosystem;
use crate::project::{
    Area, Diagnostic, File, FileId, FileKind, ProcessKind, Project, ServiceId, Span, Tracked, needed,
};
use crate::rules::Match;
use crate::syntax::hir::{Language, Module};
use crate::syntax::{json, yaml};

/// Everything that rules can ask about. Services get their stacks, platforms and process kinds on the way.
pub fn collect(project: &mut Project, contents: &mut Contents, stacks: &Stacks) -> FactStore {
    let modules = std::mem::take(&mut contents.modules);
    detect_stacks(project, &modules, stacks, &contents.texts);
    let (code, readings) = rayon::join(|| code_of(project, contents, stacks, modules), || readings(project, contents));
    let CodeFacts { mut facts, calls, servers } = code;
    process_kinds(project, &servers, &facts);
    let mut diagnostics = Vec::new();
    let incomplete = configuration(project, contents, readings, &calls, &mut facts, &mut diagnostics);
    let (proxies, unread) = proxy_facts(project, contents, &facts);
    facts.extend(proxies);
    diagnostics.extend(unread);
    facts.append(&mut contents.sections);
    facts.extend(contents.matches.drain(..).map(|(file, found)| match_fact(project, file, &found)));
    name_databases(project, stacks, &mut facts);
    name_queried_models(&mut facts);
    contents.diagnostics.extend(diagnostics);
    contents.diagnostics.sort();
    contents.diagnostics.dedup();
    let mut store = FactStore::new(facts, calls);
    store.incomplete = incomplete;
    store
}

/// What the code says.
fn code_of(project: &Project, contents: &Contents, stacks: &Stacks, modules: Vec<(FileId, Module)>) -> CodeFacts {
    let resolver =
        Imports { project, python: PythonImports::new(project), others: ImportResolver::new(project, &contents.trees) };
    let program = Program::new(project, modules, &resolver, &|file| read_module(project, file));
    code_facts(&program, stacks, || operations(project, contents))
}

/// The operations of OpenAPI documents that name functions of the project.
fn operations<'p>(project: &'p Project, contents: &Contents) -> Vec<(&'p str, Operation)> {
    let names_functions = |text: &str| text.contains("operationId") && text.contains("paths");
    let read = |id: FileId| {
        let text = contents.texts.get(&id)?;
        let parse = match project.file(id).kind {
            FileKind::Yaml => yaml::parse,
            FileKind::Json => json::parse,
            _ => return None,
        };
        let root = names_functions(text).then(|| parse(text).ok())??;
        Some(shapes::operations(id, &root))
    };
    let ids: Vec<FileId> = project.file_ids().collect();
    let found: Vec<Vec<Operation>> = ids.into_par_iter().filter_map(read).collect();
    found.into_iter().flatten().map(|operation| (&*project.file(operation.at.file).path, operation)).collect()
}

/// A service uses the stacks that its own manifest or its code names.
fn detect_stacks(
    project: &mut Project,
    modules: &[(FileId, Module)],
    stacks: &Stacks,
    texts: &HashMap<FileId, String>,
) {
    let mut imported: HashMap<(ServiceId, Language), BTreeSet<&str>> = HashMap::new();
    for (id, module) in modules {
        let file = project.file(*id);
        if matches!(file.area, Area::Test | Area::Example) {
            continue;
        }
        let names = imported.entry((file.service, module.language)).or_default();
        names.extend(module.imported().map(|source| module.str(source.specifier)));
    }
    let by_file = stacks_by_file(project, stacks, texts);
    for index in 0..project.services.len() {
        let id = ServiceId(u16::try_from(index).unwrap_or(u16::MAX));
        let service = &project.services[index];
        let imports = |language, name: &str, below: &str| {
            imported.get(&(id, language)).is_some_and(|names| {
                let inside = format!("{name}{below}");
                let mut from = names.range(inside.as_str()..);
                names.contains(name) || from.next().is_some_and(|imported| imported.starts_with(&inside))
            })
        };
        let uses_npm =
            |name: &String| service.declares(Ecosystem::Npm, name) || imports(Language::JavaScript, name, "/");
        let uses_pypi = |name: &String| {
            service.declares(Ecosystem::Pypi, name) || imports(Language::Python, &name.replace('-', "_"), ".")
        };
        let uses_crate = |name: &String| {
            service.declares(Ecosystem::Crates, name) || imports(Language::Rust, &name.replace('-', "_"), "::")
        };
        let mut found = BTreeSet::new();
        let mut provided = Vec::new();
        let mut serverless = service.serverless;
        for stack in &stacks.stacks {
            let by_package = stack.npm.iter().any(uses_npm)
                || stack.pypi.iter().any(uses_pypi)
                || stack.crates.iter().any(uses_crate);
            if !(by_package || by_file.contains(&(id, stack.id.as_str()))) {
                continue;
            }
            found.insert(stack.id.clone());
            serverless |= stack.serverless;
            provided.extend(stack.provides.iter().map(|control| (control.clone(), stack.id.clone())));
        }
        let service = &mut project.services[index];
        service.stacks = found.into_iter().collect();
        service.provided = provided;
        service.serverless = serverless;
    }
}

/// The stacks that a service uses because of the files that it has.
fn stacks_by_file<'s>(
    project: &Project,
    stacks: &'s Stacks,
    texts: &HashMap<FileId, String>,
) -> HashSet<(ServiceId, &'s str)> {
    let with_files: Vec<(&Stack, &GlobSet)> =
        stacks.stacks.iter().filter_map(|stack| Some((stack, stack.files.as_ref()?))).collect();
    let of_file = |id: FileId| {
        let file = project.file(id);
        let path = Candidate::new(&*file.path);
        let is_held = |stack: &Stack| {
            stack.holds.as_ref().is_none_or(|holds| texts.get(&id).is_some_and(|text| holds.is_match(text)))
        };
        let found = with_files.iter().filter(|(stack, globs)| globs.is_match_candidate(&path) && is_held(stack));
        found.map(|(stack, _)| (file.service, stack.id.as_str())).collect::<Vec<_>>()
    };
    let ids: Vec<FileId> = project.file_ids().collect();
    ids.into_par_iter().flat_map_iter(of_file).collect()
}

/// Relations of models and steps of migrations that name no database are of the one that the service's drivers talk to. MySQL makes an index for
/// each of its foreign keys.
fn name_databases(project: &Project, stacks: &Stacks, facts: &mut [Fact]) {
    let database_of = |service: ServiceId| {
        let found = &project.service(service).stacks;
        let mut named = stacks.stacks.iter().filter(|stack| found.contains(&stack.id));
        let mut databases = named.by_ref().filter_map(|stack| stack.database.as_deref());
        let first = databases.next()?;
        databases.all(|other| other == first).then_some(first)
    };
    let configured = configured_databases(facts);
    for fact in facts.iter_mut().filter(|fact| matches!(&*fact.kind, "relation" | "migration-step")) {
        if fact.get("provider").is_some_and(|provider| !provider.is_absent()) {
            continue;
        }
        let configured = configured.get(&fact.service).filter(|_| &*fact.kind == "migration-step");
        if let Some(database) = database_of(fact.service).or_else(|| configured.map(|name| &**name)) {
            fact.set("provider", Value::text(database));
            if database == "mysql" && &*fact.kind == "relation" {
                fact.set("auto_index", Value::bool(true));
            }
        }
    }
}

/// The only database that the configuration of a service names.
fn configured_databases(facts: &[Fact]) -> HashMap<ServiceId, Arc<str>> {
    let mut found: HashMap<ServiceId, BTreeSet<Arc<str>>> = HashMap::new();
    for fact in facts.iter().filter(|fact| &*fact.kind == "datasource") {
        if let Some(provider) = fact.get("provider").and_then(Value::as_text) {
            found.entry(fact.service).or_default().insert(provider.into());
        }
    }
    found
        .into_iter()
        .filter_map(|(service, all)| Some((service, all.first().filter(|_| all.len() == 1)?.clone())))
        .collect()
}

/// What answers requests is `http`; what runs jobs or timers besides nothing else is a worker or scheduler.
fn process_kinds(project: &mut Project, servers: &[ServiceId], facts: &[Fact]) {
    for (index, service) in project.services.iter_mut().enumerate() {
        let id = ServiceId(u16::try_from(index).unwrap_or(u16::MAX));
        let mut kinds: BTreeSet<ProcessKind> = service.kinds.iter().copied().collect();
        if servers.contains(&id) {
            kinds.remove(&ProcessKind::Library);
            kinds.remove(&ProcessKind::Cli);
            kinds.insert(ProcessKind::Http);
        }
        let jobs = facts.iter().any(|fact| {
            fact.service == id
                && fact.reached
                && &*fact.kind == "hook"
                && fact.get("on").and_then(Value::as_text) == Some("job")
        });
        if jobs && !kinds.contains(&ProcessKind::Library) {
            kinds.insert(ProcessKind::Worker);
        }
        service.kinds = kinds.into_iter().collect();
    }
}

fn configuration(
    project: &Project,
    contents: &Contents,
    readings: Vec<(FileId, Reading)>,
    calls: &[Vec<FunctionId>],
    facts: &mut Vec<Fact>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(ServiceId, Arc<str>, Arc<str>)> {
    let mut schemas = Vec::new();
    let mut incomplete = Vec::new();
    for (id, mut reading) in readings {
        let file = project.file(id);
        if let Some(schema) = reading.schema.take() {
            schemas.push((id, schema));
        }
        if file.kind == FileKind::Prisma && !reading.diagnostics.is_empty() {
            for kind in ["model", "column", "index", "relation"] {
                incomplete.push((file.service, kind.into(), format!("{} did not parse as a whole", file.path).into()));
            }
        }
        facts.extend(reading.facts);
        diagnostics.extend(reading.diagnostics);
    }
    facts.extend(schema_facts(project, &schemas));
    let mut scripts = shapes::schemas(&scripts_of(project, contents, facts), facts, calls);
    if let Some(released) = &contents.released {
        keep_open_what_is_new(&mut scripts.facts, project, released);
    }
    facts.extend(scripts.facts);
    diagnostics.extend(scripts.diagnostics);
    incomplete.extend(scripts.incomplete);
    facts.extend(lock_facts(project, contents));
    facts.extend(migration_facts(project));
    facts.extend(file_facts(project));
    incomplete
}

/// What each file that is not code says on its own, in the order of their ids.
fn readings(project: &Project, contents: &Contents) -> Vec<(FileId, Reading)> {
    let paths: Vec<&str> = project.files.iter().map(|file| &*file.path).collect();
    let by_path = |path: &str| project.find(path).and_then(|id| contents.texts.get(&id)).cloned();
    let scripts = all_scripts(project, contents);
    let targets = all_targets(project, contents);
    let patches = Patches::of(&paths, &by_path);
    let around =
        Surroundings { scripts: &scripts, targets: &targets, patches: &patches, paths: &paths, read: &by_path };
    let ids: Vec<FileId> = project.file_ids().filter(|&id| project.file(id).area != Area::Vendored).collect();
    let read = |id: FileId| Some((id, shapes::read(id, project.file(id), contents.texts.get(&id)?, &around)));
    ids.into_par_iter().filter_map(read).collect()
}

fn all_scripts(project: &Project, contents: &Contents) -> Scripts {
    let mut scripts = Scripts::new();
    for (id, text) in &contents.texts {
        let path = &project.file(*id).path;
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        if name == "package.json"
            && let Ok(found) = shapes::scripts(text)
        {
            scripts.insert(folder.to_owned(), found);
        }
    }
    scripts
}

/// What make, tox and their like run, and the shell scripts, in the order of paths.
fn all_targets(project: &Project, contents: &Contents) -> Targets {
    let mut targets = Targets::default();
    for id in project.file_ids().filter(|&id| project.file(id).area != Area::Vendored) {
        if let Some(text) = contents.texts.get(&id) {
            targets.add(&project.file(id).path, text);
        }
    }
    targets
}

fn schema_facts(project: &Project, schemas: &[(FileId, crate::syntax::prisma::Schema)]) -> Vec<Fact> {
    let inputs: Vec<_> = schemas.iter().map(|(id, schema)| (*id, &*project.file(*id).path, schema)).collect();
    let mut facts = shapes::prisma(&inputs);
    for fact in &mut facts {
        let file = project.file(fact.at.file);
        shapes::place(std::slice::from_mut(fact), file);
    }
    facts
}

/// The SQL scripts, the migrations that are written as calls and the files with tables of diesel, in the order of their
/// ids.
fn scripts_of<'c>(project: &'c Project, contents: &'c Contents, facts: &[Fact]) -> Vec<(FileId, &'c File, &'c str)> {
    let changes = facts.iter().filter(|fact| &*fact.kind == "schema-change");
    let coded: BTreeSet<FileId> = changes.map(|fact| fact.at.file).collect();
    let is_script = |id: &FileId| {
        let file = project.file(*id);
        let holds_tables = file.kind == FileKind::Rust && file.area == Area::Server;
        let is_log = || contents.texts.get(id).is_some_and(|text| shapes::is_change_log(&file.path, text));
        file.kind == FileKind::Sql || holds_tables || coded.contains(id) || is_log()
    };
    let ids = project.file_ids().filter(is_script);
    let text = |id: FileId| match contents.texts.get(&id) {
        Some(text) => Some(text.as_str()),
        // Calls have been read already.
        None => coded.contains(&id).then_some(""),
    };
    ids.filter_map(|id| Some((id, project.file(id), text(id)?))).collect()
}

/// What stands in front of the services.
fn proxy_facts(project: &Project, contents: &Contents, facts: &[Fact]) -> (Vec<Fact>, Vec<Diagnostic>) {
    let configures = |id: &FileId| {
        let file = project.file(*id);
        match file.kind {
            FileKind::Text => shapes::is_proxy_file(&file.path),
            FileKind::Yaml | FileKind::Toml => shapes::is_traefik_file(&file.path),
            _ => false,
        }
    };
    let files = project.file_ids().filter(configures).filter_map(|id| {
        let file = project.file(id);
        let text = contents.texts.get(&id)?;
        Some(ProxyFile { id, path: &file.path, text, area: file.area, service: file.service })
    });
    let serving = project.services.iter().enumerate().filter(|(_, service)| service.kinds.contains(&ProcessKind::Http));
    let backends = serving.map(|(index, service)| Backend {
        id: ServiceId(u16::try_from(index).unwrap_or(u16::MAX)),
        folder: &service.path,
    });
    let concerned = |fact: &&Fact| matches!(&*fact.kind, "container" | "instruction" | "manifest");
    let deployed: Vec<Fact> = facts.iter().filter(concerned).cloned().collect();
    let input = ProxyInput { files: files.collect(), backends: backends.collect(), facts: &deployed };
    shapes::proxies(&input)
}

fn lock_facts(project: &Project, contents: &Contents) -> Vec<Fact> {
    let tracked: Vec<&str> =
        project.files.iter().filter(|file| file.tracked != Tracked::No).map(|file| &*file.path).collect();
    let manifests: Vec<Manifest> = project
        .file_ids()
        .filter(|&id| is_manifest(project.file(id)))
        .filter_map(|id| {
            let file = project.file(id);
            Some(Manifest::read(id, &file.path, file.area, file.service, contents.texts.get(&id)?))
        })
        .collect();
    let by_path = |path: &str| project.find(path).and_then(|id| contents.texts.get(&id)).cloned();
    let input = LockInput { paths: &tracked, manifests: &manifests, read: &by_path };
    let mut facts = shapes::locks(&input);
    facts.extend(shapes::native_locks(&native_manifests(project, contents), &input));
    for fact in &mut facts {
        fact.service = project.file(fact.at.file).service;
    }
    facts
}

/// The manifests of Python and Rust that are part of the product.
fn native_manifests<'c>(project: &'c Project, contents: &'c Contents) -> Vec<NativeManifest<'c>> {
    let is_product =
        |file: &File| !matches!(file.area, Area::Vendored | Area::Generated | Area::Test | Area::Example | Area::Docs);
    let ids = project.file_ids().filter(|&id| is_product(project.file(id)) && needed(project.file(id)).is_some());
    ids.filter_map(|id| {
        let file = project.file(id);
        let kinds = &project.service(file.service).kinds;
        Some(NativeManifest {
            file: id,
            path: &file.path,
            text: contents.texts.get(&id)?,
            area: file.area,
            service: file.service,
            library: kinds.as_slice() == [ProcessKind::Library],
        })
    })
    .collect()
}

fn is_manifest(file: &File) -> bool {
    file.path.rsplit('/').next() == Some("package.json") && !matches!(file.area, Area::Vendored | Area::Generated)
}

/// Of migrations, those that the released commit lacks can still be changed.
fn keep_open_what_is_new(facts: &mut [Fact], project: &Project, released: &BTreeSet<String>) {
    for fact in facts.iter_mut().filter(|fact| &*fact.kind == "migration-step") {
        let is_new = !released.contains(&*project.file(fact.at.file).path);
        fact.set("newest", Value::bool(is_new));
    }
}

fn migration_facts(project: &Project) -> Vec<Fact> {
    let paths: Vec<(FileId, &str)> = project
        .file_ids()
        .filter(|&id| !matches!(project.file(id).area, Area::Test | Area::Example | Area::Vendored))
        .map(|id| (id, &*project.file(id).path))
        .collect();
    let mut facts = shapes::migrations(&paths);
    for fact in &mut facts {
        fact.service = project.file(fact.at.file).service;
    }
    facts
}

/// The files beside the code that the project keeps: configuration and documents.
fn file_facts(project: &Project) -> impl Iterator<Item = Fact> + '_ {
    let is_kept = |file: &File| {
        let is_code = matches!(file.kind, FileKind::JavaScript | FileKind::Python | FileKind::Rust);
        let is_ours = matches!(file.area, Area::Config | Area::Docs | Area::Server | Area::Script);
        !is_code && file.kind != FileKind::Binary && is_ours && file.tracked != Tracked::No
    };
    project.file_ids().filter(move |&id| is_kept(project.file(id))).map(|id| {
        let file = project.file(id);
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let mut fact = Fact::new("file", Span { file: id, start: 0, end: 0 }, "shape file")
            .with("path", Value::text(file.path.clone()))
            .with("name", Value::text(name));
        fact.area = file.area;
        fact.service = file.service;
        fact
    })
}

/// What a text or syntax rule found. The text of a secret is not kept.
fn match_fact(project: &Project, file: FileId, found: &Match) -> Fact {
    let entry = project.file(file);
    let at = Span {
        file,
        start: u32::try_from(found.start).unwrap_or(u32::MAX),
        end: u32::try_from(found.end).unwrap_or(u32::MAX),
    };
    let text = if found.secret { Value::text("") } else { Value::text(found.text.as_str()) };
    let mut fact = Fact::new("match", at, &format!("match {}", found.rule))
        .with("rule", Value::text(found.rule.clone()))
        .with("text", text)
        .with("label", Value::text(found.label.clone()))
        .with("path", Value::text(entry.path.clone()));
    fact.area = entry.area;
    fact.service = entry.service;
    fact
}
