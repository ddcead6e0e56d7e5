//! One turn of code that registers for others: by which call a helper is entered, which element a loop has reached.
//!
//! Without it, what one caller hands in would come out at every other.

use smallvec::SmallVec;

use super::memo::Rests;
use super::model::Value;
use super::program::{ExprRef, FunctionRef};
use super::resolve::Evaluator;
use crate::syntax::hir::{Definition, ExprKind};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turn {
    /// Helpers with the call that enters each, the innermost first.
    pub calls: SmallVec<[(FunctionRef, ExprRef); 2]>,
    /// What a loop runs over, with the element that it has reached.
    pub element: Option<(ExprRef, ExprRef)>,
}

impl Turn {
    pub fn call_of(&self, function: FunctionRef) -> Option<ExprRef> {
        self.calls.iter().find(|(helper, _)| *helper == function).map(|(_, call)| *call)
    }

    pub fn element_of(&self, iterated: ExprRef) -> Option<ExprRef> {
        self.element.filter(|(of, _)| *of == iterated).map(|(_, item)| item)
    }

    /// What answers rest on that are different in this turn.
    pub(super) fn rests(&self) -> Rests {
        let functions = self.calls.iter().map(|(helper, _)| Rests::on_function(*helper));
        let all = functions.chain(self.element.map(|(iterated, _)| Rests::on_loop(iterated)));
        all.fold(Rests::NOTHING, |all, one| all.with(one).with(Rests::CUT))
    }
}

impl Evaluator<'_> {
    /// Answers within one turn: parameters are what its calls pass, a loop's variable is its element.
    pub fn in_turn<R>(&mut self, turn: &Turn, answer: impl FnOnce(&mut Self) -> R) -> R {
        let outer = std::mem::replace(&mut self.turn, turn.clone());
        let aside = self.enter(turn.rests());
        let answered = answer(self);
        self.leave(aside);
        self.turn = outer;
        answered
    }

    /// The value of the element that the loop over `iterated` has reached.
    pub(super) fn element_value(&mut self, iterated: ExprRef) -> Option<Value> {
        self.rests = self.rests.with(Rests::on_loop(iterated));
        let item = self.turn.element_of(iterated)?;
        Some(self.value(item))
    }

    /// What the turn's call hands in for a plain parameter.
    pub fn handed(&self, at: ExprRef) -> Option<ExprRef> {
        let module = self.program.module(at.module);
        let ExprKind::Ident(symbol) = module.kind(at.expr) else { return None };
        let Definition::Parameter { function, index, steps, .. } = &module.symbol(symbol).definition else {
            return None;
        };
        let call = self.turn.call_of(FunctionRef { module: at.module, function: *function })?;
        steps.is_empty().then(|| self.argument(call, *index as usize)).flatten()
    }

    /// The arguments that the turn's call hands to a rest parameter.
    pub(super) fn handed_rest(&self, at: ExprRef) -> Option<Vec<ExprRef>> {
        let module = self.program.module(at.module);
        let ExprKind::Ident(symbol) = module.kind(at.expr) else { return None };
        let Definition::Parameter { function, index, .. } = module.symbol(symbol).definition else { return None };
        let is_rest = module.function(function).parameters.get(index as usize).is_some_and(|parameter| parameter.rest);
        let call = self.turn.call_of(FunctionRef { module: at.module, function }).filter(|_| is_rest)?;
        let caller = self.program.module(call.module);
        let (_, args) = caller.call(call.expr)?;
        let handed = caller.list(args).skip(index as usize);
        Some(handed.map(|expr| ExprRef { module: call.module, expr }).collect())
    }
}
