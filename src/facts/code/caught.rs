//! What becomes of errors that are caught: nothing at all, a line in the log, or something else.
//!
//! In goes the program with what its stacks saw, out comes a fact for every handler of a `try`, and for every
//! `.catch(() => {})`. Its range is the whole statement, so that rules can ask what was tried.

use rustc_hash::FxHashSet;

use super::extract::Raw;
use super::names::last_name;
use crate::facts::graph::is_audited;
use crate::facts::model::{Confidence, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId, Program};
use crate::project::Span;
use crate::syntax::hir::{ContextId, Expr, ExprId, ExprKind, FunctionIdx, Handler, Module, Use};

pub fn caught_errors(program: &Program<'_>, out: &mut Vec<Raw>) {
    let logs: FxHashSet<ExprRef> = out.iter().filter(|raw| &*raw.kind == "log").map(|raw| raw.at).collect();
    for id in program.ids().filter(|&id| is_audited(program.project.file(program.loaded(id).file).area)) {
        let module = program.module(id);
        for handler in &module.handlers {
            out.push(of_handler(program, id, handler, &logs));
        }
        let exprs = (0..module.exprs.len()).filter_map(|index| u32::try_from(index).ok().map(ExprId));
        out.extend(exprs.filter(|&expr| is_empty_catch(module, expr)).map(|expr| of_callback(program, id, expr)));
    }
}

fn of_handler(program: &Program<'_>, id: ModuleId, handler: &Handler, logs: &FxHashSet<ExprRef>) -> Raw {
    let module = program.module(id);
    let kinds = match handler.kinds.some() {
        None => Value::ABSENT,
        Some(kinds) => match module.kind(kinds) {
            ExprKind::Array(run) => Value::texts(module.list(run).map(|kind| last_name(module, kind))),
            _ => Value::texts([last_name(module, kinds)]),
        },
    };
    let tried = |expr: &Expr| expr.start >= handler.start && expr.end <= handler.end;
    let awaits = |expr: &Expr| {
        matches!(expr.kind, ExprKind::Await(_)) && tried(expr) && !is_within(module, expr.context, handler.context)
    };
    let fields = vec![
        ("does".into(), Value::text(does(id, module, handler, logs))),
        ("kinds".into(), kinds),
        ("explained".into(), Value::bool(handler.explained)),
        ("awaits".into(), Value::bool(module.exprs.iter().any(awaits))),
    ];
    let function = module.contexts[handler.context.0 as usize].function;
    fact(program, id, (handler.start, handler.end), function, fields)
}

/// `nothing`, `logs`, or `handles` for whatever else.
fn does(id: ModuleId, module: &Module, handler: &Handler, logs: &FxHashSet<ExprRef>) -> &'static str {
    let exits = module.contexts[handler.context.0 as usize].exits;
    let own = |(_, expr): &(ExprId, &Expr)| {
        is_within(module, expr.context, handler.context) && !is_below(module, expr, handler.kinds)
    };
    let exprs = (0..).map(ExprId).zip(&module.exprs);
    let mut inside = exprs.filter(own).filter(|(_, expr)| expr.parent == ExprId::NONE).peekable();
    if exits {
        return "handles";
    }
    if inside.peek().is_none() {
        return "nothing";
    }
    let is_logged = |(expr, entry): (ExprId, &Expr)| {
        entry.role == Use::Statement && entry.context == handler.context && logs.contains(&ExprRef { module: id, expr })
    };
    if inside.all(is_logged) { "logs" } else { "handles" }
}

/// The names of the kinds of errors stand in the handler's context, too.
fn is_below(module: &Module, expr: &Expr, kinds: ExprId) -> bool {
    kinds.some().is_some_and(|kinds| {
        let of = module.expr(kinds);
        expr.start >= of.start && expr.end <= of.end
    })
}

fn is_within(module: &Module, context: ContextId, outer: ContextId) -> bool {
    let mut next = context.some();
    while let Some(id) = next {
        if id == outer {
            return true;
        }
        next = module.contexts[id.0 as usize].parent.some();
    }
    false
}

/// `work().catch(() => {})`
fn is_empty_catch(module: &Module, expr: ExprId) -> bool {
    let ExprKind::Call { callee, args } = module.kind(expr) else { return false };
    let is_catch = matches!(module.kind(callee), ExprKind::Member { name, .. } if module.str(name) == "catch");
    let mut args = module.list(args);
    let (Some(handler), None) = (args.next(), args.next()) else { return false };
    let ExprKind::Function(function) = module.kind(handler) else { return false };
    let entry = module.function(function);
    let says_nothing = |&value: &ExprId| matches!(module.kind(value), ExprKind::Undefined | ExprKind::Null);
    is_catch
        && entry.returns.iter().all(says_nothing)
        && (entry.statements == 0 || !entry.returns.is_empty())
        && entry.throws.is_empty()
        && entry.statements <= 1
}

fn of_callback(program: &Program<'_>, id: ModuleId, expr: ExprId) -> Raw {
    let module = program.module(id);
    let entry = module.expr(expr);
    let fields = vec![
        ("does".into(), Value::text("nothing")),
        ("kinds".into(), Value::ABSENT),
        ("explained".into(), Value::bool(false)),
        ("awaits".into(), Value::bool(true)),
    ];
    fact(program, id, (entry.start, entry.end), module.function_of(expr), fields)
}

fn fact(
    program: &Program<'_>,
    id: ModuleId,
    (start, end): (u32, u32),
    function: FunctionIdx,
    fields: Vec<(std::sync::Arc<str>, Value)>,
) -> Raw {
    Raw {
        kind: "caught".into(),
        clause: "shape caught".into(),
        stack: None,
        at: ExprRef { module: id, expr: ExprId::NONE },
        span: Span { file: program.loaded(id).file, start, end },
        fields,
        refs: Vec::new(),
        functions: Vec::new(),
        function: (function.0 != 0).then_some(FunctionRef { module: id, function }),
        api: "".into(),
        certain: Confidence::High,
        within: None,
        view: None,
    }
}
