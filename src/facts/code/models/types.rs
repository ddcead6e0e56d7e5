//! Types of columns: what stack files call the type that an expression or an annotation names.

use crate::facts::code::extract::Place;
use crate::facts::model::Value;
use crate::facts::paths::{PathId, Selector};
use crate::facts::program::{ExprRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{ExprId, ExprKind, Language, Module, Type, TypeId};

/// Methods after the one that makes a column (`real("price").notNull().default(0)`).
const MAX_CHAIN: usize = 12;
/// Wrappers inside wrappers (`Mapped[Optional[float]]`).
const MAX_WRAPPERS: u8 = 6;

/// What is known of the type of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct ColumnType<'p> {
    pub kind: &'p str,
    /// Of times: whether they carry their zone.
    pub zoned: Value,
    pub nullable: bool,
}

impl ColumnType<'_> {
    /// What facts call it.
    pub fn kind(&self) -> &str {
        if self.kind.is_empty() { "other" } else { self.kind }
    }
}

/// What an expression names, with the methods that follow it.
pub(super) fn column_type<'p>(evaluator: &mut Evaluator<'p>, at: ExprRef) -> Option<(ColumnType<'p>, Vec<&'p str>)> {
    let program = evaluator.program;
    let module = program.module(at.module);
    let mut calls = Vec::new();
    let mut next = at;
    for _ in 0..MAX_CHAIN {
        let asked = module.call(next.expr).map_or(next.expr, |(callee, _)| callee);
        if let Some(found) = named_by(evaluator, ExprRef { module: at.module, expr: asked }, next) {
            return Some((found, calls));
        }
        let ExprKind::Member { object, name } = module.kind(asked) else { break };
        if asked != next.expr {
            calls.push(module.str(name));
        }
        next = ExprRef { module: at.module, expr: object };
    }
    let text = module.literal(at.expr)?;
    let kind = evaluator.stacks.column_named(text)?;
    Some((ColumnType { kind, ..ColumnType::default() }, Vec::new()))
}

/// The type that a path names; `made` is the call of it, if there is one.
fn named_by<'p>(evaluator: &mut Evaluator<'p>, at: ExprRef, made: ExprRef) -> Option<ColumnType<'p>> {
    let paths = evaluator.paths_of(at);
    paths.into_iter().find_map(|path| of_path(evaluator, path, Some(made)))
}

fn of_path<'p>(evaluator: &mut Evaluator<'p>, path: PathId, made: Option<ExprRef>) -> Option<ColumnType<'p>> {
    let stacks = evaluator.stacks;
    let name = evaluator.paths.last_name(path).to_owned();
    let found = stacks
        .column_candidates(&name)
        .find(|clause| evaluator.matcher.matches(&evaluator.paths, &stacks.types, path, &clause.selector))?;
    let zoned = match (&found.zoned, made) {
        (Some(projection), Some(made)) => evaluator.project(projection, Place::at(made)),
        _ => Value::ABSENT,
    };
    Some(ColumnType { kind: &found.is, zoned, nullable: false })
}

/// What an annotation says: through `Mapped[…]`, `Option<…>`, `… | None`.
pub(super) fn annotated<'p>(evaluator: &mut Evaluator<'p>, module: ModuleId, ty: TypeId) -> Option<ColumnType<'p>> {
    let hir = evaluator.program.module(module);
    match hir.written_type(ty).filter(|&written| hir.kind(written) != ExprKind::Other) {
        Some(written) => written_type(evaluator, ExprRef { module, expr: written }, 0),
        // TypeScript's `number` says nothing of the column.
        None if hir.language == Language::JavaScript => None,
        None => plain_type(evaluator, module, ty, 0),
    }
}

fn written_type<'p>(evaluator: &mut Evaluator<'p>, at: ExprRef, depth: u8) -> Option<ColumnType<'p>> {
    if depth > MAX_WRAPPERS {
        return None;
    }
    let at = evaluator.origin(at);
    let module = evaluator.program.module(at.module);
    let here = |expr| ExprRef { module: at.module, expr };
    match module.kind(at.expr) {
        ExprKind::Binary { left, right, .. } => {
            let (inner, other) = if is_nothing(module, right) { (left, right) } else { (right, left) };
            let found = written_type(evaluator, here(inner), depth + 1)?;
            is_nothing(module, other).then_some(ColumnType { nullable: true, ..found })
        }
        ExprKind::Index { object, index } => {
            let nullable = wrapper(evaluator, here(object))?;
            let inner = match module.kind(index) {
                ExprKind::Array(run) => module.list(run).next()?,
                _ => index,
            };
            let found = written_type(evaluator, here(inner), depth + 1)?;
            Some(ColumnType { nullable: nullable || found.nullable, ..found })
        }
        _ => named_by(evaluator, at, at),
    }
}

fn is_nothing(module: &Module, expr: ExprId) -> bool {
    matches!(module.kind(expr), ExprKind::Null)
}

/// Is it a type that only wraps another? Says whether the inner one may be missing.
fn wrapper(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Option<bool> {
    let paths = evaluator.paths_of(at);
    paths.into_iter().find_map(|path| wrapping(evaluator, path))
}

fn wrapping(evaluator: &mut Evaluator<'_>, path: PathId) -> Option<bool> {
    let stacks = evaluator.stacks;
    let matches = |evaluator: &mut Evaluator<'_>, selector: &Selector| {
        evaluator.matcher.matches(&evaluator.paths, &stacks.types, path, selector)
    };
    let found = stacks.column_wrappers.iter().find(|wrapper| matches(evaluator, &wrapper.selector))?;
    Some(found.nullable)
}

/// The same for languages whose annotations are no expressions.
fn plain_type<'p>(evaluator: &mut Evaluator<'p>, module: ModuleId, ty: TypeId, depth: u8) -> Option<ColumnType<'p>> {
    if depth > MAX_WRAPPERS {
        return None;
    }
    let hir = evaluator.program.module(module);
    match hir.ty(ty)? {
        Type::Keyword(name) => {
            let kind = evaluator.stacks.column_named(hir.str(*name))?;
            Some(ColumnType { kind, ..ColumnType::default() })
        }
        Type::Reference { args, .. } => {
            let paths: Vec<PathId> = evaluator
                .type_things(module, ty, 0)
                .into_iter()
                .filter_map(|thing| match thing {
                    Thing::Path { path, .. } if !evaluator.paths.is_result(path) => Some(path),
                    _ => None,
                })
                .collect();
            let outer = *paths.first()?;
            match (wrapping(evaluator, outer), args.as_slice()) {
                (Some(nullable), &[inner, ..]) => {
                    let found = plain_type(evaluator, module, inner, depth + 1)?;
                    Some(ColumnType { nullable: nullable || found.nullable, ..found })
                }
                _ => of_path(evaluator, outer, None),
            }
        }
        _ => None,
    }
}
