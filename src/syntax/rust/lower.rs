//! From syn's tree to the module that the fact layer reads: what all parts share.

use proc_macro2::{Span, TokenStream};
use rustc_hash::{FxHashMap, FxHashSet};
use syn::spanned::Spanned;

use super::scopes::Scopes;
use super::wrapped::unwrapped;
use super::{comments, test_stats};
use crate::syntax::SyntaxError;
use crate::syntax::builder::{Builder, Extent, Lowering};
use crate::syntax::error::narrow;
use crate::syntax::hir::*;

pub(super) fn lower(text: &str, tokens: TokenStream) -> Result<Module, SyntaxError> {
    let mut file: syn::File = syn::parse2(tokens.clone())
        .map_err(|error| SyntaxError::malformed(text, error.span().byte_range().start, error.to_string()))?;
    file.items = unwrapped(file.items);
    let mut lower = Lower::new(Builder::new(Language::Rust, text.len(), file.items.len()));
    lower.items(file.items.iter());
    // Macros of `#[macro_use]` come from the root of the crate.
    lower.source("crate", Span::call_site());
    let mut module = lower.builder.finish(text);
    module.arms.sort_unstable_by_key(|arm| arm.context);
    module.call_types.sort_unstable_by_key(|(call, _)| *call);
    module.comments = comments::gaps(text, tokens);
    (module.tests, module.test_code) = test_stats::count(&file);
    Ok(module)
}

pub(super) struct Lower {
    pub(super) builder: Builder,
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
}

impl Lowering for Lower {
    fn builder(&mut self) -> &mut Builder {
        &mut self.builder
    }
}

impl<T: Spanned + ?Sized> Extent for &T {
    fn extent(self) -> (u32, u32) {
        range(self.span())
    }
}

impl Extent for Span {
    fn extent(self) -> (u32, u32) {
        range(self)
    }
}

impl Lower {
    fn new(builder: Builder) -> Lower {
        Lower {
            builder,
            class: ClassIdx::NONE,
            self_type: SymbolIdx::NONE,
            scopes: Scopes::default(),
            files: FxHashSet::default(),
            module_depth: 0,
            module_path: Vec::new(),
            sources: FxHashMap::default(),
            unbound: FxHashMap::default(),
            extended: Vec::new(),
        }
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
        let source = SourceIdx(narrow(self.builder.module.sources.len()));
        self.builder.module.sources.push(Source { specifier, start, end, type_only: false, dynamic: false });
        self.sources.insert(specifier, source);
        source
    }

    /// Stretches a node to where its first part starts and its last ends.
    pub(super) fn stretch(&mut self, id: ExprId, first: ExprId, last: ExprId) {
        let start = self.builder.module.exprs.get(first.0 as usize).map(|expr| expr.start);
        let end = self.builder.module.exprs.get(last.0 as usize).map(|expr| expr.end);
        if let Some(expr) = self.builder.module.exprs.get_mut(id.0 as usize) {
            expr.start = start.map_or(expr.start, |start| expr.start.min(start));
            expr.end = end.map_or(expr.end, |end| expr.end.max(end));
        }
    }

    pub(super) fn stretch_to(&mut self, id: ExprId, span: Span) {
        let (start, end) = range(span);
        if let Some(expr) = self.builder.module.exprs.get_mut(id.0 as usize) {
            expr.start = expr.start.min(start);
            expr.end = expr.end.max(end);
        }
    }
}

pub(super) fn range(span: Span) -> (u32, u32) {
    let range = span.byte_range();
    (narrow(range.start), narrow(range.end))
}
