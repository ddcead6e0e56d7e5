//! Routes that a project's own decorator registers with the method that it is handed: `@protected(router.get, "/x")`.
//!
//! In goes a decorator, out comes the route that the method would have made itself, with the arguments of the decorator.

use super::declared::called_paths;
use super::extract::{Place, Raw, Target, raw};
use super::registered::HTTP_METHODS;
use crate::facts::model::{Confidence, Value};
use crate::facts::program::ExprRef;
use crate::facts::resolve::Evaluator;
use crate::facts::stacks::Verb;
use crate::syntax::hir::ExprKind;

/// Arguments of a decorator that are looked at.
const MAX_ARGUMENTS: usize = 4;

pub(super) fn handed_router(evaluator: &mut Evaluator<'_>, at: ExprRef, target: Target, out: &mut Vec<Raw>) {
    let module = evaluator.program.module(at.module);
    let Some((_, args)) = module.call(at.expr) else { return };
    let is_member = |expr: &_| matches!(module.kind(*expr), ExprKind::Member { .. });
    let handed: Vec<_> = module.list(args).take(MAX_ARGUMENTS).filter(is_member).collect();
    // What belongs to a library says itself what it is handed.
    if handed.is_empty() || !called_paths(evaluator, at).is_empty() {
        return;
    }
    let stacks = evaluator.stacks;
    for expr in handed {
        let ExprKind::Member { object, name } = module.kind(expr) else { continue };
        let name = module.str(name);
        for path in evaluator.paths_of(ExprRef { module: at.module, expr }) {
            let found =
                stacks.candidates(Verb::Decorator, evaluator.paths.last_name(path)).find(|(clause, pattern)| {
                    &*clause.kind == "route"
                        && stacks.speaks(clause, module.language)
                        && evaluator.matcher.matches_pattern(&evaluator.paths, &stacks.types, path, pattern)
                });
            let Some((clause, _)) = found else { continue };
            let api = evaluator.paths.text(path);
            let mut route = raw(evaluator, clause, Place::on(at, target), &api, Confidence::Medium);
            route.refs.retain(|(field, _)| &**field != "router");
            route.refs.push(("router".into(), vec![ExprRef { module: at.module, expr: object }]));
            if HTTP_METHODS.contains(&name) {
                route.set("method", Value::text(name));
            }
            out.push(route);
            return;
        }
    }
}
