//! Applies the clauses of stack files to every call, read, tag and export.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::asked::holds;
use super::declared::{extract_declared, injected};
use super::kept::mark_kept;
use super::resources::View;
use super::statuses::number_statuses;
use super::thrown::thrown_refusals;
use super::uses::extract_uses;
use super::variants::answered_variants;
use crate::facts::arguments::handed;
use crate::facts::graph::{Callable, add_call_edges, exports_of, halves, is_audited, nesting_edges};
use crate::facts::model::{Confidence, Data, FunctionId, Origins, Value};
use crate::facts::paths::PathId;
use crate::facts::program::{Exported, ExprRef, FunctionRef, ModuleId};
use crate::facts::resolve::{Evaluator, Learned, Thing};
use crate::facts::stacks::{Clause, Verb};
use crate::facts::turn::Turn;
use crate::project::Span;
use crate::syntax::hir::{
    AssignOp, BinaryOp, Definition, ExprId, ExprKind, FunctionIdx, Language, Module, Step, TypeId,
};

/// A fact before routes, phases and reachability are known.
#[derive(Debug, Clone)]
pub struct Raw {
    pub kind: Arc<str>,
    pub clause: Arc<str>,
    /// The stack's index; none for shapes.
    pub stack: Option<usize>,
    pub at: ExprRef,
    pub span: Span,
    pub fields: Vec<(Arc<str>, Value)>,
    /// Fields that are expressions: `router`, `chain`, `scope`, `handler`.
    pub refs: Vec<(Arc<str>, Vec<ExprRef>)>,
    /// Functions that the fact names directly (an exported handler).
    pub functions: Vec<FunctionRef>,
    pub function: Option<FunctionRef>,
    pub api: Arc<str>,
    pub certain: Confidence,
    /// Where a helper registers for others: the call in it, and the turn that this is.
    pub within: Option<(ExprRef, Turn)>,
    /// The class that answers a route.
    pub view: Option<View>,
}

impl Raw {
    pub fn refs(&self, name: &str) -> &[ExprRef] {
        self.refs.iter().find(|(n, _)| &**n == name).map_or(&[], |(_, refs)| refs)
    }

    /// The call that registers: of a helper's, the one inside it.
    pub fn registered_at(&self) -> ExprRef {
        self.within.as_ref().map_or(self.at, |(at, _)| *at)
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(n, _)| &**n == name).map(|(_, value)| value)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_text)
    }

    /// A part of the request that a signature declares, so that it is checked before the function runs.
    pub fn is_declared_input(&self) -> bool {
        &*self.kind == "input" && self.get("declared").is_some_and(|value| value.data == Data::Bool(true))
    }

    pub fn set(&mut self, name: &str, value: Value) {
        match self.fields.iter_mut().find(|(n, _)| &**n == name) {
            Some(slot) => slot.1 = value,
            None => self.fields.push((name.into(), value)),
        }
    }
}

/// Fields whose expressions matter, not their values.
const REF_FIELDS: &[&str] =
    &["router", "chain", "scope", "handler", "state", "shape", "parts", "of", "decides", "routes", "list"];
/// Fields of which both matter.
const VALUE_AND_REF_FIELDS: &[&str] = &["body", "data", "on", "status", "type", "target", "on_delete", "columns"];

/// What a clause looks at, at one place.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub at: ExprRef,
    /// The exported or destructured name, where there is one.
    pub name: Option<&'a str>,
    /// A default that stands beside the name.
    pub default: Option<ExprRef>,
    /// What it is written on.
    pub target: Option<Target>,
}

/// A declaration that something is written on: a decorator's function, an attribute's class, a parameter's function.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The function or class, as an expression.
    pub at: ExprRef,
    /// The class around it, or itself.
    pub class: Option<ExprRef>,
    /// What is assigned to the attribute or setting, or the default of the parameter.
    pub value: Option<ExprRef>,
    /// Its annotation.
    pub ty: TypeId,
}

impl Target {
    pub(super) fn of(at: ExprRef) -> Target {
        Target { at, class: None, value: None, ty: TypeId::NONE }
    }
}

impl Place<'_> {
    pub(super) fn at(at: ExprRef) -> Place<'static> {
        Place { at, name: None, default: None, target: None }
    }

    pub(super) fn on(at: ExprRef, target: Target) -> Place<'static> {
        Place { target: Some(target), ..Place::at(at) }
    }
}

/// All facts that clauses see, module by module, and the call graph. Of the [`halves`], the evaluator knows the first;
/// `second` is what was learned about the other.
pub fn extract(evaluator: &mut Evaluator<'_>, second: Learned) -> (Vec<Raw>, Vec<Vec<FunctionId>>) {
    let (program, stacks, links) = (evaluator.program, evaluator.stacks, evaluator.links);
    let (own_modules, other_modules) = halves(program);
    let mut other = Evaluator::with(program, stacks, links, second);
    let ((mut found, edges), (others, more)) =
        rayon::join(|| extract_modules(evaluator, &own_modules), || extract_modules(&mut other, &other_modules));
    found.extend(others);
    let mut calls = nesting_edges(program);
    for (from, to) in edges.into_iter().chain(more) {
        calls[from.0 as usize].push(to);
    }
    for callees in &mut calls {
        callees.sort_unstable();
        callees.dedup();
    }
    (finish(evaluator, found), calls)
}

/// Reads of one name that a parameter's pattern unpacks.
const MAX_UNPACKED_READS: usize = 32;

type Edges = Vec<(FunctionId, FunctionId)>;

fn extract_modules(evaluator: &mut Evaluator<'_>, modules: &[ModuleId]) -> (Vec<Raw>, Edges) {
    let mut found = Vec::new();
    let mut edges = Vec::new();
    for &module in modules {
        let asked = asked_for(evaluator.program.module(module));
        for index in 0..evaluator.program.module(module).exprs.len() {
            let expr = ExprId(u32::try_from(index).unwrap_or(u32::MAX));
            let before = found.len();
            extract_expr(evaluator, ExprRef { module, expr }, &mut found);
            if asked.contains(&expr) {
                let mut later = found.split_off(before);
                later.retain(|raw| &*raw.kind != "response");
                found.append(&mut later);
            }
        }
        extract_destructured(evaluator, module, &mut found);
        extract_unpacked(evaluator, module, &mut found);
        extract_exports(evaluator, module, &mut found);
        extract_declared(evaluator, module, &mut found);
        add_call_edges(evaluator, module, &mut edges);
        add_injected_edges(evaluator, module, &mut edges);
    }
    (found, edges)
}

/// What a value is compared with in Rust, in `match` or with `==`: a status there is asked for, and not answered.
fn asked_for(hir: &Module) -> FxHashSet<ExprId> {
    if hir.language != Language::Rust {
        return FxHashSet::default();
    }
    let compared = hir.exprs.iter().filter_map(|expr| match expr.kind {
        ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::NotEqual, left, right } => Some([left, right]),
        _ => None,
    });
    hir.arms.iter().flat_map(|arm| arm.patterns.iter().copied()).chain(compared.flatten()).collect()
}

/// A function with `Depends(get_db)` among its parameters calls `get_db`.
fn add_injected_edges(evaluator: &mut Evaluator<'_>, module: ModuleId, edges: &mut Edges) {
    let program = evaluator.program;
    if program.module(module).language != Language::Python {
        return;
    }
    for index in 1..program.module(module).functions.len() {
        let from = FunctionRef { module, function: FunctionIdx(u32::try_from(index).unwrap_or(u32::MAX)) };
        for call in injected(evaluator, from) {
            let hir = program.module(call.module);
            let Some((_, args)) = hir.call(call.expr) else { continue };
            let given: SmallVec<[ExprId; 2]> = handed(hir, args).collect();
            for expr in given {
                for callable in functions_in(evaluator.callables(ExprRef { module: call.module, expr })) {
                    edges.push((program.number(from), program.number(callable)));
                }
            }
        }
    }
}

/// What only shows when all facts are there.
fn finish(evaluator: &mut Evaluator<'_>, mut found: Vec<Raw>) -> Vec<Raw> {
    once_per_mount(&mut found);
    extract_uses(evaluator, &mut found);
    found = found.into_iter().flat_map(each_role).collect();
    number_statuses(&mut found);
    answered_variants(evaluator, &mut found);
    let mut refusals: Vec<Raw> = found.iter().filter_map(refusal).collect();
    refusals.extend(found.iter().flat_map(|raw| handed_refusals(evaluator, raw)));
    refusals.extend(raised_refusals(evaluator, &refusals));
    found.extend(refusals);
    found.extend(thrown_refusals(evaluator));
    mark_kept(evaluator, &mut found);
    let of_browsers = |raw: &&mut Raw| evaluator.program.module(raw.at.module).language == Language::JavaScript;
    found.iter_mut().filter(of_browsers).for_each(mark_own_origin);
    found
}

/// What a mixin mounts is seen with every class that it is mixed into.
fn once_per_mount(found: &mut Vec<Raw>) {
    let mut seen = FxHashSet::default();
    found.retain(|raw| {
        &*raw.kind != "mount" || raw.at.expr == ExprId::NONE || {
            let scope = raw.refs("scope").first().copied();
            seen.insert((raw.clause.clone(), raw.at, scope))
        }
    });
}

/// `role = "auth, admin"` plays both.
fn each_role(raw: Raw) -> SmallVec<[Raw; 1]> {
    let names: SmallVec<[String; 2]> = match raw.text("role") {
        Some(names) if &*raw.kind == "role" && names.contains(',') => {
            names.split(',').map(|name| name.trim().to_owned()).collect()
        }
        _ => return smallvec::smallvec![raw],
    };
    let of_name = |name: String| {
        let mut one = raw.clone();
        one.set("role", Value::text(name));
        one
    };
    names.into_iter().map(of_name).collect()
}

/// A path without a host goes to wherever the page came from.
fn mark_own_origin(raw: &mut Raw) {
    if &*raw.kind != "outbound" {
        return;
    }
    let own = raw.get("url").is_some_and(|url| {
        url.origins.has(Origins::OWN_ORIGIN) || url.as_text().is_some_and(|text| Origins::of_start(text).0 != 0)
    });
    if own {
        raw.set("target", Value { data: crate::facts::model::Data::Unknown, origins: Origins::OWN_ORIGIN });
    }
}

/// What a status says that is answered when a check fails. https://www.rfc-editor.org/rfc/rfc9110#section-15.5
pub(super) const REFUSALS: &[(f64, &str)] =
    &[(401.0, "auth"), (403.0, "admin"), (413.0, "body-limit"), (429.0, "rate-limit")];

/// A response with a status that refuses stands for the check before it.
fn refusal(raw: &Raw) -> Option<Raw> {
    if &*raw.kind != "response" {
        return None;
    }
    let role = refused_by(raw.get("status")?)?;
    Some(refusing(raw, role))
}

/// Which check a status stands for.
fn refused_by(status: &Value) -> Option<&'static str> {
    let crate::facts::model::Data::Number(status) = status.data else { return None };
    REFUSALS.iter().find(|(code, _)| (*code - status).abs() < 0.5).map(|(_, role)| *role)
}

fn refusing(raw: &Raw, role: &str) -> Raw {
    let mut check = raw.clone();
    check.kind = "role".into();
    check.clause = "shape refusal".into();
    check.fields = vec![("role".into(), Value::text(role)), ("fails".into(), Value::text("refuses"))];
    check
}

/// `raise Unauthorized`, where that name holds an answer that refuses: what is raised under a condition is a check.
fn raised_refusals(evaluator: &mut Evaluator<'_>, refusals: &[Raw]) -> Vec<Raw> {
    let program = evaluator.program;
    let by_site: FxHashMap<ExprRef, &Raw> = refusals.iter().map(|raw| (raw.at, raw)).collect();
    let mut found = Vec::new();
    for module in program.ids().filter(|&id| program.module(id).language == Language::Python) {
        let loaded = program.loaded(module);
        if by_site.is_empty() || !is_audited(program.project.file(loaded.file).area) {
            continue;
        }
        for (index, entry) in loaded.module.functions.iter().enumerate() {
            let function = FunctionRef { module, function: FunctionIdx(u32::try_from(index).unwrap_or(u32::MAX)) };
            for &expr in entry.throws.iter().filter(|&&expr| matches!(loaded.module.kind(expr), ExprKind::Ident(_))) {
                let at = ExprRef { module, expr };
                let Some(raw) = by_site.get(&evaluator.origin(at)) else { continue };
                let mut check = (*raw).clone();
                let place = loaded.module.expr(expr);
                check.at = at;
                check.span = Span { file: loaded.file, start: place.start, end: place.end };
                check.refs.clear();
                check.function = (index != 0).then_some(function);
                found.push(check);
            }
        }
    }
    found
}

/// Calls of a helper that are followed for the status they hand it.
const MAX_HANDED: usize = 64;

/// `answer(401, "…")`, where `answer` makes a response with the status that it is handed: the call refuses.
fn handed_refusals(evaluator: &mut Evaluator<'_>, raw: &Raw) -> Vec<Raw> {
    let program = evaluator.program;
    let &[status] = raw.refs("status") else { return Vec::new() };
    if &*raw.kind != "response" {
        return Vec::new();
    }
    let ExprKind::Ident(symbol) = program.kind(status) else { return Vec::new() };
    let Definition::Parameter { function, index, steps, .. } = &program.module(status.module).symbol(symbol).definition
    else {
        return Vec::new();
    };
    if !steps.is_empty() {
        return Vec::new();
    }
    let number = program.number(FunctionRef { module: status.module, function: *function });
    let calls = evaluator.links.callers.get(number.0 as usize).cloned().unwrap_or_default();
    let index = *index as usize;
    calls.into_iter().take(MAX_HANDED).filter_map(|call| refused_at(evaluator, raw, call, index)).collect()
}

fn refused_at(evaluator: &mut Evaluator<'_>, raw: &Raw, call: ExprRef, index: usize) -> Option<Raw> {
    let program = evaluator.program;
    let loaded = program.loaded(call.module);
    let argument = evaluator.argument(call, index)?;
    let role = refused_by(&evaluator.value(argument))?;
    if !is_audited(program.project.file(loaded.file).area) {
        return None;
    }
    let expr = loaded.module.expr(call.expr);
    let function = loaded.module.function_of(call.expr);
    let mut check = refusing(raw, role);
    check.at = call;
    check.span = Span { file: loaded.file, start: expr.start, end: expr.end };
    check.refs.clear();
    check.function = (function.0 != 0).then_some(FunctionRef { module: call.module, function });
    check.certain = Confidence::Medium;
    Some(check)
}

fn extract_expr(evaluator: &mut Evaluator<'_>, at: ExprRef, out: &mut Vec<Raw>) {
    let module = evaluator.program.module(at.module);
    let place = Place::at(at);
    match module.kind(at.expr) {
        ExprKind::Call { callee, .. } | ExprKind::New { callee, .. } => {
            let callee = ExprRef { module: at.module, expr: callee };
            let mut paths = evaluator.paths_of(callee);
            paths.extend(extended(evaluator, callee));
            apply(evaluator, Verb::Call, &paths, place, out);
        }
        ExprKind::Tagged { tag, .. } => {
            let paths = evaluator.paths_of(ExprRef { module: at.module, expr: tag });
            apply(evaluator, Verb::Tag, &paths, place, out);
        }
        ExprKind::Member { name, .. } if evaluator.stacks.has_candidates(Verb::Read, module.str(name)) => {
            let paths = evaluator.paths_of(at);
            apply(evaluator, Verb::Read, &paths, place, out);
            apply_to_anything(evaluator, module.str(name), place, out);
        }
        ExprKind::Binary { op: BinaryOp::In, left, right } if module.language == Language::Python => {
            extract_containment(evaluator, place, (left, right), out);
        }
        _ => {}
    }
}

/// `"user_id" in session` asks for what `session["user_id"]` reads.
fn extract_containment(
    evaluator: &mut Evaluator<'_>,
    place: Place<'_>,
    (key, holder): (ExprId, ExprId),
    out: &mut Vec<Raw>,
) {
    let module = evaluator.program.module(place.at.module);
    let Some(name) = module.literal(key).filter(|name| evaluator.stacks.has_candidates(Verb::Read, name)) else {
        return;
    };
    let holders = evaluator.paths_of(ExprRef { module: place.at.module, expr: holder });
    let paths: SmallVec<[PathId; 2]> = holders.iter().map(|&of| evaluator.paths.member(of, name)).collect();
    apply(evaluator, Verb::Read, &paths, place, out);
}

/// What the class of the project that is called extends: making one is making what it extends.
fn extended(evaluator: &mut Evaluator<'_>, callee: ExprRef) -> SmallVec<[PathId; 2]> {
    if evaluator.program.module(callee.module).language != Language::Python {
        return SmallVec::new();
    }
    let things = evaluator.things(callee);
    let classes = things.into_iter().filter_map(|thing| match thing {
        Thing::Class(module, class) => Some((module, class)),
        _ => None,
    });
    classes.flat_map(|(module, class)| evaluator.lineage(module, class).outside).collect()
}

/// Clauses about a property of whatever it is (`*.isAdmin`): names in code tell what a check is about.
fn apply_to_anything(evaluator: &mut Evaluator<'_>, name: &str, place: Place<'_>, out: &mut Vec<Raw>) {
    let stacks = evaluator.stacks;
    let language = evaluator.program.module(place.at.module).language;
    for (clause, pattern) in stacks.candidates(Verb::Read, name) {
        if pattern.is_of_anything() && stacks.speaks(clause, language) && holds(evaluator, clause, place) {
            out.push(raw(evaluator, clause, place, name, Confidence::Medium));
        }
    }
}

pub(super) fn apply(evaluator: &mut Evaluator<'_>, verb: Verb, paths: &[PathId], place: Place<'_>, out: &mut Vec<Raw>) {
    let mut kinds: SmallVec<[(&str, usize); 4]> = SmallVec::new();
    let module = evaluator.program.module(place.at.module);
    let language = module.language;
    // What is put into a property reads nothing of it.
    let written = verb == Verb::Read && place.name.is_none() && is_written(module, place.at.expr);
    for &path in paths {
        let stacks = evaluator.stacks;
        for (clause, pattern) in stacks.candidates(verb, evaluator.paths.last_name(path)) {
            let key = (&*clause.kind, clause.stack);
            // The first clause of a kind wins within its stack.
            if kinds.contains(&key)
                || !stacks.speaks(clause, language)
                || !evaluator.matcher.matches_pattern(&evaluator.paths, &stacks.types, path, pattern)
                || written && !clause.asks("assigned")
                || !holds(evaluator, clause, place)
            {
                continue;
            }
            kinds.push(key);
            let api = evaluator.paths.text(path);
            let certain = if api.starts_with('?') { Confidence::Medium } else { Confidence::High };
            out.push(raw(evaluator, clause, place, &api, certain));
        }
    }
}

/// Is it what a plain assignment fills?
fn is_written(module: &Module, expr: ExprId) -> bool {
    let parent = module.expr(expr).parent.some().map(|parent| module.kind(parent));
    matches!(parent, Some(ExprKind::Assign { target, op: AssignOp::Plain, .. }) if target == expr)
}

/// Does a field say where routes are?
fn is_place(kind: &str, field: &str) -> bool {
    matches!((kind, field), ("router", "prefix") | ("mount" | "route", "path"))
}

/// The fact that a clause makes of a place.
pub fn raw(evaluator: &mut Evaluator<'_>, clause: &Clause, place: Place<'_>, api: &str, certain: Confidence) -> Raw {
    let program = evaluator.program;
    let loaded = program.loaded(place.at.module);
    let expr = loaded.module.expr(place.at.expr);
    let mut fields = Vec::with_capacity(clause.fields.len());
    let mut refs = Vec::new();
    for (name, projection) in &clause.fields {
        if REF_FIELDS.contains(&&**name) {
            refs.push((name.clone(), evaluator.project_refs(projection, place)));
            continue;
        }
        if VALUE_AND_REF_FIELDS.contains(&&**name) {
            refs.push((name.clone(), evaluator.project_refs(projection, place)));
        }
        let mut value = evaluator.project(projection, place);
        if is_place(&clause.kind, name) && value.is_unknown() && value.origins.has(Origins::ENV) {
            let texts = evaluator.project_refs(projection, place);
            let usual = texts.first().and_then(|&at| evaluator.usual_text(at));
            value = usual.map_or(value, Value::text);
        }
        fields.push((name.clone(), value));
    }
    let own = FunctionRef { module: place.at.module, function: loaded.module.function_of(place.at.expr) };
    let function = match (clause.verb, place.target.map(|target| (target.at, evaluator.program.kind(target.at)))) {
        // The parameters of a function are read by it.
        (Verb::Param, Some((at, ExprKind::Function(function)))) => FunctionRef { module: at.module, function },
        _ => own,
    };
    Raw {
        kind: clause.kind.clone(),
        clause: clause.id.clone(),
        stack: Some(clause.stack),
        at: place.at,
        span: Span { file: loaded.file, start: expr.start, end: expr.end },
        fields,
        refs,
        functions: Vec::new(),
        function: (function.function.0 != 0).then_some(function),
        api: api.into(),
        certain,
        within: None,
        view: None,
    }
}

/// `const { JWT_SECRET = "dev" } = process.env` reads `process.env.JWT_SECRET`.
fn extract_destructured(evaluator: &mut Evaluator<'_>, module: ModuleId, out: &mut Vec<Raw>) {
    let program = evaluator.program;
    let hir = program.module(module);
    for symbol in &hir.symbols {
        let (init, steps, default) = match &symbol.definition {
            Definition::Variable { init, steps, default, .. } => (*init, steps, *default),
            _ => continue,
        };
        let [Step::Property(name)] = steps.as_slice() else { continue };
        let name = hir.str(*name);
        if init == ExprId::NONE || !evaluator.stacks.has_candidates(Verb::Read, name) {
            continue;
        }
        let at = ExprRef { module, expr: init };
        let mut paths = evaluator.paths_of(at);
        for path in &mut paths {
            *path = evaluator.paths.member(*path, name);
        }
        let default = default.some().map(|expr| ExprRef { module, expr });
        let before = out.len();
        apply(evaluator, Verb::Read, &paths, Place { name: Some(name), default, ..Place::at(at) }, out);
        for raw in &mut out[before..] {
            raw.span.start = symbol.start;
            raw.span.end = symbol.start + u32::try_from(name.len()).unwrap_or(0);
        }
    }
}

/// `({ body }, res) => save(body)` reads `request.body` wherever the name stands.
fn extract_unpacked(evaluator: &mut Evaluator<'_>, module: ModuleId, out: &mut Vec<Raw>) {
    let hir = evaluator.program.module(module);
    for symbol in &hir.symbols {
        let Definition::Parameter { steps, .. } = &symbol.definition else { continue };
        let [Step::Property(name)] = steps.as_slice() else { continue };
        let name = hir.str(*name);
        if !evaluator.stacks.has_candidates(Verb::Read, name) {
            continue;
        }
        for &read in symbol.reads.iter().take(MAX_UNPACKED_READS) {
            let at = ExprRef { module, expr: read };
            let paths = evaluator.paths_of(at);
            apply(evaluator, Verb::Read, &paths, Place { name: Some(name), ..Place::at(at) }, out);
        }
    }
}

fn extract_exports(evaluator: &mut Evaluator<'_>, module: ModuleId, out: &mut Vec<Raw>) {
    let stacks = evaluator.stacks;
    let program = evaluator.program;
    for clause in stacks.of_verb(Verb::Export) {
        let service = program.project.service(program.project.file(program.loaded(module).file).service);
        if !service.stacks.contains(&stacks.stacks[clause.stack].id) {
            continue;
        }
        for (name, exported) in exports_of(program, clause, module) {
            if let Some(raw) = export_fact(evaluator, clause, module, &name, exported) {
                out.push(raw);
            }
        }
    }
}

fn export_fact(
    evaluator: &mut Evaluator<'_>,
    clause: &Clause,
    module: ModuleId,
    name: &str,
    exported: Exported,
) -> Option<Raw> {
    let program = evaluator.program;
    let hir = program.module(module);
    let (at, functions, start, end) = match exported {
        Exported::Expr(at) => {
            let expr = program.module(at.module).expr(at.expr);
            let functions = functions_in(evaluator.callables(at));
            (at, functions, expr.start, expr.end)
        }
        Exported::Symbol(owner, symbol) => {
            let functions = match &program.module(owner).symbol(symbol).definition {
                Definition::Function(function) => vec![FunctionRef { module: owner, function: *function }],
                Definition::Variable { init, .. } if *init != ExprId::NONE => {
                    functions_in(evaluator.callables(ExprRef { module: owner, expr: *init }))
                }
                _ => return None,
            };
            let entry = program.module(owner).symbol(symbol);
            let at = match &entry.definition {
                Definition::Variable { init, .. } => ExprRef { module: owner, expr: *init },
                _ => ExprRef { module: owner, expr: ExprId::NONE },
            };
            (at, functions, entry.start, entry.start + u32::try_from(name.len()).unwrap_or(0))
        }
        _ => return None,
    };
    // Server actions and handlers are functions; other exports of such a file are not meant.
    if functions.is_empty() && at.expr == ExprId::NONE {
        return None;
    }
    let place = Place { name: Some(name), ..Place::at(ExprRef { module, expr: at.expr }) };
    let file = program.loaded(module).file;
    let mut fields = Vec::new();
    for (field, projection) in &clause.fields {
        if !REF_FIELDS.contains(&&**field) {
            fields.push((field.clone(), evaluator.project_export(projection, place, module)));
        }
    }
    let refs = if at.expr == ExprId::NONE { Vec::new() } else { vec![(Arc::from("chain"), vec![at])] };
    // A re-exported handler is shown where the route's file names it.
    let span = if at.module == module || !matches!(exported, Exported::Expr(_)) {
        Span { file, start, end: end.min(hir.functions[0].end) }
    } else {
        Span { file, start: 0, end: 0 }
    };
    let span = if span.start > span.end { Span { file, start: 0, end: 0 } } else { span };
    Some(Raw {
        kind: clause.kind.clone(),
        clause: clause.id.clone(),
        stack: Some(clause.stack),
        at,
        span,
        fields,
        refs,
        function: None,
        functions,
        api: name.into(),
        certain: Confidence::High,
        within: None,
        view: None,
    })
}

fn functions_in(callables: Vec<Callable>) -> Vec<FunctionRef> {
    callables
        .into_iter()
        .filter_map(|callable| match callable {
            Callable::Function(function) => Some(function),
            _ => None,
        })
        .collect()
}
