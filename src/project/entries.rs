//! Where execution starts: what manifests run, followed to source files.

use std::collections::{HashMap, HashSet};

use super::command::{self, Run, Step};
use super::frameworks::TABLE;
use super::manifests::{Manifests, is_tsconfig};
use super::model::{Area, FileId, FileKind, ProcessKind, Project};
use super::packages::{Package, Packages};
use super::paths::{ancestors, below, file_name, folder_of, join};
use super::platform;
use super::python_modules::PythonModules;
use super::resolve::{Output, Resolver};
use super::units::{Binary, Target, Units};
use crate::syntax::Node;

/// Scripts call scripts, sanely not through more than this many.
const MAX_HOPS: usize = 6;
/// Entries of one service; what names more is no manifest.
const MAX_ENTRIES: usize = 500;
/// Files that settings are put together from.
const MAX_PARTS: usize = 64;

/// An entry point and what names it.
pub(super) type Entry = (FileId, String);

/// A file that a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Started {
    file: FileId,
    serves: bool,
    kind: Option<ProcessKind>,
}

/// Follows commands to the files that they run.
pub(super) struct Starts<'a> {
    project: &'a Project,
    packages: &'a Packages<'a>,
    manifests: &'a Manifests<'a>,
    units: &'a Units,
    resolver: Resolver<'a>,
    modules: PythonModules<'a>,
}

impl<'a> Starts<'a> {
    pub(super) fn new(
        project: &'a Project,
        packages: &'a Packages<'a>,
        units: &'a Units,
        manifests: &'a Manifests<'a>,
    ) -> Starts<'a> {
        let resolver = Resolver::with_outputs(project, compiler_outputs(project, manifests));
        Starts { project, packages, manifests, units, resolver, modules: PythonModules::new(project) }
    }

    /// What images, compose files and platforms start.
    pub(super) fn deployed(&self) -> Found {
        let mut found = Found::default();
        for start in platform::starts(self.project, self.manifests) {
            found.extend(self.follow(&start.folders, &start.steps), &start.reason);
            let settings = start.variables.get(&TABLE.python.manage.settings);
            if let Some(file) = settings.and_then(|module| self.modules.find(&start.folders, module)) {
                found.extend(vec![Started { file, serves: true, kind: None }], &start.reason);
            }
        }
        found
    }

    /// What the scripts of a package start that serve; those for development only if there are no others.
    pub(super) fn started(&self, package: &Package) -> Found {
        let found = self.scripts(package, is_serving);
        if found.serving.is_empty() { found.and(self.scripts(package, is_developing)) } else { found }
    }

    /// The files that its other scripts run, and those of `prisma.seed`.
    pub(super) fn by_hand(&self, package: &Package) -> Vec<Entry> {
        let mut found = self.scripts(package, |name| !is_serving(name) && !is_developing(name));
        if let Some(command) = package.node.at(&["prisma", "seed"]).and_then(Node::as_text) {
            let files = self.follow(&[package.folder.to_owned()], &command::steps(command));
            found.extend(files, &format!("{} prisma.seed", self.path(package)));
        }
        found.serving.append(&mut found.preparing);
        found.serving
    }

    fn scripts(&self, package: &Package, wanted: impl Fn(&str) -> bool) -> Found {
        let mut found = Found::default();
        for (name, command) in package.scripts().filter(|(name, _)| wanted(name)).take(MAX_ENTRIES) {
            let files = self.follow(&[package.folder.to_owned()], &command::steps(command));
            found.extend(files, &format!("{} scripts.{name}", self.path(package)));
        }
        found
    }

    /// The programs that it installs.
    pub(super) fn binaries(&self, package: &Package) -> Vec<Entry> {
        let files = package.binaries().into_iter().filter_map(|path| self.resolver.module(package.folder, path));
        files.map(|file| (file, format!("{} bin", self.path(package)))).collect()
    }

    /// What importing the package by its name loads.
    pub(super) fn main(&self, package: &Package) -> Option<FileId> {
        package.mains().iter().find_map(|path| self.resolver.module(package.folder, path))
    }

    /// `main` as an entry point, if the manifest has that field and it leads somewhere.
    pub(super) fn declared_main(&self, package: &Package) -> Option<Entry> {
        let file = self.resolver.module(package.folder, Some(package.text("main")).filter(|main| !main.is_empty())?)?;
        Some((file, format!("{} main", self.path(package))))
    }

    /// Everything that a library offers to import.
    pub(super) fn offered(&self, package: &Package) -> Vec<Entry> {
        let path = self.path(package);
        let main = self.main(package).map(|file| (file, format!("{path} main")));
        let is_other = |file: &FileId| main.as_ref().is_none_or(|(main, _)| main != file);
        let exports = package.exports().into_iter().filter_map(|(subpath, target)| {
            let file = self.resolver.module(package.folder, &target).filter(is_other)?;
            Some((file, format!("{path} exports {subpath}")))
        });
        let exports: Vec<Entry> = exports.collect();
        main.into_iter().chain(exports).take(MAX_ENTRIES).collect()
    }

    /// Where a server usually starts when nothing says so.
    pub(super) fn conventional(&self, folder: &str) -> Option<Entry> {
        let names = ["server", "index", "main", "app"];
        let paths = ["src", "."].iter().flat_map(|below| names.iter().map(move |name| join(below, name)));
        let file = paths.into_iter().find_map(|path| self.resolver.module(folder, &path))?;
        Some((file, "by convention: no manifest names an entry point".to_owned()))
    }

    /// A file of commands by its path here or in a container: `/app/start.sh`.
    fn text_file(&self, folder: &str, written: &str) -> Option<(FileId, &'a str)> {
        let starts = std::iter::once(0).chain(written.match_indices('/').map(|(at, _)| at + 1));
        starts.take(MAX_HOPS).find_map(|start| {
            let id = self.project.find(&join(folder, written.get(start..)?))?;
            Some((id, *self.manifests.texts.get(&id)?))
        })
    }

    /// Whether a file is a module of Python or Rust.
    pub(super) fn is_native(&self, file: FileId) -> bool {
        matches!(self.project.file(file).kind, FileKind::Python | FileKind::Rust)
    }

    /// The file that a program of the project runs.
    pub(super) fn binary_file(&self, home: &str, binary: &Binary) -> Option<FileId> {
        match &binary.target {
            Target::File(file) => Some(*file),
            Target::Module(module) => self.modules.find(&[home.to_owned()], module),
        }
    }

    /// The module of settings that a Django module names, or that its environment probably does.
    fn settings_of(&self, file: FileId) -> Option<FileId> {
        let text = self.manifests.texts.get(&file)?;
        let variable = TABLE.python.manage.settings.as_str();
        // What a comment says is only an example.
        let is_said =
            |at: &usize| !text[..*at].rsplit('\n').next().is_some_and(|line| line.trim_start().starts_with('#'));
        let said = text.match_indices(variable).map(|(at, _)| at).find(is_said);
        let Some(after) = said.and_then(|at| text.get(at + variable.len()..)) else {
            return self.usual_settings(file, text);
        };
        let mut quoted = after.split(['"', '\'', '\n']).skip(1).map(str::trim);
        let module = quoted.find(|word| word.contains('.') || word.ends_with("settings"))?;
        let folders: Vec<String> = ancestors(folder_of(&self.project.file(file).path)).map(str::to_owned).collect();
        self.modules.find(&folders, module)
    }

    /// The module of settings that a Django module names, with the files that it is put together from.
    fn all_settings_of(&self, file: FileId) -> Vec<FileId> {
        let Some(settings) = self.settings_of(file) else { return Vec::new() };
        let mut found = vec![settings];
        found.extend(self.parts_of(settings));
        found
    }

    /// `include("base.py", optional("local.py"))`: the files beside the settings that exist.
    fn parts_of(&self, settings: FileId) -> Vec<FileId> {
        let Some(text) = self.manifests.texts.get(&settings) else { return Vec::new() };
        if !text.contains(TABLE.python.manage.parts.as_str()) {
            return Vec::new();
        }
        let folder = folder_of(&self.project.file(settings).path);
        let quoted = text.split(['"', '\'']).skip(1).step_by(2).filter(|part| part.ends_with(".py"));
        quoted.take(MAX_PARTS).filter_map(|part| self.project.find(&join(folder, part))).collect()
    }

    /// The settings beside a gateway that names none.
    fn usual_settings(&self, gateway: FileId, text: &str) -> Option<FileId> {
        let manage = &TABLE.python.manage;
        let path = &self.project.file(gateway).path;
        let is_gateway = manage.modules.iter().any(|own| own == file_name(path).trim_end_matches(".py"));
        if !is_gateway || !TABLE.constructs(text) {
            return None;
        }
        let folders: Vec<&str> = ancestors(folder_of(path)).take(2).collect();
        manage.usual_settings.iter().find_map(|module| {
            folders.iter().find_map(|folder| self.modules.at(&join(folder, &module.replace('.', "/"))))
        })
    }

    /// Modules below a folder that build an application although nothing names them, and what says so.
    pub(super) fn built(&self, folder: &str) -> Vec<Entry> {
        let starts = &TABLE.python.starts;
        let mut found: Vec<(usize, usize, FileId)> = Vec::new();
        for (id, text) in &self.manifests.texts {
            let file = self.project.file(*id);
            let Some(inside) = below(&file.path, folder).filter(|_| file.kind == FileKind::Python) else { continue };
            let stem = file_name(inside).trim_end_matches(".py");
            let Some(rank) = starts.iter().position(|start| start == stem) else { continue };
            let owner = ancestors(folder_of(&file.path)).find(|above| self.units.at(above).is_some()).unwrap_or(".");
            if owner != folder {
                continue;
            }
            if matches!(file.area, Area::Server | Area::Script) && TABLE.constructs(text) {
                found.push((inside.matches('/').count(), rank, *id));
            }
        }
        found.sort_unstable();
        let depth = found.first().map_or(0, |(depth, _, _)| *depth);
        let django = &TABLE.python.manage.modules;
        let is_django = |id: &FileId| {
            django.iter().any(|own| *own == file_name(&self.project.file(*id).path).trim_end_matches(".py"))
        };
        let all = found.iter().filter(|(own, _, _)| *own == depth);
        let chosen: Vec<FileId> =
            match all.clone().filter(|(_, _, id)| is_django(id)).map(|(_, _, id)| *id).collect::<Vec<_>>() {
                gateways if !gateways.is_empty() => gateways,
                _ => all.take(1).map(|(_, _, id)| *id).collect(),
            };
        let settings = chosen.iter().flat_map(|id| self.all_settings_of(*id));
        let importers = chosen.iter().flat_map(|id| self.starts_importing(*id));
        let mut files: Vec<FileId> = chosen.iter().copied().chain(importers).chain(settings).collect();
        files.dedup();
        files.into_iter().map(|id| (id, "by convention: it builds the application".to_owned())).collect()
    }

    /// Modules named like a start, beside another, that import it: they complete the application that it builds.
    fn starts_importing(&self, built: FileId) -> Vec<FileId> {
        let path = &*self.project.file(built).path;
        let stem = file_name(path).trim_end_matches(".py");
        let mut found: Vec<FileId> = TABLE
            .python
            .starts
            .iter()
            .filter(|start| *start != stem)
            .filter_map(|start| {
                let id = self.project.find(&join(folder_of(path), &format!("{start}.py")))?;
                let text = self.manifests.texts.get(&id)?;
                let is_server = matches!(self.project.file(id).area, Area::Server | Area::Script);
                (is_server && text.lines().any(|line| imports_module(line, stem))).then_some(id)
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// Django's `manage.py` of a folder: commands that people run.
    pub(super) fn manage(&self, folder: &str) -> Vec<Entry> {
        let names = TABLE.python.manage.names.iter();
        let file = names.filter_map(|name| self.project.find(&join(folder, name))).next();
        file.map(|file| (file, "by convention: Django's commands".to_owned())).into_iter().collect()
    }

    fn path(&self, package: &Package) -> &'a str {
        &self.project.file(package.manifest).path
    }

    /// The files that some steps run, and whether each serves. Paths may be relative to any of the folders.
    fn follow(&self, folders: &[String], steps: &[Step]) -> Vec<Started> {
        let mut walk = Walk { starts: self, seen: HashSet::new(), files: Vec::new() };
        walk.steps(folders, steps, Context { serves: true, kind: None }, 0);
        walk.files
    }
}

/// Entry points, and what only runs before they do.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) serving: Vec<Entry>,
    pub(super) preparing: Vec<Entry>,
    /// What the processes do, where commands say so.
    pub(super) kinds: Vec<(FileId, ProcessKind)>,
}

impl Found {
    pub(super) fn extend(&mut self, files: Vec<Started>, reason: &str) {
        for Started { file, serves, kind } in files {
            self.kinds.extend(kind.filter(|_| serves).map(|kind| (file, kind)));
            let entries = if serves { &mut self.serving } else { &mut self.preparing };
            entries.push((file, reason.to_owned()));
        }
    }

    pub(super) fn and(mut self, other: Found) -> Found {
        self.serving.extend(other.serving);
        self.preparing.extend(other.preparing);
        self.kinds.extend(other.kinds);
        self
    }
}

/// What is known of a step from those that led to it.
#[derive(Debug, Clone, Copy)]
struct Context {
    serves: bool,
    kind: Option<ProcessKind>,
}

/// One command being followed.
struct Walk<'s, 'a> {
    starts: &'s Starts<'a>,
    seen: HashSet<(FileId, String)>,
    files: Vec<Started>,
}

impl Walk<'_, '_> {
    fn steps(&mut self, bases: &[String], steps: &[Step], context: Context, hops: usize) {
        for step in steps.iter().take(MAX_ENTRIES) {
            if hops <= MAX_HOPS && self.files.len() < MAX_ENTRIES {
                let kind = step.kind.or(context.kind);
                self.run(bases, &step.run, Context { serves: context.serves && step.serves, kind }, hops);
            }
        }
    }

    fn run(&mut self, bases: &[String], run: &Run, context: Context, hops: usize) {
        let starts = self.starts;
        match run {
            Run::Module { folder, candidates } => {
                let module = |base: &String| {
                    let folder = join(base, folder);
                    candidates.iter().take(20).find_map(|path| starts.resolver.module(&folder, path))
                };
                self.add(bases.iter().find_map(module), context);
            }
            Run::Main { folder } => {
                let package = bases.iter().find_map(|base| starts.packages.at(&join(base, folder)));
                self.add(package.and_then(|package| starts.main(package)), context);
            }
            Run::Script { folder, package, name } => {
                let package = match package {
                    Some(package) => starts.packages.named(package),
                    None => bases.iter().find_map(|base| starts.packages.at(&join(base, folder))),
                };
                if let Some(package) = package {
                    self.script(package, name, context, hops);
                }
            }
            Run::File { folder, path } => {
                let found = bases.iter().find_map(|base| starts.text_file(&join(base, folder), path));
                let Some((id, text)) = found.filter(|(id, _)| self.seen.insert((*id, String::new()))) else { return };
                // Its commands run where it is called.
                let steps = platform::steps_of_file(&starts.project.file(id).path, text);
                self.steps(bases, &steps, context, hops + 1);
            }
            Run::Dotted { folder, modules } => {
                let bases: Vec<String> = bases.iter().map(|base| join(base, folder)).collect();
                let found = modules.iter().find_map(|module| starts.modules.find(&bases, module));
                self.add(found, context);
            }
            Run::Program { folder, name } => {
                let base = bases.first().map_or(".", String::as_str);
                if let Some((home, binary)) = starts.units.binary(&join(base, folder), name) {
                    let file = starts.binary_file(home, binary);
                    self.add(file, context);
                }
            }
        }
    }

    fn add(&mut self, file: Option<FileId>, context: Context) {
        let Some(file) = file else { return };
        for file in std::iter::once(file).chain(self.starts.all_settings_of(file)) {
            let started = Started { file, serves: context.serves, kind: context.kind };
            if !self.files.contains(&started) {
                self.files.push(started);
            }
        }
    }

    fn script(&mut self, package: &Package, name: &str, context: Context, hops: usize) {
        if !self.seen.insert((package.manifest, name.to_owned())) {
            return;
        }
        match package.script(name) {
            Some(command) => self.steps(&[package.folder.to_owned()], &command::steps(command), context, hops + 1),
            // npm's own default for a package without a start script.
            None if name == "start" => self.add(self.starts.resolver.module(package.folder, "server.js"), context),
            None => {}
        }
    }
}

/// `start`, `serve`, `start:prod`, `worker`, `queue:start`: run when the service is deployed.
fn is_serving(name: &str) -> bool {
    let mut words = name.split([':', '-', '_', '.']);
    let first = words.clone().next().unwrap_or("");
    let is_start = matches!(first, "start" | "serve" | "prod" | "production");
    let is_worker = words.clone().any(|word| {
        matches!(word, "worker" | "workers" | "queue" | "queues" | "scheduler" | "cron" | "consumer" | "jobs")
    });
    (is_start || is_worker) && !words.any(is_aside)
}

/// Words in the names of scripts that start something else than the product.
fn is_aside(word: &str) -> bool {
    const ASIDE: &[&str] = &[
        "build",
        "check",
        "client",
        "db",
        "debug",
        "deploy",
        "dev",
        "develop",
        "development",
        "docker",
        "docs",
        "e2e",
        "env",
        "frontend",
        "inspect",
        "lint",
        "local",
        "migrate",
        "migration",
        "migrations",
        "mock",
        "mocks",
        "seed",
        "storybook",
        "test",
        "tests",
        "types",
        "watch",
    ];
    ASIDE.contains(&word)
}

fn is_developing(name: &str) -> bool {
    matches!(name, "dev" | "develop" | "start:dev" | "dev:server" | "server:dev" | "server" | "watch")
}

/// Where each `tsconfig.json` has its output put; the plain name goes before `tsconfig.build.json`.
fn compiler_outputs(project: &Project, manifests: &Manifests) -> HashMap<String, Output> {
    let mut outputs = HashMap::new();
    for id in project.file_ids() {
        let path = &*project.file(id).path;
        let name = file_name(path);
        let Some(options) = manifests.trees.get(&id).and_then(|node| node.get("compilerOptions")) else { continue };
        let option = |key: &str| options.get(key).and_then(Node::as_text).map(str::to_owned);
        if !is_tsconfig(name) {
            continue;
        }
        if let Some(out) = option("outDir") {
            let output = Output { out, source: option("rootDir") };
            let folder = folder_of(path).to_owned();
            if name == "tsconfig.json" {
                outputs.insert(folder, output);
            } else {
                outputs.entry(folder).or_insert(output);
            }
        }
    }
    outputs
}

/// `from .app import app`, `from shop.app import app`, `import app`
fn imports_module(line: &str, stem: &str) -> bool {
    let named = |module: &str| module == stem || module.strip_suffix(stem).is_some_and(|rest| rest.ends_with('.'));
    let mut words = line.split_whitespace();
    matches!(words.next(), Some("from" | "import"))
        && words.next().is_some_and(|module| named(module.trim_end_matches(',')))
}
