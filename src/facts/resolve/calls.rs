//! Calls: what calling a thing gives.
//!
//! In go the callee and the place of the call, out come the things that it returns.

use smallvec::SmallVec;

use super::thing::{MAX_THINGS, dedup};
use super::{Evaluator, Thing, Things};
use crate::facts::paths::PathId;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::syntax::hir::{ClassIdx, ExprId, ExprKind, Language, Run};

impl Evaluator<'_> {
    pub(super) fn call_expr(&mut self, at: ExprRef, callee: ExprId, args: Run, is_new: bool) -> Things {
        let hir = self.program.module(at.module);
        let here = |expr| ExprRef { module: at.module, expr };
        if let ExprKind::Member { object, name } = hir.kind(callee) {
            match hir.str(name) {
                // The result is the receiver or the argument itself.
                method if hir.language == Language::Rust && gives_what_it_holds(method, args.len) => {
                    return self.things(here(object));
                }
                "bind" | "finally" | "catch" => return self.things(here(object)),
                "freeze" | "assign" | "seal" if matches!(hir.kind(object), ExprKind::Global(o) if hir.str(o) == "Object") =>
                {
                    let items: SmallVec<[ExprId; 4]> = hir.list(args).collect();
                    return items.into_iter().flat_map(|expr| self.things(here(expr))).collect();
                }
                "then" => {
                    let callbacks: Things = hir.list(args).next().map_or_else(Things::new, |f| self.things(here(f)));
                    let results = self.results(&callbacks, at, false);
                    return if results.is_empty() { self.things(here(object)) } else { results };
                }
                _ => {}
            }
        }
        if let ExprKind::Global(name) = hir.kind(callee)
            && hir.language == Language::Python
            && hir.str(name) == "super"
        {
            return self.super_of(at);
        }
        let callees = self.things(here(callee));
        let mut found = self.results(&callees, at, is_new);
        // What a library hands out by its type: `state::<Pool>()`.
        if let Some(ty) = hir.call_type(at.expr)
            && callees.iter().all(|callee| matches!(callee, Thing::Path { .. }))
        {
            found.extend(self.type_things(at.module, ty, 0));
        }
        if found.is_empty() && !is_new { self.called_back(&callees, at) } else { found }
    }

    /// `once(() => new Pool())`: where nobody can tell what a function returns, it is what the function gets by calling
    /// what it was handed.
    fn called_back(&mut self, callees: &[Thing], site: ExprRef) -> Things {
        let program = self.program;
        let mut found = Things::new();
        for &callee in callees {
            let Thing::Function(function) = callee else { continue };
            let module = program.module(function.module);
            for (index, parameter) in module.function(function.function).parameters.iter().enumerate() {
                let Some(symbol) = parameter.symbol.some() else { continue };
                let is_called = module.symbol(symbol).reads.iter().any(|&read| {
                    let parent = module.expr(read).parent.some();
                    parent.and_then(|call| module.call(call)).is_some_and(|(callee, _)| callee == read)
                });
                if is_called && let Some(argument) = self.passed(site, function, index) {
                    let callbacks = self.things(argument);
                    found.extend(self.results(&callbacks, site, false));
                }
            }
        }
        found
    }

    /// What calling these gives.
    pub(super) fn results(&mut self, callees: &[Thing], site: ExprRef, is_new: bool) -> Things {
        let mut found = Things::new();
        for &callee in callees {
            match callee {
                Thing::Path { path, .. } => {
                    let made = self.paths.result(path);
                    found.push(Thing::Path { path: self.shortened(made), site: Some(site) });
                    if let Some(first) = self.argument(site, 0).filter(|_| self.gives_first(path)) {
                        found.extend(self.things(first));
                    }
                    if !is_new && self.paths.is_export(path) {
                        found.extend(self.wrapped(site));
                    }
                }
                Thing::Class(module, class) => {
                    found.push(Thing::Instance(module, class));
                    found.extend(self.router_of(module, class, site));
                }
                Thing::Function(function) if is_new => found.push(Thing::Made(function)),
                Thing::Function(function) => found.extend(self.returns(function)),
                Thing::Instance(..) => {
                    for function in self.run_by_calling(callee) {
                        found.extend(self.returns(function));
                    }
                }
                _ => {}
            }
            if found.len() >= MAX_THINGS {
                break;
            }
        }
        found
    }

    /// What a long chain of calls makes, if its last call gives back what it was called on (`router.route(…)`): the path
    /// of that.
    fn shortened(&mut self, made: PathId) -> PathId {
        if !self.paths.is_long(made) {
            return made;
        }
        let receiver = self.paths.parent(made).and_then(|method| self.paths.parent(method));
        let Some(receiver) = receiver.filter(|&receiver| self.paths.is_result(receiver)) else { return made };
        let is_same = self.stacks.types.ids().any(|ty| self.is_type(made, ty) && self.is_type(receiver, ty));
        if is_same { receiver } else { made }
    }

    /// `class UserRouter(APIRouter)`: what the class makes is a router too.
    fn router_of(&mut self, module: ModuleId, class: ClassIdx, site: ExprRef) -> Option<Thing> {
        if self.program.module(module).language != Language::Python {
            return None;
        }
        let outside = self.lineage(module, class).outside;
        let paths = outside.into_iter().map(|base| self.paths.result(base)).collect::<SmallVec<[PathId; 2]>>();
        let routers = &self.stacks.router_types;
        let path = paths.into_iter().find(|&path| self.is_any_type(path, routers))?;
        Some(Thing::Path { path, site: Some(site) })
    }

    /// `cache(load)`, `memoize(find)`: what a package's wrapper gives back still calls the function it was given.
    fn wrapped(&mut self, site: ExprRef) -> Things {
        match self.argument(site, 0) {
            Some(first) if !matches!(self.program.kind(first), ExprKind::Object(_) | ExprKind::Str(_)) => {
                self.things(first).into_iter().filter(|thing| matches!(thing, Thing::Function(_))).collect()
            }
            _ => Things::new(),
        }
    }

    /// What a function returns.
    pub fn returns(&mut self, function: FunctionRef) -> Things {
        if !self.returns_active.insert(function) {
            self.cut();
            return Things::new();
        }
        let program = self.program;
        let entry = program.module(function.module).function(function.function);
        let mut found = Things::new();
        for &expr in entry.returns.iter().take(MAX_THINGS) {
            found.extend(self.things(ExprRef { module: function.module, expr }));
        }
        if found.is_empty() {
            found = self.type_things(function.module, entry.return_type, 0);
        }
        self.returns_active.remove(&function);
        dedup(&mut found);
        found
    }
}

/// Methods of Rust's own wrappers (`Result`, `Option`, `Mutex`) that give what these hold.
pub(crate) fn gives_what_it_holds(method: &str, arguments: u32) -> bool {
    let is_opened =
        matches!(method, "read" | "write" | "take" | "borrow_mut" | "get_mut" | "try_lock" | "blocking_lock");
    (is_opened && arguments == 0)
        || matches!(
            method,
            "unwrap"
                | "expect"
                | "unwrap_or_default"
                | "unwrap_or_else"
                | "map_err"
                | "ok"
                | "ok_or"
                | "ok_or_else"
                | "context"
                | "with_context"
                | "wrap_err"
                | "wrap_err_with"
                | "or_else"
                | "inspect_err"
                | "lock"
        )
}
