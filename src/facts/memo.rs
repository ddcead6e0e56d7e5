//! What has been worked out about expressions, found by their index, and for whom it holds.

use std::hash::{BuildHasher as _, Hash};

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::program::{ExprRef, FunctionRef};
use super::resolve::{Thing, Things};

/// No answer yet; others are an index into [`ExprMemo::known`] plus [`FIRST`].
const NEW: u32 = 0;
/// Being worked out.
const ACTIVE: u32 = 1;
/// The answer is [`ExprMemo::common`].
const COMMON: u32 = 2;
const FIRST: u32 = 3;

/// One answer for each expression of a program.
#[derive(Debug)]
pub struct ExprMemo<T> {
    /// By module; empty until an expression of it is asked about.
    slots: Vec<Box<[u32]>>,
    known: Vec<T>,
    /// The answer to most questions, which is kept once.
    common: T,
}

/// What is known of an expression.
#[derive(Debug, PartialEq, Eq)]
pub enum State<'m, T> {
    New,
    Active,
    Known(&'m T),
}

impl<T: PartialEq> ExprMemo<T> {
    /// About a program with that many modules, where most questions have the `common` answer.
    pub fn new(modules: usize, common: T) -> ExprMemo<T> {
        ExprMemo { slots: vec![Box::default(); modules], known: Vec::new(), common }
    }

    pub fn state(&self, at: ExprRef) -> State<'_, T> {
        let slot = self.slots.get(at.module.0 as usize).and_then(|slots| slots.get(at.expr.0 as usize));
        match slot.copied().unwrap_or(NEW) {
            NEW => State::New,
            ACTIVE => State::Active,
            COMMON => State::Known(&self.common),
            index => self.known.get((index - FIRST) as usize).map_or(State::New, State::Known),
        }
    }

    /// Work on an expression begins; its module has that many.
    pub fn begin(&mut self, at: ExprRef, exprs: usize) {
        self.set(at, exprs, ACTIVE);
    }

    /// The answer to what has begun.
    pub fn finish(&mut self, at: ExprRef, exprs: usize, answer: T) {
        if answer == self.common {
            return self.set(at, exprs, COMMON);
        }
        let index = u32::try_from(self.known.len()).ok().and_then(|index| index.checked_add(FIRST));
        self.known.push(answer);
        self.set(at, exprs, index.unwrap_or(NEW));
    }

    /// Forgets the answers that `keep` does not want.
    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        let mut kept = Vec::new();
        let mut known: Vec<Option<T>> = std::mem::take(&mut self.known).into_iter().map(Some).collect();
        let keeps_common = keep(&self.common);
        for slot in self.slots.iter_mut().flat_map(|slots| slots.iter_mut()) {
            if *slot == COMMON && keeps_common {
                continue;
            }
            let answer = slot.checked_sub(FIRST).and_then(|index| known.get_mut(index as usize)?.take());
            *slot = match answer.filter(&keep) {
                Some(answer) => {
                    kept.push(answer);
                    u32::try_from(kept.len() - 1).ok().and_then(|index| index.checked_add(FIRST)).unwrap_or(NEW)
                }
                None => NEW,
            };
        }
        self.known = kept;
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

/// What an answer rests on besides the program itself: functions whose parameters it follows, loops whose element it
/// takes, limits that cut it short. The set may hold too much, never too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rests(u64);

impl Rests {
    pub const NOTHING: Rests = Rests(0);
    /// A circle or the limit of depth: asked from elsewhere, the answer may be longer.
    pub const CUT: Rests = Rests(1);

    pub fn on_function(function: FunctionRef) -> Rests {
        Rests::on(function)
    }

    pub fn on_loop(iterated: ExprRef) -> Rests {
        Rests::on(iterated)
    }

    fn on(what: impl Hash) -> Rests {
        Rests(2 << (FxBuildHasher.hash_one(what) % 63))
    }

    #[must_use]
    pub fn with(self, other: Rests) -> Rests {
        Rests(self.0 | other.0)
    }

    pub fn is_free_of(self, other: Rests) -> bool {
        self.0 & other.0 == 0
    }

    pub fn is_cut(self) -> bool {
        !self.is_free_of(Rests::CUT)
    }
}

/// Answers about expressions: those that hold for whoever asks, and those that hold only from where it is asked now.
#[derive(Debug)]
pub struct Answers<T> {
    general: ExprMemo<(T, Rests)>,
    /// `None` while being worked out.
    here: FxHashMap<ExprRef, Option<(T, Rests)>>,
    /// What is special about where it is asked: answers that rest on it are not general.
    special: Rests,
}

/// Answers that were put aside while it was asked from elsewhere.
pub struct Aside<T> {
    here: FxHashMap<ExprRef, Option<(T, Rests)>>,
    special: Rests,
}

impl<T: PartialEq> Answers<T> {
    /// About a program with that many modules, where most questions have the `common` answer.
    pub fn new(modules: usize, common: T) -> Answers<T> {
        Answers {
            general: ExprMemo::new(modules, (common, Rests::NOTHING)),
            here: FxHashMap::default(),
            special: Rests::NOTHING,
        }
    }

    pub fn state(&self, at: ExprRef) -> State<'_, (T, Rests)> {
        match self.general.state(at) {
            State::Known(known) if known.1.is_free_of(self.special) => State::Known(known),
            state if self.special == Rests::NOTHING => state,
            _ => match self.here.get(&at) {
                None => State::New,
                Some(None) => State::Active,
                Some(Some(known)) => State::Known(known),
            },
        }
    }

    /// Work on an expression begins; its module has that many.
    pub fn begin(&mut self, at: ExprRef, exprs: usize) {
        if self.special == Rests::NOTHING {
            self.general.begin(at, exprs);
        } else {
            self.here.insert(at, None);
        }
    }

    pub fn finish(&mut self, at: ExprRef, exprs: usize, answer: T, rests: Rests) {
        let is_general = rests.is_free_of(self.special) && matches!(self.general.state(at), State::New);
        if self.special == Rests::NOTHING || is_general {
            self.here.remove(&at);
            self.general.finish(at, exprs, (answer, rests));
        } else {
            self.here.insert(at, Some((answer, rests)));
        }
    }

    /// Asks from somewhere special from now on.
    pub fn enter(&mut self, special: Rests) -> Aside<T> {
        Aside { here: std::mem::take(&mut self.here), special: std::mem::replace(&mut self.special, special) }
    }

    pub fn leave(&mut self, aside: Aside<T>) {
        self.here = aside.here;
        self.special = aside.special;
    }

    /// Forgets what rests on anything.
    pub fn keep_free(&mut self) {
        self.general.retain(|(_, rests)| *rests == Rests::NOTHING);
    }
}

type ByName = FxHashMap<(Thing, Box<str>), (Things, Rests)>;

/// Members of the project's own objects and classes, as [`Answers`] keeps them for expressions.
#[derive(Debug, Default)]
pub struct Members {
    general: ByName,
    here: ByName,
    special: Rests,
}

impl Members {
    pub fn get(&self, key: &(Thing, Box<str>)) -> Option<&(Things, Rests)> {
        self.general.get(key).filter(|(_, rests)| rests.is_free_of(self.special)).or_else(|| self.here.get(key))
    }

    /// Until the members are known there are none: an object may spread itself.
    pub fn begin(&mut self, key: (Thing, Box<str>)) {
        let map = if self.special == Rests::NOTHING { &mut self.general } else { &mut self.here };
        map.insert(key, (Things::new(), Rests::CUT));
    }

    pub fn finish(&mut self, key: (Thing, Box<str>), members: Things, rests: Rests) {
        let is_general = rests.is_free_of(self.special) && !self.general.contains_key(&key);
        if self.special == Rests::NOTHING || is_general {
            self.here.remove(&key);
            self.general.insert(key, (members, rests));
        } else {
            self.here.insert(key, (members, rests));
        }
    }

    /// Asks from somewhere special from now on; gives what was asked from elsewhere, to be put back.
    pub fn enter(&mut self, special: Rests) -> Members {
        let general = std::mem::take(&mut self.general);
        std::mem::replace(self, Members { general, here: ByName::default(), special })
    }

    pub fn leave(&mut self, outer: Members) {
        let general = std::mem::take(&mut self.general);
        *self = Members { general, ..outer };
    }

    /// Forgets what rests on anything.
    pub fn keep_free(&mut self) {
        self.general.retain(|_, (_, rests)| *rests == Rests::NOTHING);
    }
}

#[cfg(test)]
mod tests {
    use super::{Answers, ExprMemo, Rests, State};
    use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
    use crate::syntax::hir::{ExprId, FunctionIdx};

    #[test]
    fn an_answer_is_new_then_active_then_known() {
        let at = ExprRef { module: ModuleId(1), expr: ExprId(2) };
        let mut memo = ExprMemo::new(2, "");
        assert_eq!(memo.state(at), State::New);
        memo.begin(at, 3);
        assert_eq!(memo.state(at), State::Active);
        memo.finish(at, 3, "answer");
        assert_eq!(memo.state(at), State::Known(&"answer"));
        assert_eq!(memo.state(ExprRef { expr: ExprId(1), ..at }), State::New);
        assert_eq!(memo.state(ExprRef { module: ModuleId(7), ..at }), State::New);
    }

    fn expr(index: u32) -> ExprRef {
        ExprRef { module: ModuleId(0), expr: ExprId(index) }
    }

    fn function(index: u32) -> Rests {
        Rests::on_function(FunctionRef { module: ModuleId(0), function: FunctionIdx(index) })
    }

    #[test]
    fn forgotten_answers_are_new_again() {
        for common in 0..4 {
            let mut memo = ExprMemo::new(1, common);
            for index in 0..3 {
                memo.finish(expr(index), 3, index);
            }
            memo.retain(|answer| *answer != 1);
            assert_eq!(memo.state(expr(0)), State::Known(&0));
            assert_eq!(memo.state(expr(1)), State::New);
            assert_eq!(memo.state(expr(2)), State::Known(&2));
        }
    }

    #[test]
    fn only_answers_that_do_not_rest_on_what_is_special_are_shared() {
        let mut answers = Answers::new(1, "");
        let (first, second) = (function(1), function(2));
        assert!(first.is_free_of(second));
        answers.finish(expr(0), 4, "of the first", first);
        let outside = answers.enter(first.with(Rests::CUT));
        assert_eq!(answers.state(expr(0)), State::New);
        answers.finish(expr(0), 4, "of the first, from inside", first);
        answers.finish(expr(1), 4, "of the second", second);
        answers.finish(expr(2), 4, "cut", Rests::CUT);
        assert_eq!(answers.state(expr(0)), State::Known(&("of the first, from inside", first)));
        answers.leave(outside);
        assert_eq!(answers.state(expr(0)), State::Known(&("of the first", first)));
        assert_eq!(answers.state(expr(1)), State::Known(&("of the second", second)));
        assert_eq!(answers.state(expr(2)), State::New);
    }
}
