//! The vocabulary of the project layer.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use super::requirements::Ecosystem;

/// Index into [`Project::files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// Index into [`Project::services`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceId(pub u16);

/// What a file is for. Rules look at `Server` unless they say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    Server,
    Client,
    Test,
    Script,
    Example,
    Migration,
    Config,
    Docs,
    Generated,
    Vendored,
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// `.js .mjs .cjs .jsx .ts .mts .cts .tsx`
    JavaScript,
    Python,
    Rust,
    /// JSON, with comments and trailing commas allowed.
    Json,
    Yaml,
    Toml,
    /// `.env`, `.env.*`
    Dotenv,
    Dockerfile,
    Prisma,
    Sql,
    /// Any other text: scanned for secrets, read by `regex` rules.
    Text,
    /// Not opened.
    Binary,
}

/// Whether git holds the file. Without an index every file counts as tracked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tracked {
    Yes,
    /// In the index although an ignore rule names it.
    YesThoughIgnored,
    No,
}

/// One file of the tree. Its text is not kept.
#[derive(Debug, Clone)]
pub struct File {
    /// Relative to the root, with `/`.
    pub path: Arc<str>,
    pub kind: FileKind,
    pub area: Area,
    pub service: ServiceId,
    pub tracked: Tracked,
    /// Bytes.
    pub size: u64,
    /// Inside the path that the user asked about (findings elsewhere are not reported).
    pub in_scope: bool,
}

#[cfg(test)]
impl File {
    /// An empty tracked file of the first service's server.
    pub(crate) fn sample(path: &str, kind: FileKind) -> File {
        File {
            path: path.into(),
            kind,
            area: Area::Server,
            service: ServiceId(0),
            tracked: Tracked::Yes,
            size: 0,
            in_scope: true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessKind {
    Http,
    Worker,
    Scheduler,
    Function,
    Cli,
    Library,
}

/// A deployable unit: a manifest with an entry point. Service 0 always exists and is the root.
#[derive(Debug, Clone, Default)]
pub struct Service {
    /// Folder relative to the root, `.` for the root itself.
    pub path: String,
    pub kinds: Vec<ProcessKind>,
    /// `typescript`, `javascript`, …
    pub languages: Vec<String>,
    /// Stack ids (`express`, `prisma`, `vercel`, …), sorted.
    pub stacks: Vec<String>,
    /// What its `package.json` declares, by name.
    pub dependencies: HashMap<String, Dependency>,
    /// Files where execution starts, with what names them (`package.json scripts.start`).
    pub entries: Vec<(FileId, String)>,
    /// Runs on a platform that owns the process (no shutdown, no long-lived state).
    pub serverless: bool,
    /// Other services of the workspace that it imports (they are reached through it).
    pub uses: Vec<ServiceId>,
    /// The name in its manifest, empty if it has none.
    pub name: String,
    /// Its own manifest. [`Service::dependencies`] from another file are inherited from the workspace's root.
    pub manifest: Option<FileId>,
    /// Files that a package script runs by hand (`package.json scripts.migrate`): reached, but not part of serving.
    pub script_entries: Vec<(FileId, String)>,
    /// Controls that its platform takes care of, with the platform's name (`Vercel`).
    pub provided: Vec<(String, String)>,
    /// What its manifests of Python and Rust declare.
    pub requirements: BTreeMap<(Ecosystem, String), Dependency>,
}

impl Service {
    /// Whether its own manifests name a package.
    pub fn declares(&self, ecosystem: Ecosystem, name: &str) -> bool {
        match ecosystem {
            Ecosystem::Npm => self.dependencies.get(name).is_some_and(|found| Some(found.at.file) == self.manifest),
            _ => self.requirements.contains_key(&(ecosystem, name.to_owned())),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Dependency {
    pub version: String,
    pub dev: bool,
    pub at: Span,
}

/// A half-open byte range of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

/// Something that the audit could not read or had to leave out; never a reason to stop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct Diagnostic {
    /// `too-large`, `unreadable`, `not-utf8`, `parse-error`, `too-deep`, `link`, `git`, `limit`, …
    pub kind: String,
    pub path: String,
    /// From 1.
    pub line: u32,
    /// What happened and what to do.
    pub message: String,
}

/// Where file contents come from: the disk, or an overlay on top of it (tests, scaffolding).
#[derive(Debug, Clone, Default)]
pub struct Tree {
    pub root: PathBuf,
    /// Contents by relative path that hide what is on disk.
    pub overlay: HashMap<String, Arc<[u8]>>,
    /// No disk at all: only the overlay exists (examples of rules).
    pub virtual_only: bool,
}

/// A package of the repository that others may import by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspacePackage {
    /// Its folder, `.` for the root.
    pub folder: String,
    /// The service that its files belong to.
    pub service: ServiceId,
    /// What importing the bare name loads, as a source file.
    pub main: Option<FileId>,
    /// Subpaths of `exports` (`./client`, `./*`) with the path relative to the folder that each stands for.
    pub exports: Vec<(String, String)>,
}

#[derive(Debug, Clone, Default)]
pub struct Project {
    pub tree: Tree,
    /// Sorted by path, so that ids are in the order of paths.
    pub files: Vec<File>,
    pub services: Vec<Service>,
    pub commit: Option<String>,
    pub diagnostics: Vec<Diagnostic>,
    /// The folder that was asked about, if it is not the root.
    pub scope: Option<String>,
    /// By package name.
    pub workspace_packages: HashMap<String, WorkspacePackage>,
    /// Earlier versions of files in which something was found; their ids follow those of the files.
    pub past: Vec<File>,
    /// The ids of the files by the hash of their paths, made when the first one is looked for: from then on, `files` keep
    /// their places.
    pub by_path: OnceLock<HashTable<FileId>>,
}

impl Project {
    pub fn file(&self, id: FileId) -> &File {
        let at = id.0 as usize;
        if at < self.files.len() { &self.files[at] } else { &self.past[at - self.files.len()] }
    }

    /// A file, of now or of the history.
    pub fn any_file(&self, id: FileId) -> Option<&File> {
        let at = id.0 as usize;
        self.files.get(at).or_else(|| self.past.get(at.checked_sub(self.files.len())?))
    }

    pub fn service(&self, id: ServiceId) -> &Service {
        &self.services[id.0 as usize]
    }
}
