//! What holds for a route because of its handler: mounts on the function, on its class and those above it, and on every
//! handler of its kind. Of mounts that decide the same (`slot`), the nearest decides alone.

use rustc_hash::FxHashSet;

use super::declared::Declared;
use super::extract::Raw;
use super::lists::Lists;
use super::registered::{Mount, RouterId};
use super::resources::refusing;
use super::roles::Roles;
use super::routes::Wirer;
use super::uses::{add_used, own_classes};
use crate::facts::graph::Callable;
use crate::facts::paths::{PathId, Selector};
use crate::facts::program::{ExprRef, FunctionRef};
use crate::facts::stacks::Verb;
use crate::project::ServiceId;
use crate::syntax::hir::Language;

impl<'p> Wirer<'_, 'p, '_> {
    /// Adds the lists of routes that a mount hangs in.
    pub(super) fn hang_lists(&mut self, raw: &Raw, mount: &mut Mount) {
        if raw.refs("routes").is_empty() {
            return;
        }
        let lists = Lists { known: &self.lists, name: raw.text("names").unwrap_or_default() };
        for &at in raw.refs("routes") {
            let found = lists.of(self.evaluator, at);
            mount.routers.extend(found.into_iter().map(|site| RouterId { site, owner: None }));
        }
        if raw.refs("list").is_empty() && raw.refs("scope").is_empty() && !mount.routers.is_empty() {
            self.rooted.insert(self.service_of(raw));
        }
    }

    /// Adds what a mount's chain names, and what clauses see at the very place of the mount.
    pub(super) fn add_uses(&mut self, raw: &Raw, mount: &mut Mount, roles: &mut Roles<'_, '_>) {
        if self.evaluator.program.module(raw.at.module).language != Language::Python {
            return;
        }
        for &at in raw.refs("chain") {
            add_used(self.evaluator, at, &mut mount.callables);
            for (module, class) in own_classes(self.evaluator, at) {
                roles.refusing.extend(refusing(self.evaluator, module, class));
            }
        }
        if roles.is_role(raw.at) {
            let path = self.evaluator.paths.dotted(&raw.api);
            mount.callables.push(Callable::External { path, site: Some(raw.at) });
        }
    }

    /// What hangs on a handler by a parameter of Rust is an extractor.
    pub(super) fn note_extractors(&self, raw: &Raw, mount: &Mount, roles: &mut Roles<'_, '_>) {
        let clauses = &self.evaluator.stacks.clauses;
        let is_parameter = clauses.iter().any(|clause| clause.id == raw.clause && clause.verb == Verb::Param);
        if !is_parameter || self.evaluator.program.module(raw.at.module).language != Language::Rust {
            return;
        }
        roles.extractors.extend(mount.callables.iter().filter_map(|callable| match callable {
            Callable::Function(function) => Some(*function),
            _ => None,
        }));
    }

    /// What a mount holds for, if that is a kind of handler.
    pub(super) fn kind_of(&self, raw: usize) -> Option<&'p Selector> {
        let clause = &self.raws[raw].clause;
        let stacks = self.evaluator.stacks;
        stacks.clauses.iter().find(|own| own.id == *clause).and_then(|own| own.holds_for.as_ref())
    }

    /// A list that nothing hangs in is a first one where no setting tells which is.
    pub(super) fn is_first_list(&self, site: ExprRef) -> bool {
        let program = self.evaluator.program;
        let service = program.project.file(program.loaded(site.module).file).service;
        self.lists.contains(&site) && !self.rooted.contains(&service)
    }

    fn service_of(&self, raw: &Raw) -> ServiceId {
        self.evaluator.program.project.file(raw.span.file).service
    }

    /// The mounts that hold for a route's handler, of each slot the nearest only.
    pub(super) fn declared_links(&mut self, index: usize) -> Vec<(Callable, bool)> {
        let mut links = Vec::new();
        let mut decided: FxHashSet<String> = FxHashSet::default();
        for level in self.levels(index) {
            let mut here: Vec<String> = Vec::new();
            for number in level {
                let mount = &self.mounts[number];
                if mount.slot.as_ref().is_some_and(|slot| decided.contains(slot)) {
                    continue;
                }
                here.extend(mount.slot.clone());
                links.extend(mount.callables.iter().map(|&callable| (callable, mount.half)));
            }
            decided.extend(here);
        }
        links
    }

    /// What is decided at a route's handler, whatever its routers say.
    pub(super) fn decided(&mut self, index: usize) -> FxHashSet<String> {
        let levels = self.levels(index);
        levels.into_iter().flatten().filter_map(|number| self.mounts[number].slot.clone()).collect()
    }

    /// The methods that the nearest declaration keeps the handler to.
    pub(super) fn declared_methods(&mut self, index: usize) -> Vec<String> {
        let levels = self.levels(index);
        let methods = levels.into_iter().flatten().map(|number| self.mounts[number].methods.clone());
        methods.into_iter().find(|methods| !methods.is_empty()).unwrap_or_default()
    }

    /// The mounts by how near they are: on the function, its class, the classes above, its kind.
    fn levels(&mut self, index: usize) -> Vec<Vec<usize>> {
        let functions: Vec<FunctionRef> = self.routes[index]
            .callables
            .iter()
            .filter_map(|callable| match callable {
                Callable::Function(function) => Some(*function),
                _ => None,
            })
            .collect();
        let mut levels: Vec<Vec<Declared>> = vec![functions.iter().map(|&f| Declared::Function(f)).collect()];
        match self.raws[self.routes[index].raw].view.as_ref() {
            Some(view) => levels.extend(view.line.iter().map(|&(module, class)| vec![Declared::Class(module, class)])),
            None => {
                let classes = functions.iter().flat_map(|function| {
                    let entry = self.evaluator.program.module(function.module).function(function.function);
                    let class = entry.class.some();
                    class.map(|class| self.evaluator.lineage(function.module, class).classes).unwrap_or_default()
                });
                levels.push(classes.map(|(module, class)| Declared::Class(module, class)).collect());
            }
        }
        let on = |declared: &Declared| self.on_declared.get(declared).into_iter().flatten().copied();
        let mut found: Vec<Vec<usize>> = levels.iter().map(|level| level.iter().flat_map(on).collect()).collect();
        if !self.kinds.is_empty() {
            found.push(self.of_kind(index, &functions));
        }
        found
    }

    /// The mounts that hold for handlers of a kind, of those that this handler is.
    fn of_kind(&mut self, index: usize, functions: &[FunctionRef]) -> Vec<usize> {
        let paths = self.kinds_of_handler(index, functions);
        let evaluator = &mut *self.evaluator;
        let stacks = evaluator.stacks;
        let service = |raw: usize| evaluator.program.project.file(self.raws[raw].span.file).service;
        let own = service(self.routes[index].raw);
        let mounts: Vec<(usize, &Selector)> =
            self.kinds.iter().copied().filter(|(number, _)| service(self.mounts[*number].raw) == own).collect();
        let holds = |evaluator: &mut crate::facts::resolve::Evaluator<'p>, kind: &Selector| {
            paths.iter().any(|&path| evaluator.matcher.matches(&evaluator.paths, &stacks.types, path, kind))
        };
        mounts.into_iter().filter(|(_, kind)| holds(evaluator, kind)).map(|(number, _)| number).collect()
    }

    /// The paths of what a handler's class extends, or of its decorators.
    fn kinds_of_handler(&mut self, index: usize, functions: &[FunctionRef]) -> Vec<PathId> {
        let raw = &self.raws[self.routes[index].raw];
        let mut paths: Vec<PathId> = Vec::new();
        match raw.view.as_ref() {
            Some(view) if !view.line.is_empty() => {
                let (module, class) = view.line[0];
                paths.extend(self.evaluator.lineage(module, class).outside);
            }
            Some(_) => {
                for callable in &self.routes[index].callables {
                    if let Callable::External { path, .. } = *callable {
                        paths.push(path);
                        paths.extend(self.evaluator.paths.parent(path));
                    }
                }
            }
            None => {
                for function in functions {
                    let hir = self.evaluator.program.module(function.module);
                    for &expr in &hir.function(function.function).decorators {
                        let named = hir.call(expr).map_or(expr, |(callee, _)| callee);
                        paths.extend(self.evaluator.paths_of(ExprRef { module: function.module, expr: named }));
                    }
                }
            }
        }
        paths
    }
}
