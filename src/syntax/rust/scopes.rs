//! Which name means what where.

use rustc_hash::FxHashMap;

use super::lower::Lower;
use super::types::is_primitive;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

/// Types and modules have names of their own beside those of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Space {
    Value,
    Type,
}

#[derive(Debug, Clone, Copy)]
struct Binding {
    symbol: SymbolIdx,
    /// How many inline modules stand around it.
    module: usize,
}

/// All names in sight; leaving a scope takes its own away again.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    names: FxHashMap<(Space, Atom), Vec<Binding>>,
    added: Vec<(Space, Atom)>,
}

impl Scopes {
    pub(super) fn enter(&self) -> usize {
        self.added.len()
    }

    pub(super) fn leave(&mut self, before: usize) {
        for key in self.added.drain(before.min(self.added.len())..) {
            if let Some(bindings) = self.names.get_mut(&key) {
                bindings.pop();
            }
        }
    }

    pub(super) fn bind(&mut self, space: Space, name: Atom, symbol: SymbolIdx, module: usize) {
        self.names.entry((space, name)).or_default().push(Binding { symbol, module });
        self.added.push((space, name));
    }

    pub(super) fn find(&self, space: Space, name: Atom) -> Option<SymbolIdx> {
        Some(self.names.get(&(space, name))?.last()?.symbol)
    }

    /// The name as an inline module (or the file) at that depth has it.
    pub(super) fn find_outside(&self, space: Space, name: Atom, module: usize) -> Option<SymbolIdx> {
        let bindings = self.names.get(&(space, name))?;
        Some(bindings.iter().rev().find(|binding| binding.module <= module)?.symbol)
    }
}

impl Lower {
    /// Runs `body` in a scope of its own.
    pub(super) fn scoped<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.scopes.enter();
        let result = body(self);
        self.scopes.leave(before);
        result
    }

    /// A new symbol in the given name spaces.
    pub(super) fn declare(&mut self, spaces: &[Space], name: Atom, start: u32) -> SymbolIdx {
        let symbol = self.new_symbol(name, start, Definition::Unknown);
        for &space in spaces {
            self.scopes.bind(space, name, symbol, self.module_depth);
        }
        symbol
    }

    pub(super) fn find(&self, first: Space, name: Atom) -> Option<SymbolIdx> {
        let second = if first == Space::Value { Space::Type } else { Space::Value };
        self.scopes.find(first, name).or_else(|| self.scopes.find(second, name))
    }

    /// A name that nothing here defines: one of the language, or one that a star import may bring.
    pub(super) fn unbound(&mut self, name: Atom) -> Option<SymbolIdx> {
        if is_prelude(self.builder.module.str(name)) {
            return None;
        }
        if let Some(&known) = self.unbound.get(&name) {
            return Some(known);
        }
        let symbol = self.new_symbol(name, u32::MAX, Definition::Unknown);
        self.builder.module.from_star.push(symbol);
        self.unbound.insert(name, symbol);
        Some(symbol)
    }

    pub(super) fn define(&mut self, symbol: SymbolIdx, definition: Definition) {
        let function = self.builder.function;
        if let Some(entry) = self.builder.module.symbols.get_mut(symbol.0 as usize)
            && matches!(entry.definition, Definition::Unknown)
        {
            entry.definition = definition;
            entry.function = function;
        }
    }
}

/// What every Rust file has in sight.
fn is_prelude(name: &str) -> bool {
    is_primitive(name)
        || matches!(
            name,
            "Option"
                | "Some"
                | "None"
                | "Result"
                | "Ok"
                | "Err"
                | "Vec"
                | "String"
                | "Box"
                | "Default"
                | "Clone"
                | "Copy"
                | "Debug"
                | "From"
                | "Into"
                | "Iterator"
                | "PartialEq"
                | "Eq"
                | "Hash"
                | "Ord"
                | "PartialOrd"
                | "Send"
                | "Sync"
                | "Fn"
                | "FnMut"
                | "FnOnce"
                | "ToString"
                | "ToOwned"
                | "AsRef"
                | "Drop"
                | "drop"
                | "self"
                | "Self"
        )
}
