//! How many tests a file holds, and how many assertions.

use std::ops::Range;

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemFn, Macro};

use crate::syntax::error::narrow;
use crate::syntax::hir::TestStats;

/// Counts `#[test]` functions (of any harness) and `assert…!` macros; the bytes of items that only tests compile.
pub(super) fn count(file: &syn::File) -> (TestStats, Vec<Range<u32>>) {
    let mut counter = Counter::default();
    counter.visit_file(file);
    (counter.stats, counter.test_code)
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

/// `#[cfg(windows)]`, `#[cfg(debug_assertions)]`: services run on Linux, and are built for release.
pub(super) fn is_not_deployed(attributes: &[Attribute]) -> bool {
    const OTHERS: &[&str] = &[
        "debug_assertions",
        "windows",
        "not(unix)",
        "target_os=\"windows\"",
        "target_os=\"macos\"",
        "not(target_os=\"linux\")",
        "target_family=\"windows\"",
    ];
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let text: String = list.tokens.to_string().split_whitespace().collect();
            OTHERS.contains(&text.as_str())
        }
        _ => false,
    })
}

/// An item that only tests compile.
pub(super) fn is_test_code(item: &Item) -> bool {
    let attributes = attributes_of(item);
    is_for_tests(attributes) || (matches!(item, Item::Fn(_)) && is_test(attributes))
}

pub(super) fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        Item::Const(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        _ => &[],
    }
}

fn has_test(list: &syn::MetaList) -> bool {
    let parts = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
    list.parse_args_with(parts).is_ok_and(|parts| parts.iter().any(|part| part.path().is_ident("test")))
}

fn last_is(path: &syn::Path, wanted: impl Fn(&syn::Ident) -> bool) -> bool {
    path.segments.last().is_some_and(|segment| wanted(&segment.ident))
}

#[derive(Default)]
struct Counter {
    stats: TestStats,
    test_code: Vec<Range<u32>>,
}

impl<'ast> Visit<'ast> for Counter {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_test_code(item) {
            let bytes = item.span().byte_range();
            self.test_code.push(narrow(bytes.start)..narrow(bytes.end));
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if is_test(&item.attrs) {
            if item.attrs.iter().any(|attribute| attribute.path().is_ident("ignore")) {
                self.stats.skipped += 1;
            } else {
                self.stats.cases += 1;
            }
        }
        visit::visit_item_fn(self, item);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        if last_is(&item.path, |name| name.to_string().starts_with("assert")) {
            self.stats.assertions += 1;
        }
        visit::visit_macro(self, item);
    }
}
