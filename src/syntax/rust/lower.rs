//! From syn's tree to the module that the fact layer reads: what all parts share.

use proc_macro2::{Span, TokenStream};
use rustc_hash::{FxHashMap, FxHashSet};
use syn::spanned::Spanned;

use super::scopes::Scopes;
use super::{comments, test_stats};
use crate::syntax::SyntaxError;
use crate::syntax::error::narrow;
use crate::syntax::hir::*;
use crate::syntax::javascript::LEVELS;

pub(super) fn lower(text: &str, tokens: TokenStream) -> Result<Module, SyntaxError> {
    let file: syn::File = syn::parse2(tokens.clone())
        .map_err(|error| SyntaxError::malformed(text, error.span().byte_range().start, error.to_string()))?;
    let mut lower = Lower::new();
    lower.module.open(Language::Rust, narrow(text.len()), narrow(file.items.len()));
    lower.items(file.items.iter());
    // Macros of `#[macro_use]` come from the root of the crate.
    lower.source("crate", Span::call_site());
    let mut module = lower.module;
    module.arms.sort_unstable_by_key(|arm| arm.context);
    module.call_types.sort_unstable_by_key(|(call, _)| *call);
    module.comments = comments::gaps(text, tokens);
    module.tests = test_stats::count(&file);
    module.lines = narrow(text.lines().count());
    module.exprs.shrink_to_fit();
    module.lists.shrink_to_fit();
    Ok(module)
}

pub(super) struct Lower {
    pub(super) module: Module,
    atoms: FxHashMap<Box<str>, Atom>,
    pub(super) context: ContextId,
    pub(super) function: FunctionIdx,
    /// The type whose `impl` this is, as a class.
    pub(super) class: ClassIdx,
    /// The symbol that `Self` stands for.
    pub(super) self_type: SymbolIdx,
    pub(super) scopes: Scopes,
    /// The names of modules that are files of their own.
    pub(super) files: FxHashSet<Atom>,
    /// Inline modules around.
    pub(super) module_depth: usize,
    /// The names of those modules.
    pub(super) module_path: Vec<String>,
    pub(super) sources: FxHashMap<Atom, SourceIdx>,
    pub(super) unbound: FxHashMap<Atom, SymbolIdx>,
    /// Types of other files that have `impl` blocks here.
    pub(super) extended: Vec<(Atom, ClassIdx)>,
    parent: ExprId,
    role: Use,
    /// How many expressions, patterns and types are open.
    level: usize,
}

impl Lower {
    fn new() -> Lower {
        Lower {
            module: Module::default(),
            atoms: FxHashMap::default(),
            context: ContextId(0),
            function: FunctionIdx(0),
            class: ClassIdx::NONE,
            self_type: SymbolIdx::NONE,
            scopes: Scopes::default(),
            files: FxHashSet::default(),
            module_depth: 0,
            module_path: Vec::new(),
            sources: FxHashMap::default(),
            unbound: FxHashMap::default(),
            extended: Vec::new(),
            parent: ExprId::NONE,
            role: Use::Statement,
            level: 0,
        }
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

    pub(super) fn name(&mut self, ident: &syn::Ident) -> Atom {
        let text = ident.to_string();
        self.atom(text.strip_prefix("r#").unwrap_or(&text))
    }

    pub(super) fn source(&mut self, specifier: &str, span: Span) -> SourceIdx {
        let specifier = self.atom(specifier);
        if let Some(&known) = self.sources.get(&specifier) {
            return known;
        }
        let (start, end) = range(span);
        let source = SourceIdx(narrow(self.module.sources.len()));
        self.module.sources.push(Source { specifier, start, end, type_only: false, dynamic: false });
        self.sources.insert(specifier, source);
        source
    }

    /// Runs `body` inside a new context.
    pub(super) fn within<T>(&mut self, kind: ContextKind, body: impl FnOnce(&mut Self) -> T) -> T {
        let id = ContextId(narrow(self.module.contexts.len()));
        self.module.contexts.push(Context { kind, parent: self.context, function: self.function, exits: false });
        let outer = std::mem::replace(&mut self.context, id);
        let result = body(self);
        self.context = outer;
        result
    }

    /// Reserves the node of an expression, so that its parts can name it as their parent.
    pub(super) fn reserve(&mut self, span: Span) -> ExprId {
        let (start, end) = range(span);
        let id = ExprId(narrow(self.module.exprs.len()));
        self.module.exprs.push(Expr {
            kind: ExprKind::Other,
            start,
            end,
            parent: self.parent,
            context: self.context,
            role: if self.parent == ExprId::NONE { self.role } else { Use::Inner },
        });
        id
    }

    /// A node without parts.
    pub(super) fn leaf(&mut self, span: Span, kind: ExprKind) -> ExprId {
        let id = self.reserve(span);
        self.set(id, kind);
        id
    }

    pub(super) fn set(&mut self, id: ExprId, kind: ExprKind) {
        if let Some(expr) = self.module.exprs.get_mut(id.0 as usize) {
            expr.kind = kind;
        }
    }

    /// Stretches a node to where its first part starts and its last ends.
    pub(super) fn stretch(&mut self, id: ExprId, first: ExprId, last: ExprId) {
        let start = self.module.exprs.get(first.0 as usize).map(|expr| expr.start);
        let end = self.module.exprs.get(last.0 as usize).map(|expr| expr.end);
        if let Some(expr) = self.module.exprs.get_mut(id.0 as usize) {
            expr.start = start.map_or(expr.start, |start| expr.start.min(start));
            expr.end = end.map_or(expr.end, |end| expr.end.max(end));
        }
    }

    pub(super) fn stretch_to(&mut self, id: ExprId, span: Span) {
        let (start, end) = range(span);
        if let Some(expr) = self.module.exprs.get_mut(id.0 as usize) {
            expr.start = expr.start.min(start);
            expr.end = expr.end.max(end);
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

    pub(super) fn list(&mut self, items: &[ExprId]) -> Run {
        let start = narrow(self.module.lists.len());
        self.module.lists.extend(items.iter().map(|id| id.0));
        Run { start, len: narrow(items.len()) }
    }

    pub(super) fn atoms(&mut self, items: &[Atom]) -> Run {
        let start = narrow(self.module.lists.len());
        self.module.lists.extend(items.iter().map(|atom| atom.0));
        Run { start, len: narrow(items.len()) }
    }

    pub(super) fn props(&mut self, props: Vec<Prop>) -> Run {
        let start = narrow(self.module.props.len());
        let len = narrow(props.len());
        self.module.props.extend(props);
        Run { start, len }
    }

    pub(super) fn number(&mut self, value: f64) -> ExprKind {
        self.module.numbers.push(value);
        ExprKind::Num(narrow(self.module.numbers.len() - 1))
    }

    pub(super) fn push_type(&mut self, ty: Type) -> TypeId {
        self.module.types.push(ty);
        TypeId(narrow(self.module.types.len() - 1))
    }

    pub(super) fn mark_exit(&mut self) {
        self.module.leave(self.context);
    }

    /// Runs `body` one level deeper, unless that is too deep: then the module says so, and there is no result.
    pub(super) fn deeper<T>(&mut self, node: &dyn Spanned, body: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.level >= LEVELS {
            if self.module.too_deep.is_none() {
                self.module.too_deep = Some(narrow(node.span().byte_range().start));
            }
            return None;
        }
        self.level += 1;
        let result = body(self);
        self.level -= 1;
        Some(result)
    }

    pub(super) fn current_function(&mut self) -> &mut Function {
        let index = (self.function.0 as usize).min(self.module.functions.len().saturating_sub(1));
        &mut self.module.functions[index]
    }
}

pub(super) fn range(span: Span) -> (u32, u32) {
    let range = span.byte_range();
    (narrow(range.start), narrow(range.end))
}
