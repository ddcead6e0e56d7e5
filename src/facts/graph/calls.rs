//! The edges of the call graph.
//!
//! In goes a module, out come pairs of functions: who calls whom, or holds it.

use smallvec::SmallVec;

use super::is_parameter;
use crate::facts::arguments::handed;
use crate::facts::code::called_by_inherited;
use crate::facts::model::FunctionId;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId, Program};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{ExprId, FunctionIdx};

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
    let inner = called_by_inherited(evaluator, at);
    edges.extend(inner.into_iter().map(|function| (from, program.number(function))));
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
