//! Errors that carry the status of a refusal: `throw new TooManyRequests()`, whose class says `statusCode = 429`.

use rustc_hash::FxHashMap;

use super::extract::{REFUSALS, Raw};
use super::statuses::status_named;
use crate::facts::graph::is_audited;
use crate::facts::model::{Confidence, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::project::Span;
use crate::syntax::hir::{ClassIdx, ContextKind, Definition, ExprId, ExprKind, FunctionIdx, MemberKind, Module};

/// Only a limit is surely told by an error alone: who throws 401 often passes on what another service said, and is
/// taken for half a check. 403 says less still.
const THROWN: &[(&str, Option<&str>)] = &[("rate-limit", None), ("auth", Some("half"))];
/// Expressions of a test that are looked at.
const MAX_TESTED: usize = 64;

/// What was found out about the classes of errors.
type Classes = FxHashMap<(ModuleId, ClassIdx), bool>;

/// A role fact for each place that refuses by throwing such an error.
pub fn thrown_refusals(evaluator: &mut Evaluator<'_>) -> Vec<Raw> {
    let mut found = Vec::new();
    for &(role, strength) in THROWN {
        if let Some(&(status, _)) = REFUSALS.iter().find(|(_, known)| *known == role) {
            thrown_with(evaluator, status, (role, strength), &mut found);
        }
    }
    found
}

/// The places that throw an error of that status.
fn thrown_with(evaluator: &mut Evaluator<'_>, status: f64, role: (&str, Option<&str>), found: &mut Vec<Raw>) {
    let program = evaluator.program;
    let mut classes = Classes::default();
    for id in program.ids() {
        let loaded = program.loaded(id);
        if !is_audited(program.project.file(loaded.file).area) {
            continue;
        }
        for (index, function) in loaded.module.functions.iter().enumerate().skip(1) {
            let owner = FunctionRef { module: id, function: FunctionIdx(u32::try_from(index).unwrap_or(u32::MAX)) };
            for &thrown in function.throws.iter().filter(|&&thrown| thrown != ExprId::NONE) {
                if carries(evaluator, &mut classes, id, thrown, status) && !is_passed_on(&loaded.module, thrown, status)
                {
                    found.push(refusing(evaluator, owner, thrown, role));
                }
            }
        }
    }
}

fn refusing(
    evaluator: &Evaluator<'_>,
    owner: FunctionRef,
    thrown: ExprId,
    (role, strength): (&str, Option<&str>),
) -> Raw {
    let loaded = evaluator.program.loaded(owner.module);
    let expr = loaded.module.expr(thrown);
    let fields = [("role".into(), Value::text(role)), ("fails".into(), Value::text("refuses"))];
    let strength = strength.map(|strength| ("strength".into(), Value::text(strength)));
    Raw {
        kind: "role".into(),
        clause: "shape refusal".into(),
        stack: None,
        at: ExprRef { module: owner.module, expr: thrown },
        span: Span { file: loaded.file, start: expr.start, end: expr.end },
        fields: fields.into_iter().chain(strength).collect(),
        refs: Vec::new(),
        functions: Vec::new(),
        function: Some(owner),
        api: "throw".into(),
        certain: Confidence::Medium,
        within: None,
        view: None,
    }
}

/// Is the status among what the thrown error is made with, or a field of its class?
fn carries(evaluator: &mut Evaluator<'_>, classes: &mut Classes, id: ModuleId, thrown: ExprId, status: f64) -> bool {
    let module = evaluator.program.module(id);
    let Some((callee, args)) = module.call(thrown) else { return false };
    let given = module.list(args).any(|arg| match module.kind(arg) {
        ExprKind::Object(run) => module.object(run).iter().any(|prop| is_number(module, prop.value, status)),
        _ => is_number(module, arg, status),
    });
    given
        || evaluator.things(ExprRef { module: id, expr: callee }).into_iter().any(|thing| match thing {
            Thing::Class(owner, class) => *classes
                .entry((owner, class))
                .or_insert_with(|| class_says(evaluator.program.module(owner), class, status)),
            _ => false,
        })
}

/// `statusCode = 429`, `this.status = 429`, `super(message, 429)`
fn class_says(module: &Module, class: ClassIdx, status: f64) -> bool {
    let entry = module.class(class);
    let handed = |expr: ExprId| is_number(module, default_of(module, expr), status);
    let field = |kind: &MemberKind| matches!(kind, MemberKind::Field(value) if is_number(module, *value, status));
    entry.members.iter().any(|member| field(&member.kind))
        || entry.assigned.iter().any(|(_, value)| is_number(module, *value, status))
        || module.exprs.iter().any(|expr| {
            let of_constructor = module.contexts[expr.context.0 as usize].function == entry.constructor;
            of_constructor && entry.constructor.0 != 0 && matches!(expr.kind, ExprKind::Call { args, .. } if module.list(args).any(|arg| is_number(module, arg, status) || handed(arg)))
        })
}

/// What a parameter is when nothing is given for it.
fn default_of(module: &Module, expr: ExprId) -> ExprId {
    let ExprKind::Ident(symbol) = module.kind(expr) else { return ExprId::NONE };
    match module.symbol(symbol).definition {
        Definition::Parameter { default, .. } => default,
        _ => ExprId::NONE,
    }
}

/// `401`, `status.HTTP_401_UNAUTHORIZED`, `HTTPStatus.UNAUTHORIZED`
fn is_number(module: &Module, expr: ExprId, wanted: f64) -> bool {
    if expr == ExprId::NONE {
        return false;
    }
    let number = match module.kind(expr) {
        ExprKind::Num(at) => module.numbers.get(at as usize).copied(),
        ExprKind::Member { name, .. } => number_named(module.str(name)),
        _ => None,
    };
    number.is_some_and(|number| (number - wanted).abs() < 0.5)
}

/// The status that a constant is called by.
fn number_named(name: &str) -> Option<f64> {
    let digits = || name.strip_prefix("HTTP_")?.split('_').next()?.parse().ok();
    status_named(name).or_else(digits).map(f64::from)
}

/// Does it repeat what another service answered: in a `catch`, or where a test mentions the status itself?
fn is_passed_on(module: &Module, thrown: ExprId, status: f64) -> bool {
    module.contexts_of(thrown).any(|(_, context)| match context.kind {
        ContextKind::Catch | ContextKind::Case => true,
        ContextKind::Then(test) | ContextKind::Else(test) if test != ExprId::NONE => {
            let (start, end) = (module.expr(test).start, module.expr(test).end);
            let within = |expr: ExprId| module.expr(expr).start >= start && module.expr(expr).end <= end;
            let ids = (0..module.exprs.len()).filter_map(|index| u32::try_from(index).ok().map(ExprId));
            ids.filter(|&expr| within(expr)).take(MAX_TESTED).any(|expr| is_number(module, expr, status))
        }
        _ => false,
    })
}
