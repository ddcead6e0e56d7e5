//! What comes from outside of the program: requests, the environment, what stack files declare.
//!
//! In goes an API path or an expression that has one, out come the origins that stacks give it.

use crate::facts::model::{Data, Origins, Value};
use crate::facts::paths::PathId;
use crate::facts::program::ExprRef;
use crate::facts::resolve::{Evaluator, Thing};
use crate::facts::stacks::{Clause, Projection, Verb};
use crate::syntax::hir::ExprKind;

/// What an API path alone says about the values that it names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outside {
    /// It is a part of a request.
    input: bool,
    /// It stands for a number.
    number: Option<f64>,
    /// It is a variable of the environment, or all of them.
    environment: bool,
    random: bool,
}

impl Evaluator<'_> {
    /// What stack files say that the result of a call is.
    pub(crate) fn declared_origin(&mut self, path: PathId, arguments: Origins) -> Option<Origins> {
        let stacks = self.stacks;
        for clause in stacks.origin_candidates(self.paths.last_name(path)).filter(|clause| !clause.passes) {
            if self.matcher.matches(&self.paths, &stacks.types, path, &clause.selector) {
                return Some(if clause.replaces { clause.origin } else { clause.origin.with(arguments) });
            }
        }
        None
    }

    /// Does a call give back what it is given first?
    pub(crate) fn gives_first(&mut self, path: PathId) -> bool {
        let stacks = self.stacks;
        let name = self.paths.last_name(path);
        let mut passing = stacks.origin_candidates(name).filter(|clause| clause.passes);
        passing.any(|clause| self.matcher.matches(&self.paths, &stacks.types, path, &clause.selector))
    }

    /// The value of something external: an environment variable, a part of a request, what a stack declares.
    pub(super) fn path_value(&mut self, at: ExprRef) -> Option<Value> {
        for thing in self.things(at) {
            let Thing::Path { path, .. } = thing else { continue };
            let outside = self.outside(path);
            if outside.input && !self.is_made_from_environment(at) {
                let turn = if self.is_of_loop(at) { Origins::LOOP_VARIABLE } else { Origins::default() };
                let text = if self.is_text_input(path) { Origins::TEXT } else { Origins::default() };
                return Some(Value { data: Data::Unknown, origins: Origins::REQUEST.with(turn).with(text) });
            }
            if let Some(number) = outside.number {
                return Some(Value::number(number));
            }
            if outside.environment {
                return Some(Value { data: Data::Unknown, origins: Origins::ENV });
            }
            if outside.random {
                return Some(Value { data: Data::Unknown, origins: Origins::RANDOM });
            }
        }
        None
    }

    /// What a path alone says about the values that it names.
    fn outside(&mut self, path: PathId) -> Outside {
        if let Some(Some(known)) = self.outsides.get(path.index()) {
            return *known;
        }
        let result_of = self.paths.parent(path).filter(|_| self.paths.is_result(path));
        // Arguments are the caller's to add unless the result hides them.
        let declared = result_of.and_then(|called| self.declared_origin(called, Origins::default()));
        let found = Outside {
            input: self.is_input(path),
            number: self.named_number(path),
            environment: self.is_environment(path) || self.is_whole_environment(path),
            random: declared == Some(Origins::RANDOM),
        };
        if self.outsides.len() <= path.index() {
            self.outsides.resize(path.index() + 1, None);
        }
        self.outsides[path.index()] = Some(found);
        found
    }

    /// A number that a library names.
    fn named_number(&mut self, path: PathId) -> Option<f64> {
        let stacks = self.stacks;
        stacks.constants.iter().find_map(|constants| {
            let number = constants.value(self.paths.last_name(path))?;
            let patterns = &constants.selector.patterns;
            let is_one =
                patterns.iter().any(|pattern| self.matcher.matches_pattern(&self.paths, &stacks.types, path, pattern));
            is_one.then_some(number)
        })
    }

    /// `new URL(process.env.DATABASE_URL).searchParams` is no part of a request.
    fn is_made_from_environment(&mut self, at: ExprRef) -> bool {
        let mut at = self.origin(at);
        for _ in 0..8 {
            let module = self.program.module(at.module);
            let next = match module.kind(at.expr) {
                ExprKind::Member { object, .. } | ExprKind::Index { object, .. } => object,
                ExprKind::Call { callee, .. } => match self.first_returned(ExprRef { module: at.module, expr: callee })
                {
                    Some(returned) => {
                        at = self.origin(returned);
                        continue;
                    }
                    None => callee,
                },
                ExprKind::New { args, .. } => {
                    let Some(first) = module.list(args).next() else { return false };
                    let origins = self.value(ExprRef { module: at.module, expr: first }).origins;
                    return origins.has(Origins::ENV) && !origins.has(Origins::REQUEST);
                }
                _ => return false,
            };
            at = self.origin(ExprRef { module: at.module, expr: next });
        }
        false
    }

    /// What a function of the project returns first.
    fn first_returned(&mut self, callee: ExprRef) -> Option<ExprRef> {
        self.things(callee).into_iter().find_map(|thing| match thing {
            Thing::Function(function) => {
                let expr = *self.program.module(function.module).function(function.function).returns.first()?;
                Some(ExprRef { module: function.module, expr })
            }
            _ => None,
        })
    }

    /// All variables together: each of its members is one.
    pub fn is_whole_environment(&mut self, path: PathId) -> bool {
        if let Some(&known) = self.environments.get(&path) {
            return known;
        }
        let variable = self.paths.member(path, "ANY");
        let found = variable != path && self.is_environment(variable);
        self.environments.insert(path, found);
        found
    }

    pub fn is_environment(&mut self, path: PathId) -> bool {
        if let Some(&known) = self.variables.get(&path) {
            return known;
        }
        let stacks = self.stacks;
        let called = self.paths.parent(path).filter(|_| self.paths.is_result(path));
        let (verb, asked) = called.map_or((Verb::Read, path), |called| (Verb::Call, called));
        let found = stacks.candidates(verb, self.paths.last_name(asked)).any(|(clause, pattern)| {
            &*clause.kind == "env" && self.matcher.matches_pattern(&self.paths, &stacks.types, asked, pattern)
        });
        self.variables.insert(path, found);
        found
    }

    /// Is it, or does it lie inside, what a stack calls input?
    pub fn is_input(&mut self, path: PathId) -> bool {
        if let Some(&known) = self.inputs.get(&path) {
            return known;
        }
        let own = self.is_input_itself(path) || self.is_extractor(path);
        // What an extractor's name makes when it is called (`Json(answer)`) is an answer.
        let around =
            self.paths.parent(path).filter(|&around| !self.paths.is_result(path) || !self.is_extractor(around));
        let found = own || around.is_some_and(|around| self.is_input(around));
        self.inputs.insert(path, found);
        found
    }

    fn is_input_itself(&mut self, path: PathId) -> bool {
        self.is_input_where(path, |_| true)
    }

    /// Can only a text come out of it: a segment of the path, a header, what was made one (`body.name.trim()`)?
    fn is_text_input(&mut self, path: PathId) -> bool {
        let is_text = |clause: &Clause| has_state(clause, "text");
        let mut at = Some(path);
        while let Some(here) = at {
            let made = self.paths.parent(here).filter(|_| self.paths.is_result(here));
            let declared = made.and_then(|made| self.declared_origin(made, Origins::default()));
            if declared.is_some_and(|origins| origins.has(Origins::TEXT)) || self.is_input_where(here, is_text) {
                return true;
            }
            at = self.paths.parent(here);
        }
        false
    }

    fn is_input_where(&mut self, path: PathId, is_such: impl Fn(&Clause) -> bool) -> bool {
        let stacks = self.stacks;
        let (verb, asked) = if self.paths.is_result(path) {
            match self.paths.parent(path) {
                Some(parent) => (Verb::Call, parent),
                None => return false,
            }
        } else {
            (Verb::Read, path)
        };
        stacks.candidates(verb, self.paths.last_name(asked)).any(|(clause, pattern)| {
            &*clause.kind == "input"
                && is_such(clause)
                && self.matcher.matches_pattern(&self.paths, &stacks.types, asked, pattern)
        })
    }

    /// Is it a type whose values hold a part of the request as it came, read into a type (`Json<T>`)?
    fn is_extractor(&mut self, path: PathId) -> bool {
        let stacks = self.stacks;
        stacks.candidates(Verb::Param, self.paths.last_name(path)).any(|(clause, pattern)| {
            &*clause.kind == "input"
                && has_state(clause, "typed")
                && self.matcher.matches_pattern(&self.paths, &stacks.types, path, pattern)
        })
    }
}

/// Does a clause say that of the input that it sees?
fn has_state(clause: &Clause, said: &str) -> bool {
    let state = clause.fields.iter().find(|(name, _)| &**name == "state");
    state.is_some_and(|(_, state)| *state == Projection::literal(Value::text(said)))
}
