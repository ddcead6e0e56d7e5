//! What is named in lists that a framework calls: `MIDDLEWARE = ["a.b.C"]`, `permission_classes = [IsOwner]`. A text is
//! the path that it spells, and a class of the project is what it extends.

use smallvec::SmallVec;

use super::extract::{Place, Raw, apply};
use crate::facts::graph::Callable;
use crate::facts::paths::PathId;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing, Things};
use crate::facts::stacks::Verb;
use crate::syntax::hir::{ClassIdx, ExprKind, MemberKind};

/// Elements of one list.
const MAX_ELEMENTS: usize = 128;
/// Methods of one class that stand in a chain.
const MAX_METHODS: usize = 32;

/// Adds the facts of clauses about uses, for every element of a chain.
pub(super) fn extract_uses(evaluator: &mut Evaluator<'_>, raws: &mut Vec<Raw>) {
    if !evaluator.stacks.has_verb(Verb::Use) {
        return;
    }
    let mut seen = rustc_hash::FxHashSet::default();
    let mounts = raws.iter().filter(|raw| matches!(&*raw.kind, "mount" | "route"));
    let chains: Vec<ExprRef> = mounts.flat_map(|raw| raw.refs("chain").iter().copied()).collect();
    for at in chains {
        for element in elements(evaluator, at) {
            if seen.insert(element) {
                let paths = named_paths(evaluator, element);
                apply(evaluator, Verb::Use, &paths, Place::at(element), raws);
            }
        }
    }
}

/// Adds what is called because elements of a chain are named; where all of them are known, nothing is opaque.
pub(super) fn add_used(evaluator: &mut Evaluator<'_>, at: ExprRef, callables: &mut Vec<Callable>) {
    let mut all_known = true;
    for element in elements(evaluator, at) {
        let used = used_callables(evaluator, element);
        all_known &= !used.is_empty();
        for callable in used {
            if !callables.contains(&callable) {
                callables.push(callable);
            }
        }
    }
    if all_known {
        callables.retain(|callable| *callable != Callable::Opaque);
    }
}

/// The project's classes among the elements of a list.
pub(super) fn own_classes(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Vec<(ModuleId, ClassIdx)> {
    let mut found = Vec::new();
    for element in elements(evaluator, at) {
        found.extend(named(evaluator, element).into_iter().filter_map(|thing| match thing {
            Thing::Class(module, class) => Some((module, class)),
            _ => None,
        }));
    }
    found
}

/// What is called because something is named.
fn used_callables(evaluator: &mut Evaluator<'_>, element: ExprRef) -> Vec<Callable> {
    let mut found = Vec::new();
    for thing in named(evaluator, element) {
        match thing {
            Thing::Path { path, .. } => found.push(Callable::External { path, site: Some(element) }),
            Thing::Class(module, class) => {
                let paths = evaluator.lineage(module, class).outside;
                found.extend(paths.first().map(|&path| Callable::External { path, site: Some(element) }));
                found.extend(methods(evaluator, module, class).into_iter().map(Callable::Function));
            }
            Thing::Function(function) => found.push(Callable::Function(function)),
            _ => {}
        }
    }
    found
}

/// The methods of a class, those of its own bases included.
pub(super) fn methods(evaluator: &mut Evaluator<'_>, module: ModuleId, class: ClassIdx) -> Vec<FunctionRef> {
    let mut found = Vec::new();
    for (module, class) in evaluator.lineage(module, class).classes {
        for member in &evaluator.program.module(module).class(class).members {
            if let MemberKind::Method(function) | MemberKind::Getter(function) = member.kind {
                found.push(FunctionRef { module, function });
            }
        }
    }
    found.truncate(MAX_METHODS);
    found
}

/// The elements of a list, through names and operators (`A & B`); anything else is its own.
fn elements(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Vec<ExprRef> {
    let mut found = Vec::new();
    collect(evaluator, at, 0, &mut found);
    found
}

fn collect(evaluator: &mut Evaluator<'_>, at: ExprRef, depth: u8, out: &mut Vec<ExprRef>) {
    if depth > 6 || out.len() >= MAX_ELEMENTS {
        return;
    }
    let origin = evaluator.origin(at);
    let hir = evaluator.program.module(origin.module);
    let here = |expr| ExprRef { expr, ..origin };
    match hir.kind(origin.expr) {
        ExprKind::Array(run) => {
            hir.list(run).take(MAX_ELEMENTS).for_each(|item| collect(evaluator, here(item), depth + 1, out));
        }
        ExprKind::Binary { left, right, .. } => {
            collect(evaluator, here(left), depth + 1, out);
            collect(evaluator, here(right), depth + 1, out);
        }
        ExprKind::Spread(inner) => collect(evaluator, here(inner), depth + 1, out),
        _ => out.push(at),
    }
}

/// What an element is: the thing that it names, or that its text spells.
fn named(evaluator: &mut Evaluator<'_>, at: ExprRef) -> Things {
    let program = evaluator.program;
    let hir = program.module(at.module);
    match hir.kind(at.expr) {
        ExprKind::Str(text) => {
            let text = hir.str(text);
            match program.named(at.module, text) {
                Some(exported) => evaluator.exported(exported),
                None if is_path(text) => {
                    let path = evaluator.paths.dotted(text);
                    Things::from_slice(&[Thing::Path { path, site: None }])
                }
                None => Things::new(),
            }
        }
        // `HasScope("read")` is of the class that it calls.
        ExprKind::Call { callee, .. } => evaluator.things(ExprRef { expr: callee, ..at }),
        _ => evaluator.things(at),
    }
}

fn named_paths(evaluator: &mut Evaluator<'_>, at: ExprRef) -> SmallVec<[PathId; 2]> {
    let mut paths = SmallVec::new();
    for thing in named(evaluator, at) {
        match thing {
            Thing::Path { path, .. } => paths.push(path),
            Thing::Class(module, class) => paths.extend(evaluator.lineage(module, class).outside),
            _ => {}
        }
    }
    paths
}

fn is_path(text: &str) -> bool {
    let is_name =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    text.contains('.') && text.split('.').all(is_name)
}
