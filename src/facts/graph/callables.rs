//! Chains: everything that runs when a router or wrapper calls what it was given.
//!
//! In goes an expression, out come the functions and package things behind it, in order.

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use crate::facts::paths::PathId;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId, Program};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{Definition, ExprId, ExprKind, Language, Run, SymbolIdx};

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

/// Lists in lists and calls in calls that are followed.
const MAX_NESTING: u8 = 12;
const MAX_CHAIN: usize = 512;
/// Additions to one list that are followed.
const MAX_ADDED: usize = 64;

/// A chain as it is collected.
#[derive(Default)]
struct Chain {
    found: Vec<Callable>,
    /// The project's own functions whose results are being followed, the innermost last.
    entered: Vec<FunctionRef>,
    /// Variables that were followed.
    kept: FxHashSet<(ModuleId, SymbolIdx)>,
}

impl Chain {
    /// Is it a parameter of a function whose result is being followed (`handler` of `return withErrors(handler)`)?
    fn is_handed_in(&self, program: &Program<'_>, at: ExprRef) -> bool {
        let hir = program.module(at.module);
        let ExprKind::Ident(symbol) = hir.kind(at.expr) else { return false };
        let Definition::Parameter { function, .. } = hir.symbol(symbol).definition else { return false };
        self.entered.contains(&FunctionRef { module: at.module, function })
    }

    /// Is it a variable that a function being followed makes its result in, step by step:
    /// `let route = handler; route = withErrors(route); return route;`?
    fn is_kept(&self, program: &Program<'_>, at: ExprRef) -> bool {
        let hir = program.module(at.module);
        let ExprKind::Ident(symbol) = hir.kind(at.expr) else { return false };
        let symbol = hir.symbol(symbol);
        let is_inside = self.entered.contains(&FunctionRef { module: at.module, function: symbol.function });
        is_inside && !symbol.assigned.is_empty() && matches!(symbol.definition, Definition::Variable { .. })
    }

    /// All that such a variable is made of, once: the outermost wrapper first.
    fn kept(&mut self, program: &Program<'_>, at: ExprRef) -> SmallVec<[ExprRef; 8]> {
        let hir = program.module(at.module);
        let (true, ExprKind::Ident(index)) = (self.is_kept(program, at), hir.kind(at.expr)) else {
            return SmallVec::new();
        };
        if !self.kept.insert((at.module, index)) {
            return SmallVec::new();
        }
        let symbol = hir.symbol(index);
        let first = match symbol.definition {
            Definition::Variable { init, .. } => init.some(),
            _ => None,
        };
        let values = symbol.assigned.iter().rev().copied().chain(first).take(MAX_ADDED);
        values.map(|expr| ExprRef { module: at.module, expr }).collect()
    }
}

impl Evaluator<'_> {
    /// Everything that runs when an expression is called: arrays spread, wrappers with what they wrap.
    pub fn callables(&mut self, at: ExprRef) -> Vec<Callable> {
        let mut chain = Chain::default();
        self.collect_callables(at, &mut chain, 0);
        let mut seen = FxHashSet::default();
        chain.found.retain(|callable| seen.insert(*callable));
        chain.found
    }

    fn collect_callables(&mut self, at: ExprRef, out: &mut Chain, depth: u8) {
        if depth > MAX_NESTING || out.found.len() >= MAX_CHAIN {
            return;
        }
        let program = self.program;
        if out.is_handed_in(program, at) {
            // What it is here is collected where it is handed in; other callers hand in other things.
            return;
        }
        if out.is_kept(program, at) {
            return out.kept(program, at).into_iter().for_each(|value| self.collect_callables(value, out, depth + 1));
        }
        if let Some(handed) = self.handed_rest(at) {
            return handed.into_iter().for_each(|argument| self.collect_callables(argument, out, depth + 1));
        }
        for added in self.added_later(at) {
            self.collect_callables(added, out, depth + 1);
        }
        let at = self.origin(at);
        let module = program.module(at.module);
        let here = |expr| ExprRef { module: at.module, expr };
        match module.kind(at.expr) {
            ExprKind::Function(function) => {
                out.found.push(Callable::Function(FunctionRef { module: at.module, function }))
            }
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

    /// What is put into a list that a variable holds: `routes.append(&mut users::routes())`.
    fn added_later(&self, at: ExprRef) -> Vec<ExprRef> {
        let module = self.program.module(at.module);
        let ExprKind::Ident(symbol) = module.kind(at.expr) else { return Vec::new() };
        if module.language != Language::Rust {
            return Vec::new();
        }
        let added = module.symbol(symbol).reads.iter().filter_map(|&read| {
            let member = module.expr(read).parent.some()?;
            let ExprKind::Member { object, name } = module.kind(member) else { return None };
            let (callee, args) = module.call(module.expr(member).parent.some()?)?;
            let adds = matches!(module.str(name), "append" | "extend" | "push");
            (object == read && callee == member && adds).then(|| module.list(args).next()).flatten()
        });
        added.take(MAX_ADDED).map(|expr| ExprRef { module: at.module, expr }).collect()
    }

    fn collect_call(&mut self, at: ExprRef, args: &[ExprId], out: &mut Chain, depth: u8) {
        let before = out.found.len();
        self.collect_made(at, out, depth);
        for &argument in args {
            let argument = ExprRef { module: at.module, expr: argument };
            if out.is_handed_in(self.program, argument) || out.is_kept(self.program, argument) {
                self.collect_callables(argument, out, depth + 1);
                continue;
            }
            let argument = self.origin(argument);
            let kind = self.program.kind(argument);
            let wraps = match kind {
                ExprKind::Function(_) => true,
                ExprKind::Array(items) => {
                    let module = self.program.module(argument.module);
                    !module.list(items).all(|item| matches!(module.kind(item), ExprKind::Str(_)))
                }
                ExprKind::Call { .. } | ExprKind::Ident(_) | ExprKind::Member { .. } => {
                    let things = self.things(argument);
                    things.into_iter().any(|thing| !self.run_by_calling(thing).is_empty())
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
        if out.found.len() == before {
            out.found.push(Callable::Opaque);
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
    fn collect_made(&mut self, at: ExprRef, out: &mut Chain, depth: u8) {
        let program = self.program;
        let callee = program.module(at.module).call(at.expr).map(|(callee, _)| callee);
        let callees = callee.map(|expr| self.things(ExprRef { module: at.module, expr })).unwrap_or_default();
        let mut own = false;
        let functions: SmallVec<[FunctionRef; 4]> =
            callees.into_iter().flat_map(|thing| self.run_by_calling(thing)).collect();
        for function in functions {
            out.entered.push(function);
            let returns: SmallVec<[ExprId; 4]> =
                program.module(function.module).function(function.function).returns.iter().take(6).copied().collect();
            for expr in returns {
                let returned = ExprRef { module: function.module, expr };
                let is_list = program.module(returned.module).language == Language::Rust
                    && matches!(program.kind(returned), ExprKind::Ident(_));
                let is_list = is_list || out.is_kept(program, returned);
                let is_made = matches!(
                    program.kind(returned),
                    ExprKind::Function(_) | ExprKind::Call { .. } | ExprKind::Array(_)
                );
                if is_made || is_list {
                    self.collect_callables(returned, out, depth + 1);
                    own = true;
                }
            }
            out.entered.pop();
        }
        if !own {
            self.collect_things(at, out, depth);
        }
    }

    fn collect_things(&mut self, at: ExprRef, out: &mut Chain, depth: u8) {
        let things = self.things(at);
        if things.is_empty() && !matches!(self.program.kind(at), ExprKind::Call { .. }) {
            out.found.push(Callable::Opaque);
        }
        for thing in things {
            match thing {
                Thing::Function(function) => out.found.push(Callable::Function(function)),
                Thing::Path { path, site } => {
                    out.found.push(Callable::External { path, site });
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
                Thing::Instance(..) => {
                    out.found.extend(self.run_by_calling(thing).into_iter().map(Callable::Function));
                }
                Thing::Module(_) | Thing::Class(..) | Thing::Made(_) | Thing::Data(_) => {}
            }
        }
    }

    /// The steps of a builder before its last: `client.use(authenticate).schema(Order).action(save)` runs them all.
    fn collect_builder(&mut self, site: ExprRef, out: &mut Chain, depth: u8) {
        let mut site = site;
        for _ in 0..12 {
            if depth > MAX_NESTING || out.found.len() >= MAX_CHAIN {
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
                out.found.push(Callable::External { path, site: Some(receiver) });
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
