//! What has been worked out about expressions, found by their index.

use super::program::ExprRef;

/// No answer yet; others are an index into [`ExprMemo::known`] plus [`FIRST`].
const NEW: u32 = 0;
/// Being worked out.
const ACTIVE: u32 = 1;
const FIRST: u32 = 2;

/// One answer for each expression of a program.
#[derive(Debug)]
pub struct ExprMemo<T> {
    /// By module; empty until an expression of it is asked about.
    slots: Vec<Box<[u32]>>,
    known: Vec<T>,
}

/// What is known of an expression.
#[derive(Debug, PartialEq, Eq)]
pub enum State<'m, T> {
    New,
    Active,
    Known(&'m T),
}

impl<T> ExprMemo<T> {
    pub fn new(modules: usize) -> ExprMemo<T> {
        ExprMemo { slots: vec![Box::default(); modules], known: Vec::new() }
    }

    pub fn state(&self, at: ExprRef) -> State<'_, T> {
        let slot = self.slots.get(at.module.0 as usize).and_then(|slots| slots.get(at.expr.0 as usize));
        match slot.copied().unwrap_or(NEW) {
            NEW => State::New,
            ACTIVE => State::Active,
            index => self.known.get((index - FIRST) as usize).map_or(State::New, State::Known),
        }
    }

    /// Work on an expression begins; its module has that many.
    pub fn begin(&mut self, at: ExprRef, exprs: usize) {
        self.set(at, exprs, ACTIVE);
    }

    /// The answer to what has begun.
    pub fn finish(&mut self, at: ExprRef, exprs: usize, answer: T) {
        let index = u32::try_from(self.known.len()).ok().and_then(|index| index.checked_add(FIRST));
        self.known.push(answer);
        self.set(at, exprs, index.unwrap_or(NEW));
    }

    fn set(&mut self, at: ExprRef, exprs: usize, value: u32) {
        let Some(slots) = self.slots.get_mut(at.module.0 as usize) else { return };
        if slots.is_empty() {
            *slots = vec![NEW; exprs].into_boxed_slice();
        }
        if let Some(slot) = slots.get_mut(at.expr.0 as usize) {
            *slot = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExprMemo, State};
    use crate::facts::program::{ExprRef, ModuleId};
    use crate::syntax::hir::ExprId;

    #[test]
    fn an_answer_is_new_then_active_then_known() {
        let at = ExprRef { module: ModuleId(1), expr: ExprId(2) };
        let mut memo = ExprMemo::new(2);
        assert_eq!(memo.state(at), State::New);
        memo.begin(at, 3);
        assert_eq!(memo.state(at), State::Active);
        memo.finish(at, 3, "answer");
        assert_eq!(memo.state(at), State::Known(&"answer"));
        assert_eq!(memo.state(ExprRef { expr: ExprId(1), ..at }), State::New);
        assert_eq!(memo.state(ExprRef { module: ModuleId(7), ..at }), State::New);
    }
}
