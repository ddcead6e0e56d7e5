//! Does a program stop when a value is missing, or when it is what it must not be?

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::extract::Raw;
use crate::facts::model::Data;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId, Program};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{
    BinaryOp, ContextId, ContextKind, Definition, ExprId, ExprKind, LogicalOp, Module, SymbolIdx, Use,
};

const MAX_DEPTH: u8 = 6;
const MAX_READS: usize = 32;

/// What a branch asks of a value before it stops the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// `if (!url) throw …`
    Missing,
    /// `if (secret === "dev") throw …`
    Present,
}

/// Where the program throws or ends, by module.
pub struct Refusals {
    failing: FxHashMap<ModuleId, FxHashSet<ContextId>>,
    /// Calls that throw when their first argument is missing (`invariant(url)`).
    asserting: FxHashSet<ExprRef>,
}

impl Refusals {
    pub fn new(program: &Program<'_>, raws: &[Raw]) -> Refusals {
        let mut failing: FxHashMap<ModuleId, FxHashSet<ContextId>> = FxHashMap::default();
        for id in program.ids() {
            let module = program.module(id);
            for &thrown in module.functions.iter().flat_map(|function| &function.throws) {
                failing.entry(id).or_default().extend(module.contexts_of(thrown).map(|(context, _)| context));
            }
        }
        for raw in raws.iter().filter(|raw| &*raw.kind == "stop" && raw.text("what") == Some("process")) {
            let contexts = program.module(raw.at.module).contexts_of(raw.at.expr).map(|(context, _)| context);
            failing.entry(raw.at.module).or_default().extend(contexts);
        }
        let asserting = raws
            .iter()
            .filter(|raw| &*raw.kind == "role" && raw.text("role") == Some("env-check") && raw.text("fails").is_some())
            .map(|raw| raw.at)
            .collect();
        Refusals { failing, asserting }
    }

    pub fn fails(&self, module: ModuleId, context: ContextId) -> bool {
        self.failing.get(&module).is_some_and(|contexts| contexts.contains(&context))
    }

    /// Is there a branch that stops the program when the value of `at` is missing (or is there)?
    pub fn refuses(&self, evaluator: &mut Evaluator<'_>, at: ExprRef, asked: Asked) -> bool {
        self.follow(evaluator, at, asked == Asked::Present, 0)
    }

    /// `refused_if_true`: the branch that is taken when the expression holds is the one that must stop.
    fn follow(&self, evaluator: &mut Evaluator<'_>, at: ExprRef, refused_if_true: bool, depth: u8) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        let module = evaluator.program.module(at.module);
        let mut child = at.expr;
        let mut refused_if_true = refused_if_true;
        while let Some(parent) = module.expr(child).parent.some() {
            match module.kind(parent) {
                ExprKind::Not(_) => refused_if_true = !refused_if_true,
                ExprKind::Binary { op, left, right } => {
                    let other = if left == child { right } else { left };
                    match (op, self.is_missing(evaluator, at.module, other)) {
                        (BinaryOp::Equal, true) | (BinaryOp::NotEqual, false) => refused_if_true = !refused_if_true,
                        (BinaryOp::Equal, false) | (BinaryOp::NotEqual, true) | (BinaryOp::Compare, _) => {}
                        _ => return false,
                    }
                }
                ExprKind::Logical { op: LogicalOp::Or | LogicalOp::Nullish, left, right } if left == child => {
                    if !refused_if_true && self.always_fails(evaluator, ExprRef { module: at.module, expr: right }) {
                        return true;
                    }
                }
                ExprKind::Logical { .. } | ExprKind::Await(_) | ExprKind::Sequence(_) => {}
                // `missing.length`, `parsed.success`, `result.error` answer for the whole.
                ExprKind::Member { object, .. } if object == child => {}
                ExprKind::Assign { target, value, .. } if value == child => {
                    return match module.kind(target) {
                        ExprKind::Ident(symbol) => self.of_symbol(evaluator, at.module, symbol, refused_if_true, depth),
                        _ => false,
                    };
                }
                ExprKind::Call { callee, args } if callee != child => {
                    let call = ExprRef { module: at.module, expr: parent };
                    let Some(index) = module.list(args).position(|argument| argument == child) else { return false };
                    return !refused_if_true
                        && (index == 0 && self.asserting.contains(&call)
                            || self.refused_by_callee(evaluator, call, callee, index, depth));
                }
                _ => return false,
            }
            child = parent;
        }
        match module.expr(child).role {
            Use::Test => self.branch_fails(at.module, module, child, refused_if_true),
            Use::Init => symbols_of(module, child)
                .into_iter()
                .any(|symbol| self.of_symbol(evaluator, at.module, symbol, refused_if_true, depth)),
            _ => false,
        }
    }

    fn of_symbol(
        &self,
        evaluator: &mut Evaluator<'_>,
        module: ModuleId,
        symbol: SymbolIdx,
        refused_if_true: bool,
        depth: u8,
    ) -> bool {
        let program = evaluator.program;
        let reads = program.module(module).symbol(symbol).reads.iter().take(MAX_READS);
        reads
            .into_iter()
            .any(|&read| self.follow(evaluator, ExprRef { module, expr: read }, refused_if_true, depth + 1))
    }

    /// The branch of an `if` that stops the program.
    fn branch_fails(&self, id: ModuleId, module: &Module, test: ExprId, refused_if_true: bool) -> bool {
        let contexts = module.contexts.iter().enumerate();
        contexts.filter_map(|(index, context)| Some((ContextId(u32::try_from(index).ok()?), context.kind))).any(
            |(context, kind)| match kind {
                ContextKind::Then(of) => of == test && refused_if_true && self.fails(id, context),
                ContextKind::Else(of) => of == test && !refused_if_true && self.fails(id, context),
                _ => false,
            },
        )
    }

    /// A function of the project that is handed the value and refuses it when it is missing.
    fn refused_by_callee(
        &self,
        evaluator: &mut Evaluator<'_>,
        call: ExprRef,
        callee: ExprId,
        index: usize,
        depth: u8,
    ) -> bool {
        let callees = evaluator.things(ExprRef { module: call.module, expr: callee });
        let functions: SmallVec<[FunctionRef; 2]> = callees
            .into_iter()
            .filter_map(|thing| match thing {
                Thing::Function(function) => Some(function),
                _ => None,
            })
            .collect();
        functions.into_iter().any(|function| {
            let entry = evaluator.program.module(function.module).function(function.function);
            let symbol = entry.parameters.get(index).and_then(|parameter| parameter.symbol.some());
            symbol.is_some_and(|symbol| self.of_symbol(evaluator, function.module, symbol, false, depth + 1))
        })
    }

    /// `fail("DATABASE_URL is missing")`: a function that only throws.
    fn always_fails(&self, evaluator: &mut Evaluator<'_>, at: ExprRef) -> bool {
        let Some((callee, _)) = evaluator.program.module(at.module).call(at.expr) else { return false };
        let callees = evaluator.things(ExprRef { module: at.module, expr: callee });
        callees.into_iter().any(|thing| match thing {
            Thing::Function(function) => {
                let entry = evaluator.program.module(function.module).function(function.function);
                entry.returns.is_empty() && !entry.throws.is_empty()
            }
            _ => false,
        })
    }

    /// `undefined`, `null`, `""`, `0`
    fn is_missing(&self, evaluator: &mut Evaluator<'_>, module: ModuleId, expr: ExprId) -> bool {
        match evaluator.value(ExprRef { module, expr }).data {
            Data::Absent => matches!(evaluator.program.module(module).kind(expr), ExprKind::Undefined),
            Data::Null => true,
            Data::Text(text) => text.is_empty() || &*text == "undefined",
            Data::Number(number) => number == 0.0,
            _ => false,
        }
    }
}

/// The variables that an initialiser fills.
fn symbols_of(module: &Module, init: ExprId) -> SmallVec<[SymbolIdx; 4]> {
    let symbols = module.symbols.iter().enumerate();
    symbols
        .filter(|(_, symbol)| matches!(symbol.definition, Definition::Variable { init: of, .. } if of == init))
        .filter_map(|(index, _)| u32::try_from(index).ok().map(SymbolIdx))
        .collect()
}
