//! How much a function can tell whoever calls it: nothing, a yes or no, or more than that.

use crate::syntax::hir::{BinaryOp, Definition, ExprId, ExprKind, Function, LogicalOp, Module, Type, TypeId};

const MAX_DEPTH: u8 = 6;

/// `nothing` or `flag`; none where it may give back anything.
pub fn answer(module: &Module, function: &Function) -> Option<&'static str> {
    if is_flag_type(module, function.return_type) {
        return Some("flag");
    }
    let told: Option<Vec<bool>> = function.returns.iter().map(|&returned| tells(module, returned, 0)).collect();
    told.map(|told| if told.contains(&true) { "flag" } else { "nothing" })
}

/// Does an expression give a yes or no (true), or nothing at all (false)? None where it may give more.
fn tells(module: &Module, expr: ExprId, depth: u8) -> Option<bool> {
    if depth > MAX_DEPTH || expr == ExprId::NONE {
        return None;
    }
    match module.kind(expr) {
        ExprKind::Bool(_) | ExprKind::Not(_) => Some(true),
        ExprKind::Null | ExprKind::Undefined => Some(false),
        ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::Compare, .. } => Some(true),
        ExprKind::Logical { op: LogicalOp::And | LogicalOp::Or | LogicalOp::Nullish, left, right } => {
            Some(tells(module, left, depth + 1)? | tells(module, right, depth + 1)?)
        }
        ExprKind::Conditional { branches, .. } => {
            module.list(branches).try_fold(false, |flag, branch| Some(flag | tells(module, branch, depth + 1)?))
        }
        ExprKind::Await(inner) => tells(module, inner, depth + 1),
        ExprKind::Ident(symbol) => match &module.symbol(symbol).definition {
            Definition::Variable { init, steps, constant: true, .. } if steps.is_empty() && *init != ExprId::NONE => {
                tells(module, *init, depth + 1)
            }
            _ => None,
        },
        _ => None,
    }
}

/// `boolean`, `Promise<boolean>`
fn is_flag_type(module: &Module, ty: TypeId) -> bool {
    match module.ty(ty) {
        Some(Type::Keyword(name)) => module.str(*name) == "boolean",
        Some(Type::Reference { args, path, .. }) if path.is_empty() && args.len() == 1 => args
            .iter()
            .all(|&inner| matches!(module.ty(inner), Some(Type::Keyword(name)) if module.str(*name) == "boolean")),
        _ => false,
    }
}
