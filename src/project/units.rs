//! Python projects and Rust crates: their manifests by folder, what they install and what they depend on.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::frameworks::TABLE;
use super::manifests::Manifests;
use super::model::{Area, Dependency, FileId, FileKind, Project, Span};
use super::paths::{ancestors, file_name, folder_of, join};
use super::requirements::{self, Ecosystem, Requirement};
use crate::syntax::Node;

const MAX_BINARIES: usize = 200;

/// A program that a project installs, and the module that it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binary {
    pub(super) name: String,
    pub(super) target: Target,
    /// What names it: `pyproject.toml [project.scripts]`.
    pub(super) reason: String,
}

/// What a program runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A dotted module of Python.
    Module(String),
    File(FileId),
}

/// The Python project or Rust crate of a folder.
#[derive(Debug, Default)]
pub(super) struct Unit {
    pub(super) name: String,
    /// Best first.
    pub(super) manifests: Vec<FileId>,
    pub(super) dependencies: BTreeMap<(Ecosystem, String), Dependency>,
    pub(super) binaries: Vec<Binary>,
    pub(super) has_python: bool,
    pub(super) has_rust: bool,
    /// A crate's library.
    pub(super) library: Option<FileId>,
    /// The manifest says how to build a package from it.
    pub(super) is_built: bool,
}

impl Unit {
    /// Whether something that it needs to run makes it a server.
    pub(super) fn is_server(&self) -> bool {
        self.needs(Ecosystem::Pypi, &TABLE.python.servers) || self.needs(Ecosystem::Crates, &TABLE.rust.servers)
    }

    pub(super) fn is_worker(&self) -> bool {
        self.needs(Ecosystem::Crates, &TABLE.rust.workers)
    }

    fn needs(&self, ecosystem: Ecosystem, names: &[String]) -> bool {
        let runs = |name: &String| self.dependencies.get(&(ecosystem, name.clone())).is_some_and(|found| !found.dev);
        names.iter().any(runs)
    }
}

/// The units of a project by their folders.
#[derive(Debug, Default)]
pub(super) struct Units {
    by_folder: BTreeMap<String, Unit>,
}

impl Units {
    pub(super) fn new(project: &Project, manifests: &Manifests) -> Units {
        let mut units = Units::default();
        let code = CodeFolders::new(project);
        for id in project.file_ids() {
            let file = project.file(id);
            let folder = owning_folder(&file.path);
            if matches!(file.area, Area::Test | Area::Example | Area::Vendored | Area::Generated) {
                continue;
            }
            if let Some(node) = manifests.trees.get(&id) {
                units.read_tree(project, id, folder, node, &code);
            } else if let Some(text) = manifests.texts.get(&id) {
                units.read_text(project, id, folder, text, &code);
            }
        }
        units.inherit(project, manifests);
        units
    }

    fn read_tree(&mut self, project: &Project, id: FileId, folder: &str, node: &Node, code: &CodeFolders) {
        let path = &*project.file(id).path;
        let Some((ecosystem, found)) = requirements::of_tree(path, node) else { return };
        match file_name(path) {
            "Cargo.toml" => {
                if let Some(package) = node.get("package") {
                    let unit = self.unit(folder, id, ecosystem, found);
                    unit.has_rust = true;
                    unit.name = text_of(package, "name");
                    unit.library = library(project, folder, node);
                    unit.binaries.extend(cargo_binaries(project, path, folder, node, &text_of(package, "name")));
                }
            }
            "pyproject.toml" => {
                let own = node.get("project").or_else(|| node.at(&["tool", "poetry"]));
                if own.is_some() || !found.is_empty() {
                    let unit = self.unit(folder, id, ecosystem, found);
                    unit.has_python = true;
                    unit.is_built |= node.get("build-system").is_some();
                    unit.name = own.map(|own| text_of(own, "name")).unwrap_or_default();
                    unit.binaries.extend(python_scripts(path, node));
                }
            }
            _ if !found.is_empty() && code.has_python(folder) => {
                self.unit(folder, id, ecosystem, found).has_python = true;
            }
            _ => {}
        }
    }

    fn read_text(&mut self, project: &Project, id: FileId, folder: &str, text: &str, code: &CodeFolders) {
        let path = &*project.file(id).path;
        let Some((ecosystem, found)) = requirements::of_text(path, text) else { return };
        let is_requirements = requirements::is_requirements(path);
        if !code.has_python(folder) || (found.is_empty() && (is_requirements || file_name(path) == "setup.cfg")) {
            return;
        }
        let unit = self.unit(folder, id, ecosystem, found);
        unit.has_python = true;
        unit.is_built |= !is_requirements;
    }

    fn unit(&mut self, folder: &str, manifest: FileId, ecosystem: Ecosystem, found: Vec<Requirement>) -> &mut Unit {
        let unit = self.by_folder.entry(folder.to_owned()).or_default();
        unit.manifests.push(manifest);
        for requirement in found {
            let at = Span { file: manifest, start: requirement.start, end: requirement.end };
            let dependency = Dependency { version: requirement.version, dev: requirement.dev, at };
            let known =
                unit.dependencies.entry((ecosystem, requirement.name.to_string())).or_insert(dependency.clone());
            // Needed to run somewhere is needed to run.
            if known.dev && !dependency.dev {
                *known = dependency;
            }
        }
        unit
    }

    /// Versions that members of a Cargo workspace take from its root.
    fn inherit(&mut self, project: &Project, manifests: &Manifests) {
        let shared = |folder: &str| {
            let path = join(folder, "Cargo.toml");
            let node = project.find(&path).and_then(|id| manifests.trees.get(&id))?;
            node.at(&["workspace", "dependencies"])
        };
        for (folder, unit) in &mut self.by_folder {
            let Some(workspace) = ancestors(folder).find_map(shared) else { continue };
            for ((ecosystem, name), dependency) in &mut unit.dependencies {
                if *ecosystem == Ecosystem::Crates && dependency.version.is_empty() {
                    let found = workspace.get(name);
                    let version = found.and_then(|found| found.as_text().or_else(|| found.get("version")?.as_text()));
                    version.unwrap_or_default().clone_into(&mut dependency.version);
                }
            }
        }
    }

    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        self.by_folder.keys().map(String::as_str)
    }

    pub(super) fn at(&self, folder: &str) -> Option<&Unit> {
        self.by_folder.get(folder)
    }

    /// The programs of that name, that of the nearest folder first.
    pub(super) fn binary(&self, folder: &str, name: &str) -> Option<(&str, &Binary)> {
        let own = |folder: &str| {
            let (folder, unit) = self.by_folder.get_key_value(folder)?;
            Some((folder.as_str(), unit.binaries.iter().find(|binary| binary.name == name)?))
        };
        let all = || {
            let mut found = self.by_folder.iter().flat_map(|(folder, unit)| {
                unit.binaries.iter().filter(|binary| binary.name == name).map(move |binary| (folder.as_str(), binary))
            });
            found.next()
        };
        ancestors(folder).find_map(own).or_else(all)
    }

    /// The folders of other units that each depends on, by the names of packages.
    pub(super) fn names(&self) -> HashMap<(Ecosystem, &str), &str> {
        let mut names = HashMap::new();
        for (folder, unit) in self.by_folder.iter().filter(|(_, unit)| !unit.name.is_empty()) {
            if unit.has_rust {
                names.entry((Ecosystem::Crates, &*unit.name)).or_insert(folder.as_str());
            }
            if unit.has_python {
                names.entry((Ecosystem::Pypi, &*unit.name)).or_insert(folder.as_str());
            }
        }
        names
    }

    /// The names of those that another unit depends on.
    pub(super) fn imported(&self) -> HashSet<(Ecosystem, &str)> {
        let names = self.names();
        let needed = self.by_folder.values().flat_map(|unit| &unit.dependencies).filter(|(_, found)| !found.dev);
        let used = needed.map(|(key, _)| key);
        used.map(|(ecosystem, name)| (*ecosystem, name.as_str())).filter(|key| names.contains_key(key)).collect()
    }

    /// Whether a folder holds a library that other crates need for their tests alone.
    pub(super) fn is_for_tests(&self, folder: &str) -> bool {
        let Some(unit) = self.at(folder).filter(|unit| unit.library.is_some() && unit.binaries.is_empty()) else {
            return false;
        };
        let key = (Ecosystem::Crates, unit.name.clone());
        let mut needs = self.by_folder.values().filter_map(|other| other.dependencies.get(&key)).peekable();
        needs.peek().is_some() && needs.all(|need| need.dev)
    }
}

/// The folder whose project a manifest describes.
fn owning_folder(path: &str) -> &str {
    if requirements::is_requirements(path) { requirements::folder_of_requirements(path) } else { folder_of(path) }
}

/// Which folders hold Python somewhere below them.
struct CodeFolders<'p> {
    python: BTreeSet<&'p str>,
}

impl<'p> CodeFolders<'p> {
    fn new(project: &'p Project) -> CodeFolders<'p> {
        let mut python = BTreeSet::new();
        for file in project.files.iter().filter(|file| file.kind == FileKind::Python && file.area == Area::Server) {
            for folder in ancestors(folder_of(&file.path)) {
                if !python.insert(folder) {
                    break;
                }
            }
        }
        CodeFolders { python }
    }

    fn has_python(&self, folder: &str) -> bool {
        self.python.contains(folder)
    }
}

fn text_of(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_text).unwrap_or_default().to_owned()
}

/// The console scripts of a `pyproject.toml`.
fn python_scripts(path: &str, node: &Node) -> Vec<Binary> {
    let tables = [
        ("project.scripts", node.at(&["project", "scripts"])),
        ("tool.poetry.scripts", node.at(&["tool", "poetry", "scripts"])),
    ];
    let entries = tables
        .iter()
        .flat_map(|(name, table)| table.map_or(&[][..], Node::entries).iter().map(move |entry| (*name, entry)));
    entries
        .filter_map(|(table, entry)| {
            let value = entry.value.as_text().or_else(|| entry.value.get("callable")?.as_text())?;
            let module = value.split(':').next()?.trim().to_owned();
            let reason = format!("{path} {table}.{}", entry.key);
            Some(Binary { name: entry.key.to_string(), target: Target::Module(module), reason })
        })
        .take(MAX_BINARIES)
        .collect()
}

fn library(project: &Project, folder: &str, node: &Node) -> Option<FileId> {
    let written = node.at(&["lib", "path"]).and_then(Node::as_text).unwrap_or("src/lib.rs");
    project.find(&join(folder, written))
}

/// `[[bin]]`, `src/main.rs` and what lies in `src/bin`.
fn cargo_binaries(project: &Project, manifest: &str, folder: &str, node: &Node, package: &str) -> Vec<Binary> {
    let mut found: Vec<Binary> = Vec::new();
    let mut add = |name: String, file: Option<FileId>, reason: String| {
        let Some(file) = file else { return };
        let known = found.iter().any(|binary| binary.target == Target::File(file));
        if !known && found.len() < MAX_BINARIES {
            found.push(Binary { name, target: Target::File(file), reason });
        }
    };
    let places =
        |name: &str| [format!("src/bin/{name}.rs"), format!("src/bin/{name}/main.rs"), "src/main.rs".to_owned()];
    for bin in node.get("bin").map_or(&[][..], Node::items) {
        let name = text_of(bin, "name");
        let file = match bin.get("path").and_then(Node::as_text) {
            Some(path) => project.find(&join(folder, path)),
            None => places(&name).iter().find_map(|path| project.find(&join(folder, path))),
        };
        add(name.clone(), file, format!("{manifest} [[bin]] {name}"));
    }
    if node.at(&["package", "autobins"]).and_then(Node::as_bool) != Some(false) {
        add(package.to_owned(), project.find(&join(folder, "src/main.rs")), format!("{manifest} src/main.rs"));
        let base = join(folder, "src/bin");
        let first = project.files.partition_point(|file| *file.path < *base);
        for (at, file) in project.files.iter().enumerate().skip(first) {
            let Some(inside) = file.path.strip_prefix(&*base) else { break };
            let Some(inside) = inside.strip_prefix('/') else { continue };
            let id = FileId(u32::try_from(at).unwrap_or(u32::MAX));
            let name =
                inside.strip_suffix("/main.rs").or(inside.strip_suffix(".rs")).filter(|name| !name.contains('/'));
            if let Some(name) = name {
                add(name.to_owned(), Some(id), format!("{manifest} src/bin/{name}"));
            }
        }
    }
    found
}
