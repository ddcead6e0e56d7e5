//! From ruff's tree to the module that the fact layer reads: what all parts share.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, Stmt};
use ruff_python_parser::{Parsed, parse_module};
use ruff_text_size::{Ranged as _, TextRange};
use rustc_hash::FxHashMap;

use super::scopes::{Bound, Scope, ScopeKind};
use crate::syntax::SyntaxError;
use crate::syntax::error::narrow;
use crate::syntax::gaps::admits_a_gap;
use crate::syntax::hir::*;
use crate::syntax::javascript::LEVELS;

pub(super) fn parse(text: &str) -> Result<Module, SyntaxError> {
    let parsed = parse_module(text)
        .map_err(|error| SyntaxError::malformed(text, error.location.start().to_usize(), error.error.to_string()))?;
    let mut lower = Lower::new(text);
    lower.module(parsed.syntax());
    lower.comments(&parsed);
    Ok(lower.finish())
}

pub(super) struct Lower<'t> {
    pub(super) text: &'t str,
    pub(super) module: Module,
    atoms: FxHashMap<Box<str>, Atom>,
    pub(super) context: ContextId,
    pub(super) function: FunctionIdx,
    /// The class whose methods' receiver is meant by [`ExprKind::This`].
    pub(super) receiver_class: ClassIdx,
    parent: ExprId,
    role: Use,
    pub(super) scopes: Vec<Scope>,
    /// Inside `if TYPE_CHECKING`.
    pub(super) types_only: bool,
    /// `import a.b.c`: the parts that an attribute chain must have to mean that module.
    pub(super) dotted: Vec<(Vec<Atom>, SymbolIdx)>,
    /// How many expressions and statements are open.
    level: usize,
}

impl<'t> Lower<'t> {
    fn new(text: &'t str) -> Self {
        Lower {
            text,
            module: Module::default(),
            atoms: FxHashMap::default(),
            context: ContextId(0),
            function: FunctionIdx(0),
            receiver_class: ClassIdx::NONE,
            parent: ExprId::NONE,
            role: Use::Statement,
            scopes: Vec::new(),
            types_only: false,
            dotted: Vec::new(),
            level: 0,
        }
    }

    fn module(&mut self, tree: &ModModule) {
        self.module.open(Language::Python, narrow(self.text.len()), narrow(tree.body.len()));
        self.scopes.push(Scope::new(ScopeKind::Module));
        self.declare(&Bound::of(&tree.body));
        self.statements(&tree.body);
        self.export_all();
    }

    /// Every name of a module can be imported.
    fn export_all(&mut self) {
        let Some(scope) = self.scopes.first() else { return };
        let mut symbols: Vec<SymbolIdx> = scope.names.values().copied().collect();
        symbols.sort_unstable();
        for symbol in symbols {
            let entry = self.module.symbol(symbol);
            // What a star import gives is passed on as such.
            if entry.start != u32::MAX {
                let export = Export { name: entry.name, target: ExportTarget::Symbol(symbol), start: entry.start };
                self.module.exports.push(export);
            }
        }
    }

    fn comments(&mut self, parsed: &Parsed<ModModule>) {
        for token in parsed.tokens().iter().filter(|token| token.kind() == TokenKind::Comment) {
            let range = token.range();
            let text = self.text.get(range.start().to_usize()..range.end().to_usize()).unwrap_or_default();
            if admits_a_gap(text) {
                self.module.comments.push(Comment { start: range.start().into(), end: range.end().into() });
            }
        }
    }

    fn finish(self) -> Module {
        let mut module = self.module;
        module.lines = narrow(self.text.lines().count());
        for symbol in &mut module.symbols {
            if let Definition::Variable { constant, .. } = &mut symbol.definition {
                *constant = symbol.assigned.is_empty();
            }
        }
        module.exprs.shrink_to_fit();
        module.lists.shrink_to_fit();
        module
    }

    pub(super) fn atom(&mut self, text: &str) -> Atom {
        if let Some(&atom) = self.atoms.get(text) {
            return atom;
        }
        let atom = Atom(narrow(self.module.strings.len()));
        self.module.strings.push(text.into());
        self.atoms.insert(text.into(), atom);
        atom
    }

    /// Runs `body` inside a new context.
    pub(super) fn within(&mut self, kind: ContextKind, body: impl FnOnce(&mut Self)) {
        let outer = self.enter(kind);
        body(self);
        self.context = outer;
    }

    /// Goes into a new context and gives the one to go back to.
    pub(super) fn enter(&mut self, kind: ContextKind) -> ContextId {
        let id = ContextId(narrow(self.module.contexts.len()));
        self.module.contexts.push(Context { kind, parent: self.context, function: self.function, exits: false });
        std::mem::replace(&mut self.context, id)
    }

    /// Reserves the node of an expression, so that its parts can name it as their parent.
    pub(super) fn reserve(&mut self, range: TextRange) -> ExprId {
        let id = ExprId(narrow(self.module.exprs.len()));
        self.module.exprs.push(Expr {
            kind: ExprKind::Other,
            start: range.start().into(),
            end: range.end().into(),
            parent: self.parent,
            context: self.context,
            role: if self.parent == ExprId::NONE { self.role } else { Use::Inner },
        });
        id
    }

    pub(super) fn set(&mut self, id: ExprId, kind: ExprKind) {
        if let Some(expr) = self.module.exprs.get_mut(id.0 as usize) {
            expr.kind = kind;
        }
    }

    /// Runs `body` with `id` as the parent of the expressions that it makes.
    pub(super) fn under<T>(&mut self, id: ExprId, body: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.parent, id);
        let result = body(self);
        self.parent = outer;
        result
    }

    /// Runs `body` with no parent: what it makes stands in a statement as `role`.
    pub(super) fn at_root<T>(&mut self, role: Use, body: impl FnOnce(&mut Self) -> T) -> T {
        let outer_parent = std::mem::replace(&mut self.parent, ExprId::NONE);
        let outer_role = std::mem::replace(&mut self.role, role);
        let result = body(self);
        self.parent = outer_parent;
        self.role = outer_role;
        result
    }

    pub(super) fn push_list(&mut self, items: &[u32]) -> Run {
        let start = narrow(self.module.lists.len());
        self.module.lists.extend_from_slice(items);
        Run { start, len: narrow(items.len()) }
    }

    pub(super) fn push_props(&mut self, props: Vec<Prop>) -> Run {
        let start = narrow(self.module.props.len());
        let len = narrow(props.len());
        self.module.props.extend(props);
        Run { start, len }
    }

    pub(super) fn current_function(&mut self) -> &mut Function {
        let index = (self.function.0 as usize).min(self.module.functions.len() - 1);
        &mut self.module.functions[index]
    }

    pub(super) fn mark_exit(&mut self) {
        let mut next = Some(self.context);
        while let Some(id) = next {
            let Some(context) = self.module.contexts.get_mut(id.0 as usize) else { return };
            context.exits = true;
            next = match context.kind {
                ContextKind::Function(_) => None,
                // Only the nearest branch exits; the ones around it may go on.
                ContextKind::Then(_) | ContextKind::Else(_) | ContextKind::Case | ContextKind::Catch => None,
                _ => context.parent.some(),
            };
        }
    }

    /// Runs `body` one level deeper, unless that is too deep: then the module says so, and there is no result.
    pub(super) fn deeper<T>(&mut self, range: TextRange, body: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.level >= LEVELS {
            self.module.too_deep.get_or_insert(range.start().into());
            return None;
        }
        self.level += 1;
        let result = body(self);
        self.level -= 1;
        Some(result)
    }

    pub(super) fn statements(&mut self, body: &[Stmt]) {
        for statement in body {
            self.deeper(statement.range(), |l| l.statement(statement));
        }
    }

    // Names

    pub(super) fn new_symbol(&mut self, name: Atom, start: u32) -> SymbolIdx {
        let id = SymbolIdx(narrow(self.module.symbols.len()));
        self.module.symbols.push(Symbol {
            name,
            definition: Definition::Unknown,
            assigned: Vec::new(),
            reads: Vec::new(),
            start,
            function: self.function,
        });
        id
    }

    /// Gives each bound name a symbol of the innermost scope.
    pub(super) fn declare(&mut self, bound: &Bound<'_>) {
        for name in &bound.globals {
            let atom = self.atom(name);
            let known = self.scopes.first().and_then(|scope| scope.names.get(&atom).copied());
            let symbol = known.unwrap_or_else(|| self.new_symbol(atom, 0));
            if let Some(module) = self.scopes.first_mut() {
                module.names.insert(atom, symbol);
            }
            self.declare_foreign(atom, symbol);
        }
        for name in &bound.nonlocals {
            let atom = self.atom(name);
            let outer = self.scopes.iter().rev().skip(1).filter(|scope| scope.kind == ScopeKind::Function);
            if let Some(symbol) = outer.filter_map(|scope| scope.names.get(&atom).copied()).next() {
                self.declare_foreign(atom, symbol);
            }
        }
        for &(name, start) in &bound.names {
            let atom = self.atom(name);
            self.declare_here(atom, start);
        }
    }

    fn declare_foreign(&mut self, name: Atom, symbol: SymbolIdx) {
        if self.scopes.len() > 1
            && let Some(scope) = self.scopes.last_mut()
        {
            scope.names.insert(name, symbol);
            scope.foreign.insert(name);
        }
    }

    pub(super) fn declare_here(&mut self, name: Atom, start: u32) -> SymbolIdx {
        if let Some(&known) = self.scopes.last().and_then(|scope| scope.names.get(&name)) {
            return known;
        }
        let symbol = self.new_symbol(name, start);
        if let Some(scope) = self.scopes.last_mut() {
            scope.names.insert(name, symbol);
        }
        symbol
    }

    pub(super) fn lookup(&self, name: Atom) -> Option<Name> {
        let mut crossed = false;
        for scope in self.scopes.iter().rev() {
            if matches!(scope.kind, ScopeKind::Class(_)) && crossed {
                continue;
            }
            if scope.receiver == Some(name) {
                return Some(Name::Receiver);
            }
            if let Some(&symbol) = scope.names.get(&name) {
                return Some(Name::Symbol(symbol));
            }
            crossed |= matches!(scope.kind, ScopeKind::Function | ScopeKind::Comprehension);
        }
        None
    }

    /// What a name that is read stands for.
    pub(super) fn read(&mut self, name: &str, by: ExprId) -> ExprKind {
        let atom = self.atom(name);
        let found = match self.lookup(atom) {
            Some(found) => found,
            None => match self.from_star(atom, name) {
                Some(symbol) => Name::Symbol(symbol),
                None => return ExprKind::Global(atom),
            },
        };
        match found {
            Name::Receiver => ExprKind::This,
            Name::Symbol(symbol) => {
                if let Some(entry) = self.module.symbols.get_mut(symbol.0 as usize) {
                    entry.reads.push(by);
                }
                ExprKind::Ident(symbol)
            }
        }
    }

    /// Binds a name of the innermost scope. The first definition stands; what is assigned later is noted.
    pub(super) fn define(&mut self, name: &str, range: TextRange, definition: Definition) -> SymbolIdx {
        let atom = self.atom(name);
        let symbol = self.declare_here(atom, range.start().into());
        let is_foreign = self.scopes.last().is_some_and(|scope| scope.foreign.contains(&atom));
        self.define_symbol(symbol, range, definition, is_foreign);
        symbol
    }

    pub(super) fn define_symbol(
        &mut self,
        symbol: SymbolIdx,
        range: TextRange,
        definition: Definition,
        is_foreign: bool,
    ) {
        let function = if is_foreign { FunctionIdx(0) } else { self.function };
        let Some(entry) = self.module.symbols.get_mut(symbol.0 as usize) else { return };
        let replaces = match (&entry.definition, &definition) {
            (Definition::Unknown | Definition::TypeOnly(_), _) => true,
            // Overloads: the last one is the implementation.
            (Definition::Function(_), Definition::Function(_)) => true,
            (Definition::Variable { init, .. }, Definition::Import { .. }) => {
                *init == ExprId::NONE || self.module.exprs[init.0 as usize].kind == ExprKind::Null
            }
            _ => false,
        };
        if replaces {
            entry.definition = definition;
            entry.function = function;
            return;
        }
        match (&mut entry.definition, definition) {
            (Definition::Variable { init: first, steps: s, .. }, Definition::Variable { init, steps, .. })
                if *first == ExprId::NONE && s.is_empty() =>
            {
                *first = init;
                *s = steps;
            }
            (_, Definition::Variable { init, steps, .. }) if steps.is_empty() => {
                if init != ExprId::NONE {
                    entry.assigned.push(init);
                }
            }
            // Something that is not followed.
            _ => {
                let other = self.at_root(Use::Init, |l| l.reserve(range));
                self.module.symbols[symbol.0 as usize].assigned.push(other);
            }
        }
    }
}

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Symbol(SymbolIdx),
    /// `self` or `cls`.
    Receiver,
}
