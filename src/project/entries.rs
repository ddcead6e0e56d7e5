//! Where execution starts: what manifests run, followed to source files.

use std::collections::{HashMap, HashSet};

use super::command::{self, Run};
use super::manifests::{Manifests, is_tsconfig};
use super::model::{FileId, Project};
use super::packages::{Package, Packages};
use super::paths::{file_name, folder_of, join};
use super::platform;
use super::resolve::{Output, Resolver};
use crate::syntax::Node;

/// Scripts call scripts, sanely not through more than this many.
const MAX_HOPS: usize = 6;
/// Entries of one service; what names more is no manifest.
const MAX_ENTRIES: usize = 500;

/// An entry point and what names it.
pub(super) type Entry = (FileId, String);

/// Follows commands to the files that they run.
pub(super) struct Starts<'a> {
    project: &'a Project,
    packages: &'a Packages<'a>,
    manifests: &'a Manifests<'a>,
    resolver: Resolver<'a>,
}

impl<'a> Starts<'a> {
    pub(super) fn new(project: &'a Project, packages: &'a Packages<'a>, manifests: &'a Manifests<'a>) -> Starts<'a> {
        let resolver = Resolver::with_outputs(project, compiler_outputs(project, manifests));
        Starts { project, packages, manifests, resolver }
    }

    /// What images, compose files and platforms start.
    pub(super) fn deployed(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for start in platform::starts(self.project, self.manifests) {
            let found = start.folders.iter().map(|folder| self.follow_all(folder, &start.runs));
            let files = found.into_iter().find(|files| !files.is_empty()).unwrap_or_default();
            entries.extend(files.into_iter().map(|file| (file, start.reason.clone())));
        }
        entries
    }

    /// What the scripts of a package start that serve; those for development only if there are no others.
    pub(super) fn started(&self, package: &Package) -> Vec<Entry> {
        let serving = self.scripts(package, is_serving);
        if serving.is_empty() { self.scripts(package, is_developing) } else { serving }
    }

    /// The files that its other scripts run, and those of `prisma.seed`.
    pub(super) fn by_hand(&self, package: &Package) -> Vec<Entry> {
        let mut entries = self.scripts(package, |name| !is_serving(name) && !is_developing(name));
        if let Some(command) = package.node.at(&["prisma", "seed"]).and_then(Node::as_text) {
            let reason = format!("{} prisma.seed", self.path(package));
            entries.extend(
                self.follow_all(package.folder, &command::runs(command)).into_iter().map(|f| (f, reason.clone())),
            );
        }
        entries
    }

    fn scripts(&self, package: &Package, wanted: impl Fn(&str) -> bool) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (name, command) in package.scripts().filter(|(name, _)| wanted(name)).take(MAX_ENTRIES) {
            let files = self.follow_all(package.folder, &command::runs(command));
            let reason = format!("{} scripts.{name}", self.path(package));
            entries.extend(files.into_iter().map(|file| (file, reason.clone())));
        }
        entries
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
        let exports = package.exports().into_iter().filter_map(|(subpath, target)| {
            let file = self.resolver.module(package.folder, &target)?;
            Some((file, format!("{path} exports {subpath}")))
        });
        main.into_iter().chain(exports).take(MAX_ENTRIES).collect()
    }

    /// Where a server usually starts when nothing says so.
    pub(super) fn conventional(&self, folder: &str) -> Option<Entry> {
        let names = ["server", "index", "main", "app"];
        let paths = ["src", "."].iter().flat_map(|below| names.iter().map(move |name| join(below, name)));
        let file = paths.into_iter().find_map(|path| self.resolver.module(folder, &path))?;
        Some((file, "by convention: no manifest names an entry point".to_owned()))
    }

    fn path(&self, package: &Package) -> &'a str {
        &self.project.file(package.manifest).path
    }

    fn follow_all(&self, folder: &str, runs: &[Run]) -> Vec<FileId> {
        let mut walk = Walk { starts: self, seen: HashSet::new(), files: Vec::new() };
        runs.iter().for_each(|run| walk.follow(folder, run, 0));
        walk.files
    }
}

/// One command being followed.
struct Walk<'s, 'a> {
    starts: &'s Starts<'a>,
    seen: HashSet<(FileId, String)>,
    files: Vec<FileId>,
}

impl Walk<'_, '_> {
    fn follow(&mut self, base: &str, run: &Run, hops: usize) {
        if hops > MAX_HOPS || self.files.len() >= MAX_ENTRIES {
            return;
        }
        match run {
            Run::Module { folder, candidates } => {
                let folder = join(base, folder);
                self.add(candidates.iter().take(20).find_map(|path| self.starts.resolver.module(&folder, path)));
            }
            Run::Main { folder } => {
                let package = self.starts.packages.at(&join(base, folder));
                self.add(package.and_then(|package| self.starts.main(package)));
            }
            Run::Script { folder, package, name } => self.script(&join(base, folder), package.as_deref(), name, hops),
            Run::File { folder, path } => self.file(&join(base, folder), path, hops),
        }
    }

    fn add(&mut self, file: Option<FileId>) {
        if let Some(file) = file.filter(|file| !self.files.contains(file)) {
            self.files.push(file);
        }
    }

    fn script(&mut self, folder: &str, package: Option<&str>, name: &str, hops: usize) {
        let packages = self.starts.packages;
        let package = package.map_or_else(|| packages.at(folder), |name| packages.named(name));
        let Some(package) = package.filter(|package| self.seen.insert((package.manifest, name.to_owned()))) else {
            return;
        };
        match package.script(name) {
            Some(command) => command::runs(command).iter().for_each(|run| self.follow(package.folder, run, hops + 1)),
            // npm's own default for a package without a start script.
            None if name == "start" => self.add(self.starts.resolver.module(package.folder, "server.js")),
            None => {}
        }
    }

    fn file(&mut self, folder: &str, written: &str, hops: usize) {
        let parts = std::iter::once(0).chain(written.match_indices('/').map(|(at, _)| at + 1)).take(MAX_HOPS);
        let found = parts.into_iter().find_map(|start| {
            let id = self.starts.project.find(&join(folder, written.get(start..)?))?;
            Some((id, *self.starts.manifests.texts.get(&id)?))
        });
        let Some((id, text)) = found.filter(|(id, _)| self.seen.insert((*id, String::new()))) else { return };
        let path = &self.starts.project.file(id).path;
        for run in platform::runs_of_file(path, text).iter().take(MAX_ENTRIES) {
            // A script of the shell runs where it is called, which is mostly the root of what it is part of.
            self.follow(folder, run, hops + 1);
        }
    }
}

/// `start`, `serve`, `start:prod`, `worker`, `queue:start`: run when the service is deployed.
fn is_serving(name: &str) -> bool {
    let words = name.split([':', '-', '_', '.']);
    let is_start = words.clone().next().is_some_and(|word| matches!(word, "start" | "serve" | "prod" | "production"));
    let is_worker = words.clone().any(|word| {
        matches!(word, "worker" | "workers" | "queue" | "queues" | "scheduler" | "cron" | "consumer" | "jobs")
    });
    (is_start || is_worker) && !words.into_iter().any(is_aside)
}

/// Words in the names of scripts that start something else than the product.
fn is_aside(word: &str) -> bool {
    matches!(
        word,
        "dev" | "develop" | "development" | "debug" | "watch" | "test" | "tests" | "local" | "e2e" | "mock" | "mocks"
    ) || matches!(word, "db" | "docker" | "storybook" | "docs" | "build" | "lint" | "client" | "frontend" | "inspect")
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
