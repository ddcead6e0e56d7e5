//! Routes that stand in an OpenAPI document alone: a framework is handed the document, and calls the functions that
//! its operations name.

use super::extract::Raw;
use crate::facts::model::Value;
use crate::facts::program::{Exported, ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::facts::shapes::Operation;
use crate::syntax::hir::{ExprId, MemberKind};

/// An operation with the path of the document that holds it.
pub type Described<'a> = (&'a str, Operation);

/// Replaces every route that hands a document over by the operations of the document. The documents of a project are
/// read only where there is such a route.
pub fn described_routes<'a>(
    evaluator: &mut Evaluator<'_>,
    raws: &mut Vec<Raw>,
    operations: impl FnOnce() -> Vec<Described<'a>>,
) {
    if !raws.iter().any(|raw| &*raw.kind == "route" && raw.text("document").is_some()) {
        return;
    }
    let operations = operations();
    let mut found = Vec::new();
    raws.retain(|raw| {
        let Some(document) = raw.text("document").filter(|_| &*raw.kind == "route") else { return true };
        let within: Vec<&Operation> =
            operations.iter().filter(|(path, _)| is_named(path, document)).map(|(_, operation)| operation).collect();
        for operation in within {
            found.extend(route(evaluator, raw, operation));
        }
        false
    });
    raws.extend(found);
}

/// `openapi.yml`, or a path that ends with it.
fn is_named(path: &str, document: &str) -> bool {
    let document = document.trim_start_matches("./");
    path == document || path.strip_suffix(document).is_some_and(|rest| rest.ends_with('/'))
}

/// The route of one operation, and the body that the framework has checked for it.
fn route(evaluator: &mut Evaluator<'_>, raw: &Raw, operation: &Operation) -> Vec<Raw> {
    let Some(handler) = function_named(evaluator, raw.at.module, &operation.handler) else { return Vec::new() };
    let mut route = raw.clone();
    route.span = operation.at;
    route.functions =
        operation.checks.iter().filter_map(|name| function_named(evaluator, raw.at.module, name)).collect();
    route.functions.push(handler);
    route.refs.retain(|(name, _)| &**name != "chain");
    route.fields.clear();
    route.set("method", Value::text(operation.method.as_str()));
    route.set("path", Value::text(operation.path.as_str()));
    let mut found = vec![route];
    if operation.takes_body {
        let mut body = raw.clone();
        body.kind = "input".into();
        body.span = operation.at;
        body.refs.clear();
        body.fields.clear();
        body.at = ExprRef { module: handler.module, expr: ExprId::NONE };
        body.function = Some(handler);
        body.set("part", Value::text("body"));
        body.set("declared", Value::bool(true));
        found.push(body);
    }
    found
}

/// The function of a dotted name: `shop.orders.place`, `shop.models.Order.place`.
fn function_named(evaluator: &mut Evaluator<'_>, from: ModuleId, name: &str) -> Option<FunctionRef> {
    let parts: Vec<&str> = name.split(['.', ':']).collect();
    (1..parts.len()).rev().find_map(|split| {
        let (path, names) = parts.split_at_checked(split)?;
        let module = module_named(evaluator, from, &path.join("/"))?;
        member_function(evaluator, module, names)
    })
}

/// The module of that path in the service of another.
fn module_named(evaluator: &Evaluator<'_>, from: ModuleId, path: &str) -> Option<ModuleId> {
    let program = evaluator.program;
    let service = |module: ModuleId| program.project.file(program.loaded(module).file).service;
    let file = format!("{path}.py");
    let package = format!("{path}/__init__.py");
    let fits = |module: &ModuleId| {
        let path = program.path(*module);
        service(*module) == service(from) && (is_named(path, &file) || is_named(path, &package))
    };
    program.ids().filter(fits).min_by_key(|module| program.path(*module).len())
}

fn member_function(evaluator: &mut Evaluator<'_>, module: ModuleId, names: &[&str]) -> Option<FunctionRef> {
    let program = evaluator.program;
    let things = match program.export_named(module, names.first()?)? {
        exported @ (Exported::Expr(_) | Exported::Symbol(..)) => evaluator.exported(exported),
        _ => return None,
    };
    things.into_iter().find_map(|thing| match (thing, names) {
        (Thing::Function(function), [_]) => Some(function),
        (Thing::Class(module, class), [_, method]) => {
            let hir = program.module(module);
            hir.class(class).members.iter().find_map(|member| match member.kind {
                MemberKind::Method(function) if hir.str(member.name) == *method => {
                    Some(FunctionRef { module, function })
                }
                _ => None,
            })
        }
        _ => None,
    })
}
