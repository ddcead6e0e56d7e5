//! How a service is written: what generated code has to look like.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::lowest;
use super::outline::{Habits, Outline};
use super::render::place;
use super::stack::{Ecosystem, Manager, Runner, Stack, joined};
use super::{crates, language};
use crate::project::{Area, FileKind, Project, SOURCE_LIMIT, Service, ServiceId, decode, kind_of};
use crate::syntax::json;

/// Source files whose habits are counted.
const SAMPLE: usize = 60;

/// The hand of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conventions {
    pub typescript: bool,
    /// `import`, not `require`.
    pub modules: bool,
    pub double_quotes: bool,
    pub semicolons: bool,
    /// What one level is indented by.
    pub indent: String,
    pub crlf: bool,
    /// Relative imports name the extension (`./db.js`).
    pub import_extensions: bool,
    /// Of new source files: `ts`, `js`, `mjs`, `cjs`, `py`.
    pub extension: String,
    pub manager: Manager,
    pub runner: Runner,
    /// What runs the tests does not know what Node.js has: modules are imported without `node:`.
    pub outdated_runner: bool,
    /// Where the imports of a Python service start: its folder, or `src` in it.
    pub import_root: String,
    /// What can be imported from there.
    pub packages: BTreeSet<String>,
    /// The file that declares the modules of the crate that serves; empty where that is not clear. And what its package's
    /// library is called in others.
    pub crate_root: String,
    pub library: String,
    /// What imports from far away start with instead of `../../`.
    pub alias: Option<Alias>,
    /// Folders by the names that modules use (`lib`, `middleware`, …), relative to the root.
    pub layout: BTreeMap<String, String>,
}

/// A start of imports that stands for a folder: `@/` for `src`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alias {
    pub prefix: String,
    pub folder: String,
}

impl Alias {
    /// How a file of its folder is imported.
    pub fn of(&self, path: &str) -> Option<String> {
        let inside = match self.folder.as_str() {
            "." => path,
            folder => path.strip_prefix(folder)?.strip_prefix('/')?,
        };
        Some(format!("{}{inside}", self.prefix))
    }
}

impl Default for Conventions {
    fn default() -> Self {
        Conventions {
            typescript: true,
            modules: true,
            double_quotes: true,
            semicolons: true,
            indent: "  ".to_owned(),
            crlf: false,
            import_extensions: false,
            extension: "ts".to_owned(),
            manager: Manager::default(),
            runner: Runner::default(),
            outdated_runner: false,
            import_root: ".".to_owned(),
            packages: BTreeSet::new(),
            crate_root: String::new(),
            library: String::new(),
            alias: None,
            layout: BTreeMap::new(),
        }
    }
}

impl Conventions {
    pub fn line_break(&self) -> &'static str {
        if self.crlf { "\r\n" } else { "\n" }
    }

    /// What the files of a service show; where they show nothing, what is usual.
    /// `app_path` is the file that makes the application.
    pub fn of(project: &Project, id: ServiceId, stack: &Stack, app_path: Option<&str>) -> Conventions {
        let service = project.service(id);
        let is_python = stack.ecosystem == Ecosystem::Pypi;
        let is_rust = stack.ecosystem == Ecosystem::Crates;
        let kind = match stack.ecosystem {
            Ecosystem::Pypi => FileKind::Python,
            Ecosystem::Crates => FileKind::Rust,
            _ => FileKind::JavaScript,
        };
        let sample = Sample::of(project, id, kind);
        let habits = &sample.habits;
        let typescript = service.languages.iter().any(|language| language == "typescript");
        let manifest = manifest(project, service);
        let modules = typescript || stack.bundled || uses_modules(habits, manifest.as_ref());
        let is_node_module =
            manifest.as_ref().is_some_and(|p| p.get("type").and_then(|t| t.as_text()) == Some("module"));
        let extension = match stack.ecosystem {
            Ecosystem::Pypi => "py".to_owned(),
            Ecosystem::Crates => "rs".to_owned(),
            _ => extension(typescript, modules, is_node_module, &sample.extensions),
        };
        let runner = stack.runner(service);
        let import_root = sample.import_root(project, &service.path);
        let crate_root = if is_rust { crates::root(project, &service.path, app_path) } else { String::new() };
        let package = match is_rust {
            true => crate_root.rsplit_once('/').map(|(folder, _)| folder.to_owned()),
            false => app_path.and_then(|path| package_of(project, path, &import_root)),
        };
        Conventions {
            typescript,
            modules,
            double_quotes: habits.double_quotes >= habits.single_quotes,
            semicolons: habits.semicolons >= habits.no_semicolons,
            indent: habits.indent().unwrap_or(if is_python || is_rust { "    " } else { "  " }).to_owned(),
            crlf: sample.crlf * 2 > sample.files,
            import_extensions: match (habits.with_extension, habits.without_extension) {
                (0, 0) => modules && !stack.bundled && (!typescript || is_node_module),
                (with, without) => modules && with >= without,
            },
            extension,
            manager: stack.manager(project, id),
            outdated_runner: is_older(service, &runner),
            runner,
            packages: if is_python { packages(project, &import_root) } else { BTreeSet::new() },
            import_root,
            library: if is_rust { crates::library(project, &service.path) } else { String::new() },
            crate_root,
            alias: alias(project, &service.path).filter(|alias| sample.uses(&alias.prefix)),
            layout: layout(project, id, stack, package.as_deref()),
        }
    }

    /// Where a file of a module goes: `lib/logger.ts` in the project's own folder, with its extension.
    pub fn path_of(&self, to: &str) -> Option<String> {
        let path = place(to, &self.layout)?;
        Some(match path.rsplit_once('.') {
            Some((stem, "ts")) if kind_of(&path) == FileKind::JavaScript => format!("{stem}.{}", self.extension),
            Some((stem, "tsx")) if !self.typescript => format!("{stem}.jsx"),
            _ => path,
        })
    }

    /// The extension that relative imports name, if they do.
    pub fn import_extension(&self) -> &str {
        match (self.import_extensions || self.extension == "mjs", self.extension.as_str()) {
            (false, _) => "",
            (true, "mjs") => ".mjs",
            (true, "cjs") => ".cjs",
            (true, _) => ".js",
        }
    }
}

/// The stack's folders, with the migrations beside the only schema of the service.
fn layout(project: &Project, id: ServiceId, stack: &Stack, package: Option<&str>) -> BTreeMap<String, String> {
    let mut layout = stack.layout_of(project, &project.service(id).path, package);
    let schema = |file: &&crate::project::File| file.kind == FileKind::Prisma && file.service == id;
    let mut schemas = project.files.iter().filter(schema);
    if let (Some(only), None) = (schemas.next(), schemas.next())
        && let Some((folder, _)) = only.path.rsplit_once('/')
        && let Some(migrations) = layout.get_mut("migrations")
    {
        *migrations = joined(folder, "migrations");
    }
    layout
}

/// The first alias for a folder that the compiler is told (`"paths": { "@/*": ["./src/*"] }`).
fn alias(project: &Project, service: &str) -> Option<Alias> {
    ["tsconfig.json", "jsconfig.json"].iter().find_map(|name| {
        let bytes = project.read(project.find(&joined(service, name))?).ok()?;
        let options = json::parse(decode(&bytes).ok()?).ok()?.get("compilerOptions")?.clone();
        let base = options.get("baseUrl").and_then(|base| base.as_text()).unwrap_or(".").trim_start_matches("./");
        let base = joined(service, base.trim_end_matches('/'));
        options.get("paths")?.entries().iter().find_map(|entry| {
            let prefix = entry.key.strip_suffix('*').filter(|prefix| !prefix.is_empty() && !prefix.starts_with('.'))?;
            let target = entry.value.items().first()?.as_text()?.strip_suffix("/*")?.trim_start_matches("./");
            let target = if target.is_empty() { "." } else { target };
            (!target.contains("..")).then(|| Alias { prefix: prefix.to_owned(), folder: joined(&base, target) })
        })
    })
}

fn manifest(project: &Project, service: &Service) -> Option<crate::syntax::Node> {
    let bytes = project.read(service.manifest?).ok()?;
    json::parse(decode(&bytes).ok()?).ok()
}

fn uses_modules(habits: &Habits, package: Option<&crate::syntax::Node>) -> bool {
    match (habits.imports, habits.requires) {
        (0, 0) => package.and_then(|p| p.get("type")).and_then(|t| t.as_text()) == Some("module"),
        (imports, requires) => imports > requires,
    }
}

/// A `.js` file is a module only if the manifest says so: others need an extension of their own, unless something
/// compiles them.
fn extension(typescript: bool, modules: bool, is_node_module: bool, seen: &BTreeMap<String, usize>) -> String {
    let has = |name: &str| seen.get(name).copied().unwrap_or(0);
    let extension = match (typescript, modules, is_node_module) {
        (true, ..) => "ts",
        (false, true, false) if has("mjs") > has("js") => "mjs",
        (false, false, true) => "cjs",
        _ => "js",
    };
    extension.to_owned()
}

#[derive(Default)]
struct Sample {
    habits: Habits,
    extensions: BTreeMap<String, usize>,
    files: usize,
    crlf: usize,
    /// What is imported, with dots as slashes.
    imported: BTreeSet<String>,
}

impl Sample {
    fn of(project: &Project, id: ServiceId, kind: FileKind) -> Sample {
        let mut sample = Sample::default();
        let is_ours =
            |file: &&crate::project::File| file.service == id && file.kind == kind && file.area == Area::Server;
        for file in project.files.iter().filter(is_ours).take(SAMPLE) {
            let Ok(bytes) = project.tree.read(&file.path, SOURCE_LIMIT) else { continue };
            let Ok(text) = decode(&bytes) else { continue };
            let Some(outline) = language::outline(&file.path, text) else { continue };
            sample.add(&file.path, text, &outline);
        }
        sample
    }

    fn add(&mut self, path: &str, text: &str, outline: &Outline) {
        self.habits.add(&outline.habits);
        self.imported.extend(outline.imports.iter().map(|import| import.specifier.replace('.', "/")));
        self.files += 1;
        self.crlf += usize::from(text.contains("\r\n"));
        if let Some((_, extension)) = path.rsplit_once('.') {
            *self.extensions.entry(extension.to_owned()).or_default() += 1;
        }
    }

    fn uses(&self, prefix: &str) -> bool {
        self.imported.iter().any(|specifier| specifier.starts_with(prefix))
    }

    /// The folder below which most of what is imported lies.
    fn import_root(&self, project: &Project, service: &str) -> String {
        let hits = |root: &String| {
            let found = self.imported.iter().filter(|path| {
                let path = joined(root, path);
                [".py", "/__init__.py"].iter().any(|ending| project.find(&format!("{path}{ending}")).is_some())
            });
            found.count()
        };
        let candidates = [service.to_owned(), joined(service, "src")];
        let [own, source] = &candidates;
        match (hits(own), hits(source)) {
            (0, 0) if holds_packages(project, source) => source.clone(),
            (in_own, in_source) if in_source > in_own => source.clone(),
            _ => own.clone(),
        }
    }
}

/// Whether packages lie in a folder that is none itself.
fn holds_packages(project: &Project, folder: &str) -> bool {
    let prefix = format!("{folder}/");
    let inside = project.files.iter().filter_map(|file| file.path.strip_prefix(&prefix));
    let is_init = |path: &str| path.split_once('/').is_some_and(|(_, rest)| rest == "__init__.py");
    project.find(&format!("{folder}/__init__.py")).is_none() && inside.into_iter().any(is_init)
}

/// The outermost package that holds a file, below the folder where imports start.
fn package_of(project: &Project, path: &str, import_root: &str) -> Option<String> {
    let is_package = |folder: &str| project.find(&joined(folder, "__init__.py")).is_some();
    let above = |folder: &str| folder.rsplit_once('/').map(|(above, _)| above.to_owned());
    let mut folder = above(path).filter(|folder| folder != import_root)?;
    while let Some(outer) = above(&folder).filter(|outer| outer != import_root && is_package(outer)) {
        folder = outer;
    }
    Some(folder)
}

/// The names of modules and packages right below a folder.
fn packages(project: &Project, root: &str) -> BTreeSet<String> {
    let prefix = if root == "." { String::new() } else { format!("{root}/") };
    let python = project.files.iter().filter(|file| file.kind == FileKind::Python);
    let inside = python.filter_map(|file| file.path.strip_prefix(&prefix));
    let first = inside.filter_map(|path| path.split('/').next());
    first.map(|name| name.strip_suffix(".py").unwrap_or(name).to_owned()).collect()
}

/// Whether a service asks for a test runner of before Node.js had what templates use.
fn is_older(service: &Service, runner: &Runner) -> bool {
    let asked = service.dependencies.get(&runner.package).and_then(|one| lowest(&one.version));
    asked.is_some_and(|version| version.major < runner.current_from)
}
