//! What callers take of a helper's result: one that reads the body and gives it back beside other things
//! (`return { query, body, session }`) hands no body to a caller who takes `session` alone.

use rustc_hash::FxHashSet;

use crate::facts::model::FunctionId;
use crate::facts::program::{ExprRef, FunctionRef, Program};
use crate::syntax::hir::{Definition, ExprId, ExprKind, Module, Step, SymbolIdx, Use};

/// Calls of one helper that are looked at.
const MAX_CALLS: usize = 16;

/// Where a part of the request is read, and who calls whom.
pub struct HandedBack<'a, 'p> {
    pub program: &'p Program<'p>,
    pub callers: &'a [Vec<ExprRef>],
    /// The places that read the part.
    pub reads: &'a FxHashSet<ExprRef>,
    /// The functions in which those stand.
    pub readers: &'a FxHashSet<FunctionId>,
}

impl HandedBack<'_, '_> {
    /// Does `caller` leave the part lying each time it calls `helper`? Not where that cannot be told.
    pub fn is_left(&self, caller: FunctionId, helper: FunctionId) -> bool {
        let Some(keys) = self.keys(self.program.function_at(helper)) else { return false };
        self.each_call(caller, helper, |call| self.leaves(call, &keys))
    }

    /// Does `caller` only ask `helper` something, each time: `if (await isTooLarge(request))`?
    pub fn is_asked(&self, caller: FunctionId, helper: FunctionId) -> bool {
        self.each_call(caller, helper, |call| is_test(self.program.module(call.module), call.expr))
    }

    /// Does something hold of each call of `helper` in `caller`, and are there any?
    fn each_call(&self, caller: FunctionId, helper: FunctionId, holds: impl Fn(ExprRef) -> bool) -> bool {
        let owner = self.program.function_at(caller);
        let of_caller = |call: &&ExprRef| {
            let function = self.program.module(call.module).function_of(call.expr);
            FunctionRef { module: call.module, function } == owner
        };
        let Some(calls) = self.callers.get(helper.0 as usize) else { return false };
        let mut calls = calls.iter().filter(of_caller).take(MAX_CALLS).peekable();
        calls.peek().is_some() && calls.all(|&call| holds(call))
    }

    /// The properties of what a helper returns that hold the part; none where it returns anything but plain objects.
    fn keys(&self, helper: FunctionRef) -> Option<Vec<&str>> {
        let module = self.program.module(helper.module);
        let mut keys = Vec::new();
        for &returned in &module.function(helper.function).returns {
            let ExprKind::Object(run) = module.kind(returned) else {
                match module.kind(returned) {
                    ExprKind::Null | ExprKind::Undefined => continue,
                    _ => return None,
                }
            };
            for prop in module.object(run) {
                let key = prop.key?;
                if self.holds(helper, module, prop.value) {
                    keys.push(module.str(key));
                }
            }
        }
        (!keys.is_empty()).then_some(keys)
    }

    fn holds(&self, helper: FunctionRef, module: &Module, value: ExprId) -> bool {
        match module.kind(value) {
            ExprKind::Ident(symbol) => {
                let entry = module.symbol(symbol);
                let init = match entry.definition {
                    Definition::Variable { init, .. } => init,
                    _ => ExprId::NONE,
                };
                let mut sources = init.some().into_iter().chain(entry.assigned.iter().copied());
                sources.any(|source| self.reads_within(helper, module, source))
            }
            _ => self.reads_within(helper, module, value),
        }
    }

    /// Is the part read in this expression, by itself or by a function that it calls?
    fn reads_within(&self, helper: FunctionRef, module: &Module, expr: ExprId) -> bool {
        let (start, end) = (module.expr(expr).start, module.expr(expr).end);
        let inside = |at: &ExprRef| {
            let of_module = at.module == helper.module && at.expr != ExprId::NONE;
            of_module && module.expr(at.expr).start >= start && module.expr(at.expr).end <= end
        };
        self.reads.iter().any(&inside)
            || self
                .readers
                .iter()
                .any(|&reader| self.callers.get(reader.0 as usize).is_some_and(|calls| calls.iter().any(&inside)))
    }

    fn leaves(&self, call: ExprRef, keys: &[&str]) -> bool {
        let module = self.program.module(call.module);
        let mut root = call.expr;
        while let Some(parent) = module.expr(root).parent.some() {
            if !matches!(module.kind(parent), ExprKind::Await(_)) {
                return false;
            }
            root = parent;
        }
        let holders = (0..).map(SymbolIdx).zip(&module.symbols).filter_map(|(id, symbol)| match &symbol.definition {
            Definition::Variable { init, steps, .. } if *init == root => Some((id, steps)),
            _ => None,
        });
        let mut holders = holders.peekable();
        holders.peek().is_some()
            && holders.all(|(symbol, steps)| match steps.first() {
                Some(Step::Property(name)) => !keys.contains(&module.str(*name)),
                Some(_) => false,
                None => module.symbol(symbol).reads.iter().all(|&read| is_other_member(module, read, keys)),
            })
    }
}

/// Is what an expression gives only tested, awaited or not?
fn is_test(module: &Module, mut expr: ExprId) -> bool {
    while let Some(parent) = module.expr(expr).parent.some() {
        if !matches!(module.kind(parent), ExprKind::Await(_)) {
            return false;
        }
        expr = parent;
    }
    module.expr(expr).role == Use::Test
}

fn is_other_member(module: &Module, read: ExprId, keys: &[&str]) -> bool {
    let parent = module.expr(read).parent.some().map(|parent| module.kind(parent));
    matches!(parent, Some(ExprKind::Member { object, name }) if object == read && !keys.contains(&module.str(name)))
}
