//! Errors: who holds a caught one, what its members show, and which are the project's own.
//!
//! In goes an expression that may hold an error, out comes whether it does and of what kind.

use crate::facts::model::{Data, Origins, Value};
use crate::facts::paths::PathId;
use crate::facts::program::{ExprRef, FunctionRef};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{BinaryOp, ContextKind, ExprId, ExprKind, Language, LogicalOp, Module, SymbolIdx};

impl Evaluator<'_> {
    /// Inside `if (e instanceof AppError)` the error is the project's own: its text is meant for clients.
    pub(super) fn with_guard_of_own_error(&mut self, at: ExprRef, symbol: SymbolIdx, value: Value) -> Value {
        if !is_error(value.origins) {
            return value;
        }
        let module = self.program.module(at.module);
        let own = module.contexts_of(at.expr).any(|(_, context)| match context.kind {
            ContextKind::Then(test) => tests_kind_of_error(module, test, symbol),
            _ => false,
        }) || enclosing_conditional_tests(module, at.expr, symbol);
        if own { Value { data: value.data, origins: value.origins.with(Origins::OWN_ERROR) } } else { value }
    }

    /// A caught error; in Python it matters whether all kinds of errors are caught together.
    pub(super) fn caught(&mut self, kinds: ExprRef) -> Value {
        if kinds.expr == ExprId::NONE {
            return Value { data: Data::Unknown, origins: Origins::CAUGHT_ERROR };
        }
        let module = self.program.module(kinds.module);
        let each: Vec<ExprId> = match module.kind(kinds.expr) {
            ExprKind::Array(run) => module.list(run).collect(),
            _ => vec![kinds.expr],
        };
        let mut origins = Origins::CAUGHT_ERROR;
        let mut all_for_clients = true;
        for expr in each {
            let things = self.things(ExprRef { module: kinds.module, expr });
            let is_any =
                things.iter().any(|thing| matches!(thing, Thing::Path { path, .. } if self.is_any_error(*path)));
            origins = if is_any { origins.with(Origins::ANY_ERROR) } else { origins };
            all_for_clients &= things.iter().any(|thing| self.is_for_clients(thing));
        }
        let origins = if all_for_clients { origins.with(Origins::OWN_ERROR) } else { origins };
        Value { data: Data::Unknown, origins }
    }

    /// An error of the project, or one that says what is wrong with an input: its text was written for who reads it.
    fn is_for_clients(&self, thing: &Thing) -> bool {
        match thing {
            Thing::Class(..) => true,
            Thing::Path { path, .. } => self.paths.last_name(*path).contains("Validation"),
            _ => false,
        }
    }

    fn is_any_error(&self, path: PathId) -> bool {
        matches!(&*self.paths.text(path), "builtins.Exception" | "builtins.BaseException")
    }

    /// The first parameter of an error handler, of the callback of `.catch`, and of `(err, result) => …`.
    pub(super) fn is_error_parameter(&mut self, function: FunctionRef, index: usize) -> bool {
        let hir = self.program.module(function.module);
        let entry = hir.function(function.function);
        if hir.language == Language::Python {
            return self.takes_any_error(function, index);
        }
        if index != 0 {
            return false;
        }
        let name = entry.parameters.first().and_then(|p| p.symbol.some()).map(|s| hir.str(hir.symbol(s).name));
        if entry.parameters.len() == 4 && name.is_some_and(is_error_name) {
            return true;
        }
        let Some(parent) = entry.expr.some().and_then(|e| hir.expr(e).parent.some()) else { return false };
        let Some((callee, _)) = hir.call(parent) else { return false };
        match hir.kind(callee) {
            ExprKind::Member { name: method, .. } if hir.str(method) == "catch" => true,
            ExprKind::Member { name: method, .. } if hir.language == Language::Rust => {
                matches!(hir.str(method), "map_err" | "or_else" | "unwrap_or_else" | "inspect_err")
            }
            _ => entry.parameters.len() >= 2 && name.is_some_and(is_error_name),
        }
    }

    /// A parameter that is declared as an error of whatever kind.
    fn takes_any_error(&mut self, function: FunctionRef, index: usize) -> bool {
        let hir = self.program.module(function.module);
        let Some(annotation) = hir.function(function.function).parameters.get(index).map(|it| it.annotation) else {
            return false;
        };
        let things = self.type_things(function.module, annotation, 0);
        let is_declared =
            things.iter().any(|thing| matches!(thing, Thing::Path { path, .. } if self.is_any_error(*path)));
        is_declared || self.is_handed_any_error(function, index)
    }

    /// `@app.errorhandler(Exception)` above `def answer(error)`: a decorator that names all errors.
    fn is_handed_any_error(&mut self, function: FunctionRef, index: usize) -> bool {
        let hir = self.program.module(function.module);
        let entry = hir.function(function.function);
        let name = entry.parameters.get(index).and_then(|it| it.symbol.some()).map(|it| hir.str(hir.symbol(it).name));
        let called = entry.decorators.iter().filter_map(|&decorator| hir.call(decorator));
        let named: Vec<ExprId> = called.filter_map(|(_, args)| hir.list(args).next()).collect();
        name.is_some_and(is_error_name)
            && named.into_iter().any(|expr| {
                let things = self.things(ExprRef { module: function.module, expr });
                things.iter().any(|thing| matches!(thing, Thing::Path { path, .. } if self.is_any_error(*path)))
            })
    }
}

/// `return Promise.reject(error)` throws.
pub(super) fn is_rejection(module: &Module, expr: ExprId) -> bool {
    let Some((callee, _)) = module.call(expr) else { return false };
    matches!(module.kind(callee), ExprKind::Member { object, name } if module.str(name) == "reject"
        && matches!(module.kind(object), ExprKind::Global(promise) if module.str(promise) == "Promise"))
}

pub(super) fn is_error(origins: Origins) -> bool {
    origins.has(Origins::CAUGHT_ERROR.with(Origins::PASSED_ERROR))
}

/// Names that errors bear as parameters.
pub(crate) fn is_error_name(name: &str) -> bool {
    matches!(name.trim_start_matches('_'), "e" | "err" | "error" | "ex" | "exc" | "exception")
}

pub(super) fn error_member(of: &Value, name: &str) -> Value {
    let origins = match name {
        "stack" => of.origins.with(Origins::ERROR_STACK),
        // A status or code that the project's own errors carry says nothing of the inside.
        "status" | "statusCode" | "status_code" | "code" | "name" | "type" | "length" | "__class__" => Origins::DYNAMIC,
        _ => of.origins,
    };
    Value { data: Data::Unknown, origins }
}

/// Does the test single out the project's own errors (`e instanceof AppError`, `err.isOperational`, `e.name === …`)?
fn tests_kind_of_error(module: &Module, test: ExprId, symbol: SymbolIdx) -> bool {
    let is_symbol = |id: ExprId| module.kind(id) == ExprKind::Ident(symbol);
    match module.kind(test) {
        ExprKind::Binary { op: BinaryOp::Instanceof, left, right } => {
            // `instanceof Error` tells nothing: every error is one.
            is_symbol(left) && !matches!(module.kind(right), ExprKind::Global(name) if module.str(name) == "Error")
        }
        ExprKind::Logical { left, right, .. } => {
            tests_kind_of_error(module, left, symbol) || tests_kind_of_error(module, right, symbol)
        }
        ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::Compare, left, .. } => {
            matches!(module.kind(left), ExprKind::Member { object, .. } if is_symbol(object))
        }
        ExprKind::Member { object, .. } => is_symbol(object),
        ExprKind::Call { args, .. } => module.list(args).next().is_some_and(is_symbol),
        _ => false,
    }
}

/// `e instanceof AppError ? e.message : "…"`: the expression lies in the first branch.
fn enclosing_conditional_tests(module: &Module, expr: ExprId, symbol: SymbolIdx) -> bool {
    let mut child = expr;
    while let Some(parent) = module.expr(child).parent.some() {
        match module.kind(parent) {
            ExprKind::Conditional { test, branches }
                if module.list(branches).next() == Some(child) && tests_kind_of_error(module, test, symbol) =>
            {
                return true;
            }
            ExprKind::Logical { op: LogicalOp::And, left, right }
                if right == child && tests_kind_of_error(module, left, symbol) =>
            {
                return true;
            }
            _ => {}
        }
        child = parent;
    }
    false
}
