//! What the model says of Rust.

use super::parse;
use crate::syntax::hir::*;

fn module(text: &str) -> Module {
    parse(text).unwrap()
}

/// The expression of that kind which `written` is the text of.
fn kinds_of(module: &Module, text: &str, written: &str) -> Vec<ExprKind> {
    let is_it = |expr: &&Expr| text.get(expr.start as usize..expr.end as usize) == Some(written);
    module.exprs.iter().filter(is_it).map(|expr| expr.kind).collect()
}

fn function<'m>(module: &'m Module, name: &str) -> &'m Function {
    module.functions.iter().find(|f| f.name.is_some_and(|n| module.str(n) == name)).unwrap()
}

fn specifiers(module: &Module) -> Vec<&str> {
    module.sources.iter().map(|source| module.str(source.specifier)).collect()
}

#[test]
fn paths_start_at_imports_and_calls_are_members() {
    let text = "fn main() { let app = axum::Router::new().route(\"/x\", 1); }";
    let module = module(text);
    assert!(specifiers(&module).contains(&"axum"));
    let route = kinds_of(&module, text, "axum::Router::new().route(\"/x\", 1)");
    assert!(matches!(route[..], [ExprKind::Call { .. }]), "{route:?}");
    assert!(matches!(kinds_of(&module, text, "axum::Router::new")[..], [ExprKind::Member { .. }]));
}

#[test]
fn uses_bring_names_renamed_nested_and_by_star() {
    let module = module("use a::{b as c, d::*, self}; use crate::x::Y; use super::*; mod z;");
    assert_eq!(specifiers(&module), ["a", "a::d", "crate::x", "super", "mod z", "crate"]);
    assert_eq!(module.star_exports.len(), 2);
    let exported: Vec<&str> = module.exports.iter().map(|export| module.str(export.name)).collect();
    assert_eq!(exported, ["z", "c", "a", "Y"]);
}

#[test]
fn blocks_of_one_type_are_one_class() {
    let module = module("impl A { fn new() -> Self { A { n: 1 } } } struct A { n: u8 } impl A { fn n(&self) {} }");
    let class = &module.classes[0];
    let members: Vec<(&str, bool)> = class.members.iter().map(|m| (module.str(m.name), m.is_static)).collect();
    assert_eq!(members, [("n", false), ("new", true), ("n", false)]);
    assert_eq!(module.classes.len(), 1);
    assert!(matches!(module.kind(function(&module, "new").returns[0]), ExprKind::New { .. }));
}

#[test]
fn defaults_and_early_exits_stay_tellable() {
    let text = "fn f() -> R { let a = std::env::var(\"A\").unwrap_or(\"x\".into()); g(a)?; Err(a) }";
    let module = module(text);
    assert!(module.exprs.iter().any(|e| matches!(e.kind, ExprKind::Logical { op: LogicalOp::Nullish, .. })));
    assert!(module.exprs.iter().any(|e| matches!(e.kind, ExprKind::Try(_))));
    assert_eq!((function(&module, "f").returns.len(), function(&module, "f").throws.len()), (1, 1));
}

#[test]
fn format_strings_are_templates_and_json_an_object() {
    let text = "fn f(id: u8, b: u8) { query(&format!(\"a {id} {}\", b)); json!({ \"k\": [id, null] }); info!(x = %b, \"no hole\"); }";
    let module = module(text);
    let template = module.exprs.iter().find_map(|e| match e.kind {
        ExprKind::Template { quasis, exprs } => Some(module.holes(quasis, exprs).count()),
        _ => None,
    });
    assert_eq!(template, Some(2));
    assert_eq!(module.exprs.iter().filter(|e| matches!(e.kind, ExprKind::Object(_))).count(), 2);
}

#[test]
fn named_arguments_fill_holes_before_variables_do() {
    let module = module("const ID: &str = \"id\"; fn f(id: u8) -> String { format!(\"a {id} {id}\", id = ID) }");
    let holes = module.exprs.iter().find_map(|e| match e.kind {
        ExprKind::Template { quasis, exprs } => Some(module.holes(quasis, exprs).collect::<Vec<_>>()),
        _ => None,
    });
    let is_constant = |hole: &ExprId| matches!(module.kind(*hole), ExprKind::Ident(symbol) if module.str(module.symbol(symbol).name) == "ID");
    assert!(holes.is_some_and(|holes| holes.len() == 2 && holes.iter().all(is_constant)));
}

#[test]
fn test_code_is_counted_and_left_out() {
    let text = "fn a() {} #[cfg(test)] mod tests { #[test] fn b() { assert_eq!(1, 1); } #[test] #[ignore] fn c() {} }";
    let module = module(text);
    assert_eq!(module.tests, TestStats { cases: 1, skipped: 1, assertions: 1 });
    assert_eq!(module.functions.len(), 2);
    assert_eq!(module.test_code[0], 10..u32::try_from(text.len()).unwrap());
}

#[test]
fn attributes_are_decorators_and_comments_admit_gaps() {
    let text = "#[get(\"/x\")] async fn a() {} // TODO: more\n#[derive(A, b::C)] struct S;";
    let module = module(text);
    assert_eq!(function(&module, "a").decorators.len(), 1);
    assert_eq!(module.classes[0].decorators.len(), 2);
    let comment = &module.comments[0];
    assert_eq!(&text[comment.start as usize..comment.end as usize], "// TODO: more");
}

#[test]
fn nested_texts_end_well() {
    let nests: [(&str, &str, &str); 6] =
        [("(", "1", ")"), ("!", "x", ""), ("[", "", "]"), ("{", "", "}"), ("|| ", "1", ""), ("vec![", "", "]")];
    for (open, middle, close) in nests {
        for depth in [50, 900, 5_000, 200_000] {
            let text = format!("fn f() {{ let a = {}{middle}{}; }}", open.repeat(depth), close.repeat(depth));
            let read = parse(&text);
            assert!(depth > 900 || read.is_ok() || open == "{", "{open} {depth}: {:?}", read.err());
        }
    }
    assert!(parse("fn f( {").is_err());
}
