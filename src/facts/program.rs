//! All modules of a project together: which import leads where, and what a module exports.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::macros::{Macros, declared_macros, leave_with_macros};
use super::model::FunctionId;
use crate::project::{FileId, Project};
use crate::syntax::hir::{
    Atom, Definition, Export, ExportTarget, ExprId, ExprKind, FunctionIdx, Imported, Language, Module, PropKind,
    Source, SourceIdx, SymbolIdx,
};

/// Index into [`Program::modules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(pub u32);

/// An expression of some module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprRef {
    pub module: ModuleId,
    pub expr: ExprId,
}

/// A function of some module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionRef {
    pub module: ModuleId,
    pub function: FunctionIdx,
}

/// Where an import leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Module(ModuleId),
    /// Names inside a module: `use crate::shapes::Shape::Circle`.
    Within(ModuleId, Arc<[Box<str>]>),
    /// A package, with its subpath (`next/server`).
    Package(Arc<str>),
    /// A file of the project that is no module (JSON, CSS), or a path that leads nowhere.
    Missing,
}

pub struct Loaded {
    pub file: FileId,
    pub module: Module,
    /// By import, where it leads.
    pub targets: Vec<Target>,
    first_function: u32,
    /// Latest export of each name.
    exports: FxHashMap<Box<str>, usize>,
    /// What names stood for that were asked of a module that passes on the exports of others.
    looked_up: Mutex<FxHashMap<Box<str>, Option<Exported>>>,
    /// `x.name = value`, by the symbol of `x`.
    assigned: FxHashMap<SymbolIdx, Vec<(Atom, ExprId)>>,
}

/// What an exported name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exported {
    Expr(ExprRef),
    Symbol(ModuleId, SymbolIdx),
    /// A whole module.
    Namespace(ModuleId),
    /// Passed on from a package: `export { x } from "pkg"`.
    Package(ModuleId, SourceIdx, Imported),
}

pub struct Program<'p> {
    pub project: &'p Project,
    pub modules: Vec<Loaded>,
    by_file: FxHashMap<FileId, ModuleId>,
    macros: Macros,
}

/// How an import specifier is resolved: the project layer knows files, workspaces and path mappings.
pub trait Resolver: Sync {
    fn resolve(&self, from: FileId, specifier: &str) -> Resolution;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    File(FileId),
    Within(FileId, Vec<Box<str>>),
    Package(String),
    Missing,
}

/// By import of a module, where it leads.
fn targets(
    file: FileId,
    module: &Module,
    resolver: &dyn Resolver,
    by_file: &FxHashMap<FileId, ModuleId>,
) -> Vec<Target> {
    let found = |file: FileId| by_file.get(&file).copied();
    let target = |(index, source): (usize, &Source)| match resolver.resolve(file, module.str(source.specifier)) {
        Resolution::File(file) => found(file).map_or(Target::Missing, Target::Module),
        Resolution::Within(file, names) => {
            found(file).map_or(Target::Missing, |module| Target::Within(module, names.into()))
        }
        Resolution::Package(_) if is_submodule(module, index) => Target::Missing,
        Resolution::Package(name) => Target::Package(name.into()),
        Resolution::Missing => Target::Missing,
    };
    module.sources.iter().enumerate().map(target).collect()
}

/// Reads the rest of the outlines that other code can reach: it may run what is in them.
fn complete(modules: &mut [(FileId, Module)], targets: &[Vec<Target>], whole: &Whole<'_>) {
    let mut is_reached: Vec<bool> = modules.iter().map(|(_, module)| !module.is_outline).collect();
    let mut queue: Vec<usize> = (0..modules.len()).filter(|&index| is_reached[index]).collect();
    let mut wanted = Vec::new();
    while let Some(importer) = queue.pop() {
        for target in &targets[importer] {
            if let Target::Module(ModuleId(index)) | Target::Within(ModuleId(index), _) = target
                && !std::mem::replace(&mut is_reached[*index as usize], true)
            {
                wanted.push(*index as usize);
                queue.push(*index as usize);
            }
        }
    }
    let read = wanted.into_par_iter().filter_map(|index| Some((index, whole(modules[index].0)?)));
    for (index, module) in read.collect::<Vec<_>>() {
        modules[index].1 = module;
    }
}

/// Reads a module of which there is only an outline; none if that fails.
pub type Whole<'w> = dyn Fn(FileId) -> Option<Module> + Sync + 'w;

impl<'p> Program<'p> {
    /// `modules` sorted by file.
    pub fn new(
        project: &'p Project,
        modules: Vec<(FileId, Module)>,
        resolver: &dyn Resolver,
        whole: &Whole<'_>,
    ) -> Program<'p> {
        let mut modules = modules;
        let by_file: FxHashMap<FileId, ModuleId> = modules
            .iter()
            .enumerate()
            .map(|(index, (file, _))| (*file, ModuleId(u32::try_from(index).unwrap_or(u32::MAX))))
            .collect();
        let targets: Vec<Vec<Target>> =
            modules.par_iter().map(|(file, module)| targets(*file, module, resolver, &by_file)).collect();
        complete(&mut modules, &targets, whole);
        leave_with_macros(&mut modules);
        let macros = declared_macros(&modules);
        let mut loaded: Vec<Loaded> = modules
            .into_par_iter()
            .zip(targets)
            .map(|((file, module), targets)| {
                let named = |(index, export): (usize, &Export)| (Box::from(module.str(export.name)), index);
                let exports = module.exports.iter().enumerate().map(named).collect();
                let assigned = property_assignments(&module);
                Loaded { file, module, targets, first_function: 0, exports, looked_up: Mutex::default(), assigned }
            })
            .collect();
        let mut first_function = 0;
        for loaded in &mut loaded {
            loaded.first_function = first_function;
            first_function += u32::try_from(loaded.module.functions.len()).unwrap_or(0);
        }
        let mut program = Program { project, modules: loaded, by_file, macros };
        program.settle_python_imports();
        // What was asked on the way may stand for something else now.
        program.modules.iter_mut().for_each(|loaded| loaded.looked_up = Mutex::default());
        program
    }

    /// The root of the crate that a module of Rust belongs to.
    pub fn rust_root(&self, id: ModuleId) -> Option<ModuleId> {
        let loaded = self.loaded(id);
        let is_root = |source: &crate::syntax::hir::Source| loaded.module.str(source.specifier) == "crate";
        let at = loaded.module.sources.iter().position(is_root)?;
        match loaded.targets.get(at)? {
            Target::Module(root) if loaded.module.language == Language::Rust => Some(*root),
            _ => None,
        }
    }

    /// The macro of the project that is called so.
    pub fn macro_named(&self, name: &str) -> Option<Exported> {
        let &(module, symbol) = self.macros.get(name)?;
        Some(Exported::Symbol(module, symbol))
    }

    /// The macro that a module of the same crate writes: those of other crates have to be imported.
    pub fn macro_of_crate(&self, id: ModuleId, name: &str) -> Option<Exported> {
        let &(module, symbol) = self.macros.get(name)?;
        let crate_of = |id: ModuleId| self.project.file(self.loaded(id).file).service;
        let is_own = self.module(id).language == Language::Rust && crate_of(module) == crate_of(id);
        is_own.then_some(Exported::Symbol(module, symbol))
    }

    pub fn loaded(&self, id: ModuleId) -> &Loaded {
        &self.modules[id.0 as usize]
    }

    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0 as usize].module
    }

    pub fn of_file(&self, file: FileId) -> Option<ModuleId> {
        self.by_file.get(&file).copied()
    }

    pub fn path(&self, id: ModuleId) -> &str {
        &self.project.file(self.loaded(id).file).path
    }

    pub fn ids(&self) -> impl Iterator<Item = ModuleId> + use<> {
        (0..u32::try_from(self.modules.len()).unwrap_or(u32::MAX)).map(ModuleId)
    }

    pub fn kind(&self, at: ExprRef) -> ExprKind {
        self.module(at.module).kind(at.expr)
    }

    pub fn number(&self, function: FunctionRef) -> FunctionId {
        FunctionId(self.loaded(function.module).first_function + function.function.0)
    }

    pub fn function_count(&self) -> usize {
        self.modules.last().map_or(0, |last| last.first_function as usize + last.module.functions.len())
    }

    pub fn function_at(&self, id: FunctionId) -> FunctionRef {
        let index = self.modules.partition_point(|loaded| loaded.first_function <= id.0).saturating_sub(1);
        FunctionRef {
            module: ModuleId(u32::try_from(index).unwrap_or(0)),
            function: FunctionIdx(id.0 - self.modules[index].first_function),
        }
    }

    /// What an import of `name` by `importer` gives; follows re-exports.
    pub fn export<'a>(&'a self, id: ModuleId, importer: &'a Module, name: Imported) -> Option<Exported> {
        match name {
            Imported::Named(atom) => self.export_named(id, importer.str(atom)),
            _ => self.export_within(id, importer, name, &mut Asked::new()),
        }
    }

    fn export_within<'a>(
        &'a self,
        id: ModuleId,
        importer: &'a Module,
        name: Imported,
        asked: &mut Asked<'a>,
    ) -> Option<Exported> {
        match name {
            Imported::Namespace => Some(self.namespace(id)),
            Imported::Default => self.export_text(self.loaded(id), id, "default", asked),
            Imported::Named(atom) => self.export_text(self.loaded(id), id, importer.str(atom), asked),
        }
    }

    /// What is assigned to a property of a variable.
    pub fn assigned_to<'a>(
        &'a self,
        module: ModuleId,
        symbol: SymbolIdx,
        name: &'a str,
    ) -> impl Iterator<Item = ExprId> + use<'a> {
        let loaded = self.loaded(module);
        let all = loaded.assigned.get(&symbol).into_iter().flatten();
        all.filter(move |(atom, _)| loaded.module.str(*atom) == name).map(|(_, value)| *value)
    }

    /// What is assigned to a property of the variable that an object literal is kept in.
    pub fn assigned_to_literal<'a>(&'a self, at: ExprRef, name: &'a str) -> impl Iterator<Item = ExprId> + use<'a> {
        let module = self.module(at.module);
        let keeper = self.loaded(at.module).assigned.keys().copied().find(|&symbol| {
            matches!(&module.symbol(symbol).definition,
                Definition::Variable { init, steps, .. } if *init == at.expr && steps.is_empty())
        });
        keeper.into_iter().flat_map(move |symbol| self.assigned_to(at.module, symbol, name))
    }

    /// What is assigned to the properties of a variable, whatever they are called.
    pub fn assigned_fields(&self, module: ModuleId, symbol: SymbolIdx) -> &[(Atom, ExprId)] {
        self.loaded(module).assigned.get(&symbol).map_or(&[], Vec::as_slice)
    }

    /// The export of that name; names differ in atoms between modules, so text decides.
    pub fn export_named<'a>(&'a self, id: ModuleId, name: &'a str) -> Option<Exported> {
        let loaded = self.loaded(id);
        if loaded.module.star_exports.is_empty() {
            return self.export_text(loaded, id, name, &mut Asked::new());
        }
        let known = loaded.looked_up.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        known.unwrap_or_else(|| {
            let found = self.export_text(loaded, id, name, &mut Asked::new());
            loaded.looked_up.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into(), found);
            found
        })
    }

    /// The packages whose names a star import may bring into a module, or into the root of its crate.
    pub fn star_packages(&self, id: ModuleId) -> impl Iterator<Item = &str> {
        let loaded = self.loaded(id);
        let root = loaded.module.sources.iter().zip(&loaded.targets).find_map(|(source, target)| match target {
            Target::Module(root) if loaded.module.str(source.specifier) == "crate" => Some(*root),
            _ => None,
        });
        let all = [Some(id), root.filter(|root| *root != id)].into_iter().flatten().map(|id| self.loaded(id));
        all.flat_map(|loaded| {
            loaded.module.star_exports.iter().filter_map(|source| match &loaded.targets[source.0 as usize] {
                Target::Package(package) => Some(&**package),
                _ => None,
            })
        })
    }

    fn export_text<'a>(
        &'a self,
        loaded: &'a Loaded,
        id: ModuleId,
        name: &'a str,
        asked: &mut Asked<'a>,
    ) -> Option<Exported> {
        if asked.len() >= MAX_ASKED || asked.contains(&(id, name)) {
            return None;
        }
        asked.push((id, name));
        if let Some(&index) = loaded.exports.get(name) {
            return self.target(loaded, id, &loaded.module.exports[index].target, asked);
        }
        if let Some(&last) = loaded.module.commonjs.last() {
            if name == "default" {
                return Some(Exported::Expr(ExprRef { module: id, expr: last }));
            }
            if let ExprKind::Object(run) = loaded.module.kind(last) {
                let props = loaded.module.object(run);
                let found = props
                    .iter()
                    .rev()
                    .find(|p| p.kind != PropKind::Spread && p.key.is_some_and(|key| loaded.module.str(key) == name));
                if let Some(prop) = found {
                    return Some(Exported::Expr(ExprRef { module: id, expr: prop.value }));
                }
            }
        }
        if name == "default" {
            return None;
        }
        loaded.module.star_exports.iter().find_map(|source| {
            let next = self.target_module(&loaded.targets[source.0 as usize], asked)?;
            self.export_text(self.loaded(next), next, name, asked)
        })
    }

    fn target<'a>(
        &'a self,
        loaded: &'a Loaded,
        id: ModuleId,
        target: &ExportTarget,
        asked: &mut Asked<'a>,
    ) -> Option<Exported> {
        match target {
            // `use crate::User` in a module that the crate exports as a whole: whoever asks the crate comes round.
            ExportTarget::Symbol(symbol) if self.comes_round(loaded, *symbol, asked) => None,
            ExportTarget::Symbol(symbol) => {
                Some(self.passed_on(loaded, *symbol, asked).unwrap_or(Exported::Symbol(id, *symbol)))
            }
            ExportTarget::Expr(expr) => Some(Exported::Expr(ExprRef { module: id, expr: *expr })),
            ExportTarget::Reexport { source, name } => match &loaded.targets[source.0 as usize] {
                Target::Module(next) => self.export_within(*next, &loaded.module, *name, asked),
                Target::Package(_) => Some(Exported::Package(id, *source, *name)),
                Target::Within(..) | Target::Missing => None,
            },
        }
    }

    /// What a name stands for that a module itself imports from another of the project.
    fn passed_on<'a>(&'a self, loaded: &'a Loaded, symbol: SymbolIdx, asked: &mut Asked<'a>) -> Option<Exported> {
        let Definition::Import { source, name } = loaded.module.symbol(symbol).definition else { return None };
        if loaded.module.language != Language::Rust {
            return None;
        }
        let inside = self.target_module(&loaded.targets[source.0 as usize], asked)?;
        self.export_within(inside, &loaded.module, name, asked)
    }

    /// Does a name of Rust stand for one that is being looked up already?
    fn comes_round(&self, loaded: &Loaded, symbol: SymbolIdx, asked: &Asked<'_>) -> bool {
        let Definition::Import { source, name: Imported::Named(name) } = loaded.module.symbol(symbol).definition else {
            return false;
        };
        match loaded.targets[source.0 as usize] {
            Target::Module(inside) if loaded.module.language == Language::Rust => {
                asked.contains(&(inside, loaded.module.str(name)))
            }
            _ => false,
        }
    }

    /// The module that an import leads to, where what it names inside another is a module itself.
    fn target_module<'a>(&'a self, target: &'a Target, asked: &mut Asked<'a>) -> Option<ModuleId> {
        let (start, names) = match target {
            Target::Module(module) => return Some(*module),
            Target::Within(module, names) => (*module, names),
            Target::Package(_) | Target::Missing => return None,
        };
        names.iter().try_fold(start, |module, name| {
            match self.export_text(self.loaded(module), module, name, asked)? {
                Exported::Namespace(next) => Some(next),
                _ => None,
            }
        })
    }

    /// A whole module as a value: `module.exports = x` is `x` itself.
    pub fn namespace(&self, id: ModuleId) -> Exported {
        match self.loaded(id).module.commonjs.last() {
            Some(&expr) => Exported::Expr(ExprRef { module: id, expr }),
            None => Exported::Namespace(id),
        }
    }

    /// The names of what `module.exports = { … }` lists.
    fn properties(&self, id: ModuleId, expr: ExprId) -> Vec<(String, Exported)> {
        let module = self.module(id);
        let ExprKind::Object(run) = module.kind(expr) else { return Vec::new() };
        let named = module.object(run).iter().filter(|property| property.kind == PropKind::Value);
        let exported = |expr| Exported::Expr(ExprRef { module: id, expr });
        named.filter_map(|property| Some((module.str(property.key?).to_owned(), exported(property.value)))).collect()
    }

    /// The exported names with the place of each.
    pub fn exports(&self, id: ModuleId) -> Vec<(String, Exported)> {
        let loaded = self.loaded(id);
        let mut names: Vec<(String, Exported)> = loaded
            .module
            .exports
            .iter()
            .filter_map(|export| {
                let target = self.target(loaded, id, &export.target, &mut Asked::new())?;
                Some((loaded.module.str(export.name).to_owned(), target))
            })
            .collect();
        if let Some(&expr) = loaded.module.commonjs.last() {
            names.push(("default".to_owned(), Exported::Expr(ExprRef { module: id, expr })));
            names.extend(self.properties(id, expr));
        }
        names
    }
}

/// The exports that one question has led to: each is looked up once, else circles of `export *` multiply.
type Asked<'a> = SmallVec<[(ModuleId, &'a str); 8]>;

/// One question goes through this many modules.
const MAX_ASKED: usize = 256;

/// A source that counts only where it leads to a module of the project.
fn is_submodule(module: &Module, source: usize) -> bool {
    let source = SourceIdx(u32::try_from(source).unwrap_or(u32::MAX));
    module.submodules.binary_search(&source).is_ok()
}

fn property_assignments(module: &Module) -> FxHashMap<SymbolIdx, Vec<(Atom, ExprId)>> {
    let mut found: FxHashMap<SymbolIdx, Vec<(Atom, ExprId)>> = FxHashMap::default();
    for expr in &module.exprs {
        if let ExprKind::Assign { target, value, .. } = expr.kind
            && let ExprKind::Member { object, name } = module.kind(target)
            && let ExprKind::Ident(symbol) = module.kind(object)
        {
            found.entry(symbol).or_default().push((name, value));
        }
    }
    found
}
