//! Environment variables: is each checked at start-up, and are defaults refused?

use rustc_hash::FxHashSet;

use super::extract::Raw;
use super::roles::{Enforced, usage};
use crate::facts::model::{Data, Value};
use crate::facts::resolve::Evaluator;
use crate::syntax::javascript::{BinaryOp, Definition, ExprId, ExprKind, Module, Use};

/// Adds `checked` and `refused` to every env fact.
pub fn check_env(evaluator: &mut Evaluator<'_>, raws: &mut [Raw]) {
    let in_schema = names_in_schemas(raws);
    for raw in raws.iter_mut().filter(|raw| &*raw.kind == "env") {
        if raw.at.expr == ExprId::NONE {
            continue;
        }
        let module = evaluator.program.module(raw.at.module);
        let named = raw.text("name").is_some_and(|name| in_schema.contains(name));
        let checked = named || usage(module, raw.at.expr, 0) == Enforced::Yes && guards_absence(module, raw.at.expr);
        raw.set("checked", Value::bool(checked));
        let refused = refused(module, raw.at.expr, raw.get("default").and_then(Value::as_text));
        raw.set("refused", Value::bool(refused));
    }
}

/// The variables that an environment schema names.
fn names_in_schemas(raws: &[Raw]) -> FxHashSet<String> {
    let mut names = FxHashSet::default();
    for raw in raws.iter().filter(|raw| &*raw.kind == "schema" && raw.text("what") == Some("env")) {
        if let Some(Value { data: Data::List(fields), .. }) = raw.get("fields") {
            names.extend(fields.iter().filter_map(|field| field.as_text().map(str::to_owned)));
        }
    }
    names
}

/// The read, or the variable that holds it, is tested and the branch throws or ends the process.
fn guards_absence(module: &Module, read: ExprId) -> bool {
    let mut root = read;
    while let Some(parent) = module.expr(root).parent.some() {
        root = parent;
    }
    match module.expr(root).role {
        Use::Test | Use::Init | Use::Statement => true,
        _ => false,
    }
}

/// `if (SECRET === "dev-secret") throw …`: the default is known and start-up refuses it.
fn refused(module: &Module, read: ExprId, default: Option<&str>) -> bool {
    let Some(default) = default else { return false };
    let mut root = read;
    while let Some(parent) = module.expr(root).parent.some() {
        root = parent;
    }
    let holders: Vec<_> = module
        .symbols
        .iter()
        .filter(|s| matches!(s.definition, Definition::Variable { init, .. } if init == root))
        .flat_map(|s| s.reads.iter().copied())
        .collect();
    holders.into_iter().any(|read| {
        let Some(parent) = module.expr(read).parent.some() else { return false };
        let ExprKind::Binary { op: BinaryOp::Equal, left, right } = module.kind(parent) else { return false };
        let other = if left == read { right } else { left };
        module.literal(other) == Some(default) && usage(module, parent, 0) == Enforced::Yes
    })
}
