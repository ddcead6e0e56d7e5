//! What a call passes: by position, and by keyword in languages that have them.

use super::program::{ExprRef, FunctionRef};
use super::resolve::Evaluator;
use crate::syntax::hir::{ExprId, ExprKind, Module, PropKind, Run};

impl Evaluator<'_> {
    /// The argument at a position; keyword arguments have none.
    pub fn argument(&self, call: ExprRef, index: usize) -> Option<ExprRef> {
        let module = self.program.module(call.module);
        let (_, args) = module.call(call.expr)?;
        let argument = positional(module, args).nth(index)?;
        let spread_before =
            module.list(args).take(index + 1).any(|arg| matches!(module.kind(arg), ExprKind::Spread(_)));
        (!spread_before).then_some(ExprRef { module: call.module, expr: argument })
    }

    /// What a call passes for a parameter of the function that it calls: by its position or by its name.
    pub fn passed(&self, call: ExprRef, function: FunctionRef, index: usize) -> Option<ExprRef> {
        let callee = self.program.module(function.module);
        let parameters = &callee.function(function.function).parameters;
        let is_behind_rest = parameters.iter().take(index).any(|parameter| parameter.rest);
        if !is_behind_rest && let Some(argument) = self.argument(call, index) {
            return Some(argument);
        }
        let symbol = parameters.get(index)?.symbol.some()?;
        self.keyword(call, callee.str(callee.symbol(symbol).name))
    }

    /// The keyword argument of that name.
    pub fn keyword(&self, call: ExprRef, name: &str) -> Option<ExprRef> {
        let module = self.program.module(call.module);
        let (_, args) = module.call(call.expr)?;
        let ExprKind::Object(run) = module.kind(module.keywords(args)?) else { return None };
        let prop = module.object(run).iter().find(|prop| prop.key.is_some_and(|key| module.str(key) == name))?;
        Some(ExprRef { module: call.module, expr: prop.value })
    }
}

/// The arguments without the keyword ones.
pub fn positional(module: &Module, args: Run) -> impl Iterator<Item = ExprId> + Clone + '_ {
    let count = args.len as usize - usize::from(module.keywords(args).is_some());
    module.list(args).take(count)
}

/// Everything that a call hands on: positional arguments and the values of keywords.
pub fn handed(module: &Module, args: Run) -> impl Iterator<Item = ExprId> + '_ {
    let keywords = module.keywords(args).and_then(|keywords| match module.kind(keywords) {
        ExprKind::Object(run) => Some(module.object(run)),
        _ => None,
    });
    let named = keywords.into_iter().flatten().filter(|prop| prop.kind != PropKind::Spread).map(|prop| prop.value);
    positional(module, args).chain(named)
}
