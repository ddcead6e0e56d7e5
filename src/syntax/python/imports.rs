//! Imports.
//!
//! `from a import b` makes two sources: `a`, and `a.b`, which leads somewhere only where that is a module
//! ([`Module::submodules`]). Program loading decides which of them the name means.

use ruff_python_ast::{StmtImport, StmtImportFrom};
use ruff_text_size::{Ranged as _, TextRange};

use super::lower::Lower;
use super::scopes::ScopeKind;
use crate::syntax::builder::Lowering as _;
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

/// Modules that are known by a chain of names, in one file.
const MAX_DOTTED: usize = 256;
/// Longer texts name no module.
const MAX_NAMED: usize = 120;

impl Lower<'_> {
    fn source(&mut self, specifier: &str, range: TextRange, submodule: bool) -> SourceIdx {
        let specifier = self.atom(specifier);
        let index = SourceIdx(narrow(self.builder.module.sources.len()));
        self.builder.module.sources.push(Source {
            specifier,
            start: range.start().into(),
            end: range.end().into(),
            type_only: self.types_only,
            dynamic: false,
        });
        if submodule {
            self.builder.module.submodules.push(index);
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
        let symbol = self.new_symbol(name, range.start().into(), Definition::Unknown);
        self.builder.module.symbols[symbol.0 as usize].definition =
            Definition::Import { source, name: Imported::Namespace };
        let parts: Vec<Atom> = path.split('.').map(|part| self.atom(part)).collect();
        if self.dotted.len() < MAX_DOTTED {
            self.dotted.push((parts, symbol));
        }
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
                self.builder.module.star_exports.push(source);
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
            self.builder.module.classes[class.0 as usize].members.push(member);
        }
    }

    /// `"app.main:app"`, `"shop.middleware.Audit"`: the module may be the whole path or all but its last name.
    pub(super) fn module_in_text(&mut self, text: &str, range: TextRange) {
        let path = text.split(':').next().unwrap_or_default();
        let is_name = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if text.len() > MAX_NAMED || !path.contains('.') && path.len() == text.len() || !path.split('.').all(is_name) {
            return;
        }
        let whole = self.source(path, range, true);
        self.builder.module.named_modules.push(whole);
        if let Some((package, _)) = path.rsplit_once('.') {
            self.source(package, range, true);
        }
    }

    /// A name that nothing defines comes from a star import, if there is one.
    pub(super) fn star_symbol(&mut self, atom: Atom, name: &str) -> Option<SymbolIdx> {
        let source = *self.builder.module.star_exports.last()?;
        if BUILTINS.contains(&name) {
            return None;
        }
        // A place of its own tells it from what the module defines.
        let symbol = self.new_symbol(atom, u32::MAX, Definition::Unknown);
        self.builder.module.symbols[symbol.0 as usize].definition =
            Definition::Import { source, name: Imported::Named(atom) };
        self.builder.module.symbols[symbol.0 as usize].function = FunctionIdx(0);
        self.builder.module.from_star.push(symbol);
        self.scopes.first_mut()?.names.insert(atom, symbol);
        Some(symbol)
    }
}
