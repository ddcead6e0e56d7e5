//! Responses that a helper sends for its callers (`serverError(details)`): what leaks, leaks where it is passed in.

use super::extract::Raw;
use crate::facts::apart::put_in;
use crate::facts::model::{Data, Guard, Origins, Value};
use crate::facts::program::{ExprRef, FunctionRef};
use crate::facts::resolve::Evaluator;
use crate::project::Span;
use crate::syntax::hir::ExprKind;

/// Calls of one helper that are looked at.
const MAX_CALLS: usize = 200;

/// Moves the errors that a helper is handed from its response to the calls that hand them in.
pub fn follow_responses(evaluator: &mut Evaluator<'_>, raws: &mut Vec<Raw>) {
    let mut passed_in = Vec::new();
    for raw in raws.iter_mut().filter(|raw| &*raw.kind == "response") {
        let (Some(function), Some(&body)) = (raw.function, raw.refs("body").first()) else { continue };
        let calls = callers(evaluator, function);
        if calls.is_empty() || evaluator.surroundings(raw.at).1.0 & (Guard::DEV.0 | Guard::DEBUG.0) != 0 {
            continue;
        }
        let own = evaluator.value_apart(function, body);
        if holds_error(&own) || !holds(&own, Origins::PARAMETER, 0) {
            continue;
        }
        raw.set("body", put_in(&own, &[]));
        passed_in.extend(calls.into_iter().take(MAX_CALLS).filter_map(|call| of_call(evaluator, raw, &own, call)));
    }
    raws.extend(passed_in);
    for raw in raws.iter_mut().filter(|raw| &*raw.kind == "response") {
        let holds_now = |origin| raw.get("body").is_some_and(|body| holds(body, origin, 0));
        let taken_out = holds_now(Origins::ERROR_STACK) && drops_stack(evaluator, raw);
        let by_environment = taken_out || holds_now(Origins::PROD);
        let any_error = holds_now(Origins::ANY_ERROR);
        raw.set("by_environment", Value::bool(by_environment));
        let error = raw.get("body").map_or(Value::ABSENT, shown);
        raw.set("error", error);
        raw.set("any_error", Value::bool(any_error));
        let statuses = alternatives(evaluator, raw);
        if !statuses.is_empty() {
            raw.set("statuses", Value::list(statuses));
        }
    }
}

/// What of an error a body shows: its `stack`, its `text`, or the text of the project's `own` errors.
fn shown(body: &Value) -> Value {
    if !holds_error(body) {
        let nobody_knows = body.is_unknown() && body.origins == Origins::default();
        return if nobody_knows { Value::UNKNOWN } else { Value::ABSENT };
    }
    let what = match () {
        () if holds(body, Origins::ERROR_STACK, 0) => "stack",
        () if holds(body, Origins::OWN_ERROR, 0) => "own",
        () => "text",
    };
    Value::text(what)
}

/// `if (!DEVELOPMENT) delete body.stack`: the stack is taken out of the body again.
fn drops_stack(evaluator: &Evaluator<'_>, raw: &Raw) -> bool {
    let Some(&body) = raw.refs("body").first() else { return false };
    let module = evaluator.program.module(body.module);
    let ExprKind::Ident(symbol) = module.kind(body.expr) else { return false };
    module.exprs.iter().any(|expr| {
        let ExprKind::Delete(target) = expr.kind else { return false };
        let ExprKind::Member { object, name } = module.kind(target) else { return false };
        module.str(name) == "stack" && matches!(module.kind(object), ExprKind::Ident(of) if of == symbol)
    })
}

/// `ready ? 200 : 503`: both numbers.
fn alternatives(evaluator: &mut Evaluator<'_>, raw: &Raw) -> Vec<Value> {
    let Some(&at) = raw.refs("status").first() else { return Vec::new() };
    let module = evaluator.program.module(at.module);
    let ExprKind::Conditional { branches, .. } = module.kind(at.expr) else { return Vec::new() };
    let values = module.list(branches).map(|expr| evaluator.value(ExprRef { module: at.module, expr }));
    values.filter(|value| matches!(value.data, Data::Number(_))).collect()
}

fn callers(evaluator: &Evaluator<'_>, function: FunctionRef) -> Vec<ExprRef> {
    let number = evaluator.program.number(function);
    // Who calls a handler is the framework.
    if evaluator.links.handlers.contains_key(&number) {
        return Vec::new();
    }
    evaluator.links.callers.get(number.0 as usize).cloned().unwrap_or_default()
}

/// The response at a call of the helper, if an error is passed into it there.
fn of_call(evaluator: &mut Evaluator<'_>, raw: &Raw, own: &Value, call: ExprRef) -> Option<Raw> {
    let program = evaluator.program;
    let loaded = program.loaded(call.module);
    let (_, args) = loaded.module.call(call.expr)?;
    let passed: Vec<Value> =
        loaded.module.list(args).map(|expr| evaluator.value(ExprRef { module: call.module, expr })).collect();
    let body = put_in(own, &passed);
    if !holds_error(&body) {
        return None;
    }
    let expr = loaded.module.expr(call.expr);
    let function = loaded.module.function_of(call.expr);
    let mut found = raw.clone();
    found.at = call;
    found.span = Span { file: loaded.file, start: expr.start, end: expr.end };
    found.function = (function.0 != 0).then_some(FunctionRef { module: call.module, function });
    found.set("body", body);
    if raw.get("status").is_none_or(Value::is_unknown) {
        found.set("status", passed_status(&passed));
    }
    Some(found)
}

/// `fail(res, 500, error)`: the number among the arguments that is a status of failure.
fn passed_status(passed: &[Value]) -> Value {
    let is_status = |value: &&Value| matches!(value.data, Data::Number(n) if (400.0..600.0).contains(&n));
    passed.iter().find(is_status).cloned().unwrap_or(Value { data: Data::Unknown, origins: Origins::DYNAMIC })
}

fn holds_error(value: &Value) -> bool {
    holds(value, Origins::CAUGHT_ERROR, 0)
}

fn holds(value: &Value, origin: Origins, depth: u8) -> bool {
    value.origins.has(origin)
        || depth < 4
            && match &value.data {
                Data::Record(record) => record.fields.iter().any(|(_, field)| holds(field, origin, depth + 1)),
                Data::List(items) => items.iter().any(|item| holds(item, origin, depth + 1)),
                _ => false,
            }
}
