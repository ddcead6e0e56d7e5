//! Where Python imports lead, and which of a name and a module an imported name is.

use rustc_hash::{FxHashMap, FxHashSet};

use super::program::{Exported, Loaded, ModuleId, Program, Resolution, Resolver, Target};
use crate::project::requirements::{Ecosystem, normalised};
use crate::project::{FileId, FileKind, Project};
use crate::syntax::hir::{Definition, Imported, Language, SourceIdx, SymbolIdx};

/// Files that stand at the root of what they install or run.
const ROOT_FILES: &[&str] =
    &["pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile", RUN_IN_PLACE, "tox.ini"];

/// The file that is run where it stands: what is beside it is imported by its plain name, even in a package.
const RUN_IN_PLACE: &str = "manage.py";

/// Resolves imports as the interpreter would from the folders that it is likely to be started in.
pub struct PythonImports<'p> {
    project: &'p Project,
    /// By the first name of a path: the folders that hold a module or folder of that name and are no packages.
    roots: FxHashMap<&'p str, Vec<&'p str>>,
    /// Folders with Python files below them.
    folders: FxHashSet<&'p str>,
    /// Folders that something is installed or run from.
    marked: FxHashSet<&'p str>,
    /// The packages that manifests name.
    declared: FxHashSet<&'p str>,
}

impl<'p> PythonImports<'p> {
    pub fn new(project: &'p Project) -> PythonImports<'p> {
        let mut found = PythonImports {
            project,
            roots: FxHashMap::default(),
            folders: FxHashSet::default(),
            marked: FxHashSet::default(),
            declared: declared(project),
        };
        let mut packages: FxHashSet<&str> = FxHashSet::default();
        for file in &project.files {
            let (folder, name) = split(&file.path);
            if name == "__init__.py" && project.find(&joined(folder, RUN_IN_PLACE)).is_none() {
                packages.insert(folder);
            }
            if ROOT_FILES.contains(&name) {
                found.marked.insert(folder);
            }
        }
        for file in project.files.iter().filter(|file| file.kind == FileKind::Python) {
            let (mut folder, name) = split(&file.path);
            found.add_root(folder, name.trim_end_matches(".py"), &packages);
            while !folder.is_empty() && found.folders.insert(folder) {
                let (outer, name) = split(folder);
                found.add_root(outer, name, &packages);
                folder = outer;
            }
        }
        found
    }

    fn add_root(&mut self, folder: &'p str, name: &'p str, packages: &FxHashSet<&str>) {
        if !packages.contains(folder) && name != "__init__" {
            self.roots.entry(name).or_default().push(folder);
        }
    }

    fn is_package(&self, root: &str, name: &str) -> bool {
        self.below(root, name) != Resolution::Missing
    }

    fn relative(&self, folder: &str, specifier: &str) -> Resolution {
        let path = specifier.trim_start_matches('.');
        let mut folder = folder;
        for _ in 1..specifier.len() - path.len() {
            if folder.is_empty() {
                return Resolution::Missing;
            }
            folder = split(folder).0;
        }
        self.below(folder, path)
    }

    /// The module of a dotted path below a folder; a folder without `__init__.py` is none.
    fn below(&self, folder: &str, path: &str) -> Resolution {
        let mut target = folder.to_owned();
        for part in path.split('.').filter(|part| !part.is_empty()) {
            if !target.is_empty() {
                target.push('/');
            }
            target.push_str(part);
        }
        let package = if target.is_empty() { "__init__.py".to_owned() } else { format!("{target}/__init__.py") };
        let found = self.project.find(&package).or_else(|| self.project.find(&format!("{target}.py")));
        found.map_or(Resolution::Missing, Resolution::File)
    }

    /// The folder that an absolute path starts in: the nearest above the importing file, `src` of one of those, or a
    /// folder that something is installed from.
    fn root_of(&self, folder: &str, first: &str) -> Option<&'p str> {
        let roots = self.roots.get(first)?;
        let around = |root: &str| {
            root.is_empty() || folder == root || folder.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
        };
        let nearest = roots.iter().filter(|root| around(root)).max_by_key(|root| root.len());
        let beside =
            || roots.iter().filter(|root| is_source_folder(root) && around(split(root).0)).max_by_key(|r| r.len());
        let installed = || {
            let mut marked = roots.iter().filter(|root| {
                self.marked.contains(*root) || is_source_folder(root) && self.marked.contains(split(root).0)
            });
            marked.next().filter(|_| marked.next().is_none())
        };
        nearest.or_else(beside).or_else(installed).copied()
    }
}

impl Resolver for PythonImports<'_> {
    fn resolve(&self, from: FileId, specifier: &str) -> Resolution {
        let (folder, _) = split(&self.project.file(from).path);
        if specifier.starts_with('.') {
            return self.relative(folder, specifier);
        }
        let first = specifier.split('.').next().unwrap_or_default();
        match self.root_of(folder, first) {
            Some(root) => match self.below(root, specifier) {
                // A script of the same name as the package that it uses.
                Resolution::File(found) if found == from && first == specifier => {
                    Resolution::Package(specifier.to_owned())
                }
                // A folder of migrations that is called as the tool is: without `__init__.py` the installed one goes first.
                Resolution::Missing
                    if self.declared.contains(normalised(first).as_str()) && !self.is_package(root, first) =>
                {
                    Resolution::Package(specifier.to_owned())
                }
                found => found,
            },
            None => Resolution::Package(specifier.to_owned()),
        }
    }
}

fn declared(project: &Project) -> FxHashSet<&str> {
    let names = project.services.iter().flat_map(|service| service.requirements.keys());
    names.filter(|(ecosystem, _)| *ecosystem == Ecosystem::Pypi).map(|(_, name)| name.as_str()).collect()
}

fn is_source_folder(folder: &str) -> bool {
    split(folder).1 == "src"
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

impl Program<'_> {
    /// The packages that a module names in texts (`"shop.orders"` in a list of applications): whoever reads such a list
    /// looks for modules in them.
    pub fn packages_named_by(&self, id: ModuleId) -> Vec<ModuleId> {
        let loaded = self.loaded(id);
        let named = loaded.module.named_modules.iter().filter_map(|source| match loaded.targets[source.0 as usize] {
            Target::Module(target) if self.path(target).ends_with("/__init__.py") => Some(target),
            _ => None,
        });
        named.collect()
    }

    /// The packages that a Python module lies in: who imports it runs their `__init__.py` first.
    pub fn packages_above(&self, id: ModuleId) -> Vec<ModuleId> {
        let is_python = self.module(id).language == Language::Python;
        let innermost = is_python.then(|| split(self.path(id)).0);
        let folders = std::iter::successors(innermost, |folder| (!folder.is_empty()).then(|| split(folder).0));
        folders.filter_map(|folder| self.of_file(self.project.find(&joined(folder, "__init__.py"))?)).collect()
    }

    /// What a text of a module spells: a module of the project, or a name in one (`"shop.middleware.Audit"`).
    pub fn named(&self, from: ModuleId, text: &str) -> Option<Exported> {
        let loaded = self.loaded(from);
        let module_at = |path: &str| {
            let at = loaded.module.sources.iter().position(|source| loaded.module.str(source.specifier) == path)?;
            match loaded.targets.get(at) {
                Some(Target::Module(module)) => Some(*module),
                _ => None,
            }
        };
        if let Some(module) = module_at(text) {
            return Some(Exported::Namespace(module));
        }
        let (package, name) = text.rsplit_once('.')?;
        self.export_named(module_at(package)?, name)
    }

    /// All modules of a package and of those in it.
    pub fn modules_below(&self, package: ModuleId) -> impl Iterator<Item = ModuleId> + use<'_> {
        let folder = self.path(package).trim_end_matches("__init__.py");
        self.ids().filter(move |&id| self.path(id).starts_with(folder))
    }

    /// Decides what `from a import b` means where `a.b` is a module, and which star import a name comes from.
    pub(super) fn settle_python_imports(&mut self) {
        let mut settled: Vec<(ModuleId, SymbolIdx, Definition)> = Vec::new();
        for id in self.ids() {
            let loaded = self.loaded(id);
            if loaded.module.language == Language::Python {
                self.settle_submodules(id, loaded, &mut settled);
            }
        }
        self.apply(&mut settled);
        for id in self.ids().filter(|&id| self.module(id).language == Language::Python) {
            for &symbol in &self.module(id).from_star {
                let definition = self.definition_from_star(self.loaded(id), symbol);
                settled.push((id, symbol, definition));
            }
        }
        self.apply(&mut settled);
    }

    fn apply(&mut self, settled: &mut Vec<(ModuleId, SymbolIdx, Definition)>) {
        for (id, symbol, definition) in settled.drain(..) {
            self.modules[id.0 as usize].module.symbols[symbol.0 as usize].definition = definition;
        }
    }

    fn settle_submodules(&self, id: ModuleId, loaded: &Loaded, settled: &mut Vec<(ModuleId, SymbolIdx, Definition)>) {
        let module = &loaded.module;
        let leads = |source: &&SourceIdx| matches!(loaded.targets[source.0 as usize], Target::Module(_));
        let specifier = |source: SourceIdx| module.str(module.sources[source.0 as usize].specifier);
        let submodules: FxHashMap<&str, SourceIdx> =
            module.submodules.iter().filter(leads).map(|&source| (specifier(source), source)).collect();
        if submodules.is_empty() {
            return;
        }
        for (index, symbol) in module.symbols.iter().enumerate() {
            let Definition::Import { source, name: Imported::Named(name) } = symbol.definition else { continue };
            let (package, name) = (specifier(source), module.str(name));
            let separator = if package.ends_with('.') { "" } else { "." };
            let Some(&submodule) = submodules.get(format!("{package}{separator}{name}").as_str()) else { continue };
            let has_name = match loaded.targets[source.0 as usize] {
                // A package that imports one of its own modules means the module.
                Target::Module(target) => target != id && self.export_named(target, name).is_some(),
                _ => false,
            };
            if !has_name {
                let symbol = SymbolIdx(u32::try_from(index).unwrap_or(u32::MAX));
                settled.push((id, symbol, Definition::Import { source: submodule, name: Imported::Namespace }));
            }
        }
    }

    fn definition_from_star(&self, loaded: &Loaded, symbol: SymbolIdx) -> Definition {
        let atom = loaded.module.symbol(symbol).name;
        let name = loaded.module.str(atom);
        let stars = loaded.module.star_exports.iter().rev();
        let exporting = stars.clone().find(|source| match loaded.targets[source.0 as usize] {
            Target::Module(target) => self.export_named(target, name).is_some(),
            _ => false,
        });
        let package = || stars.clone().find(|source| matches!(loaded.targets[source.0 as usize], Target::Package(_)));
        match exporting.copied().or_else(|| package().copied()) {
            Some(source) => Definition::Import { source, name: Imported::Named(atom) },
            None => Definition::Unknown,
        }
    }
}

/// The resolver of each language of a project.
pub struct Imports<'p> {
    pub project: &'p Project,
    pub python: PythonImports<'p>,
    pub others: super::imports::ImportResolver<'p>,
}

impl Resolver for Imports<'_> {
    fn resolve(&self, from: FileId, specifier: &str) -> Resolution {
        match self.project.file(from).kind {
            FileKind::Python => self.python.resolve(from, specifier),
            _ => self.others.resolve(from, specifier),
        }
    }
}
