//! Clauses about what code declares: decorators, bases and attributes of classes, parameters, settings.

use smallvec::SmallVec;

use super::extract::{Place, Raw, Target, apply};
use crate::facts::classes::bases;
use crate::facts::paths::PathId;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::facts::stacks::Verb;
use crate::syntax::hir::{ClassIdx, Definition, ExprId, ExprKind, FunctionIdx, MemberKind, TypeId};

/// Classes above a class that are looked at.
const MAX_ANCESTORS: usize = 32;
/// Calls in one annotation (`Annotated[T, Depends(f), Query()]`) that are looked at.
const MAX_MARKERS: usize = 8;

const VERBS: &[Verb] = &[Verb::Decorator, Verb::Extends, Verb::Attr, Verb::Param, Verb::Setting];

/// Adds the facts of one module.
pub(super) fn extract_declared(evaluator: &mut Evaluator<'_>, module: ModuleId, out: &mut Vec<Raw>) {
    let stacks = evaluator.stacks;
    if !VERBS.iter().any(|&verb| stacks.has_verb(verb)) {
        return;
    }
    let hir = evaluator.program.module(module);
    for index in 0..hir.functions.len() {
        let function = FunctionIdx(u32::try_from(index).unwrap_or(u32::MAX));
        decorated_function(evaluator, FunctionRef { module, function }, out);
        parameters(evaluator, FunctionRef { module, function }, out);
    }
    for index in 0..hir.classes.len() {
        class(evaluator, module, ClassIdx(u32::try_from(index).unwrap_or(u32::MAX)), out);
    }
    settings(evaluator, module, out);
}

fn decorated_function(evaluator: &mut Evaluator<'_>, function: FunctionRef, out: &mut Vec<Raw>) {
    let hir = evaluator.program.module(function.module);
    let entry = hir.function(function.function);
    let Some(expr) = entry.expr.some().filter(|_| !entry.decorators.is_empty()) else { return };
    let target = Target {
        class: entry.class.some().and_then(|class| class_expr(evaluator, function.module, class)),
        ..Target::of(ExprRef { module: function.module, expr })
    };
    for &decorator in &entry.decorators {
        apply_decorator(evaluator, ExprRef { module: function.module, expr: decorator }, target, out);
    }
}

fn apply_decorator(evaluator: &mut Evaluator<'_>, at: ExprRef, target: Target, out: &mut Vec<Raw>) {
    let paths = called_paths(evaluator, at);
    apply(evaluator, Verb::Decorator, &paths, Place::on(at, target), out);
}

/// The paths of what a call calls, or of the expression itself.
fn called_paths(evaluator: &mut Evaluator<'_>, at: ExprRef) -> SmallVec<[PathId; 2]> {
    let named = evaluator.program.module(at.module).call(at.expr).map_or(at.expr, |(callee, _)| callee);
    evaluator.paths_of(ExprRef { module: at.module, expr: named })
}

fn class_expr(evaluator: &Evaluator<'_>, module: ModuleId, class: ClassIdx) -> Option<ExprRef> {
    let expr = *evaluator.program.module(module).class_exprs.get(class.0 as usize)?;
    Some(ExprRef { module, expr })
}

fn class(evaluator: &mut Evaluator<'_>, module: ModuleId, class: ClassIdx, out: &mut Vec<Raw>) {
    let Some(at) = class_expr(evaluator, module, class) else { return };
    let hir = evaluator.program.module(module);
    let target = Target { class: Some(at), ..Target::of(at) };
    for &decorator in &hir.class(class).decorators {
        apply_decorator(evaluator, ExprRef { module, expr: decorator }, target, out);
    }
    let ancestors = ancestors(evaluator, module, class);
    if ancestors.is_empty() {
        return;
    }
    let name = hir.class(class).name.map(|name| hir.str(name));
    apply(evaluator, Verb::Extends, &ancestors, Place { name, ..Place::on(at, target) }, out);
    for member in &hir.class(class).members {
        let MemberKind::Field(value) = member.kind else { continue };
        let annotation = hir.written_type(member.annotation);
        let name = hir.str(member.name);
        if !evaluator.stacks.has_candidates(Verb::Attr, name) {
            continue;
        }
        let paths: Vec<PathId> = ancestors.iter().map(|&path| evaluator.paths.member(path, name)).collect();
        let target =
            Target { value: value.some().map(|expr| ExprRef { module, expr }), ty: member.annotation, ..target };
        let at = ExprRef { module, expr: value.some().or(annotation).unwrap_or(at.expr) };
        apply(evaluator, Verb::Attr, &paths, Place { name: Some(name), ..Place::on(at, target) }, out);
    }
}

/// The paths of everything that a class extends, through the project's own classes; nearest first.
pub(in crate::facts) fn ancestors(evaluator: &mut Evaluator<'_>, module: ModuleId, class: ClassIdx) -> Vec<PathId> {
    let mut found: Vec<PathId> = Vec::new();
    let mut queue = vec![(module, class)];
    let mut next = 0;
    while let Some(&(module, class)) = queue.get(next) {
        next += 1;
        let hir = evaluator.program.module(module);
        for base in bases(hir, hir.class(class).heritage) {
            for thing in evaluator.things(ExprRef { module, expr: base }) {
                match thing {
                    Thing::Path { path, .. } if !found.contains(&path) => found.push(path),
                    Thing::Class(module, class) if queue.len() < MAX_ANCESTORS && !queue.contains(&(module, class)) => {
                        queue.push((module, class));
                    }
                    _ => {}
                }
            }
        }
    }
    found
}

/// What parameters are marked with: the default, the calls in the annotation, the annotated type.
fn parameters(evaluator: &mut Evaluator<'_>, function: FunctionRef, out: &mut Vec<Raw>) {
    if !evaluator.stacks.has_verb(Verb::Param) {
        return;
    }
    let module = function.module;
    let hir = evaluator.program.module(module);
    let entry = hir.function(function.function);
    let Some(expr) = entry.expr.some() else { return };
    let owner = Target {
        class: entry.class.some().and_then(|class| class_expr(evaluator, module, class)),
        ..Target::of(ExprRef { module, expr })
    };
    for parameter in &entry.parameters {
        let Some(symbol) = parameter.symbol.some() else { continue };
        let Definition::Parameter { default, annotation, .. } = &hir.symbol(symbol).definition else { continue };
        let name = hir.str(hir.symbol(symbol).name);
        let target = Target { ty: *annotation, value: default.some().map(|expr| ExprRef { module, expr }), ..owner };
        let mut markers: Vec<ExprRef> = default.some().map(|expr| ExprRef { module, expr }).into_iter().collect();
        let written = hir.written_type(*annotation).map(|expr| ExprRef { module, expr });
        markers.extend(written.map(|written| markers_of(evaluator, written)).unwrap_or_default());
        for at in markers {
            let paths = called_paths(evaluator, at);
            apply(evaluator, Verb::Param, &paths, Place { name: Some(name), ..Place::on(at, target) }, out);
        }
        if let Some(at) = written {
            let paths = type_paths(evaluator, module, *annotation);
            apply(evaluator, Verb::Param, &paths, Place { name: Some(name), ..Place::on(at, target) }, out);
        }
    }
}

/// The calls in `Annotated[T, Depends(f)]`, also where that is an alias.
fn markers_of(evaluator: &mut Evaluator<'_>, written: ExprRef) -> Vec<ExprRef> {
    let origin = evaluator.origin(written);
    let hir = evaluator.program.module(origin.module);
    let ExprKind::Index { index, .. } = hir.kind(origin.expr) else { return Vec::new() };
    let ExprKind::Array(run) = hir.kind(index) else { return Vec::new() };
    let calls = hir.list(run).skip(1).take(MAX_MARKERS).map(|expr| ExprRef { module: origin.module, expr });
    calls.collect()
}

/// The API paths that a type annotation names.
pub(super) fn type_paths(evaluator: &mut Evaluator<'_>, module: ModuleId, ty: TypeId) -> SmallVec<[PathId; 2]> {
    let things = evaluator.type_things(module, ty, 0);
    let mut paths = SmallVec::new();
    for thing in things {
        match thing {
            Thing::Path { path, .. } if !evaluator.paths.is_result(path) => paths.push(path),
            Thing::Instance(module, class) => paths.extend(ancestors(evaluator, module, class)),
            _ => {}
        }
    }
    paths
}

/// The settings that a module makes, as production has them: `MIDDLEWARE = […]`, and the entries of dictionaries.
fn settings(evaluator: &mut Evaluator<'_>, module: ModuleId, out: &mut Vec<Raw>) {
    let (stacks, links) = (evaluator.stacks, evaluator.links);
    if !stacks.has_verb(Verb::Setting) {
        return;
    }
    let service = evaluator.program.project.file(evaluator.program.loaded(module).file).service;
    let root = evaluator.paths.root(super::super::stacks::SETTINGS);
    for (name, assigned) in links.settings.all(service) {
        if assigned.iter().all(|one| one.value.module != module) {
            continue;
        }
        let path = name.split('.').fold(root, |path, part| evaluator.paths.member(path, part));
        for at in evaluator.setting_refs(module, name).into_iter().filter(|at| at.module == module) {
            let target = Target { value: Some(at), ..Target::of(at) };
            apply(evaluator, Verb::Setting, &[path], Place { name: Some(name), ..Place::on(at, target) }, out);
        }
    }
}

impl Target {
    /// The elements of the value: those of a list, else itself.
    pub(super) fn elements(self, evaluator: &mut Evaluator<'_>) -> Vec<ExprRef> {
        let Some(value) = self.value else { return Vec::new() };
        let origin = evaluator.origin(value);
        let hir = evaluator.program.module(origin.module);
        match hir.kind(origin.expr) {
            ExprKind::Array(run) => hir.list(run).map(|expr| ExprRef { module: origin.module, expr }).collect(),
            _ => vec![value],
        }
    }

    /// The name of a declared function or class.
    pub(super) fn name_of(evaluator: &Evaluator<'_>, at: ExprRef) -> Option<String> {
        let hir = evaluator.program.module(at.module);
        let name = match hir.kind(at.expr) {
            ExprKind::Function(function) => hir.function(function).name,
            ExprKind::Class(class) => hir.class(class).name,
            _ => None,
        };
        name.map(|name| hir.str(name).to_owned())
    }
}

/// The class or function that a mount's `scope` declares, if it is one.
pub(super) fn declared(evaluator: &Evaluator<'_>, at: ExprRef) -> Option<Declared> {
    match evaluator.program.kind(at) {
        ExprKind::Function(function) => Some(Declared::Function(FunctionRef { module: at.module, function })),
        ExprKind::Class(class) => Some(Declared::Class(at.module, class)),
        _ => None,
    }
}

/// What a mount holds for: one handler, or all methods of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Declared {
    Function(FunctionRef),
    Class(ModuleId, ClassIdx),
}

/// The calls of a function's parameters that hand it something: it calls what they name (`Depends(get_db)`).
pub(super) fn injected(evaluator: &mut Evaluator<'_>, function: FunctionRef) -> Vec<ExprRef> {
    let module = function.module;
    let hir = evaluator.program.module(module);
    let mut found = Vec::new();
    for parameter in &hir.function(function.function).parameters {
        let Some(symbol) = parameter.symbol.some() else { continue };
        let Definition::Parameter { default, annotation, .. } = &hir.symbol(symbol).definition else { continue };
        found.extend(default.some().map(|expr| ExprRef { module, expr }));
        if let Some(expr) = hir.written_type(*annotation) {
            found.extend(markers_of(evaluator, ExprRef { module, expr }));
        }
    }
    found.retain(|at| at.expr != ExprId::NONE && evaluator.program.module(at.module).call(at.expr).is_some());
    found
}
