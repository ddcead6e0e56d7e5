//! Links of callers and handlers, so that parameters can be followed.
//!
//! In goes the program with its stacks, out come the calls that reach each function and the types that handlers take.

use super::Callable;
use super::origin::exported_expr;
use crate::facts::code::{called_by_inherited, request_methods};
use crate::facts::paths::PathId;
use crate::facts::program::{Exported, ExprRef, FunctionRef, ModuleId, Program};
use crate::facts::resolve::{Evaluator, Learned, Links, Thing};
use crate::facts::stacks::{Clause, Projection, Sort, Source, Stack, Stacks, Verb};
use crate::project::Area;
use crate::syntax::hir::{Definition, ExprId, ExprKind, FunctionIdx, MemberKind};

/// Finds who calls which function and which functions are handlers, so that parameters can be followed; with what was
/// learned on the way about each of the [`halves`].
pub fn links(program: &Program<'_>, stacks: &Stacks) -> (Links, [Learned; 2]) {
    let nothing = || Learned::new(program.modules.len());
    let (first, learned) = link_pass(program, stacks, &Links::default(), [nothing(), nothing()]);
    // A router that is handed to a function is known only once that function's callers are.
    link_pass(program, stacks, &first, learned)
}

fn link_pass(program: &Program<'_>, stacks: &Stacks, known: &Links, learned: [Learned; 2]) -> (Links, [Learned; 2]) {
    let (first, second) = halves(program);
    let [own, other] = learned;
    let linked = |modules, learned| {
        let mut evaluator = Evaluator::with(program, stacks, known, learned);
        (link_modules(&mut evaluator, modules), evaluator.learned())
    };
    let ((mut links, own), (others, other)) = rayon::join(|| linked(&first, own), || linked(&second, other));
    for (own, other) in links.callers.iter_mut().zip(others.callers) {
        own.extend(other);
    }
    links.handlers.extend(others.handlers);
    (links, [own, other])
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

fn link_modules(evaluator: &mut Evaluator<'_>, modules: &[ModuleId]) -> Links {
    let program = evaluator.program;
    let mut links = Links { callers: vec![Vec::new(); program.function_count()], ..Links::default() };
    for &module in modules {
        for index in 0..program.module(module).exprs.len() {
            let at = ExprRef { module, expr: ExprId(u32::try_from(index).unwrap_or(u32::MAX)) };
            link_call(evaluator, at, &mut links);
        }
        link_decorated(evaluator, module, &mut links);
        link_exports(evaluator, module, &mut links);
        link_resources(evaluator, module, &mut links);
    }
    links
}

/// The methods of classes that answer requests are handed one, whatever their parameter says.
fn link_resources(evaluator: &mut Evaluator<'_>, module: ModuleId, links: &mut Links) {
    for (function, stack) in request_methods(evaluator, module) {
        let stack = &evaluator.stacks.stacks[stack];
        if is_first_named(evaluator, function, stack) {
            links.handlers.insert(evaluator.program.number(function), stack.handler.clone());
        }
    }
}

/// Does the first parameter bear one of the names that a stack's handlers give theirs?
fn is_first_named(evaluator: &Evaluator<'_>, function: FunctionRef, stack: &Stack) -> bool {
    let hir = evaluator.program.module(function.module);
    let first = hir.function(function.function).parameters.first().and_then(|first| first.symbol.some());
    first.is_some_and(|symbol| stack.handler_names.iter().any(|name| name == hir.str(hir.symbol(symbol).name)))
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
            Thing::Path { path, .. } => {
                link_handlers(evaluator, at, path, links);
                for function in called_by_inherited(evaluator, at) {
                    links.callers[program.number(function).0 as usize].push(at);
                }
            }
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
            mark_methods(evaluator, clause, argument, links);
        }
    }
}

/// A class that is mounted: the methods that take what a handler takes.
fn mark_methods(evaluator: &mut Evaluator<'_>, clause: &Clause, at: ExprRef, links: &mut Links) {
    let program = evaluator.program;
    for thing in evaluator.things(at) {
        let Thing::Class(module, class) = thing else { continue };
        let hir = program.module(module);
        for member in &hir.class(class).members {
            let MemberKind::Method(function) = member.kind else { continue };
            if hir.function(function).parameters.len() == clause.handler.len() {
                links.handlers.insert(program.number(FunctionRef { module, function }), clause.handler.clone());
            }
        }
    }
}

/// `@app.middleware("http")`: the function below it is handed what the clause says.
fn link_decorated(evaluator: &mut Evaluator<'_>, module: ModuleId, links: &mut Links) {
    let (program, stacks) = (evaluator.program, evaluator.stacks);
    let hir = program.module(module);
    for (index, entry) in hir.functions.iter().enumerate() {
        let function = FunctionRef { module, function: FunctionIdx(u32::try_from(index).unwrap_or(u32::MAX)) };
        for &expr in &entry.decorators {
            let named = hir.call(expr).map_or(expr, |(callee, _)| callee);
            for path in evaluator.paths_of(ExprRef { module, expr: named }) {
                for (clause, pattern) in stacks.candidates(Verb::Decorator, evaluator.paths.last_name(path)) {
                    let hands = matches!(&*clause.kind, "route" | "mount") && !clause.handler.is_empty();
                    if hands && evaluator.matcher.matches_pattern(&evaluator.paths, &stacks.types, path, pattern) {
                        mark_handler(evaluator, clause, Callable::Function(function), links);
                    }
                }
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
    // An error handler has the error in front; a view has what stands in the path behind.
    if entry.parameters.len() == types.len() + 1
        && !is_first_named(evaluator, function, &evaluator.stacks.stacks[clause.stack])
    {
        types.insert(0, None);
    }
    links.handlers.insert(program.number(function), types);
}

fn link_exports(evaluator: &mut Evaluator<'_>, module: ModuleId, links: &mut Links) {
    let stacks = evaluator.stacks;
    let program = evaluator.program;
    let service = program.project.service(program.project.file(program.loaded(module).file).service);
    for clause in stacks.of_verb(Verb::Export) {
        if !service.stacks.contains(&stacks.stacks[clause.stack].id) {
            continue;
        }
        if clause.handler.is_empty() || !matches!(&*clause.kind, "route" | "mount" | "schema-change") {
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
