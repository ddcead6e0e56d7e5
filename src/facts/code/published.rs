//! Which server functions a page publishes: those of which the browser's code gets hold, and those that a component
//! passes on (`<form action={save}>`). A server component that merely calls one publishes nothing.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::program::{Exported, ModuleId, Program, Target};
use crate::syntax::hir::{Definition, ExprId, ExprKind, Imported, Module, SourceIdx, SymbolIdx};

/// What a module says of itself before its first statement. https://react.dev/reference/rsc/directives
const OF_BROWSER: &str = "use client";
const OF_SERVER: &str = "use server";

/// The server functions of a project of which the browser gets hold.
pub struct Published<'a, 'p> {
    program: &'a Program<'p>,
    found: FxHashSet<Exported>,
    seen: FxHashSet<Exported>,
    queue: Vec<Exported>,
    /// By module: its reads of names in their order.
    reads: FxHashMap<ModuleId, Vec<(u32, SymbolIdx)>>,
}

impl<'a, 'p> Published<'a, 'p> {
    pub fn of(program: &'a Program<'p>) -> Published<'a, 'p> {
        let mut published = Published {
            program,
            found: FxHashSet::default(),
            seen: FxHashSet::default(),
            queue: Vec::new(),
            reads: FxHashMap::default(),
        };
        for module in program.ids().filter(|&id| says(program.module(id), OF_BROWSER)) {
            published.mentioned_in(module, 0, u32::MAX);
        }
        for module in program.ids().filter(|&id| is_component(program.path(id))) {
            published.passed_on_by(module);
        }
        published
    }

    /// Does the browser get hold of what a module exports under that name?
    pub fn has(&self, module: ModuleId, name: &str) -> bool {
        self.program.export_named(module, name).is_some_and(|exported| self.found.contains(&exported))
    }

    /// Follows what a piece of a module mentions, from name to name, until that ends at server functions.
    fn mentioned_in(&mut self, module: ModuleId, start: u32, end: u32) {
        self.mentions(module, start, end);
        while let Some(exported) = self.queue.pop() {
            match exported {
                Exported::Symbol(owner, symbol) => self.defined(owner, symbol),
                Exported::Expr(at) => {
                    let expr = self.program.module(at.module).expr(at.expr);
                    self.mentions(at.module, expr.start, expr.end);
                }
                Exported::Namespace(owner) => self.mentions(owner, 0, u32::MAX),
                Exported::Package(..) => {}
            }
        }
    }

    /// Server functions are where the search ends; everything else is looked into once.
    fn enter(&mut self, exported: Exported) {
        let owner = match exported {
            Exported::Symbol(owner, _) | Exported::Namespace(owner) => owner,
            Exported::Expr(at) if at.expr != ExprId::NONE => at.module,
            Exported::Expr(_) | Exported::Package(..) => return,
        };
        if !says(self.program.module(owner), OF_SERVER) {
            if self.seen.insert(exported) {
                self.queue.push(exported);
            }
            return;
        }
        match exported {
            Exported::Namespace(_) => self.publish_all(owner),
            _ => {
                self.found.insert(exported);
            }
        }
    }

    fn publish_all(&mut self, owner: ModuleId) {
        let module = self.program.module(owner);
        let names = module.exports.iter().map(|export| module.str(export.name));
        let exported: Vec<Exported> = names.filter_map(|name| self.program.export_named(owner, name)).collect();
        self.found.extend(exported);
    }

    fn defined(&mut self, owner: ModuleId, symbol: SymbolIdx) {
        let module = self.program.module(owner);
        let entry = module.symbol(symbol);
        match entry.definition {
            Definition::Import { source, name } => self.imported(owner, source, name),
            Definition::Function(function) => {
                let function = module.function(function);
                self.mentions(owner, function.start, function.end);
            }
            Definition::Class(class) => {
                let class = module.class(class);
                self.mentions(owner, class.start, class.end);
            }
            Definition::Variable { init, .. } if init != ExprId::NONE => {
                let init = module.expr(init);
                self.mentions(owner, init.start, init.end);
            }
            _ => {}
        }
    }

    /// What stands behind the names that are read between two places.
    fn mentions(&mut self, owner: ModuleId, start: u32, end: u32) {
        let program = self.program;
        let module = program.module(owner);
        let reads = self.reads.entry(owner).or_insert_with(|| reads_of(module));
        let first = reads.partition_point(|&(at, _)| at < start);
        let symbols: Vec<SymbolIdx> =
            reads.iter().skip(first).take_while(|&&(at, _)| at < end).map(|&(_, symbol)| symbol).collect();
        for symbol in symbols {
            match module.symbol(symbol).definition {
                Definition::Import { source, name } => self.imported(owner, source, name),
                _ if module.symbol(symbol).function.0 == 0 => self.enter(Exported::Symbol(owner, symbol)),
                _ => {}
            }
        }
        let dynamic = (0..).map(SourceIdx).zip(&module.sources).filter(|(_, source)| source.dynamic);
        for (source, _) in dynamic.filter(|(_, source)| source.start >= start && source.end <= end) {
            self.imported(owner, source, Imported::Namespace);
        }
    }

    fn imported(&mut self, owner: ModuleId, source: SourceIdx, name: Imported) {
        let loaded = self.program.loaded(owner);
        let Some(&Target::Module(target)) = loaded.targets.get(source.0 as usize) else { return };
        let exported = match name {
            Imported::Namespace => Some(Exported::Namespace(target)),
            Imported::Default => self.program.export_named(target, "default"),
            Imported::Named(name) => self.program.export_named(target, loaded.module.str(name)),
        };
        if let Some(exported) = exported {
            self.enter(exported);
        }
    }

    /// Server functions that a component mentions without calling them.
    fn passed_on_by(&mut self, component: ModuleId) {
        let module = self.program.module(component);
        for symbol in &module.symbols {
            let Definition::Import { source, name } = symbol.definition else { continue };
            let Some(&Target::Module(target)) = self.program.loaded(component).targets.get(source.0 as usize) else {
                continue;
            };
            for &read in &symbol.reads {
                let (mention, name) = mention(module, read, name);
                let name = match name {
                    Imported::Named(name) => module.str(name),
                    Imported::Default => "default",
                    Imported::Namespace => continue,
                };
                let exported = self.program.export_named(target, name).filter(|_| !is_called(module, mention));
                self.found.extend(exported.filter(|&exported| self.is_of_server(exported)));
            }
        }
    }

    fn is_of_server(&self, exported: Exported) -> bool {
        match exported {
            Exported::Symbol(owner, _) => says(self.program.module(owner), OF_SERVER),
            Exported::Expr(at) => says(self.program.module(at.module), OF_SERVER),
            Exported::Namespace(_) | Exported::Package(..) => false,
        }
    }
}

/// Of a namespace, the member that is read of it: `actions.save`.
fn mention(module: &Module, read: ExprId, name: Imported) -> (ExprId, Imported) {
    let parent = module.expr(read).parent.some().filter(|_| name == Imported::Namespace);
    match parent.map(|parent| (parent, module.kind(parent))) {
        Some((parent, ExprKind::Member { object, name })) if object == read => (parent, Imported::Named(name)),
        _ => (read, name),
    }
}

fn is_called(module: &Module, expr: ExprId) -> bool {
    let parent = module.expr(expr).parent.some();
    parent.is_some_and(|parent| matches!(module.kind(parent), ExprKind::Call { callee, .. } if callee == expr))
}

fn reads_of(module: &Module) -> Vec<(u32, SymbolIdx)> {
    let symbols = (0..).map(SymbolIdx).zip(&module.symbols);
    let mut reads: Vec<(u32, SymbolIdx)> =
        symbols.flat_map(|(id, symbol)| symbol.reads.iter().map(move |&read| (module.expr(read).start, id))).collect();
    reads.sort_unstable();
    reads
}

fn says(module: &Module, directive: &str) -> bool {
    module.directives.iter().any(|&own| module.str(own) == directive)
}

fn is_component(path: &str) -> bool {
    path.ends_with(".tsx") || path.ends_with(".jsx")
}
