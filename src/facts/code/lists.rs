//! Routes that stand in lists (`urlpatterns = [path("x", view), path("api/", include("shop.urls"))]`): a list is a
//! router, and a mount may hang it into another list.

use rustc_hash::FxHashSet;

use crate::facts::program::{Exported, ExprRef, ModuleId, Target};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{Definition, ExprId, ExprKind, SymbolIdx};

/// Expressions around a registration that are looked at.
const MAX_AROUND: usize = 12;
const MAX_DEPTH: u8 = 8;
/// Lists that one mount hangs in.
const MAX_LISTS: usize = 64;

/// The list that a registration stands in: a literal, the call that it is an argument of, or what it is appended to.
pub(super) fn list_around(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Option<ExprRef> {
    let hir = evaluator.program.module(at.module);
    let mut child = at.expr;
    for _ in 0..MAX_AROUND {
        let parent = hir.expr(child).parent.some()?;
        match hir.kind(parent) {
            ExprKind::Array(_) => return Some(ExprRef { expr: parent, ..at }),
            ExprKind::Call { callee, .. } if callee != child => {
                let receiver = match hir.kind(callee) {
                    ExprKind::Member { object, .. } => Some(evaluator.origin(ExprRef { expr: object, ..at })),
                    _ => None,
                };
                let is_list = |list: &ExprRef| matches!(evaluator.program.kind(*list), ExprKind::Array(_));
                return Some(receiver.filter(is_list).unwrap_or(ExprRef { expr: parent, ..at }));
            }
            _ => child = parent,
        }
    }
    None
}

/// Finds the lists and routers that an expression stands for.
pub(super) struct Lists<'s> {
    /// Every list that something is registered in.
    pub known: &'s FxHashSet<ExprRef>,
    /// The variable that a module keeps its list in.
    pub name: &'s str,
}

impl Lists<'_> {
    pub fn of(&self, evaluator: &mut Evaluator<'_>, at: ExprRef) -> Vec<ExprRef> {
        let mut found = Vec::new();
        self.collect(evaluator, at, 0, &mut found);
        let mut seen = FxHashSet::default();
        found.retain(|site| seen.insert(*site));
        found
    }

    fn collect(&self, evaluator: &mut Evaluator<'_>, at: ExprRef, depth: u8, out: &mut Vec<ExprRef>) {
        if depth > MAX_DEPTH || out.len() >= MAX_LISTS || at.expr == ExprId::NONE {
            return;
        }
        if self.known.contains(&at) {
            out.push(at);
        }
        let hir = evaluator.program.module(at.module);
        let here = |expr| ExprRef { expr, ..at };
        match hir.kind(at.expr) {
            ExprKind::Str(text) => {
                if let Some(Exported::Namespace(module)) = evaluator.program.named(at.module, hir.str(text)) {
                    self.of_module(evaluator, module, depth, out);
                }
            }
            ExprKind::Array(run) => {
                let items = hir.list(run).filter(|&item| !matches!(hir.kind(item), ExprKind::Call { .. }));
                items.take(MAX_LISTS).for_each(|item| self.collect(evaluator, here(item), depth + 1, out));
            }
            ExprKind::Spread(inner) => self.collect(evaluator, here(inner), depth + 1, out),
            ExprKind::Binary { left, right, .. } | ExprKind::Logical { left, right, .. } => {
                self.collect(evaluator, here(left), depth + 1, out);
                self.collect(evaluator, here(right), depth + 1, out);
            }
            ExprKind::Conditional { branches, .. } => {
                hir.list(branches).for_each(|branch| self.collect(evaluator, here(branch), depth + 1, out));
            }
            ExprKind::Call { callee, args } => {
                self.returned(evaluator, here(callee), depth, out);
                hir.list(args).take(8).for_each(|argument| self.collect(evaluator, here(argument), depth + 1, out));
            }
            ExprKind::Ident(symbol) => self.of_symbol(evaluator, at.module, symbol, depth, out),
            ExprKind::Member { object, .. } => {
                if let Some(router) = router_of(evaluator, here(object)) {
                    out.push(router);
                }
                self.member(evaluator, at, here(object), depth, out);
            }
            _ => {}
        }
    }

    /// The lists that a function of the project gives back.
    fn returned(&self, evaluator: &mut Evaluator<'_>, callee: ExprRef, depth: u8, out: &mut Vec<ExprRef>) {
        for thing in evaluator.things(callee) {
            let Thing::Function(function) = thing else { continue };
            let returns = &evaluator.program.module(function.module).function(function.function).returns;
            for &expr in returns.iter().take(4) {
                self.collect(evaluator, ExprRef { module: function.module, expr }, depth + 1, out);
            }
        }
    }

    /// `shop.urls`, `urls.api_patterns`
    fn member(&self, evaluator: &mut Evaluator<'_>, at: ExprRef, object: ExprRef, depth: u8, out: &mut Vec<ExprRef>) {
        for thing in evaluator.things(at) {
            if let Thing::Module(module) = thing {
                self.of_module(evaluator, module, depth, out);
            }
        }
        let ExprKind::Member { name, .. } = evaluator.program.kind(at) else { return };
        let name = evaluator.program.module(at.module).str(name);
        for thing in evaluator.things(object) {
            if let Thing::Module(module) = thing
                && let Some(exported) = evaluator.program.export_named(module, name)
            {
                self.of_exported(evaluator, exported, depth, out);
            }
        }
    }

    fn of_module(&self, evaluator: &mut Evaluator<'_>, module: ModuleId, depth: u8, out: &mut Vec<ExprRef>) {
        if let Some(exported) = evaluator.program.export_named(module, self.name) {
            self.of_exported(evaluator, exported, depth, out);
        }
    }

    fn of_exported(&self, evaluator: &mut Evaluator<'_>, exported: Exported, depth: u8, out: &mut Vec<ExprRef>) {
        match exported {
            Exported::Expr(at) => self.collect(evaluator, at, depth + 1, out),
            Exported::Symbol(module, symbol) => self.of_symbol(evaluator, module, symbol, depth, out),
            Exported::Namespace(module) if depth < MAX_DEPTH => self.of_module(evaluator, module, depth + 1, out),
            _ => {}
        }
    }

    fn of_symbol(
        &self,
        evaluator: &mut Evaluator<'_>,
        module: ModuleId,
        symbol: SymbolIdx,
        depth: u8,
        out: &mut Vec<ExprRef>,
    ) {
        let loaded = evaluator.program.loaded(module);
        let entry = loaded.module.symbol(symbol);
        match &entry.definition {
            Definition::Variable { init, .. } => {
                for &expr in std::iter::once(init).chain(&entry.assigned).take(MAX_LISTS) {
                    self.collect(evaluator, ExprRef { module, expr }, depth + 1, out);
                }
            }
            Definition::Import { source, name } => {
                if let Target::Module(target) = loaded.targets[source.0 as usize]
                    && let Some(exported) = evaluator.program.export(target, &loaded.module, *name)
                {
                    self.of_exported(evaluator, exported, depth + 1, out);
                }
            }
            _ => {}
        }
    }
}

/// The call that made a router.
fn router_of(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Option<ExprRef> {
    let types = &evaluator.stacks.router_types;
    evaluator.things(at).into_iter().find_map(|thing| match thing {
        Thing::Path { path, site: Some(site) } if evaluator.is_any_type(path, types) => Some(site),
        _ => None,
    })
}
