//! The edges of the call graph.
//!
//! In goes a module, out come pairs of functions: who calls whom, or holds it to call it later.

use smallvec::SmallVec;

use super::is_parameter;
use crate::facts::arguments::handed;
use crate::facts::code::called_by_inherited;
use crate::facts::model::FunctionId;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId, Program};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{Definition, ExprId, ExprKind, FunctionIdx, Module};

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
        let at = ExprRef { module, expr };
        call_edge(evaluator, at, edges);
        table_edges(evaluator, at, edges);
    }
}

/// Adds the functions of a list or table that a function writes down or goes through: `Object.values(checks)`,
/// `checks.map(…)`, `for (const check of checks)`. Modules themselves hold tables without calling what is in them.
fn table_edges(evaluator: &mut Evaluator<'_>, at: ExprRef, edges: &mut Vec<(FunctionId, FunctionId)>) {
    let program = evaluator.program;
    let hir = program.module(at.module);
    let function = hir.function_of(at.expr);
    if function == FunctionIdx(0) {
        return;
    }
    let table = match hir.kind(at.expr) {
        ExprKind::Ident(symbol) if goes_through(hir, at.expr) => match hir.symbol(symbol).definition {
            Definition::Variable { init, ref steps, .. } if steps.is_empty() && init != ExprId::NONE => init,
            _ => return,
        },
        _ => at.expr,
    };
    let from = program.number(FunctionRef { module: at.module, function });
    for item in entries(hir, table) {
        for thing in evaluator.things(ExprRef { module: at.module, expr: item }) {
            if let Thing::Function(function) = thing {
                edges.push((from, program.number(function)));
            }
        }
    }
}

/// Is a variable read for all that it holds? A member that is named is one of them, or a method of lists.
fn goes_through(hir: &Module, read: ExprId) -> bool {
    const LISTS: &[&str] = &["map", "forEach", "flatMap", "reduce", "some", "every", "entries", "values"];
    let Some(parent) = hir.expr(read).parent.some() else { return true };
    match hir.kind(parent) {
        ExprKind::Member { object, name } if object == read => LISTS.contains(&hir.str(name)),
        _ => true,
    }
}

/// Names and functions in a list or table.
fn entries(hir: &Module, table: ExprId) -> SmallVec<[ExprId; 8]> {
    let may_run = |&entry: &ExprId| matches!(hir.kind(entry), ExprKind::Ident(_) | ExprKind::Function(_));
    match hir.kind(table) {
        ExprKind::Array(items) => hir.list(items).filter(may_run).collect(),
        ExprKind::Object(props) => hir.object(props).iter().map(|prop| prop.value).filter(may_run).collect(),
        _ => SmallVec::new(),
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
    let inner = called_by_inherited(evaluator, at);
    edges.extend(inner.into_iter().map(|function| (from, program.number(function))));
    for target in targets {
        for thing in evaluator.things(target) {
            match thing {
                Thing::Function(_) | Thing::Instance(..) => {
                    let functions = evaluator.run_by_calling(thing).into_iter();
                    edges.extend(functions.map(|function| (from, program.number(function))));
                }
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
