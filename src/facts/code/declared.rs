//! Clauses about what code declares: decorators, bases and attributes of classes, parameters, settings.

use smallvec::SmallVec;

use super::extract::{Place, Raw, Target, apply};
use super::handed_routers::handed_router;
use crate::facts::paths::PathId;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing};
use crate::facts::stacks::{Stacks, Verb};
use crate::syntax::hir::{ClassIdx, Definition, ExprId, ExprKind, FunctionIdx, MemberKind, Step, TypeId};

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
    handed_router(evaluator, at, target, out);
}

/// The paths of what a call calls, or of the expression itself.
pub(super) fn called_paths(evaluator: &mut Evaluator<'_>, at: ExprRef) -> SmallVec<[PathId; 2]> {
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
    injected_fields(evaluator, module, class, target, out);
    let ancestors = evaluator.lineage(module, class).outside;
    if !ancestors.iter().any(|&path| !is_plain_base(&evaluator.paths.text(path))) {
        return class_settings(evaluator, module, class, out);
    }
    let name = hir.class(class).name.map(|name| hir.str(name));
    apply(evaluator, Verb::Extends, &ancestors, Place { name, ..Place::on(at, target) }, out);
    attributes(evaluator, (module, class), &ancestors, out);
    // A mixin is what the classes are that it is mixed into.
    let lineage = evaluator.lineage(module, class);
    for (module, class) in lineage.classes.into_iter().skip(1) {
        if evaluator.lineage(module, class).outside.is_empty() {
            attributes(evaluator, (module, class), &ancestors, out);
        }
    }
}

/// The attributes in the body of a class that has these paths above it.
fn attributes(
    evaluator: &mut Evaluator<'_>,
    (module, class): (ModuleId, ClassIdx),
    ancestors: &[PathId],
    out: &mut Vec<Raw>,
) {
    let Some(at) = class_expr(evaluator, module, class) else { return };
    let hir = evaluator.program.module(module);
    let target = Target { class: Some(at), ..Target::of(at) };
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

/// Fields that something is handed to (`user: User = Depends(current_user)`) are parameters of all methods.
fn injected_fields(
    evaluator: &mut Evaluator<'_>,
    module: ModuleId,
    class: ClassIdx,
    target: Target,
    out: &mut Vec<Raw>,
) {
    let hir = evaluator.program.module(module);
    for member in &hir.class(class).members {
        let MemberKind::Field(value) = member.kind else { continue };
        let Some(expr) = value.some().filter(|&value| hir.call(value).is_some()) else { continue };
        let at = ExprRef { module, expr };
        let paths = called_paths(evaluator, at);
        let place = Place { name: Some(hir.str(member.name)), ..Place::on(at, target) };
        apply(evaluator, Verb::Param, &paths, place, out);
    }
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
        let is_marked = markers.iter().any(|at| evaluator.program.module(at.module).call(at.expr).is_some());
        for at in markers {
            let paths = called_paths(evaluator, at);
            apply(evaluator, Verb::Param, &paths, Place { name: Some(name), ..Place::on(at, target) }, out);
        }
        // What `Depends(…)` hands in is no input, whatever its type.
        if let Some(at) = written.filter(|_| !is_marked) {
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
            Thing::Instance(module, class) => paths.extend(evaluator.lineage(module, class).outside),
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
    let before = out.len();
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
    retain_from(out, before, |raw| is_of_modules(stacks, raw));
    let before = out.len();
    let hir = evaluator.program.module(module);
    for export in &hir.exports {
        let crate::syntax::hir::ExportTarget::Symbol(symbol) = export.target else { continue };
        let entry = hir.symbol(symbol);
        let Definition::Variable { init, steps, .. } = &entry.definition else { continue };
        let Some(expr) = init.some().filter(|_| steps.as_slice() == ([] as [Step; 0])) else { continue };
        let name = hir.str(export.name);
        let path = evaluator.paths.member(root, name);
        setting(evaluator, ExprRef { module, expr }, path, name, 0, out);
    }
    retain_from(out, before, |raw| !is_of_modules(stacks, raw));
}

/// Keeps of what was added since then what is wanted.
fn retain_from(out: &mut Vec<Raw>, start: usize, is_wanted: impl Fn(&Raw) -> bool) {
    let added = out.split_off(start);
    out.extend(added.into_iter().filter(is_wanted));
}

/// `object` says nothing about a class.
fn is_plain_base(path: &str) -> bool {
    path == "builtins.object"
}

/// Settings may stand in a class of their own, which a framework is handed: `app.config.from_object(Production)`.
fn class_settings(evaluator: &mut Evaluator<'_>, module: ModuleId, class: ClassIdx, out: &mut Vec<Raw>) {
    if !evaluator.stacks.has_verb(Verb::Setting) {
        return;
    }
    let before = out.len();
    let hir = evaluator.program.module(module);
    let root = evaluator.paths.root(super::super::stacks::SETTINGS);
    for member in &hir.class(class).members {
        let MemberKind::Field(value) = member.kind else { continue };
        let name = hir.str(member.name);
        let (Some(expr), true) = (value.some(), name.chars().all(is_of_constant)) else { continue };
        let path = evaluator.paths.member(root, name);
        setting(evaluator, ExprRef { module, expr }, path, name, 0, out);
    }
    let stacks = evaluator.stacks;
    retain_from(out, before, |raw| !is_of_modules(stacks, raw));
}

/// Is it of a framework whose settings stand in modules of their own?
fn is_of_modules(stacks: &Stacks, raw: &Raw) -> bool {
    stacks.settings.iter().any(|kind| raw.stack == Some(kind.stack))
}

fn is_of_constant(sign: char) -> bool {
    sign.is_ascii_uppercase() || sign.is_ascii_digit() || sign == '_'
}

/// A setting, and the entries of its dictionary.
fn setting(evaluator: &mut Evaluator<'_>, at: ExprRef, path: PathId, name: &str, depth: u8, out: &mut Vec<Raw>) {
    let target = Target { value: Some(at), ..Target::of(at) };
    apply(evaluator, Verb::Setting, &[path], Place { name: Some(name), ..Place::on(at, target) }, out);
    let hir = evaluator.program.module(at.module);
    let ExprKind::Object(run) = hir.kind(at.expr) else { return };
    if depth >= 3 {
        return;
    }
    for prop in hir.object(run) {
        let Some(key) = prop.key else { continue };
        let name = hir.str(key);
        let path = evaluator.paths.member(path, name);
        setting(evaluator, ExprRef { module: at.module, expr: prop.value }, path, name, depth + 1, out);
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
