//! Chains: everything that runs when a router or wrapper calls what it was given.
//!
//! In goes an expression, out come the functions and package things behind it, in order.

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use crate::facts::paths::PathId;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{ExprId, ExprKind, Run};

/// One link of a chain: what a router or wrapper is given to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Callable {
    Function(FunctionRef),
    /// A thing of a package, with the call that made it.
    External {
        path: PathId,
        site: Option<ExprRef>,
    },
    Opaque,
}

const MAX_CHAIN: usize = 24;

impl Evaluator<'_> {
    /// Everything that runs when an expression is called: arrays spread, wrappers with what they wrap.
    pub fn callables(&mut self, at: ExprRef) -> Vec<Callable> {
        let mut found = Vec::new();
        self.collect_callables(at, &mut found, 0);
        let mut seen = FxHashSet::default();
        found.retain(|callable| seen.insert(*callable));
        found
    }

    fn collect_callables(&mut self, at: ExprRef, out: &mut Vec<Callable>, depth: u8) {
        if depth > 8 || out.len() >= MAX_CHAIN {
            return;
        }
        let program = self.program;
        if let Some(handed) = self.handed_rest(at) {
            return handed.into_iter().for_each(|argument| self.collect_callables(argument, out, depth + 1));
        }
        let at = self.origin(at);
        let module = program.module(at.module);
        let here = |expr| ExprRef { module: at.module, expr };
        match module.kind(at.expr) {
            ExprKind::Function(function) => out.push(Callable::Function(FunctionRef { module: at.module, function })),
            ExprKind::Array(run) => {
                let items: SmallVec<[ExprId; 8]> = module.list(run).collect();
                for item in items {
                    self.collect_callables(here(item), out, depth + 1);
                }
            }
            ExprKind::Spread(inner) | ExprKind::Await(inner) | ExprKind::Try(inner) => {
                self.collect_callables(here(inner), out, depth + 1)
            }
            ExprKind::Conditional { branches, .. } => {
                let items: SmallVec<[ExprId; 2]> = module.list(branches).collect();
                for item in items {
                    self.collect_callables(here(item), out, depth + 1);
                }
            }
            ExprKind::Logical { left, right, .. } => {
                self.collect_callables(here(left), out, depth + 1);
                self.collect_callables(here(right), out, depth + 1);
            }
            ExprKind::Call { callee, args } => {
                if let ExprKind::Member { object, name } = module.kind(callee)
                    && module.str(name) == "bind"
                {
                    return self.collect_callables(here(object), out, depth + 1);
                }
                let args: SmallVec<[ExprId; 4]> = module.list(args).collect();
                self.collect_call(at, &args, out, depth);
            }
            _ => self.collect_things(at, out, depth),
        }
    }

    fn collect_call(&mut self, at: ExprRef, args: &[ExprId], out: &mut Vec<Callable>, depth: u8) {
        let before = out.len();
        self.collect_made(at, out, depth);
        for &argument in args {
            let argument = self.origin(ExprRef { module: at.module, expr: argument });
            let kind = self.program.kind(argument);
            let wraps = match kind {
                ExprKind::Function(_) => true,
                ExprKind::Array(items) => {
                    let module = self.program.module(argument.module);
                    !module.list(items).all(|item| matches!(module.kind(item), ExprKind::Str(_)))
                }
                ExprKind::Call { .. } | ExprKind::Ident(_) | ExprKind::Member { .. } => {
                    self.things(argument).iter().any(|t| matches!(t, Thing::Function(_)))
                }
                _ => false,
            };
            if wraps {
                self.collect_callables(argument, out, depth + 1);
            } else if let ExprKind::Object(run) = kind {
                for value in self.handlers_among(argument.module, run) {
                    self.collect_callables(value, out, depth + 1);
                }
            }
        }
        if out.len() == before {
            out.push(Callable::Opaque);
        }
    }

    /// The functions among the properties of an options object: `defineRoute({ handler: async (request) => … })`,
    /// `defineRoute({ handler })`.
    fn handlers_among(&mut self, module: ModuleId, options: Run) -> SmallVec<[ExprRef; 4]> {
        let program = self.program;
        let values = program.module(module).object(options).iter().map(|prop| ExprRef { module, expr: prop.value });
        let is_handler = |value: &ExprRef| match program.kind(*value) {
            ExprKind::Function(_) => true,
            ExprKind::Ident(_) | ExprKind::Member { .. } => {
                self.things(*value).iter().any(|thing| matches!(thing, Thing::Function(_)))
            }
            _ => false,
        };
        values.filter(is_handler).take(6).collect()
    }

    /// What calling gives: for the project's own functions whatever they return (which may wrap again), else the
    /// result as a thing.
    fn collect_made(&mut self, at: ExprRef, out: &mut Vec<Callable>, depth: u8) {
        let program = self.program;
        let callee = program.module(at.module).call(at.expr).map(|(callee, _)| callee);
        let callees = callee.map(|expr| self.things(ExprRef { module: at.module, expr })).unwrap_or_default();
        let mut own = false;
        for thing in callees {
            let Thing::Function(function) = thing else { continue };
            let returns: SmallVec<[ExprId; 4]> =
                program.module(function.module).function(function.function).returns.iter().take(6).copied().collect();
            for expr in returns {
                let returned = ExprRef { module: function.module, expr };
                if matches!(program.kind(returned), ExprKind::Function(_) | ExprKind::Call { .. } | ExprKind::Array(_))
                {
                    self.collect_callables(returned, out, depth + 1);
                    own = true;
                }
            }
        }
        if !own {
            self.collect_things(at, out, depth);
        }
    }

    fn collect_things(&mut self, at: ExprRef, out: &mut Vec<Callable>, depth: u8) {
        let things = self.things(at);
        if things.is_empty() && !matches!(self.program.kind(at), ExprKind::Call { .. }) {
            out.push(Callable::Opaque);
        }
        for thing in things {
            match thing {
                Thing::Function(function) => out.push(Callable::Function(function)),
                Thing::Path { path, site } => {
                    out.push(Callable::External { path, site });
                    let routers = &self.stacks.router_types;
                    if let Some(site) = site
                        && !self.is_any_type(path, routers)
                    {
                        self.collect_builder(site, out, depth + 1);
                    }
                    if let Some(site) = site.filter(|site| *site != at) {
                        let module = self.program.module(site.module);
                        let args: SmallVec<[ExprId; 4]> =
                            module.call(site.expr).map(|(_, args)| module.list(args).collect()).unwrap_or_default();
                        for argument in args {
                            if matches!(module.kind(argument), ExprKind::Function(_)) {
                                self.collect_callables(ExprRef { module: site.module, expr: argument }, out, depth + 1);
                            }
                        }
                    }
                }
                Thing::Data(data) if data != at => self.collect_callables(data, out, depth + 1),
                Thing::Module(_) | Thing::Class(..) | Thing::Instance(..) | Thing::Made(_) | Thing::Data(_) => {}
            }
        }
    }

    /// The steps of a builder before its last: `client.use(authenticate).schema(Order).action(save)` runs them all.
    fn collect_builder(&mut self, site: ExprRef, out: &mut Vec<Callable>, depth: u8) {
        let mut site = site;
        for _ in 0..12 {
            if depth > 8 || out.len() >= MAX_CHAIN {
                return;
            }
            let module = self.program.module(site.module);
            let Some((callee, _)) = module.call(site.expr) else { return };
            let ExprKind::Member { object, .. } = module.kind(callee) else { return };
            let receiver = self.origin(ExprRef { module: site.module, expr: object });
            let module = self.program.module(receiver.module);
            let Some((_, args)) = module.call(receiver.expr) else { return };
            let args: SmallVec<[ExprId; 4]> = module.list(args).collect();
            if let Some(&path) = self.paths_of(receiver).first() {
                out.push(Callable::External { path, site: Some(receiver) });
            }
            for argument in args {
                let argument = ExprRef { module: receiver.module, expr: argument };
                if self.things(argument).iter().any(|thing| matches!(thing, Thing::Function(_))) {
                    self.collect_callables(argument, out, depth + 1);
                }
            }
            site = receiver;
        }
    }
}
