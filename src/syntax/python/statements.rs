//! Statements.

use ruff_python_ast::{ExceptHandler, ExceptHandlerExceptHandler, Expr, Stmt, StmtIf, StmtMatch, StmtTry, StmtWith};
use ruff_text_size::{Ranged as _, TextRange};

use super::lower::Lower;
use crate::syntax::builder::{Extent as _, Lowering as _};
use crate::syntax::error::narrow;
use crate::syntax::hir::*;

impl Lower<'_> {
    pub(super) fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::FunctionDef(it) => self.function_def(it),
            Stmt::ClassDef(it) => self.class_def(it),
            Stmt::Return(it) => {
                self.mark_exit();
                if let Some(value) = &it.value {
                    let id = self.at_root(Use::Return, |l| l.expr(value));
                    self.current_function().returns.push(id);
                }
            }
            Stmt::Delete(it) => {
                for target in &it.targets {
                    self.at_root(Use::Statement, |l| {
                        let id = l.reserve(target.range());
                        let inner = l.under(id, |l| l.expr(target));
                        l.set(id, ExprKind::Delete(inner));
                    });
                }
            }
            Stmt::TypeAlias(it) => self.assign(std::slice::from_ref(&*it.name), &it.value, TypeId::NONE),
            Stmt::Assign(it) => self.assign(&it.targets, &it.value, TypeId::NONE),
            Stmt::AugAssign(it) => self.augmented(it),
            Stmt::AnnAssign(it) => self.annotated(it),
            Stmt::For(it) => {
                let over = self.at_root(Use::Iterated, |l| l.expr(&it.iter));
                self.within(ContextKind::Loop { over }, |l| {
                    l.bind(&it.target, &mut Vec::new(), &|steps| Definition::Element {
                        of: over,
                        keys: false,
                        steps: steps.to_vec(),
                    });
                    l.statements(&it.body);
                });
                self.statements(&it.orelse);
            }
            Stmt::While(it) => {
                self.within(ContextKind::Loop { over: ExprId::NONE }, |l| {
                    l.at_root(Use::Test, |l| l.expr(&it.test));
                    l.statements(&it.body);
                });
                self.statements(&it.orelse);
            }
            Stmt::If(it) => self.if_statement(it),
            Stmt::With(it) => self.with_statement(it),
            Stmt::Match(it) => self.match_statement(it),
            Stmt::Raise(it) => self.raise(it.range, it.exc.as_deref(), it.cause.as_deref()),
            Stmt::Try(it) => self.try_statement(it),
            Stmt::Assert(it) => {
                self.builder.module.tests.assertions += 1;
                self.at_root(Use::Test, |l| l.expr(&it.test));
                if let Some(message) = &it.msg {
                    self.at_root(Use::Statement, |l| l.expr(message));
                }
            }
            Stmt::Import(it) => self.import(it),
            Stmt::ImportFrom(it) => self.import_from(it),
            // A text that stands alone is documentation.
            Stmt::Expr(it) if matches!(&*it.value, Expr::StringLiteral(_) | Expr::EllipsisLiteral(_)) => {}
            Stmt::Expr(it) => {
                self.at_root(Use::Statement, |l| l.expr(&it.value));
            }
            Stmt::Global(_)
            | Stmt::Nonlocal(_)
            | Stmt::Pass(_)
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::IpyEscapeCommand(_) => {}
        }
    }

    /// `raise` alone passes on what was caught.
    fn raise(&mut self, range: TextRange, exception: Option<&Expr>, cause: Option<&Expr>) {
        self.mark_exit();
        let id = self.at_root(Use::Throw, |l| match exception {
            Some(exception) => l.expr(exception),
            None => l.reserve(range),
        });
        self.current_function().throws.push(id);
        if let Some(cause) = cause {
            self.at_root(Use::Statement, |l| l.expr(cause));
        }
    }

    fn if_statement(&mut self, it: &StmtIf) {
        let outer_types_only = self.types_only;
        let test = self.at_root(Use::Test, |l| l.expr(&it.test));
        self.types_only |= is_type_checking(&it.test);
        let outer = self.enter(ContextKind::Then(test));
        if is_main_guard(&it.test) {
            self.builder.module.main_guards.push(self.builder.context);
        }
        self.statements(&it.body);
        self.builder.context = outer;
        self.types_only = outer_types_only;
        let mut last = test;
        for clause in &it.elif_else_clauses {
            self.enter(ContextKind::Else(last));
            match &clause.test {
                Some(test) => {
                    last = self.at_root(Use::Test, |l| l.expr(test));
                    self.within(ContextKind::Then(last), |l| l.statements(&clause.body));
                }
                None => self.statements(&clause.body),
            }
        }
        self.builder.context = outer;
    }

    fn with_statement(&mut self, it: &StmtWith) {
        let outer = self.builder.context;
        for item in &it.items {
            let manager = self.at_root(Use::Init, |l| l.expr(&item.context_expr));
            if let Some(target) = &item.optional_vars {
                self.bind(target, &mut Vec::new(), &|steps| variable(manager, steps, TypeId::NONE));
            }
            self.enter(ContextKind::With(manager));
        }
        self.statements(&it.body);
        self.builder.context = outer;
    }

    fn try_statement(&mut self, it: &StmtTry) {
        self.within(ContextKind::Try { catches: !it.handlers.is_empty() }, |l| l.statements(&it.body));
        for ExceptHandler::ExceptHandler(handler) in &it.handlers {
            self.within(ContextKind::Catch, |l| {
                let kinds = handler.type_.as_ref().map(|types| l.at_root(Use::Test, |l| l.expr(types)));
                if let Some(name) = &handler.name {
                    l.define(name, name.range(), Definition::Caught(kinds.unwrap_or(ExprId::NONE)));
                }
                l.statements(&handler.body);
                l.handler(it, handler, kinds.unwrap_or(ExprId::NONE));
            });
        }
        self.statements(&it.orelse);
        if !it.finalbody.is_empty() {
            self.within(ContextKind::Finally, |l| l.statements(&it.finalbody));
        }
    }

    /// Notes what takes the errors of a `try`, in whose context it is called.
    fn handler(&mut self, it: &StmtTry, handler: &ExceptHandlerExceptHandler, kinds: ExprId) {
        let says_nothing = |statement: &&Stmt| match statement {
            Stmt::Pass(_) => true,
            Stmt::Expr(expr) => expr.value.is_ellipsis_literal_expr(),
            _ => false,
        };
        let silent = handler.body.iter().filter(says_nothing).count();
        let (start, end) = handler.range().extent();
        // A comment behind the last statement belongs to it.
        let rest = self.text.get(end as usize..).unwrap_or_default();
        let line_end = end as usize + rest.find('\n').unwrap_or(rest.len());
        let text = self.text.get(start as usize..line_end).unwrap_or_default();
        self.builder.module.handlers.push(Handler {
            context: self.builder.context,
            start: it.range().extent().0,
            end,
            kinds,
            statements: narrow(handler.body.len() - silent),
            explained: text.contains('#'),
        });
    }

    fn match_statement(&mut self, it: &StmtMatch) {
        let subject = self.at_root(Use::Test, |l| l.expr(&it.subject));
        for case in &it.cases {
            self.within(ContextKind::Case, |l| {
                l.case_pattern(&case.pattern, subject, true);
                match &case.guard {
                    Some(guard) => {
                        let test = l.at_root(Use::Test, |l| l.expr(guard));
                        l.within(ContextKind::Then(test), |l| l.statements(&case.body));
                    }
                    None => l.statements(&case.body),
                }
            });
        }
    }
}

/// A variable; whether it is constant is known only at the end.
pub(super) fn variable(init: ExprId, steps: &[Step], annotation: TypeId) -> Definition {
    Definition::Variable { init, steps: steps.to_vec(), default: ExprId::NONE, constant: false, annotation }
}

/// `if TYPE_CHECKING:`, `if typing.TYPE_CHECKING:`
fn is_type_checking(test: &Expr) -> bool {
    match test {
        Expr::Name(it) => it.id.as_str() == "TYPE_CHECKING",
        Expr::Attribute(it) => it.attr.as_str() == "TYPE_CHECKING",
        _ => false,
    }
}

/// `if __name__ == "__main__":`
fn is_main_guard(test: &Expr) -> bool {
    let Expr::Compare(it) = test else { return false };
    let mut sides = std::iter::once(&*it.left).chain(&*it.comparators);
    sides.clone().any(|side| matches!(side, Expr::Name(name) if name.id.as_str() == "__name__"))
        && sides.any(|side| matches!(side, Expr::StringLiteral(text) if text.value.to_str() == "__main__"))
}
