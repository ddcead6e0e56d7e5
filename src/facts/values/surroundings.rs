//! What surrounds an expression: loops, `try`, `catch`, and tests of the environment.
//!
//! In goes an expression, out comes what it lies within and under which environment it runs.

use smallvec::SmallVec;

use crate::facts::model::{Data, Guard, Origins, Value, Within};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{BinaryOp, ContextId, ContextKind, ExprId, ExprKind, Language, LogicalOp, Module};

impl Evaluator<'_> {
    /// `process.env.NODE_ENV === "development"`; whatever is only asked not to be production may be anything.
    pub(super) fn is_development(&mut self, module: ModuleId, test: ExprId) -> bool {
        match self.program.module(module).kind(test) {
            ExprKind::Binary { op: BinaryOp::Equal, left, right } => {
                let sides = [left, right].map(|expr| self.value(ExprRef { module, expr }));
                sides.iter().any(|side| matches!(side.as_text(), Some("development" | "dev" | "local")))
                    && sides.iter().any(|side| side.origins.has(Origins::ENV))
            }
            ExprKind::Logical { op: LogicalOp::And, left, right } => {
                self.is_development(module, left) || self.is_development(module, right)
            }
            _ => false,
        }
    }

    /// What surrounds an expression: loops, try, catch, and tests of the environment.
    pub fn surroundings(&mut self, at: ExprRef) -> (Within, Guard) {
        let module = self.program.module(at.module);
        let contexts: SmallVec<[(ContextId, ContextKind); 8]> =
            module.contexts_of(at.expr).map(|(id, context)| (id, context.kind)).collect();
        let is_async = module.function(module.function_of(at.expr)).is_async;
        let mut within = if is_async { Within::ASYNC.0 } else { 0 };
        let mut guard = 0;
        for (_, kind) in contexts {
            match kind {
                ContextKind::Loop { .. } => within |= Within::LOOP.0,
                ContextKind::Try { .. } => within |= Within::TRY.0,
                ContextKind::Catch => within |= Within::CATCH.0,
                ContextKind::Finally => within |= Within::FINALLY.0,
                ContextKind::Then(test) => guard |= self.guard_of(at.module, test, true),
                ContextKind::Else(test) => guard |= self.guard_of(at.module, test, false),
                ContextKind::Function(function) => {
                    let function = FunctionRef { module: at.module, function };
                    if self.iterated(function).is_some() {
                        within |= Within::LOOP.0;
                    }
                    if self.runs_in_transaction(function) {
                        within |= Within::TRANSACTION.0;
                    }
                }
                ContextKind::With(manager) if self.opens_transaction(ExprRef { module: at.module, expr: manager }) => {
                    within |= Within::TRANSACTION.0;
                }
                ContextKind::Case | ContextKind::With(_) => {}
            }
        }
        if self.is_listed_for_transaction(at) {
            within |= Within::TRANSACTION.0;
        }
        if module.language == Language::Python {
            guard |= guard_of_settings(module, at.expr);
        }
        (Within(within), Guard(guard))
    }

    /// Is a function handed to what opens a transaction (`client.$transaction(async (tx) => …)`), or marked with it?
    fn runs_in_transaction(&mut self, function: FunctionRef) -> bool {
        let hir = self.program.module(function.module);
        let entry = hir.function(function.function);
        let here = |expr| ExprRef { module: function.module, expr };
        let handed_to = entry.expr.some().and_then(|expr| hir.expr(expr).parent.some());
        handed_to.is_some_and(|call| self.opens_transaction(here(call)))
            || entry.decorators.iter().any(|&decorator| self.opens_transaction(here(decorator)))
    }

    /// `client.$transaction([client.a.create(…), client.b.update(…)])`
    fn is_listed_for_transaction(&mut self, at: ExprRef) -> bool {
        let module = self.program.module(at.module);
        let around = |expr: ExprId| module.expr(expr).parent.some();
        let list = around(at.expr).filter(|&list| matches!(module.kind(list), ExprKind::Array(_)));
        let Some(call) = list.and_then(around) else { return false };
        module.call(call).is_some() && self.opens_transaction(ExprRef { module: at.module, expr: call })
    }

    /// Does a call, or a name that is used as one, open a transaction?
    fn opens_transaction(&mut self, at: ExprRef) -> bool {
        let module = self.program.module(at.module);
        let callee = module.call(at.expr).map_or(at.expr, |(callee, _)| callee);
        self.things(ExprRef { module: at.module, expr: callee }).into_iter().any(|thing| {
            let Thing::Path { path, .. } = thing else { return false };
            self.declared_origin(path, Origins::default()).is_some_and(|origins| origins.has(Origins::TRANSACTION))
        })
    }

    fn guard_of(&mut self, module: ModuleId, test: ExprId, holds: bool) -> u8 {
        let hir = self.program.module(module);
        if is_debug_switch(hir, test) {
            return if holds { Guard::DEBUG.0 } else { Guard::PROD.0 };
        }
        if is_debug_build(hir, test) {
            return if holds { Guard::DEV.0 } else { Guard::PROD.0 };
        }
        match hir.kind(test) {
            ExprKind::Not(inner) => self.guard_of(module, inner, !holds),
            ExprKind::Logical { op, left, right } if (op == LogicalOp::And) == holds => {
                self.guard_of(module, left, holds) | self.guard_of(module, right, holds)
            }
            ExprKind::Binary { op: op @ (BinaryOp::Equal | BinaryOp::NotEqual), left, right } => {
                let (left, right) =
                    (self.value(ExprRef { module, expr: left }), self.value(ExprRef { module, expr: right }));
                if !left.origins.with(right.origins).has(Origins::ENV) {
                    return 0;
                }
                let equal = (op == BinaryOp::Equal) == holds;
                match left.as_text().or(right.as_text()) {
                    Some("production" | "prod") if equal => Guard::PROD.0,
                    Some("production" | "prod") => Guard::DEV.0,
                    Some("development" | "dev" | "local") if equal => Guard::DEV.0,
                    Some("test" | "testing") if equal => Guard::TEST.0,
                    _ => 0,
                }
            }
            _ => {
                let value = self.value(ExprRef { module, expr: test });
                match (value.origins.has(Origins::PROD), holds) {
                    (true, true) => Guard::PROD.0,
                    (true, false) => Guard::DEV.0,
                    _ => 0,
                }
            }
        }
    }
}

/// `class DevelopmentConfig`, `class TestSettings`: settings that are kept to an environment.
fn guard_of_settings(module: &Module, expr: ExprId) -> u8 {
    let (start, end) = (module.expr(expr).start, module.expr(expr).end);
    let around = module.classes.iter().filter(|class| class.start <= start && class.end >= end);
    let names = around.filter_map(|class| class.name).map(|name| module.str(name));
    let of_settings = names.filter(|name| name.contains("Config") || name.contains("Settings"));
    of_settings.fold(0, |guard, name| {
        guard
            | match () {
                () if name.starts_with("Test") => Guard::TEST.0,
                () if name.starts_with("Dev") || name.starts_with("Local") => Guard::DEV.0,
                () if name.starts_with("Prod") => Guard::PROD.0,
                () => 0,
            }
    })
}

/// What stands there in development alone shows nobody an error.
pub(super) fn shown_to_developers(value: &Value) -> Value {
    let origins = value.origins.without(Origins::CAUGHT_ERROR.with(Origins::ERROR_STACK));
    Value { data: Data::Unknown, origins: origins.with(Origins::DYNAMIC) }
}

/// `cfg!(debug_assertions)`
fn is_debug_build(hir: &Module, test: ExprId) -> bool {
    let is_named = |expr: ExprId, wanted: &str| match hir.kind(expr) {
        ExprKind::Global(name) => hir.str(name) == wanted,
        ExprKind::Ident(symbol) => hir.str(hir.symbol(symbol).name) == wanted,
        _ => false,
    };
    let Some((callee, args)) = hir.call(test).filter(|_| hir.language == Language::Rust) else { return false };
    is_named(callee, "cfg") && hir.list(args).any(|argument| is_named(argument, "debug_assertions"))
}

/// `if DEBUG:`, `if settings.DEBUG:`
fn is_debug_switch(hir: &Module, test: ExprId) -> bool {
    let name = match hir.kind(test) {
        ExprKind::Ident(symbol) => hir.symbol(symbol).name,
        ExprKind::Member { name, .. } => name,
        _ => return false,
    };
    hir.language == Language::Python && hir.str(name) == "DEBUG"
}
