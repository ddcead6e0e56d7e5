//! What is called later on the result of a call: `find().limit(10)`, also by way of a variable
//! (`let rows = select(); rows.limit(10)`).

use crate::facts::model::Value;
use crate::facts::program::ExprRef;
use crate::facts::resolve::Evaluator;
use crate::syntax::hir::{Definition, ExprId, ExprKind, Module, SymbolIdx};

/// Longer chains are cut.
const MAX_CHAIN: usize = 24;
/// Expressions around a place that are looked at.
const MAX_AROUND: usize = 96;

impl Evaluator<'_> {
    /// The nearest later call of one of the names (separated by `|`).
    pub(super) fn later_call(&self, at: ExprRef, names: &str) -> Option<ExprRef> {
        let module = self.program.module(at.module);
        let end = match walk(module, at.expr, names) {
            Ok(found) => return Some(ExprRef { module: at.module, expr: found }),
            Err(end) => end,
        };
        let symbol = kept_in(module, end)?;
        let found = exprs(module).find(|&id| calls_on(module, id, symbol, names))?;
        Some(ExprRef { module: at.module, expr: found })
    }

    /// The nearest call of that name that the place is an argument of, however deep (`router.route("/x", get(a).post(b))`),
    /// also by way of a variable.
    pub(super) fn call_around(&self, at: ExprRef, name: &str) -> Option<ExprRef> {
        let module = self.program.module(at.module);
        let mut child = at.expr;
        for _ in 0..MAX_AROUND {
            match module.expr(child).parent.some() {
                Some(parent) => {
                    let is_argument = module.call(parent).is_some_and(|(callee, _)| callee != child);
                    if is_argument && called(module, parent) == Some(name) {
                        return Some(ExprRef { module: at.module, expr: parent });
                    }
                    child = parent;
                }
                None => child = *module.symbol(kept_in(module, child)?).reads.first()?,
            }
        }
        None
    }

    /// Is one of the names called later? Unknown where the result goes somewhere that cannot be followed.
    pub(super) fn called_later(&self, at: ExprRef, names: &str) -> Value {
        if self.later_call(at, names).is_some() {
            Value::bool(true)
        } else if self.is_handed_on(at) {
            Value::UNKNOWN
        } else {
            Value::ABSENT
        }
    }

    /// Is what the chain makes an argument of some call (`paginate(query, page)`)?
    pub(super) fn is_handed_on(&self, at: ExprRef) -> bool {
        let module = self.program.module(at.module);
        let Err(end) = walk(module, at.expr, "") else { return false };
        if is_argument(module, end) {
            return true;
        }
        let Some(symbol) = kept_in(module, end) else { return false };
        exprs(module).any(|id| module.kind(id) == ExprKind::Ident(symbol) && is_argument(module, id))
    }
}

fn exprs(module: &Module) -> impl Iterator<Item = ExprId> + '_ {
    (0..module.exprs.len()).map(|index| ExprId(u32::try_from(index).unwrap_or(u32::MAX)))
}

/// Walks the chain up to a call of one of the names, else to its end.
fn walk(module: &Module, from: ExprId, names: &str) -> Result<ExprId, ExprId> {
    let mut expr = from;
    for _ in 0..MAX_CHAIN {
        let Some(call) = next_call(module, expr) else { return Err(expr) };
        if called(module, call).is_some_and(|name| names.split('|').any(|n| n == name)) {
            return Ok(call);
        }
        expr = call;
    }
    Err(expr)
}

fn next_call(module: &Module, expr: ExprId) -> Option<ExprId> {
    let member = module.expr(expr).parent.some()?;
    let ExprKind::Member { object, .. } = module.kind(member) else { return None };
    let call = module.expr(member).parent.some()?;
    let (callee, _) = module.call(call)?;
    (object == expr && callee == member).then_some(call)
}

fn called(module: &Module, call: ExprId) -> Option<&str> {
    let (callee, _) = module.call(call)?;
    match module.kind(callee) {
        ExprKind::Member { name, .. } => Some(module.str(name)),
        _ => None,
    }
}

/// The variable that an expression is kept in.
fn kept_in(module: &Module, expr: ExprId) -> Option<SymbolIdx> {
    if let Some(parent) = module.expr(expr).parent.some() {
        return match module.kind(parent) {
            ExprKind::Assign { target, value, .. } if value == expr => match module.kind(target) {
                ExprKind::Ident(symbol) => Some(symbol),
                _ => None,
            },
            _ => None,
        };
    }
    let index = module.symbols.iter().position(|symbol| {
        matches!(&symbol.definition, Definition::Variable { init, steps, .. } if *init == expr && steps.is_empty())
    })?;
    Some(SymbolIdx(u32::try_from(index).ok()?))
}

/// `symbol.where(…).limit(10)`
fn calls_on(module: &Module, call: ExprId, symbol: SymbolIdx, names: &str) -> bool {
    if !called(module, call).is_some_and(|name| names.split('|').any(|n| n == name)) {
        return false;
    }
    let mut expr = call;
    for _ in 0..MAX_CHAIN {
        expr = match module.kind(expr) {
            ExprKind::Ident(found) => return found == symbol,
            ExprKind::Member { object, .. } => object,
            ExprKind::Call { callee, .. } => callee,
            _ => return false,
        };
    }
    false
}

fn is_argument(module: &Module, expr: ExprId) -> bool {
    module.expr(expr).parent.some().is_some_and(|parent| {
        module.call(parent).is_some_and(|(callee, args)| callee != expr && module.list(args).any(|arg| arg == expr))
    })
}

#[cfg(test)]
mod tests {
    use crate::audit::facts_of;
    use crate::facts::Value;

    fn limits(body: &str) -> Vec<Value> {
        let text = format!(
            "import mongoose from 'mongoose'\nconst Order = mongoose.model('Order', new mongoose.Schema({{}}))\n{body}"
        );
        let store = facts_of(&[("src/orders.js", &text)]);
        let queries = store.facts.iter().filter(|fact| &*fact.kind == "query");
        queries.map(|fact| fact.get("limit").cloned().unwrap_or_default()).collect()
    }

    #[test]
    fn later_calls_are_found_along_the_chain_and_by_way_of_a_variable() {
        assert_eq!(limits("export const a = () => Order.find({}).sort('at').limit(10)"), [Value::number(10.0)]);
        assert_eq!(
            limits("export function b() { let rows = Order.find({}); rows = rows.sort('at'); return rows.limit(20) }"),
            [Value::number(20.0)]
        );
    }

    #[test]
    fn a_call_on_something_else_is_not_a_later_call() {
        assert_eq!(
            limits("export function c(other) { const rows = Order.find({}); return [rows, other.limit(20)] }"),
            [Value::ABSENT]
        );
    }

    #[test]
    fn a_very_long_chain_ends() {
        let body = format!("export const d = () => Order.find({{}}){}", ".sort('at')".repeat(500));
        assert_eq!(limits(&body).len(), 1);
    }
}
