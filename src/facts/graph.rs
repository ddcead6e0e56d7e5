//! Who calls whom, when code runs, and which modules an entry point reaches.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::arguments::handed;
use super::model::{FunctionId, Phase};
use super::paths::PathId;
use super::program::{Exported, ExprRef, FunctionRef, ModuleId, Program, Target};
use super::resolve::{Evaluator, Links, Thing};
use super::stacks::{Clause, Projection, Sort, Source, Stacks, Verb};
use crate::project::{Area, FileId, ServiceId};
use crate::syntax::hir::{Definition, ExprId, ExprKind, FunctionIdx, Run};

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

    /// Follows names to the expression that a constant was made with, through imports and object properties.
    pub fn origin(&mut self, at: ExprRef) -> ExprRef {
        let program = self.program;
        let mut at = at;
        for _ in 0..10 {
            let module = program.module(at.module);
            let next = match module.kind(at.expr) {
                ExprKind::Ident(symbol) => match &module.symbol(symbol).definition {
                    Definition::Import { source, name } => {
                        match &program.loaded(at.module).targets[source.0 as usize] {
                            Target::Module(target) => {
                                program.export(*target, module, *name).and_then(|e| exported_expr(program, e))
                            }
                            _ => None,
                        }
                    }
                    _ => exported_expr(program, Exported::Symbol(at.module, symbol)),
                },
                ExprKind::Member { object, name } => {
                    let name = module.str(name).to_owned();
                    self.member_origin(ExprRef { module: at.module, expr: object }, &name)
                }
                _ => None,
            };
            match next {
                Some(next) if next != at => at = next,
                _ => return at,
            }
        }
        at
    }

    fn member_origin(&mut self, object: ExprRef, name: &str) -> Option<ExprRef> {
        let program = self.program;
        for thing in self.things(object) {
            match thing {
                Thing::Module(module) => {
                    if let Some(found) = program.export_named(module, name).and_then(|e| exported_expr(program, e)) {
                        return Some(found);
                    }
                }
                Thing::Data(at) => {
                    let module = program.module(at.module);
                    if let ExprKind::Object(run) = module.kind(at.expr) {
                        let prop =
                            module.object(run).iter().rev().find(|p| p.key.is_some_and(|k| module.str(k) == name));
                        if let Some(prop) = prop {
                            return Some(ExprRef { module: at.module, expr: prop.value });
                        }
                    }
                }
                Thing::Instance(module, class) => {
                    let hir = program.module(module);
                    for member in &hir.class(class).members {
                        if hir.str(member.name) == name
                            && let crate::syntax::hir::MemberKind::Field(value) = member.kind
                            && value != ExprId::NONE
                        {
                            return Some(ExprRef { module, expr: value });
                        }
                    }
                }
                _ => {}
            }
        }
        None
    }
}

fn exported_expr(program: &Program<'_>, exported: Exported) -> Option<ExprRef> {
    match exported {
        Exported::Expr(at) => Some(at),
        Exported::Symbol(module, symbol) => {
            let entry = program.module(module).symbol(symbol);
            match &entry.definition {
                Definition::Variable { init, steps, .. }
                    if steps.is_empty() && entry.assigned.is_empty() && *init != ExprId::NONE =>
                {
                    Some(ExprRef { module, expr: *init })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Finds who calls which function and which functions are handlers, so that parameters can be followed.
pub fn links(program: &Program<'_>, stacks: &Stacks) -> Links {
    let first = link_pass(program, stacks, &Links::default());
    // A router that is handed to a function is known only once that function's callers are.
    link_pass(program, stacks, &first)
}

fn link_pass(program: &Program<'_>, stacks: &Stacks, known: &Links) -> Links {
    let (first, second) = halves(program);
    let (mut links, others) =
        rayon::join(|| link_modules(program, stacks, known, &first), || link_modules(program, stacks, known, &second));
    for (own, other) in links.callers.iter_mut().zip(others.callers) {
        own.extend(other);
    }
    links.handlers.extend(others.handlers);
    links
}

/// The modules whose code is audited, in two parts of about the same size; the same parts whatever the threads.
pub fn halves(program: &Program<'_>) -> (Vec<ModuleId>, Vec<ModuleId>) {
    let audited: Vec<ModuleId> =
        program.ids().filter(|&id| is_audited(program.project.file(program.loaded(id).file).area)).collect();
    let weight = |id: &ModuleId| program.module(*id).exprs.len();
    let whole: usize = audited.iter().map(weight).sum();
    let mut seen = 0;
    audited.into_iter().partition(|id| {
        seen += weight(id);
        seen * 2 <= whole
    })
}

/// Code that is audited; tests, examples and the browser's are not.
pub fn is_audited(area: Area) -> bool {
    matches!(area, Area::Server | Area::Script | Area::Migration | Area::Config)
}

fn link_modules(program: &Program<'_>, stacks: &Stacks, known: &Links, modules: &[ModuleId]) -> Links {
    let mut evaluator = Evaluator::new(program, stacks, known);
    let mut links = Links { callers: vec![Vec::new(); program.function_count()], handlers: FxHashMap::default() };
    for &module in modules {
        for index in 0..program.module(module).exprs.len() {
            let at = ExprRef { module, expr: ExprId(u32::try_from(index).unwrap_or(u32::MAX)) };
            link_call(&mut evaluator, at, &mut links);
        }
        link_exports(&mut evaluator, module, &mut links);
    }
    links
}

fn link_call(evaluator: &mut Evaluator<'_>, at: ExprRef, links: &mut Links) {
    let program = evaluator.program;
    let module = program.module(at.module);
    let Some((callee, _)) = module.call(at.expr) else { return };
    if is_parameter(program, at.module, callee) {
        return;
    }
    for thing in evaluator.things(ExprRef { module: at.module, expr: callee }) {
        match thing {
            Thing::Function(function) => links.callers[program.number(function).0 as usize].push(at),
            Thing::Class(module, class) => {
                if let Some(function) = program.module(module).class(class).constructor.some() {
                    links.callers[program.number(FunctionRef { module, function }).0 as usize].push(at);
                }
            }
            Thing::Path { path, .. } => link_handlers(evaluator, at, path, links),
            _ => {}
        }
    }
}

/// `next()` and `fn(req)` call whatever was handed in, `answer(req, handler)` hands it on: what that is, is told where
/// it is handed in.
pub fn is_parameter(program: &Program<'_>, module: ModuleId, expr: ExprId) -> bool {
    let hir = program.module(module);
    matches!(hir.kind(expr), ExprKind::Ident(symbol)
        if matches!(hir.symbol(symbol).definition, Definition::Parameter { .. }))
}

fn link_handlers(evaluator: &mut Evaluator<'_>, at: ExprRef, path: PathId, links: &mut Links) {
    let stacks = evaluator.stacks;
    for (clause, pattern) in stacks.candidates(Verb::Call, evaluator.paths.last_name(path)) {
        if !matches!(&*clause.kind, "route" | "mount")
            || clause.handler.is_empty()
            || !evaluator.matcher.matches_pattern(&evaluator.paths, &stacks.types, path, pattern)
        {
            continue;
        }
        for argument in chain_arguments(evaluator, clause, at) {
            for callable in evaluator.callables(argument) {
                mark_handler(evaluator, clause, callable, links);
            }
        }
    }
}

/// The arguments that a clause's `chain` names.
fn chain_arguments(evaluator: &mut Evaluator<'_>, clause: &Clause, at: ExprRef) -> Vec<ExprRef> {
    let chain: Option<&Projection> = clause.fields.iter().find(|(name, _)| &**name == "chain").map(|(_, p)| p);
    let Some(chain) = chain else { return Vec::new() };
    let callable = chain.items().any(|item| item.source == Source::ArgOf(Sort::Callable));
    let module = evaluator.program.module(at.module);
    let Some((_, args)) = module.call(at.expr) else { return Vec::new() };
    let args: Vec<ExprRef> = module.list(args).map(|expr| ExprRef { module: at.module, expr }).collect();
    if callable {
        return args.into_iter().filter(|arg| is_callable_argument(evaluator, *arg)).collect();
    }
    args
}

/// Everything but constants and plain options can be a link of a chain.
pub fn is_callable_argument(evaluator: &mut Evaluator<'_>, at: ExprRef) -> bool {
    let origin = evaluator.origin(at);
    match evaluator.program.kind(origin) {
        ExprKind::Str(_)
        | ExprKind::Num(_)
        | ExprKind::Bool(_)
        | ExprKind::Null
        | ExprKind::Undefined
        | ExprKind::Regex(_)
        | ExprKind::Template { .. }
        | ExprKind::Object(_) => false,
        ExprKind::Array(run) => {
            let module = evaluator.program.module(origin.module);
            !module
                .list(run)
                .all(|item| module.literal(item).is_some() || matches!(module.kind(item), ExprKind::Regex(_)))
        }
        _ => evaluator.value(at).as_text().is_none(),
    }
}

fn mark_handler(evaluator: &Evaluator<'_>, clause: &Clause, callable: Callable, links: &mut Links) {
    let Callable::Function(function) = callable else { return };
    let program = evaluator.program;
    let entry = program.module(function.module).function(function.function);
    let mut types = clause.handler.clone();
    // An error handler has the error in front.
    if entry.parameters.len() == types.len() + 1 {
        types.insert(0, None);
    }
    links.handlers.insert(program.number(function), types);
}

fn link_exports(evaluator: &mut Evaluator<'_>, module: ModuleId, links: &mut Links) {
    let stacks = evaluator.stacks;
    for clause in stacks.of_verb(Verb::Export) {
        if clause.handler.is_empty() || !matches!(&*clause.kind, "route" | "mount") {
            continue;
        }
        for (_, exported) in exports_of(evaluator.program, clause, module) {
            if let Some(at) = exported_expr(evaluator.program, exported) {
                for callable in evaluator.callables(at) {
                    mark_handler(evaluator, clause, callable, links);
                }
            }
            if let Exported::Symbol(module, symbol) = exported {
                for thing in evaluator.symbol(module, symbol) {
                    if let Thing::Function(function) = thing {
                        mark_handler(evaluator, clause, Callable::Function(function), links);
                    }
                }
            }
        }
    }
}

/// The exports of a module that a clause is about.
pub fn exports_of(program: &Program<'_>, clause: &Clause, module: ModuleId) -> Vec<(String, Exported)> {
    let loaded = program.loaded(module);
    let file = program.project.file(loaded.file);
    let service = program.project.service(file.service);
    let relative = match service.path.as_str() {
        "." => &file.path,
        path => file.path.strip_prefix(path).and_then(|p| p.strip_prefix('/')).unwrap_or(&file.path),
    };
    if clause.file.as_ref().is_some_and(|globs| !globs.is_match(relative)) {
        return Vec::new();
    }
    if let Some(directive) = &clause.directive
        && !loaded.module.directives.iter().any(|d| loaded.module.str(*d) == directive)
    {
        return Vec::new();
    }
    let mut exports = program.exports(module);
    exports.retain(|(name, _)| clause.names.is_empty() || clause.names.contains(name));
    exports
}

/// The call graph with the phase of every function.
#[derive(Debug, Default)]
pub struct Graph {
    pub calls: Vec<Vec<FunctionId>>,
    pub phases: Vec<Phase>,
}

/// Functions that are written inside others.
pub fn nesting_edges(program: &Program<'_>) -> Vec<Vec<FunctionId>> {
    let mut calls: Vec<Vec<FunctionId>> = vec![Vec::new(); program.function_count()];
    for module in program.ids() {
        for (index, function) in program.module(module).functions.iter().enumerate().skip(1) {
            if function.parent != FunctionIdx(0) && function.parent != FunctionIdx::NONE {
                let index = FunctionIdx(u32::try_from(index).unwrap_or(u32::MAX));
                let child = program.number(FunctionRef { module, function: index });
                let parent = program.number(FunctionRef { module, function: function.parent });
                calls[parent.0 as usize].push(child);
            } else if function.parent == FunctionIdx(0) && !function.decorators.is_empty() {
                // Whatever a decorator makes of it keeps and calls it.
                let child = program
                    .number(FunctionRef { module, function: FunctionIdx(u32::try_from(index).unwrap_or(u32::MAX)) });
                let top = program.number(FunctionRef { module, function: FunctionIdx(0) });
                calls[top.0 as usize].push(child);
            }
        }
    }
    calls
}

/// Adds the direct calls of a module, and the functions that it hands on as arguments.
pub fn add_call_edges(evaluator: &mut Evaluator<'_>, module: ModuleId, edges: &mut Vec<(FunctionId, FunctionId)>) {
    for index in 0..evaluator.program.module(module).exprs.len() {
        let expr = ExprId(u32::try_from(index).unwrap_or(u32::MAX));
        call_edge(evaluator, ExprRef { module, expr }, edges);
    }
}

fn call_edge(evaluator: &mut Evaluator<'_>, at: ExprRef, edges: &mut Vec<(FunctionId, FunctionId)>) {
    let program = evaluator.program;
    let hir = program.module(at.module);
    let Some((callee, args)) = hir.call(at.expr) else { return };
    let from = program.number(FunctionRef { module: at.module, function: hir.function_of(at.expr) });
    let targets: SmallVec<[ExprRef; 4]> = std::iter::once(callee)
        .chain(handed(hir, args))
        .filter(|&expr| !is_parameter(program, at.module, expr))
        .map(|expr| ExprRef { module: at.module, expr })
        .collect();
    for target in targets {
        for thing in evaluator.things(target) {
            match thing {
                Thing::Function(function) => edges.push((from, program.number(function))),
                Thing::Class(module, class) => {
                    if let Some(function) = program.module(module).class(class).constructor.some() {
                        edges.push((from, program.number(FunctionRef { module, function })));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Spreads phases along the calls; the most demanding one wins.
pub fn phases(program: &Program<'_>, calls: &[Vec<FunctionId>], starts: &[(FunctionId, Phase)]) -> Vec<Phase> {
    let mut phases = vec![Phase::Dead; program.function_count()];
    let mut queue: Vec<(FunctionId, Phase)> = starts.to_vec();
    for module in program.ids() {
        let top = program.number(FunctionRef { module, function: FunctionIdx(0) });
        phases[top.0 as usize] = Phase::Module;
        queue.extend(calls[top.0 as usize].iter().map(|&f| (f, Phase::Startup)));
    }
    while let Some((function, phase)) = queue.pop() {
        let slot = &mut phases[function.0 as usize];
        if *slot >= phase {
            continue;
        }
        *slot = phase;
        queue.extend(calls[function.0 as usize].iter().map(|&callee| (callee, phase)));
    }
    phases
}

/// Which modules an entry point reaches, with who imports each.
#[derive(Debug, Default)]
pub struct Reach {
    pub reached: Vec<bool>,
    pub imported_by: Vec<u32>,
    /// Reached only through imports that are computed: nobody can tell.
    pub uncertain: Vec<bool>,
}

/// Follows imports from the entry points. A service without any is reached as a whole, and so is one that loads
/// modules by computed names.
pub fn reach(program: &Program<'_>, extra_entries: &[FileId]) -> Reach {
    let count = program.modules.len();
    let mut reach = Reach { reached: vec![false; count], imported_by: vec![0; count], uncertain: vec![false; count] };
    let mut queue: Vec<ModuleId> = Vec::new();
    let mut with_entry: FxHashSet<ServiceId> = FxHashSet::default();
    for (index, service) in program.project.services.iter().enumerate() {
        let id = ServiceId(u16::try_from(index).unwrap_or(u16::MAX));
        for (file, _) in service.entries.iter().chain(&service.script_entries) {
            queue.extend(program.of_file(*file));
        }
        if service.entries.iter().any(|(file, _)| program.of_file(*file).is_some()) {
            with_entry.insert(id);
        }
    }
    for &file in extra_entries {
        if let Some(module) = program.of_file(file) {
            with_entry.insert(program.project.file(file).service);
            queue.push(module);
        }
    }
    for module in program.ids() {
        let file = program.project.file(program.loaded(module).file);
        let importer_counts = !matches!(file.area, crate::project::Area::Test | crate::project::Area::Example);
        for target in &program.loaded(module).targets {
            if let Target::Module(target) | Target::Within(target, _) = target
                && *target != module
                && importer_counts
            {
                reach.imported_by[target.0 as usize] += 1;
            }
        }
        if !with_entry.contains(&file.service) {
            queue.push(module);
        }
    }
    flood(program, &mut reach, queue);
    let mut loose = services_with_computed_imports(program, &reach);
    loose.extend(services_with_lost_entries(program));
    for module in program.ids() {
        let service = program.project.file(program.loaded(module).file).service;
        if !reach.reached[module.0 as usize] && loose.contains(&service) {
            reach.uncertain[module.0 as usize] = true;
        }
    }
    let rest: Vec<ModuleId> = program.ids().filter(|m| reach.uncertain[m.0 as usize]).collect();
    flood(program, &mut reach, rest);
    reach
}

fn flood(program: &Program<'_>, reach: &mut Reach, mut queue: Vec<ModuleId>) {
    while let Some(module) = queue.pop() {
        if std::mem::replace(&mut reach.reached[module.0 as usize], true) {
            continue;
        }
        let loaded = program.loaded(module);
        for (source, target) in loaded.module.sources.iter().zip(&loaded.targets) {
            if let Target::Module(target) | Target::Within(target, _) = target
                && !source.type_only
            {
                queue.push(*target);
            }
        }
        queue.extend(program.packages_named_by(module).into_iter().flat_map(|package| program.modules_below(package)));
    }
}

/// Services with an entry whose relative imports all lead nowhere: it runs from where a build puts it.
fn services_with_lost_entries(program: &Program<'_>) -> FxHashSet<ServiceId> {
    let mut found = FxHashSet::default();
    for (index, service) in program.project.services.iter().enumerate() {
        let entries = service.entries.iter().filter_map(|(file, _)| program.of_file(*file));
        let is_lost = |id: ModuleId| {
            let loaded = program.loaded(id);
            let relative = loaded.module.sources.iter().zip(&loaded.targets);
            let mut relative = relative
                .filter(|(source, _)| !source.type_only && loaded.module.str(source.specifier).starts_with('.'))
                .peekable();
            relative.peek().is_some() && relative.all(|(_, target)| *target == Target::Missing)
        };
        if entries.into_iter().any(is_lost) {
            found.insert(ServiceId(u16::try_from(index).unwrap_or(u16::MAX)));
        }
    }
    found
}

fn services_with_computed_imports(program: &Program<'_>, reach: &Reach) -> FxHashSet<ServiceId> {
    let mut found = FxHashSet::default();
    for id in program.ids().filter(|id| reach.reached[id.0 as usize]) {
        let module = program.module(id);
        let computed = module.exprs.iter().any(|expr| match expr.kind {
            ExprKind::Call { callee, .. } => {
                matches!(module.kind(callee), ExprKind::Global(name) if module.str(name) == "require")
            }
            _ => false,
        });
        if computed {
            found.insert(program.project.file(program.loaded(id).file).service);
        }
    }
    found
}
