//! Patterns that bind names.

use syn::{Member, Pat};

use super::lower::{Lower, range};
use super::scopes::Space;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

/// What the names of a pattern are: made from the way to them.
pub(super) type Make<'m> = &'m dyn Fn(&[Step]) -> Definition;

impl Lower {
    /// Binds each name of a pattern; `make` gets the way to it.
    pub(super) fn bind(&mut self, pattern: &Pat, make: Make<'_>) {
        self.bind_at(pattern, &mut Vec::new(), make);
    }

    fn bind_at(&mut self, pattern: &Pat, steps: &mut Vec<Step>, make: Make<'_>) {
        self.deeper(pattern, |l| l.bind_pattern(pattern, steps, make));
    }

    fn bind_pattern(&mut self, pattern: &Pat, steps: &mut Vec<Step>, make: Make<'_>) {
        match pattern {
            Pat::Ident(it) => {
                let name = self.name(&it.ident);
                // `None` and constants are compared, not bound.
                let binds =
                    self.builder.module.str(name).starts_with(|first: char| first.is_lowercase() || first == '_');
                if binds {
                    let symbol = self.declare(&[Space::Value], name, range(it.ident.span()).0);
                    self.define(symbol, make(steps));
                }
                if let Some((_, inner)) = &it.subpat {
                    self.bind_at(inner, steps, make);
                }
            }
            Pat::Type(it) => self.bind_at(&it.pat, steps, make),
            Pat::Paren(it) => self.bind_at(&it.pat, steps, make),
            Pat::Reference(it) => self.bind_at(&it.pat, steps, make),
            Pat::Guard(it) => {
                self.bind_at(&it.pat, steps, make);
                self.at_root(Use::Test, |l| l.expr(&it.guard));
            }
            // Every alternative binds the same names.
            Pat::Or(it) => {
                if let Some(first) = it.cases.first() {
                    self.bind_at(first, steps, make);
                }
            }
            Pat::Tuple(it) => self.bind_items(it.elems.iter(), steps, make),
            Pat::Slice(it) => self.bind_items(it.elems.iter(), steps, make),
            Pat::TupleStruct(it) => self.bind_tuple_struct(it, steps, make),
            Pat::Struct(it) => {
                for field in &it.fields {
                    let step = match &field.member {
                        Member::Named(name) => Step::Property(self.name(name)),
                        Member::Unnamed(index) => Step::Index(index.index),
                    };
                    steps.push(step);
                    self.bind_at(&field.pat, steps, make);
                    steps.pop();
                }
            }
            _ => {}
        }
    }

    fn bind_items<'t>(&mut self, items: impl Iterator<Item = &'t Pat>, steps: &mut Vec<Step>, make: Make<'_>) {
        for (index, item) in (0u32..).zip(items) {
            steps.push(Step::Index(index));
            self.bind_at(item, steps, make);
            steps.pop();
        }
    }

    fn bind_tuple_struct(&mut self, it: &syn::PatTupleStruct, steps: &mut Vec<Step>, make: Make<'_>) {
        let last = it.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        match (last.as_str(), it.elems.first()) {
            ("Err", Some(inner)) => self.bind_at(inner, &mut Vec::new(), &|_| Definition::Caught(ExprId::NONE)),
            // A wrapper of one is what it holds: `Some(x)`, `Json(body)`.
            (_, Some(inner)) if it.elems.len() == 1 => self.bind_at(inner, steps, make),
            _ => self.bind_items(it.elems.iter(), steps, make),
        }
    }

    /// The names that a pattern asks for: `Self::Expired | Self::Revoked(_)`.
    pub(super) fn pattern_names(&mut self, pattern: &Pat, found: &mut Vec<ExprId>) {
        let path = match pattern {
            Pat::Or(it) => {
                self.deeper(pattern, |l| it.cases.iter().for_each(|case| l.pattern_names(case, found)));
                return;
            }
            Pat::Paren(it) => {
                self.deeper(pattern, |l| l.pattern_names(&it.pat, found));
                return;
            }
            Pat::Reference(it) => {
                self.deeper(pattern, |l| l.pattern_names(&it.pat, found));
                return;
            }
            Pat::Path(it) => &it.path,
            Pat::TupleStruct(it) => &it.path,
            Pat::Struct(it) => &it.path,
            Pat::Ident(it) if it.ident.to_string().starts_with(|first: char| first.is_uppercase()) => {
                let path = syn::Path::from(it.ident.clone());
                found.push(self.at_root(Use::Statement, |l| l.path(&path, Space::Value)));
                return;
            }
            _ => return,
        };
        found.push(self.at_root(Use::Statement, |l| l.path(path, Space::Value)));
    }

    /// Is it the arm of what went wrong?
    pub(super) fn is_error_pattern(pattern: &Pat) -> bool {
        matches!(pattern, Pat::TupleStruct(it) if it.path.segments.last().is_some_and(|last| last.ident == "Err"))
    }
}
