//! Whether what a call makes outlives it: kept beside the requests (`shared`), or given back (`released`).

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::extract::Raw;
use crate::facts::graph::is_audited;
use crate::facts::model::Value;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::Evaluator;
use crate::syntax::hir::{ContextKind, Definition, ExprId, ExprKind, Module, SymbolIdx, Use};

/// Steps that are followed from the call that makes something.
const MAX_STEPS: usize = 64;
/// Methods that give their receiver.
const FLUENT: &[&str] = &["on", "once", "connect", "$extends", "$on", "setMaxListeners"];
const REMOVERS: &[&str] = &["off", "removeListener", "removeAllListeners", "removeEventListener"];
const CLEARERS: &[&str] = &["clearInterval", "clearTimeout"];
const CLOSERS: &[&str] = &["release", "close", "aclose", "destroy", "end", "quit", "disconnect", "terminate"];

/// Says of each client whether it is shared, of each resource whether it is released.
pub fn mark_kept(evaluator: &Evaluator<'_>, raws: &mut [Raw]) {
    for raw in raws {
        match &*raw.kind {
            "client" => raw.set("shared", Value::bool(is_kept(evaluator, raw.at))),
            "resource" => {
                let released = is_released(evaluator, raw);
                raw.set("released", Value::bool(released));
            }
            _ => {}
        }
    }
}

/// Follows a value to where it is kept.
struct Search<'e, 'p> {
    evaluator: &'e Evaluator<'p>,
    seen: FxHashSet<ExprRef>,
}

fn is_kept(evaluator: &Evaluator<'_>, at: ExprRef) -> bool {
    Search { evaluator, seen: FxHashSet::default() }.kept(at)
}

impl Search<'_, '_> {
    fn kept(&mut self, at: ExprRef) -> bool {
        if self.seen.len() >= MAX_STEPS || !self.seen.insert(at) {
            return false;
        }
        let module = self.evaluator.program.module(at.module);
        let here = |expr| ExprRef { module: at.module, expr };
        let Some(parent) = module.expr(at.expr).parent.some() else { return self.kept_root(at) };
        match module.kind(parent) {
            ExprKind::Await(_)
            | ExprKind::Logical { .. }
            | ExprKind::Conditional { .. }
            | ExprKind::Spread(_)
            | ExprKind::Object(_)
            | ExprKind::Array(_) => self.kept(here(parent)),
            ExprKind::Member { object, name } if object == at.expr => {
                let call = module.expr(parent).parent.some().filter(|&call| is_callee(module, call, parent));
                match call {
                    Some(call) if FLUENT.contains(&module.str(name)) => self.kept(here(call)),
                    Some(_) => false,
                    None => self.kept(here(parent)),
                }
            }
            ExprKind::Call { callee, .. } | ExprKind::New { callee, .. } if callee != at.expr => {
                self.is_put_away(at.module, callee) || self.kept(here(parent))
            }
            // A function that is called where it stands.
            ExprKind::Call { .. } => self.kept(here(parent)),
            ExprKind::Assign { target, value, .. } if value == at.expr => {
                self.outlives(at.module, target) || self.kept(here(parent))
            }
            _ => false,
        }
    }

    /// The value of a whole statement, initialiser or `return`.
    fn kept_root(&mut self, at: ExprRef) -> bool {
        let module = self.evaluator.program.module(at.module);
        match module.expr(at.expr).role {
            Use::Exported | Use::Field => true,
            Use::Return => self.returned(FunctionRef { module: at.module, function: module.function_of(at.expr) }),
            Use::Init => module.variables_of(at.expr).into_iter().any(|symbol| self.kept_variable(at.module, symbol)),
            _ => false,
        }
    }

    fn kept_variable(&mut self, module: ModuleId, symbol: SymbolIdx) -> bool {
        let hir = self.evaluator.program.module(module);
        let entry = hir.symbol(symbol);
        entry.function.0 == 0 || entry.reads.iter().any(|&read| self.kept(ExprRef { module, expr: read }))
    }

    /// What a function returns is kept if the function is handed to something that is (`once(() => new Pool())`), or
    /// if a caller keeps it.
    fn returned(&mut self, function: FunctionRef) -> bool {
        let program = self.evaluator.program;
        let module = program.module(function.module);
        if let Some(expr) = module.function(function.function).expr.some()
            && let Some(parent) = module.expr(expr).parent.some()
            && module.call(parent).is_some()
            && self.kept(ExprRef { module: function.module, expr: parent })
        {
            return true;
        }
        let callers = self.evaluator.links.callers.get(program.number(function).0 as usize);
        let is_live = |call: &ExprRef| is_audited(program.project.file(program.loaded(call.module).file).area);
        let callers: SmallVec<[ExprRef; 8]> = callers.into_iter().flatten().copied().filter(is_live).collect();
        callers.into_iter().any(|call| self.kept(call))
    }

    /// `clients.set(key, client)` on something that outlives the call.
    fn is_put_away(&self, module: ModuleId, callee: ExprId) -> bool {
        let hir = self.evaluator.program.module(module);
        match hir.kind(callee) {
            ExprKind::Member { object, name } => {
                matches!(hir.str(name), "set" | "push" | "add") && self.outlives(module, object)
            }
            _ => false,
        }
    }

    /// Does a variable or property live longer than the function that writes it?
    fn outlives(&self, module: ModuleId, target: ExprId) -> bool {
        let hir = self.evaluator.program.module(module);
        let mut target = target;
        for depth in 0..8 {
            target = match hir.kind(target) {
                ExprKind::Ident(symbol) => {
                    let entry = hir.symbol(symbol);
                    return entry.function.0 == 0 || matches!(entry.definition, Definition::Import { .. });
                }
                ExprKind::This | ExprKind::Global(_) => return depth > 0,
                ExprKind::Member { object, .. } | ExprKind::Index { object, .. } => object,
                _ => return false,
            };
        }
        false
    }
}

fn is_callee(module: &Module, call: ExprId, callee: ExprId) -> bool {
    module.call(call).is_some_and(|(called, _)| called == callee)
}

/// Is what was taken given back, or kept by somebody who can?
fn is_released(evaluator: &Evaluator<'_>, raw: &Raw) -> bool {
    let module = evaluator.program.module(raw.at.module);
    if raw.text("what") == Some("listener") {
        return !listens_to_shared(module, raw.at.expr) || any_call_of(module, REMOVERS);
    }
    let mut value = raw.at.expr;
    while let Some(parent) = module.expr(value).parent.some() {
        match module.kind(parent) {
            ExprKind::Await(_) => value = parent,
            ExprKind::Assign { target, .. } => {
                return match module.kind(target) {
                    ExprKind::Ident(symbol) => is_given_back(module, symbol),
                    _ => true,
                };
            }
            ExprKind::Call { callee, .. } => return callee != value,
            _ => return false,
        }
    }
    match module.expr(value).role {
        // `with Client() as client:` closes it.
        Use::Init if module.contexts.iter().any(|c| matches!(c.kind, ContextKind::With(of) if of == value)) => true,
        Use::Init => module.variables_of(value).into_iter().any(|symbol| is_given_back(module, symbol)),
        Use::Return | Use::Exported | Use::Field => true,
        _ => false,
    }
}

fn is_given_back(module: &Module, symbol: SymbolIdx) -> bool {
    module.symbol(symbol).reads.iter().any(|&read| {
        let Some(parent) = module.expr(read).parent.some() else {
            return module.expr(read).role == Use::Return;
        };
        match module.kind(parent) {
            ExprKind::Member { object, name } => object == read && CLOSERS.contains(&module.str(name)),
            ExprKind::Call { callee, .. } if callee != read => match module.kind(callee) {
                ExprKind::Global(name) => CLEARERS.contains(&module.str(name)),
                _ => true,
            },
            ExprKind::Assign { value, .. } => value == read,
            ExprKind::Object(_) | ExprKind::Array(_) => true,
            _ => false,
        }
    })
}

/// `bus.on(…)`, where `bus` is the module's own or imported.
fn listens_to_shared(module: &Module, call: ExprId) -> bool {
    let Some((callee, _)) = module.call(call) else { return false };
    let ExprKind::Member { object, .. } = module.kind(callee) else { return false };
    let ExprKind::Ident(symbol) = module.kind(object) else { return false };
    module.symbol(symbol).function.0 == 0
}

fn any_call_of(module: &Module, names: &[&str]) -> bool {
    module
        .exprs
        .iter()
        .any(|expr| matches!(expr.kind, ExprKind::Member { name, .. } if names.contains(&module.str(name))))
}

#[cfg(test)]
mod tests {
    use crate::audit::facts_of;
    use crate::facts::Value;

    /// A field of the facts of a kind in one server file, in order.
    fn fields(kind: &str, field: &str, text: &str) -> Vec<Value> {
        let store = facts_of(&[
            ("package.json", r#"{ "scripts": { "start": "tsx src/server.ts" } }"#),
            ("src/server.ts", text),
        ]);
        let facts = store.facts.iter().filter(|fact| &*fact.kind == kind);
        facts.map(|fact| fact.get(field).cloned().unwrap_or_default()).collect()
    }

    #[test]
    fn a_client_that_is_put_away_outlives_the_request() {
        let text = "import { Pool } from 'pg'\nlet pool: Pool | undefined\nconst all = new Map<string, Pool>()\n\
            export function once() { if (!pool) pool = new Pool(); return pool }\n\
            export function byName(name: string) { const made = new Pool(); all.set(name, made); return made }\n\
            export function every() { const own = new Pool(); return own.query('select 1') }";
        let shared = fields("client", "shared", text);
        assert_eq!(shared, [Value::bool(true), Value::bool(true), Value::bool(false)]);
    }

    #[test]
    fn a_timer_is_given_back_where_something_clears_it() {
        let text = "export function wait() { const timer = setInterval(() => 0, 10); clearInterval(timer) }\n\
            export function leak() { const timer = setInterval(() => 0, 10); console.log(timer.hasRef()) }\n\
            export function handOn() { return setInterval(() => 0, 10) }";
        let released = fields("resource", "released", text);
        assert_eq!(released, [Value::bool(true), Value::bool(false), Value::bool(true)]);
    }
}
