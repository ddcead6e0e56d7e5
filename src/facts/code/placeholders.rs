//! Functions that only answer something made up, and say so in a comment.
//!
//! In goes the program with what its stacks saw, out comes a fact for each such function.

use rustc_hash::FxHashSet;

use super::extract::Raw;
use crate::facts::graph::is_audited;
use crate::facts::model::{Confidence, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId, Program};
use crate::project::Span;
use crate::syntax::hir::{ContextKind, Expr, ExprId, ExprKind, Function, FunctionIdx, Module, PropKind};

/// Longer functions do something.
const MAX_STATEMENTS: u32 = 12;
const MAX_DEPTH: u8 = 8;

pub fn placeholders(program: &Program<'_>, out: &mut Vec<Raw>) {
    let at =
        |kind: &str| -> FxHashSet<ExprRef> { out.iter().filter(|raw| &*raw.kind == kind).map(|raw| raw.at).collect() };
    let known = Known { logs: at("log"), answers: at("response") };
    for id in program.ids().filter(|&id| is_audited(program.project.file(program.loaded(id).file).area)) {
        let module = program.module(id);
        if module.comments.is_empty() {
            continue;
        }
        let functions = (1..module.functions.len()).filter_map(|index| u32::try_from(index).ok().map(FunctionIdx));
        for function in functions {
            out.extend(placeholder(program, &known, FunctionRef { module: id, function }));
        }
    }
}

/// The calls that do nothing but say something.
struct Known {
    logs: FxHashSet<ExprRef>,
    answers: FxHashSet<ExprRef>,
}

fn placeholder(program: &Program<'_>, known: &Known, at: FunctionRef) -> Option<Raw> {
    let module = program.module(at.module);
    let entry = module.function(at.function);
    let mut admitted = module.comments.iter().filter(|comment| {
        // A comment behind the last statement stands outside of a function of Python.
        comment.start >= entry.start && comment.start <= entry.end + 2
    });
    let first = admitted.next()?;
    let stands_in = first.stands_in || admitted.any(|comment| comment.stands_in);
    if entry.statements == 0 || entry.statements > MAX_STATEMENTS || !is_straight(module, at.function, entry) {
        return None;
    }
    let gives = gives(known, at, module, entry)?;
    let fields = vec![
        ("name".into(), entry.name.map_or(Value::ABSENT, |name| Value::text(module.str(name)))),
        ("gives".into(), Value::text(gives)),
        ("stands_in".into(), Value::bool(stands_in)),
        ("params".into(), Value::number(entry.parameters.len() as f64)),
    ];
    Some(fact(program, at, entry, fields))
}

/// No branch, no error, no function inside.
fn is_straight(module: &Module, index: FunctionIdx, entry: &Function) -> bool {
    let branches = module.contexts.iter().any(|context| {
        let kind = matches!(
            context.kind,
            ContextKind::Then(_)
                | ContextKind::Else(_)
                | ContextKind::Case
                | ContextKind::Catch
                | ContextKind::Loop { .. }
        );
        context.function == index && kind
    });
    let is_generator = module.yields.iter().any(|(function, _)| *function == index);
    entry.throws.is_empty() && !branches && !is_generator && !module.functions.iter().any(|f| f.parent == index)
}

/// `success` for `true` and its like, `data` for what is made up, `answer` for a response; none where something is
/// worked out or refused.
fn gives(known: &Known, at: FunctionRef, module: &Module, entry: &Function) -> Option<&'static str> {
    let own = |expr: &Expr| module.contexts[expr.context.0 as usize].function == at.function;
    let exprs = (0..).map(ExprId).zip(&module.exprs).filter(|(_, expr)| own(expr));
    let mut answers = false;
    for (id, expr) in exprs {
        let place = ExprRef { module: at.module, expr: id };
        match expr.kind {
            ExprKind::Call { .. } | ExprKind::New { .. } if known.answers.contains(&place) => answers = true,
            ExprKind::Call { callee, .. } if known.logs.contains(&place) || only_wraps(module, callee) => {}
            ExprKind::Call { callee, .. } if is_in_answer(module, known, at.module, id, callee) => {}
            ExprKind::Call { .. }
            | ExprKind::New { .. }
            | ExprKind::Await(_)
            | ExprKind::Conditional { .. }
            | ExprKind::Logical { .. }
            | ExprKind::Binary { .. }
            | ExprKind::Not(_)
            | ExprKind::Assign { .. }
            | ExprKind::Tagged { .. }
            | ExprKind::Delete(_)
            | ExprKind::Try(_)
            | ExprKind::Jsx(_) => return None,
            _ => {}
        }
    }
    if answers {
        return Some("answer");
    }
    let mut returned = entry.returns.iter().map(|&value| made_up(module, value, 0));
    let first = returned.next()??;
    returned.all(|value| value == Some(first)).then_some(first)
}

/// `Ok(…)`, `Some(…)`, `Promise.resolve(…)`
fn only_wraps(module: &Module, callee: ExprId) -> bool {
    match module.kind(callee) {
        ExprKind::Global(name) => matches!(module.str(name), "Ok" | "Some"),
        ExprKind::Member { object, name } => {
            module.str(name) == "resolve"
                && matches!(module.kind(object), ExprKind::Global(object) if module.str(object) == "Promise")
        }
        _ => false,
    }
}

/// `res.status(200)` of `res.status(200).json(…)`
fn is_in_answer(module: &Module, known: &Known, id: ModuleId, call: ExprId, callee: ExprId) -> bool {
    let chained = |expr: ExprId| {
        let member = module.expr(expr).parent.some()?;
        matches!(module.kind(member), ExprKind::Member { object, .. } if object == expr).then_some(())?;
        module.expr(member).parent.some()
    };
    let is_member = matches!(module.kind(callee), ExprKind::Member { .. });
    is_member && chained(call).is_some_and(|outer| known.answers.contains(&ExprRef { module: id, expr: outer }))
}

/// What a constant says: that all went well, or data.
fn made_up(module: &Module, value: ExprId, depth: u8) -> Option<&'static str> {
    if depth > MAX_DEPTH {
        return None;
    }
    match module.kind(value) {
        ExprKind::Bool(true) => Some("success"),
        ExprKind::Str(_) | ExprKind::Num(_) => Some("data"),
        ExprKind::Object(run) => {
            let props = module.object(run);
            let constant = |value: ExprId| match module.kind(value) {
                ExprKind::Bool(_) | ExprKind::Null | ExprKind::Ident(_) | ExprKind::Member { .. } => true,
                _ => made_up(module, value, depth + 1).is_some(),
            };
            let plain = props.iter().all(|prop| prop.kind == PropKind::Value && constant(prop.value));
            let literal = props
                .iter()
                .any(|prop| !matches!(module.kind(prop.value), ExprKind::Ident(_) | ExprKind::Member { .. }));
            (plain && literal).then_some("data")
        }
        ExprKind::Array(run) => {
            let mut items = module.list(run);
            (run.len > 0 && items.all(|item| made_up(module, item, depth + 1).is_some())).then_some("data")
        }
        ExprKind::Call { callee, args } if only_wraps(module, callee) => match module.list(args).next() {
            Some(inner) => made_up(module, inner, depth + 1),
            None => None,
        },
        _ => None,
    }
}

fn fact(program: &Program<'_>, at: FunctionRef, entry: &Function, fields: Vec<(std::sync::Arc<str>, Value)>) -> Raw {
    Raw {
        kind: "placeholder".into(),
        clause: "shape placeholder".into(),
        stack: None,
        at: ExprRef { module: at.module, expr: ExprId::NONE },
        span: Span { file: program.loaded(at.module).file, start: entry.start, end: entry.start + 1 },
        fields,
        refs: Vec::new(),
        functions: Vec::new(),
        function: Some(at),
        api: "".into(),
        certain: Confidence::High,
        within: None,
        view: None,
    }
}
