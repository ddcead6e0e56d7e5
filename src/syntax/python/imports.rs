//! Imports.
//!
//! `from a import b` makes two sources: `a`, and `a.b`, which leads somewhere only where that is a module
//! ([`Module::submodules`]). Program loading decides which of them the name means.

use ruff_python_ast::{StmtImport, StmtImportFrom};
use ruff_text_size::{Ranged as _, TextRange};

use super::lower::Lower;
use super::scopes::ScopeKind;
use crate::syntax::error::narrow;
use crate::syntax::hir::*;

/// Names that exist without being defined. https://docs.python.org/3.14/library/functions.html
const BUILTINS: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BaseExceptionGroup",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "ConnectionError",
    "EOFError",
    "Ellipsis",
    "Exception",
    "ExceptionGroup",
    "FileExistsError",
    "FileNotFoundError",
    "ImportError",
    "IndexError",
    "InterruptedError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotImplemented",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PermissionError",
    "RecursionError",
    "RuntimeError",
    "StopAsyncIteration",
    "StopIteration",
    "SyntaxError",
    "SystemExit",
    "TimeoutError",
    "TypeError",
    "UnicodeError",
    "ValueError",
    "Warning",
    "ZeroDivisionError",
    "__file__",
    "__name__",
    "abs",
    "all",
    "any",
    "ascii",
    "bin",
    "bool",
    "breakpoint",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "classmethod",
    "compile",
    "complex",
    "delattr",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "eval",
    "exec",
    "exit",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "help",
    "hex",
    "id",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "locals",
    "map",
    "max",
    "memoryview",
    "min",
    "next",
    "object",
    "oct",
    "open",
    "ord",
    "pow",
    "print",
    "property",
    "quit",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "staticmethod",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
];

impl Lower<'_> {
    fn source(&mut self, specifier: &str, range: TextRange, submodule: bool) -> SourceIdx {
        let specifier = self.atom(specifier);
        let index = SourceIdx(narrow(self.module.sources.len()));
        self.module.sources.push(Source {
            specifier,
            start: range.start().into(),
            end: range.end().into(),
            type_only: self.types_only,
            dynamic: false,
        });
        if submodule {
            self.module.submodules.push(index);
        }
        index
    }

    /// `import a.b.c`, `import a.b.c as d`
    pub(super) fn import(&mut self, it: &StmtImport) {
        for alias in &it.names {
            let range = alias.range();
            let path = alias.name.as_str();
            if let Some(name) = &alias.asname {
                let source = self.source(path, range, false);
                self.define(name, name.range(), Definition::Import { source, name: Imported::Namespace });
                continue;
            }
            let first = path.split('.').next().unwrap_or_default();
            let source = self.source(first, range, false);
            self.define(first, range, Definition::Import { source, name: Imported::Namespace });
            if first != path {
                self.import_dotted(path, range);
            }
        }
    }

    /// `a.b.c` is known by its chain of names from here on.
    fn import_dotted(&mut self, path: &str, range: TextRange) {
        let source = self.source(path, range, false);
        let name = self.atom(path);
        let symbol = self.new_symbol(name, range.start().into());
        self.module.symbols[symbol.0 as usize].definition = Definition::Import { source, name: Imported::Namespace };
        let parts: Vec<Atom> = path.split('.').map(|part| self.atom(part)).collect();
        self.dotted.push((parts, symbol));
    }

    /// `from a import b as c`, `from . import b`, `from a import *`
    pub(super) fn import_from(&mut self, it: &StmtImportFrom) {
        let dots = ".".repeat(it.level.min(64) as usize);
        let module = it.module.as_ref().map_or("", |name| name.as_str());
        if module == "__future__" {
            return;
        }
        let path = format!("{dots}{module}");
        let source = self.source(&path, it.range, false);
        for alias in &it.names {
            if alias.name.as_str() == "*" {
                self.module.star_exports.push(source);
                continue;
            }
            let separator = if module.is_empty() { "" } else { "." };
            self.source(&format!("{path}{separator}{}", alias.name), alias.range(), true);
            let bound = alias.asname.as_ref().unwrap_or(&alias.name);
            let name = Imported::Named(self.atom(alias.name.as_str()));
            self.define(bound, bound.range(), Definition::Import { source, name });
            self.import_in_class(bound.as_str());
        }
    }

    /// An import in the body of a class is an attribute of it; the value is not followed.
    fn import_in_class(&mut self, name: &str) {
        if let Some(ScopeKind::Class(class)) = self.scopes.last().map(|scope| scope.kind) {
            let name = self.atom(name);
            let kind = MemberKind::Field(ExprId::NONE);
            let member = ClassMember { name, kind, is_static: true, annotation: TypeId::NONE, decorators: Vec::new() };
            self.module.classes[class.0 as usize].members.push(member);
        }
    }

    /// A name that nothing defines comes from a star import, if there is one.
    pub(super) fn from_star(&mut self, atom: Atom, name: &str) -> Option<SymbolIdx> {
        let source = *self.module.star_exports.last()?;
        if BUILTINS.contains(&name) {
            return None;
        }
        // A place of its own tells it from what the module defines.
        let symbol = self.new_symbol(atom, u32::MAX);
        self.module.symbols[symbol.0 as usize].definition = Definition::Import { source, name: Imported::Named(atom) };
        self.module.symbols[symbol.0 as usize].function = FunctionIdx(0);
        self.module.from_star.push(symbol);
        self.scopes.first_mut()?.names.insert(atom, symbol);
        Some(symbol)
    }
}
