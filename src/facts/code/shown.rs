//! Where a literal stands: among which keys, and whether code only shows it, as the descriptions of an API do.

use super::names::last_name;
use crate::syntax::hir::{Expr, ExprId, ExprKind, Language, Module, Use};

/// Keys, keywords and calls under which descriptions of an API keep their examples:
/// <https://docs.pydantic.dev/latest/concepts/json_schema/>, <https://docs.rs/utoipa/latest/utoipa/attr.path.html>
const EXAMPLES: &[&str] = &["example", "examples", "json_schema_extra", "openapi_examples"];
/// Expressions around a literal that are looked at.
const MAX_DEPTH: usize = 32;

/// Whether an expression stands within an example: `{ example: { password: "…" } }`, `examples(…)`, an attribute of Rust.
pub fn is_shown_as_example(module: &Module, expr: ExprId) -> bool {
    let mut inner = expr;
    for _ in 0..MAX_DEPTH {
        let Some(outer) = module.expr(inner).parent.some() else { break };
        if is_example_of(module, outer, inner) {
            return true;
        }
        inner = outer;
    }
    module.language == Language::Rust && module.expr(inner).role == Use::Decorator
}

fn is_example_of(module: &Module, outer: ExprId, inner: ExprId) -> bool {
    let name = match module.kind(outer) {
        ExprKind::Object(run) => {
            let property = module.object(run).iter().find(|property| property.value == inner);
            property.and_then(|property| property.key).map_or("", |key| module.str(key))
        }
        ExprKind::Call { callee, .. } if callee != inner => last_name(module, callee),
        ExprKind::Assign { target, value, .. } if value == inner => last_name(module, target),
        _ => "",
    };
    EXAMPLES.contains(&name)
}

/// The keys of the object, or the keywords of the call, that a value stands in.
pub fn keys_beside<'m>(module: &'m Module, value: &Expr) -> Vec<&'m str> {
    let Some(outer) = value.parent.some() else { return Vec::new() };
    let ExprKind::Object(run) = module.kind(outer) else { return Vec::new() };
    module.object(run).iter().filter_map(|property| property.key).map(|key| module.str(key)).collect()
}
