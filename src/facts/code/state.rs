//! Collections that live as long as the process, and what makes them grow and shrink.

use rustc_hash::FxHashMap;

use super::extract::Raw;
use super::names::shape;
use crate::facts::graph::is_audited;
use crate::facts::model::Value;
use crate::facts::program::{Exported, ExprRef, ModuleId, Program, Target};
use crate::facts::resolve::Evaluator;
use crate::syntax::hir::{Atom, ClassIdx, Definition, ExprId, ExprKind, FunctionIdx, MemberKind, Module, SymbolIdx};

/// A collection by the variable or class field that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    Variable(ModuleId, SymbolIdx),
    Field(ModuleId, ClassIdx, Atom),
}

/// A change that was seen, to be joined with its collection by place.
struct Change {
    holder: Holder,
    at: ExprRef,
    effect: &'static str,
    key: Option<ExprRef>,
}

/// Facts of the kinds `state` and `change`; a change names its state by the index of the raw fact, which the caller
/// turns into the fact's id.
pub fn states(evaluator: &mut Evaluator<'_>, out: &mut Vec<Raw>) {
    let program = evaluator.program;
    let mut holders: FxHashMap<Holder, usize> = FxHashMap::default();
    for module in program.ids() {
        if is_audited(program.project.file(program.loaded(module).file).area) {
            find_states(evaluator, module, &mut holders, out);
        }
    }
    if holders.is_empty() {
        return;
    }
    let mut changes = Vec::new();
    for module in program.ids() {
        find_changes(program, module, &mut changes);
    }
    for change in changes {
        let Some(&state) = holders.get(&change.holder) else { continue };
        let key = change.key.map_or(Value::ABSENT, |key| evaluator.value(key));
        let mut raw = shape(program, "change", change.at, vec![("effect", Value::text(change.effect)), ("key", key)]);
        raw.refs.push(("state".into(), vec![out[state].at]));
        out.push(raw);
    }
}

fn find_states(
    evaluator: &mut Evaluator<'_>,
    module: ModuleId,
    holders: &mut FxHashMap<Holder, usize>,
    out: &mut Vec<Raw>,
) {
    let program = evaluator.program;
    let hir = program.module(module);
    for (index, symbol) in hir.symbols.iter().enumerate() {
        let Definition::Variable { init, steps, .. } = &symbol.definition else { continue };
        if symbol.function != FunctionIdx(0) || !steps.is_empty() || *init == ExprId::NONE {
            continue;
        }
        if let Some(kind) = collection(hir, *init) {
            let symbol = SymbolIdx(u32::try_from(index).unwrap_or(u32::MAX));
            holders.insert(Holder::Variable(module, symbol), out.len());
            out.push(state(program, ExprRef { module, expr: *init }, kind));
        }
    }
    for (index, class) in hir.classes.iter().enumerate() {
        let class_idx = ClassIdx(u32::try_from(index).unwrap_or(u32::MAX));
        for member in &class.members {
            let MemberKind::Field(value) = member.kind else { continue };
            if value == ExprId::NONE || !(member.is_static || is_singleton(program, module, class_idx)) {
                continue;
            }
            if let Some(kind) = collection(hir, value) {
                holders.insert(Holder::Field(module, class_idx, member.name), out.len());
                out.push(state(program, ExprRef { module, expr: value }, kind));
            }
        }
    }
}

/// A class that is constructed at module level lives as long as the process.
fn is_singleton(program: &Program<'_>, module: ModuleId, class: ClassIdx) -> bool {
    let hir = program.module(module);
    hir.exprs.iter().any(|expr| match expr.kind {
        ExprKind::New { callee, .. } => {
            let same = matches!(hir.kind(callee), ExprKind::Ident(symbol)
                if matches!(hir.symbol(symbol).definition, Definition::Class(found) if found == class));
            same && hir.contexts[expr.context.0 as usize].function == FunctionIdx(0)
        }
        _ => false,
    })
}

fn state(program: &Program<'_>, at: ExprRef, kind: &str) -> Raw {
    let weak = kind.starts_with("Weak");
    let fields = vec![
        ("type", Value::text(kind)),
        ("weak", if weak { Value::bool(true) } else { Value::ABSENT }),
        ("bounded", Value::ABSENT),
    ];
    shape(program, "state", at, fields)
}

/// An empty collection: `new Map()`, `{}`, `[]`.
fn collection(module: &Module, expr: ExprId) -> Option<&'static str> {
    match module.kind(expr) {
        ExprKind::New { callee, .. } => match module.kind(callee) {
            ExprKind::Global(name) => match module.str(name) {
                "Map" => Some("Map"),
                "Set" => Some("Set"),
                "WeakMap" => Some("WeakMap"),
                "WeakSet" => Some("WeakSet"),
                "Array" => Some("Array"),
                _ => None,
            },
            _ => None,
        },
        ExprKind::Object(run) if run.len == 0 => Some("Object"),
        ExprKind::Array(run) if run.len == 0 => Some("Array"),
        _ => None,
    }
}

fn find_changes(program: &Program<'_>, module: ModuleId, out: &mut Vec<Change>) {
    let hir = program.module(module);
    for index in 0..hir.exprs.len() {
        let id = ExprId(u32::try_from(index).unwrap_or(u32::MAX));
        let at = ExprRef { module, expr: id };
        match hir.kind(id) {
            ExprKind::Call { callee, args } => {
                let ExprKind::Member { object, name } = hir.kind(callee) else { continue };
                let effect = match hir.str(name) {
                    "set" | "add" | "push" | "unshift" => "grow",
                    "delete" | "clear" | "shift" | "pop" | "splice" => "shrink",
                    _ => continue,
                };
                let Some(holder) = holder(program, module, object) else { continue };
                let key = hir.list(args).next().map(|expr| ExprRef { module, expr });
                out.push(Change { holder, at, effect, key });
            }
            ExprKind::Assign { target, value, .. } => match hir.kind(target) {
                ExprKind::Index { object, index } => {
                    let Some(holder) = holder(program, module, object) else { continue };
                    out.push(Change { holder, at, effect: "grow", key: Some(ExprRef { module, expr: index }) });
                }
                _ => {
                    let Some(holder) = holder(program, module, target) else { continue };
                    if value != ExprId::NONE {
                        out.push(Change { holder, at, effect: "reset", key: None });
                    }
                }
            },
            ExprKind::Delete(target) => {
                if let ExprKind::Index { object, .. } | ExprKind::Member { object, .. } = hir.kind(target)
                    && let Some(holder) = holder(program, module, object)
                {
                    out.push(Change { holder, at, effect: "shrink", key: None });
                }
            }
            _ => {}
        }
    }
}

/// The collection that an expression names: a variable of this module or an imported one, `this.field`,
/// `Class.field`.
fn holder(program: &Program<'_>, module: ModuleId, expr: ExprId) -> Option<Holder> {
    let hir = program.module(module);
    match hir.kind(expr) {
        ExprKind::Ident(symbol) => match &hir.symbol(symbol).definition {
            Definition::Import { source, name } => {
                let Target::Module(target) = program.loaded(module).targets[source.0 as usize] else { return None };
                match program.export(target, hir, *name)? {
                    Exported::Symbol(module, symbol) => Some(Holder::Variable(module, symbol)),
                    _ => None,
                }
            }
            _ => Some(Holder::Variable(module, symbol)),
        },
        ExprKind::Member { object, name } => {
            let class = match hir.kind(object) {
                ExprKind::This => {
                    let mut function = hir.function_of(expr).some();
                    loop {
                        let entry = hir.function(function?);
                        if let Some(class) = entry.class.some() {
                            break class;
                        }
                        function = entry.parent.some();
                    }
                }
                ExprKind::Ident(symbol) => match hir.symbol(symbol).definition {
                    Definition::Class(class) => class,
                    _ => return None,
                },
                _ => return None,
            };
            let declared = hir.class(class).members.iter().any(|m| m.name == name);
            declared.then_some(Holder::Field(module, class, name))
        }
        _ => None,
    }
}
