//! Names: what a symbol, an import or an export stands for.
//!
//! In goes a symbol or a source of a module, out come the things behind it.

use smallvec::SmallVec;

use super::thing::{dedup, one};
use super::{Evaluator, MAX_CALLERS, MAX_DEPTH, Thing, Things};
use crate::facts::program::{Exported, ExprRef, FunctionRef, ModuleId, Target};
use crate::syntax::hir::{Definition, ExprId, Imported, Language, Module, SourceIdx, Step, SymbolIdx, TypeId};

impl Evaluator<'_> {
    /// What a star import gives under the name that nothing else defines.
    fn brought_by_star(&mut self, module: ModuleId, name: &str) -> Things {
        let program = self.program;
        // What stands in the module itself under that name is of another name space: `#[get("/")] pub fn get()`.
        let is_elsewhere = |exported: &Exported| !matches!(exported, Exported::Symbol(of, _) if *of == module);
        if let Some(exported) = program.export_named(module, name).filter(is_elsewhere) {
            return self.exported(exported);
        }
        if let Some(own) = program.macro_of_crate(module, name) {
            return self.exported(own);
        }
        // `#[macro_use] extern crate log` at the root is in sight everywhere.
        let root = program.rust_root(module).filter(|&root| root != module);
        let of_root = root.into_iter().flat_map(|root| program.star_packages(root));
        let packages: SmallVec<[&str; 4]> = program.star_packages(module).chain(of_root).collect();
        packages
            .into_iter()
            .map(|package| {
                let root = self.paths.package(package);
                Thing::Path { path: self.paths.member(root, name), site: None }
            })
            .collect()
    }

    pub(super) fn source(&mut self, module: ModuleId, source: SourceIdx, name: Imported) -> Things {
        let program = self.program;
        let loaded = program.loaded(module);
        let root = match &loaded.targets[source.0 as usize] {
            Target::Module(target) => {
                let exported = program.export(*target, &loaded.module, name).or_else(|| match name {
                    Imported::Named(name) if loaded.module.language == Language::Rust => {
                        program.macro_named(loaded.module.str(name))
                    }
                    _ => None,
                });
                let mut found = exported.map_or_else(Things::new, |exported| self.exported(exported));
                if let Imported::Named(atom) = name {
                    let name = loaded.module.str(atom);
                    found.extend(self.value_beside_module(&found, name));
                }
                return found;
            }
            Target::Within(target, names) => {
                let mut found = one(Thing::Module(*target));
                let last = if let Imported::Named(atom) = name { Some(loaded.module.str(atom)) } else { None };
                for name in names.iter().map(|name| &**name).chain(last) {
                    found = found.into_iter().flat_map(|thing| self.member(thing, name)).collect();
                }
                return found;
            }
            Target::Package(package) if loaded.module.language == Language::Python => self.paths.dotted(package),
            // `use crate::controllers::*;`, then `users::list`: what a glob brings goes before crates.
            Target::Package(package) if loaded.module.language == Language::Rust && name == Imported::Namespace => {
                match program.export_named(module, package) {
                    Some(exported @ Exported::Namespace(of)) if of != module => return self.exported(exported),
                    _ => self.paths.package(package),
                }
            }
            Target::Package(package) => self.paths.package(package),
            Target::Missing => self.paths.root("?"),
        };
        let path = match name {
            Imported::Named(atom) => self.paths.member(root, loaded.module.str(atom)),
            _ => root,
        };
        one(Thing::Path { path, site: None })
    }

    /// In Rust a module and a function may share a name: `mod home; pub use home::*;` brings `home::home` as well.
    fn value_beside_module(&mut self, found: &Things, name: &str) -> Things {
        let program = self.program;
        let [Thing::Module(module)] = found.as_slice() else { return Things::new() };
        let is_rust = program.module(*module).language == Language::Rust;
        let inner = program.export_named(*module, name).filter(|_| is_rust);
        let mut things = inner.map_or_else(Things::new, |exported| self.exported(exported));
        things.retain(|thing| matches!(thing, Thing::Function(_)));
        things
    }

    pub fn exported(&mut self, exported: Exported) -> Things {
        match exported {
            Exported::Expr(at) => self.things(at),
            Exported::Symbol(module, symbol) => self.symbol(module, symbol),
            Exported::Namespace(module) => one(Thing::Module(module)),
            Exported::Package(module, source, name) => self.source(module, source, name),
        }
    }

    pub(super) fn exported_name(&mut self, module: ModuleId, name: &str) -> Things {
        match self.program.export_named(module, name) {
            Some(exported) => self.exported(exported),
            None => Things::new(),
        }
    }

    pub fn symbol(&mut self, module: ModuleId, symbol: SymbolIdx) -> Things {
        // Modules that re-export each other's names would go round for ever.
        if self.depth >= MAX_DEPTH {
            self.cut();
            return Things::new();
        }
        self.depth += 1;
        let found = self.symbol_things(module, symbol);
        self.depth -= 1;
        found
    }

    fn symbol_things(&mut self, module: ModuleId, symbol: SymbolIdx) -> Things {
        let program = self.program;
        let entry = program.module(module).symbol(symbol);
        match &entry.definition {
            Definition::Import { source, name } => self.source(module, *source, *name),
            Definition::Function(function) => one(Thing::Function(FunctionRef { module, function: *function })),
            Definition::Class(class) => one(Thing::Class(module, *class)),
            Definition::Variable { init, steps, default, annotation, .. } => {
                let mut found = self.things(ExprRef { module, expr: *init });
                found = self.follow(module, found, steps);
                if *default != ExprId::NONE {
                    found.extend(self.things(ExprRef { module, expr: *default }));
                }
                for value in entry.assigned.iter().take(MAX_CALLERS) {
                    found.extend(self.things(ExprRef { module, expr: *value }));
                }
                // What a library gives is of the type that is written there: `let order: Order = from_slice(body)?`.
                let is_rust = program.module(module).language == Language::Rust;
                let is_annotated = steps.is_empty() && *annotation != TypeId::NONE;
                if is_annotated && (is_rust || self.is_of_unknown(&found)) {
                    found.extend(self.type_things(module, *annotation, 0));
                }
                found
            }
            Definition::Parameter { function, index, steps, default, .. } => {
                self.parameter(module, *function, *index, steps, *default)
            }
            Definition::Element { of, keys: false, steps } => {
                let elements = self.elements_of(ExprRef { module, expr: *of });
                self.follow(module, elements, steps)
            }
            Definition::Unknown if program.module(module).from_star.contains(&symbol) => {
                let name = program.module(module).str(entry.name);
                self.brought_by_star(module, name)
            }
            _ => Things::new(),
        }
    }

    /// Is it nothing, or what a package gives that no stack knows: `const logger: Logger = Container.get("logger")`?
    fn is_of_unknown(&self, found: &Things) -> bool {
        found.iter().all(|thing| match thing {
            Thing::Path { path, .. } if self.paths.is_result(*path) => {
                let text = self.paths.text(*path);
                let package = text.split(['.', '(']).next().unwrap_or_default();
                !self.stacks.mentions_package(package)
            }
            _ => false,
        })
    }

    /// Follows a destructuring pattern.
    pub(super) fn follow(&mut self, module: ModuleId, things: Things, steps: &[Step]) -> Things {
        let mut things = things;
        for step in steps {
            let hir = self.program.module(module);
            things = match step {
                Step::Property(name) => {
                    let name = hir.str(*name);
                    things.into_iter().flat_map(|thing| self.member(thing, name)).collect()
                }
                Step::Index(index) => {
                    let name = index.to_string();
                    things.into_iter().flat_map(|thing| self.member(thing, &name)).collect()
                }
                Step::Rest => things,
            };
            dedup(&mut things);
        }
        things
    }
}

/// The root of the names that exist without being defined.
pub(super) fn globals_of(module: &Module) -> &'static str {
    match module.language {
        Language::Python => "builtins",
        _ => "global",
    }
}
