//! Type annotations: what a value of that type is.
//!
//! In goes a type of a module, out come instances of what it names.

use super::names::globals_of;
use super::thing::{MAX_THINGS, one};
use super::{Evaluator, Thing, Things};
use crate::facts::program::{Exported, ModuleId, Target};
use crate::syntax::hir::{Definition, Imported, Language, SymbolIdx, Type, TypeId, TypeRoot};

impl Evaluator<'_> {
    /// What a type annotation says that a value is.
    pub fn type_things(&mut self, module: ModuleId, ty: TypeId, depth: u8) -> Things {
        if depth > 8 {
            return Things::new();
        }
        let program = self.program;
        let hir = program.module(module);
        match hir.ty(ty) {
            Some(Type::Reference { root, path, args }) => {
                if let TypeRoot::Global(name) = root
                    && matches!(
                        hir.str(*name),
                        "Promise" | "Readonly" | "Partial" | "Required" | "NonNullable" | "Awaited" | "Pick" | "Omit"
                    )
                    && let Some(&inner) = args.first()
                {
                    return self.type_things(module, inner, depth + 1);
                }
                // Any function: calling it is not calling the constructor of that name.
                if matches!(root, TypeRoot::Global(name) if hir.str(*name) == "Function") {
                    return Things::new();
                }
                if let TypeRoot::Global(name) = root
                    && hir.str(*name) == "ReturnType"
                    && let Some(&inner) = args.first()
                {
                    let called = self.type_things(module, inner, depth + 1);
                    return self.called(called);
                }
                let roots = match root {
                    TypeRoot::Symbol(symbol) => self.type_symbol(module, *symbol, depth),
                    TypeRoot::Global(name) => {
                        let root = self.paths.root(globals_of(hir));
                        one(Thing::Path { path: self.paths.member(root, hir.str(*name)), site: None })
                    }
                    TypeRoot::Source(source) => self.source(module, *source, Imported::Namespace),
                };
                let mut found = roots;
                for name in path {
                    let name = hir.str(*name);
                    found = found.into_iter().flat_map(|thing| self.member(thing, name)).collect();
                }
                let mut found = self.instances(found);
                // What a library's wrapper holds is what its members are of: `State<App>`, `Result<Pool, Error>`.
                if hir.language == Language::Rust
                    && let Some(&inner) = args.first()
                    && found.iter().all(|thing| matches!(thing, Thing::Path { .. }))
                {
                    found.extend(self.type_things(module, inner, depth + 1));
                }
                found
            }
            Some(Type::Union(parts)) => {
                parts.iter().take(MAX_THINGS).flat_map(|&part| self.type_things(module, part, depth + 1)).collect()
            }
            Some(Type::Query { root, path }) => {
                let mut found = match root {
                    TypeRoot::Symbol(symbol) => self.symbol(module, *symbol),
                    _ => Things::new(),
                };
                for name in path {
                    let name = hir.str(*name);
                    found = found.into_iter().flat_map(|thing| self.member(thing, name)).collect();
                }
                found
            }
            _ => Things::new(),
        }
    }

    /// What calling a value of these types gives (`ReturnType<typeof create>`).
    fn called(&mut self, callees: Things) -> Things {
        let mut found = Things::new();
        for callee in callees {
            match callee {
                Thing::Path { path, .. } => found.push(Thing::Path { path: self.paths.result(path), site: None }),
                Thing::Function(function) => found.extend(self.returns(function)),
                _ => {}
            }
        }
        found
    }

    /// What a type's name stands for as the type of a value: an instance of the class.
    fn instances(&mut self, named: Things) -> Things {
        let mut found = Things::new();
        for thing in named {
            match thing {
                Thing::Class(module, class) => found.push(Thing::Instance(module, class)),
                Thing::Path { path, .. } if !self.paths.is_result(path) => {
                    found.push(thing);
                    found.push(Thing::Path { path: self.paths.result(path), site: None });
                }
                other => found.push(other),
            }
        }
        found
    }

    fn type_symbol(&mut self, module: ModuleId, symbol: SymbolIdx, depth: u8) -> Things {
        // Modules that import a name from each other would go round for ever.
        if depth > 8 {
            return Things::new();
        }
        let program = self.program;
        match &program.module(module).symbol(symbol).definition {
            Definition::TypeOnly(ty) => self.type_things(module, *ty, depth + 1),
            Definition::Variable { init, .. } if program.module(module).alias_type(*init).is_some() => {
                let ty = program.module(module).alias_type(*init).unwrap_or(TypeId::NONE);
                self.type_things(module, ty, depth + 1)
            }
            Definition::Import { source, name } => {
                let loaded = program.loaded(module);
                if let Target::Module(target) = &loaded.targets[source.0 as usize] {
                    return match program.export(*target, &loaded.module, *name) {
                        Some(Exported::Symbol(module, symbol)) => self.type_symbol(module, symbol, depth + 1),
                        Some(other) => self.exported(other),
                        None => Things::new(),
                    };
                }
                self.source(module, *source, *name)
            }
            _ => self.symbol(module, symbol),
        }
    }
}
