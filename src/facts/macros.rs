//! Macros of the project: where they leave the function that calls them, and which one a name means.

use rustc_hash::{FxHashMap, FxHashSet};

use super::program::ModuleId;
use crate::project::FileId;
use crate::syntax::hir::{ContextId, ExportTarget, Module, SymbolIdx};

/// The macros of a project by their names: they are in sight wherever they are used.
pub(super) type Macros = FxHashMap<Box<str>, (ModuleId, SymbolIdx)>;

/// Marks the branches that end in a macro which leaves its caller: `Err(_) => refuse!("…")`.
pub(super) fn leave_with_macros(modules: &mut [(FileId, Module)]) {
    let names: FxHashSet<Box<str>> = modules
        .iter()
        .flat_map(|(_, module)| module.leaving_macros.iter().map(|&name| Box::from(module.str(name))))
        .collect();
    if names.is_empty() {
        return;
    }
    for (_, module) in modules {
        let calls = module.macro_calls.iter().filter(|(name, _)| names.contains(module.str(*name)));
        let left: Vec<ContextId> = calls.map(|(_, context)| *context).collect();
        left.into_iter().for_each(|context| module.leave(context));
    }
}

/// The macros that modules declare; of several with one name, the first.
pub(super) fn declared_macros(modules: &[(FileId, Module)]) -> Macros {
    let mut found = Macros::default();
    for (index, (_, module)) in modules.iter().enumerate() {
        for export in &module.exports {
            let (Some(name), &ExportTarget::Symbol(symbol)) =
                (module.str(export.name).strip_suffix('!'), &export.target)
            else {
                continue;
            };
            let id = ModuleId(u32::try_from(index).unwrap_or(u32::MAX));
            found.entry(name.into()).or_insert((id, symbol));
        }
    }
    found
}
