//! Python's scopes: which name means which symbol.
//!
//! A name that is assigned anywhere in a function belongs to the function, so the names of a body are collected before
//! it is lowered.

use ruff_python_ast::{Expr, Identifier, Pattern, Stmt};
use ruff_text_size::Ranged as _;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::syntax::hir::{Atom, ClassIdx, SymbolIdx};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScopeKind {
    Module,
    Class(ClassIdx),
    Function,
    Comprehension,
}

#[derive(Debug)]
pub(super) struct Scope {
    pub(super) kind: ScopeKind,
    pub(super) names: FxHashMap<Atom, SymbolIdx>,
    /// Names that belong to a scope further out (`global`, `nonlocal`).
    pub(super) foreign: FxHashSet<Atom>,
    /// The first parameter of a method.
    pub(super) receiver: Option<Atom>,
}

impl Scope {
    pub(super) fn new(kind: ScopeKind) -> Scope {
        Scope { kind, names: FxHashMap::default(), foreign: FxHashSet::default(), receiver: None }
    }
}

/// The names that a body binds, in order, each with its first place.
#[derive(Debug, Default)]
pub(super) struct Bound<'a> {
    pub(super) names: Vec<(&'a str, u32)>,
    pub(super) globals: Vec<&'a str>,
    pub(super) nonlocals: Vec<&'a str>,
}

/// Targets nest no deeper than this.
const MAX_TARGET_DEPTH: usize = 32;

impl<'a> Bound<'a> {
    pub(super) fn of(body: &'a [Stmt]) -> Bound<'a> {
        let mut bound = Bound::default();
        bound.statements(body, 0);
        bound
    }

    fn name(&mut self, name: &'a Identifier) {
        self.names.push((name.as_str(), name.range().start().into()));
    }

    fn statements(&mut self, body: &'a [Stmt], depth: usize) {
        if depth >= crate::syntax::builder::LEVELS {
            return;
        }
        for statement in body {
            self.statement(statement, depth);
        }
    }

    fn statement(&mut self, statement: &'a Stmt, depth: usize) {
        match statement {
            Stmt::FunctionDef(it) => self.name(&it.name),
            Stmt::ClassDef(it) => self.name(&it.name),
            Stmt::Assign(it) => it.targets.iter().for_each(|target| self.target(target, 0)),
            Stmt::AugAssign(it) => self.target(&it.target, 0),
            Stmt::AnnAssign(it) => self.target(&it.target, 0),
            Stmt::TypeAlias(it) => self.target(&it.name, 0),
            Stmt::For(it) => {
                self.target(&it.target, 0);
                self.statements(&it.body, depth + 1);
                self.statements(&it.orelse, depth + 1);
            }
            Stmt::While(it) => {
                self.statements(&it.body, depth + 1);
                self.statements(&it.orelse, depth + 1);
            }
            Stmt::If(it) => {
                self.statements(&it.body, depth + 1);
                it.elif_else_clauses.iter().for_each(|clause| self.statements(&clause.body, depth + 1));
            }
            Stmt::With(it) => {
                it.items.iter().filter_map(|item| item.optional_vars.as_deref()).for_each(|vars| self.target(vars, 0));
                self.statements(&it.body, depth + 1);
            }
            Stmt::Try(it) => {
                self.statements(&it.body, depth + 1);
                for ruff_python_ast::ExceptHandler::ExceptHandler(handler) in &it.handlers {
                    if let Some(name) = &handler.name {
                        self.name(name);
                    }
                    self.statements(&handler.body, depth + 1);
                }
                self.statements(&it.orelse, depth + 1);
                self.statements(&it.finalbody, depth + 1);
            }
            Stmt::Match(it) => {
                for case in &it.cases {
                    self.pattern(&case.pattern, 0);
                    self.statements(&case.body, depth + 1);
                }
            }
            Stmt::Import(it) => {
                for alias in &it.names {
                    let start = alias.range().start().into();
                    match &alias.asname {
                        Some(name) => self.name(name),
                        None => self.names.push((alias.name.split('.').next().unwrap_or_default(), start)),
                    }
                }
            }
            Stmt::ImportFrom(it) => {
                for alias in it.names.iter().filter(|alias| alias.name.as_str() != "*") {
                    self.name(alias.asname.as_ref().unwrap_or(&alias.name));
                }
            }
            Stmt::Global(it) => self.globals.extend(it.names.iter().map(|name| name.as_str())),
            Stmt::Nonlocal(it) => self.nonlocals.extend(it.names.iter().map(|name| name.as_str())),
            _ => {}
        }
    }

    pub(super) fn target(&mut self, target: &'a Expr, depth: usize) {
        if depth >= MAX_TARGET_DEPTH {
            return;
        }
        match target {
            Expr::Name(it) => self.names.push((it.id.as_str(), it.range.start().into())),
            Expr::Tuple(it) => it.elts.iter().for_each(|part| self.target(part, depth + 1)),
            Expr::List(it) => it.elts.iter().for_each(|part| self.target(part, depth + 1)),
            Expr::Starred(it) => self.target(&it.value, depth + 1),
            _ => {}
        }
    }

    fn pattern(&mut self, pattern: &'a Pattern, depth: usize) {
        if depth >= MAX_TARGET_DEPTH {
            return;
        }
        match pattern {
            Pattern::MatchSequence(it) => it.patterns.iter().for_each(|part| self.pattern(part, depth + 1)),
            Pattern::MatchMapping(it) => {
                it.patterns.iter().for_each(|part| self.pattern(part, depth + 1));
                it.rest.iter().for_each(|name| self.name(name));
            }
            Pattern::MatchClass(it) => {
                it.arguments.patterns.iter().for_each(|part| self.pattern(part, depth + 1));
                it.arguments.keywords.iter().for_each(|part| self.pattern(&part.pattern, depth + 1));
            }
            Pattern::MatchStar(it) => it.name.iter().for_each(|name| self.name(name)),
            Pattern::MatchAs(it) => {
                it.pattern.iter().for_each(|part| self.pattern(part, depth + 1));
                it.name.iter().for_each(|name| self.name(name));
            }
            Pattern::MatchOr(it) => it.patterns.iter().for_each(|part| self.pattern(part, depth + 1)),
            Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => {}
        }
    }
}
