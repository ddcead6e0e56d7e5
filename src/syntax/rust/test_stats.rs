//! How many tests a file holds, and how many assertions.

use syn::visit::{self, Visit};
use syn::{Attribute, ItemFn, Macro};

use crate::syntax::hir::TestStats;

/// Counts `#[test]` functions (of any harness) and `assert…!` macros.
pub(super) fn count(file: &syn::File) -> TestStats {
    let mut counter = Counter::default();
    counter.visit_file(file);
    counter.0
}

/// Does an attribute make a function a test (`#[test]`, `#[tokio::test]`)?
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| last_is(attribute.path(), |name| name == "test" || name == "rstest"))
}

/// `#[cfg(test)]`: compiled into tests alone.
pub(super) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Meta>().is_ok_and(|meta| match meta {
                syn::Meta::Path(path) => path.is_ident("test"),
                syn::Meta::List(list) => list.path.is_ident("all") && has_test(&list),
                syn::Meta::NameValue(_) => false,
            })
    })
}

fn has_test(list: &syn::MetaList) -> bool {
    let parts = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
    list.parse_args_with(parts).is_ok_and(|parts| parts.iter().any(|part| part.path().is_ident("test")))
}

fn last_is(path: &syn::Path, wanted: impl Fn(&syn::Ident) -> bool) -> bool {
    path.segments.last().is_some_and(|segment| wanted(&segment.ident))
}

#[derive(Default)]
struct Counter(TestStats);

impl<'ast> Visit<'ast> for Counter {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if is_test(&item.attrs) {
            if item.attrs.iter().any(|attribute| attribute.path().is_ident("ignore")) {
                self.0.skipped += 1;
            } else {
                self.0.cases += 1;
            }
        }
        visit::visit_item_fn(self, item);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        if last_is(&item.path, |name| name.to_string().starts_with("assert")) {
            self.0.assertions += 1;
        }
        visit::visit_macro(self, item);
    }
}
