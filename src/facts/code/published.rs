//! Which modules of server functions a page publishes: those that the browser's code imports, and those of which a
//! component passes a function on (`<form action={save}>`). A server component that merely calls one publishes none.

use rustc_hash::FxHashSet;

use crate::facts::program::{ModuleId, Program, Target};
use crate::syntax::hir::{Definition, ExprKind, Imported, Module, SourceIdx};

/// What a module says of itself before its first statement. https://react.dev/reference/rsc/directives
const OF_BROWSER: &str = "use client";
const OF_SERVER: &str = "use server";

/// Modules of server functions of which the browser gets hold.
pub fn published_modules(program: &Program<'_>) -> FxHashSet<ModuleId> {
    let mut published = FxHashSet::default();
    let mut seen: FxHashSet<ModuleId> = program.ids().filter(|&id| says(program.module(id), OF_BROWSER)).collect();
    let mut queue: Vec<ModuleId> = seen.iter().copied().collect();
    while let Some(module) = queue.pop() {
        for target in imports(program, module) {
            if says(program.module(target), OF_SERVER) {
                published.insert(target);
            } else if seen.insert(target) {
                queue.push(target);
            }
        }
    }
    for module in program.ids().filter(|&id| is_component(program.path(id))) {
        published.extend(passed_on(program, module));
    }
    published
}

fn says(module: &Module, directive: &str) -> bool {
    module.directives.iter().any(|&own| module.str(own) == directive)
}

fn is_component(path: &str) -> bool {
    path.ends_with(".tsx") || path.ends_with(".jsx")
}

/// The modules that a module imports when it runs.
fn imports<'a>(program: &'a Program<'_>, module: ModuleId) -> impl Iterator<Item = ModuleId> + use<'a> {
    let loaded = program.loaded(module);
    loaded.module.sources.iter().zip(&loaded.targets).filter_map(|(source, target)| match target {
        Target::Module(target) if !source.type_only => Some(*target),
        _ => None,
    })
}

/// The modules of server functions of which a component mentions a function without calling it.
fn passed_on(program: &Program<'_>, component: ModuleId) -> Vec<ModuleId> {
    let module = program.module(component);
    let mut found = Vec::new();
    for symbol in &module.symbols {
        let Definition::Import { source, name } = &symbol.definition else { continue };
        let mentioned = symbol.reads.iter().any(|&read| match module.expr(read).parent.some() {
            Some(parent) => match module.kind(parent) {
                ExprKind::Call { callee, .. } => callee != read,
                // `actions.save()`
                ExprKind::Member { .. } => *name != Imported::Namespace,
                _ => true,
            },
            None => true,
        });
        if mentioned {
            found.extend(server_modules_at(program, component, *source));
        }
    }
    found
}

/// The module of server functions that an import leads to, by itself or through a module that only passes it on.
fn server_modules_at(program: &Program<'_>, module: ModuleId, source: SourceIdx) -> Vec<ModuleId> {
    let Some(Target::Module(target)) = program.loaded(module).targets.get(source.0 as usize) else {
        return Vec::new();
    };
    let entry = program.module(*target);
    if says(entry, OF_SERVER) {
        return vec![*target];
    }
    let only_passes_on = entry.functions.len() <= 1;
    let inner = imports(program, *target).filter(|_| only_passes_on);
    inner.filter(|&inner| says(program.module(inner), OF_SERVER)).collect()
}
