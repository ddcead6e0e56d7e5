//! What is done with numbers: whether a value is calculated with, and what the names of the figures are.

use super::names::last_name;
use crate::syntax::hir::{AssignOp, BinaryOp, ExprId, ExprKind, FunctionIdx, Module, Use};

/// Names that one expression mentions.
const MAX_NAMES: usize = 32;
const MAX_DEPTH: u8 = 12;
/// Variables that a value goes through, and reads of each.
const MAX_VARIABLES: u8 = 2;
const MAX_READS: usize = 16;
/// Functions that add up what they are handed.
const ADDING: &[&str] = &["sum", "reduce"];

/// Is the value of an expression added, subtracted, multiplied or divided, itself or by a variable? Not where that only
/// moves the point (`Number(price) * 100`).
pub fn is_calculated(module: &Module, value: ExprId) -> bool {
    follow(module, value, MAX_VARIABLES)
}

fn follow(module: &Module, value: ExprId, variables: u8) -> bool {
    let mut child = value;
    while let Some(parent) = module.expr(child).parent.some() {
        match module.kind(parent) {
            ExprKind::Binary { op, left, right } => {
                let other = if left == child { right } else { left };
                return calculates(module, op, other);
            }
            ExprKind::Assign { op: AssignOp::Add | AssignOp::Other, value, target } if value == child => {
                return !is_text(module, target);
            }
            ExprKind::Assign { op: AssignOp::Plain, value, target } if value == child => {
                return variables > 0 && is_used_in_sums(module, target, variables);
            }
            ExprKind::Await(_) | ExprKind::Unary(_) | ExprKind::Logical { .. } => {}
            // The element of a comprehension is spread into a collection.
            ExprKind::Spread(_) | ExprKind::Array(_) => {}
            ExprKind::Call { callee, .. } if callee != child => return is_sum(module, callee, child),
            ExprKind::Conditional { test, .. } if test != child => {}
            _ => return false,
        }
        child = parent;
    }
    match module.expr(child).role {
        Use::Init => {
            variables > 0
                && module.variables_of(child).into_iter().any(|symbol| {
                    let reads = module.symbol(symbol).reads.iter().take(MAX_READS);
                    reads.into_iter().any(|&read| follow(module, read, variables - 1))
                })
        }
        Use::Return => is_added_up(module, module.function_of(child)),
        _ => false,
    }
}

fn is_used_in_sums(module: &Module, target: ExprId, variables: u8) -> bool {
    let ExprKind::Ident(symbol) = module.kind(target) else { return false };
    let reads = module.symbol(symbol).reads.iter().take(MAX_READS);
    reads.into_iter().any(|&read| follow(module, read, variables - 1))
}

/// Does an operator with that other operand make a new figure?
fn calculates(module: &Module, op: BinaryOp, other: ExprId) -> bool {
    match op {
        BinaryOp::Add => !is_text(module, other),
        BinaryOp::Multiply | BinaryOp::Other => !is_power_of_ten(module, other),
        _ => false,
    }
}

fn is_text(module: &Module, expr: ExprId) -> bool {
    matches!(module.kind(expr), ExprKind::Str(_) | ExprKind::Template { .. })
}

fn is_power_of_ten(module: &Module, expr: ExprId) -> bool {
    let ExprKind::Num(at) = module.kind(expr) else { return false };
    let number = module.numbers.get(at as usize).copied().unwrap_or_default();
    number >= 10.0 && (number.log10() - number.log10().round()).abs() < 1e-9
}

/// Is a function handed to one that adds up what it gives: `rows.reduce((sum, row) => sum + row.price, 0)`?
fn is_added_up(module: &Module, function: FunctionIdx) -> bool {
    let Some(expr) = module.function(function).expr.some() else { return false };
    let Some((callee, _)) = module.expr(expr).parent.some().and_then(|parent| module.call(parent)) else {
        return false;
    };
    callee != expr && ADDING.contains(&last_name(module, callee))
}

/// `sum(float(row.price) for row in rows)`
fn is_sum(module: &Module, callee: ExprId, handed: ExprId) -> bool {
    matches!(module.kind(handed), ExprKind::Array(_)) && ADDING.contains(&last_name(module, callee))
}

/// `Math.round(x * 100) / 100`: is a call's argument moved by two digits before, and its result back afterwards?
pub fn is_of_hundredths(module: &Module, call: ExprId) -> bool {
    let is_hundred = |expr: ExprId| matches!(module.kind(expr), ExprKind::Num(at) if module.numbers.get(at as usize) == Some(&100.0));
    let Some((_, args)) = module.call(call) else { return false };
    let multiplies = module.list(args).next().is_some_and(|argument| {
        matches!(module.kind(argument), ExprKind::Binary { op: BinaryOp::Multiply, left, right } if is_hundred(left) || is_hundred(right))
    });
    let parent = module.expr(call).parent.some().map(|parent| module.kind(parent));
    multiplies
        && matches!(parent, Some(ExprKind::Binary { op: BinaryOp::Other, left, right }) if left == call && is_hundred(right))
}

/// The names of variables and properties that the receiver and the arguments of a call show.
pub fn mentioned(module: &Module, call: ExprId) -> Vec<&str> {
    let mut names = Vec::new();
    let Some((callee, args)) = module.call(call) else { return names };
    if let ExprKind::Member { object, .. } = module.kind(callee) {
        collect(module, object, &mut names, 0);
    }
    for argument in module.list(args) {
        collect(module, argument, &mut names, 0);
    }
    names.sort_unstable();
    names.dedup();
    names
}

fn collect<'m>(module: &'m Module, expr: ExprId, names: &mut Vec<&'m str>, depth: u8) {
    if depth > MAX_DEPTH || names.len() >= MAX_NAMES {
        return;
    }
    match module.kind(expr) {
        ExprKind::Ident(symbol) => names.push(module.str(module.symbol(symbol).name)),
        // A property stands for itself, not for its object.
        ExprKind::Member { name, .. } => names.push(module.str(name)),
        ExprKind::Index { object, index } => match module.literal(index) {
            Some(name) => names.push(name),
            None => collect(module, object, names, depth + 1),
        },
        ExprKind::Binary { left, right, .. } | ExprKind::Logical { left, right, .. } => {
            collect(module, left, names, depth + 1);
            collect(module, right, names, depth + 1);
        }
        ExprKind::Await(inner) | ExprKind::Unary(inner) => collect(module, inner, names, depth + 1),
        ExprKind::Conditional { branches, .. } => {
            for branch in module.list(branches) {
                collect(module, branch, names, depth + 1);
            }
        }
        ExprKind::Call { callee, args } | ExprKind::New { callee, args } => {
            if let ExprKind::Member { object, .. } = module.kind(callee) {
                collect(module, object, names, depth + 1);
            }
            for argument in module.list(args) {
                collect(module, argument, names, depth + 1);
            }
        }
        _ => {}
    }
}
