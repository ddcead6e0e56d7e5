//! What is called later on the result of a call: `find().limit(10)`, also by way of a variable
//! (`let rows = select(); rows.limit(10)`).

use crate::facts::model::Value;
use crate::facts::program::ExprRef;
use crate::facts::resolve::Evaluator;
use crate::facts::stacks::Stacks;
use crate::syntax::hir::{Definition, ExprId, ExprKind, Language, Module, SymbolIdx, Use};

/// Longer chains are cut.
const MAX_CHAIN: usize = 24;
/// Expressions around a place that are looked at.
const MAX_AROUND: usize = 96;
/// All that is followed of one result, by way of variables too.
const MAX_STEPS: usize = 96;
/// What stack files call a slice among later calls: `rows[:10]`.
pub(super) const SLICE: &str = "[:]";

/// Something that happens to a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Later {
    Call(ExprId),
    /// `[:n]`, with the bound.
    Slice(ExprId),
}

impl Evaluator<'_> {
    /// The nearest later call of one of the names (separated by `|` or a space).
    pub(super) fn later_call(&self, at: ExprRef, names: &str) -> Option<ExprRef> {
        self.later_calls(at, names).into_iter().find_map(|later| match later {
            Later::Call(expr) => Some(ExprRef { module: at.module, expr }),
            Later::Slice(_) => None,
        })
    }

    /// All later calls of the names, the nearest first.
    pub(super) fn later_calls(&self, at: ExprRef, names: &str) -> Vec<Later> {
        let mut walk = Walk::new(self.program.module(at.module), self.stacks);
        walk.from(at.expr);
        let is_wanted = |name: &str| names.split(['|', ' ']).any(|wanted| wanted == name);
        walk.found.retain(|later| match later {
            Later::Call(call) => called(walk.module, *call).is_some_and(is_wanted),
            Later::Slice(_) => is_wanted(SLICE),
        });
        walk.found
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
                None => {
                    let kept = kept_in(module, child).and_then(|symbol| module.symbol(symbol).reads.first());
                    child = kept.copied().or_else(|| module.function(module.function_of(child).some()?).expr.some())?;
                }
            }
        }
        None
    }

    /// Is one of the names called later? Unknown where the result goes somewhere that cannot be followed.
    pub(super) fn called_later(&self, at: ExprRef, names: &str) -> Value {
        if !self.later_calls(at, names).is_empty() {
            Value::bool(true)
        } else if self.is_handed_on(at) {
            Value::UNKNOWN
        } else {
            Value::ABSENT
        }
    }

    /// Is what the chain makes an argument of some call (`paginate(query, page)`)?
    pub(super) fn is_handed_on(&self, at: ExprRef) -> bool {
        let mut walk = Walk::new(self.program.module(at.module), self.stacks);
        walk.from(at.expr);
        walk.handed_on
    }
}

/// Follows a result along its chain of calls, through what carries it and the variables that hold it.
struct Walk<'m> {
    module: &'m Module,
    /// Their `carriers` give back what becomes of their first argument (`session.execute(query)`), behind their `finals`
    /// nothing can be added to the query any more.
    stacks: &'m Stacks,
    found: Vec<Later>,
    seen: Vec<SymbolIdx>,
    handed_on: bool,
}

impl<'m> Walk<'m> {
    fn new(module: &'m Module, stacks: &'m Stacks) -> Self {
        Walk { module, stacks, found: Vec::new(), seen: Vec::new(), handed_on: false }
    }

    fn from(&mut self, start: ExprId) {
        let mut starts = vec![start];
        while let Some(start) = starts.pop() {
            let end = self.along(start);
            self.handed_on |= is_argument(self.module, end) || self.is_returned(end);
            let Some(symbol) = kept_in(self.module, end).filter(|symbol| !self.seen.contains(symbol)) else { continue };
            self.seen.push(symbol);
            starts.extend(self.module.symbol(symbol).reads.iter().rev().take(MAX_STEPS));
        }
    }

    /// Is it a query that whoever calls the function may still bound? Elsewhere what is returned are the rows.
    fn is_returned(&self, end: ExprId) -> bool {
        let is_final = |later: &Later| match later {
            Later::Call(call) => called(self.module, *call).is_some_and(|name| {
                self.stacks.carriers.iter().chain(&self.stacks.finals).any(|final_| final_ == name)
            }),
            Later::Slice(_) => false,
        };
        self.module.language == Language::Python
            && self.module.expr(chosen(self.module, end)).role == Use::Return
            && !self.found.iter().any(is_final)
    }

    /// Follows one chain to its end.
    fn along(&mut self, start: ExprId) -> ExprId {
        let mut expr = start;
        for _ in 0..MAX_CHAIN {
            if self.found.len() >= MAX_STEPS {
                break;
            }
            if let Some(call) = next_call(self.module, expr).or_else(|| self.carrier(expr)) {
                self.found.push(Later::Call(call));
                expr = call;
            } else if let Some((slice, bound)) = sliced(self.module, expr) {
                self.found.extend(bound.map(Later::Slice));
                expr = slice;
            } else {
                match self.module.expr(expr).parent.some() {
                    Some(outer) if self.module.kind(outer) == ExprKind::Await(expr) => expr = outer,
                    _ => break,
                }
            }
        }
        expr
    }

    /// The call that carries an expression as its first argument.
    fn carrier(&self, expr: ExprId) -> Option<ExprId> {
        let call = self.module.expr(expr).parent.some()?;
        let (_, args) = self.module.call(call)?;
        let name = called(self.module, call)?;
        (self.module.list(args).next() == Some(expr) && self.stacks.carriers.iter().any(|carrier| carrier == name))
            .then_some(call)
    }
}

/// The whole of `query if asked else other` and `query or other`, of which an expression is one alternative.
fn chosen(module: &Module, mut expr: ExprId) -> ExprId {
    while let Some(parent) = module.expr(expr).parent.some() {
        match module.kind(parent) {
            ExprKind::Conditional { test, .. } if test != expr => expr = parent,
            ExprKind::Logical { .. } => expr = parent,
            _ => break,
        }
    }
    expr
}

/// `expr[a:b]` with `b`, where there is one.
fn sliced(module: &Module, expr: ExprId) -> Option<(ExprId, Option<ExprId>)> {
    let slice = module.expr(expr).parent.some()?;
    let ExprKind::Index { object, index } = module.kind(slice) else { return None };
    if object != expr || module.kind(index) != ExprKind::Other {
        return None;
    }
    let start = module.expr(index).start;
    let is_bound = |part: &ExprId| module.expr(*part).parent == index && module.expr(*part).start > start;
    let around = index.0.saturating_sub(32)..index.0.saturating_add(32).min(module.exprs.len() as u32);
    Some((slice, around.map(ExprId).find(is_bound)))
}

fn next_call(module: &Module, expr: ExprId) -> Option<ExprId> {
    let member = module.expr(expr).parent.some()?;
    let ExprKind::Member { object, .. } = module.kind(member) else { return None };
    let call = module.expr(member).parent.some()?;
    let (callee, _) = module.call(call)?;
    (object == expr && callee == member).then_some(call)
}

pub(super) fn called(module: &Module, call: ExprId) -> Option<&str> {
    let (callee, _) = module.call(call)?;
    match module.kind(callee) {
        ExprKind::Member { name, .. } => Some(module.str(name)),
        _ => None,
    }
}

/// The variable that an expression is kept in.
pub(super) fn kept_in(module: &Module, expr: ExprId) -> Option<SymbolIdx> {
    if let Some(parent) = module.expr(expr).parent.some() {
        return match module.kind(parent) {
            ExprKind::Assign { target, value, .. } if value == expr => match module.kind(target) {
                ExprKind::Ident(symbol) => Some(symbol),
                _ => None,
            },
            _ => None,
        };
    }
    let holds = |symbol: &crate::syntax::hir::Symbol| {
        symbol.assigned.contains(&expr)
            || matches!(&symbol.definition, Definition::Variable { init, steps, .. } if *init == expr && steps.is_empty())
    };
    let index = module.symbols.iter().position(holds)?;
    Some(SymbolIdx(u32::try_from(index).ok()?))
}

fn is_argument(module: &Module, expr: ExprId) -> bool {
    module.expr(expr).parent.some().is_some_and(|parent| {
        let hands =
            |(callee, args)| callee != expr && module.list(args).any(|arg| arg == expr) && !is_added(module, parent);
        module.call(parent).is_some_and(hands)
    })
}

/// `jar.add(Cookie::build(…))`: in Rust what is added is as it is.
fn is_added(module: &Module, call: ExprId) -> bool {
    module.language == Language::Rust && called(module, call).is_some_and(|name| name.starts_with("add"))
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
