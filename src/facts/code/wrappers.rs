//! Wrappers that answer for whatever they call: `try { return await handler(request) } catch (e) { return problem(e) }`
//! around a function that was handed in is an error handler.

use rustc_hash::FxHashSet;

use super::extract::Raw;
use super::names::shape;
use super::roles::catch_of;
use crate::facts::graph::{is_audited, is_parameter};
use crate::facts::model::{FunctionId, Value};
use crate::facts::program::{ExprRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{ContextId, ContextKind, ExprId, ExprKind, Language, Module};

/// Adds the role of an error handler for each such wrapper.
pub fn error_wrappers(evaluator: &mut Evaluator<'_>, calls: &[Vec<FunctionId>], raws: &mut Vec<Raw>) {
    let program = evaluator.program;
    let responses = raws.iter().filter(|raw| &*raw.kind == "response" && raw.at.expr != ExprId::NONE);
    let sites: FxHashSet<ExprRef> = responses.clone().map(|raw| raw.at).collect();
    let answering: FxHashSet<FunctionId> =
        responses.filter_map(|raw| raw.function).map(|function| program.number(function)).collect();
    let mut found = Vec::new();
    for module in program.ids() {
        let loaded = program.loaded(module);
        if !is_audited(program.project.file(loaded.file).area) {
            continue;
        }
        for catch in catches(program, module) {
            let answered = answers(evaluator, module, catch, &sites, &answering, calls);
            found.extend(answered.map(|at| {
                let mut fields = vec![("role", Value::text("error-handler")), ("fails", Value::text("always"))];
                // `except` names what it catches.
                if loaded.module.language == Language::Python {
                    fields.push(("strength", Value::text("half")));
                }
                shape(program, "role", at, fields)
            }));
        }
    }
    raws.extend(found);
}

/// The `catch` blocks of what runs a function that was handed in.
fn catches(program: &crate::facts::program::Program<'_>, module: ModuleId) -> Vec<ContextId> {
    let hir = program.module(module);
    let mut found = FxHashSet::default();
    for expr in &hir.exprs {
        let ExprKind::Call { callee, args } = expr.kind else { continue };
        if args.len == 0 || !is_parameter(program, module, callee) {
            continue;
        }
        let tried = hir.contexts_from(expr.context).find(|(_, c)| matches!(c.kind, ContextKind::Try { catches: true }));
        found.extend(tried.and_then(|(id, _)| catch_of(hir, id)));
    }
    let mut found: Vec<ContextId> = found.into_iter().collect();
    found.sort_unstable_by_key(|id| id.0);
    found
}

/// Where a block answers the request: itself, or by a function that makes the response.
fn answers(
    evaluator: &mut Evaluator<'_>,
    module: ModuleId,
    block: ContextId,
    sites: &FxHashSet<ExprRef>,
    answering: &FxHashSet<FunctionId>,
    calls: &[Vec<FunctionId>],
) -> Option<ExprRef> {
    let program = evaluator.program;
    let hir = program.module(module);
    let inside: Vec<ExprRef> = calls_within(hir, block).map(|expr| ExprRef { module, expr }).collect();
    inside.into_iter().find(|&at| {
        if sites.contains(&at) {
            return true;
        }
        let Some((callee, _)) = hir.call(at.expr) else { return false };
        let callees = evaluator.things(ExprRef { module, expr: callee });
        callees.into_iter().any(|thing| match thing {
            Thing::Function(function) => makes_response(program.number(function), answering, calls),
            _ => false,
        })
    })
}

fn makes_response(function: FunctionId, answering: &FxHashSet<FunctionId>, calls: &[Vec<FunctionId>]) -> bool {
    let next = calls.get(function.0 as usize).into_iter().flatten();
    answering.contains(&function) || next.into_iter().any(|callee| answering.contains(callee))
}

fn calls_within(module: &Module, block: ContextId) -> impl Iterator<Item = ExprId> + '_ {
    let inside = move |expr: &ExprId| {
        module.call(*expr).is_some() && module.contexts_from(module.expr(*expr).context).any(|(id, _)| id == block)
    };
    (0..module.exprs.len()).map(|index| ExprId(u32::try_from(index).unwrap_or(u32::MAX))).filter(inside)
}
