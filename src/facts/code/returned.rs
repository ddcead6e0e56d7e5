//! What handlers return, where a framework makes a response of it: `return {"error": str(e)}, 500`.

use rustc_hash::FxHashSet;

use super::asked::is_text;
use super::extract::Raw;
use super::names::shape;
use crate::facts::graph::Callable;
use crate::facts::model::{Origins, Value};
use crate::facts::program::{ExprRef, FunctionRef};
use crate::facts::resolve::Evaluator;
use crate::syntax::hir::{ExprId, ExprKind, Language, Module};

/// Returns of one handler that are looked at.
const MAX_RETURNS: usize = 16;

/// Adds a response for every value that a handler gives back, but for those that clauses know as responses.
pub fn returned_responses(evaluator: &mut Evaluator<'_>, raws: &mut Vec<Raw>) {
    let known: FxHashSet<ExprRef> = raws.iter().filter(|raw| &*raw.kind == "response").map(|raw| raw.at).collect();
    let mut found = Vec::new();
    for (function, texts_are_pages) in handlers(evaluator, raws) {
        let hir = evaluator.program.module(function.module);
        let returns: Vec<ExprId> = hir.function(function.function).returns.iter().take(MAX_RETURNS).copied().collect();
        for expr in returns {
            let (body, status) = body_and_status(evaluator, ExprRef { module: function.module, expr });
            if !known.contains(&evaluator.origin(body)) {
                found.push(response(evaluator, body, status));
                if texts_are_pages && !says_headers(evaluator.program.module(function.module), expr) {
                    found.extend(page(evaluator, body));
                }
            }
        }
    }
    raws.extend(found);
}

/// The functions of the project that answer routes, where what they return is the response, and whether a text among it
/// is answered as a page.
fn handlers(evaluator: &mut Evaluator<'_>, raws: &[Raw]) -> Vec<(FunctionRef, bool)> {
    let mut found: Vec<(FunctionRef, bool)> = Vec::new();
    for raw in raws.iter().filter(|raw| &*raw.kind == "route") {
        if evaluator.program.module(raw.at.module).language != Language::Python {
            continue;
        }
        let texts_are_pages = raw.stack.is_some_and(|stack| evaluator.stacks.stacks[stack].texts_are_pages);
        found.extend(raw.functions.iter().map(|&function| (function, texts_are_pages)));
        let handler = raw.refs("chain").last().map(|&at| evaluator.callables(at)).unwrap_or_default();
        found.extend(handler.into_iter().filter_map(|callable| match callable {
            Callable::Function(function) => Some((function, texts_are_pages)),
            _ => None,
        }));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// `return body, 404`
fn body_and_status(evaluator: &mut Evaluator<'_>, at: ExprRef) -> (ExprRef, Value) {
    let hir = evaluator.program.module(at.module);
    let ExprKind::Array(run) = hir.kind(at.expr) else { return (at, Value::ABSENT) };
    let mut items = hir.list(run);
    let (Some(body), Some(status)) = (items.next(), items.next()) else { return (at, Value::ABSENT) };
    (ExprRef { module: at.module, expr: body }, evaluator.value(ExprRef { module: at.module, expr: status }))
}

/// `return text, 200, {"Content-Type": "text/csv"}`
fn says_headers(module: &Module, returned: ExprId) -> bool {
    let ExprKind::Array(run) = module.kind(returned) else { return false };
    let mut beside = module.list(run).skip(1);
    beside.next().is_some_and(|item| matches!(module.kind(item), ExprKind::Object(_))) || beside.next().is_some()
}

/// A text that a handler joins from parts: what it was given came with the request, its place in the path included.
fn page(evaluator: &mut Evaluator<'_>, body: ExprRef) -> Option<Raw> {
    let mut value = evaluator.value(body);
    if !value.origins.has(Origins::BUILT) || !is_text(evaluator, body) {
        return None;
    }
    if value.origins.has(Origins::GIVEN) {
        value.origins = value.origins.with(Origins::REQUEST);
    }
    let mut raw = shape(evaluator.program, "sink", body, vec![("what", Value::text("html")), ("value", value)]);
    raw.refs = vec![("value".into(), vec![body])];
    raw.api = "return".into();
    Some(raw)
}

fn response(evaluator: &mut Evaluator<'_>, body: ExprRef, status: Value) -> Raw {
    let fields = vec![("status", status), ("body", evaluator.value(body))];
    let mut raw = shape(evaluator.program, "response", body, fields);
    raw.refs = vec![("body".into(), vec![body])];
    raw
}
