//! Items inside the call of a macro: `derived! { pub struct User { … } }` declares what it wraps.
//!
//! In go the items of a file, out come the same with what such calls hold in place of the calls. Macros with a grammar
//! of their own (`lazy_static!`, `bitflags!`, `cfg_if!`) do not read as items and stay as they are.

use proc_macro2::TokenStream;
use syn::Item;
use syn::parse::{ParseStream, Parser as _};

/// Calls inside calls that are opened.
const MAX_DEPTH: u8 = 8;

pub(super) fn unwrapped(items: Vec<Item>) -> Vec<Item> {
    opened(items, MAX_DEPTH)
}

fn opened(items: Vec<Item>, depth: u8) -> Vec<Item> {
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Item::Macro(it) if it.ident.is_none() && depth > 0 => match held(&it.mac.tokens) {
                Some(inner) => out.extend(opened(inner, depth - 1)),
                None => out.push(Item::Macro(it)),
            },
            Item::Mod(mut it) => {
                it.content = it.content.map(|(brace, inner)| (brace, opened(inner, depth)));
                out.push(Item::Mod(it));
            }
            item => out.push(item),
        }
    }
    out
}

/// The items of a call whose arguments begin with one; what follows behind a comma is the macro's own.
fn held(tokens: &TokenStream) -> Option<Vec<Item>> {
    leading_items.parse2(tokens.clone()).ok().filter(|items| !items.is_empty())
}

fn leading_items(input: ParseStream<'_>) -> syn::Result<Vec<Item>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        if !found.is_empty() && input.peek(syn::Token![,]) {
            input.parse::<TokenStream>()?;
            break;
        }
        match input.parse()? {
            Item::Verbatim(_) => return Err(input.error("no item that is known")),
            item => found.push(item),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<String> {
        let file: syn::File = syn::parse_str(text).unwrap();
        let name = |item: &Item| match item {
            Item::Struct(it) => it.ident.to_string(),
            Item::Fn(it) => it.sig.ident.to_string(),
            Item::Mod(it) => it.content.iter().flat_map(|(_, items)| items).count().to_string(),
            Item::Macro(_) => "macro".to_owned(),
            _ => "other".to_owned(),
        };
        unwrapped(file.items).iter().map(name).collect()
    }

    #[test]
    fn what_a_macro_wraps_is_declared() {
        assert_eq!(kinds("derived!( pub struct A { a: u8 } );"), ["A"]);
        assert_eq!(kinds("derived!( /// One\n pub struct A { a: u8 }, \"PartialA\" );"), ["A"]);
        assert_eq!(kinds("derived! { struct A; struct B; fn c() {} }"), ["A", "B", "c"]);
        assert_eq!(kinds("outer! { inner! { struct A; } }"), ["A"]);
        assert_eq!(kinds("mod m { derived! { struct A; struct B; } }"), ["2"]);
    }

    #[test]
    fn a_grammar_of_its_own_stays_a_call() {
        assert_eq!(kinds("lazy_static! { static ref A: u8 = 1; }"), ["macro"]);
        assert_eq!(kinds("cfg_if! { if #[cfg(unix)] { mod a; } else { mod b; } }"), ["macro"]);
        assert_eq!(kinds("embed_migrations!(\"migrations\");"), ["macro"]);
        assert_eq!(kinds("joinable!(posts -> users (user_id));"), ["macro"]);
        assert_eq!(kinds("empty!();"), ["macro"]);
    }
}
