//! Where a random number or a digest ends: the names of the variables, properties, functions and calls that it flows into.

use rustc_hash::FxHashSet;

use super::extract::Raw;
use super::names::last_name;
use crate::facts::model::Value;
use crate::facts::program::{ExprRef, FunctionRef};
use crate::facts::resolve::Evaluator;
use crate::syntax::hir::{Definition, ExprId, ExprKind, FunctionIdx, Module, SymbolIdx, Use};

const MAX_STEPS: u32 = 600;
/// Calls of a function that returns the number, and of the function around that one.
const MAX_HOPS: u8 = 3;

/// Adds `flows` to every fact of a random number or a digest.
pub fn follow_values(evaluator: &Evaluator<'_>, raws: &mut [Raw]) {
    for raw in raws.iter_mut().filter(|raw| matches!(&*raw.kind, "random" | "digest")) {
        let mut flow = Flow { evaluator, names: Vec::new(), seen: FxHashSet::default(), steps: 0 };
        flow.expr(raw.at, 0);
        flow.names.sort();
        flow.names.dedup();
        raw.set("flows", Value::texts(&flow.names));
    }
}

struct Flow<'e, 'p> {
    evaluator: &'e Evaluator<'p>,
    names: Vec<String>,
    seen: FxHashSet<(ExprRef, u8)>,
    steps: u32,
}

impl Flow<'_, '_> {
    fn add(&mut self, name: &str) {
        if !name.is_empty() {
            self.names.push(name.to_owned());
        }
    }

    /// Climbs from an expression to the statement that holds it.
    fn expr(&mut self, at: ExprRef, hops: u8) {
        self.steps += 1;
        if self.steps > MAX_STEPS || !self.seen.insert((at, hops)) {
            return;
        }
        let module = self.evaluator.program.module(at.module);
        let mut child = at.expr;
        while let Some(parent) = module.expr(child).parent.some() {
            match module.kind(parent) {
                // Which branch is taken, or whether something is bigger, is no value any more.
                ExprKind::Conditional { test, .. } if test == child => return,
                ExprKind::Binary { op, .. }
                    if !matches!(
                        op,
                        crate::syntax::hir::BinaryOp::Add
                            | crate::syntax::hir::BinaryOp::Multiply
                            | crate::syntax::hir::BinaryOp::Other
                    ) =>
                {
                    return;
                }
                ExprKind::Object(run) => {
                    let key = module.object(run).iter().find(|p| p.value == child).and_then(|p| p.key);
                    if let Some(key) = key {
                        self.add(module.str(key));
                    }
                    // The object around it is named after something bigger.
                    return;
                }
                ExprKind::Assign { target, .. } => {
                    self.add(last_name(module, target));
                    if let ExprKind::Ident(symbol) = module.kind(target) {
                        self.symbol(at, symbol, hops);
                    }
                    return;
                }
                ExprKind::Call { callee, args } if callee != child && !is_within_callee(module, callee, child) => {
                    if let Some(name) = self.argument_name(at, parent, args, child) {
                        self.add(&name);
                    }
                    if !keeps_value(module, callee) && !feeds_generator(module, callee, child) {
                        return;
                    }
                }
                _ => {}
            }
            child = parent;
        }
        self.root(at, child, hops);
    }

    fn root(&mut self, at: ExprRef, root: ExprId, hops: u8) {
        let module = self.evaluator.program.module(at.module);
        match module.expr(root).role {
            Use::Init => {
                for (index, symbol) in module.symbols.iter().enumerate() {
                    if matches!(symbol.definition, Definition::Variable { init, .. } if init == root) {
                        self.add(module.str(symbol.name));
                        self.symbol(at, SymbolIdx(u32::try_from(index).unwrap_or(u32::MAX)), hops);
                    }
                }
            }
            Use::Return => self.returned(at, module.function_of(root), hops),
            _ => {}
        }
    }

    /// A variable that holds it: where it is returned or passed on.
    fn symbol(&mut self, at: ExprRef, symbol: SymbolIdx, hops: u8) {
        let module = self.evaluator.program.module(at.module);
        for &read in module.symbol(symbol).reads.iter().take(24) {
            self.expr(ExprRef { module: at.module, expr: read }, hops);
        }
    }

    fn returned(&mut self, at: ExprRef, function: FunctionIdx, hops: u8) {
        let program = self.evaluator.program;
        let module = program.module(at.module);
        let entry = module.function(function);
        let is_callback = entry.expr.some().is_some_and(|e| module.expr(e).parent != ExprId::NONE);
        if let Some(name) = entry.name
            && !is_callback
        {
            self.add(module.str(name));
        }
        if hops >= MAX_HOPS {
            return;
        }
        // A callback's result comes out of the call that it is handed to (`Array.from({ length }, () => …)`).
        if is_callback && let Some(parent) = entry.expr.some().and_then(|e| module.expr(e).parent.some()) {
            if let Some((callee, _)) = module.call(parent)
                && matches!(last_name(module, callee), "sort" | "forEach" | "filter" | "setTimeout" | "setInterval")
            {
                return;
            }
            self.expr(ExprRef { module: at.module, expr: parent }, hops);
            return;
        }
        let number = program.number(FunctionRef { module: at.module, function });
        let callers = self.evaluator.links.callers.get(number.0 as usize);
        for call in callers.into_iter().flatten().take(32) {
            self.expr(*call, hops + 1);
        }
    }

    /// The name under which a call takes the value: a constant first argument (`cookie("state", x)`), else its own.
    fn argument_name(&self, at: ExprRef, call: ExprId, args: crate::syntax::hir::Run, child: ExprId) -> Option<String> {
        let module = self.evaluator.program.module(at.module);
        let (callee, _) = module.call(call)?;
        let first = module.list(args).next()?;
        let method = last_name(module, callee);
        if first != child
            && matches!(method, "set" | "append" | "cookie" | "setItem" | "put" | "setex" | "setHeader")
            && let Some(text) = module.literal(first)
        {
            return Some(text.to_owned());
        }
        is_setter(method).then(|| method.to_owned())
    }
}

/// `user.setPassword(digest)`, `user.set_password(digest)`
fn is_setter(method: &str) -> bool {
    method.strip_prefix("set").is_some_and(|rest| rest.starts_with(|c: char| c == '_' || c.is_ascii_uppercase()))
}

/// Generators of the system, which are told how much to give.
const SIZED: &[&str] =
    &["randomBytes", "randomFill", "getRandomValues", "urandom", "token_bytes", "token_hex", "token_urlsafe"];

/// `prng(seed)`, `uniform(1, 6, rng)`: what comes out of a generator is as predictable as its seed.
fn feeds_generator(module: &Module, callee: ExprId, argument: ExprId) -> bool {
    // How much a generator of the system gives is no seed.
    if SIZED.contains(&last_name(module, callee)) {
        return false;
    }
    let mut root = callee;
    while let ExprKind::Member { object, .. } = module.kind(root) {
        root = object;
    }
    [last_name(module, callee), last_name(module, root), last_name(module, argument)].iter().any(|name| {
        let name = name.to_ascii_lowercase();
        ["seed", "rng", "rand"].iter().any(|part| name.contains(part))
    })
}

fn is_within_callee(module: &Module, callee: ExprId, child: ExprId) -> bool {
    matches!(module.kind(callee), ExprKind::Member { object, .. } if object == child)
}

/// `Math.floor(x)`, `String(x)`, `x.toString(36)`: the value goes on; any other function makes something of its own.
fn keeps_value(module: &Module, callee: ExprId) -> bool {
    matches!(
        last_name(module, callee),
        "floor"
            | "ceil"
            | "round"
            | "trunc"
            | "abs"
            | "String"
            | "Number"
            | "toString"
            | "BigInt"
            | "from"
            | "charAt"
            | "substring"
            | "substr"
            | "slice"
            | "padStart"
            | "join"
            | "push"
            | "fromCharCode"
            | "fromCodePoint"
            | "at"
            | "map"
            | "fill"
            | "concat"
            | "parseInt"
            | "fromEntries"
            | "Date"
    )
}
