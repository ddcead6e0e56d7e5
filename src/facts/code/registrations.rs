//! Routes and mounts that a project's own helper registers (`this.route({ method, path, handler })`, `add(path, fn)`,
//! a loop over a table): each call of the helper, and each entry of the table, is one.

use rustc_hash::FxHashMap;

use super::extract::{Place, Raw, raw};
use crate::facts::graph::is_audited;
use crate::facts::program::{ExprRef, FunctionRef};
use crate::facts::resolve::{Evaluator, Thing};
use crate::facts::stacks::Clause;
use crate::facts::turn::Turn;
use crate::project::Span;
use crate::syntax::hir::{Definition, ExprId, ExprKind, FunctionIdx, Step};

/// Helpers that call helpers are followed so far.
const MAX_LEVELS: u8 = 4;
/// Calls of one helper, or entries of one table.
const MAX_TURNS: usize = 1024;
/// Registrations in one project.
const MAX_ALL: usize = 20_000;

/// Replaces what is registered for others by what those others register.
pub fn registrations(evaluator: &mut Evaluator<'_>, raws: Vec<Raw>) -> Vec<Raw> {
    let clauses: FxHashMap<&str, &Clause> = evaluator.stacks.clauses.iter().map(|c| (&*c.id, c)).collect();
    let mut out = Vec::with_capacity(raws.len());
    let mut left = MAX_ALL;
    for raw in raws {
        let clause = clauses.get(&*raw.clause).filter(|_| matches!(&*raw.kind, "route" | "mount"));
        let turns = clause.map(|_| turns_of(evaluator, &raw)).unwrap_or_default();
        match clause {
            Some(clause) if !turns.is_empty() => {
                let turns = turns.into_iter().take(left);
                let before = out.len();
                out.extend(turns.map(|turn| in_turn(evaluator, clause, &raw, turn)));
                left = left.saturating_sub(out.len() - before);
            }
            _ => out.push(raw),
        }
    }
    // Something called by a computed name that turns out to be no method registers nothing.
    out.retain(|raw| {
        &*raw.kind != "route" || raw.text("path").is_some() || !is_computed(evaluator, raw.registered_at())
    });
    out
}

fn is_computed(evaluator: &Evaluator<'_>, at: ExprRef) -> bool {
    let module = evaluator.program.module(at.module);
    let callee = (at.expr != ExprId::NONE).then(|| module.call(at.expr)).flatten().map(|(callee, _)| callee);
    callee.is_some_and(|callee| matches!(module.kind(callee), ExprKind::Index { .. }))
}

/// The registration as it takes place in one turn.
fn in_turn(evaluator: &mut Evaluator<'_>, clause: &Clause, general: &Raw, turn: Turn) -> Raw {
    let program = evaluator.program;
    let place = Place { at: general.at, name: None, default: None, target: None };
    let mut own = evaluator.in_turn(&turn, |evaluator| raw(evaluator, clause, place, &general.api, general.certain));
    let call = turn.calls.last().map(|(_, call)| *call);
    let shown = turn.element.map(|(_, item)| item).or(call).unwrap_or(general.at);
    let loaded = program.loaded(shown.module);
    let expr = loaded.module.expr(shown.expr);
    own.span = Span { file: loaded.file, start: expr.start, end: expr.end };
    if let Some(call) = call {
        own.at = call;
        let function = program.module(call.module).function_of(call.expr);
        own.function = (function.0 != 0).then_some(FunctionRef { module: call.module, function });
    }
    own.within = Some((general.at, turn));
    own
}

/// Where a part of a registration comes from: a parameter or a loop's variable, and which property of it.
struct Source {
    from: From,
    names: Vec<String>,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum From {
    Parameter(FunctionRef, usize),
    /// What a loop runs over.
    Element(ExprRef),
}

/// Every turn in which a registration takes place; none where its method and path stand in it.
fn turns_of(evaluator: &mut Evaluator<'_>, raw: &Raw) -> Vec<Turn> {
    if raw.at.expr == ExprId::NONE {
        return Vec::new();
    }
    let module = evaluator.program.module(raw.at.module);
    let Some((callee, args)) = module.call(raw.at.expr) else { return Vec::new() };
    let method = match module.kind(callee) {
        ExprKind::Index { index, .. } => Some(index),
        _ => None,
    };
    let keys = method.into_iter().chain(module.list(args).next());
    let keys: Vec<ExprRef> = keys.map(|expr| ExprRef { module: raw.at.module, expr }).collect();
    turns(evaluator, &keys, 0)
}

fn turns(evaluator: &mut Evaluator<'_>, keys: &[ExprRef], level: u8) -> Vec<Turn> {
    if level >= MAX_LEVELS {
        return Vec::new();
    }
    let sources: Vec<Source> = keys.iter().filter_map(|&key| source(evaluator, key, 0)).collect();
    let Some(first) = sources.first().map(|source| source.from) else { return Vec::new() };
    match first {
        From::Element(of) => elements(evaluator, of),
        From::Parameter(helper, _) => calls(evaluator, helper, &sources, level),
    }
}

fn elements(evaluator: &mut Evaluator<'_>, of: ExprRef) -> Vec<Turn> {
    let program = evaluator.program;
    let mut found = Vec::new();
    for thing in evaluator.things(of) {
        let Thing::Data(table) = thing else { continue };
        let ExprKind::Array(run) = program.kind(table) else { continue };
        let items = program.module(table.module).list(run).take(MAX_TURNS);
        found.extend(items.map(|expr| {
            let item = ExprRef { module: table.module, expr };
            Turn { element: Some((of, item)), ..Turn::default() }
        }));
    }
    found
}

fn calls(evaluator: &mut Evaluator<'_>, helper: FunctionRef, sources: &[Source], level: u8) -> Vec<Turn> {
    let program = evaluator.program;
    let number = program.number(helper);
    if evaluator.links.handlers.contains_key(&number) {
        return Vec::new();
    }
    let callers = evaluator.links.callers.get(number.0 as usize).cloned().unwrap_or_default();
    let mut found = Vec::new();
    for call in callers.into_iter().take(MAX_TURNS) {
        let file = program.project.file(program.loaded(call.module).file);
        if !is_audited(file.area) {
            continue;
        }
        let keys: Vec<ExprRef> = sources.iter().filter_map(|source| handed(evaluator, call, helper, source)).collect();
        let mut outer = turns(evaluator, &keys, level + 1);
        if outer.is_empty() && !keys.is_empty() {
            outer.push(Turn::default());
        }
        for turn in &mut outer {
            turn.calls.insert(0, (helper, call));
        }
        found.append(&mut outer);
    }
    found.truncate(MAX_TURNS);
    found
}

/// What a call passes for a part of a registration.
fn handed(evaluator: &mut Evaluator<'_>, call: ExprRef, helper: FunctionRef, source: &Source) -> Option<ExprRef> {
    let From::Parameter(function, index) = source.from else { return None };
    if function != helper {
        return None;
    }
    let argument = evaluator.argument(call, index)?;
    source.names.iter().try_fold(argument, |at, name| evaluator.property_ref(at, name))
}

fn source(evaluator: &mut Evaluator<'_>, at: ExprRef, depth: u8) -> Option<Source> {
    if depth > 6 {
        return None;
    }
    let program = evaluator.program;
    let module = program.module(at.module);
    let here = |expr| ExprRef { module: at.module, expr };
    match module.kind(at.expr) {
        ExprKind::Ident(symbol) => {
            let (from, steps) = match &module.symbol(symbol).definition {
                Definition::Parameter { function, index, steps, .. } => {
                    (parameter(evaluator, at, *function, *index), steps)
                }
                Definition::Element { of, keys: false, steps } => (From::Element(here(*of)), steps),
                Definition::Variable { init, steps, .. } if *init != ExprId::NONE => {
                    let mut inner = source(evaluator, here(*init), depth + 1)?;
                    inner.names.extend(names(module, steps)?);
                    return Some(inner);
                }
                _ => return None,
            };
            Some(Source { from, names: names(module, steps)? })
        }
        ExprKind::Member { object, name } => {
            let mut inner = source(evaluator, here(object), depth + 1)?;
            inner.names.push(module.str(name).to_owned());
            Some(inner)
        }
        // `method.toLowerCase()`
        ExprKind::Call { callee, args } if args.len == 0 => match module.kind(callee) {
            ExprKind::Member { object, .. } => source(evaluator, here(object), depth + 1),
            _ => None,
        },
        ExprKind::Template { quasis, exprs } => {
            module.holes(quasis, exprs).find_map(|hole| source(evaluator, here(hole), depth + 1))
        }
        ExprKind::Binary { left, right, .. } | ExprKind::Logical { left, right, .. } => {
            source(evaluator, here(left), depth + 1).or_else(|| source(evaluator, here(right), depth + 1))
        }
        _ => None,
    }
}

fn parameter(evaluator: &Evaluator<'_>, at: ExprRef, function: FunctionIdx, index: u32) -> From {
    let function = FunctionRef { module: at.module, function };
    match evaluator.iterated(function) {
        Some(of) if index == 0 => From::Element(ExprRef { module: at.module, expr: of }),
        _ => From::Parameter(function, index as usize),
    }
}

fn names(module: &crate::syntax::hir::Module, steps: &[Step]) -> Option<Vec<String>> {
    let name = |step: &Step| match step {
        Step::Property(name) => Some(module.str(*name).to_owned()),
        Step::Index(index) => Some(index.to_string()),
        Step::Rest => None,
    };
    steps.iter().map(name).collect()
}
