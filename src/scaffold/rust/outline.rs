//! The outline of a Rust file.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Expr, Item, Pat, Stmt, UseTree, Visibility};

use crate::scaffold::edits::indentation;
use crate::scaffold::outline::{Block, Export, Import, Outline, Statement};
use crate::syntax::SyntaxError;
use crate::syntax::rust::with_file;

/// Reads a file.
pub fn outline(text: &str) -> Result<Outline, SyntaxError> {
    with_file(text, |file| {
        let mut reader = Reader { text, outline: Outline::default() };
        reader.outline.start = file.attrs.iter().map(|attribute| attribute.span().byte_range().end).max().unwrap_or(0);
        reader.outline.imports = file.items.iter().filter_map(import).collect();
        reader.outline.exports = file.items.iter().filter_map(export).collect();
        reader.outline.blocks.push(Block { statements: file.items.iter().map(item).collect() });
        reader.visit_file(file);
        reader.outline
    })
}

fn import(item: &Item) -> Option<Import> {
    let Item::Use(it) = item else { return None };
    let (mut specifier, mut names) = (String::new(), Vec::new());
    used(&it.tree, &mut specifier, &mut names);
    let range = it.span().byte_range();
    Some(Import { start: range.start, end: range.end, specifier, names, is_module_syntax: true })
}

/// The path in front of what is taken, as far as all of it shares one, and the names.
fn used(tree: &UseTree, specifier: &mut String, names: &mut Vec<String>) {
    match tree {
        UseTree::Path(it) => {
            if names.is_empty() {
                let gap = if specifier.is_empty() { "" } else { "::" };
                *specifier = format!("{specifier}{gap}{}", it.ident);
            }
            used(&it.tree, specifier, names);
        }
        UseTree::Name(it) => names.push(it.ident.to_string()),
        UseTree::Rename(it) => names.push(it.rename.to_string()),
        UseTree::Group(it) => it.items.iter().for_each(|one| used(one, &mut specifier.clone(), names)),
        _ => {}
    }
}

fn export(item: &Item) -> Option<Export> {
    let is_public = matches!(
        item,
        Item::Fn(syn::ItemFn { vis: Visibility::Public(_), .. })
            | Item::Static(syn::ItemStatic { vis: Visibility::Public(_), .. })
            | Item::Struct(syn::ItemStruct { vis: Visibility::Public(_), .. })
    );
    let name = name_of(item).filter(|_| is_public)?;
    Some(Export { local: name.clone(), name })
}

fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Mod(it) => &it.ident,
        Item::Static(it) => &it.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::Type(it) => &it.ident,
        Item::Union(it) => &it.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn item(item: &Item) -> Statement {
    let range = item.span().byte_range();
    Statement { start: range.start, end: range.end, binds: name_of(item).into_iter().collect(), ..Statement::default() }
}

struct Reader<'t> {
    text: &'t str,
    outline: Outline,
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_block(&mut self, block: &'ast syn::Block) {
        if let Some(first) = block.stmts.first() {
            let inner = indentation(self.text, first.span().byte_range().start);
            if self.outline.blocks.len() < 50 && !inner.is_empty() && inner.len() <= 8 {
                *self.outline.habits.indents.entry(inner.to_owned()).or_default() += 1;
            }
        }
        self.outline.blocks.push(Block { statements: block.stmts.iter().map(statement).collect() });
        visit::visit_block(self, block);
    }
}

fn statement(statement: &Stmt) -> Statement {
    let range = statement.span().byte_range();
    let mut found = Statement { start: range.start, end: range.end, ..Statement::default() };
    match statement {
        Stmt::Local(local) => {
            found.binds = bound(&local.pat).into_iter().collect();
            if let Some(init) = &local.init {
                found.receiver = receiver(&init.expr);
            }
        }
        Stmt::Expr(expr, semicolon) => {
            found.receiver = receiver(expr);
            found.leaves = semicolon.is_none() || matches!(expr, Expr::Return(_));
        }
        Stmt::Item(it) => found.binds = name_of(it).into_iter().collect(),
        Stmt::Macro(_) => {}
    }
    found
}

/// The one name that a pattern gives: `let pool`, `let mut app: Router`.
pub(super) fn bound(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(it) if it.subpat.is_none() => Some(it.ident.to_string()),
        Pat::Type(it) => bound(&it.pat),
        _ => None,
    }
}

/// The name that an expression starts with.
pub(super) fn receiver(expr: &Expr) -> Option<String> {
    let mut expr = expr;
    loop {
        expr = match expr {
            Expr::MethodCall(it) => &it.receiver,
            Expr::Field(it) => &it.base,
            Expr::Await(it) => &it.base,
            Expr::Try(it) => &it.expr,
            Expr::Path(it) => return it.path.get_ident().map(ToString::to_string),
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "#![allow(unused)]\nmod auth;\nuse axum::{routing::get, Router as R};\nuse crate::auth::user;\n\npub fn helper() {}\n\nasync fn main() {\n    let pool = connect().await.unwrap();\n    let app = R::new().route(\"/\", get(user));\n    if true {\n        app.run();\n    }\n}\n";

    #[test]
    fn finds_imports_names_and_statements() {
        let outline = outline(MAIN).unwrap();
        let imports: Vec<_> = outline.imports.iter().map(|i| (i.specifier.as_str(), i.names.join(","))).collect();
        assert_eq!(imports, [("axum", "get,R".to_owned()), ("crate::auth", "user".to_owned())]);
        let names: Vec<String> = outline.top_level().iter().flat_map(|one| one.binds.clone()).collect();
        assert_eq!(names, ["auth", "helper", "main"]);
        assert_eq!(outline.exports.len(), 1);
        let (block, index) = outline.statement_at(MAIN.find("R::new").unwrap()).unwrap();
        assert_eq!((index, block.statements[index].binds.as_slice()), (1, &["app".to_owned()][..]));
        let (inner, _) = outline.statement_at(MAIN.find("app.run").unwrap()).unwrap();
        assert_eq!(inner.statements[0].receiver.as_deref(), Some("app"));
        assert_eq!(&MAIN[outline.start..], MAIN.strip_prefix("#![allow(unused)]").unwrap());
        assert!(super::outline("fn main( {").is_err());
    }
}
