//! Input that is only compared, logged or looked up: it decides which way to go, and goes nowhere itself.

use crate::syntax::hir::{BinaryOp, ExprId, ExprKind, Module, SymbolIdx, Use};

/// Reads of a variable that are looked at.
const MAX_READS: usize = 32;

/// Variables that a value goes through.
const MAX_VARIABLES: u8 = 3;

/// Methods whose result is as harmless as what they are called on is, where it is only compared.
const KEEPING: &[&str] =
    &["get", "has", "lower", "upper", "strip", "casefold", "trim", "toLowerCase", "toUpperCase", "toString"];

/// Is all that is done with a value and its fields to compare them (`request.POST["action"] in ("pause", "resume")`,
/// `if (body.email !== user.email)`), or to hand them to a call that is harmless: of a log, or one that finds rows?
pub fn only_looked_at(module: &Module, value: ExprId, is_harmless: &dyn Fn(ExprId) -> bool) -> bool {
    follow(module, value, MAX_VARIABLES, is_harmless)
}

/// `req.body = parsed(req.body)`: what fills a part of a request is the reader of it, not who uses it.
pub fn is_put_back(module: &Module, read: ExprId) -> bool {
    let ExprKind::Member { name, .. } = module.kind(read) else { return false };
    let mut child = read;
    while let Some(parent) = module.expr(child).parent.some() {
        if let ExprKind::Assign { target, .. } = module.kind(parent) {
            return matches!(module.kind(target), ExprKind::Member { name: of, .. } if of == name);
        }
        child = parent;
    }
    false
}

fn follow(module: &Module, value: ExprId, variables: u8, is_harmless: &dyn Fn(ExprId) -> bool) -> bool {
    let mut child = value;
    while let Some(parent) = module.expr(child).parent.some() {
        match module.kind(parent) {
            // As an argument a comparison may make a query (`Item.owner == body["owner"]`): only tests are harmless.
            ExprKind::Binary {
                op: BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::Compare | BinaryOp::In | BinaryOp::Instanceof,
                ..
            } => {}
            ExprKind::Conditional { test, .. } if test == child => return true,
            ExprKind::Await(_) | ExprKind::Not(_) | ExprKind::Logical { .. } => {}
            ExprKind::Index { object, .. } if object == child => {}
            ExprKind::Member { object, .. } if object == child => {}
            ExprKind::Call { callee, .. } if callee == child && is_keeping(module, callee) => {}
            ExprKind::Call { callee, .. } if callee != child && is_harmless(parent) => return true,
            // The options of a call: `find(id=value)`.
            ExprKind::Object(_) if module.expr(parent).parent.some().is_some_and(is_harmless) => return true,
            _ => return false,
        }
        child = parent;
    }
    match module.expr(child).role {
        Use::Test => true,
        Use::Init if variables > 0 => {
            let looked_at = |symbol: SymbolIdx| {
                let reads = &module.symbol(symbol).reads;
                (1..=MAX_READS).contains(&reads.len())
                    && reads.iter().all(|&read| follow(module, read, variables - 1, is_harmless))
            };
            let held = module.variables_of(child);
            !held.is_empty() && held.into_iter().all(looked_at)
        }
        _ => false,
    }
}

fn is_keeping(module: &Module, callee: ExprId) -> bool {
    matches!(module.kind(callee), ExprKind::Member { name, .. } if KEEPING.contains(&module.str(name)))
}
