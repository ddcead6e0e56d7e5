//! When functions run.
//!
//! In go the calls and the functions that something outside starts, out comes the most demanding phase of each.

use crate::facts::model::{FunctionId, Phase};
use crate::facts::program::{FunctionRef, Program};
use crate::syntax::hir::FunctionIdx;

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
