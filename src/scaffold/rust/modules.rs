//! The modules that the root of a crate declares.

use syn::spanned::Spanned as _;
use syn::{Item, UseTree, Visibility};

use crate::scaffold::edits::{Edit, line_end};
use crate::syntax::rust::with_file;

/// Whether a file declares a module that lies in a file of its own.
pub fn declares(text: &str, name: &str) -> bool {
    with_file(text, |file| {
        file.items.iter().any(|item| matches!(item, Item::Mod(it) if it.ident == name && it.content.is_none()))
    })
    .unwrap_or(false)
}

/// The edit that declares a module; none if it is declared already. The error says why it cannot be.
pub fn declare_module(text: &str, name: &str, public: bool, line_break: &str) -> Result<Option<Edit>, String> {
    if declares(text, name) {
        return Ok(None);
    }
    let place = with_file(text, |file| {
        if file.items.iter().any(|item| takes(item, name)) {
            return Err(format!("`{name}` is the name of something else"));
        }
        let modules: Vec<(String, bool, usize, usize)> = file.items.iter().filter_map(module).collect();
        let last_use = file.items.iter().rfind(|item| matches!(item, Item::Use(_)));
        let last_use = last_use.map(|item| item.span().byte_range().end);
        let start = file.attrs.iter().map(|attribute| attribute.span().byte_range().end).max();
        Ok((modules, last_use, start))
    });
    let (modules, last_use, start) = place.map_err(|_| "it cannot be read".to_owned())??;
    let is_public = public || !modules.is_empty() && modules.iter().all(|(_, public, ..)| *public);
    let line = format!("{}mod {name};{line_break}", if is_public { "pub " } else { "" });
    let later = modules.iter().find(|(other, ..)| other.as_str() > name);
    let sorted = modules.is_sorted_by_key(|(other, ..)| other.clone());
    let edit = match (later, modules.last(), last_use) {
        (Some((.., start, _)), ..) if sorted => Edit::insert(*start, line),
        (_, Some((.., end)), _) => Edit::insert(line_end(text, *end), line),
        (_, None, Some(end)) => Edit::insert(line_end(text, end), format!("{line_break}{line}")),
        (_, None, None) => {
            let at = start.map_or(0, |end| line_end(text, end));
            let gap = if at > 0 { line_break } else { "" };
            Edit::insert(at, format!("{gap}{line}"))
        }
    };
    Ok(Some(edit))
}

/// A module in a file of its own that is always there, with what stands on top of it.
fn module(item: &Item) -> Option<(String, bool, usize, usize)> {
    let Item::Mod(it) = item else { return None };
    let range = it.span().byte_range();
    let is_plain = it.content.is_none() && it.attrs.is_empty();
    let is_public = matches!(it.vis, Visibility::Public(_));
    is_plain.then(|| (it.ident.to_string(), is_public, range.start, range.end))
}

/// Whether an item has a name that a module cannot have beside it.
fn takes(item: &Item, name: &str) -> bool {
    match item {
        Item::Use(it) => uses(&it.tree, name),
        Item::Mod(it) => it.ident == name,
        Item::Struct(it) => it.ident == name,
        Item::Enum(it) => it.ident == name,
        Item::ExternCrate(it) => it.ident == name,
        _ => false,
    }
}

fn uses(tree: &UseTree, name: &str) -> bool {
    match tree {
        UseTree::Path(it) => uses(&it.tree, name) || is_self(&it.tree) && it.ident == name,
        UseTree::Name(it) => it.ident == name,
        UseTree::Rename(it) => it.rename == name,
        UseTree::Group(it) => it.items.iter().any(|one| uses(one, name)),
        UseTree::Glob(_) => false,
    }
}

/// `use std::env::{self, var}` takes the name `env`.
fn is_self(tree: &UseTree) -> bool {
    match tree {
        UseTree::Name(it) => it.ident == "self",
        UseTree::Group(it) => it.items.iter().any(is_self),
        _ => false,
    }
}

/// What a package's library is called in `use`, as its manifest says.
pub fn library_name(manifest: &str) -> Option<String> {
    let manifest: toml::Table = manifest.parse().ok()?;
    let name = |section: &str| manifest.get(section)?.get("name")?.as_str().map(str::to_owned);
    Some(name("lib").or_else(|| name("package"))?.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::edits::apply;

    fn with(text: &str, name: &str) -> Result<String, String> {
        let edit = declare_module(text, name, false, "\n")?;
        Ok(apply(text, &edit.into_iter().collect::<Vec<_>>()))
    }

    #[test]
    fn modules_are_declared_where_the_others_are() {
        for (text, expected) in [
            ("mod a;\nmod z;\n\nuse b::c;\n", "mod a;\nmod health;\nmod z;\n\nuse b::c;\n"),
            ("pub mod a;\npub mod b;\n", "pub mod a;\npub mod b;\npub mod health;\n"),
            ("mod z;\nmod a;\n", "mod z;\nmod a;\nmod health;\n"),
            ("//! Doc.\n\nuse b::c;\n\nfn main() {}\n", "//! Doc.\n\nuse b::c;\n\nmod health;\n\nfn main() {}\n"),
            ("fn main() {}\n", "mod health;\nfn main() {}\n"),
            ("mod health;\n", "mod health;\n"),
        ] {
            assert_eq!(with(text, "health").as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn names_that_are_taken_are_no_modules() {
        for text in ["use crate::routes::health;\n", "use a::{b, health::{self, c}};\n", "mod health { fn a() {} }\n"] {
            assert!(with(text, "health").is_err(), "{text}");
        }
        assert!(with("fn main( {", "health").is_err());
        assert!(with("use health::check;\nfn health() {}\n", "health").is_ok());
    }

    #[test]
    fn libraries_have_names() {
        assert_eq!(library_name("[package]\nname = \"my-app\"\n").as_deref(), Some("my_app"));
        assert_eq!(library_name("[package]\nname = \"a\"\n[lib]\nname = \"b\"\n").as_deref(), Some("b"));
    }
}
