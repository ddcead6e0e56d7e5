//! `use` declarations and paths: `crate::a::b`, `Self::new`, `axum::routing::get`.
//!
//! A path that starts outside the file begins with an import of what it starts at (`crate`, `super`, a crate's name);
//! everything after that is a member.

use proc_macro2::Span;
use syn::{Path, UseTree};

use super::lower::Lower;
use super::scopes::Space;
use super::types::is_primitive;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

/// What a path starts at.
enum Start {
    Symbol(SymbolIdx),
    /// The receiver's type.
    This,
    Source(SourceIdx),
    Global(Atom),
}

impl Lower {
    /// The declared names of a `use`, before any is read.
    pub(super) fn declare_use(&mut self, tree: &UseTree) {
        let mut leaves = Vec::new();
        collect(tree, &mut Vec::new(), &mut leaves);
        for leaf in leaves {
            self.declare_leaf(&leaf);
        }
    }

    fn declare_leaf(&mut self, leaf: &Leaf) {
        let (start, span) = (super::lower::range(leaf.span).0, leaf.span);
        let Some(local) = &leaf.local else {
            let specifier = self.specifier(&leaf.path);
            if let Some(specifier) = specifier {
                let source = self.source(&specifier, span);
                self.builder.module.star_exports.push(source);
            }
            return;
        };
        if local == "_" {
            return;
        }
        let name = self.atom(local);
        let definition = self.import(&leaf.path, span);
        let symbol = self.declare(&[Space::Value, Space::Type], name, start);
        if let Some(definition) = definition {
            self.define(symbol, definition);
        }
        self.export(name, symbol, start);
    }

    /// What `use a::b::c` brings.
    fn import(&mut self, path: &[String], span: Span) -> Option<Definition> {
        let (last, parents) = path.split_last()?;
        if parents.is_empty() {
            let source = self.source(last, span);
            return Some(Definition::Import { source, name: Imported::Namespace });
        }
        let Some(specifier) = self.specifier(parents) else {
            let init = self.at_root(Use::Init, |l| l.chain(path, span));
            return Some(variable(init));
        };
        let source = self.source(&specifier, span);
        let name = self.atom(last);
        Some(Definition::Import { source, name: Imported::Named(name) })
    }

    /// The import specifier of a path; none where it starts at a name of this file.
    fn specifier(&mut self, path: &[String]) -> Option<String> {
        let supers = path.iter().take_while(|part| *part == "super").count();
        let first = path.first()?;
        if supers > 0 || first == "self" {
            // What inline modules stand in is this file.
            let ups = if first == "self" { 0 } else { supers };
            let rest = path.get(ups.max(1)..)?;
            return match self.module_depth {
                0 => Some(path.join("::")),
                depth if ups > depth => {
                    Some([vec!["super".to_owned(); ups - depth], rest.to_vec()].concat().join("::"))
                }
                depth => {
                    let inside = self.module_path.get(..depth - ups)?.to_vec();
                    Some([vec!["self".to_owned()], inside, rest.to_vec()].concat().join("::"))
                }
            };
        }
        let name = self.atom(first);
        if first != "crate" && self.scopes.find(Space::Type, name).is_some() {
            return None;
        }
        Some(path.join("::"))
    }

    fn chain(&mut self, path: &[String], span: Span) -> ExprId {
        let Some((last, parents)) = path.split_last() else { return self.reserve(span) };
        if parents.is_empty() {
            let name = self.atom(last);
            return match self.find(Space::Type, name) {
                Some(symbol) => self.read(symbol, span),
                None => self.leaf(span, ExprKind::Global(name)),
            };
        }
        let id = self.reserve(span);
        let object = self.under(id, |l| l.chain(parents, span));
        let name = self.atom(last);
        self.set(id, ExprKind::Member { object, name });
        id
    }

    pub(super) fn export(&mut self, name: Atom, symbol: SymbolIdx, start: u32) {
        if self.module_depth == 0 && self.builder.function == FunctionIdx(0) {
            self.builder.module.exports.push(Export { name, target: ExportTarget::Symbol(symbol), start });
        }
    }

    pub(super) fn read(&mut self, symbol: SymbolIdx, span: Span) -> ExprId {
        let id = self.leaf(span, ExprKind::Ident(symbol));
        if let Some(entry) = self.builder.module.symbols.get_mut(symbol.0 as usize) {
            entry.reads.push(id);
        }
        id
    }

    /// A path as a value: a name, or members of what it starts at.
    pub(super) fn path(&mut self, path: &Path, space: Space) -> ExprId {
        let segments: Vec<&syn::Ident> = path.segments.iter().map(|segment| &segment.ident).collect();
        self.segments(&segments, space)
    }

    fn segments(&mut self, segments: &[&syn::Ident], space: Space) -> ExprId {
        let Some(first) = segments.first() else { return self.reserve(Span::call_site()) };
        let (start, used) = self.start(segments, space);
        let rest = segments.get(used..).unwrap_or(&[]);
        let outer: Vec<ExprId> = rest.iter().map(|segment| self.reserve(segment.span())).collect();
        // Reserved outermost last; parents are set as the chain is closed.
        let mut object = self.leaf_of(start, first.span());
        for (id, segment) in outer.into_iter().zip(rest) {
            let name = self.name(segment);
            self.set(id, ExprKind::Member { object, name });
            self.adopt(object, id);
            self.stretch(id, object, id);
            object = id;
        }
        object
    }

    fn adopt(&mut self, child: ExprId, parent: ExprId) {
        if let Some(expr) = self.builder.module.exprs.get_mut(child.0 as usize) {
            expr.parent = parent;
            expr.role = Use::Inner;
        }
    }

    fn leaf_of(&mut self, start: Start, span: Span) -> ExprId {
        match start {
            Start::Symbol(symbol) => self.read(symbol, span),
            Start::This => self.leaf(span, ExprKind::This),
            Start::Source(source) => self.leaf(span, ExprKind::Import(source)),
            Start::Global(name) => self.leaf(span, ExprKind::Global(name)),
        }
    }

    /// What a path starts at, and how many of its segments that takes.
    fn start(&mut self, segments: &[&syn::Ident], space: Space) -> (Start, usize) {
        let Some(&first) = segments.first() else { return (Start::This, 0) };
        let name = self.name(first);
        let is_path = segments.len() > 1;
        let text = self.builder.module.str(name).to_owned();
        match text.as_str() {
            "self" if !is_path => return (Start::This, 1),
            "Self" if self.self_type != SymbolIdx::NONE => return (Start::Symbol(self.self_type), 1),
            "crate" => {
                let source = self.source("crate", first.span());
                return (Start::Source(source), 1);
            }
            "self" | "super" => return self.relative(segments),
            _ => {}
        }
        let space = if is_path { Space::Type } else { space };
        if let Some(symbol) = self.find(space, name) {
            return (Start::Symbol(symbol), 1);
        }
        if is_path && !text.starts_with(|first: char| first.is_ascii_uppercase()) && !is_primitive(&text) {
            let source = self.source(&text, first.span());
            return (Start::Source(source), 1);
        }
        match self.unbound(name) {
            Some(symbol) => (Start::Symbol(symbol), 1),
            None => (Start::Global(name), 1),
        }
    }

    /// `self::x` and `super::x`.
    fn relative(&mut self, segments: &[&syn::Ident]) -> (Start, usize) {
        let ups = segments.iter().take_while(|segment| **segment == "super").count();
        let used = ups.max(1);
        let span = segments.first().map_or_else(Span::call_site, |segment| segment.span());
        if ups > self.module_depth {
            let specifier = vec!["super"; ups - self.module_depth].join("::");
            let source = self.source(&specifier, span);
            return (Start::Source(source), used);
        }
        if let Some(next) = segments.get(used) {
            let name = self.name(next);
            let outside = self.module_depth - ups;
            let found = [Space::Value, Space::Type]
                .into_iter()
                .rev()
                .find_map(|space| self.scopes.find_outside(space, name, outside));
            if let Some(symbol) = found {
                return (Start::Symbol(symbol), used + 1);
            }
        }
        let source = self.source("self", span);
        (Start::Source(source), used)
    }

    /// The root of a type's path, and what follows it.
    pub(super) fn type_path(&mut self, path: &Path) -> (TypeRoot, Vec<Atom>) {
        let segments: Vec<&syn::Ident> = path.segments.iter().map(|segment| &segment.ident).collect();
        let (start, used) = self.start(&segments, Space::Type);
        let rest = segments.get(used..).unwrap_or(&[]).iter().map(|segment| self.name(segment)).collect();
        let root = match start {
            Start::Symbol(symbol) => TypeRoot::Symbol(symbol),
            Start::Source(source) => TypeRoot::Source(source),
            Start::Global(name) => TypeRoot::Global(name),
            Start::This => TypeRoot::Global(self.atom("self")),
        };
        (root, rest)
    }
}

pub(super) fn variable(init: ExprId) -> Definition {
    Definition::Variable { init, steps: Vec::new(), default: ExprId::NONE, constant: true, annotation: TypeId::NONE }
}

/// One name that a `use` brings; a glob has none.
struct Leaf {
    path: Vec<String>,
    local: Option<String>,
    span: Span,
}

/// Deeper groups than this are generated.
const MAX_GROUPS: usize = 64;

fn collect(tree: &UseTree, path: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
    let plain = |ident: &syn::Ident| ident.to_string().trim_start_matches("r#").to_owned();
    match tree {
        _ if path.len() > MAX_GROUPS => {}
        UseTree::Path(it) => {
            path.push(plain(&it.ident));
            collect(&it.tree, path, leaves);
            path.pop();
        }
        UseTree::Name(it) if it.ident == "self" => {
            leaves.push(Leaf { path: path.clone(), local: path.last().cloned(), span: it.ident.span() });
        }
        UseTree::Name(it) => {
            let local = plain(&it.ident);
            let path = path.iter().cloned().chain([local.clone()]).collect();
            leaves.push(Leaf { path, local: Some(local), span: it.ident.span() });
        }
        UseTree::Rename(it) => {
            let own = (it.ident != "self").then(|| plain(&it.ident));
            let local = Some(plain(&it.rename));
            leaves.push(Leaf { path: path.iter().cloned().chain(own).collect(), local, span: it.ident.span() });
        }
        UseTree::Glob(it) => {
            leaves.push(Leaf { path: path.clone(), local: None, span: it.star_token.spans[0] });
        }
        UseTree::Group(it) => {
            for item in &it.items {
                collect(item, path, leaves);
            }
        }
    }
}
