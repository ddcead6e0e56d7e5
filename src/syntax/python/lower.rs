//! From ruff's tree to the module that the fact layer reads: what all parts share.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, Stmt};
use ruff_python_parser::{Parsed, parse_module};
use ruff_text_size::{Ranged as _, TextRange};

use super::scopes::{Bound, Scope, ScopeKind};
use crate::syntax::SyntaxError;
use crate::syntax::builder::{Builder, Extent, Lowering};
use crate::syntax::gaps::{admits_a_gap, stands_in};
use crate::syntax::hir::*;

pub(super) fn parse(text: &str) -> Result<Module, SyntaxError> {
    let parsed = parse_module(text)
        .map_err(|error| SyntaxError::malformed(text, error.location.start().to_usize(), error.error.to_string()))?;
    let mut lower = Lower::new(text, parsed.syntax());
    lower.module(parsed.syntax());
    lower.comments(&parsed);
    Ok(lower.finish())
}

pub(super) struct Lower<'t> {
    pub(super) text: &'t str,
    pub(super) builder: Builder,
    /// The class whose methods' receiver is meant by [`ExprKind::This`].
    pub(super) receiver_class: ClassIdx,
    pub(super) scopes: Vec<Scope>,
    /// Inside `if TYPE_CHECKING`.
    pub(super) types_only: bool,
    /// `import a.b.c`: the parts that an attribute chain must have to mean that module.
    pub(super) dotted: Vec<(Vec<Atom>, SymbolIdx)>,
}

impl Lowering for Lower<'_> {
    fn builder(&mut self) -> &mut Builder {
        &mut self.builder
    }
}

impl Extent for TextRange {
    fn extent(self) -> (u32, u32) {
        (self.start().into(), self.end().into())
    }
}

impl<'t> Lower<'t> {
    fn new(text: &'t str, tree: &ModModule) -> Self {
        Lower {
            text,
            builder: Builder::new(Language::Python, text.len(), tree.body.len()),
            receiver_class: ClassIdx::NONE,
            scopes: Vec::new(),
            types_only: false,
            dotted: Vec::new(),
        }
    }

    fn module(&mut self, tree: &ModModule) {
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
            let entry = self.builder.module.symbol(symbol);
            // What a star import gives is passed on as such.
            if entry.start != u32::MAX {
                let export = Export { name: entry.name, target: ExportTarget::Symbol(symbol), start: entry.start };
                self.builder.module.exports.push(export);
            }
        }
    }

    fn comments(&mut self, parsed: &Parsed<ModModule>) {
        for token in parsed.tokens().iter().filter(|token| token.kind() == TokenKind::Comment) {
            let range = token.range();
            let text = self.text.get(range.start().to_usize()..range.end().to_usize()).unwrap_or_default();
            if range.start().to_usize() == 0 && text.len() <= MAX_HEAD {
                self.builder.module.head = Some(text.into());
            }
            if admits_a_gap(text) {
                self.builder.module.comments.push(Comment {
                    start: range.start().into(),
                    end: range.end().into(),
                    stands_in: stands_in(text),
                });
            }
        }
    }

    fn finish(self) -> Module {
        let mut module = self.builder.finish(self.text);
        for symbol in &mut module.symbols {
            if let Definition::Variable { constant, .. } = &mut symbol.definition {
                *constant = symbol.assigned.is_empty();
            }
        }
        module
    }

    pub(super) fn statements(&mut self, body: &[Stmt]) {
        for statement in body {
            self.deeper(statement.range(), |l| l.statement(statement));
        }
    }

    // Names

    /// Gives each bound name a symbol of the innermost scope.
    pub(super) fn declare(&mut self, bound: &Bound<'_>) {
        for name in &bound.globals {
            let atom = self.atom(name);
            let known = self.scopes.first().and_then(|scope| scope.names.get(&atom).copied());
            let symbol = known.unwrap_or_else(|| self.new_symbol(atom, 0, Definition::Unknown));
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
        let symbol = self.new_symbol(name, start, Definition::Unknown);
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
            None => match self.star_symbol(atom, name) {
                Some(symbol) => Name::Symbol(symbol),
                None => return ExprKind::Global(atom),
            },
        };
        match found {
            Name::Receiver => ExprKind::This,
            Name::Symbol(symbol) => {
                if let Some(entry) = self.builder.module.symbols.get_mut(symbol.0 as usize) {
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
        let function = if is_foreign { FunctionIdx(0) } else { self.builder.function };
        let Some(entry) = self.builder.module.symbols.get_mut(symbol.0 as usize) else { return };
        let replaces = match (&entry.definition, &definition) {
            (Definition::Unknown | Definition::TypeOnly(_), _) => true,
            // Overloads: the last one is the implementation.
            (Definition::Function(_), Definition::Function(_)) => true,
            (Definition::Variable { init, .. }, Definition::Import { .. }) => {
                *init == ExprId::NONE || self.builder.module.exprs[init.0 as usize].kind == ExprKind::Null
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
                self.builder.module.symbols[symbol.0 as usize].assigned.push(other);
            }
        }
    }
}

/// Longer comments are no heads.
const MAX_HEAD: usize = 200;

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Symbol(SymbolIdx),
    /// `self` or `cls`.
    Receiver,
}
