//! Variables that a framework reads by name from a module of settings (`DATABASES`, `MIDDLEWARE`): which module
//! production runs with, what it takes over from others, and what each variable is in the end.

use rustc_hash::{FxHashMap, FxHashSet};

use super::model::{Guard, Value};
use super::program::{ExprRef, ModuleId, Program, Target};
use super::resolve::Evaluator;
use super::stacks::{SettingsModules, Stacks};
use crate::project::{Area, ServiceId};
use crate::syntax::hir::{
    AssignOp, ContextKind, Definition, ExportTarget, ExprId, ExprKind, Module, PropKind, Step, SymbolIdx,
};

/// Modules that settings are taken over from, one after the other.
const MAX_CHAIN: usize = 16;
/// Dictionaries in dictionaries.
const MAX_DEPTH: usize = 4;

/// One assignment of a variable or of an entry of its dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    pub value: ExprRef,
    /// Adds to what was there (`MIDDLEWARE += […]`).
    pub adds: bool,
}

/// The settings of every service.
#[derive(Debug, Default)]
pub struct Settings {
    /// By service and path (`REST_FRAMEWORK.PAGE_SIZE`): what is assigned, in order.
    values: FxHashMap<ServiceId, FxHashMap<String, Vec<Assigned>>>,
    /// By service: the paths, in the order of the text.
    order: FxHashMap<ServiceId, Vec<String>>,
    /// Services of which some settings come from where nobody can look.
    open: FxHashSet<ServiceId>,
    /// Modules of settings for other environments.
    aside: FxHashSet<ModuleId>,
    /// Definitions that the module for production replaces.
    replaced: Vec<(ModuleId, u32, u32)>,
}

impl Settings {
    pub fn of(program: &Program<'_>, stacks: &Stacks) -> Settings {
        let mut settings = Settings::default();
        for kind in &stacks.settings {
            let stack = &stacks.stacks[kind.stack].id;
            for (index, service) in program.project.services.iter().enumerate() {
                if service.stacks.contains(stack) {
                    settings.read(program, kind, ServiceId(u16::try_from(index).unwrap_or(u16::MAX)));
                }
            }
        }
        settings
    }

    /// Does an expression stand in what production does not run with?
    pub fn is_aside(&self, program: &Program<'_>, at: ExprRef) -> bool {
        if self.aside.contains(&at.module) {
            return true;
        }
        let of_module = self.replaced.iter().filter(|(module, _, _)| *module == at.module);
        let expr = (at.expr != ExprId::NONE).then(|| program.module(at.module).expr(at.expr));
        expr.is_some_and(|expr| of_module.into_iter().any(|(_, start, end)| *start <= expr.start && expr.end <= *end))
    }

    /// What is assigned to a variable or an entry.
    fn assigned(&self, service: ServiceId, path: &str) -> &[Assigned] {
        self.values.get(&service).and_then(|values| values.get(path)).map_or(&[], Vec::as_slice)
    }

    /// Every path of a service, with what is assigned to it.
    pub fn all(&self, service: ServiceId) -> impl Iterator<Item = (&str, &[Assigned])> {
        let paths = self.order.get(&service).into_iter().flatten();
        paths.map(move |path| (path.as_str(), self.assigned(service, path)))
    }

    fn read(&mut self, program: &Program<'_>, kind: &SettingsModules, service: ServiceId) {
        let modules = modules_of_settings(program, kind, service);
        let chosen = for_production(program, kind, service, &modules);
        let mut chain: Vec<ModuleId> = Vec::new();
        for module in chosen {
            add_chain(program, module, &mut chain);
        }
        self.aside.extend(modules.into_iter().filter(|module| !chain.contains(module)));
        for module in chain {
            let loaded = program.loaded(module);
            let mut stars = loaded.module.star_exports.iter();
            if stars.any(|source| matches!(loaded.targets[source.0 as usize], Target::Package(_))) {
                self.open.insert(service);
            }
            self.read_module(program, service, module);
        }
    }

    fn read_module(&mut self, program: &Program<'_>, service: ServiceId, module: ModuleId) {
        let hir = program.module(module);
        for (name, symbol) in variables(hir) {
            let assignments = assignments(hir, module, symbol);
            let own: Vec<ExprRef> =
                self.assigned(service, name).iter().filter(|own| !own.adds).map(|own| own.value).collect();
            let is_set = own.iter().any(|&at| is_sure(program, at)) || is_set_either_way(program, &own);
            if is_set {
                let replaced = assignments.iter().map(|one| {
                    let expr = hir.expr(one.value.expr);
                    (module, expr.start, expr.end)
                });
                self.replaced.extend(replaced);
                continue;
            }
            self.enter(program, service, name, assignments, 0);
        }
        for (path, value) in entries_assigned(hir) {
            let one = Assigned { value: ExprRef { module, expr: value }, adds: false };
            self.enter(program, service, &path, vec![one], path.matches('.').count());
        }
    }

    /// Notes a variable or entry; those of a module that is asked later come first.
    fn enter(&mut self, program: &Program<'_>, service: ServiceId, path: &str, found: Vec<Assigned>, depth: usize) {
        if found.is_empty() {
            return;
        }
        for one in &found {
            let hir = program.module(one.value.module);
            let ExprKind::Object(run) = hir.kind(one.value.expr) else { continue };
            if depth >= MAX_DEPTH {
                continue;
            }
            for prop in hir.object(run).iter().filter(|prop| prop.kind == PropKind::Value) {
                let Some(key) = prop.key else { continue };
                let inner = Assigned { value: ExprRef { expr: prop.value, ..one.value }, adds: false };
                self.enter(program, service, &format!("{path}.{}", hir.str(key)), vec![inner], depth + 1);
            }
        }
        let known = self.values.entry(service).or_default().entry(path.to_owned()).or_default();
        if known.is_empty() {
            self.order.entry(service).or_default().push(path.to_owned());
        }
        let own = std::mem::replace(known, found);
        known.extend(own);
    }
}

/// Is the assignment made whatever happens?
fn is_sure(program: &Program<'_>, at: ExprRef) -> bool {
    let hir = program.module(at.module);
    hir.contexts_of(at.expr).all(|(_, context)| matches!(context.kind, ContextKind::Function(_)))
}

/// Is it set in a `try` and where that failed, or in both branches of an `if`?
fn is_set_either_way(program: &Program<'_>, own: &[ExprRef]) -> bool {
    let way = |at: &ExprRef| {
        let contexts = program.module(at.module).contexts_of(at.expr).map(|(_, context)| context.kind);
        // What a `with` holds always runs.
        let mut contexts = contexts.filter(|kind| !matches!(kind, ContextKind::With(_)));
        let innermost = contexts.next()?;
        contexts.all(|kind| matches!(kind, ContextKind::Function(_))).then_some((at.module, innermost))
    };
    let ways: Vec<_> = own.iter().filter_map(way).collect();
    let is_other = |one: ContextKind, other: ContextKind| match (one, other) {
        (ContextKind::Try { .. }, ContextKind::Catch) => true,
        (ContextKind::Then(test), ContextKind::Else(of)) => test == of,
        _ => false,
    };
    ways.iter().any(|&(module, one)| ways.iter().any(|&(of, other)| module == of && is_other(one, other)))
}

/// The variables of a module.
fn variables(hir: &Module) -> impl Iterator<Item = (&str, SymbolIdx)> {
    hir.exports.iter().filter_map(|export| match export.target {
        ExportTarget::Symbol(symbol) => match &hir.symbol(symbol).definition {
            Definition::Variable { steps, .. } if steps.as_slice() == ([] as [Step; 0]) => {
                Some((hir.str(export.name), symbol))
            }
            _ => None,
        },
        _ => None,
    })
}

fn assignments(hir: &Module, module: ModuleId, symbol: SymbolIdx) -> Vec<Assigned> {
    let entry = hir.symbol(symbol);
    let Definition::Variable { init, .. } = entry.definition else { return Vec::new() };
    let all = init.some().into_iter().chain(entry.assigned.iter().copied());
    all.map(|expr| Assigned { value: ExprRef { module, expr }, adds: adds(hir, symbol, expr) }).collect()
}

/// `X += […]`, `X = X + […]`, `X = [*X, …]`
fn adds(hir: &Module, symbol: SymbolIdx, value: ExprId) -> bool {
    let name = hir.str(hir.symbol(symbol).name);
    let is_own = |expr: ExprId| match hir.kind(expr) {
        ExprKind::Ident(other) => hir.str(hir.symbol(other).name) == name,
        ExprKind::Member { name: member, .. } => hir.str(member) == name,
        _ => false,
    };
    let augmented = hir
        .expr(value)
        .parent
        .some()
        .is_some_and(|parent| matches!(hir.kind(parent), ExprKind::Assign { op: AssignOp::Add, .. }));
    augmented
        || match hir.kind(value) {
            ExprKind::Binary { left, right, .. } => is_own(left) || is_own(right),
            ExprKind::Array(run) => {
                hir.list(run).any(|item| matches!(hir.kind(item), ExprKind::Spread(inner) if is_own(inner)))
            }
            ExprKind::Object(run) => {
                hir.object(run).iter().any(|prop| prop.kind == PropKind::Spread && is_own(prop.value))
            }
            _ => false,
        }
}

/// `DATABASES["default"]["CONN_MAX_AGE"] = 60`: the path and the value.
fn entries_assigned(hir: &Module) -> Vec<(String, ExprId)> {
    let mut found = Vec::new();
    for expr in &hir.exprs {
        let ExprKind::Assign { target, value, .. } = expr.kind else { continue };
        if expr.parent.some().is_some() || !matches!(hir.kind(target), ExprKind::Member { .. }) {
            continue;
        }
        let mut names = Vec::new();
        let mut at = target;
        for _ in 0..MAX_DEPTH {
            match hir.kind(at) {
                ExprKind::Member { object, name } => {
                    names.push(hir.str(name));
                    at = object;
                }
                ExprKind::Ident(symbol) => {
                    names.push(hir.str(hir.symbol(symbol).name));
                    names.reverse();
                    found.push((names.join("."), value));
                    break;
                }
                _ => break,
            }
        }
    }
    found
}

/// The modules of a service that define the names of settings, or take them over.
fn modules_of_settings(program: &Program<'_>, kind: &SettingsModules, service: ServiceId) -> Vec<ModuleId> {
    let is_wanted = |id: &ModuleId| {
        let file = program.project.file(program.loaded(*id).file);
        file.service == service && matches!(file.area, Area::Server | Area::Config | Area::Script)
    };
    let all: Vec<ModuleId> = program.ids().filter(is_wanted).collect();
    let defines = |id: ModuleId| {
        let hir = program.module(id);
        variables(hir).any(|(name, _)| kind.names.iter().any(|wanted| wanted == name))
    };
    let mut found: Vec<ModuleId> = all.iter().copied().filter(|&id| defines(id)).collect();
    for _ in 0..MAX_CHAIN {
        let more: Vec<ModuleId> = all
            .iter()
            .copied()
            .filter(|id| !found.contains(id) && taken_over(program, *id).iter().any(|base| found.contains(base)))
            .collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    found.sort_unstable();
    found
}

/// The modules that a module takes all names from.
fn taken_over(program: &Program<'_>, id: ModuleId) -> Vec<ModuleId> {
    let loaded = program.loaded(id);
    let stars = loaded.module.star_exports.iter().rev();
    stars
        .filter_map(|source| match loaded.targets[source.0 as usize] {
            Target::Module(target) => Some(target),
            _ => None,
        })
        .collect()
}

fn add_chain(program: &Program<'_>, module: ModuleId, chain: &mut Vec<ModuleId>) {
    if chain.len() >= MAX_CHAIN || chain.contains(&module) {
        return;
    }
    chain.push(module);
    for base in taken_over(program, module) {
        add_chain(program, base, chain);
    }
}

/// Those that something starts the service with; else those that no other takes over. Names tell which of several
/// are for another environment.
fn for_production(
    program: &Program<'_>,
    kind: &SettingsModules,
    service: ServiceId,
    modules: &[ModuleId],
) -> Vec<ModuleId> {
    let entries = &program.project.service(service).entries;
    let is_started = |id: &ModuleId| entries.iter().any(|(file, _)| *file == program.loaded(*id).file);
    let is_taken = |id: &ModuleId| modules.iter().any(|other| taken_over(program, *other).contains(id));
    let started: Vec<ModuleId> = modules.iter().copied().filter(is_started).collect();
    // A default in the code names what the module of a deployment builds on.
    let is_base = |id: &ModuleId| started.iter().any(|other| other != id && taken_over(program, *other).contains(id));
    let started: Vec<ModuleId> = started.iter().copied().filter(|id| !is_base(id)).collect();
    let last: Vec<ModuleId> = modules.iter().copied().filter(|id| !is_taken(id)).collect();
    let is_called = |id: &ModuleId, words: &[String], parts: usize| {
        let path = program.path(*id).trim_end_matches(".py").to_lowercase();
        let mut inner = path.rsplit('/').take(parts).flat_map(|part| part.split(['_', '-', '.']));
        inner.any(|word| words.iter().any(|wanted| wanted == word))
    };
    let is_aside = |id: &ModuleId| is_called(id, &kind.aside, 2);
    // What is named in the code is a default that a deployment replaces.
    for candidates in [&started, &last] {
        let named = candidates.iter().copied().filter(|id| is_called(id, &kind.production, 1));
        let named: Vec<ModuleId> = named.collect();
        if !named.is_empty() {
            return named;
        }
    }
    for candidates in [&started, &last, &modules.to_vec()] {
        let serious: Vec<ModuleId> = candidates.iter().copied().filter(|id| !is_aside(id)).collect();
        if !serious.is_empty() {
            return serious;
        }
    }
    if started.is_empty() { last } else { started }
}

impl Evaluator<'_> {
    fn service_of(&self, module: ModuleId) -> ServiceId {
        self.program.project.file(self.program.loaded(module).file).service
    }

    /// The expressions that make up a setting in production; those for development are left out.
    pub fn setting_refs(&mut self, from: ModuleId, path: &str) -> Vec<ExprRef> {
        let links = self.links;
        let all = links.settings.assigned(self.service_of(from), path).to_vec();
        let mut found: Vec<ExprRef> = Vec::new();
        for one in all {
            let guard = self.surroundings(one.value).1.0;
            if guard & (Guard::DEV.0 | Guard::TEST.0 | Guard::DEBUG.0) != 0 {
                continue;
            }
            if !one.adds && (guard & Guard::PROD.0 != 0 || is_sure(self.program, one.value)) {
                found.clear();
            }
            found.push(one.value);
        }
        found
    }

    /// What a setting is in production.
    pub fn setting_value(&mut self, from: ModuleId, path: &str) -> Value {
        match self.setting_refs(from, path).as_slice() {
            [] => self.inner_setting(from, path),
            [one] => self.value(*one),
            [_, ..] => Value::UNKNOWN,
        }
    }

    /// An entry of a setting that is no dictionary in the text.
    fn inner_setting(&mut self, from: ModuleId, path: &str) -> Value {
        let Some((outer, name)) = path.rsplit_once('.') else {
            let is_open = self.links.settings.open.contains(&self.service_of(from));
            return if is_open { Value::UNKNOWN } else { Value::ABSENT };
        };
        self.setting_value(from, outer).field(name)
    }
}
