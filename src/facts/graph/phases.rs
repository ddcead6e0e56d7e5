//! When functions run.
//!
//! In go the calls and the functions that something outside starts, out comes the most demanding phase of each.

use rustc_hash::FxHashSet;

use crate::facts::model::{FunctionId, Phase};
use crate::facts::program::{FunctionRef, Program};
use crate::syntax::hir::FunctionIdx;

/// Spreads phases along the calls; the most demanding one wins. A function that keeps what it gave (`once`) runs when
/// it is called first: what starts the service comes before its requests.
pub fn phases(
    program: &Program<'_>,
    calls: &[Vec<FunctionId>],
    starts: &[(FunctionId, Phase)],
    once: &FxHashSet<FunctionId>,
) -> Vec<Phase> {
    let at_start: Vec<(FunctionId, Phase)> =
        starts.iter().copied().filter(|(_, phase)| *phase == Phase::Startup).collect();
    let early = spread(program, calls, &at_start, &FxHashSet::default());
    let started: FxHashSet<FunctionId> =
        once.iter().copied().filter(|function| early[function.0 as usize] > Phase::Dead).collect();
    spread(program, calls, starts, &started)
}

/// Functions that are `settled` keep the phase of the start.
fn spread(
    program: &Program<'_>,
    calls: &[Vec<FunctionId>],
    starts: &[(FunctionId, Phase)],
    settled: &FxHashSet<FunctionId>,
) -> Vec<Phase> {
    let mut phases = vec![Phase::Dead; program.function_count()];
    let mut queue: Vec<(FunctionId, Phase)> = starts.to_vec();
    for module in program.ids() {
        let top = program.number(FunctionRef { module, function: FunctionIdx(0) });
        phases[top.0 as usize] = Phase::Module;
        queue.extend(calls[top.0 as usize].iter().map(|&f| (f, Phase::Startup)));
    }
    while let Some((function, phase)) = queue.pop() {
        let phase = if settled.contains(&function) { phase.min(Phase::Startup) } else { phase };
        let slot = &mut phases[function.0 as usize];
        if *slot >= phase {
            continue;
        }
        *slot = phase;
        queue.extend(calls[function.0 as usize].iter().map(|&callee| (callee, phase)));
    }
    phases
}
