//! Work that is started and left to itself: calls whose promise or coroutine nobody awaits, hands on or keeps.

use super::extract::Raw;
use super::names::{last_name, shape};
use crate::facts::graph::is_audited;
use crate::facts::model::Value;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId, Program};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{ContextKind, Expr, ExprId, ExprKind, FunctionIdx, Language, Module, Use};

/// Methods that call their callback for each element and look at no result.
const ITERATING: &str = "forEach";

/// Is nothing done with what an expression gives?
pub fn is_dropped(module: &Module, expr: ExprId) -> bool {
    let entry = module.expr(expr);
    entry.parent == ExprId::NONE && entry.role == Use::Statement
}

/// A fact for each call that certainly gives a promise that is dropped: of an asynchronous function of the project, or
/// of `forEach` with an asynchronous callback. What clauses know of libraries, they say themselves.
pub fn dropped_promises(evaluator: &mut Evaluator<'_>, out: &mut Vec<Raw>) {
    let program = evaluator.program;
    for id in program.ids().filter(|&id| is_audited(program.project.file(program.loaded(id).file).area)) {
        let module = program.module(id);
        if module.language == Language::Rust {
            continue;
        }
        for index in 0..module.exprs.len() {
            let expr = ExprId(u32::try_from(index).unwrap_or(u32::MAX));
            let Some((callee, _)) = module.call(expr).filter(|_| is_dropped(module, expr)) else { continue };
            let at = ExprRef { module: id, expr };
            let what = if last_name(module, callee) == ITERATING {
                starts_for_each(evaluator, at).then_some("iteration")
            } else {
                starts(evaluator, at, callee).then_some("call")
            };
            if let Some(what) = what {
                let name = Some(last_name(module, callee)).filter(|name| !name.is_empty()).unwrap_or(IN_PLACE);
                let fields = vec![("what", Value::text(what)), ("name", Value::text(name))];
                out.push(shape(program, "dropped", at, fields));
            }
        }
    }
}

/// How a function without a name is called in messages.
const IN_PLACE: &str = "(async () => …)()";

/// Does a call certainly start an asynchronous function of the project?
fn starts(evaluator: &mut Evaluator<'_>, call: ExprRef, callee: ExprId) -> bool {
    let things = evaluator.things(ExprRef { module: call.module, expr: callee });
    !things.is_empty()
        && things.iter().all(|thing| match thing {
            Thing::Function(function) => can_be_lost(evaluator.program, *function),
            _ => false,
        })
}

fn starts_for_each(evaluator: &mut Evaluator<'_>, call: ExprRef) -> bool {
    let Some(callback) = evaluator.argument(call, 0) else { return false };
    let things = evaluator.things(callback);
    !things.is_empty()
        && things.iter().all(|thing| match thing {
            Thing::Function(function) => can_be_lost(evaluator.program, *function),
            _ => false,
        })
}

/// Is something lost when nobody awaits the function? A coroutine of Python does not even run; a promise may be
/// rejected, unless whatever the function waits for stands in a `try` of its own.
fn can_be_lost(program: &Program<'_>, at: FunctionRef) -> bool {
    let module = program.module(at.module);
    let entry = module.function(at.function);
    let is_generator = module.yields.iter().any(|(function, _)| *function == at.function);
    if !entry.is_async || is_generator || at.function == FunctionIdx(0) {
        return false;
    }
    module.language == Language::Python || module.exprs.iter().any(|expr| may_reject(program, at, expr))
}

fn may_reject(program: &Program<'_>, at: FunctionRef, expr: &Expr) -> bool {
    let module = program.module(at.module);
    let ExprKind::Await(inner) = expr.kind else { return false };
    if module.contexts[expr.context.0 as usize].function != at.function {
        return false;
    }
    let is_caught = module
        .contexts_from(expr.context)
        .any(|(_, context)| matches!(context.kind, ContextKind::Try { catches: true } | ContextKind::Catch));
    !is_caught && !settles(module, inner) && !is_pause(program, at.module, inner)
}

/// `await work().catch(report)`
fn settles(module: &Module, awaited: ExprId) -> bool {
    let Some((callee, _)) = module.call(awaited) else { return false };
    matches!(module.kind(callee), ExprKind::Member { name, .. } if matches!(module.str(name), "catch" | "allSettled"))
}

/// A promise that is made on the spot, such as one of a timer, is not rejected by what others do.
fn is_pause(program: &Program<'_>, module: ModuleId, awaited: ExprId) -> bool {
    matches!(program.module(module).kind(awaited), ExprKind::New { .. })
}
