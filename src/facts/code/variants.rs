//! Variants of the project's own errors that stand for a status: where a method of the enum answers
//! `Self::Expired => StatusCode::UNAUTHORIZED`, whoever gives `Error::Expired` answers 401.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::extract::Raw;
use crate::facts::graph::is_audited;
use crate::facts::model::{Confidence, Data, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::project::Span;
use crate::syntax::hir::{Arm, ClassIdx, ExprId, ExprKind, Language, Module};

/// By class and variant: the status; none where methods disagree.
type Statuses = FxHashMap<(ModuleId, ClassIdx, Box<str>), Option<f64>>;

/// Adds a `response` wherever a variant is given that stands for a status.
pub fn answered_variants(evaluator: &mut Evaluator<'_>, raws: &mut Vec<Raw>) {
    let statuses = statuses(evaluator, raws);
    if statuses.is_empty() {
        return;
    }
    let program = evaluator.program;
    let names: FxHashSet<Box<str>> = statuses.keys().map(|(_, _, variant)| variant.clone()).collect();
    let mut found = Vec::new();
    for module in program.ids() {
        let hir = program.module(module);
        if hir.language != Language::Rust || !is_audited(program.project.file(program.loaded(module).file).area) {
            continue;
        }
        let asked: FxHashSet<ExprId> = hir.arms.iter().flat_map(|arm| arm.patterns.iter().copied()).collect();
        for (index, expr) in hir.exprs.iter().enumerate() {
            let id = ExprId(u32::try_from(index).unwrap_or(u32::MAX));
            let ExprKind::Member { object, name } = expr.kind else { continue };
            if asked.contains(&id) || !names.contains(hir.str(name)) {
                continue;
            }
            let own = hir.function(hir.function_of(id)).class;
            for thing in evaluator.things(ExprRef { module, expr: object }) {
                let Thing::Class(of, class) = thing else { continue };
                let status = statuses.get(&(of, class, hir.str(name).into())).copied().flatten();
                if let Some(status) = status.filter(|_| (of, class) != (module, own)) {
                    found.push(response(evaluator, ExprRef { module, expr: id }, status, hir.str(name)));
                }
            }
        }
    }
    raws.extend(found);
}

fn statuses(evaluator: &mut Evaluator<'_>, raws: &[Raw]) -> Statuses {
    let program = evaluator.program;
    let mut found = Statuses::default();
    for raw in raws.iter().filter(|raw| &*raw.kind == "response" && raw.at.expr != ExprId::NONE) {
        let Some(Data::Number(status)) = raw.get("status").map(|value| value.data.clone()) else { continue };
        let hir = program.module(raw.at.module);
        let Some(arm) = arm_around(hir, raw.at.expr) else { continue };
        let own = hir.function(hir.function_of(raw.at.expr)).class;
        for &pattern in &arm.patterns {
            let ExprKind::Member { object, name } = hir.kind(pattern) else { continue };
            for thing in evaluator.things(ExprRef { module: raw.at.module, expr: object }) {
                let Thing::Class(of, class) = thing else { continue };
                if own.some().is_none() {
                    continue;
                }
                let known = found.entry((of, class, hir.str(name).into())).or_insert(Some(status));
                if known.is_some_and(|known| (known - status).abs() > 0.5) {
                    *known = None;
                }
            }
        }
    }
    found
}

/// The innermost branch of a `match` that an expression stands in.
fn arm_around(module: &Module, expr: ExprId) -> Option<&Arm> {
    module.contexts_of(expr).find_map(|(id, _)| module.arm(id))
}

fn response(evaluator: &Evaluator<'_>, at: ExprRef, status: f64, name: &str) -> Raw {
    let loaded = evaluator.program.loaded(at.module);
    let expr = loaded.module.expr(at.expr);
    let function = loaded.module.function_of(at.expr);
    Raw {
        kind: "response".into(),
        clause: "shape variant".into(),
        view: None,
        stack: None,
        at,
        span: Span { file: loaded.file, start: expr.start, end: expr.end },
        fields: vec![(Arc::from("status"), Value::number(status))],
        refs: Vec::new(),
        functions: Vec::new(),
        function: (function.0 != 0).then_some(FunctionRef { module: at.module, function }),
        api: name.into(),
        certain: Confidence::High,
        within: None,
    }
}
