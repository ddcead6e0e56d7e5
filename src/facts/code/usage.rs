//! What becomes of the result of a check: is it branched on, handed on, or dropped?

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::names::last_name;
use super::roles::Enforced;
use crate::syntax::hir::{
    Arm, Context, ContextId, ContextKind, ExprId, ExprKind, Language, LogicalOp, Module, Run, SymbolIdx, Use,
};

/// Variables that a result goes through, one after the other.
const MAX_VARIABLES: usize = 7;

/// Reads of a variable that are looked at.
const MAX_READS: usize = 32;

/// What becomes of an expression's value; the strictest of all that its variables are used for.
pub fn usage(module: &Module, expr: ExprId) -> Enforced {
    follow(module, vec![expr], MAX_VARIABLES)
}

/// Is there a block that is only entered where the value holds: `if form.is_valid(): …`, `if posted and valid(): …`?
pub fn admits(module: &Module, expr: ExprId) -> bool {
    let mut child = expr;
    while let Some(parent) = module.expr(child).parent.some() {
        match module.kind(parent) {
            ExprKind::Logical { op: LogicalOp::And, .. } | ExprKind::Await(_) => {}
            ExprKind::Call { callee, .. } if callee == child => {}
            _ => return false,
        }
        child = parent;
    }
    module.expr(child).role == Use::Test
        && module.contexts.iter().any(|context| matches!(context.kind, ContextKind::Then(of) if of == child))
}

/// What becomes of variables.
pub fn usage_of(module: &Module, symbols: &[SymbolIdx]) -> Enforced {
    let reads = symbols.iter().flat_map(|&symbol| reads_of(module, symbol)).collect();
    follow(module, reads, MAX_VARIABLES - 1)
}

fn reads_of(module: &Module, symbol: SymbolIdx) -> impl Iterator<Item = ExprId> {
    module.symbol(symbol).reads.iter().copied().take(MAX_READS)
}

/// Variables are visited once: they may be handed round in circles, and thousands of times.
fn follow(module: &Module, mut values: Vec<ExprId>, variables: usize) -> Enforced {
    let mut seen = FxHashSet::default();
    let mut strictest = Enforced::No;
    for round in 0..variables {
        let mut next = Vec::new();
        for value in std::mem::take(&mut values) {
            match fate(module, value) {
                Fate::Ends(Enforced::Yes) if round == 0 && lets_pass(module, value) => {}
                Fate::Ends(enforced) => strictest = strictest.max(enforced),
                Fate::Kept(symbols) => next.extend(symbols.into_iter().filter(|&symbol| seen.insert(symbol))),
            }
            if strictest == Enforced::Yes {
                return strictest;
            }
        }
        values = next.into_iter().flat_map(|symbol| reads_of(module, symbol)).collect();
    }
    strictest
}

/// `if signed_in(): …` at the end of a function that does nothing else: who is not comes past.
fn lets_pass(module: &Module, value: ExprId) -> bool {
    let mut test = value;
    while let Some(parent) = module.expr(test).parent.some() {
        match module.kind(parent) {
            ExprKind::Logical { op: LogicalOp::And, .. } | ExprKind::Await(_) => test = parent,
            _ => return false,
        }
    }
    let of_test = |context: &Context| match context.kind {
        ContextKind::Then(of) | ContextKind::Else(of) => of == test,
        _ => false,
    };
    let branches = || module.contexts.iter().filter(|context| of_test(context));
    let is_alone = branches().all(|context| matches!(context.kind, ContextKind::Then(_)));
    module.expr(test).role == Use::Test && is_alone && branches().next().is_some() && nothing_follows(module, test)
}

/// Does nothing of the function stand behind the block that a test opens?
fn nothing_follows(module: &Module, test: ExprId) -> bool {
    let function = module.function_of(test);
    let end = module.expr(test).end;
    (0..).map(ExprId).zip(&module.exprs).all(|(id, expr)| {
        let is_inside =
            || module.contexts_of(id).any(|(_, context)| matches!(context.kind, ContextKind::Then(of) if of == test));
        expr.start <= end || module.function_of(id) != function || is_inside()
    })
}

/// Where a value goes.
enum Fate {
    Ends(Enforced),
    /// Into variables.
    Kept(SmallVec<[SymbolIdx; 4]>),
}

fn fate(module: &Module, expr: ExprId) -> Fate {
    let mut child = expr;
    loop {
        let Some(parent) = module.expr(child).parent.some() else {
            return fate_of_root(module, expr, child);
        };
        match module.kind(parent) {
            ExprKind::Conditional { test, branches } if test == child && !chooses_text(module, branches) => {
                return Fate::Ends(Enforced::Yes);
            }
            // `check()?` ends the function.
            ExprKind::Try(_) => return Fate::Ends(Enforced::Yes),
            // `check() || fail()`; a plain fallback value is none.
            ExprKind::Logical { op: LogicalOp::And | LogicalOp::Or, left, right }
                if left == child
                    && matches!(module.kind(right), ExprKind::Call { .. } | ExprKind::Await(_))
                    && root_is_statement(module, parent) =>
            {
                return Fate::Ends(Enforced::Yes);
            }
            ExprKind::Assign { target, value, .. } if value == child => {
                return match module.kind(target) {
                    ExprKind::Ident(symbol) => Fate::Kept(SmallVec::from_iter([symbol])),
                    // Stored on an object; whoever reads it is asked on his own.
                    _ => Fate::Ends(Enforced::No),
                };
            }
            _ => {}
        }
        child = parent;
    }
}

/// `user ? `user:${user.id}` : address`: whoever it is gets a name, and nobody is refused.
fn chooses_text(module: &Module, branches: Run) -> bool {
    let is_text = |branch: ExprId| matches!(module.kind(branch), ExprKind::Str(_) | ExprKind::Template { .. });
    let is_value =
        |branch| is_text(branch) || matches!(module.kind(branch), ExprKind::Ident(_) | ExprKind::Member { .. });
    module.list(branches).all(is_value) && module.list(branches).any(is_text)
}

fn root_is_statement(module: &Module, expr: ExprId) -> bool {
    module.expr(expr).parent == ExprId::NONE && module.expr(expr).role == Use::Statement
}

fn fate_of_root(module: &Module, start: ExprId, root: ExprId) -> Fate {
    match module.expr(root).role {
        Use::Test => Fate::Ends(tested(module, root)),
        Use::Return => Fate::Ends(handed_back(module, start)),
        Use::Init => match otherwise_of(module, root) {
            Some(block) => Fate::Ends(exit_of(module, block)),
            None => Fate::Kept(module.variables_of(root)),
        },
        _ => Fate::Ends(Enforced::No),
    }
}

/// What a function of Rust gives back of a check: the failure itself, or something made of it?
fn handed_back(module: &Module, start: ExprId) -> Enforced {
    let mut child = start;
    while let Some(parent) = module.expr(child).parent.some() {
        let goes_on = match module.kind(parent) {
            ExprKind::Await(_) => true,
            ExprKind::Member { object, name } => object == child && !REPLACING.contains(&module.str(name)),
            ExprKind::Call { callee, .. } => callee == child,
            _ => false,
        };
        if !goes_on {
            return Enforced::Pending;
        }
        child = parent;
    }
    if module.language == Language::Rust { Enforced::HandedBack } else { Enforced::Pending }
}

/// Methods of Rust's `Result` and `Option` that put something else in the place of a failure.
const REPLACING: &[&str] =
    &["map_or", "map_or_else", "or", "or_else", "unwrap_or", "unwrap_or_default", "unwrap_or_else"];

/// A value that is branched on: which branch leaves, and with what?
fn tested(module: &Module, test: ExprId) -> Enforced {
    let of_test = |id: ContextId, kind: ContextKind| match (kind, module.arm(id)) {
        (ContextKind::Then(of) | ContextKind::Else(of), _) => of == test,
        (ContextKind::Case | ContextKind::Catch, Some(arm)) => arm.of == test && is_failure(module, arm),
        (ContextKind::Case, None) => true,
        _ => false,
    };
    let contexts = (0..).map(ContextId).zip(&module.contexts);
    let exits = contexts.filter(|&(id, context)| context.exits && of_test(id, context.kind));
    let exit = exits.map(|(id, _)| exit_of(module, id)).max();
    let both = || module.contexts.iter().any(|c| matches!(c.kind, ContextKind::Else(of) if of == test));
    exit.unwrap_or_else(|| if both() { Enforced::Yes } else { Enforced::Pending })
}

/// `let Ok(user) = check() else { … }`: the block, if it leaves.
fn otherwise_of(module: &Module, init: ExprId) -> Option<ContextId> {
    let is_else = |context: &Context| matches!(context.kind, ContextKind::Else(of) if of == init);
    let index = module.contexts.iter().position(|context| is_else(context) && context.exits)?;
    Some(ContextId(u32::try_from(index).unwrap_or(u32::MAX)))
}

/// Names of patterns for what went well.
const SUCCESSES: &[&str] = &["Ok", "Some", "Success", "Continue", "Ready"];

/// Is it the branch of a `match` for what went wrong?
fn is_failure(module: &Module, arm: &Arm) -> bool {
    let is_success = |&pattern: &ExprId| SUCCESSES.contains(&last_name(module, pattern));
    arm.patterns.is_empty() || !arm.patterns.iter().all(is_success)
}

/// A block that is left: with an answer or an error, or by handing back nothing at all?
fn exit_of(module: &Module, context: ContextId) -> Enforced {
    let returned: SmallVec<[ExprId; 4]> = (0..)
        .map(ExprId)
        .zip(&module.exprs)
        .filter(|(_, expr)| expr.context == context && expr.role == Use::Return && expr.parent == ExprId::NONE)
        .map(|(id, _)| id)
        .collect();
    let is_nothing =
        |&id: &ExprId| matches!(module.kind(id), ExprKind::Null | ExprKind::Undefined | ExprKind::Bool(false));
    let gives_nothing = !returned.is_empty() && returned.iter().all(is_nothing);
    if gives_nothing { Enforced::GivesNothing } else { Enforced::Yes }
}
